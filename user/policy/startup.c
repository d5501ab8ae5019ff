// SPDX-License-Identifier: GPL-2.0-only
/*
 * A container that starts is left alone until its growth levels off: what it
 * touches first it often touches again a moment later.
 */
#include "policy/internal.h"

#define LEVEL_MIN_MS 2000
#define LEVEL_MAX_MS 15000
#define LEVEL_AGE_MS 1000 /* level for so long: ages count from here */
/* A container that leaks or fills for ever still has cold memory: its ages prove it. */
#define STARTING_MAX_MS 60000

bool startup_step(struct step *s, const struct ebb_snap_container *c, struct policy_container *p)
{
	uint64_t now = s->snap->now_ms;
	uint64_t size = c->bytes + c->swap;
	uint64_t step = max_u64(p->level_bytes / 20, 2 * MIB);
	uint64_t window = s->cold_ms / 2;

	if (window < LEVEL_MIN_MS)
		window = LEVEL_MIN_MS;
	if (window > LEVEL_MAX_MS)
		window = LEVEL_MAX_MS;

	if (!p->known || size > p->level_bytes + step || size + step < p->level_bytes) {
		p->level_bytes = size;
		p->level_ms = now;
	}
	if (now - p->level_ms >= window)
		p->started = true;
	if (p->started || now - c->born_ms >= STARTING_MAX_MS + s->cold_ms)
		return false;
	plan_wake(s, p->level_ms + window);
	return true;
}

/*
 * Nothing is taken from it yet, but its ages can be learned meanwhile. The first pass comes as soon
 * as its size is level: passes come every T / 2 from there on, so what was not touched since is
 * known to be cold T later, and not T after the startup has been declared over.
 */
void startup_age(struct step *s, const struct ebb_snap_container *c, struct policy_container *p)
{
	struct coldness unused;

	if (!c->can_age || !c->ages_known)
		return;
	if (s->snap->now_ms - p->level_ms < LEVEL_AGE_MS) {
		plan_wake(s, p->level_ms + LEVEL_AGE_MS);
		return;
	}
	coldness_measure(s, c, p, &unused); /* for its samples, one a pass */
	if (ageing_due(s, c, p))
		plan_add(s, c->id, EBB_ACT_AGE, EBB_REASON_LEARNING);
}

/* Worth a closer look by the hooks that cost: it starts, or it grew a moment ago. */
bool startup_growing(const struct step *s, const struct policy_container *p)
{
	return s->snap->now_ms - p->level_ms < LEVEL_MIN_MS;
}
