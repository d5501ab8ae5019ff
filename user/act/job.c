// SPDX-License-Identifier: GPL-2.0-only
/* What the threads run. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/act_int.h"
#include "act/cpu_lists.h"
#include "act/fence.h"
#include "act/lists.h"
#include "lib/cleanup.h"

#define DEFAULT_DEADLINE_MS 2000
#define DEFAULT_BATCH (32ull << 20)
/* For each group more: a pass over 100 MB takes 7 ms under emulation, and we may get little CPU. */
#define AGE_GROUP_MS 20
#define AGE_MAX_MS 10000 /* others wait for their pass meanwhile */
#define WORTH_A_FENCE (4ull << 20)
#define WORTH_DRAINING (8ull << 20) /* what is freed bit by bit need not be given back at once */

static void fill(struct job *job, struct reclaim *r)
{
	*r = (struct reclaim){
		.dirfd = job->dirfd,
		.anon = job->anon,
		.file = job->file,
		.batch = job->batch,
		.deadline_us = job->pool.deadline_us,
		.stop = &job->pool.stop,
		.swappiness = job->act->caps.reclaim_swappiness,
	};
}

static void take_over(struct job *job, const struct reclaim *r)
{
	job->result.got = r->got;
	job->result.error = r->error;
	job->result.gone = r->gone;
	job->result.timed_out = r->timed_out;
}

static void limit_anon(struct job *job)
{
	uint64_t room = job->anon ? reclaim_swap_room(job->dirfd) : 0;

	if (job->anon > room) {
		job->result.asked -= job->anon - room;
		job->anon = room;
	}
}

#define EVICT_BATCH (16ull << 20)

static bool out_of_time(struct job *job)
{
	if (atomic_load(&job->pool.stop) || pool_now_us() >= job->pool.deadline_us)
		job->result.timed_out = true;
	return job->result.timed_out;
}

bool job_ended(struct job *job)
{
	return job->result.error || out_of_time(job);
}

static void count_got(struct job *job, const struct reclaim_stat *before)
{
	struct reclaim_stat now;

	if (!reclaim_stat(job->dirfd, &now) && now.steal > before->steal)
		job->result.got += now.steal - before->steal;
}

/* false: not now, or nothing is left to be done. */
static bool look(struct job *job, struct reclaim_stat *ret)
{
	struct act_result *res = &job->result;

	if (job_ended(job) || res->gone)
		return false;
	res->error = reclaim_stat(job->dirfd, ret);
	if (res->error == -ENOENT || res->error == -ENODEV) {
		res->error = 0;
		res->gone = true;
	}
	return !res->error && !res->gone;
}

static bool known_cold(void *arg, uint64_t *ret)
{
	const struct job *job = arg;

	return !age_idle_anon(job->act->age, job->groups, job->nr_groups, job->idle_ms, ret);
}

static void ask_kernel(struct job *job, uint64_t anon, uint64_t file)
{
	uint64_t got = job->result.got;
	struct reclaim r;

	if (anon + file < (uint64_t)sysconf(_SC_PAGESIZE) || job_ended(job) || job->result.gone)
		return;
	fill(job, &r);
	r.anon = anon;
	r.file = file;
	if (job->nr_groups && job->act->age) {
		r.known = known_cold;
		r.known_arg = job;
		r.nr_groups = job->nr_groups;
	}
	reclaim_run(&r);
	take_over(job, &r);
	job->result.got += got;
}

/*
 * The part of removed groups inside the container, which up to 6.18 keep their lists: no living one
 * has them on its own. They are evicted behind the fence; where there can be none, it stays. (Only
 * those that were right below the container: others are of their own parents.)
 */
static void take_orphaned(struct job *job)
{
	uint64_t orphaned, steal, got = job->result.got;
	struct reclaim r;

	if (job->nr_groups < 2 || age_id_form(job->act->age) != ACT_ID_PRIVATE || job_ended(job) ||
	    fence_orphaned(job->dirfd, &orphaned, &steal) || orphaned < WORTH_A_FENCE)
		return;
	fill(job, &r);
	r.file = (uint64_t)((double)job->file * (double)orphaned /
			    (double)(orphaned + lists_old_file(job)));
	fence_reclaim(&r, job->act->journal);
	r.error = 0;
	take_over(job, &r);
	job->result.got += got;
}

/*
 * Where ages are known, what is asked for is taken from the generations that have them: page cache,
 * as far as the plan says how old; and anon where memory.reclaim knows no swappiness=. Without it
 * the kernel chooses, and where page cache comes back less often than anon it takes page cache for
 * anon that was asked for, what is read all the time before anything else: it stands in the oldest
 * generation (coldness.c).
 */
static void run_reclaim(struct job *job)
{
	bool by_lists = job->nr_groups && job->act->age;
	bool anon = by_lists && !job->act->caps.reclaim_swappiness;
	bool file = by_lists && job->file && job->file_idle_ms;
	struct reclaim_stat before;

	limit_anon(job);
	if (anon && job->anon && look(job, &before)) {
		lists_take_anon(job);
		count_got(job, &before);
	}
	ask_kernel(job, anon ? 0 : job->anon, file ? 0 : job->file);
	if (file && look(job, &before)) {
		uint64_t got = job->result.got;

		take_orphaned(job);
		got = job->result.got - got;
		if (got < job->file && look(job, &before)) {
			lists_take_file(job, job->file - got);
			count_got(job, &before);
		}
	}
}

static void run_exit(struct job *job)
{
	struct reclaim r;

	fill(job, &r);
	r.keep = job->keep;
	reclaim_run_all(&r, &job->result.asked);
	take_over(job, &r);
}

bool job_can_evict(const struct act *a)
{
	return a->age && age_id_form(a->age) == ACT_ID_CGROUP;
}

/* The root of 7.2: what removed children left is on its own lists. */
static void evict_in_root(struct job *job)
{
	struct act_result *res = &job->result;
	struct reclaim_stat before = { .steal = UINT64_MAX };
	uint64_t left = job->file, asked = 1;
	int used = fence_root_in_use(job->dirfd, job->act->root);

	res->error = used > 0 ? -EBUSY : used ?: reclaim_stat(job->dirfd, &before);
	while (left && asked && !job_ended(job)) {
		res->error = age_evict(job->act->age, job->result.id,
				       left < EVICT_BATCH ? left : EVICT_BATCH, &asked);
		left -= asked < left ? asked : left;
	}
	if (res->error == -EINTR) { /* the deadline's signal */
		res->error = 0;
		res->timed_out = true;
	}
	count_got(job, &before);
}

static void run_orphans(struct job *job)
{
	struct reclaim r;

	if (fence_is_root(job->dirfd) && job_can_evict(job->act)) {
		evict_in_root(job);
		return;
	}
	if (fence_is_root(job->dirfd) && !job->act->caps.orphans_in_root) {
		job->result.error = -EOPNOTSUPP;
		return;
	}
	fill(job, &r);
	fence_reclaim(&r, job->act->journal);
	take_over(job, &r);
}

static void run_age(struct job *job)
{
	struct act_result *res = &job->result;
	size_t gone = 0;

	if (!job->act->age) {
		res->error = -EOPNOTSUPP;
		return;
	}
	for (size_t i = 0; i < job->nr_groups && !out_of_time(job); i++) {
		int r = age_group(job->act->age, &job->groups[i]);

		if (!r)
			res->groups_done++;
		else if (r == -ENOENT)
			gone++;
		else if (!res->error) /* the others may yet be aged */
			res->error = r;
	}
	res->gone = gone && gone == job->nr_groups;
}

static void run_compact(struct job *job)
{
	struct compact c = {
		.root = job->act->root,
		.deadline_us = job->pool.deadline_us,
		.stop = &job->pool.stop,
	};

	compact_run(&c);
	job->result.error = c.error;
	job->result.timed_out = c.timed_out;
}

static const struct action {
	void (*run)(struct job *job);
	enum pool_lane lane;
	bool dir; /* needs a dirfd */
	bool drains; /* more came free than it counts: what an ended process had, what was moved */
} actions[] = {
	[EBB_ACT_AGE] = { run_age, POOL_AGE, false },
	[EBB_ACT_RECLAIM] = { run_reclaim, POOL_RECLAIM, true },
	[EBB_ACT_RECLAIM_EXIT] = { run_exit, POOL_LEFTOVER, true, true },
	[EBB_ACT_RECLAIM_ORPHANS] = { run_orphans, POOL_LEFTOVER, true },
	[EBB_ACT_COMPACT] = { run_compact, POOL_COMPACT, false, true },
	[EBB_ACT_LIMIT] = { limit_run, POOL_LIMIT, true },
	[EBB_ACT_SWAP_LIMIT] = { limit_run, POOL_SWAP_LIMIT, true },
};

static void run(struct pool_job *p)
{
	struct job *job = (struct job *)p;

	if (job->act->caps.dry_run)
		return;
	if (p->start_us >= p->deadline_us) { /* it waited too long for a thread */
		job->result.timed_out = true;
		return;
	}
	actions[job->action].run(job);
	if (actions[job->action].drains || job->result.got >= WORTH_DRAINING)
		cpu_lists_drain(job->act->journal, job->act->root, &job->pool.stop);
}

static bool needs_dir(const struct act_job *spec)
{
	/* What we set is taken back by id alone: the group may be gone. */
	return actions[spec->action].dir &&
	       (!limit_is_one(spec->action) || spec->limit != UINT64_MAX);
}

static int check(const struct act_job *spec)
{
	if ((size_t)spec->action >= ARRAY_SIZE(actions) || !actions[spec->action].run)
		return -EINVAL;
	if (needs_dir(spec) && spec->dirfd < 0)
		return -EINVAL;
	if ((spec->action == EBB_ACT_COMPACT) != !spec->id)
		return -EINVAL;
	if (spec->action == EBB_ACT_AGE ? !spec->nr_groups
					: spec->nr_groups && spec->action != EBB_ACT_RECLAIM)
		return -EINVAL;
	if (spec->anon + spec->file < spec->anon)
		return -EINVAL;
	return 0;
}

static uint32_t default_deadline_ms(const struct act_job *spec)
{
	if (spec->nr_groups >= (AGE_MAX_MS - DEFAULT_DEADLINE_MS) / AGE_GROUP_MS)
		return AGE_MAX_MS;
	return DEFAULT_DEADLINE_MS + spec->nr_groups * AGE_GROUP_MS;
}

static int by_age(const void *a, const void *b)
{
	const struct act_group *x = a, *y = b;

	return (y->age_ms > x->age_ms) - (y->age_ms < x->age_ms);
}

/* Oldest first: what a deadline cuts off is not the same each time, and never looked at. */
static int copy_groups(struct job *job, const struct act_job *spec)
{
	job->groups = reallocarray(NULL, spec->nr_groups, sizeof(*job->groups));
	if (!job->groups)
		return -ENOMEM;
	memcpy(job->groups, spec->groups, spec->nr_groups * sizeof(*job->groups));
	job->nr_groups = spec->nr_groups;
	qsort(job->groups, job->nr_groups, sizeof(*job->groups), by_age);
	return 0;
}

int job_new(struct job **ret, struct act *a, const struct act_job *spec)
{
	struct job *job;
	int r = check(spec);

	if (r)
		return r;
	job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->act = a;
	job->action = spec->action;
	job->anon = spec->anon;
	job->file = spec->file;
	job->batch = spec->batch ?: DEFAULT_BATCH;
	job->idle_ms = spec->idle_ms;
	job->file_idle_ms = spec->file_idle_ms;
	job->keep = spec->keep;
	job->yields = spec->yields && spec->action == EBB_ACT_RECLAIM;
	job->want = spec->limit;
	job->dirfd = -1;
	job->result.id = spec->id;
	job->result.action = spec->action;
	if (spec->action == EBB_ACT_RECLAIM)
		job->result.asked = spec->anon + spec->file;
	else if (spec->action == EBB_ACT_RECLAIM_ORPHANS)
		job->result.asked = spec->file;
	job->pool.run = run;
	job->pool.lane = actions[spec->action].lane;
	job->pool.deadline_ms = spec->deadline_ms ?: default_deadline_ms(spec);
	if (spec->action == EBB_ACT_RECLAIM)
		job->pool.latest_us = pool_now_us() + job->pool.deadline_ms * 1000ull;
	if (spec->nr_groups && copy_groups(job, spec)) {
		job_free(job);
		return -ENOMEM;
	}
	if (needs_dir(spec)) {
		job->dirfd = fcntl(spec->dirfd, F_DUPFD_CLOEXEC, 0);
		if (job->dirfd < 0) {
			r = -errno;
			job_free(job);
			return r;
		}
	}
	*ret = job;
	return 0;
}

void job_free(struct job *job)
{
	if (job->dirfd >= 0)
		close(job->dirfd);
	free(job->groups);
	free(job);
}
