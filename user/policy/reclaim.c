// SPDX-License-Identifier: GPL-2.0-only
/* How much is taken from a container, and whether. */
#include "policy/internal.h"

#define BATCH (32 * MIB)
#define FILE_PORTION_MIN (4 * MIB)
#define FILE_TURNS 4
#define DEADLINE_MIN_MS 1000u
#define DEADLINE_MAX_MS 10000u

/* Ages are as of the pass: later, what was touched since is in them as if it was idle. */
#define ANON_WINDOW_MS 3000u

/* Where ages are not known (measured: 28 steps of 5 MB, 0.7 s apart, cost 0 to 1,210 refaults). */
#define STEP_BYTES (5 * MIB)
#define STEP_WAIT_MS 700u
#define STEP_WAIT_MAX_MS 60000u

static uint32_t clamp_deadline(uint64_t ms)
{
	return min_u64(max_u64(ms, DEADLINE_MIN_MS), DEADLINE_MAX_MS);
}

/*
 * Nothing that could be taken was found. If the rest of it sits in huge pages, that is why: one
 * touch keeps 2 MiB young (measured: one hot page in four, huge pages on: all of 800 MB looked
 * hot).
 */
static enum ebb_reason why_nothing(const struct ebb_snap_container *c,
				   const struct policy_container *p, const struct coldness *cold)
{
	if (!cold->learned)
		return EBB_REASON_LEARNING;
	if (c->anon_thp >= 32 * MIB && c->anon_thp >= c->anon / 2 && p->taken < c->anon_thp / 4)
		return EBB_REASON_HUGE_PAGES;
	return EBB_REASON_NOTHING_COLD;
}

uint64_t reclaim_anon_room(const struct ebb_snap_machine *m)
{
	return sub_u64(m->swap_free, min_u64(m->swap_total / 16, 256 * MIB));
}

static uint64_t anon_room(const struct step *s, const struct ebb_snap_container *c,
			  const struct policy_container *p)
{
	return p->no_room ? 0 : cap_anon_room(s, c);
}

/*
 * The page cache goes in small portions: what turns out to be hot on the way is known before the
 * next one (coldness.c), and what was not read often enough to be told comes back before it.
 */
static uint64_t file_portion(uint64_t file)
{
	return min_u64(file, max_u64(min_u64(file / 4, FILE_PORTION_MAX), FILE_PORTION_MIN));
}

/*
 * Anon right after a pass: the accessed bits since then are not in the generations. What a veto let
 * pass waits for the next one, which is not brought forward: it would prove less (ageing.c). Page
 * cache as late as possible before the next one: a merge clears the counts of reads by which the
 * kernel tells what is read again (measured on 6.12: right after a pass it evicted a file that was
 * read each second).
 */
static void plan_moment(struct step *s, const struct ebb_snap_container *c,
			const struct policy_container *p, struct coldness *cold)
{
	uint64_t now = s->snap->now_ms, window = min_u64(ageing_anon_ms(s, p) / 2, ANON_WINDOW_MS);
	/* A pass that was cut off, or is not seen yet, cleared counts as well. */
	uint64_t late = max_u64(c->aged_ms, p->age_asked_ms) + ageing_file_ms(s, p);

	if (now - c->aged_ms > window)
		cold->anon = 0;
	if (cold->file < TAKE_MIN || p->file_back)
		cold->file = 0;
	else if (now < late)
		plan_wake(s, late);
	else if (p->file_left < TAKE_MIN)
		plan_wake(s, p->file_taken_ms + coldness_file_wait_ms(s));
	if (now < late)
		cold->file = 0;
}

/* Where it is little beside the rest, what ages is not to wait for it each time. */
static bool file_is_due(const struct step *s, const struct ebb_snap_container *c,
			const struct policy_container *p, const struct coldness *cold)
{
	if (share_u64(file_portion(cold->file), p->scale_ppm) < TAKE_MIN || p->file_back ||
	    p->short_fall)
		return false;
	return cold->file >= c->bytes / 8 ||
	       (p->file_due && p->file_left >= TAKE_MIN && p->file_taken_ms > c->aged_ms) ||
	       sub_u64(s->snap->now_ms, p->file_taken_ms) >= FILE_TURNS * s->cold_ms;
}

static void plan_reclaim(struct step *s, const struct ebb_snap_container *c,
			 struct policy_container *p, const struct coldness *cold)
{
	uint64_t room = c->protect ? sub_u64(c->bytes, c->protect) : c->bytes;
	uint64_t anon = share_u64(cold->anon, p->scale_ppm);
	uint64_t file = share_u64(file_portion(cold->file), p->scale_ppm);
	struct ebb_plan_item *item;

	/* Sizes move while the lists are walked: never ask for the last of what is known. */
	anon -= anon / 32;
	anon = min_u64(min_u64(anon, anon_room(s, c, p)), room);
	file = min_u64(min_u64(file, p->file_left), room - anon);
	if (anon + file < TAKE_MIN)
		return;
	item = plan_add(s, c->id, EBB_ACT_RECLAIM, EBB_REASON_COLD);
	item->anon = anon;
	item->file = file;
	item->idle_ms = s->cold_ms;
	item->batch = BATCH;
	item->deadline_ms = clamp_deadline(ageing_period_ms(s, p));
	p->file_before = 0;
	p->anon_before = file ? 0 : cold->anon_idle;
	p->file_left -= file;
	if (file) {
		coldness_note_file(s, c, p, cold);
		item->file_idle_ms = sub_u64(s->snap->now_ms, p->file_until_ms);
		p->file_taken_ms = s->snap->now_ms;
	}
	s->taking = true;
}

static void verdict_set(struct ebb_verdict *v, enum ebb_state state, enum ebb_reason reason)
{
	v->state = state;
	v->reason = reason;
}

void reclaim_by_age(struct step *s, const struct ebb_snap_container *c, struct policy_container *p,
		    struct ebb_verdict *v)
{
	struct coldness cold;
	enum ebb_reason veto;
	size_t before;

	coldness_measure(s, c, p, &cold);
	v->cold = cold.anon + cold.file;
	p->cold = v->cold;
	p->cold_anon = cold.anon;
	veto = feedback_veto(s, c, p);
	p->file_due = veto == EBB_REASON_NONE && file_is_due(s, c, p, &cold);

	if (ageing_due(s, c, p)) {
		plan_add(s, c->id, EBB_ACT_AGE, EBB_REASON_LEARNING);
		p->anon_before = 0;
		if (p->reason == EBB_REASON_NONE)
			verdict_set(v, EBB_STATE_WATCHED, EBB_REASON_LEARNING);
		else
			verdict_set(v, p->state, p->reason);
		return;
	}
	if (v->cold < TAKE_MIN) {
		verdict_set(v, cold.learned ? EBB_STATE_SETTLED : EBB_STATE_WATCHED,
			    why_nothing(c, p, &cold));
		return;
	}
	if (veto != EBB_REASON_NONE) {
		verdict_set(v, EBB_STATE_HELD, veto);
		return;
	}
	if (p->short_fall) {
		verdict_set(v, EBB_STATE_HELD, EBB_REASON_SHORTFALL);
		return;
	}
	before = s->plan->nr_items;
	plan_moment(s, c, p, &cold);
	plan_reclaim(s, c, p, &cold);
	if (s->plan->nr_items > before ||
	    (p->cold_anon >= TAKE_MIN && anon_room(s, c, p) >= TAKE_MIN) ||
	    (v->cold - p->cold_anon >= TAKE_MIN && !p->file_back))
		verdict_set(v, EBB_STATE_RECLAIMING, EBB_REASON_COLD);
	else if (v->cold - p->cold_anon >= TAKE_MIN)
		verdict_set(v, EBB_STATE_HELD, EBB_REASON_REFAULTS);
	else if (p->cold_anon >= TAKE_MIN)
		verdict_set(v, EBB_STATE_HELD,
			    s->snap->machine.swap_total && !s->state->cap.pool.held
				    ? EBB_REASON_SWAP_FULL
				    : EBB_REASON_NO_SWAP);
	else
		verdict_set(v, EBB_STATE_SETTLED, EBB_REASON_NOTHING_COLD);
}

/* No ages: small steps, each judged by what came back before the next. */
void reclaim_blind(struct step *s, const struct ebb_snap_container *c, struct policy_container *p,
		   struct ebb_verdict *v)
{
	struct ebb_plan_item *item;
	enum ebb_reason veto = feedback_veto(s, c, p);
	uint64_t now = s->snap->now_ms;
	uint64_t room = c->protect ? sub_u64(c->bytes, c->protect) : c->bytes;
	uint64_t step = min_u64(share_u64(STEP_BYTES, p->scale_ppm), min_u64(room, c->bytes / 16));

	v->cold = 0;
	if (p->step_pending && c->last.ended_ms >= p->step_ms) {
		bool futile = c->last.got < c->last.asked / 4;

		p->step_pending = false;
		p->step_wait_ms = futile ? min_u64(p->step_wait_ms * 2ull, STEP_WAIT_MAX_MS)
					 : STEP_WAIT_MS;
	}
	if (!p->step_wait_ms)
		p->step_wait_ms = STEP_WAIT_MS;
	if (veto != EBB_REASON_NONE) {
		verdict_set(v, EBB_STATE_HELD, veto);
		plan_wake(s, max_u64(p->hold_ms, now + STEP_WAIT_MS));
		return;
	}
	verdict_set(v,
		    p->step_wait_ms > 8 * STEP_WAIT_MS ? EBB_STATE_SETTLED : EBB_STATE_RECLAIMING,
		    EBB_REASON_PROBE);
	if (now < p->step_ms + p->step_wait_ms) {
		plan_wake(s, p->step_ms + p->step_wait_ms);
		return;
	}
	if (step < 64 * KIB)
		return;
	item = plan_add(s, c->id, EBB_ACT_RECLAIM, EBB_REASON_PROBE);
	if (s->snap->machine.swap_total && anon_room(s, c, p) >= step && c->anon > c->file)
		item->anon = step;
	else
		item->file = step;
	item->batch = step;
	item->deadline_ms = DEADLINE_MIN_MS;
	p->step_ms = now;
	p->step_pending = true;
	s->taking = true;
}
