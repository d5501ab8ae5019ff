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
	unsigned long long id[2]; /* of the groups a and b */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct journal_opts o = { .cgroup_root = -1 };

	*state = f;
	if (root_make(&f->root))
		return -1;
	o.state_dir = f->root.state;
	o.root = f->root.path;
	return journal_open(&f->journal, &o) ? -1 : 0;
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

/* With what 7.2 prints, or with private ids: 77 and 78. What is written lands on the first line. */
static void open_it(struct fixture *f, bool by_cgroup)
{
	struct age_opts opts = { .root = f->root.path, .journal = f->journal };
	char text[1000];

	f->act.cgroup_root = opts.cgroup_root = root_dir(&f->root, "/cgroup");
	for (int i = 0; i < 2; i++) {
		struct stat st;
		int fd = root_dir(&f->root, i ? "/cgroup/b" : "/cgroup/a");

		assert_int_equal(fstat(fd, &st), 0);
		f->id[i] = st.st_ino;
		close(fd);
	}
	snprintf(text, sizeof(text),
		 "memcg 1 /\n%200s\nmemcg %llu /a\n node     0\n 5 90000 1 30 \n"
		 "memcg %llu /b\n node     0\n 5 90000 1 20 \n",
		 "", by_cgroup ? f->id[0] : 77, by_cgroup ? f->id[1] : 78);
	root_put(&f->root, LRU_GEN, text);
	root_put(&f->root, "/sys/kernel/mm/lru_gen/enabled", "0x0007\n");
	assert_int_equal(age_open(&f->act.age, &opts, &f->caps), 0);
	assert_int_equal(f->caps.id_form, by_cgroup ? ACT_ID_CGROUP : ACT_ID_PRIVATE);
}

static struct job ask(struct fixture *f, struct act_group *groups, size_t nr, uint64_t file)
{
	for (size_t i = 0; i < nr; i++)
		groups[i].cgroup = f->id[i];
	return (struct job){ .act = &f->act,
			     .file = file,
			     .file_idle_ms = 50000,
			     .groups = groups,
			     .nr_groups = nr,
			     .pool.deadline_us = UINT64_MAX };
}

static void assert_written(struct fixture *f, const char *want)
{
	assert_memory_equal(root_get(&f->root, LRU_GEN), want, strlen(want));
}

static void test_shares(void **state)
{
	struct fixture *f = *state;
	struct act_group groups[] = {
		{ .memcg = 77,
		  .file = { MIB, 5, { { PAGES(300), 60000 }, { PAGES(90), 50000 } } } },
		{ .memcg = 78, .file = { MIB, 5, { { PAGES(4), 70000 }, { PAGES(96), 60000 } } } },
	};
	struct reclaim_stat stat = { .file = 3 * MIB };
	uint64_t unlisted;
	struct job job;

	open_it(f, false);
	job = ask(f, groups, 2, PAGES(200));
	assert_true(lists_take_file(&job, &stat, &unlisted));
	assert_int_equal(unlisted, 0);
	assert_written(f, "- 77 0 5 0 150\n- 78 0 6 0 50\n");
	assert_int_equal(job.result.error, 0);
}

static void test_all_of_it(void **state)
{
	struct fixture *f = *state;
	struct act_group groups[] = {
		{ .memcg = 77,
		  .file = { 40 * MIB, 5, { { PAGES(5000), 60000 }, { PAGES(900), 50000 } } } },
		{ .memcg = 78,
		  .file = { MIB, 5, { { PAGES(100), 49000 }, { PAGES(96), 40000 } } } },
	};
	struct reclaim_stat stat = { .file = 41 * MIB };
	uint64_t unlisted;
	struct job job;

	open_it(f, false);
	job = ask(f, groups, 2, 100 * MIB);
	/* A batch and the rest; nothing of who is not old enough. */
	assert_true(lists_take_file(&job, &stat, &unlisted));
	assert_written(f, "- 77 0 5 0 4096\n- 77 0 5 0 904\n ");
}

/* Up to 6.18 removed groups keep their lists, and only memory.reclaim reaches them. */
static void test_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct act_group groups[] = {
		{ .memcg = 77, .file = { 16 * MIB, 5, { { 16 * MIB, 60000 } } } },
	};
	struct reclaim_stat stat = { .file = 69 * MIB, .unevictable = 2 * MIB };
	uint64_t unlisted;
	struct job job;

	open_it(f, false);
	job = ask(f, groups, 1, 32 * MIB);
	/* 69 - (16 + 2 + 2) * 17/16 = 47.75 of 63.75 MiB */
	assert_true(lists_take_file(&job, &stat, &unlisted));
	assert_in_range(unlisted, 23 * MIB, 24 * MIB);
	assert_written(f, "- 77 0 5 0 2056\n");
}

static void test_mapped_by_neighbours(void **state)
{
	struct fixture *f = *state;
	struct act_group groups[] = {
		{ .file = { 16 * MIB, 5, { { 16 * MIB, 60000 } } } },
		{ .file = { 0 } },
	};
	struct reclaim_stat stat = { .file = 64 * MIB, .mapped = 7 * MIB };
	uint64_t unlisted;
	struct job job;
	char want[64];

	open_it(f, true);
	job = ask(f, groups, 2, 16 * MIB);
	assert_false(lists_take_file(&job, &stat, &unlisted)); /* all by memory.reclaim */
	assert_written(f, "memcg");
	/* Little is; or there is no neighbour. */
	snprintf(want, sizeof(want), "- %llu 0 5 0 4096\n", f->id[0]);
	job.nr_groups = 1;
	assert_true(lists_take_file(&job, &stat, &unlisted));
	assert_written(f, want);
	job.nr_groups = 2;
	stat.mapped = 6 * MIB;
	assert_true(lists_take_file(&job, &stat, &unlisted));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_shares),
		T(test_all_of_it),
		T(test_elsewhere),
		T(test_mapped_by_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
