// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "act/act.h"
#include "act/pool.h"

#define STACK_SIZE (256u << 10)
#define NICE 10

struct lane {
	struct pool_job *head, **tail;
	unsigned int limit;
	unsigned int threads;
	unsigned int queued;
	unsigned int idle; /* waiting, or woken and not yet at a job */
	unsigned int stuck;
	pthread_cond_t work;
};

struct pool {
	pthread_mutex_t lock;
	struct lane lanes[POOL_NR_LANES];
	struct pool_job *running; /* by next */
	struct pool_job *ended, **ended_tail;
	uv_async_t *done; /* NULL once stopped */
	unsigned int threads;
	bool closing;
	bool orphaned; /* pool_stop is over: the last thread frees */
	pthread_cond_t left; /* a thread ended */
};

struct thread_start {
	struct pool *pool;
	enum pool_lane lane;
};

uint64_t pool_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static uint64_t thread_cpu_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts))
		return 0;
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static void do_nothing(int sig)
{
}

static void pool_free(struct pool *pool)
{
	for (int i = 0; i < POOL_NR_LANES; i++)
		pthread_cond_destroy(&pool->lanes[i].work);
	pthread_cond_destroy(&pool->left);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

int pool_open(struct pool **ret, uv_async_t *done)
{
	static const unsigned int limits[POOL_NR_LANES] = {
		[POOL_RECLAIM] = 2, [POOL_LEFTOVER] = 1,   [POOL_AGE] = 1,    [POOL_COMPACT] = 1,
		[POOL_LIMIT] = 1,   [POOL_SWAP_LIMIT] = 1, [POOL_ERRAND] = 1,
	};
	/* No SA_RESTART: the write is to come back with EINTR. */
	struct sigaction sa = { .sa_handler = do_nothing };
	struct pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t attr;

	if (!pool)
		return -ENOMEM;
	if (sigaction(ACT_SIGNAL, &sa, NULL)) {
		free(pool);
		return -errno;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->left, &attr);
	pthread_condattr_destroy(&attr);
	for (int i = 0; i < POOL_NR_LANES; i++) {
		pool->lanes[i].limit = limits[i];
		pool->lanes[i].tail = &pool->lanes[i].head;
		pthread_cond_init(&pool->lanes[i].work, NULL);
	}
	pool->ended_tail = &pool->ended;
	pool->done = done;
	*ret = pool;
	return 0;
}

/* --- the threads --------------------------------------------------------------- */

static void run_job(struct pool_job *job)
{
	uint64_t cpu = thread_cpu_us();

	job->start_us = pool_now_us();
	job->run(job);
	job->cpu_us = thread_cpu_us() - cpu;
	job->wall_us = pool_now_us() - job->start_us;
}

static void unlink_running(struct pool *pool, struct pool_job *job)
{
	struct pool_job **p = &pool->running;

	while (*p != job)
		p = &(*p)->next;
	*p = job->next;
	job->next = NULL;
}

static struct pool_job *next_job(struct pool *pool, struct lane *lane)
{
	struct pool_job *job;

	lane->idle++;
	while (!lane->head && !pool->closing && lane->threads <= lane->limit + lane->stuck)
		pthread_cond_wait(&lane->work, &pool->lock);
	lane->idle--;
	if (pool->closing || lane->threads > lane->limit + lane->stuck)
		return NULL;
	job = lane->head;
	lane->head = job->next;
	lane->queued--;
	if (!lane->head)
		lane->tail = &lane->head;
	job->thread = pthread_self();
	job->deadline_us = pool_now_us() + job->deadline_ms * 1000ull;
	if (job->latest_us && job->latest_us < job->deadline_us)
		job->deadline_us = job->latest_us;
	job->next = pool->running;
	pool->running = job;
	return job;
}

static void *thread_main(void *arg)
{
	struct thread_start start = *(struct thread_start *)arg;
	struct pool *pool = start.pool;
	struct lane *lane = &pool->lanes[start.lane];
	struct sched_param param = {};
	struct pool_job *job;
	bool last;

	free(arg);
	/* Of this thread alone, as Linux has it. Not being allowed to is no harm. */
	if (start.lane != POOL_LIMIT && start.lane != POOL_SWAP_LIMIT) {
		sched_setscheduler(0, SCHED_BATCH, &param);
		setpriority(PRIO_PROCESS, syscall(SYS_gettid), NICE);
	}

	pthread_mutex_lock(&pool->lock);
	while ((job = next_job(pool, lane))) {
		pthread_mutex_unlock(&pool->lock);
		run_job(job);
		pthread_mutex_lock(&pool->lock);
		unlink_running(pool, job);
		if (job->stuck)
			lane->stuck--;
		*pool->ended_tail = job;
		pool->ended_tail = &job->next;
		if (pool->done)
			uv_async_send(pool->done);
	}
	lane->threads--;
	last = !--pool->threads && pool->orphaned;
	pthread_cond_broadcast(&pool->left);
	pthread_mutex_unlock(&pool->lock);
	if (last) {
		/* What the abandoned jobs hold is the process's to free, at its exit. */
		pool_free(pool);
	}
	return NULL;
}

int pool_start_thread(pthread_t *ret, void *(*main)(void *), void *arg)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int r;

	sigfillset(&all);
	sigdelset(&all, ACT_SIGNAL);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = -pthread_create(ret, &attr, main, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

/* With the lock held. */
static int start_thread(struct pool *pool, enum pool_lane lane)
{
	struct thread_start *start = malloc(sizeof(*start));
	pthread_t thread;
	int r;

	if (!start)
		return -ENOMEM;
	*start = (struct thread_start){ pool, lane };
	r = pool_start_thread(&thread, thread_main, start);
	if (r) {
		free(start);
		return r;
	}
	pool->lanes[lane].threads++;
	pool->threads++;
	return 0;
}

/* --- the loop's side ------------------------------------------------------------ */

int pool_submit(struct pool *pool, struct pool_job *job)
{
	struct lane *lane = &pool->lanes[job->lane];
	int r = 0;

	job->next = NULL;
	pthread_mutex_lock(&pool->lock);
	if (lane->queued >= lane->idle && lane->threads < lane->limit + lane->stuck)
		r = start_thread(pool, job->lane);
	if (r && lane->threads > lane->stuck)
		r = 0; /* another one will come to it */
	if (!r) {
		*lane->tail = job;
		lane->tail = &job->next;
		lane->queued++;
		pthread_cond_signal(&lane->work);
	}
	pthread_mutex_unlock(&pool->lock);
	return r == -ENOMEM ? r : r ? -EAGAIN : 0;
}

struct pool_job *pool_take_ended(struct pool *pool)
{
	struct pool_job *list;

	pthread_mutex_lock(&pool->lock);
	list = pool->ended;
	pool->ended = NULL;
	pool->ended_tail = &pool->ended;
	pthread_mutex_unlock(&pool->lock);
	return list;
}

void pool_tick(struct pool *pool)
{
	uint64_t now = pool_now_us();

	pthread_mutex_lock(&pool->lock);
	for (struct pool_job *job = pool->running; job; job = job->next) {
		struct lane *lane = &pool->lanes[job->lane];

		if (now <= job->deadline_us)
			continue;
		/* Each time again: the signal may have come just before the write. */
		atomic_store(&job->stop, true);
		pthread_kill(job->thread, ACT_SIGNAL);
		if (job->stuck || now < job->deadline_us + POOL_STUCK_US ||
		    lane->stuck == POOL_NR_SPARE)
			continue;
		job->stuck = true;
		lane->stuck++;
		if (lane->head)
			start_thread(pool, job->lane);
	}
	pthread_mutex_unlock(&pool->lock);
}

void pool_hurry(struct pool *pool, struct pool_job *job)
{
	uint64_t now = pool_now_us();

	pthread_mutex_lock(&pool->lock);
	/* One that waits for its turn is over as soon as it gets it. */
	job->latest_us = now;
	if (job->deadline_us > now)
		job->deadline_us = now;
	pthread_mutex_unlock(&pool->lock);
	pool_tick(pool);
}

void pool_counts(struct pool *pool, unsigned int *ret_queued, unsigned int *ret_running,
		 unsigned int *ret_overdue)
{
	uint64_t now = pool_now_us();

	*ret_queued = *ret_running = *ret_overdue = 0;
	pthread_mutex_lock(&pool->lock);
	for (int i = 0; i < POOL_NR_LANES; i++)
		*ret_queued += pool->lanes[i].queued;
	for (struct pool_job *job = pool->running; job; job = job->next) {
		++*ret_running;
		*ret_overdue += now > job->deadline_us;
	}
	pthread_mutex_unlock(&pool->lock);
}

static void interrupt_all(struct pool *pool)
{
	for (struct pool_job *job = pool->running; job; job = job->next) {
		atomic_store(&job->stop, true);
		pthread_kill(job->thread, ACT_SIGNAL);
	}
}

unsigned int pool_stop(struct pool *pool, uint32_t deadline_ms, struct pool_job **ret_jobs)
{
	uint64_t end = pool_now_us() + deadline_ms * 1000ull;
	struct pool_job **tail = ret_jobs;
	unsigned int left;

	pthread_mutex_lock(&pool->lock);
	pool->done = NULL;
	pool->closing = true;
	for (int i = 0; i < POOL_NR_LANES; i++)
		pthread_cond_broadcast(&pool->lanes[i].work);
	while (pool->threads && pool_now_us() < end) {
		uint64_t until = pool_now_us() + 50000;
		struct timespec ts = { until / 1000000, until % 1000000 * 1000 };

		interrupt_all(pool);
		pthread_cond_timedwait(&pool->left, &pool->lock, &ts);
	}
	*tail = pool->ended;
	while (*tail)
		tail = &(*tail)->next;
	for (int i = 0; i < POOL_NR_LANES; i++) {
		*tail = pool->lanes[i].head;
		while (*tail)
			tail = &(*tail)->next;
	}
	pool->ended = NULL;
	pool->ended_tail = &pool->ended;
	left = pool->threads;
	pool->orphaned = true;
	pthread_mutex_unlock(&pool->lock);
	if (!left)
		pool_free(pool);
	return left;
}
