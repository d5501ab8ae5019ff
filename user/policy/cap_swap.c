// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compressed swap is memory too. What does not compress gains nothing by going there: it leaves a
 * group below its limit, and takes the same room outside of it (measured: cap = 1 GiB, a container
 * of 1,300 MiB of random bytes: 1,252 MiB in use and nobody killed, since the kernel went on
 * swapping). So what of late went there is compared with what it takes there. Where that saved
 * little, the groups that it came from get no more swap, and where they want more than their limit
 * they meet it for good: the kernel kills inside of that group.
 *
 * Not so for ever: what a group has may change, and the one at fault may be gone. After a rest it
 * is tried again, and each time in a row that it saves nothing the next rest is twice as long.
 */
#include "policy/internal.h"

#define SAMPLE (8 * MIB) /* what has to have gone there for a judgement */
#define SAVED_PART 4 /* less than 1 / this saved is little. zram stores 80% and more as it is */
#define ITS_PART 4 /* from one group at least so much of it, for it to be its doing */
#define ROOM (16 * MIB)
#define REST_MIN_MS 10000u
#define REST_MAX_MS 300000u
/* A zram of ours takes CAP / 2 at most, and then fails the writes, without end (swap_text.c). */
#define POOL_PART 2
#define POOL_NEAR 64 /* CAP / this less than that is full … */
#define POOL_FREE 16 /* … and so much less is not any more */

/* Its limit cannot be met by swapping: below what it has, the kernel has to kill. */
bool cap_must_kill(const struct step *s, const struct ebb_holder *h)
{
	if (h->swap_set != UINT64_MAX || h->swap_busy || s->snap->machine.swap_free < SAMPLE)
		return true;
	for (size_t i = 0; s->holding && i < s->plan->nr_items; i++)
		if (s->plan->items[i].id == h->id && s->plan->items[i].action == EBB_ACT_SWAP_LIMIT)
			return s->plan->items[i].limit != UINT64_MAX;
	return false;
}

/* What of anon may go to swap, of one container. */
uint64_t cap_anon_room(const struct step *s, const struct ebb_snap_container *c)
{
	size_t low = 0, high = s->snap->nr_holders;

	if (!s->state->cap.pool.held)
		return reclaim_anon_room(&s->snap->machine);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct ebb_holder *h = &s->snap->holders[mid];

		if (h->id == c->holder)
			return h->swap_set == UINT64_MAX && !h->swap_busy
				       ? reclaim_anon_room(&s->snap->machine)
				       : 0;
		if (h->id < c->holder)
			low = mid + 1;
		else
			high = mid;
	}
	return reclaim_anon_room(&s->snap->machine);
}

/* Of one holder, since the last sample. */
static uint64_t swapped_of(const struct step *s, uint64_t holder)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->snap->nr_containers; i++)
		if (s->snap->containers[i].holder == holder)
			bytes += sub_u64(s->snap->containers[i].swap, s->state->slots[i].swap_seen);
	return bytes;
}

static void new_sample(struct step *s, struct policy_pool *p)
{
	p->known = true;
	p->original = s->snap->machine.compressed_original;
	p->compressed = s->snap->machine.compressed;
	for (size_t i = 0; i < s->snap->nr_containers; i++)
		s->state->slots[i].swap_seen = s->snap->containers[i].swap;
}

/* No more swap for those whose doing it is: at least so many bytes of the sample. */
static void hold(struct step *s, struct policy_pool *p, uint64_t least)
{
	bool any = false;

	for (size_t i = 0; i < s->snap->nr_holders; i++) {
		const struct ebb_holder *h = &s->snap->holders[i];

		if (h->left_alone || h->swap_left_alone || h->swap_busy ||
		    h->swap_set != UINT64_MAX || swapped_of(s, h->id) < least)
			continue;
		/* A limit that is on its way down stands below what it has: room to meet it. */
		plan_add(s, h->id, EBB_ACT_SWAP_LIMIT, EBB_REASON_CAP)->limit = h->swap + ROOM;
		any = true;
	}
	if (!any)
		return;
	p->rest_ms = min_u64(max_u64(2ull * p->rest_ms, REST_MIN_MS), REST_MAX_MS);
	p->until_ms = s->snap->now_ms + p->rest_ms;
	s->holding = true;
	/* What the outside grew by was this, and is nothing to keep a reserve for. */
	s->state->cap.rate = 0;
	s->state->cap.known = false;
}

/* Gives it back to all of them: what the rest was for is tried anew. */
static void let_go(struct step *s)
{
	for (size_t i = 0; i < s->snap->nr_holders; i++) {
		const struct ebb_holder *h = &s->snap->holders[i];

		if (h->swap_set != UINT64_MAX && !h->swap_busy)
			plan_add(s, h->id, EBB_ACT_SWAP_LIMIT, EBB_REASON_NONE)->limit = UINT64_MAX;
	}
}

static uint64_t pool_room(const struct step *s)
{
	return sub_u64(s->config->cap / POOL_PART, s->snap->machine.compressed);
}

/* True when the sample was large enough to tell. */
static bool judge(struct step *s, struct policy_pool *p)
{
	const struct ebb_snap_machine *m = &s->snap->machine;
	uint64_t went = sub_u64(m->compressed_original, p->original);
	uint64_t takes = sub_u64(m->compressed, p->compressed);

	if (went < SAMPLE)
		return m->compressed_original < p->original; /* it came back: from here, then */
	if (takes > went - went / SAVED_PART)
		hold(s, p, went / ITS_PART);
	else if (takes < went / 2 && !p->held)
		p->rest_ms = 0;
	return true;
}

void cap_swap(struct step *s)
{
	struct policy_pool *p = &s->state->cap.pool;
	bool full = pool_room(s) < s->config->cap / POOL_NEAR;

	p->held = false;
	for (size_t i = 0; i < s->snap->nr_holders; i++)
		p->held |= s->snap->holders[i].swap_set != UINT64_MAX;
	if (p->known && full)
		hold(s, p, 0);
	else if (p->held && s->snap->now_ms >= p->until_ms &&
		 pool_room(s) >= s->config->cap / POOL_FREE)
		let_go(s);
	else if (p->known && !judge(s, p))
		return;
	new_sample(s, p);
}

void cap_swap_release(struct step *s)
{
	s->state->cap.pool = (struct policy_pool){ 0 };
	let_go(s);
}
