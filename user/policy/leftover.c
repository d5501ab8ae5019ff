// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ended containers leave behind: page cache that stays charged to their
 * group, or, once that is removed, to nobody who lives.
 */
#include "policy/internal.h"

#define EXIT_TRIES 3
#define RETRY_MS 1000u
#define RETRY_MAX_SHIFT 8
#define LEFTOVER_BATCH (64 * MIB)
#define LEFTOVER_DEADLINE_MS 4000u
#define ORPHANS_MIN (4 * MIB)
#define MAPPED_MIN MIB /* the kernel counts in steps of 64 pages a CPU */

/*
 * It has no process: what of its files is mapped, others run. An image's programs are charged to
 * the container that read them first, and evicting all of it would take them from the rest, page by
 * page as they are between two uses.
 */
static uint64_t kept_of(const struct ebb_snap_container *c)
{
	return max_u64(c->protect, c->file_mapped >= MAPPED_MIN ? c->file_mapped : 0);
}

void leftover_exit(struct step *s, const struct ebb_snap_container *c, struct policy_container *p,
		   struct ebb_verdict *v)
{
	uint64_t kept = kept_of(c), room = sub_u64(c->bytes, kept);
	struct ebb_plan_item *item;

	/* What its processes held is free already; the rest follows. */
	s->state->exit_bytes += sub_u64(p->level_bytes, c->bytes);
	p->level_bytes = min_u64(p->level_bytes, c->bytes);
	v->state = EBB_STATE_EMPTY;
	v->reason = EBB_REASON_EXIT;
	p->cold = v->cold = room;
	s->taking |= c->busy;
	/* One that only ran out of time is no try that failed. */
	if (c->last.timed_out && c->last.got >= TAKE_MIN && c->last.ended_ms >= p->exit_ms)
		p->exit_tries = 0;
	if (c->busy || room < TAKE_MIN || p->exit_tries >= EXIT_TRIES || c->paused ||
	    s->snap->paused || c->reclaim_off)
		return;
	if (p->exit_tries && s->snap->now_ms < p->exit_ms + RETRY_MS) {
		plan_wake(s, p->exit_ms + RETRY_MS);
		return;
	}
	p->exit_tries++;
	p->exit_ms = s->snap->now_ms;
	/* All of it, without looking at amounts, unless a part stays. */
	item = plan_add(s, c->id, kept ? EBB_ACT_RECLAIM : EBB_ACT_RECLAIM_EXIT, EBB_REASON_EXIT);
	item->anon = min_u64(c->anon, room);
	item->file = min_u64(c->file, room - item->anon);
	item->batch = LEFTOVER_BATCH;
	item->deadline_ms = LEFTOVER_DEADLINE_MS;
	s->taking = true;
}

/* NULL: all slots are of others who wait for their next try. */
static struct policy_orphans *orphans_slot(struct step *s, uint64_t parent)
{
	struct policy_orphans *oldest = &s->state->orphans[0];

	for (size_t i = 0; i < POLICY_ORPHAN_SLOTS; i++) {
		struct policy_orphans *o = &s->state->orphans[i];

		if (o->parent == parent)
			return o;
		if (o->next_ms < oldest->next_ms)
			oldest = o;
	}
	if (oldest->next_ms > s->snap->now_ms)
		return NULL;
	*oldest = (struct policy_orphans){ .parent = parent };
	return oldest;
}

void leftover_orphans(struct step *s)
{
	for (size_t i = 0; i < s->snap->nr_orphans; i++) {
		const struct ebb_orphans *left = &s->snap->orphans[i];
		/* What a living process has mapped is no leftover. */
		uint64_t bytes = sub_u64(left->bytes, left->mapped);
		struct policy_orphans *o;
		struct ebb_plan_item *item;

		if (bytes < ORPHANS_MIN)
			continue;
		if (left->busy) {
			s->taking = true;
			continue;
		}
		o = orphans_slot(s, left->parent);
		if (!o)
			continue;
		/* More than there was: somebody else ended. */
		if (bytes > o->bytes + ORPHANS_MIN)
			o->tries = 0;
		if (o->tries && s->snap->now_ms < o->next_ms) {
			plan_wake(s, o->next_ms);
			continue;
		}
		o->bytes = bytes;
		o->next_ms = s->snap->now_ms + ((uint64_t)RETRY_MS << o->tries);
		if (o->tries < RETRY_MAX_SHIFT)
			o->tries++;
		item = plan_add(s, left->parent, EBB_ACT_RECLAIM_ORPHANS, EBB_REASON_EXIT);
		item->file = bytes;
		item->batch = LEFTOVER_BATCH;
		item->deadline_ms = LEFTOVER_DEADLINE_MS;
		s->taking = true;
	}
}
