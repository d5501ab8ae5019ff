// SPDX-License-Identifier: GPL-2.0-only
/* Which ids lru_gen wants, and what is written to it. */
#include "act_root.h"

#include "act/age.h"

#define MGLRU "/sys/kernel/mm/lru_gen/enabled"
#define LRU_GEN "/sys/kernel/debug/lru_gen"

static const char rows[] = "memcg     1 /\n"
			   " node     0\n"
			   "          0      31748          0           0 \n"
			   "          1      31748          0           4 \n"
			   "memcg    25 /hc\n"
			   " node     0\n"
			   "         12      31748          0         100 \n"
			   "         13      31748          0           4 \n"
			   "         14      31748          0           5 \n"
			   "         15      31748          0           6 \n"
			   " node     1\n"
			   "          7      31748          0           0 \n"
			   "memcg     2 /a b/25 9\n"
			   " node     0\n"
			   "         88      31748          0           0 \n";

static void test_find(void **state)
{
	struct age_rows r = {};

	assert_int_equal(age_find_rows(rows, 25, 0, 0, &r), 0);
	assert_int_equal(r.max_seq, 15);
	assert_int_equal(r.old_seq, 13);
	assert_int_equal(r.old_file, 104);
	assert_int_equal(age_find_rows(rows, 25, 1, 0, &r), 0);
	assert_int_equal(r.max_seq, 7);
	assert_int_equal(r.old_file, 0);
	assert_int_equal(age_find_rows(rows, 2, 0, 0, &r), 0);
	assert_int_equal(r.max_seq, 88);
	assert_int_equal(age_find_rows(rows, 1, 0, 0, &r), 0);
	assert_int_equal(r.max_seq, 1); /* and no older one than that may be taken */
	assert_int_equal(r.old_file, 0);
	assert_int_equal(age_find_rows(rows, 2, 1, 0, &r), -ENOENT);
	assert_int_equal(age_find_rows(rows, 12, 0, 0, &r), -ENOENT);
	assert_int_equal(age_find_rows("memcg 5 /x", 5, 0, 0, &r), -ENOENT);
	assert_int_equal(age_find_rows("memcg 5 /x\n node 0\n 1 2 3\n", 5, 0, 0, &r), -ENOENT);
	assert_int_equal(age_find_rows("", 5, 0, 0, &r), -ENOENT);
	assert_int_equal(age_find_rows("memcg 5x /\n node 0\n 9 1 1 1\n", 5, 0, 0, &r), -ENOENT);
}

/* What of the anon goes before page cache has its turn, of what is idle for so long. */
static void test_find_idle(void **state)
{
	static const char text[] = "memcg 25 /hc\n node 0\n"
				   " 12 95000 300 0 \n"
				   " 13 65000 200 9 \n"
				   " 14 35000 100 9 \n"
				   " 15 5000 50 9 \n";
	static const char fresh[] =
		"memcg 25 /hc\n node 0\n"
		" 0 95000 300 0 \n 1 95000 0 0 \n 2 95000 9 0 \n 3 95000 9 0 \n";
	struct age_rows r = {};

	assert_int_equal(age_find_rows(text, 25, 0, 60000, &r), 0);
	assert_int_equal(r.idle_seq, 12);
	assert_int_equal(r.idle_anon, 300);
	/* Down to the first that has page cache. */
	assert_int_equal(age_find_rows(text, 25, 0, 30000, &r), 0);
	assert_int_equal(r.idle_seq, 13);
	assert_int_equal(r.idle_anon, 500);
	assert_int_equal(age_find_rows(text, 25, 0, 1000, &r), 0);
	assert_int_equal(r.idle_seq, 13);
	assert_int_equal(r.idle_any, 500);
	assert_int_equal(age_find_rows(text, 25, 0, 70000, &r), 0);
	assert_int_equal(r.idle_anon, 0);
	/* No pass has looked at it. */
	assert_int_equal(age_find_rows(fresh, 25, 0, 1000, &r), 0);
	assert_int_equal(r.idle_anon, 0);
}

struct fixture {
	struct root root;
	struct journal *journal;
	struct age_opts opts;
	struct act_caps caps;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (root_make(&f->root) || root_journal(&f->root, &f->journal))
		return -1;
	f->opts = (struct age_opts){ .root = f->root.path,
				     .cgroup_root = root_dir(&f->root, "/cgroup"),
				     .journal = f->journal };
	root_put(&f->root, MGLRU, "0x0007\n");
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->opts.cgroup_root);
	journal_close(f->journal);
	root_remove(&f->root);
	free(f);
	return 0;
}

static unsigned long long make_group(struct fixture *f, const char *name)
{
	char path[128];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/cgroup/%s", name);
	fd = root_dir(&f->root, path);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	return st.st_ino;
}

static void put_rows(struct fixture *f, unsigned long long a, unsigned long long b)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "memcg     1 /\n node     0\n          5      31748          0           0 \n"
		 "memcg %llu /a\n node     0\n          5      31748          0           0 \n"
		 "memcg     9 /gone\n node     0\n          5      31748          0           0 \n"
		 "memcg %llu /b\n node     0\n          5      31748          0           0 \n",
		 a, b);
	root_put(&f->root, LRU_GEN, text);
}

static void test_private_ids(void **state)
{
	struct fixture *f = *state;
	struct act_group g = { .cgroup = 7000, .memcg = 77, .node = 1, .max_seq = 41 };
	struct age *a;

	make_group(f, "a");
	make_group(f, "b");
	put_rows(f, 77, 78);
	assert_int_equal(age_open(&a, &f->opts, &f->caps), 0);
	assert_true(f->caps.can_age);
	assert_int_equal(f->caps.id_form, ACT_ID_PRIVATE);
	assert_int_equal(age_group(a, &g), 0);
	assert_memory_equal(root_get(&f->root, LRU_GEN), "+ 77 1 41 200 1\n", 16);
	g.memcg = 0;
	assert_int_equal(age_group(a, &g), -EINVAL);
	age_close(a);
}

static void test_cgroup_ids(void **state)
{
	struct fixture *f = *state;
	struct act_group g = { .cgroup = 7000, .memcg = 77, .node = 0, .max_seq = 41 };
	struct age *a;

	put_rows(f, make_group(f, "a"), make_group(f, "b"));
	assert_int_equal(age_open(&a, &f->opts, &f->caps), 0);
	assert_int_equal(f->caps.id_form, ACT_ID_CGROUP);
	assert_int_equal(age_group(a, &g), 0);
	assert_memory_equal(root_get(&f->root, LRU_GEN), "+ 7000 0 41 200\n", 16);
	age_close(a);
}

/*
 * A guest with one group tells the form of ids by nothing but what is known of that group. The
 * id that is printed is the one to write, whatever it is.
 */
static void test_one_group(void **state)
{
	struct fixture *f = *state;
	struct act_group g = { .memcg = 77, .node = 0, .max_seq = 5 };
	char text[200], want[64];
	struct age *a;

	g.cgroup = make_group(f, "a");
	for (int i = 0; i < 3; i++) {
		uint64_t id = i == 1 ? g.memcg : g.cgroup;

		if (i == 2)
			g.memcg = (uint32_t)g.cgroup; /* by chance: it is the one either way */
		snprintf(text, sizeof(text),
			 "memcg 1 /\n node 0\n 5 9 0 0 \nmemcg %llu /%s\n node 0\n 5 9 0 0 \n",
			 (unsigned long long)id, i == 1 ? "gone" : "a");
		root_put(&f->root, LRU_GEN, text);
		assert_int_equal(age_open(&a, &f->opts, &f->caps), 0);
		assert_int_equal(f->caps.id_form, ACT_ID_UNKNOWN);
		assert_int_equal(age_group(a, &g), 0);
		snprintf(want, sizeof(want), "+ %llu 0 5 200\n", (unsigned long long)id);
		assert_memory_equal(root_get(&f->root, LRU_GEN), want, strlen(want));
		age_close(a);
	}
	/* It is not there at all. */
	root_put(&f->root, LRU_GEN, "memcg 1 /\n node 0\n 5 9 0 0 \n");
	g.memcg = 78;
	assert_int_equal(age_open(&a, &f->opts, &f->caps), 0);
	assert_int_equal(age_group(a, &g), -EAGAIN);
	age_close(a);
}

/* A pass that another walker makes is a pass; everything else is as the kernel has it. */
static void test_made_by_another(void **state)
{
	assert_int_equal(age_answer(-EEXIST), 0);
	assert_int_equal(age_answer(0), 0);
	assert_int_equal(age_answer(-EINVAL), -EINVAL);
	assert_int_equal(age_answer(-ERANGE), -ERANGE);
}

/* One group whose private id happens to be its cgroup id decides nothing; the next one does. */
static void test_ids_by_chance(void **state)
{
	struct fixture *f = *state;
	struct age *a;
	unsigned long long id = make_group(f, "a");

	put_rows(f, id, 78);
	assert_int_equal(age_open(&a, &f->opts, &f->caps), 0);
	assert_int_equal(f->caps.id_form, ACT_ID_UNKNOWN);
	make_group(f, "b");
	assert_int_equal(age_id_form(a), ACT_ID_PRIVATE);
	age_close(a);
}

/* From one group's lists: by cgroup id, from old generations, no more than is there. */
static void test_evict(void **state)
{
	struct fixture *f = *state;
	unsigned long long a = make_group(f, "a"), b = make_group(f, "b");
	char text[600], want[64];
	uint64_t asked;
	struct age *age;

	snprintf(text, sizeof(text),
		 "memcg %llu /a\n node     0\n"
		 "          5      31748          9          30 \n"
		 "          6      31748          9          10 \n"
		 "          7      31748          9          50 \n"
		 "          8      31748          9          50 \n"
		 "memcg %llu /b\n node     0\n"
		 "          5      31748          0           0 \n",
		 a, b);
	root_put(&f->root, LRU_GEN, text);
	assert_int_equal(age_open(&age, &f->opts, &f->caps), 0);
	assert_int_equal(age_evict(age, a, 1 << 30, &asked), 0);
	assert_int_equal(asked, 40 * 4096);
	snprintf(want, sizeof(want), "- %llu 0 6 1 40\n", a);
	assert_memory_equal(root_get(&f->root, LRU_GEN), want, strlen(want));
	age_close(age);
	root_put(&f->root, LRU_GEN, text);
	assert_int_equal(age_open(&age, &f->opts, &f->caps), 0);
	assert_int_equal(age_evict(age, a, 20 * 4096 + 5, &asked), 0);
	assert_int_equal(asked, 20 * 4096);
	assert_int_equal(age_evict(age, b, 1 << 20, &asked), 0);
	assert_int_equal(asked, 0);
	assert_int_equal(age_evict(age, 999999999, 1 << 20, &asked), -ENOENT);
	age_close(age);
	put_rows(f, 77, 78);
	assert_int_equal(age_open(&age, &f->opts, &f->caps), 0);
	assert_int_equal(age_evict(age, 77, 1 << 20, &asked), -EOPNOTSUPP);
	age_close(age);
}

/* By whichever id is printed; half of what stands there at most, and nothing where that is little.
 */
static void test_evict_anon(void **state)
{
	struct fixture *f = *state;
	struct act_group g = { .cgroup = make_group(f, "a"), .memcg = 77, .max_seq = 8 };
	char text[400], want[64];
	uint64_t asked;
	struct age *age;

	make_group(f, "b");
	snprintf(text, sizeof(text),
		 "memcg 77 /a\n node     0\n"
		 "          5      90000       4000          30 \n"
		 "          6      60000       9000          10 \n"
		 "          7      30000       9000          50 \n"
		 "          8       1000       9000          50 \n"
		 "memcg 78 /b\n node     0\n"
		 "          5      90000       1000           0 \n");
	root_put(&f->root, LRU_GEN, text);
	assert_int_equal(age_open(&age, &f->opts, &f->caps), 0);
	assert_int_equal(f->caps.id_form, ACT_ID_PRIVATE);
	assert_int_equal(age_evict_anon(age, &g, 60000, 1 << 30, &asked), 0);
	assert_int_equal(asked, 2000 * 4096);
	snprintf(want, sizeof(want), "- 77 0 5 200 2000\n");
	assert_memory_equal(root_get(&f->root, LRU_GEN), want, strlen(want));
	age_close(age);
	root_put(&f->root, LRU_GEN, text);
	assert_int_equal(age_open(&age, &f->opts, &f->caps), 0);
	assert_int_equal(age_evict_anon(age, &g, 60000, 300 * 4096 + 5, &asked), 0);
	assert_int_equal(asked, 300 * 4096);
	age_close(age);
	root_put(&f->root, LRU_GEN, text);
	assert_int_equal(age_open(&age, &f->opts, &f->caps), 0);
	assert_int_equal(age_evict_anon(age, &g, 61000, 1 << 30, &asked), 0);
	assert_int_equal(asked, 0);
	assert_string_equal(root_get(&f->root, LRU_GEN), text);
	g.memcg = 79;
	assert_int_equal(age_evict_anon(age, &g, 60000, 1 << 30, &asked), -ENOENT);
	age_close(age);
}

/* The oldest generation, and no younger one, but where next to nothing is in it. */
static void test_old_file(void **state)
{
	static const struct {
		struct ebb_file_lists file;
		uint64_t idle_ms, bytes, seq;
	} cases[] = {
		{ { 6, { { 300, 60000 }, { 90, 50000 } } }, 61000, 0, 0 },
		{ { 6, { { 300, 60000 }, { 90, 50000 } } }, 60000, 300, 6 },
		{ { 6, { { 300, 60000 }, { 90, 50000 } } }, 50000, 300, 6 },
		{ { 6, { { 5, 60000 }, { 90, 50000 } } }, 50000, 95, 7 },
		{ { 6, { { 5, 60000 }, { 90, 50000 } } }, 50001, 5, 6 },
		{ { 6, { { 6, 60000 }, { 90, 50000 } } }, 50000, 6, 6 },
		{ { 6, { { 300, 60000 }, { 90, 0 } } }, 60000, 300, 6 },
		{ { 6, { { 300, 0 }, { 90, 0 } } }, 50000, 0, 0 },
		{ { 1, { { 300, 60000 }, { 90, 50000 } } }, 60000, 0, 0 }, /* born with it */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct act_group g = { .file = cases[i].file };
		uint64_t seq;

		assert_int_equal(age_old_file(&g, cases[i].idle_ms, &seq), cases[i].bytes);
		if (cases[i].bytes)
			assert_int_equal(seq, cases[i].seq);
	}
}

static void test_evict_file(void **state)
{
	struct fixture *f = *state;
	struct act_group g = { .cgroup = make_group(f, "a"), .memcg = 77 };
	static const char want[] = "- 77 0 6 0 270\n";
	struct age *age;

	make_group(f, "b");
	put_rows(f, 77, 78);
	assert_int_equal(age_open(&age, &f->opts, &f->caps), 0);
	assert_int_equal(age_evict_file(age, &g, 6, 270 * 4096 + 5), 0);
	assert_memory_equal(root_get(&f->root, LRU_GEN), want, strlen(want));
	age_close(age);
}

static void test_evict_answer(void **state)
{
	assert_int_equal(age_evict_answer(0), 0);
	assert_int_equal(age_evict_answer(-EINVAL), -ENOENT);
	assert_int_equal(age_evict_answer(-EINTR), -EINTR);
}

static void test_no_debugfs(void **state)
{
	struct fixture *f = *state;
	struct age *a;

	assert_int_equal(age_open(&a, &f->opts, &f->caps), 0);
	assert_null(a);
	assert_true(f->caps.mglru);
	assert_false(f->caps.can_age);
	assert_string_equal(f->caps.age_reason, "debugfs has no lru_gen");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_idle),
		T(test_private_ids),
		T(test_cgroup_ids),
		T(test_ids_by_chance),
		T(test_evict),
		T(test_evict_anon),
		T(test_evict_file),
		cmocka_unit_test(test_old_file),
		cmocka_unit_test(test_evict_answer),
		T(test_one_group),
		T(test_no_debugfs),
		cmocka_unit_test(test_made_by_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
