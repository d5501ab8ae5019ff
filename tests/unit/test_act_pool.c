// SPDX-License-Identifier: GPL-2.0-only
/* The threads: how many at once, in which order, and what becomes of a job that does not end. */
#include "act_root.h"

#include <signal.h>
#include <uv.h>

#include "act/act.h"
#include "act/pool.h"

struct task {
	struct pool_job job; /* first */
	int fd; /* a pipe's write end that takes no more: a write that does not end */
	bool deaf; /* goes on when interrupted, until let_go */
	int order;
	int error;
};

static atomic_int running, most, order;
static atomic_bool let_go;

struct fixture {
	uv_loop_t loop;
	uv_async_t async;
	struct pool *pool;
	int ended;
	int pipe[2];
};

static void on_done(uv_async_t *async)
{
	struct fixture *f = async->data;

	for (struct pool_job *j = pool_take_ended(f->pool); j; j = j->next)
		f->ended++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char byte = 0;

	*state = f;
	running = most = order = 0;
	let_go = false;
	uv_loop_init(&f->loop);
	uv_async_init(&f->loop, &f->async, on_done);
	f->async.data = f;
	if (pipe(f->pipe) || fcntl(f->pipe[1], F_SETFL, O_NONBLOCK))
		return -1;
	while (write(f->pipe[1], &byte, 1) == 1)
		;
	if (fcntl(f->pipe[1], F_SETFL, 0))
		return -1;
	return pool_open(&f->pool, &f->async);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct pool_job *list;

	if (f->pool)
		pool_stop(f->pool, 1000, &list);
	close(f->pipe[0]);
	close(f->pipe[1]);
	uv_close((uv_handle_t *)&f->async, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	uv_loop_close(&f->loop);
	free(f);
	return 0;
}

static void nap(struct pool_job *job)
{
	struct task *t = (struct task *)job;
	int now = ++running, before = most;

	while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
		;
	t->order = ++order;
	root_sleep_ms(20);
	running--;
}

static void write_for_ever(struct pool_job *job)
{
	struct task *t = (struct task *)job;

	do
		t->error = write(t->fd, "x", 1) < 0 ? -errno : 0;
	while (t->deaf && !let_go);
}

static void submit(struct fixture *f, struct task *t, enum pool_lane lane,
		   void (*run)(struct pool_job *), uint32_t deadline_ms)
{
	t->job.lane = lane;
	t->job.run = run;
	t->job.deadline_ms = deadline_ms;
	t->fd = f->pipe[1];
	assert_int_equal(pool_submit(f->pool, &t->job), 0);
}

/* Runs the loop until so many have ended; false: not within the time. */
static bool wait_ended(struct fixture *f, int ended, unsigned int ms)
{
	uint64_t end = pool_now_us() + ms * 1000ull;

	while (f->ended < ended && pool_now_us() < end) {
		uv_run(&f->loop, UV_RUN_NOWAIT);
		pool_tick(f->pool);
		root_sleep_ms(5);
	}
	return f->ended >= ended;
}

static void test_two_at_once(void **state)
{
	struct fixture *f = *state;
	static struct task t[12];

	memset(t, 0, sizeof(t));
	for (int i = 0; i < 12; i++)
		submit(f, &t[i], POOL_RECLAIM, nap, 10000);
	assert_true(wait_ended(f, 12, 10000));
	assert_int_equal(most, 2);
	for (int i = 0; i + 2 < 12; i++)
		assert_true(t[i].order < t[i + 2].order);
}

static void test_one_at_a_time(void **state)
{
	struct fixture *f = *state;
	static struct task t[4];

	memset(t, 0, sizeof(t));
	for (int i = 0; i < 4; i++)
		submit(f, &t[i], POOL_LEFTOVER, nap, 10000);
	assert_true(wait_ended(f, 4, 10000));
	assert_int_equal(most, 1);
}

/* An endless write is broken off at its deadline, and took no CPU. */
static void test_interrupted(void **state)
{
	struct fixture *f = *state;
	static struct task t;

	memset(&t, 0, sizeof(t));
	submit(f, &t, POOL_RECLAIM, write_for_ever, 100);
	assert_true(wait_ended(f, 1, 5000));
	assert_int_equal(t.error, -EINTR);
	assert_true(atomic_load(&t.job.stop));
	assert_true(t.job.wall_us >= 100000 && t.job.wall_us < 4000000);
	assert_true(t.job.cpu_us < 50000);
}

static void test_latest(void **state)
{
	struct fixture *f = *state;
	static struct task t;

	memset(&t, 0, sizeof(t));
	t.job.latest_us = pool_now_us() + 50000;
	submit(f, &t, POOL_RECLAIM, write_for_ever, 60000);
	assert_true(wait_ended(f, 1, 5000));
	assert_int_equal(t.error, -EINTR);
}

/* Two that heed no signal do not keep the lane: a spare thread takes what waits. */
static void test_stuck(void **state)
{
	struct fixture *f = *state;
	static struct task deaf[2], t[3];
	unsigned int queued, busy, overdue;

	memset(deaf, 0, sizeof(deaf));
	memset(t, 0, sizeof(t));
	for (int i = 0; i < 2; i++) {
		deaf[i].deaf = true;
		submit(f, &deaf[i], POOL_RECLAIM, write_for_ever, 50);
	}
	for (int i = 0; i < 3; i++)
		submit(f, &t[i], POOL_RECLAIM, nap, 10000);
	assert_false(wait_ended(f, 1, 500));
	pool_counts(f->pool, &queued, &busy, &overdue);
	assert_int_equal(queued, 3);
	assert_int_equal(busy, 2);
	assert_int_equal(overdue, 2);
	assert_true(wait_ended(f, 3, 10000));
	for (int i = 0; i < 3; i++)
		assert_true(t[i].order);
	let_go = true;
	assert_true(wait_ended(f, 5, 5000));
	/* And back to two. */
	most = 0;
	static struct task more[8];
	memset(more, 0, sizeof(more));
	for (int i = 0; i < 8; i++)
		submit(f, &more[i], POOL_RECLAIM, nap, 10000);
	assert_true(wait_ended(f, 13, 10000));
	assert_true(most <= 2);
}

/* Stopping hands back what never ran, and waits no longer than told for what heeds nothing. */
static void test_stop(void **state)
{
	struct fixture *f = *state;
	static struct task deaf, polite, waiting[3];
	unsigned int queued, busy = 0, overdue;
	struct pool_job *list = NULL;
	struct pool *pool;
	uint64_t begun;
	int n = 0;

	memset(&deaf, 0, sizeof(deaf));
	memset(&polite, 0, sizeof(polite));
	memset(waiting, 0, sizeof(waiting));
	deaf.deaf = true;
	submit(f, &deaf, POOL_RECLAIM, write_for_ever, 60000);
	submit(f, &polite, POOL_RECLAIM, write_for_ever, 60000);
	for (int i = 0; i < 3; i++)
		submit(f, &waiting[i], POOL_RECLAIM, nap, 60000);
	/* Idle threads take their time to start on a machine that is busy. */
	for (int i = 0; i < 2000 && busy < 2; i++) {
		root_sleep_ms(5);
		pool_counts(f->pool, &queued, &busy, &overdue);
	}
	assert_int_equal(busy, 2);
	root_sleep_ms(50);
	pool = f->pool;
	f->pool = NULL;
	begun = pool_now_us();
	assert_int_equal(pool_stop(pool, 300, &list), 1);
	assert_true(pool_now_us() - begun >= 300000 && pool_now_us() - begun < 5000000);
	for (struct pool_job *j = list; j; j = j->next)
		n++;
	assert_int_equal(n, 4); /* polite and the waiting */
	assert_int_equal(polite.error, -EINTR);
	assert_int_equal(waiting[0].order, 0);
	/* The one left behind ends by itself, and takes the pool with it. */
	let_go = true;
	close(f->pipe[0]);
	f->pipe[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	root_sleep_ms(200);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_two_at_once), T(test_one_at_a_time), T(test_interrupted),
		T(test_latest),      T(test_stuck),         T(test_stop),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
