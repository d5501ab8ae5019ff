// SPDX-License-Identifier: GPL-2.0-only
/* The room below the cap, dealt out to the groups that hold containers. */
#include "policy/internal.h"

#define KEEP_PART                                                                                  \
	64 /* differences of CAP / this are left: a limit that moves is a pass over lists */
#define NEAR_PART 4 /* of its part of the slack, what is left to one that is near its limit */
#define NEAR_WEIGHT 4 /* how many parts that one gets */
#define GRAIN (256 * KIB)
#define BATCH (16 * MIB)
#define DEADLINE_MS 2000u
#define FLOOR (8 * MIB) /* with less nothing can even be started, to free what others hold */
#define SPARE (2 * MIB)
#define ROUNDS 32

static bool managed(const struct ebb_holder *h)
{
	return !h->left_alone;
}

/* What it may grow to as things stand. */
static uint64_t stands(const struct ebb_holder *h)
{
	return min_u64(h->set, h->limit);
}

struct deal {
	const struct ebb_holder *holders;
	size_t nr;
	uint64_t slack; /* to be dealt out */
	uint64_t part; /* of it, what weight 1 gets; UINT64_MAX: nobody has to be held back */
};

static uint64_t growth(const struct ebb_holder *h)
{
	return sub_u64(h->limit, h->bytes);
}

static bool is_near(const struct ebb_holder *h, uint64_t even)
{
	return sub_u64(stands(h), h->bytes) < even / NEAR_PART;
}

static uint64_t weight(const struct deal *d, const struct ebb_holder *h)
{
	return is_near(h, d->slack / d->nr) ? NEAR_WEIGHT : 1;
}

/* Those whose own limit is nearer than their part leave the rest of it to the others. */
static void deal_parts(struct deal *d)
{
	uint64_t part = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t left = d->slack, weights = 0, next;

		for (size_t i = 0; i < d->nr; i++) {
			const struct ebb_holder *h = &d->holders[i];

			if (!managed(h))
				continue;
			if (round && growth(h) <= part * weight(d, h))
				left = sub_u64(left, growth(h));
			else
				weights += weight(d, h);
		}
		next = weights ? left / weights : UINT64_MAX / (2 * NEAR_WEIGHT);
		if (next == part)
			break;
		part = next;
	}
	d->part = part;
}

static size_t count(const struct ebb_snapshot *snap, uint64_t *ret_bytes, uint64_t *ret_stands)
{
	size_t n = 0;

	*ret_bytes = *ret_stands = 0;
	for (size_t i = 0; i < snap->nr_holders; i++) {
		const struct ebb_holder *h = &snap->holders[i];

		if (!managed(h))
			continue;
		n++;
		*ret_bytes += h->bytes;
		*ret_stands = stands(h) > UINT64_MAX / 2 - *ret_stands ? UINT64_MAX / 2
								       : *ret_stands + stands(h);
	}
	return n;
}

/* What it has, and a little: small ones go on while a large one gives. */
static uint64_t demand(const struct ebb_holder *h)
{
	return h->bytes + h->bytes / 16 + 4 * MIB;
}

/* Of those whose limit would kill, the largest: one at a time. 0: nobody has to go. */
static uint64_t find_victim(const struct step *s, bool kill)
{
	const struct ebb_holder *found = NULL;

	for (size_t i = 0; kill && i < s->snap->nr_holders; i++) {
		const struct ebb_holder *h = &s->snap->holders[i];

		if (managed(h) && cap_must_kill(s, h) && (!found || h->bytes > found->bytes))
			found = h;
	}
	return found ? found->id : 0;
}

/* It stays as it is: a little above what it has, for a limit that is met would kill there. */
static bool is_spared(const struct step *s, const struct ebb_holder *h, uint64_t victim)
{
	return h->id != victim && cap_must_kill(s, h);
}

static uint64_t spared_bytes(const struct ebb_holder *h)
{
	return min_u64(h->bytes + SPARE, max_u64(stands(h), h->bytes + GRAIN));
}

/* The level down to which the largest have to come so that all of it fits. */
static uint64_t level_of(const struct step *s, uint64_t room, uint64_t victim)
{
	const struct ebb_snapshot *snap = s->snap;
	uint64_t level = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t left = room, above = 0, next;

		for (size_t i = 0; i < snap->nr_holders; i++) {
			const struct ebb_holder *h = &snap->holders[i];

			if (!managed(h))
				continue;
			if (is_spared(s, h, victim))
				left = sub_u64(left, spared_bytes(h));
			else if (round && demand(h) <= level)
				left = sub_u64(left, demand(h));
			else
				above++;
		}
		next = above ? left / above : level;
		if (round && next == level)
			break;
		level = next;
	}
	return level;
}

static void set(struct step *s, const struct ebb_holder *h, uint64_t bytes)
{
	uint64_t same = s->config->cap / KEEP_PART / 4;
	struct ebb_plan_item *item;

	bytes = max_u64(bytes & ~(GRAIN - 1), FLOOR);
	if (bytes >= h->limit)
		bytes = UINT64_MAX; /* their own limit is what holds it */
	if (bytes == h->set || h->busy)
		return;
	if (bytes != UINT64_MAX && h->set != UINT64_MAX && sub_u64(bytes, h->set) < same &&
	    sub_u64(h->set, bytes) < same)
		return;
	item = plan_add(s, h->id, EBB_ACT_LIMIT, EBB_REASON_CAP);
	item->limit = bytes;
	item->batch = BATCH;
	item->deadline_ms = DEADLINE_MS;
}

/* Nobody is near its limit while there is slack, all of it fits, and not much is left over. */
static bool holds(const struct step *s, uint64_t room, uint64_t slack, size_t n, uint64_t sum)
{
	uint64_t keep = s->config->cap / KEEP_PART;

	if (sum > room + keep)
		return false;
	for (size_t i = 0; i < s->snap->nr_holders; i++) {
		const struct ebb_holder *h = &s->snap->holders[i];

		if (!managed(h) || h->set == UINT64_MAX)
			continue;
		/* Also the room that others left: more than what it has now, by a difference. */
		if (is_near(h, slack / n) && slack > keep &&
		    stands(h) < h->bytes + slack - keep / 2)
			return false;
		if (sum + keep < room)
			return false;
	}
	return true;
}

/*
 * room for all of them together. Where they have more, those that have most lose first (below; by
 * a kill inside of it where there is nothing to swap to: kill), or they stay as they are until
 * early reclaim has had its turn.
 */
void cap_limits(struct step *s, uint64_t room, bool below, bool kill)
{
	const struct ebb_snapshot *snap = s->snap;
	struct deal d = { .holders = snap->holders, .nr = snap->nr_holders };
	uint64_t bytes, sum, level, victim;
	size_t n = count(snap, &bytes, &sum);

	if (!n)
		return;
	d.slack = sub_u64(room, bytes);
	if (holds(s, room, d.slack, n, sum))
		return;
	if (room < bytes) {
		victim = find_victim(s, kill);
		level = level_of(s, room, victim);
		for (size_t i = 0; i < snap->nr_holders; i++) {
			const struct ebb_holder *h = &snap->holders[i];

			if (!managed(h))
				continue;
			if (is_spared(s, h, victim))
				set(s, h, spared_bytes(h));
			else
				set(s, h, below || kill ? min_u64(demand(h), level) : h->bytes);
		}
		return;
	}
	deal_parts(&d);
	for (size_t i = 0; i < snap->nr_holders; i++) {
		const struct ebb_holder *h = &snap->holders[i];

		if (managed(h))
			set(s, h, h->bytes + min_u64(d.part * weight(&d, h), UINT64_MAX / 2));
	}
}

void cap_release(struct step *s)
{
	for (size_t i = 0; i < s->snap->nr_holders; i++) {
		const struct ebb_holder *h = &s->snap->holders[i];

		if (h->set == UINT64_MAX || h->busy)
			continue;
		plan_add(s, h->id, EBB_ACT_LIMIT, EBB_REASON_NONE)->limit = UINT64_MAX;
	}
}
