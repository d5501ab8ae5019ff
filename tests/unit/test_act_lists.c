// SPDX-License-Identifier: GPL-2.0-only
/* Page cache that is asked for by age: of which group, which generation, and how much. */
#include "act_root.h"

#include "act/age.h"
#include "act/lists.h"
#include "act/pool.h"

#define MIB 1048576ull
#define PAGES(n) ((n)*4096ull)
#define LRU_GEN "/sys/kernel/debug/lru_gen"

struct fixture {
	struct root root;
	struct journal *journal;
	struct act_caps caps;
	struct act act;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return root_make(&f->root) || root_journal(&f->root, &f->journal) ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	age_close(f->act.age);
	journal_close(f->journal);
	close(f->act.cgroup_root);
	root_remove(&f->root);
	free(f);
	return 0;
}

/* With the private ids 77 and 78. What is written lands on the first line. */
static void open_it(struct fixture *f)
{
	struct age_opts opts = { .root = f->root.path, .journal = f->journal };
	char text[1000];

	f->act.cgroup_root = opts.cgroup_root = root_dir(&f->root, "/cgroup");
	close(root_dir(&f->root, "/cgroup/a"));
	close(root_dir(&f->root, "/cgroup/b"));
	snprintf(text, sizeof(text),
		 "memcg 1 /\n%200s\nmemcg 77 /a\n node     0\n 5 90000 1 30 \n"
		 "memcg 78 /b\n node     0\n 5 90000 1 20 \n",
		 "");
	root_put(&f->root, LRU_GEN, text);
	root_put(&f->root, "/sys/kernel/mm/lru_gen/enabled", "0x0007\n");
	assert_int_equal(age_open(&f->act.age, &opts, &f->caps), 0);
	assert_int_equal(f->caps.id_form, ACT_ID_PRIVATE);
}

static struct job ask(struct fixture *f, struct act_group *groups, size_t nr)
{
	return (struct job){ .act = &f->act,
			     .result.id = 42,
			     .file_idle_ms = 50000,
			     .groups = groups,
			     .nr_groups = nr,
			     .pool.deadline_us = UINT64_MAX };
}

static void assert_written(struct fixture *f, const char *want)
{
	assert_memory_equal(root_get(&f->root, LRU_GEN), want, strlen(want));
}

/* The container's own group: whatever memory.min says, it is asked for by itself. */
#define OWN .cgroup = 42

static void test_shares(void **state)
{
	struct fixture *f = *state;
	struct act_group groups[] = {
		{ OWN, .memcg = 77,
		  .file = { 5, { { PAGES(300), 60000 }, { PAGES(90), 50000 } } } },
		{ OWN, .memcg = 78, .file = { 5, { { PAGES(4), 70000 }, { PAGES(96), 60000 } } } },
	};
	struct job job;

	open_it(f);
	job = ask(f, groups, 2);
	assert_int_equal(lists_old_file(&job), PAGES(400));
	lists_take_file(&job, PAGES(300));
	assert_written(f, "- 77 0 5 0 225\n- 78 0 6 0 75\n");
	assert_int_equal(job.result.error, 0);
}

/* The kernel takes 64 pages at least: what is less adds up from group to group. */
static void test_small_shares(void **state)
{
	struct fixture *f = *state;
	struct act_group groups[5];
	struct job job;

	open_it(f);
	for (int i = 0; i < 5; i++)
		groups[i] = (struct act_group){ OWN, .memcg = 77 + i % 2,
						.file = { 5, { { PAGES(200), 60000 } } } };
	job = ask(f, groups, 5);
	lists_take_file(&job, PAGES(150)); /* 30 of each */
	assert_written(f, "- 77 0 5 0 90\n ");
	groups[0].file.old[0].bytes = PAGES(40); /* all there is of it */
	job = ask(f, groups, 1);
	lists_take_file(&job, MIB);
	assert_written(f, "- 77 0 5 0 90\n- 77 0 5 0 40\n ");
}

static void test_all_of_it(void **state)
{
	struct fixture *f = *state;
	struct act_group groups[] = {
		{ OWN, .memcg = 77,
		  .file = { 5, { { PAGES(5000), 60000 }, { PAGES(900), 50000 } } } },
		{ OWN, .memcg = 78,
		  .file = { 5, { { PAGES(100), 49000 }, { PAGES(96), 40000 } } } },
	};
	struct job job;

	open_it(f);
	job = ask(f, groups, 2);
	/* A batch and the rest; nothing of who is not old enough. */
	lists_take_file(&job, 100 * MIB);
	assert_written(f, "- 77 0 5 0 4096\n- 77 0 5 0 904\n ");
}

/* One that cannot be looked at for what it keeps is left alone: this root opens nothing by id. */
static void test_not_known(void **state)
{
	struct fixture *f = *state;
	struct act_group groups[] = {
		{ .cgroup = 43, .memcg = 77, .file = { 5, { { PAGES(5000), 60000 } } } },
	};
	struct job job;

	open_it(f);
	job = ask(f, groups, 1);
	lists_take_file(&job, 100 * MIB);
	assert_written(f, "memcg");
}

/* What a group keeps, and those above it, up to the container. */
static void test_unprotected(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int box, leaf;

	open_it(f);
	root_put(&f->root, "/cgroup/a/memory.min", "max\n");
	root_put(&f->root, "/cgroup/a/memory.current", "1000\n");
	close(root_dir(&f->root, "/cgroup/a/box"));
	box = root_dir(&f->root, "/cgroup/a/box");
	assert_int_equal(fstat(box, &st), 0);
	close(root_dir(&f->root, "/cgroup/a/box/in"));
	leaf = root_dir(&f->root, "/cgroup/a/box/in/leaf");
	assert_true(lists_unprotected(leaf, st.st_ino) == UINT64_MAX);
	root_put(&f->root, "/cgroup/a/box/in/memory.low", "300\n");
	root_put(&f->root, "/cgroup/a/box/in/memory.current", "1000\n");
	assert_int_equal(lists_unprotected(leaf, st.st_ino), 700);
	root_put(&f->root, "/cgroup/a/box/in/leaf/memory.min", "500\n");
	root_put(&f->root, "/cgroup/a/box/in/leaf/memory.low", "0\n");
	root_put(&f->root, "/cgroup/a/box/in/leaf/memory.current", "900\n");
	assert_int_equal(lists_unprotected(leaf, st.st_ino), 400);
	root_put(&f->root, "/cgroup/a/box/in/leaf/memory.low", "max\n");
	assert_int_equal(lists_unprotected(leaf, st.st_ino), 0);
	assert_true(lists_unprotected(box, st.st_ino) == UINT64_MAX);
	close(leaf);
	close(box);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_shares),    T(test_small_shares), T(test_all_of_it),
		T(test_not_known), T(test_unprotected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
