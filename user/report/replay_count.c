// SPDX-License-Identifier: GPL-2.0-only
/* What was decided on each container over a recording, as recorded and otherwise. */
#include "report/replay_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/by_id.h"
#include "lib/cleanup.h"

#define KIB UINT64_C(1024)

/* The place of id, or where it would stand. */
static size_t place_of(const struct replay *r, uint64_t id)
{
	return BY_ID_PLACE(r->containers, r->nr_containers, id);
}

/* NULL: none of that id. */
static struct replay_container *find(const struct replay *r, uint64_t id)
{
	size_t i = place_of(r, id);

	return i < r->nr_containers && r->containers[i].id == id ? &r->containers[i] : NULL;
}

/* NULL: no memory. */
static struct replay_container *find_or_add(struct replay *r, uint64_t id)
{
	struct replay_container *found = find(r, id);
	size_t i = place_of(r, id);

	if (found)
		return found;
	if (r->nr_containers == r->max_containers) {
		size_t max = r->max_containers ? 2 * r->max_containers : 16;
		void *p = reallocarray(r->containers, max, sizeof(r->containers[0]));

		if (!p)
			return NULL;
		r->containers = p;
		r->max_containers = max;
	}
	memmove(&r->containers[i + 1], &r->containers[i],
		(r->nr_containers - i) * sizeof(r->containers[0]));
	r->containers[i] = (struct replay_container){ .id = id };
	r->nr_containers++;
	return &r->containers[i];
}

static const struct replay_change *last_change(const struct replay_side *s)
{
	return s->nr_changes ? &s->changes[s->nr_changes - 1] : NULL;
}

static int note_change(struct replay_side *s, uint64_t at_ms, const struct ebb_verdict *v)
{
	const struct replay_change *last = last_change(s);

	if (last && last->state == v->state && last->reason == v->reason)
		return 0;
	if (!s->changes || s->nr_changes == s->max_changes) {
		size_t max = s->max_changes ? 2 * s->max_changes : 8;
		void *p = reallocarray(s->changes, max, sizeof(s->changes[0]));

		if (!p)
			return -ENOMEM;
		s->changes = p;
		s->max_changes = max;
	}
	s->changes[s->nr_changes++] =
		(struct replay_change){ .at_ms = at_ms, .state = v->state, .reason = v->reason };
	return 0;
}

/* A verdict holds until the next turn. */
static void add_time(struct replay_container *c, uint64_t ms)
{
	bool differ = false;

	c->ms += ms;
	for (size_t i = 0; i < ARRAY_SIZE(c->side); i++) {
		const struct replay_change *now = last_change(&c->side[i]);

		if (!now)
			continue;
		c->side[i].ms[now->state][now->reason] += ms;
		c->side[i].cold_sum += c->side[i].cold_last / KIB * ms;
		differ = i && (now->state != last_change(&c->side[0])->state ||
			       now->reason != last_change(&c->side[0])->reason);
	}
	if (differ)
		c->differ_ms += ms;
}

static bool evicts(const struct ebb_plan_item *item)
{
	return item->action == EBB_ACT_RECLAIM || item->action == EBB_ACT_RECLAIM_EXIT ||
	       item->action == EBB_ACT_RECLAIM_ORPHANS;
}

static void count_items(struct replay *r, int which)
{
	const struct ebb_plan *plan = &r->run[which].plan;
	struct replay_totals *t = &r->totals[which];

	for (size_t i = 0; i < plan->nr_items; i++) {
		const struct ebb_plan_item *item = &plan->items[i];
		struct replay_container *c = find(r, item->id);
		struct replay_side *side;

		t->acts[item->action]++;
		t->asked += evicts(item) ? item->anon + item->file : 0;
		if (!c)
			continue;
		side = &c->side[which];
		side->ageings += item->action == EBB_ACT_AGE;
		side->acts += evicts(item);
		side->asked += evicts(item) ? item->anon + item->file : 0;
	}
	if (plan->footprint.want && (!t->want_least || plan->footprint.want < t->want_least))
		t->want_least = plan->footprint.want;
	t->want_last = plan->footprint.want;
}

static int count_verdict(struct replay *r, struct replay_container *c, int which, size_t i)
{
	const struct ebb_verdict *v = &r->run[which].plan.verdicts[i];
	struct replay_side *side = &c->side[which];

	side->cold_last = v->cold;
	if (v->cold > side->cold_most)
		side->cold_most = v->cold;
	return note_change(side, r->rec.snap.now_ms - r->first_ms, v);
}

/* A group that was missing from one look is counted from zero again. */
static uint64_t since(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

int replay_count(struct replay *r)
{
	uint64_t now = r->rec.snap.now_ms, ms = r->last_ms ? now - r->last_ms : 0;
	const struct ebb_plan *plan = &r->run[AS_RECORDED].plan;

	for (size_t i = 0; i < plan->nr_verdicts; i++) {
		const struct ebb_verdict *v = &plan->verdicts[i];
		struct replay_container *c = find_or_add(r, v->id);

		if (!c)
			return -ENOMEM;
		if (!c->side[AS_RECORDED].nr_changes) {
			c->first_ms = now - r->first_ms;
			c->taken_before = v->taken;
			c->refaulted_before = v->refaulted;
		} else {
			add_time(c, ms);
		}
		c->last_ms = now - r->first_ms;
		c->taken = since(v->taken, c->taken_before);
		c->refaulted = since(v->refaulted, c->refaulted_before);
		for (int which = 0; which <= (r->other ? AS_OTHER : AS_RECORDED); which++) {
			int err = count_verdict(r, c, which, i);

			if (err)
				return err;
		}
	}
	count_items(r, AS_RECORDED);
	if (r->other)
		count_items(r, AS_OTHER);
	return 0;
}

void replay_count_free(struct replay *r)
{
	for (size_t i = 0; i < r->nr_containers; i++)
		for (size_t k = 0; k < ARRAY_SIZE(r->containers[i].side); k++)
			free(r->containers[i].side[k].changes);
	free(r->containers);
}
