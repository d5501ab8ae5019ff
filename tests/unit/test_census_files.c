// SPDX-License-Identifier: GPL-2.0-only
/* The census by files, on directories that look like groups. */
#include "act_root.h"

#include <sys/resource.h>

#include "sense/census.h"

struct fixture {
	struct root root;
	struct kernel_facts kernel;
	struct census_files *census;
};

static void group(struct fixture *f, const char *path, unsigned int mib)
{
	char name[256], text[64];

	snprintf(name, sizeof(name), "/cg%s/memory.current", path);
	snprintf(text, sizeof(text), "%u\n", mib << 20);
	root_put(&f->root, name, text);
	snprintf(name, sizeof(name), "/cg%s/memory.stat", path);
	snprintf(text, sizeof(text), "anon %u\nfile 4096\n", mib << 19);
	root_put(&f->root, name, text);
	snprintf(name, sizeof(name), "/cg%s/cgroup.events", path);
	root_put(&f->root, name, "populated 1\nfrozen 0\n");
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[512];

	*state = f;
	if (root_make(&f->root))
		return -1;
	group(f, "", 8);
	group(f, "/a", 4);
	group(f, "/a/b", 2);
	group(f, "/a/b/c", 1);
	root_path(&f->root, "/cg", path);
	f->kernel = (struct kernel_facts){ .page_size = 4096, .lru_gen = -1, .debugfs_fd = -1 };
	f->kernel.cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->kernel.cgroup_fd < 0 || census_files_open(&f->census, &f->kernel) ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	census_files_close(f->census);
	close(f->kernel.cgroup_fd);
	root_remove(&f->root);
	free(f);
	return 0;
}

static void check_all_there(struct fixture *f)
{
	const struct ebb_census *recs = NULL;
	size_t n = 0;

	assert_int_equal(census_files_pass(f->census, &recs, &n), 0);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(recs[i].level, i);
		assert_int_equal(recs[i].usage, 8u << 20 >> i);
		assert_int_equal(recs[i].anon, 4u << 20 >> i);
		assert_true(recs[i].flags & EBB_CENSUS_POPULATED);
		assert_true(!i || recs[i].parent == recs[i - 1].cgroup);
	}
}

static void test_every_group(void **state)
{
	check_all_there(*state);
}

/* Too few descriptors for the way down: no census at all, rather than one without some groups. */
static void test_out_of_files(void **state)
{
	struct fixture *f = *state;
	const struct ebb_census *recs = NULL;
	struct rlimit old, few;
	unsigned int short_of = 0;
	size_t n = 0;
	int next = dup(0), r;

	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	for (rlim_t more = 0; more < 6; more++) {
		few.rlim_cur = next + more;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		r = census_files_pass(f->census, &recs, &n);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		if (r) {
			assert_int_equal(r, -EMFILE);
			short_of++;
		} else {
			assert_int_equal(n, 4);
		}
	}
	/* Four groups deep, and a file of the last. */
	assert_int_equal(short_of, 5);
	check_all_there(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
