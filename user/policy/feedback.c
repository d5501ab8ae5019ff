// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the last acts brought and what they cost, and the vetoes that follow.
 *
 * Accuracy is 1 - refaulted / taken over the recent past (Katalyst's rule):
 * below 0.99 the share of the cold that is asked for is multiplied by it and the
 * container rests, twice as long each time that it happens again. What comes back during a rest
 * lowers the share, and makes no other rest. Otherwise the share grows back by a twentieth a pass,
 * or doubles where something was taken and stayed away, and a rest's length in which nothing came
 * back forgives one.
 */
#include "policy/internal.h"

#define ACCURACY_MIN_PPM 990000u
#define REFAULT_FLOOR (256 * KIB) /* fewer bytes than this tell nothing */
#define SCALE_MIN_PPM (POLICY_PPM / 8)
#define SMOOTH_MS 10000u
#define FADE_MS 500u
#define FAILED_WAIT_MS 10000u
#define REFAULT_WAIT_MAX_MS 600000u
#define STRIKES_MAX 12
/*
 * A container's own I/O is not our doing, and few programs wait for none: only where waiting
 * for the disk rules is taking memory from it held back (oomd's senpai asks for io < 0.1 of 10 s).
 */
#define IO_STALL_MAX_PPM 100000u

/* A share of SMOOTH_MS: a stall that is told late, in a shorter step than it took, counts in full.
 */
static uint32_t smooth(uint32_t old, uint64_t delta_us, uint64_t dt_ms)
{
	uint64_t faded = old * (SMOOTH_MS - min_u64(dt_ms, SMOOTH_MS)) / SMOOTH_MS;

	return min_u64(faded + delta_us * 1000 / max_u64(dt_ms, SMOOTH_MS), POLICY_PPM);
}

static void absorb_stall(const struct step *s, const struct ebb_snap_container *c,
			 struct policy_container *p)
{
	uint64_t dt = s->snap->now_ms - p->seen_ms;

	if (p->known) {
		uint32_t mem =
			smooth(p->stall_mem_ppm, sub_u64(c->psi_mem_some_us, p->psi_mem_us), dt);
		uint32_t io = smooth(p->stall_io_ppm, sub_u64(c->psi_io_some_us, p->psi_io_us), dt);

		/* It fades in steps that rounding does not eat; what adds to it counts at once. */
		if (dt < FADE_MS && mem <= p->stall_mem_ppm && io <= p->stall_io_ppm)
			return;
		p->stall_mem_ppm = mem;
		p->stall_io_ppm = io;
	}
	p->seen_ms = s->snap->now_ms;
	p->psi_mem_us = c->psi_mem_some_us;
	p->psi_io_us = c->psi_io_some_us;
}

/*
 * Of what came back, our part: what the kernel evicted on its own account (a squeeze below a
 * limit, a shortage) came back on its own account.
 */
static uint64_t our_part(const struct ebb_snap_container *c, const struct policy_container *p,
			 uint64_t back)
{
	uint64_t evicted = sub_u64(c->steal, p->steal_base);

	if (evicted > p->taken && evicted > REFAULT_FLOOR)
		back = share_u64(back, p->taken / (evicted / POLICY_PPM + 1));
	return min_u64(back, sub_u64(p->taken, p->refaulted));
}

static void absorb_refaults(const struct ebb_snap_container *c, struct policy_container *p)
{
	uint64_t total = c->refault_anon + c->refault_file;
	uint64_t mine, file;

	/*
	 * What an act under way took is known when it ends, and acts can last seconds: set against
	 * what was taken before it, refaults of what it took would be nobody's.
	 */
	if (p->known && c->busy)
		return;
	if (p->known) {
		file = our_part(c, p, sub_u64(c->refault_file, p->refaults_file));
		mine = our_part(c, p, sub_u64(total, p->refaults));
		p->file_refaulted += min_u64(file, mine);
		p->refaulted += mine;
		p->recent_refaulted += mine;
	} else {
		p->steal_base = c->steal;
	}
	p->refaults = total;
	p->refaults_file = c->refault_file;
}

/* Page cache that was not looked at may still be taken in this pass. */
static void give_back(struct policy_container *p, uint64_t bytes)
{
	p->file_left = min_u64(p->file_left + bytes, FILE_PORTION_MAX << p->file_trust);
}

static void absorb_outcome(struct step *s, const struct ebb_snap_container *c,
			   struct policy_container *p)
{
	if (p->known && c->last.seq != p->outcome_seq) {
		if (!c->last.aged) {
			if (p->taken == p->judged_taken)
				p->took_ms = s->snap->now_ms;
			p->taken += c->last.got;
			p->recent_taken += c->last.got;
			s->state->freed += c->last.got;
			/* Where its time was up, on a slow device or in the queue, there may be
			 * more. */
			p->short_fall = !c->last.timed_out && c->last.got < c->last.asked / 4;
			p->no_room = !c->last.asked && !c->last.error;
			if (c->last.timed_out && p->file_before)
				give_back(p, sub_u64(c->last.asked, c->last.got));
		}
		if (c->last.error && p->hold_ms < s->snap->now_ms + FAILED_WAIT_MS) {
			p->hold_ms = s->snap->now_ms + FAILED_WAIT_MS;
			p->hold_reason = EBB_REASON_FAILED;
		}
	}
	p->outcome_seq = c->last.seq;
}

static void rest(const struct step *s, struct policy_container *p)
{
	uint64_t first = 2 * s->cold_ms;

	p->rest_ms = min_u64(first << p->strikes, max_u64(REFAULT_WAIT_MAX_MS, first));
	p->hold_ms = s->snap->now_ms + p->rest_ms;
	p->hold_reason = EBB_REASON_REFAULTS;
	p->strikes = min_u64(p->strikes + 1, STRIKES_MAX);
	p->rested_taken = p->judged_taken = p->taken;
	p->rested_scale_ppm = p->scale_ppm;
	p->resting = true;
}

/* As long as the rest was, and nothing came back. */
static void forgive(const struct step *s, struct policy_container *p)
{
	if (!p->strikes || s->snap->now_ms < max_u64(p->hold_ms, p->forgiven_ms) + p->rest_ms)
		return;
	p->strikes--;
	p->forgiven_ms = s->snap->now_ms;
}

/* What was judged, and rested for, may go on coming back. */
static bool too_much_back(const struct policy_container *p)
{
	return (p->resting || p->taken > p->rested_taken) && p->recent_refaulted > REFAULT_FLOOR &&
	       p->recent_refaulted > share_u64(p->recent_taken, POLICY_PPM - ACCURACY_MIN_PPM);
}

/* Of what was taken there is one rest, but the share follows all that comes back during it. */
static void punish(const struct step *s, struct policy_container *p)
{
	uint64_t taken = p->recent_taken, back = p->recent_refaulted;
	uint32_t accuracy = back >= taken ? 0 : POLICY_PPM - back * POLICY_PPM / taken;

	if (p->taken > p->rested_taken)
		rest(s, p);
	p->scale_ppm = min_u64(p->scale_ppm,
			       max_u64(share_u64(p->rested_scale_ppm, accuracy), SCALE_MIN_PPM));
}

/* What was taken since that was found last has been away for a while. */
static bool stayed_away(const struct step *s, const struct ebb_snap_container *c,
			const struct policy_container *p)
{
	return c->can_age && p->taken > p->judged_taken &&
	       s->snap->now_ms >= p->took_ms + coldness_file_wait_ms(s);
}

/* Once an ageing pass (or a small step where there are none). */
static void judge_accuracy(const struct step *s, const struct ebb_snap_container *c,
			   struct policy_container *p)
{
	if (p->resting && s->snap->now_ms >= p->hold_ms) {
		p->resting = false;
		p->recent_refaulted = 0;
	}
	if (too_much_back(p)) {
		punish(s, p);
	} else if (s->snap->now_ms >= p->hold_ms) {
		if (stayed_away(s, c, p)) {
			p->scale_ppm = min_u64(2ull * p->scale_ppm, POLICY_PPM);
			p->judged_taken = p->taken;
		} else {
			p->scale_ppm = min_u64(p->scale_ppm + POLICY_PPM / 20, POLICY_PPM);
		}
		forgive(s, p);
	}
	p->recent_taken -= p->recent_taken / 8;
	p->recent_refaulted -= p->recent_refaulted / 8;
}

void feedback_absorb(struct step *s, const struct ebb_snap_container *c, struct policy_container *p)
{
	bool new_round = c->can_age ? new_pass(c, &p->judged_aged_ms)
				    : c->last.seq != p->outcome_seq;

	if (!p->known)
		p->scale_ppm = POLICY_PPM;
	absorb_stall(s, c, p);
	absorb_outcome(s, c, p);
	absorb_refaults(c, p);
	if (p->known && new_round) {
		judge_accuracy(s, c, p);
		if (c->can_age)
			p->short_fall = p->no_room = false;
	}
}

static bool swap_nearly_full(const struct ebb_snap_machine *m)
{
	return m->swap_total && m->swap_free < min_u64(m->swap_total / 16, 256 * MIB);
}

/* For the container as a whole; NONE: nothing stands against taking. */
enum ebb_reason feedback_veto(const struct step *s, const struct ebb_snap_container *c,
			      const struct policy_container *p)
{
	if (s->snap->now_ms < p->hold_ms)
		return p->hold_reason;
	if (p->stall_mem_ppm > s->config->stall_budget_ppm)
		return EBB_REASON_PSI_MEMORY;
	if (p->stall_io_ppm > IO_STALL_MAX_PPM)
		return EBB_REASON_PSI_IO;
	if (c->protect && c->bytes <= c->protect + TAKE_MIN)
		return EBB_REASON_PROTECTED;
	if (!s->snap->machine.swap_total && c->file < TAKE_MIN)
		return EBB_REASON_NO_SWAP;
	if (swap_nearly_full(&s->snap->machine) && c->file < TAKE_MIN)
		return EBB_REASON_SWAP_FULL;
	return EBB_REASON_NONE;
}
