// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compressed swap is memory too. What does not compress gains nothing by going there: it leaves a
 * group below its limit, and takes the same room outside of it (measured: cap = 1 GiB, a container
 * of 1,300 MiB of random bytes: 1,252 MiB in use and nobody killed, since the kernel went on
 * swapping). So what of late went there is compared with what it takes there. Where that saved
 * little, the groups that it came from get no more swap, and where they want more than their limit
 * they meet it for good: the kernel kills inside of that group.
 *
 * Two that swap at the same time show in one figure. What each of them is known for is corrected
 * with every sample, by its part in it (a normalized least mean square), so that the one that
 * compresses is not held beside the one that does not.
 *
 * Not so for ever: what a group has may change, and the one at fault may be gone. After a rest it
 * is tried again, and each time in a row that it saves nothing the next rest is twice as long.
 */
#include "policy/internal.h"

#define SAMPLE (8 * MIB) /* what has to have gone there for a judgement */
#define SAVED_PART 4 /* less than 1 / this saved is little. zram stores 80% and more as it is */
#define ITS_PART 4 /* from one group at least so much of it, for it to be its doing */
#define USUAL_PPM 333333 /* what of memory of which nothing is known yet is taken to be left */
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

/* What of one container went to swap since the last sample. */
static uint64_t grown(const struct step *s, size_t i)
{
	return sub_u64(s->snap->containers[i].swap, s->state->slots[i].swap_seen);
}

/* Of one holder. */
static uint64_t swapped_of(const struct step *s, uint64_t holder)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->snap->nr_containers; i++)
		if (s->snap->containers[i].holder == holder)
			bytes += grown(s, i);
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

static int64_t known_ppm(const struct policy_container *p)
{
	return p->swap_ppm ? p->swap_ppm : USUAL_PPM;
}

/* takes_ppm: of all that went there since the last sample, what it takes. */
static void learn(struct step *s, uint64_t takes_ppm)
{
	uint64_t all = 0;
	int64_t squares = 0, expected = 0, error;

	for (size_t i = 0; i < s->snap->nr_containers; i++)
		all += grown(s, i);
	if (!all)
		return;
	for (size_t i = 0; i < s->snap->nr_containers; i++) {
		int64_t part = (int64_t)(grown(s, i) * 1000 / all);

		squares += part * part;
		expected += part * known_ppm(&s->state->slots[i]) / 1000;
	}
	error = (int64_t)takes_ppm - expected;
	for (size_t i = 0; i < s->snap->nr_containers && squares; i++) {
		struct policy_container *p = &s->state->slots[i];
		int64_t part = (int64_t)(grown(s, i) * 1000 / all);
		int64_t ppm = known_ppm(p) + error * part * 1000 / squares;

		if (part)
			p->swap_ppm = (uint32_t)(ppm < 1 ? 1 : ppm > POLICY_PPM ? POLICY_PPM : ppm);
	}
}

/* Of what a holder had go there: saved it little? */
static bool stores_badly(const struct step *s, uint64_t holder)
{
	uint64_t bytes = 0, takes = 0;

	for (size_t i = 0; i < s->snap->nr_containers; i++) {
		if (s->snap->containers[i].holder != holder)
			continue;
		bytes += grown(s, i);
		takes += grown(s, i) / 1000 * (uint64_t)known_ppm(&s->state->slots[i]) / 1000;
	}
	return takes > bytes - bytes / SAVED_PART;
}

enum whom { WHO_STORES_BADLY, EVERYBODY };

/*
 * No more swap for those whose doing it is: at least so many bytes of the sample, and badly stored
 * (or whatever they are). False: nobody.
 */
static bool hold(struct step *s, struct policy_pool *p, uint64_t least, enum whom whom)
{
	bool any = false;

	for (size_t i = 0; i < s->snap->nr_holders; i++) {
		const struct ebb_holder *h = &s->snap->holders[i];

		if (h->left_alone || h->swap_left_alone || h->swap_busy ||
		    h->swap_set != UINT64_MAX || swapped_of(s, h->id) < least ||
		    (whom == WHO_STORES_BADLY && !stores_badly(s, h->id)))
			continue;
		/* A limit that is on its way down stands below what it has: room to meet it. */
		plan_add(s, h->id, EBB_ACT_SWAP_LIMIT, EBB_REASON_CAP)->limit = h->swap + ROOM;
		any = true;
	}
	if (!any)
		return false;
	p->rest_ms = min_u64(max_u64(2ull * p->rest_ms, REST_MIN_MS), REST_MAX_MS);
	p->until_ms = s->snap->now_ms + p->rest_ms;
	s->holding = true;
	/* What the outside grew by was this, and is nothing to keep a reserve for. */
	s->state->cap.rate = 0;
	s->state->cap.known = false;
	return true;
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
	learn(s, min_u64(takes, 2 * went) * 1000 / (went / 1000));
	if (takes > went - went / SAVED_PART) {
		if (!hold(s, p, went / ITS_PART / 2, WHO_STORES_BADLY))
			hold(s, p, went / ITS_PART, EVERYBODY);
	} else if (takes < went / 2 && !p->held) {
		p->rest_ms = 0;
	}
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
		hold(s, p, 0, EVERYBODY);
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
