// SPDX-License-Identifier: GPL-2.0-only
/* What is written to memory.reclaim, and what is made of the answers; on files that stand for them.
 */
#include "act_root.h"

#include "act/fence.h"
#include "act/pool.h"
#include "act/reclaim.h"

#define MIB 1048576ull
#define PAGES (MIB / 4096)

struct fixture {
	struct root root;
	int dir; /* a cgroup */
	atomic_bool stop;
	uint64_t steal; /* pages */
	uint64_t paid; /* bytes that the kernel took of the page cache instead of anon */
	bool pays_file;
	unsigned int factor; /* the kernel takes that many times what it is asked */
	unsigned int writes;
	size_t seen; /* of what was written, bytes */
	char last[64];
};

static void put_stat(const struct root *r, const char *group, uint64_t anon, uint64_t file,
		     uint64_t shmem, uint64_t steal)
{
	char path[256], text[256];

	snprintf(path, sizeof(path), "%s/memory.stat", group);
	snprintf(text, sizeof(text), "anon %ju\nfile %ju\nshmem %ju\npgscan 9\npgsteal %ju\n",
		 (uintmax_t)anon, (uintmax_t)file, (uintmax_t)shmem, (uintmax_t)steal);
	root_put(r, path, text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (root_make(&f->root))
		return -1;
	f->dir = root_dir(&f->root, "/group");
	f->factor = 1;
	root_put(&f->root, "/group/memory.reclaim", "");
	root_put(&f->root, "/group/cgroup.procs", "");
	root_put(&f->root, "/group/cgroup.events", "populated 0\nfrozen 0\n");
	put_stat(&f->root, "/group", 300 * MIB, 200 * MIB, 0, 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->dir);
	root_remove(&f->root);
	free(f);
	return 0;
}

/* Before each batch: does what the last one asked, as the kernel would have. */
static int kernel(void *arg)
{
	struct fixture *f = arg;
	const char *asked = root_get(&f->root, "/group/memory.reclaim") + f->seen;

	if (*asked) {
		f->writes++;
		f->seen += strlen(asked);
		snprintf(f->last, sizeof(f->last), "%s", asked);
		f->steal += strtoull(asked, NULL, 10) / 4096 * f->factor;
		f->paid += f->pays_file ? strtoull(asked, NULL, 10) : 0;
		put_stat(&f->root, "/group", 300 * MIB, 200 * MIB - f->paid, 0, f->steal);
	}
	return 0;
}

static struct reclaim ask(struct fixture *f, uint64_t anon, uint64_t file)
{
	root_put(&f->root, "/group/memory.reclaim", "");
	f->seen = 0;
	return (struct reclaim){ .dirfd = f->dir,
				 .anon = anon,
				 .file = file,
				 .batch = 10 * MIB,
				 .deadline_us = pool_now_us() + 10000000,
				 .stop = &f->stop,
				 .check = kernel,
				 .arg = f };
}

static void test_batches(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 20 * MIB, 15 * MIB);

	reclaim_run(&r);
	kernel(f);
	assert_int_equal(f->writes, 4);
	assert_string_equal(f->last, "5242880");
	assert_int_equal(r.got, 35 * MIB);
	assert_int_equal(r.error, 0);
	assert_false(r.timed_out || r.gone);
}

static void test_kinds_apart(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 10 * MIB, 0);

	r.swappiness = true;
	reclaim_run(&r);
	kernel(f);
	assert_string_equal(f->last, "10485760 swappiness=200");
	r = ask(f, 0, 4 * MIB);
	r.swappiness = true;
	reclaim_run(&r);
	kernel(f);
	assert_string_equal(f->last, "4194304 swappiness=1");
	r = ask(f, 10 * MIB, 4 * MIB);
	r.swappiness = true;
	f->writes = 0;
	reclaim_run(&r);
	kernel(f);
	assert_int_equal(f->writes, 2);
	assert_int_equal(r.got, 14 * MIB);
}

/* Of what was known cold so much, behind which stands what is in use. */
struct lists {
	struct fixture *f;
	uint64_t cold, missed; /* bytes; met, the missed are put aside, and hot ones go instead */
	uint64_t steal; /* bytes, when they were looked at last */
	uint64_t hot_taken;
	uint64_t most; /* of one ask, as a share of what was known: per cent */
};

static bool lists_known(void *arg, uint64_t *ret)
{
	struct lists *l = arg;
	uint64_t took;

	kernel(l->f);
	took = l->f->steal * 4096 - l->steal;
	l->steal += took;
	if (took && took * 100 / (l->cold + l->missed + 1) > l->most)
		l->most = took * 100 / (l->cold + l->missed + 1);
	if (took > l->cold) {
		l->hot_taken += took - l->cold;
		l->missed = 0;
	}
	l->cold -= took < l->cold ? took : l->cold;
	*ret = l->cold + l->missed;
	return true;
}

static struct reclaim ask_lists(struct lists *l, uint64_t anon)
{
	struct reclaim r = ask(l->f, anon, 0);

	l->steal = l->f->steal * 4096;
	r.swappiness = true;
	r.known = lists_known;
	r.known_arg = l;
	r.nr_groups = 1;
	return r;
}

/* No batch asks for more than half of what is known cold, so what passes missed costs little. */
static void test_known(void **state)
{
	struct lists l = { .f = *state, .cold = 100 * MIB, .missed = 3 * MIB };
	struct reclaim r = ask_lists(&l, 103 * MIB);

	reclaim_run(&r);
	assert_true(l.cold <= 3 * MIB);
	assert_true(l.most <= 50);
	assert_true(l.hot_taken <= 2 * MIB);
	assert_false(r.timed_out || r.error);
	/* Nothing but missed ones: one small batch shows it. */
	l = (struct lists){ .f = *state, .missed = 3 * MIB };
	r = ask_lists(&l, 3 * MIB);
	reclaim_run(&r);
	assert_int_equal(l.hot_taken, MIB / 4);
	assert_int_equal(l.missed, 0);
	/* As good as nothing is known. */
	l = (struct lists){ .f = *state, .cold = MIB / 4 };
	r = ask_lists(&l, MIB);
	reclaim_run(&r);
	lists_known(&l, &(uint64_t){ 0 });
	assert_int_equal(l.cold, MIB / 4);
}

/* Where no anon is left that is not in use, the kernel goes on with page cache: no more is asked.
 */
static void test_paid_in_file(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 100 * MIB, 4 * MIB);

	r.swappiness = f->pays_file = true;
	reclaim_run(&r);
	kernel(f);
	assert_true(f->writes <= 3); /* one is seen a write later here */
	assert_string_equal(f->last, "4194304 swappiness=1");
}

/* The tightest limit of all groups counts. */
static void test_swap_room(void **state)
{
	struct fixture *f = *state;
	int dir;

	assert_true(reclaim_swap_room(f->dir) == UINT64_MAX);
	root_put(&f->root, "/group/memory.swap.max", "104857600\n");
	root_put(&f->root, "/group/memory.swap.current", "41943040\n");
	root_put(&f->root, "/group/a/memory.swap.max", "max\n");
	root_put(&f->root, "/group/a/memory.swap.current", "41943040\n");
	root_put(&f->root, "/group/a/b/memory.swap.max", "83886080\n");
	root_put(&f->root, "/group/a/b/memory.swap.current", "10485760\n");
	dir = root_dir(&f->root, "/group/a/b");
	assert_int_equal(reclaim_swap_room(dir), 59 * MIB);
	root_put(&f->root, "/group/a/b/memory.swap.max", "0\n");
	assert_int_equal(reclaim_swap_room(dir), 0);
	close(dir);
}

/* A kernel that takes twice what it is asked is asked for less: never beyond what is cold. */
static void test_overshoot(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 40 * MIB, 0);

	f->factor = 2;
	reclaim_run(&r);
	assert_true(f->writes <= 2); /* and the one that is not counted yet */
	assert_int_equal(r.got, 40 * MIB);
}

static void test_less_than_a_page(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 4095, 0);

	reclaim_run(&r);
	kernel(f);
	assert_int_equal(f->writes, 0);
	assert_int_equal(r.got, 0);
}

static void test_deadline(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 40 * MIB, 0);

	r.deadline_us = pool_now_us();
	reclaim_run(&r);
	assert_true(r.timed_out);
	assert_int_equal(f->writes, 0);
	f->stop = true;
	r = ask(f, 40 * MIB, 0);
	reclaim_run(&r);
	assert_true(r.timed_out);
	assert_int_equal(r.error, 0);
}

static void test_gone(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 40 * MIB, 0);
	uint64_t asked = 1;
	char path[512];
	int dir = root_dir(&f->root, "/other");

	root_path(&f->root, "/other", path);
	assert_int_equal(rmdir(path), 0);
	r.dirfd = dir;
	r.check = NULL;
	reclaim_run(&r);
	assert_true(r.gone);
	assert_int_equal(r.error, 0);
	reclaim_run_all(&r, &asked);
	assert_true(r.gone);
	assert_int_equal(asked, 0);
	close(dir);
	/* There, but without the controller: that is an error. */
	r = ask(f, 40 * MIB, 0);
	root_path(&f->root, "/group/memory.reclaim", path);
	assert_int_equal(unlink(path), 0);
	reclaim_run(&r);
	assert_false(r.gone);
	assert_int_equal(r.error, -ENOENT);
}

/* A link in place of the file is not followed, even should the kernel ever show one. */
static void test_no_link(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 40 * MIB, 0);
	char path[512];

	root_put(&f->root, "/target", "");
	root_path(&f->root, "/group/memory.reclaim", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlinkat("../target", f->dir, "memory.reclaim"), 0);
	reclaim_run(&r);
	assert_int_equal(r.error, -ELOOP);
	assert_string_equal(root_get(&f->root, "/target"), "");
}

/* The page cache, while nobody is in. */
static void test_exit(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 0, 0);
	uint64_t asked = 0;

	put_stat(&f->root, "/group", MIB, 20 * MIB, 4 * MIB, 0);
	f->steal = 0;
	r.swappiness = true;
	reclaim_run_all(&r, &asked);
	assert_int_equal(asked, 16 * MIB);
	assert_true(r.got >= 15 * MIB);
	assert_memory_equal(root_get(&f->root, "/group/memory.reclaim"),
			    "1048576 swappiness=1"
			    "2097152 swappiness=1",
			    40); /* shmem may be met first */
	/* Counts that trail by a little are no reason to begin small: the group may go any moment.
	 */
	put_stat(&f->root, "/group", MIB, 20 * MIB, 0, 0);
	r = ask(f, 0, 0);
	reclaim_run_all(&r, &asked);
	assert_string_equal(root_get(&f->root, "/group/memory.reclaim"), "1048576010485760");
	root_put(&f->root, "/group/cgroup.events", "populated 1\nfrozen 0\n");
	root_put(&f->root, "/group/memory.reclaim", "");
	r = ask(f, 0, 0);
	reclaim_run_all(&r, &asked);
	assert_int_equal(r.got, 0);
	assert_int_equal(r.error, 0);
	assert_string_equal(root_get(&f->root, "/group/memory.reclaim"), "");
}

/* But for what is to stay. */
static void test_exit_keeps(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 0, 0);
	uint64_t asked = 0;

	put_stat(&f->root, "/group", 0, 200 * MIB, 0, 0);
	root_put(&f->root, "/group/memory.current", "209715200\n");
	r.keep = 193 * MIB;
	reclaim_run_all(&r, &asked);
	assert_int_equal(asked, 7 * MIB);
	assert_string_equal(root_get(&f->root, "/group/memory.reclaim"), "7340032");
	r = ask(f, 0, 0);
	r.keep = 201 * MIB;
	reclaim_run_all(&r, &asked);
	assert_int_equal(asked, 0);
	assert_string_equal(root_get(&f->root, "/group/memory.reclaim"), "");
}

/* Another container runs from it. */
static void test_exit_of_one_that_shares(void **state)
{
	struct fixture *f = *state;
	struct reclaim r = ask(f, 0, 0);
	uint64_t asked = 0;
	char text[256];

	snprintf(text, sizeof(text), "anon 0\nfile %llu\nshmem 0\nfile_mapped %llu\npgsteal 0\n",
		 40 * MIB, 40 * MIB);
	root_put(&f->root, "/group/memory.stat", text);
	reclaim_run_all(&r, &asked);
	assert_int_equal(asked, 0);
	assert_string_equal(root_get(&f->root, "/group/memory.reclaim"), "");
}

static void test_proactive_count(void **state)
{
	struct fixture *f = *state;
	struct reclaim_stat s;

	root_put(&f->root, "/group/memory.stat",
		 "anon 1\nfile 10\nshmem 4\nunevictable 2\npgsteal 900\npgsteal_kswapd 400\n"
		 "pgsteal_proactive 500\n");
	assert_int_equal(reclaim_stat(f->dir, &s), 0);
	assert_int_equal(s.steal, 500 * 4096);
	assert_int_equal(s.file, 6);
	assert_int_equal(s.unevictable, 2);
	root_put(&f->root, "/group/memory.stat", "anon 1\nfile 10\nshmem 4\n");
	assert_int_equal(reclaim_stat(f->dir, &s), -ENODATA);
}

static void test_probe(void **state)
{
	struct fixture *f = *state;
	bool swappiness = false;
	char path[512];

	assert_int_equal(reclaim_probe(f->dir, &swappiness), 0);
	assert_true(swappiness);
	assert_string_equal(root_get(&f->root, "/group/memory.reclaim"), "0 swappiness=60");
	root_path(&f->root, "/group/memory.reclaim", path);
	unlink(path);
	assert_int_equal(reclaim_probe(f->dir, &swappiness), -ENOENT);
}

/* --- the fence, as far as files go; the rest needs the kernel (tests/vm) ----------------- */

static struct journal *open_journal(struct fixture *f)
{
	struct journal_opts o = { .state_dir = f->root.state,
				  .root = f->root.path,
				  .cgroup_root = -1 };
	struct journal *j = NULL;

	assert_int_equal(journal_open(&j, &o), 0);
	return j;
}

static void test_orphaned(void **state)
{
	struct fixture *f = *state;
	uint64_t bytes, steal;

	put_stat(&f->root, "/group", 0, 100 * MIB, 10 * MIB, 50);
	put_stat(&f->root, "/group/a", 0, 30 * MIB, 5 * MIB, 7);
	put_stat(&f->root, "/group/b", 0, 20 * MIB, 0, 5);
	put_stat(&f->root, "/group/b/c", 0, 20 * MIB, 0, 5); /* in b already */
	assert_int_equal(fence_orphaned(f->dir, &bytes, &steal), 0);
	assert_int_equal(bytes, 45 * MIB);
	assert_int_equal(steal, 12 * 4096);
	/* What the living have mapped of it does not count. */
	root_put(&f->root, "/group/memory.stat",
		 "anon 0\nfile 104857600\nshmem 10485760\nfile_mapped 31457280\npgsteal 0\n");
	root_put(&f->root, "/group/a/memory.stat",
		 "anon 0\nfile 31457280\nshmem 5242880\nfile_mapped 10485760\npgsteal 0\n");
	assert_int_equal(fence_orphaned(f->dir, &bytes, &steal), 0);
	assert_int_equal(bytes, 25 * MIB);
}

/* Kernel threads have no page cache of their own; everybody else in the root has. */
static void test_root_in_use(void **state)
{
	struct fixture *f = *state;

	root_put(&f->root, "/group/cgroup.procs", "2\n17\n18\n");
	root_put(&f->root, "/proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0\n");
	root_put(&f->root, "/proc/17/stat", "17 (a) b) (kworker) I 2 0 0 0 -1 69238880 0 0\n");
	assert_int_equal(fence_root_in_use(f->dir, f->root.path), 0); /* 18 has ended */
	root_put(&f->root, "/proc/18/stat",
		 "18 (x) I 2 0 0 0 -1 2129984) S 1 1 1 0 -1 4194560 0\n");
	assert_int_equal(fence_root_in_use(f->dir, f->root.path), 1);
}

static void test_fence_refuses(void **state)
{
	struct fixture *f = *state;
	struct journal *j = open_journal(f);
	struct fence fence;

	/* The parent's own processes. */
	root_put(&f->root, "/group/cgroup.procs", "12\n13\n14\n");
	assert_int_equal(fence_up(&fence, j, f->dir), -EBUSY);
	fence_down(&fence);
	root_put(&f->root, "/group/cgroup.procs", "");
	/* A child whose memory is the parent's, once somebody is in it. */
	root_put(&f->root, "/group/a/cgroup.events", "populated 0\n");
	assert_int_equal(fence_up(&fence, j, f->dir), 0);
	assert_int_equal(fence.walked, 1);
	assert_int_equal(fence.nr, 0);
	fence_down(&fence);
	root_put(&f->root, "/group/a/cgroup.events", "populated 1\n");
	assert_int_equal(fence_up(&fence, j, f->dir), -EBUSY);
	fence_down(&fence);
	/* Below one that is fenced, it is that one's. No group can be opened by id here. */
	root_put(&f->root, "/group/a/memory.low", "0\n");
	root_put(&f->root, "/group/a/b/cgroup.events", "populated 1\n");
	assert_int_equal(fence_up(&fence, j, f->dir), -EOPNOTSUPP);
	assert_int_equal(fence.walked, 2);
	assert_int_equal(fence.nr, 1);
	fence_down(&fence);
	/* One with that protection already needs none. */
	root_put(&f->root, "/group/a/memory.low", "max\n");
	assert_int_equal(fence_up(&fence, j, f->dir), 0);
	assert_int_equal(fence.nr, 0);
	fence_down(&fence);
	journal_close(j);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_batches),
		T(test_kinds_apart),
		T(test_overshoot),
		T(test_paid_in_file),
		T(test_known),
		T(test_swap_room),
		T(test_less_than_a_page),
		T(test_deadline),
		T(test_gone),
		T(test_no_link),
		T(test_exit),
		T(test_exit_of_one_that_shares),
		T(test_exit_keeps),
		T(test_proactive_count),
		T(test_probe),
		T(test_orphaned),
		T(test_root_in_use),
		T(test_fence_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
