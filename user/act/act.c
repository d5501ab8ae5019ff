// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "act/reporting.h"
#include "act/act_int.h"
#include "lib/cleanup.h"

#define TICK_MS 100

static void on_done(uv_async_t *handle);

static uint64_t now_ms(void)
{
	return pool_now_us() / 1000;
}

static bool is_open(const struct act *a)
{
	return a->pool;
}

/* --- opening ----------------------------------------------------------------------------- */

static void probe_reclaim(struct act *a)
{
	struct act_caps *c = &a->caps;
	int r = reclaim_probe(a->cgroup_root, &c->reclaim_swappiness);

	c->reclaim = !r;
	if (r)
		snprintf(c->reclaim_reason, sizeof(c->reclaim_reason),
			 r == -ENOENT ? "the root cgroup has no memory.reclaim (cgroup v2, 5.19 on)"
				      : "memory.reclaim cannot be written: %s",
			 strerror(-r));
	else
		snprintf(c->reclaim_reason, sizeof(c->reclaim_reason),
			 c->reclaim_swappiness
				 ? "anon and file can be asked for apart"
				 : "anon and file cannot be asked for apart (before 6.12)");
}

/* MGLRU's list of memcgs, 6.3: no file shows it. */
static bool memcgs_are_listed(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return true;
	return major > 6 || (major == 6 && minor >= 3);
}

static int open_parts(struct act *a, const struct act_opts *o)
{
	struct journal_opts jo = {
		.state_dir = o->state_dir,
		.root = a->root,
		.cgroup_root = a->cgroup_root,
		.read_only = o->dry_run,
	};
	struct age_opts ao = {
		.root = a->root,
		.cgroup_root = a->cgroup_root,
		.dry_run = o->dry_run,
	};
	int r = journal_open(&a->journal, &jo);

	if (r)
		return r;
	a->caps.dry_run = o->dry_run;
	journal_loaded(a->journal, &a->caps.recovered);
	/* Fences first: they stand on living containers. */
	if (!o->dry_run)
		journal_recover(a->journal, JOURNAL_CGROUP, &a->caps.recovered);
	probe_reclaim(a);
	a->caps.compact = compact_possible(a->root);
	ao.journal = a->journal;
	r = age_open(&a->age, &ao, &a->caps);
	if (r)
		return r;
	a->caps.orphans_in_root = !a->caps.mglru || !memcgs_are_listed() || job_can_evict(a);
	a->swap = (struct swap_ctx){ .root = a->root, .journal = a->journal, .cap = o->cap };
	swap_open(&a->swap, o->compress, o->dry_run, &a->caps.swap);
	if (o->dry_run)
		return 0;
	reporting_open(a->root, a->journal);
	/* What this run did not take over. */
	journal_recover(a->journal, JOURNAL_FILE, &a->caps.recovered);
	return 0;
}

static void free_parts(struct act *a)
{
	age_close(a->age);
	journal_close(a->journal);
	if (a->cgroup_root >= 0)
		close(a->cgroup_root);
	free(a->root);
	free(a->limits);
	free(a);
}

static void on_closed(uv_handle_t *handle)
{
	struct act *a = handle->data;

	if (--a->handles)
		return;
	/* A thread that was left behind may yet come back to these. */
	if (!a->abandoned)
		free_parts(a);
}

static void close_handles(struct act *a)
{
	uv_close((uv_handle_t *)&a->async, on_closed);
	uv_close((uv_handle_t *)&a->tick, on_closed);
}

int act_open(struct act **ret, uv_loop_t *loop, const struct act_opts *opts, act_done_fn fn,
	     void *arg)
{
	struct act *a = calloc(1, sizeof(*a));
	int r = 0;

	if (!a)
		return -ENOMEM;
	a->fn = fn;
	a->arg = arg;
	a->root = strdup(opts->root ?: "");
	a->cgroup_root = fcntl(opts->cgroup_root, F_DUPFD_CLOEXEC, 0);
	if (a->cgroup_root < 0)
		r = -errno;
	else if (!a->root)
		r = -ENOMEM;
	r = r ?: open_parts(a, opts);
	if (r) {
		free_parts(a);
		return r;
	}
	r = uv_async_init(loop, &a->async, on_done);
	if (r) {
		act_undo(a, 0, NULL);
		free_parts(a);
		return r;
	}
	uv_timer_init(loop, &a->tick);
	a->async.data = a->tick.data = a;
	a->handles = 2;
	r = pool_open(&a->pool, &a->async);
	if (r) {
		act_undo(a, 0, NULL);
		close_handles(a);
		return r;
	}
	*ret = a;
	return 0;
}

/* --- jobs ----------------------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
	struct act *a = timer->data;

	pool_tick(a->pool);
}

static void finish_job(struct act *a, struct job *job)
{
	struct job **p = &a->jobs;

	while (*p != job)
		p = &(*p)->next;
	*p = job->next;
	a->nr_ageing -= job->action == EBB_ACT_AGE;
	if (!--a->nr_jobs)
		uv_timer_stop(&a->tick);
	job->result.cpu_us = job->pool.cpu_us;
	job->result.wall_us = job->pool.wall_us;
	a->cpu_us += job->pool.cpu_us;
	if (limit_is_one(job->action))
		limits_note(a, &job->limit);
	if (job->action == EBB_ACT_LIMIT) {
		a->limit_us = (3 * a->limit_us + job->pool.wall_us) / 4;
		if (a->limit_us < job->pool.wall_us)
			a->limit_us = job->pool.wall_us;
	}
	if (job->action == EBB_ACT_COMPACT && !a->caps.dry_run) {
		a->compact_cpu_us += job->pool.cpu_us;
		a->compact_ended_ms = now_ms();
	}
}

static void on_done(uv_async_t *handle)
{
	struct act *a = handle->data;
	struct pool_job *list = is_open(a) ? pool_take_ended(a->pool) : NULL;

	while (list) {
		struct pool_job *ended = list;
		struct job *job = (struct job *)ended;

		list = list->next;
		/* The callbacks may submit, but not close: the rest of the list is ours. */
		if (errand_is_one(ended)) {
			errand_end(ended, true);
			continue;
		}
		finish_job(a, job);
		a->fn(a->arg, &job->result);
		job_free(job);
	}
}

/* A limit below the usage that is waiting for the kernel to swap. */
static void hurry_limit(struct act *a, uint64_t id)
{
	for (struct job *job = a->jobs; job; job = job->next)
		if (job->result.id == id && job->action == EBB_ACT_LIMIT)
			pool_hurry(a->pool, &job->pool);
}

int act_submit(struct act *a, const struct act_job *spec)
{
	bool ageing = spec->action == EBB_ACT_AGE;
	struct job *job;
	int r;

	if (!is_open(a))
		return -EINVAL;
	if (limit_is_one(spec->action) ? act_limiting(a, spec->action, spec->id)
				       : act_busy(a, spec->id))
		return -EBUSY;
	if (!ageing && a->nr_jobs - a->nr_ageing == ACT_MAX_JOBS)
		return -ENOSPC;
	r = job_new(&job, a, spec);
	if (r)
		return r;
	r = limit_is_one(spec->action) ? limits_prepare(a, job) : 0;
	r = r ?: pool_submit(a->pool, &job->pool);
	if (r) {
		job_free(job);
		return r;
	}
	/* Without swap it would kill: what it is to be then comes with the next one. */
	if (spec->action == EBB_ACT_SWAP_LIMIT && spec->limit != UINT64_MAX)
		hurry_limit(a, spec->id);
	job->next = a->jobs;
	a->jobs = job;
	a->nr_ageing += ageing;
	if (!a->nr_jobs++)
		uv_timer_start(&a->tick, on_tick, TICK_MS, TICK_MS);
	return 0;
}

void act_cancel(struct act *a, uint64_t id)
{
	for (struct job *job = a->jobs; job; job = job->next)
		if (job->result.id == id)
			pool_hurry(a->pool, &job->pool);
}

void act_yield(struct act *a, uint64_t id)
{
	for (struct job *job = a->jobs; job; job = job->next)
		if (job->result.id == id && job->yields)
			pool_hurry(a->pool, &job->pool);
}

bool act_busy(const struct act *a, uint64_t id)
{
	for (const struct job *job = a->jobs; job; job = job->next)
		if (job->result.id == id && !limit_is_one(job->action))
			return true;
	return false;
}

bool act_limiting(const struct act *a, enum ebb_action which, uint64_t id)
{
	for (const struct job *job = a->jobs; job; job = job->next)
		if (job->result.id == id && job->action == which)
			return true;
	return false;
}

const struct act_caps *act_caps(struct act *a)
{
	/* The worker may have found out meanwhile. */
	if (a->age && a->caps.id_form == ACT_ID_UNKNOWN) {
		a->caps.id_form = age_id_form(a->age);
		a->caps.orphans_in_root |= job_can_evict(a);
	}
	return &a->caps;
}

void act_stats(struct act *a, struct act_stats *ret)
{
	*ret = (struct act_stats){
		.compact_busy = act_busy(a, 0),
		.compact_cpu_us = a->compact_cpu_us,
		.compact_ended_ms = a->compact_ended_ms,
		.cpu_us = a->cpu_us,
		.limit_us = a->limit_us,
	};
	pool_counts(a->pool, &ret->queued, &ret->running, &ret->stuck);
}

void act_set_cap(struct act *a, uint64_t cap)
{
	if (!a->caps.dry_run)
		swap_set_cap(&a->swap, cap);
}

static void set_reporting(void *arg)
{
	struct act *a = arg;

	reporting_open(a->root, a->journal);
}

void act_set_reporting(struct act *a)
{
	/* Fences hold the journal's lock, over 2,048 writes and a sync of the disk. */
	if (!a->caps.dry_run)
		act_defer(a, set_reporting, NULL, a);
}

struct journal *act_journal(struct act *a)
{
	return a->journal;
}

/* --- closing ---------------------------------------------------------------------------------- */

void act_undo(struct act *a, uint32_t deadline_ms, struct act_close_report *report)
{
	struct act_close_report none = {};

	report = report ?: &none;
	*report = (struct act_close_report){};
	if (a->caps.dry_run)
		return;
	/* Limits first: what comes back from swap has to fit in. Swap before MGLRU: it is newer. */
	journal_undo_kind(a->journal, JOURNAL_CGROUP, &report->undone);
	report->swap_left = swap_close(&a->swap, deadline_ms, report->swap_reason,
				       sizeof(report->swap_reason)) < 0;
	journal_undo_all(a->journal, &report->undone);
}

void act_close(struct act *a, uint32_t deadline_ms, struct act_close_report *ret)
{
	struct act_close_report report;
	struct pool_job *list = NULL;

	if (!a)
		return;
	a->abandoned = pool_stop(a->pool, deadline_ms, &list);
	a->pool = NULL;
	while (list) {
		struct pool_job *dropped = list;

		list = list->next;
		if (errand_is_one(dropped))
			errand_end(dropped, false);
		else
			job_free((struct job *)dropped);
	}
	a->jobs = NULL;
	act_undo(a, deadline_ms, &report);
	report.abandoned = a->abandoned;
	close_handles(a);
	if (ret)
		*ret = report;
}
