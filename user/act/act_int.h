/* SPDX-License-Identifier: GPL-2.0-only */
/* Between act.c (the loop's side) and job.c (the threads' side). */
#ifndef EBB_ACT_ACT_INT_H
#define EBB_ACT_ACT_INT_H

#include "act/act.h"
#include "act/age.h"
#include "act/compact.h"
#include "act/fence.h"
#include "act/pool.h"
#include "act/reclaim.h"
#include "act/swap.h"

struct act {
	act_done_fn fn;
	void *arg;
	uv_async_t async;
	uv_timer_t tick; /* while jobs are under way */
	unsigned int handles; /* that are not closed yet */
	unsigned int abandoned;

	char *root;
	int cgroup_root;
	struct act_caps caps;
	struct journal *journal;
	struct age *age; /* NULL: not possible */
	struct swap_ctx swap;
	struct pool *pool;

	struct job *jobs; /* by next: queued, running, ended but not told */
	unsigned int nr_jobs, nr_ageing; /* of those */
	uint64_t compact_cpu_us, compact_ended_ms, cpu_us;

	struct act_limit *limits;
	size_t nr_limits, max_limits;
	uint64_t limit_us;
};

struct job {
	struct pool_job pool; /* first */
	struct job *next;
	struct act *act; /* a thread uses of it: age, journal, root, caps that do not change */
	enum ebb_action action;
	uint64_t anon, file, batch, idle_ms, file_idle_ms, keep;
	bool yields;
	uint64_t want; /* of limits */
	struct act_limit limit; /* what stands; seq 0: nothing of ours */
	int dirfd;
	struct act_group *groups;
	size_t nr_groups;
	struct act_result result;
};

int job_new(struct job **ret, struct act *a, const struct act_job *spec);
void job_free(struct job *job);
bool job_ended(struct job *job); /* by an error, the deadline, or whoever waits */
static inline bool limit_is_one(enum ebb_action action)
{
	return action == EBB_ACT_LIMIT || action == EBB_ACT_SWAP_LIMIT;
}
void limit_run(struct job *job);
/* The loop's side: room for one more, and what a job has set. */
int limits_prepare(struct act *a, struct job *job);
void limits_note(struct act *a, const struct act_limit *limit);
bool job_can_evict(const struct act *a); /* from the lists of one group */

/* errand.c: of the jobs that the pool hands back, those of act_defer() */
bool errand_is_one(const struct pool_job *job);
void errand_end(struct pool_job *job, bool ran);

/* Undoes what was set. report may be NULL. */
void act_undo(struct act *a, uint32_t deadline_ms, struct act_close_report *report);

#endif /* EBB_ACT_ACT_INT_H */
