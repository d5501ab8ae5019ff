// SPDX-License-Identifier: GPL-2.0-only
/* Hands the plan's items to act, and takes their outcome back for the next snapshot. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/units.h"

/* From a limit that was set to the next look: what it made of the group. */
#define LIMITED_MS 100

/* All of them: one that is left out never ages, and what is in it never gets cold. */
static int groups_of(struct daemon *d, uint64_t id, struct act_group **ret, size_t *ret_nr)
{
	const struct tree_lru *lrus;
	size_t n = tree_lrus(d->tree, id, &lrus);
	struct act_group *groups = calloc(n ? n : 1, sizeof(*groups));

	if (!groups)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		groups[i] = (struct act_group){ .cgroup = lrus[i].cgroup,
						.memcg = lrus[i].memcg,
						.node = lrus[i].node,
						.max_seq = lrus[i].max_seq,
						.age_ms = lrus[i].age_ms,
						.file = lrus[i].file };
	*ret = groups;
	*ret_nr = n;
	return 0;
}

static int submit_age(struct daemon *d, const struct ebb_plan_item *item)
{
	_cleanup_free_ struct act_group *groups = NULL;
	struct act_job job = { .id = item->id, .action = EBB_ACT_AGE, .dirfd = -1 };
	int r = groups_of(d, item->id, &groups, &job.nr_groups);

	job.groups = groups;
	return r || !job.nr_groups ? r : act_submit(d->act, &job);
}

static int submit_reclaim(struct daemon *d, const struct ebb_plan_item *item)
{
	_cleanup_close_ int fd = tree_open_dir(d->tree, item->id);
	_cleanup_free_ struct act_group *groups = NULL;
	struct act_job job = { .id = item->id,
			       .action = item->action,
			       .anon = item->anon,
			       .file = item->file,
			       .keep = item->keep,
			       .idle_ms = item->idle_ms,
			       .file_idle_ms = item->file_idle_ms,
			       .batch = item->batch,
			       .deadline_ms = item->deadline_ms,
			       /* What the cap needs it needs all the more when somebody waits. */
			       .yields = item->reason != EBB_REASON_CAP,
			       .dirfd = fd };
	int r = fd < 0 ? fd : 0;

	if (!r && item->idle_ms)
		r = groups_of(d, item->id, &groups, &job.nr_groups);
	job.groups = groups;
	return r ?: act_submit(d->act, &job);
}

static int submit_limit(struct daemon *d, enum ebb_action which, uint64_t id, uint64_t bytes,
			const struct ebb_plan_item *item)
{
	_cleanup_close_ int fd = bytes == UINT64_MAX ? -1 : tree_open_dir(d->tree, id);
	struct act_job job = { .id = id,
			       .action = which,
			       .limit = bytes,
			       .batch = item ? item->batch : 0,
			       .deadline_ms = item ? item->deadline_ms : 0,
			       .dirfd = fd };

	if (fd < 0 && bytes != UINT64_MAX)
		return fd;
	log_debug("%s of group %llu: %lld MiB", ebb_action_name(which), (unsigned long long)id,
		  bytes == UINT64_MAX ? -1ll : (long long)(bytes >> 20));
	return act_submit(d->act, &job);
}

static bool is_holder(const struct daemon *d, uint64_t id)
{
	for (size_t i = 0; i < d->snap.nr_holders; i++)
		if (d->snap.holders[i].id == id)
			return true;
	return false;
}

/* What we had set on groups that went: nothing is to be kept of it. */
static void drop_limits(struct daemon *d)
{
	const struct act_limit *l;

	for (size_t i = 0; (l = act_limit_at(d->act, i)); i++)
		if (!is_holder(d, l->id) && !act_limiting(d->act, l->which, l->id))
			submit_limit(d, l->which, l->id, UINT64_MAX, NULL);
}

static int submit(struct daemon *d, const struct ebb_plan_item *item)
{
	struct act_job compact = { .action = EBB_ACT_COMPACT, .dirfd = -1 };

	switch (item->action) {
	case EBB_ACT_AGE:
		return submit_age(d, item);
	case EBB_ACT_RECLAIM:
	case EBB_ACT_RECLAIM_EXIT:
	case EBB_ACT_RECLAIM_ORPHANS:
		return submit_reclaim(d, item);
	case EBB_ACT_COMPACT:
		return act_submit(d->act, &compact);
	case EBB_ACT_LIMIT:
	case EBB_ACT_SWAP_LIMIT:
		return submit_limit(d, item->action, item->id, item->limit, item);
	}
	return -EINVAL;
}

/* For want of room, descriptors or memory: policy counts it as an act that failed, and not as done.
 */
static void refused(struct daemon *d, const struct ebb_plan_item *item, int error)
{
	struct track *t = track_find(d, item->id);

	if (!t || item->action == EBB_ACT_LIMIT || item->action == EBB_ACT_SWAP_LIMIT)
		return;
	t->last_action = item->action;
	t->last = (struct ebb_outcome){ .seq = t->last.seq + 1,
					.ended_ms = now_ms(),
					.error = error,
					.aged = item->action == EBB_ACT_AGE };
}

void dispatch_plan(struct daemon *d)
{
	if (d->plan.cap.used)
		log_debug("cap: %llu MiB in use, %llu held of %llu, reserve %llu",
			  (unsigned long long)d->plan.cap.used >> 20,
			  (unsigned long long)d->plan.cap.held >> 20,
			  (unsigned long long)d->plan.cap.room >> 20,
			  (unsigned long long)d->plan.cap.reserve >> 20);
	drop_limits(d);
	for (size_t i = 0; i < d->plan.nr_items; i++) {
		const struct ebb_plan_item *item = &d->plan.items[i];
		int r = submit(d, item);

		log_debug("plan: %s %llu anon %llu file %llu (%s)%s%s",
			  ebb_action_name(item->action), (unsigned long long)item->id,
			  (unsigned long long)item->anon, (unsigned long long)item->file,
			  ebb_reason_name(item->reason), r ? ": " : "", r ? strerror(-r) : "");
		/* Gone or busy: the next snapshot shows it. */
		if (!r || r == -ESTALE || r == -ENOENT || r == -EBUSY || r == -EAGAIN)
			continue;
		refused(d, item, r);
		if (r != -ENOSPC)
			log_warn("cannot queue %s: %s", ebb_action_name(item->action),
				 strerror(-r));
	}
}

static void count(struct daemon *d, const struct act_result *r)
{
	switch (r->action) {
	case EBB_ACT_RECLAIM:
		d->totals.reclaimed += r->got;
		break;
	case EBB_ACT_RECLAIM_EXIT:
		d->totals.reclaimed += r->got;
		d->totals.exit_reclaimed += r->got;
		break;
	case EBB_ACT_RECLAIM_ORPHANS:
		d->totals.reclaimed += r->got;
		d->totals.exit_reclaimed += r->got;
		d->totals.orphans += r->got;
		break;
	case EBB_ACT_COMPACT:
		d->totals.compactions++;
		break;
	case EBB_ACT_AGE:
	case EBB_ACT_LIMIT:
	case EBB_ACT_SWAP_LIMIT:
		break;
	}
	/* What the dead left cannot always be told from the living: then act refuses. */
	if (r->action == EBB_ACT_RECLAIM_ORPHANS &&
	    (r->error == -EOPNOTSUPP || r->error == -EBUSY || r->error == -E2BIG)) {
		log_debug("left alone: what removed groups below %llu left: %s",
			  (unsigned long long)r->id, strerror(-r->error));
	} else if (r->error) {
		d->totals.failed++;
		snprintf(d->totals.last_error, sizeof(d->totals.last_error), "%s: %s",
			 ebb_action_name(r->action), strerror(-r->error));
		log_warn("%s of group %llu failed: %s", ebb_action_name(r->action),
			 (unsigned long long)r->id, strerror(-r->error));
	}
}

static void limit_done(struct daemon *d, const struct act_result *r)
{
	if (r->changed) {
		log_info("somebody else has set memory.max of group %llu: left alone",
			 (unsigned long long)r->id);
		tree_holder_changed(d->tree, r->id, r->found, now_ms());
	}
	if (r->error)
		tree_holder_failed(d->tree, r->id, false, now_ms());
	else
		tree_holder_set(d->tree, r->id, false);
	if (!r->error && !d->opts.dry_run)
		tick_soon(d, LIMITED_MS);
}

static void swap_limit_done(struct daemon *d, const struct act_result *r)
{
	if (r->changed)
		log_info("somebody else has set memory.swap.max of group %llu: left alone",
			 (unsigned long long)r->id);
	if (r->changed)
		tree_holder_swap_changed(d->tree, r->id);
	if (r->error)
		tree_holder_failed(d->tree, r->id, true, now_ms());
	else
		tree_holder_set(d->tree, r->id, true);
}

void dispatch_done(void *arg, const struct act_result *r)
{
	struct daemon *d = arg;
	struct track *t = track_find(d, r->id);

	log_debug("done: %s %llu asked %llu got %llu in %llu ms%s", ebb_action_name(r->action),
		  (unsigned long long)r->id, (unsigned long long)r->asked,
		  (unsigned long long)r->got, (unsigned long long)r->wall_us / 1000,
		  r->timed_out ? ", deadline" : "");
	count(d, r);
	if (r->action == EBB_ACT_LIMIT) {
		limit_done(d, r);
		return;
	}
	if (r->action == EBB_ACT_SWAP_LIMIT) {
		swap_limit_done(d, r);
		return;
	}
	if (t) {
		t->last_action = r->action;
		t->last = (struct ebb_outcome){ .seq = t->last.seq + 1,
						.ended_ms = now_ms(),
						.asked = r->asked,
						.got = r->got,
						.error = r->error,
						.aged = r->action == EBB_ACT_AGE,
						.timed_out = r->timed_out };
	}
	/* Ages are fresh now, and what an act brought decides on the next. */
	if (!d->opts.dry_run)
		tick_soon(d, 0);
}
