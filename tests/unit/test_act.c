// SPDX-License-Identifier: GPL-2.0-only
/* Acting as a whole, on its loop and its threads, over a root of files. */
#include "act_root.h"

#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include "act/act_int.h"
#include "act/journal_int.h"
#include "lib/cleanup.h"

#define MIB 1048576ull
#define MGLRU "/sys/kernel/mm/lru_gen/enabled"
#define LRU_GEN "/sys/kernel/debug/lru_gen"
#define COMPACT "/proc/sys/vm/compact_memory"
#define ZONES "/proc/zoneinfo"
#define LISTS "/proc/sys/vm/percpu_pagelist_high_fraction"

struct fixture {
	struct root root;
	uv_loop_t loop;
	uv_timer_t beat;
	int beats; /* every 10 ms: the loop is alive */
	struct act *act;
	int cgroups;
	struct act_result results[32]; /* the first ones */
	int nr;
	struct act_job again; /* submitted from the callback */
};

static void on_beat(uv_timer_t *timer)
{
	((struct fixture *)timer->data)->beats++;
}

static void on_done(void *arg, const struct act_result *r)
{
	struct fixture *f = arg;

	if (f->nr < 32)
		f->results[f->nr] = *r;
	f->nr++;
	if (f->again.action) {
		assert_int_equal(act_submit(f->act, &f->again), 0);
		f->again.action = 0;
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (root_make(&f->root))
		return -1;
	f->cgroups = root_dir(&f->root, "/cgroup");
	root_put(&f->root, "/cgroup/memory.reclaim", "");
	root_put(&f->root, "/proc/swaps", "Filename Type Size Used Priority\n");
	root_put(&f->root, "/proc/meminfo", "MemTotal: 4096 kB\nMemAvailable: 2048 kB\n");
	root_put(&f->root, MGLRU, "0x0000\n");
	root_put(&f->root, LRU_GEN,
		 "memcg     1 /\n node     0\n          0       1000          5           6\n");
	root_put(&f->root, COMPACT, "");
	uv_loop_init(&f->loop);
	uv_timer_init(&f->loop, &f->beat);
	f->beat.data = f;
	uv_timer_start(&f->beat, on_beat, 10, 10);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	act_close(f->act, 1000, NULL);
	uv_close((uv_handle_t *)&f->beat, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	close(f->cgroups);
	root_remove(&f->root);
	free(f);
	return 0;
}

static void open_it(struct fixture *f, bool dry_run)
{
	struct act_opts o = { .dry_run = dry_run,
			      .state_dir = f->root.state,
			      .cgroup_root = f->cgroups,
			      .root = f->root.path };

	assert_int_equal(act_open(&f->act, &f->loop, &o, on_done, f), 0);
}

static int make_group(struct fixture *f, const char *name)
{
	char path[64], file[128];

	snprintf(path, sizeof(path), "/cgroup/%s", name);
	snprintf(file, sizeof(file), "%s/memory.reclaim", path);
	root_put(&f->root, file, "");
	snprintf(file, sizeof(file), "%s/memory.stat", path);
	root_put(&f->root, file, "anon 1000000\nfile 1000000\nshmem 0\npgsteal 0\n");
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	root_put(&f->root, file, "");
	return root_dir(&f->root, path);
}

/* memory.reclaim there knows nothing of swappiness=, as up to 6.11. */
static void without_swappiness(struct fixture *f)
{
	char path[512];

	root_path(&f->root, "/cgroup/memory.reclaim", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* A group whose memory.reclaim takes no more: a full pipe. Its reading end is the result. */
static int make_endless(struct fixture *f, const char *name, int *ret_dir)
{
	char path[512], file[128], byte = 0;
	int fd;

	*ret_dir = make_group(f, name);
	snprintf(file, sizeof(file), "/cgroup/%s/memory.reclaim", name);
	root_path(&f->root, file, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	while (write(fd, &byte, 1) == 1)
		;
	return fd;
}

static struct act_job reclaim_job(uint64_t id, int dir, uint32_t deadline_ms)
{
	return (struct act_job){ .id = id,
				 .action = EBB_ACT_RECLAIM,
				 .anon = 4 * MIB,
				 .batch = MIB,
				 .deadline_ms = deadline_ms,
				 .dirfd = dir };
}

static bool wait_results(struct fixture *f, int nr, int ms)
{
	uint64_t end = uv_hrtime() + ms * 1000000ull;

	while (f->nr < nr && uv_hrtime() < end)
		uv_run(&f->loop, UV_RUN_ONCE); /* the beat ends it */
	return f->nr >= nr;
}

static void test_capabilities(void **state)
{
	struct fixture *f = *state;
	struct act_close_report report;
	const struct act_caps *c;

	open_it(f, false);
	c = act_caps(f->act);
	assert_true(c->mglru && c->can_age && c->reclaim && c->reclaim_swappiness && c->compact);
	assert_false(c->debugfs_private);
	assert_int_equal(c->id_form, ACT_ID_UNKNOWN);
	assert_memory_equal(root_get(&f->root, MGLRU), "7", 1);
	assert_int_equal(c->swap.kind, ACT_SWAP_NONE);
	assert_non_null(strstr(c->swap.reason, "zram cannot be had"));
	root_put(&f->root, MGLRU, "0x0007\n");
	act_close(f->act, 1000, &report);
	f->act = NULL;
	assert_int_equal(report.undone.undone, 1);
	assert_false(report.swap_left);
	assert_memory_equal(root_get(&f->root, MGLRU), "0x0000", 6);
}

static void test_without(void **state)
{
	struct fixture *f = *state;
	char path[512];

	root_path(&f->root, MGLRU, path);
	unlink(path);
	root_path(&f->root, "/cgroup/memory.reclaim", path);
	unlink(path);
	root_path(&f->root, COMPACT, path);
	unlink(path);
	open_it(f, false);
	assert_false(act_caps(f->act)->mglru || act_caps(f->act)->can_age);
	assert_false(act_caps(f->act)->reclaim || act_caps(f->act)->compact);
	assert_non_null(strstr(act_caps(f->act)->age_reason, "CONFIG_LRU_GEN"));
	assert_non_null(strstr(act_caps(f->act)->reclaim_reason, "no memory.reclaim"));
}

static void test_mglru_on_by_somebody(void **state)
{
	struct fixture *f = *state;
	struct act_close_report report;

	root_put(&f->root, MGLRU, "0x0003\n");
	open_it(f, false);
	assert_true(act_caps(f->act)->mglru);
	assert_true(act_caps(f->act)->can_age);
	act_close(f->act, 1000, &report);
	f->act = NULL;
	assert_int_equal(report.undone.undone + report.undone.left_alone, 0);
	assert_string_equal(root_get(&f->root, MGLRU), "0x0003\n");
}

/* On, but a pass would look at nothing: that is switched on as well, or no pass is believed. */
static void test_mglru_that_does_not_walk(void **state)
{
	struct fixture *f = *state;
	struct act_close_report report;

	root_put(&f->root, MGLRU, "5\n");
	open_it(f, true);
	assert_true(act_caps(f->act)->mglru);
	assert_false(act_caps(f->act)->can_age);
	assert_non_null(strstr(act_caps(f->act)->age_reason, "page tables"));
	act_close(f->act, 1000, &report);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	open_it(f, false);
	assert_int_equal(strtoul(root_get(&f->root, MGLRU), NULL, 0), 7);
	assert_true(act_caps(f->act)->can_age);
	act_close(f->act, 1000, &report);
	f->act = NULL;
	assert_int_equal(report.undone.undone, 1);
	assert_int_equal(strtoul(root_get(&f->root, MGLRU), NULL, 0), 5);
}

static void errand_work(void *arg)
{
	*(pthread_t *)arg = pthread_self();
}

static unsigned int errands_ended, errands_dropped;

static void errand_done(void *arg, bool ran)
{
	*(ran ? &errands_ended : &errands_dropped) += 1;
}

/* They run in order: when this one has, all have. */
static void wait_errands(struct fixture *f)
{
	uint64_t end = uv_hrtime() + 10000000000ull;
	pthread_t thread = pthread_self();

	errands_ended = 0;
	assert_int_equal(act_defer(f->act, errand_work, errand_done, &thread), 0);
	while (!errands_ended && uv_hrtime() < end)
		uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(errands_ended, 1);
	assert_false(pthread_equal(thread, pthread_self()));
}

static void wait_for_lock(void *arg)
{
	struct journal *j = arg;
	JOURNAL_LOCKED(j);
}

/* What is queued when all ends is told that it did not run; what runs is waited for. */
static void test_errands_at_the_end(void **state)
{
	struct fixture *f = *state;
	pthread_t thread = pthread_self();
	struct journal *j;

	open_it(f, false);
	wait_errands(f);
	j = act_journal(f->act);
	errands_ended = errands_dropped = 0;
	pthread_mutex_lock(&j->lock);
	assert_int_equal(act_defer(f->act, wait_for_lock, errand_done, j), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(act_defer(f->act, errand_work, errand_done, &thread), 0);
	pthread_mutex_unlock(&j->lock);
	act_close(f->act, 10000, NULL);
	f->act = NULL;
	uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(errands_ended, 0);
	assert_int_equal(errands_dropped, 4);
}

/*
 * The order of reporting has no value to go back to before a balloon's driver has chosen one:
 * the kernel refuses the -1 that it shows. So it is set when there is one, and put back.
 */
static void test_reporting_order(void **state)
{
	static const char order[] = "/sys/module/page_reporting/parameters/page_reporting_order";
	struct fixture *f = *state;
	struct act_close_report report;

	root_put(&f->root, order, "-1\n");
	open_it(f, false);
	assert_string_equal(root_get(&f->root, order), "-1\n");
	act_set_reporting(f->act);
	wait_errands(f);
	assert_string_equal(root_get(&f->root, order), "-1\n");
	root_put(&f->root, order, "9");
	/* While somebody has the journal and waits for the disk, the loop does not. */
	pthread_mutex_lock(&act_journal(f->act)->lock);
	act_set_reporting(f->act);
	pthread_mutex_unlock(&act_journal(f->act)->lock);
	wait_errands(f);
	assert_string_equal(root_get(&f->root, order), "5");
	act_close(f->act, 1000, &report);
	f->act = NULL;
	uv_run(&f->loop, UV_RUN_NOWAIT); /* its end */
	assert_int_equal(report.undone.failed, 0);
	assert_string_equal(root_get(&f->root, order), "9");
	/* Up to 6.1 the largest there is stands for none, and may be set. */
	root_put(&f->root, order, "11");
	open_it(f, false);
	assert_memory_equal(root_get(&f->root, order), "5", 1);
	root_put(&f->root, order, "5");
	act_close(f->act, 1000, &report);
	f->act = NULL;
	uv_run(&f->loop, UV_RUN_NOWAIT); /* its end */
	assert_string_equal(root_get(&f->root, order), "11");
	root_put(&f->root, order, "9");
	open_it(f, true);
	act_set_reporting(f->act);
	assert_string_equal(root_get(&f->root, order), "9");
}

static void test_reclaim(void **state)
{
	struct fixture *f = *state;
	int dir = make_group(f, "a");
	struct act_job job = reclaim_job(42, dir, 5000);

	open_it(f, false);
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(act_busy(f->act, 42));
	assert_int_equal(act_submit(f->act, &job), -EBUSY);
	close(dir); /* it has its own */
	assert_true(wait_results(f, 1, 5000));
	assert_false(act_busy(f->act, 42));
	assert_int_equal(f->results[0].id, 42);
	assert_int_equal(f->results[0].asked, 4 * MIB);
	assert_int_equal(f->results[0].got, 4 * MIB);
	assert_int_equal(f->results[0].error, 0);
	assert_false(f->results[0].timed_out);
	assert_string_equal(root_get(&f->root, "/cgroup/a/memory.reclaim") + 3 * 22,
			    "1048576 swappiness=200");
}

/* Groups 77 and 78, and room before them for what is written. Left in text, too. */
static void put_lists(struct fixture *f, char *text, size_t size)
{
	snprintf(text, size,
		 "memcg 1 /\n%200s\n" /* what is written lands on it */
		 "memcg 77 /a\n node     0\n"
		 "          5      90000       4096          30 \n"
		 "          6      60000       9000          10 \n"
		 "          7      30000       9000          50 \n"
		 "          8       1000       9000          50 \n"
		 "memcg 78 /b\n node     0\n"
		 "          5      90000       1024           0 \n"
		 "          6      60000          0           0 \n"
		 "          7      30000          0           0 \n"
		 "          8       1000          0           0 \n",
		 "");
	root_put(&f->root, LRU_GEN, text);
}

/*
 * Where the kernel would choose between anon and page cache, anon is asked for by generation and
 * group. Page cache alone, or ages that are not known, are left to the kernel.
 */
static void test_anon_alone(void **state)
{
	struct fixture *f = *state;
	int dir = make_group(f, "a");
	struct act_group groups[] = { { .cgroup = 42, .memcg = 77, .max_seq = 8 },
				      { .cgroup = 42, .memcg = 99, .max_seq = 8 }, /* gone */
				      { .cgroup = 42, .memcg = 78, .max_seq = 8 } };
	static const char want[] = "- 77 0 5 200 2048\n- 77 0 5 200 512\n";
	struct act_job job = reclaim_job(42, dir, 20000);
	char text[1000];

	without_swappiness(f);
	close(make_group(f, "b"));
	put_lists(f, text, sizeof(text));
	open_it(f, false);
	job.anon = 10 * MIB;
	job.file = 0;
	job.idle_ms = 60000;
	job.groups = groups;
	job.nr_groups = 3;
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 1, 5000));
	assert_int_equal(f->results[0].error, 0);
	assert_false(f->results[0].gone || f->results[0].timed_out);
	assert_string_equal(root_get(&f->root, "/cgroup/a/memory.reclaim"), "");
	assert_memory_equal(root_get(&f->root, LRU_GEN), want, strlen(want));
	job.anon = 0;
	job.file = 1 * MIB;
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 2, 5000));
	assert_string_equal(root_get(&f->root, "/cgroup/a/memory.reclaim"), "1048576");
	close(dir);
}

/* Page cache whose age the plan says is evicted by generation, with the anon beside it as ever. */
static void test_page_cache_by_age(void **state)
{
	struct fixture *f = *state;
	int dir = make_group(f, "a");
	struct act_group groups[] = {
		{ .cgroup = 42, .memcg = 77, .file = { 5, { { 500 * 4096, 60000 } } } },
	};
	static const char want[] = "- 77 0 5 0 300\n";
	struct act_job job = reclaim_job(42, dir, 20000);
	char text[1000];

	close(make_group(f, "b"));
	put_lists(f, text, sizeof(text));
	open_it(f, false);
	job.anon = MIB;
	job.file = 300 * 4096;
	job.file_idle_ms = 50000;
	job.groups = groups;
	job.nr_groups = 1;
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 1, 5000));
	assert_int_equal(f->results[0].error, 0);
	assert_memory_equal(root_get(&f->root, LRU_GEN), want, strlen(want));
	assert_non_null(strstr(root_get(&f->root, "/cgroup/a/memory.reclaim"), "swappiness=200"));
	assert_null(strstr(root_get(&f->root, "/cgroup/a/memory.reclaim"), "swappiness=1 "));
	/* Of any age: by the kernel. */
	root_put(&f->root, LRU_GEN, text);
	root_put(&f->root, "/cgroup/a/memory.reclaim", "");
	job.anon = 0;
	job.file_idle_ms = 0;
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 2, 5000));
	assert_string_equal(root_get(&f->root, LRU_GEN), text);
	assert_non_null(strstr(root_get(&f->root, "/cgroup/a/memory.reclaim"), "swappiness=1"));
	close(dir);
}

/* By its own limit it may not swap: page cache is not taken in its stead, and no more was asked. */
static void test_no_room_in_swap(void **state)
{
	struct fixture *f = *state;
	int dir = make_group(f, "a");
	struct act_job job = reclaim_job(42, dir, 5000);

	root_put(&f->root, "/cgroup/a/memory.swap.max", "0\n");
	root_put(&f->root, "/cgroup/a/memory.swap.current", "0\n");
	open_it(f, false);
	job.anon = 8 * MIB;
	job.file = 0;
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 1, 5000));
	assert_int_equal(f->results[0].asked, 0);
	assert_int_equal(f->results[0].got, 0);
	assert_string_equal(root_get(&f->root, "/cgroup/a/memory.reclaim"), "");
	close(dir);
}

static void test_from_callback(void **state)
{
	struct fixture *f = *state;
	int dir = make_group(f, "a");
	struct act_job job = reclaim_job(42, dir, 5000);

	open_it(f, false);
	f->again = job; /* the same id: it is free by then */
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 2, 5000));
	close(dir);
}

/* Writes that do not end: the loop runs on, others get their turn, each comes back at its deadline.
 */
static void test_endless(void **state)
{
	struct fixture *f = *state;
	int dirs[3], pipes[2];
	struct act_stats stats;
	struct act_job job;

	pipes[0] = make_endless(f, "x", &dirs[0]);
	pipes[1] = make_endless(f, "y", &dirs[1]);
	dirs[2] = make_group(f, "z");
	open_it(f, false);
	for (int i = 0; i < 3; i++) {
		job = reclaim_job(10 + i, dirs[i], i < 2 ? 1500 : 20000);
		assert_int_equal(act_submit(f->act, &job), 0);
	}
	/* What exited is not behind them. */
	job = reclaim_job(13, dirs[2], 200);
	job.action = EBB_ACT_RECLAIM_EXIT;
	root_put(&f->root, "/cgroup/z/cgroup.events", "populated 1\n");
	assert_int_equal(act_submit(f->act, &job), 0);
	f->beats = 0;
	assert_true(wait_results(f, 1, 5000));
	assert_int_equal(f->results[0].id, 13);
	/* A thread may take its time to start; the deadline is far. */
	for (int i = 0; i < 100; i++) {
		act_stats(f->act, &stats);
		if (stats.running == 2)
			break;
		root_sleep_ms(5);
	}
	assert_int_equal(stats.running, 2);
	assert_int_equal(stats.queued, 1);
	assert_true(act_busy(f->act, 10));
	assert_true(wait_results(f, 4, 10000));
	assert_true(f->beats >= 15);
	for (int i = 0; i < 4; i++) {
		const struct act_result *r = &f->results[i];

		if (r->id >= 12)
			continue;
		assert_true(r->timed_out);
		assert_int_equal(r->error, 0);
		assert_int_equal(r->got, 0);
		assert_true(r->wall_us >= 1000000);
	}
	for (int i = 0; i < 3; i++)
		close(dirs[i]);
	close(pipes[0]);
	close(pipes[1]);
}

/* What was cold when it was submitted is not taken later on. */
static void test_stale(void **state)
{
	struct fixture *f = *state;
	int dirs[3], pipes[2];
	struct act_job job;

	pipes[0] = make_endless(f, "x", &dirs[0]);
	pipes[1] = make_endless(f, "y", &dirs[1]);
	dirs[2] = make_group(f, "z");
	open_it(f, false);
	for (int i = 0; i < 3; i++) {
		job = reclaim_job(10 + i, dirs[i], i < 2 ? 600 : 100);
		assert_int_equal(act_submit(f->act, &job), 0);
	}
	assert_true(wait_results(f, 3, 10000));
	assert_string_equal(root_get(&f->root, "/cgroup/z/memory.reclaim"), "");
	for (int i = 0; i < 3; i++) {
		assert_true(f->results[i].timed_out);
		close(dirs[i]);
	}
	close(pipes[0]);
	close(pipes[1]);
}

/* A stall ends what takes cold memory, at once; what the cap needs goes on. */
static void test_yields(void **state)
{
	struct fixture *f = *state;
	int dirs[2], pipes[2];
	struct act_job job;

	pipes[0] = make_endless(f, "x", &dirs[0]);
	pipes[1] = make_endless(f, "y", &dirs[1]);
	open_it(f, false);
	for (int i = 0; i < 2; i++) {
		job = reclaim_job(10 + i, dirs[i], 60000);
		job.yields = !i;
		assert_int_equal(act_submit(f->act, &job), 0);
	}
	for (int i = 0; i < 2; i++)
		act_yield(f->act, 11 - i);
	assert_true(wait_results(f, 1, 10000));
	assert_int_equal(f->results[0].id, 10);
	assert_true(f->results[0].timed_out);
	assert_int_equal(f->results[0].error, 0);
	assert_true(act_busy(f->act, 11));
	act_cancel(f->act, 11);
	assert_true(wait_results(f, 2, 10000));
	for (int i = 0; i < 2; i++) {
		close(dirs[i]);
		close(pipes[i]);
	}
}

static void test_not_a_job(void **state)
{
	struct fixture *f = *state;
	int dir = make_group(f, "a");
	struct act_group group = { .cgroup = 5, .memcg = 6 };
	struct act_job job = reclaim_job(1, dir, 100);

	open_it(f, false);
	job.dirfd = -1;
	assert_int_equal(act_submit(f->act, &job), -EINVAL);
	job = reclaim_job(0, dir, 100);
	assert_int_equal(act_submit(f->act, &job), -EINVAL);
	job = reclaim_job(1, dir, 100);
	job.action = 0;
	assert_int_equal(act_submit(f->act, &job), -EINVAL);
	job.action = 99;
	assert_int_equal(act_submit(f->act, &job), -EINVAL);
	job = reclaim_job(1, dir, 100);
	job.file = UINT64_MAX;
	assert_int_equal(act_submit(f->act, &job), -EINVAL);
	job = (struct act_job){ .id = 1, .action = EBB_ACT_AGE, .dirfd = -1 };
	assert_int_equal(act_submit(f->act, &job), -EINVAL);
	job.groups = &group;
	job.nr_groups = 1;
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 1, 5000));
	assert_int_equal(f->results[0].error, -EAGAIN); /* it is not there by either id */
	close(dir);
}

static void test_full(void **state)
{
	struct fixture *f = *state;
	int dir, fd = make_endless(f, "x", &dir);
	struct act_job job;

	open_it(f, false);
	for (int i = 0; i < ACT_MAX_JOBS; i++) {
		job = reclaim_job(1 + i, dir, 60000);
		assert_int_equal(act_submit(f->act, &job), 0);
	}
	job = reclaim_job(100000, dir, 60000);
	assert_int_equal(act_submit(f->act, &job), -ENOSPC);
	close(dir);
	close(fd);
}

/*
 * All containers are aged at the same time, so that a hundred of them wake us once: what has no
 * place would be the same ones each time, and never have an age.
 */
static void test_ageing_of_many(void **state)
{
	const struct act_group group = { .cgroup = 7, .memcg = 7, .max_seq = 1 };
	struct act_job job = {
		.action = EBB_ACT_AGE, .dirfd = -1, .groups = &group, .nr_groups = 1
	};
	struct fixture *f = *state;
	int dir;

	open_it(f, false);
	for (job.id = 1; job.id <= 4 * ACT_MAX_JOBS; job.id++)
		assert_int_equal(act_submit(f->act, &job), 0);
	dir = make_group(f, "x");
	job = reclaim_job(100000, dir, 60000);
	assert_int_equal(act_submit(f->act, &job), 0);
	close(dir);
}

/* One that consists of many groups gets the time for all; and its tail is not the same each time.
 */
static void test_ageing_of_a_large_one(void **state)
{
	struct act_group groups[1000] = { 0 };
	struct act_job spec = { .id = 1, .action = EBB_ACT_AGE, .dirfd = -1, .groups = groups };
	struct act a = { 0 };
	struct job *job;

	for (int i = 0; i < 1000; i++) {
		groups[i].cgroup = 1 + i;
		groups[i].age_ms = i < 300 ? 100 : 30000;
	}
	groups[7].age_ms = 60000;
	spec.nr_groups = 300;
	assert_int_equal(job_new(&job, &a, &spec), 0);
	assert_int_equal(job->pool.deadline_ms, 8000);
	assert_int_equal(job->groups[0].cgroup, 8);
	job_free(job);
	spec.nr_groups = 1000;
	assert_int_equal(job_new(&job, &a, &spec), 0);
	assert_int_equal(job->pool.deadline_ms, 10000);
	assert_int_equal(job->groups[0].cgroup, 8);
	for (int i = 1; i < 1000; i++)
		assert_int_equal(job->groups[i].age_ms, i <= 700 ? 30000 : 100);
	job_free(job);
}

static void test_compact(void **state)
{
	struct fixture *f = *state;
	struct act_job job = { .action = EBB_ACT_COMPACT, .dirfd = -1 };
	_cleanup_close_ int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct act_stats stats;
	char path[512], events[1024];

	root_put(&f->root, "/sys/devices/system/node/node0/compact", "");
	root_put(&f->root, "/sys/devices/system/node/node1/compact", "");
	root_put(&f->root, "/sys/devices/system/node/nodex/compact", "");
	root_put(&f->root, ZONES, "Node 0, zone DMA32\n    cpu: 0\n              count:    1023\n");
	root_put(&f->root, LISTS, "2000000000"); /* as long as what is written over it */
	root_path(&f->root, LISTS, path);
	assert_true(inotify_add_watch(watch, path, IN_CLOSE_WRITE) >= 0);
	open_it(f, false);
	assert_int_equal(act_submit(f->act, &job), 0);
	act_stats(f->act, &stats);
	assert_true(stats.compact_busy);
	assert_int_equal(act_submit(f->act, &job), -EBUSY);
	assert_true(wait_results(f, 1, 5000));
	act_stats(f->act, &stats);
	assert_false(stats.compact_busy);
	assert_true(stats.compact_ended_ms);
	assert_string_equal(root_get(&f->root, "/sys/devices/system/node/node0/compact"), "1");
	assert_string_equal(root_get(&f->root, "/sys/devices/system/node/node1/compact"), "1");
	assert_string_equal(root_get(&f->root, "/sys/devices/system/node/nodex/compact"), "");
	assert_string_equal(root_get(&f->root, COMPACT), "");
	/* 4 MiB less a page in the CPUs' lists: they are left alone. */
	assert_int_equal(read(watch, events, sizeof(events)), -1);
	/* With it they are made short, and are as long as before then. */
	root_put(&f->root, ZONES,
		 "    cpu: 0\n  count: 1000\n  high: 9999\n    cpu: 1\n  count: 24\n");
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 2, 5000));
	assert_true(read(watch, events, sizeof(events)) > 0);
	assert_string_equal(root_get(&f->root, LISTS), "2000000000");
}

/* A run that was killed meanwhile: the next one finds the way back. */
static void test_lists_after_a_crash(void **state)
{
	struct fixture *f = *state;
	struct journal_opts opts = { .state_dir = f->root.state,
				     .root = f->root.path,
				     .cgroup_root = -1 };
	struct journal *j;
	uint64_t seq;

	root_put(&f->root, LISTS, "2000000000");
	assert_int_equal(journal_open(&j, &opts), 0);
	assert_int_equal(journal_set_file_briefly(j, LISTS, "2147483647", &seq), 0);
	assert_true(seq);
	assert_string_equal(root_get(&f->root, LISTS), "2147483647");
	journal_close(j);
	open_it(f, false);
	assert_string_equal(root_get(&f->root, LISTS), "2000000000");
}

/* What a limit does to a real group is tried in a VM (tests/vm/scenarios/cap.sh). */
static void test_limits(void **state)
{
	struct fixture *f = *state;
	int dir = make_group(f, "a");
	struct act_job job = { .id = 42, .action = EBB_ACT_LIMIT, .limit = 8 * MIB, .dirfd = -1 };
	struct act_job reclaim = reclaim_job(42, dir, 5000);

	root_put(&f->root, "/cgroup/a/memory.current", "4194304\n");
	root_put(&f->root, "/cgroup/a/memory.max", "1048576\n");
	open_it(f, false);
	assert_int_equal(act_submit(f->act, &job), -EINVAL);
	/* Beside another job for the same group, but not beside its like. */
	job.dirfd = dir;
	assert_int_equal(act_submit(f->act, &reclaim), 0);
	assert_false(act_limiting(f->act, EBB_ACT_LIMIT, 42));
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(act_limiting(f->act, EBB_ACT_LIMIT, 42));
	assert_int_equal(act_submit(f->act, &job), -EBUSY);
	assert_true(wait_results(f, 2, 5000));
	assert_false(act_limiting(f->act, EBB_ACT_LIMIT, 42) || act_busy(f->act, 42));
	/* A limit of somebody else's that is lower is left as it is, and told. */
	for (int i = 0; i < 2; i++) {
		if (f->results[i].action != EBB_ACT_LIMIT)
			continue;
		assert_int_equal(f->results[i].error, 0);
		assert_true(f->results[i].changed);
		assert_int_equal(f->results[i].found, MIB);
	}
	assert_string_equal(root_get(&f->root, "/cgroup/a/memory.max"), "1048576\n");
	assert_null(act_limit_at(f->act, 0));
	/* What is not ours can be taken back as often as anybody likes. */
	job = (struct act_job){
		.id = 42, .action = EBB_ACT_LIMIT, .limit = UINT64_MAX, .dirfd = -1
	};
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 3, 5000));
	assert_int_equal(f->results[2].error, 0);
	assert_false(f->results[2].changed);
	close(dir);
}

static void test_dry_run(void **state)
{
	struct fixture *f = *state;
	int dir = make_group(f, "a");
	struct act_job job = reclaim_job(42, dir, 5000);
	char path[512];

	open_it(f, true);
	assert_true(act_caps(f->act)->dry_run);
	assert_false(act_caps(f->act)->can_age);
	assert_int_equal(act_submit(f->act, &job), 0);
	job = (struct act_job){ .action = EBB_ACT_COMPACT, .dirfd = -1 };
	assert_int_equal(act_submit(f->act, &job), 0);
	assert_true(wait_results(f, 2, 5000));
	assert_int_equal(f->results[0].got + f->results[1].got, 0);
	assert_string_equal(root_get(&f->root, "/cgroup/a/memory.reclaim"), "");
	assert_string_equal(root_get(&f->root, COMPACT), "");
	assert_string_equal(root_get(&f->root, MGLRU), "0x0000\n");
	root_path(&f->root, "/state", path);
	assert_int_equal(access(path, F_OK), -1);
	close(dir);
}

/* Closing amid endless writes: in bounded time, nothing is told any more, all is undone. */
static void test_close(void **state)
{
	struct fixture *f = *state;
	struct act_close_report report;
	int dir, fd = make_endless(f, "x", &dir);
	struct act_job job;
	uint64_t begun;

	open_it(f, false);
	root_put(&f->root, MGLRU, "7");
	for (int i = 0; i < 5; i++) {
		job = reclaim_job(1 + i, dir, 60000);
		assert_int_equal(act_submit(f->act, &job), 0);
	}
	root_sleep_ms(50);
	begun = uv_hrtime();
	act_close(f->act, 3000, &report);
	f->act = NULL;
	assert_true(uv_hrtime() - begun < 2500000000u);
	assert_int_equal(report.abandoned, 0);
	assert_int_equal(report.undone.undone, 1);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(f->nr, 0);
	close(dir);
	close(fd);
}

/* Killed in the middle of it: the next start undoes, and two at once are one too many. */
static void test_killed(void **state)
{
	struct fixture *f = *state;
	struct act_opts o = { .state_dir = f->root.state,
			      .cgroup_root = f->cgroups,
			      .root = f->root.path };
	struct act *second;
	int dir, status, fd = make_endless(f, "x", &dir);
	pid_t pid = fork();

	if (!pid) {
		struct act_job job = reclaim_job(1, dir, 60000);

		open_it(f, false);
		act_submit(f->act, &job);
		root_sleep_ms(50);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	root_put(&f->root, MGLRU, "0x0007\n");
	open_it(f, false); /* adopts */
	assert_int_equal(act_open(&second, &f->loop, &o, on_done, f), -EBUSY);
	act_close(f->act, 1000, NULL);
	f->act = NULL;
	assert_memory_equal(root_get(&f->root, MGLRU), "0x0000", 6);
	close(dir);
	close(fd);
}

/* A start that fails undoes what one that crashed had set, and touches nothing otherwise. */
static void test_recover_without_a_start(void **state)
{
	struct fixture *f = *state;
	struct journal_opts o = { .state_dir = f->root.state,
				  .root = f->root.path,
				  .cgroup_root = -1 };
	struct journal_report report;
	struct journal *j = NULL;

	assert_int_equal(act_recover(f->root.state, f->root.path, -1, &report), 0);
	assert_int_equal(access(f->root.state, F_OK), -1); /* and makes nothing */

	assert_int_equal(journal_open(&j, &o), 0);
	assert_int_equal(journal_set_file(j, MGLRU, "7", NULL), 0);
	root_put(&f->root, MGLRU, "0x0007\n"); /* as the kernel shows it */
	assert_int_equal(act_recover(f->root.state, f->root.path, -1, &report), -EBUSY);
	assert_memory_equal(root_get(&f->root, MGLRU), "0x0007", 6); /* of one that lives */
	journal_close(j);

	assert_int_equal(act_recover(f->root.state, f->root.path, -1, &report), 0);
	assert_int_equal(report.undone, 1);
	assert_memory_equal(root_get(&f->root, MGLRU), "0x0000", 6);
	assert_int_equal(act_recover(f->root.state, f->root.path, -1, &report), 0);
	assert_int_equal(report.undone, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_recover_without_a_start),
		T(test_capabilities),
		T(test_without),
		T(test_mglru_on_by_somebody),
		T(test_mglru_that_does_not_walk),
		T(test_reporting_order),
		T(test_errands_at_the_end),
		T(test_reclaim),
		T(test_anon_alone),
		T(test_page_cache_by_age),
		T(test_no_room_in_swap),
		T(test_from_callback),
		T(test_endless),
		T(test_stale),
		T(test_yields),
		T(test_not_a_job),
		T(test_full),
		T(test_ageing_of_many),
		T(test_ageing_of_a_large_one),
		T(test_compact),
		T(test_lists_after_a_crash),
		T(test_limits),
		T(test_dry_run),
		T(test_close),
		T(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
