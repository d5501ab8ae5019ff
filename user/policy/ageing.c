// SPDX-License-Identifier: GPL-2.0-only
/*
 * When to run an ageing pass.
 *
 * There are four generations and the oldest merge. Right after a pass at
 * time t, with passes Δ apart, the oldest was last touched before t - 2Δ, the
 * next before t - Δ. So Δ = T / 2 is the longest period that proves
 * "idle for T" at each pass; a shorter one would merge away what it had
 * learned (with T / 3 the oldest generation never proves more than 2T / 3). A longer one proves
 * more, later: it is taken where page cache is due, for by a merge the kernel forgets which of it
 * is read again and again (coldness.c).
 */
#include "policy/internal.h"

#define CALM_FAULTS 256
#define CALM_MAX 2 /* the period grows to four times at most */
#define CALM_ROUNDS 4
/*
 * Five reads of a page since the last merge keep it (coldness.c): of one that is read each other
 * second. (Measured on 6.12: 7.5 s did not do for one read each 1.3 s.)
 */
#define FILE_COUNTS_MS 10000u
#define FILE_PERIOD_MS (2 * FILE_COUNTS_MS)

uint64_t ageing_anon_ms(const struct step *s, const struct policy_container *p)
{
	unsigned int shift = p->calm / CALM_ROUNDS;

	return (s->cold_ms / 2) << (shift < CALM_MAX ? shift : CALM_MAX);
}

uint64_t ageing_period_ms(const struct step *s, const struct policy_container *p)
{
	uint64_t period = ageing_anon_ms(s, p);

	return p->file_due ? max_u64(period, FILE_PERIOD_MS) : period;
}

uint64_t ageing_file_ms(const struct step *s, const struct policy_container *p)
{
	return max_u64(ageing_anon_ms(s, p) * 3 / 4, FILE_COUNTS_MS);
}

/* Nothing came, nothing went, nothing was touched anew: look less often. */
static void ageing_note_calm(const struct ebb_snap_container *c, struct policy_container *p)
{
	uint64_t moved = c->bytes > p->calm_bytes ? c->bytes - p->calm_bytes
						  : p->calm_bytes - c->bytes;

	if (moved < MIB && c->faults - p->calm_faults < CALM_FAULTS && p->cold < TAKE_MIN)
		p->calm++;
	else
		p->calm = 0;
	p->calm_bytes = c->bytes;
	p->calm_faults = c->faults;
}

/*
 * True when a pass is to be planned now. A quiet container waits up to an eighth of its period for
 * others, so that a hundred of them wake the daemon once. It is never taken along before its turn:
 * two passes closer than T / 2 prove less than T, and the next one merges what they knew.
 */
bool ageing_due(struct step *s, const struct ebb_snap_container *c, struct policy_container *p)
{
	uint64_t period, due, last;

	if (new_pass(c, &p->calm_aged_ms) && p->known)
		ageing_note_calm(c, p);
	period = ageing_period_ms(s, p);
	/* A group whose pass fails keeps its old birth time: do not ask again at once. */
	last = max_u64(c->aged_ms, p->age_asked_ms);
	due = last + period;
	if (s->snap->now_ms < due) {
		plan_wake(s, due + (p->calm ? period / 8 : 0));
		return false;
	}
	p->age_asked_ms = s->snap->now_ms;
	return true;
}
