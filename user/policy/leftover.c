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

/*
 * What an ended container's group holds and nobody is known to use. What is still mapped, somebody
 * else has mapped: of containers of one image the first one pays for the pages that all run from,
 * and evicting in a group the kernel does not look at accessed bits of others
 * (invalid_folio_referenced_vma()). Anon and shmem go with their last user: what is left has one.
 */
static uint64_t leftover_bytes(const struct ebb_snap_container *c)
{
	uint64_t used = c->shmem + c->file_mapped;

	return min_u64(sub_u64(c->file, used), sub_u64(c->bytes, c->protect));
}

void leftover_exit(struct step *s, const struct ebb_snap_container *c, struct policy_container *p,
		   struct ebb_verdict *v)
{
	uint64_t room = leftover_bytes(c);
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
	/* And one that could not even be begun, as with hundreds that end at once, is none. */
	if (c->last.error && !c->last.asked && c->last.ended_ms >= p->exit_ms && p->exit_tries)
		p->exit_tries = 1;
	if (c->busy || room < TAKE_MIN || p->exit_tries >= EXIT_TRIES || c->paused ||
	    s->snap->paused || c->reclaim_off)
		return;
	if (p->exit_tries && s->snap->now_ms < p->exit_ms + RETRY_MS) {
		plan_wake(s, p->exit_ms + RETRY_MS);
		return;
	}
	p->exit_tries++;
	p->exit_ms = s->snap->now_ms;
	item = plan_add(s, c->id, EBB_ACT_RECLAIM_EXIT, EBB_REASON_EXIT);
	item->keep = c->protect;
	item->file = room;
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
		struct policy_orphans *o;
		struct ebb_plan_item *item;

		if (left->bytes < ORPHANS_MIN)
			continue;
		if (left->busy) {
			s->taking = true;
			continue;
		}
		o = orphans_slot(s, left->parent);
		if (!o)
			continue;
		/* More than there was: somebody else ended. */
		if (left->bytes > o->bytes + ORPHANS_MIN)
			o->tries = 0;
		if (o->tries && s->snap->now_ms < o->next_ms) {
			plan_wake(s, o->next_ms);
			continue;
		}
		o->bytes = left->bytes;
		o->next_ms = s->snap->now_ms + ((uint64_t)RETRY_MS << o->tries);
		if (o->tries < RETRY_MAX_SHIFT)
			o->tries++;
		item = plan_add(s, left->parent, EBB_ACT_RECLAIM_ORPHANS, EBB_REASON_EXIT);
		item->file = left->bytes;
		item->batch = LEFTOVER_BATCH;
		item->deadline_ms = LEFTOVER_DEADLINE_MS;
		s->taking = true;
	}
}
