// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page cache of the system's own services counts as much as anybody's: an image that is pulled must
 * not push out the containers that run. It has no ages that we know: the kernel takes the oldest.
 *
 * What services run from is page cache, too, and containers that use their limits keep the room
 * full for good. So no more is asked for than nobody maps, and each group is judged by what came
 * back since: more than a hundredth, and it rests, twice as long each time, up to ten minutes.
 */
#include "policy/internal.h"

#define BATCH (32 * MIB)
#define DEADLINE_MS 2000u
#define WAIT_MIN_MS 1000u
#define WAIT_MAX_MS 600000u
#define ASK_MIN (4 * MIB)
#define BACK_PART 100 /* of what was asked for */
#define BACK_FLOOR (256 * KIB) /* fewer bytes than this tell nothing */

/* NULL: all slots are of others who wait for their next turn. */
static struct policy_other *slot_of(struct step *s, uint64_t id)
{
	struct policy_other *others = s->state->others, *oldest = others;

	for (size_t i = 0; i < POLICY_OTHER_SLOTS; i++) {
		if (others[i].id == id)
			return &others[i];
		if (others[i].next_ms < oldest->next_ms)
			oldest = &others[i];
	}
	if (oldest->next_ms > s->snap->now_ms)
		return NULL;
	*oldest = (struct policy_other){ .id = id, .wait_ms = WAIT_MIN_MS };
	return oldest;
}

/* Since it was asked last; false: it is to rest. */
static bool judge(const struct step *s, const struct ebb_other *o, struct policy_other *p)
{
	uint64_t back = sub_u64(o->refault_file, p->refaults);
	bool bad = back > BACK_FLOOR && back > p->asked / BACK_PART;

	if (!p->asked)
		return true;
	p->asked = 0;
	if (!bad) {
		p->wait_ms = max_u64(p->wait_ms / 2, WAIT_MIN_MS);
		return true;
	}
	p->wait_ms = min_u64(p->wait_ms * 2, WAIT_MAX_MS);
	p->next_ms = s->snap->now_ms + p->wait_ms;
	return false;
}

/* Bytes that it may be asked for now; its slot where that is not 0. */
static uint64_t may_give(struct step *s, const struct ebb_other *o, struct policy_other **ret)
{
	uint64_t most = min_u64(o->file / 2, sub_u64(o->file, o->file_mapped));
	struct policy_other *p;

	if (o->busy || most < ASK_MIN)
		return 0;
	p = slot_of(s, o->id);
	if (!p || s->snap->now_ms < p->next_ms || !judge(s, o, p))
		return 0;
	*ret = p;
	return most;
}

static void ask(struct step *s, const struct ebb_other *o, struct policy_other *p, uint64_t bytes)
{
	struct ebb_plan_item *item = plan_add(s, o->id, EBB_ACT_RECLAIM, EBB_REASON_CAP);

	item->file = bytes;
	item->batch = BATCH;
	item->deadline_ms = DEADLINE_MS;
	p->asked = bytes;
	p->refaults = o->refault_file;
	p->next_ms = s->snap->now_ms + p->wait_ms;
}

void cap_others(struct step *s, uint64_t want)
{
	struct policy_other *p = NULL;
	uint64_t total = 0;

	for (size_t i = 0; i < s->snap->nr_others; i++)
		total += may_give(s, &s->snap->others[i], &p);
	for (size_t i = 0; i < s->snap->nr_others; i++) {
		uint64_t most = may_give(s, &s->snap->others[i], &p);
		uint64_t part = min_u64(most, want * (most / KIB) / (total / KIB + 1));

		if (p && part >= ASK_MIN)
			ask(s, &s->snap->others[i], p, part);
	}
}
