/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of our own for what may block in the kernel. libuv's pool is not
 * used: it has four threads for everybody, cannot say which one runs a job,
 * and so offers no way to interrupt a write that does not end.
 *
 * The threads are SCHED_BATCH at nice 10, and deliberately not SCHED_IDLE: an
 * ageing pass walks page tables under mmap_lock and compaction holds page
 * locks; an idle-class thread that is preempted there keeps them for as long
 * as the machine is busy, and the container waits for it (priority inversion).
 * At nice 10 a thread still gets about a tenth of a contended CPU.
 */
#ifndef EBB_ACT_POOL_H
#define EBB_ACT_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum pool_lane {
	POOL_RECLAIM, /* of running containers */
	POOL_LEFTOVER, /* of exited ones: never behind a slow reclaim; one at a time, for two
			  fences at once would each take the other's value for the one before */
	POOL_AGE,
	POOL_COMPACT,
	POOL_LIMIT, /* at the priority of those whom it limits: behind them it comes too late */
	POOL_SWAP_LIMIT, /* ends at once: not behind a limit that waits for the kernel to evict */
	POOL_ERRAND, /* short, and may wait for a disk */
	POOL_NR_LANES,
};

#define POOL_NR_SPARE 2 /* threads a lane may start beside stuck ones */
#define POOL_STUCK_US 1000000 /* so long past the deadline, a job no longer counts for its lane */

struct pool_job {
	struct pool_job *next;
	enum pool_lane lane;
	void (*run)(struct pool_job *job); /* on a thread of the lane */
	uint32_t deadline_ms; /* from its start */
	uint64_t latest_us; /* the deadline is no later than that, CLOCK_MONOTONIC; 0: whenever */

	uint64_t start_us; /* CLOCK_MONOTONIC; set by the pool, like what follows */
	uint64_t deadline_us;
	uint64_t cpu_us; /* what run() took */
	uint64_t wall_us;
	atomic_bool stop; /* to be looked at between two steps; set with ACT_SIGNAL */
	bool stuck; /* POOL_STUCK_US past its deadline */
	pthread_t thread;
};

struct pool;

/* done is sent when a job has ended: then take the ended ones. Borrowed until pool_stop. */
int pool_open(struct pool **ret, uv_async_t *done);
/* The job is the pool's until pool_take_ended() hands it back. -EAGAIN: no thread to be had. */
int pool_submit(struct pool *pool, struct pool_job *job);
struct pool_job *pool_take_ended(struct pool *pool); /* a list by next, oldest first */
/* Interrupts what is past its deadline. To be called every 100 ms or so while jobs run. */
void pool_tick(struct pool *pool);
/* Its deadline is now. */
void pool_hurry(struct pool *pool, struct pool_job *job);
void pool_counts(struct pool *pool, unsigned int *ret_queued, unsigned int *ret_running,
		 unsigned int *ret_overdue);

/*
 * Takes no more; interrupts all jobs and waits for them, deadline_ms at most.
 * Returns the number of threads left behind; those keep the pool and their job
 * in memory and touch nothing else of ours. Jobs that are not running are
 * handed back; the pool is gone for the caller.
 */
unsigned int pool_stop(struct pool *pool, uint32_t deadline_ms, struct pool_job **ret_jobs);

uint64_t pool_now_us(void); /* CLOCK_MONOTONIC */

/* A detached thread that is given no signal but ACT_SIGNAL. 0 or a negative errno. */
int pool_start_thread(pthread_t *ret, void *(*main)(void *), void *arg);

#endif /* EBB_ACT_POOL_H */
