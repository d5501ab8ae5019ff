// SPDX-License-Identifier: GPL-2.0-only
/* One step: every container, then what nobody owns, then the machine. */
#include <errno.h>
#include <string.h>

#include "policy/internal.h"

#define WAKE_MAX_MS 60000u

uint64_t policy_cold_after_ms(const struct ebb_config *config)
{
	return config->cold_after_ms ? config->cold_after_ms : POLICY_DEFAULT_COLD_MS;
}

/* A host that is short gains from less patience; a time that a person set is kept. */
static uint64_t cold_ms_now(const struct ebb_snapshot *snap, const struct ebb_config *config)
{
	uint64_t ms = policy_cold_after_ms(config);

	if (config->cold_after_ms || !snap->host.talking)
		return ms;
	switch (snap->host.level) {
	case EBB_HOST_LOW:
		return ms / 2;
	case EBB_HOST_HIGH:
		return ms / 4;
	case EBB_HOST_EASE:
		break;
	}
	return ms;
}

struct ebb_plan_item *plan_add(struct step *s, uint64_t id, enum ebb_action action,
			       enum ebb_reason reason)
{
	struct ebb_plan_item *item = &s->plan->items[s->plan->nr_items++];

	*item = (struct ebb_plan_item){ .id = id, .action = action, .reason = reason };
	return item;
}

void plan_wake(struct step *s, uint64_t ms)
{
	/* Not in the past, and not sooner than the daemon can think of something new. */
	s->plan->next_ms = min_u64(s->plan->next_ms, max_u64(ms, s->snap->now_ms + 100));
}

/* Brings the slots in line with the snapshot: both are sorted by id. */
static void slots_merge(struct policy_state *st, const struct ebb_snapshot *snap)
{
	size_t kept = 0, i = 0, from, to;

	/* Those that are gone: what they held became free. */
	for (size_t k = 0; k < st->nr; k++) {
		while (i < snap->nr_containers && snap->containers[i].id < st->slots[k].id)
			i++;
		if (i < snap->nr_containers && snap->containers[i].id == st->slots[k].id) {
			st->slots[kept++] = st->slots[k];
			continue;
		}
		st->exit_bytes += st->slots[k].level_bytes;
		st->refaulted_gone += st->slots[k].refaulted;
	}
	st->nr = kept;
	/* Those that are new: from the back, so that nothing is overwritten. */
	from = kept;
	to = snap->nr_containers;
	while (to > 0) {
		uint64_t id = snap->containers[to - 1].id;

		if (from > 0 && st->slots[from - 1].id == id)
			st->slots[to - 1] = st->slots[--from];
		else
			st->slots[to - 1] = (struct policy_container){ .id = id };
		to--;
	}
	st->nr = snap->nr_containers;
}

static void step_living(struct step *s, const struct ebb_snap_container *c,
			struct policy_container *p, struct ebb_verdict *v)
{
	bool starting = startup_step(s, c, p);

	v->growing = startup_growing(s, p);
	p->exit_tries = 0;
	if (c->paused || s->snap->paused) {
		v->state = EBB_STATE_PAUSED;
		v->reason = EBB_REASON_PAUSED;
	} else if (c->reclaim_off) {
		v->state = EBB_STATE_OFF;
		v->reason = EBB_REASON_OFF;
	} else if (c->busy) {
		v->state = p->state;
		v->reason = p->reason == EBB_REASON_NONE ? EBB_REASON_BUSY : p->reason;
		v->cold = p->cold;
		if (v->reason == EBB_REASON_COLD)
			s->taking = true;
	} else if (starting) {
		v->state = EBB_STATE_STARTING;
		v->reason = EBB_REASON_STARTING;
		startup_age(s, c, p);
	} else if (c->can_age && c->ages_known) {
		reclaim_by_age(s, c, p, v);
	} else {
		reclaim_blind(s, c, p, v);
	}
}

static void step_container(struct step *s, const struct ebb_snap_container *c,
			   struct policy_container *p)
{
	struct ebb_verdict *v = &s->plan->verdicts[s->plan->nr_verdicts++];

	*v = (struct ebb_verdict){ .id = c->id };
	feedback_absorb(s, c, p);
	if (c->populated)
		step_living(s, c, p, v);
	else
		leftover_exit(s, c, p, v);
	if (v->state == EBB_STATE_RECLAIMING && (c->busy || p->cold_anon >= 16 * MIB))
		s->taking = true; /* also while it is aged between two portions */
	v->working_set = sub_u64(c->bytes, v->cold);
	v->taken = p->taken;
	v->refaulted = p->refaulted;
	p->state = v->state;
	p->reason = v->reason;
	p->aged_ms = c->aged_ms;
	p->known = true;
}

static bool sorted(const struct ebb_snapshot *snap)
{
	for (size_t i = 1; i < snap->nr_containers; i++)
		if (snap->containers[i - 1].id >= snap->containers[i].id)
			return false;
	return true;
}

int policy_step(const struct ebb_snapshot *snap, const struct ebb_config *config,
		struct policy_state *state, struct ebb_plan *plan)
{
	struct step s = {
		.snap = snap,
		.config = config,
		.state = state,
		.plan = plan,
		.cold_ms = cold_ms_now(snap, config),
	};

	if (!sorted(snap) || state->max < snap->nr_containers ||
	    plan->max_verdicts < snap->nr_containers ||
	    plan->max_items < snap->nr_containers + snap->nr_orphans + 2 * snap->nr_holders +
				      snap->nr_others + 1)
		return -EINVAL;
	plan->nr_items = 0;
	plan->nr_verdicts = 0;
	plan->next_ms = snap->now_ms + WAKE_MAX_MS;
	slots_merge(state, snap);
	for (size_t i = 0; i < snap->nr_containers; i++)
		step_container(&s, &snap->containers[i], &state->slots[i]);
	if (!snap->paused)
		leftover_orphans(&s);
	means_step(&s);
	cap_step(&s);
	compaction_step(&s);
	footprint_step(&s);
	cap_verdicts(&s);
	means_publish(&s);
	return 0;
}
