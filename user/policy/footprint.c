// SPDX-License-Identifier: GPL-2.0-only
/*
 * The size that the VM asks of its host: what is in use and not known cold,
 * the kernel's own, and headroom for the next burst, below the cap.
 *
 * A balloon that opens costs the host nothing until the pages are touched, and
 * one that is closed too far costs the guest allocation stalls, even a refused vsock
 * buffer or a build that dies while `free` shows gigabytes. So the whole gap is
 * opened at once, and it closes in eighths, each a second after the last and none soon after a
 * growth. It never closes over memory that is not free: what is cold goes to swap or disk first,
 * and the balloon takes what that freed.
 */
#include "policy/internal.h"

/*
 * Headroom: what the fastest growth of late would take until the balloon has opened, and a
 * share of RAM: small where the host is short. Where it is not and free pages go back by
 * themselves, half, or what a container that runs lacks of the most it ever was: a balloon closed
 * further gives the host nothing more, and a burst has to wait for it to open, page by page, on the
 * CPUs that it would use itself.
 */
#define HEADROOM_MIN (64 * MIB)
#define HEADROOM_EASE 2 /* RAM / this */
#define HEADROOM_STRANDED 8 /* … or this, as what is free is in pieces */
#define HEADROOM_LOW 16
#define HEADROOM_HIGH 32
#define HEADROOM_MAX 2
#define HEADROOM_SHORT 8 /* a quarter of it free, or of RAM / this, is short */
#define REACT_MS 250u /* from the pages being taken to ebbd asking: an edge, or the next look */
#define ROUND_DEFAULT_MS 500u /* until it is measured */
#define ROUND_MAX_MS 10000u
#define RATE_HALF_MS 60000u

#define RESERVE_MIN (32 * MIB) /* always left free when the balloon closes, or RAM / … */
#define RESERVE_PART 64

#define STEP_PART 8
#define STEP_MIN (16 * MIB)
#define STEP_MS 1000u
#define HOLD_MS 10000u /* no closing after an opening … */
#define HOLD_EASE_MS 30000u /* … and where nobody gains by it */
#define URGENT_MAX 4 /* RAM / this */
#define SHORT_MS 30000u
#define IGNORE_MIN (10 * MIB) /* differences below this, or SIZE / … */
#define IGNORE_PART 400
#define BURST_PART 4 /* an unknown container may take RAM / this before it is looked at again */
/*
 * RAM / this is opened beyond what a start lacks, or the rest would open beside its last pages: it
 * is what urgent_of() then adds for the rate at which it grows.
 */
#define START_SPARE 8
#define STALLED_MIN 8 /* failed compactions between two looks: one or two are luck */

static void learn_rate(struct step *s, struct policy_footprint *f, uint64_t used)
{
	uint64_t now = s->snap->now_ms, ms = now - f->seen_ms;

	while (f->rate && now - f->rate_ms >= RATE_HALF_MS) {
		f->rate /= 2;
		f->rate_ms += RATE_HALF_MS;
	}
	/* Over a shorter time the counters' own steps (per CPU, 64 pages each) look like bursts. */
	if (!f->known || ms < 50)
		return;
	if (used > f->used && (used - f->used) * 1000 / ms >= f->rate) {
		f->rate = (used - f->used) * 1000 / ms;
		f->rate_ms = now;
	}
}

/* From asking for more to the balloon having let it go. */
static void learn_round(struct step *s, struct policy_footprint *f)
{
	const struct ebb_snap_machine *m = &s->snap->machine;
	uint64_t took;

	if (!f->opening_ms)
		return;
	took = s->snap->now_ms - f->opening_ms;
	if (sub_u64(m->ram, m->ballooned) + f->hidden + IGNORE_MIN < f->opening_want &&
	    took < ROUND_MAX_MS) {
		plan_wake(s, s->snap->now_ms + 100);
		return;
	}
	f->round_ms = f->round_ms ? (3 * f->round_ms + took) / 4 : took;
	f->opening_ms = 0;
}

/* What the kernel never shows of the VM's size: measured when the balloon rests, and stays. */
static void learn_hidden(const struct ebb_snapshot *snap, struct policy_footprint *f)
{
	uint64_t size = sub_u64(snap->machine.ram, snap->machine.ballooned);

	if (snap->host.actual && snap->host.actual == snap->host.applied &&
	    snap->host.actual >= size && snap->host.actual - size < snap->machine.ram / 4)
		f->hidden = snap->host.actual - size;
	else if (!f->hidden)
		f->hidden = snap->machine.ram / 32;
}

/* Allocations that stall are a shortage however much is free: it may be free in other zones. */
static bool is_short(const struct step *s, const struct policy_footprint *f, uint64_t headroom)
{
	const struct ebb_snap_machine *m = &s->snap->machine;

	if (!m->ballooned && s->snap->host.applied >= s->snap->host.max)
		return false; /* nothing to gain */
	if (s->snap->low_memory || m->mem_free < min_u64(headroom, m->ram / HEADROOM_SHORT) / 4)
		return true;
	if (!f->known)
		return false;
	return m->alloc_stalls > f->alloc_stalls ||
	       (m->mem_free < headroom && m->compact_fails > f->compact_fails + STALLED_MIN);
}

/* What is free when the balloon begins to open, on a host at ease. */
static uint64_t urgent_of(const struct step *s, const struct policy_footprint *f)
{
	uint64_t ram = s->snap->machine.ram;

	return min_u64(ram / HEADROOM_LOW + f->rate / 1000 * (ROUND_DEFAULT_MS + REACT_MS),
		       ram / URGENT_MAX);
}

/* The most that one of those that run would grow by, were it, or the one before it, to come again.
 */
static uint64_t regrowth_of(const struct step *s)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->snap->nr_containers; i++) {
		const struct ebb_snap_container *c = &s->snap->containers[i];

		if (!c->populated)
			continue;
		bytes = max_u64(bytes, sub_u64(c->peak, c->bytes + c->swap));
		bytes = max_u64(bytes, sub_u64(s->state->slots[i].most, anon_of(c)));
	}
	return bytes;
}

static uint64_t headroom_of(const struct step *s, const struct policy_footprint *f)
{
	const struct ebb_snapshot *snap = s->snap;
	const struct ebb_snap_machine *m = &snap->machine;
	uint64_t round = f->round_ms ? f->round_ms : ROUND_DEFAULT_MS;
	uint64_t part = HEADROOM_EASE, bytes, regrowth, pieces = 0;

	if (snap->host.level == EBB_HOST_HIGH)
		part = HEADROOM_HIGH;
	else if (snap->host.level == EBB_HOST_LOW || !m->reporting ||
		 !means_on(s, EBB_MEANS_REPORTING))
		part = HEADROOM_LOW;
	bytes = m->ram / part;
	if (part == HEADROOM_EASE) {
		/* What is free in pieces too small to be reported only the balloon gives back. */
		pieces = sub_u64(m->mem_free, m->free_reportable);
		bytes = max_u64(sub_u64(bytes, pieces), m->ram / HEADROOM_STRANDED);
	}
	bytes = min_u64(max_u64(bytes, HEADROOM_MIN) + f->rate / 1000 * (round + REACT_MS),
			m->ram / HEADROOM_MAX);
	regrowth = part == HEADROOM_EASE ? regrowth_of(s) : 0;
	if (!regrowth)
		return bytes;
	/* And what has to be left then, or the balloon would begin to open on the way. */
	regrowth += m->ram / URGENT_MAX - min_u64(pieces, m->ram / URGENT_MAX / 2);
	return max_u64(bytes, min_u64(regrowth, m->ram));
}

/* What containers that start are going to touch, as far as is known of them. */
static uint64_t start_of(const struct step *s, bool *ret_any)
{
	uint64_t bytes = 0;

	*ret_any = false;
	for (size_t i = 0; i < s->plan->nr_verdicts; i++) {
		const struct ebb_snap_container *c = &s->snap->containers[i];

		if (s->plan->verdicts[i].state != EBB_STATE_STARTING)
			continue;
		*ret_any = true;
		bytes += c->peak ? sub_u64(c->peak, c->bytes) : s->snap->machine.ram / BURST_PART;
	}
	return bytes;
}

/*
 * How much of the way to the target the balloon opens now. A host at ease has what is free: there
 * it opens when a burst comes near the end of that, not beside the burst, and for many small
 * growths at once. For a start no further than what it lacks: each page costs a CPU that it would
 * use itself. (What the rate asks for beside that is the start's own growth, or an older one's.)
 */
static uint64_t opened_of(const struct step *s, const struct policy_footprint *f, uint64_t target,
			  uint64_t start)
{
	const struct ebb_snap_machine *m = &s->snap->machine;
	uint64_t urgent = urgent_of(s, f), enough = start + m->ram / HEADROOM_LOW;

	if (s->snap->host.level != EBB_HOST_EASE || !m->reporting ||
	    !means_on(s, EBB_MEANS_REPORTING))
		return target;
	if (m->mem_free < urgent) /* it is not for the start that it lacks */
		return target;
	if (!start || m->mem_free >= enough)
		return f->want;
	enough += sub_u64(m->ram, m->ballooned) + f->hidden + m->ram / START_SPARE;
	return min_u64(target, max_u64(f->want, enough - m->mem_free));
}

static uint64_t cold_of(const struct step *s)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->plan->nr_verdicts; i++)
		bytes += s->plan->verdicts[i].cold;
	return bytes;
}

static void grow(struct step *s, struct policy_footprint *f, uint64_t want)
{
	f->want = want;
	f->grown_ms = s->snap->now_ms;
	if (!f->opening_ms) {
		f->opening_ms = s->snap->now_ms;
		f->opening_want = want;
	}
	plan_wake(s, s->snap->now_ms + 100);
}

static void shrink(struct step *s, struct policy_footprint *f, uint64_t target,
		   struct ebb_footprint *out)
{
	uint64_t now = s->snap->now_ms, gap = f->want - target, ready;
	uint64_t hold = s->snap->host.level == EBB_HOST_EASE ? HOLD_EASE_MS : HOLD_MS;

	if (gap < max_u64(IGNORE_MIN, f->want / IGNORE_PART))
		return;
	ready = max_u64(f->grown_ms ? f->grown_ms + hold : 0,
			f->shrunk_ms ? f->shrunk_ms + STEP_MS : 0);
	out->reason = f->grown_ms + hold > now ? EBB_SIZE_HOLD : EBB_SIZE_SHRINK;
	if (now < ready) {
		plan_wake(s, ready);
		return;
	}
	f->want -= min_u64(gap, max_u64(gap / STEP_PART, STEP_MIN));
	f->shrunk_ms = now;
	plan_wake(s, now + STEP_MS);
}

/* The most that may be asked for: the host's limit and the person's. */
static uint64_t limit_of(const struct step *s)
{
	uint64_t max = s->snap->host.max;

	return s->config->cap && s->config->cap < max ? s->config->cap : max;
}

/* Small differences are left, but for the last one. */
static bool is_larger(const struct policy_footprint *f, uint64_t target, uint64_t limit)
{
	return target > f->want + (target < limit ? max_u64(IGNORE_MIN, f->want / IGNORE_PART) : 0);
}

static void follow(struct step *s, struct policy_footprint *f, struct ebb_footprint *out)
{
	const struct ebb_snap_machine *m = &s->snap->machine;
	uint64_t now = s->snap->now_ms, limit = limit_of(s), used = in_use(m), target, start;
	uint64_t reserve = max_u64(RESERVE_MIN, m->ram / RESERVE_PART);
	bool starting;

	out->headroom = headroom_of(s, f);
	out->need = sub_u64(used, cold_of(s)) + f->hidden;
	start = start_of(s, &starting);
	target = max_u64(out->need + out->headroom + start, used + f->hidden + reserve + start);
	out->reason = starting ? EBB_SIZE_START : EBB_SIZE_FOLLOW;
	if (is_short(s, f, out->headroom))
		f->short_until_ms = now + SHORT_MS;
	if (s->snap->paused || now < f->short_until_ms) {
		target = limit;
		out->reason = s->snap->paused ? EBB_SIZE_PAUSED : EBB_SIZE_SHORT;
		plan_wake(s, s->snap->paused ? now + STEP_MS : f->short_until_ms);
	}
	if (!means_on(s, EBB_MEANS_BALLOON)) {
		target = limit;
		out->reason = EBB_SIZE_USELESS;
	}
	target = min_u64(max_u64(target, s->snap->host.min), limit);
	if (!f->want) /* the balloon as it is found; a cap holds from the first moment */
		f->want = min_u64(limit, s->snap->host.applied ? s->snap->host.applied : limit);
	if (is_larger(f, target, limit)) {
		if (out->reason == EBB_SIZE_FOLLOW || out->reason == EBB_SIZE_START)
			target = opened_of(s, f, target, start);
		if (is_larger(f, target, limit))
			grow(s, f, target);
	} else if (target < f->want) {
		shrink(s, f, target, out);
	}
	f->want = min_u64(f->want, limit);
	out->want = f->want;
	out->idle = sub_u64(f->want, out->need + out->headroom);
}

void footprint_step(struct step *s)
{
	struct policy_footprint *f = &s->state->footprint;
	const struct ebb_snap_machine *m = &s->snap->machine;
	struct ebb_footprint *out = &s->plan->footprint;
	uint64_t used = in_use(m);

	*out = (struct ebb_footprint){ .reason = EBB_SIZE_NO_HOST };
	learn_rate(s, f, used);
	if (s->snap->host.talking && s->snap->host.max) {
		learn_hidden(s->snap, f);
		learn_round(s, f);
		follow(s, f, out);
	} else {
		/* Whoever comes back finds the full size. */
		f->want = f->opening_ms = f->short_until_ms = 0;
		out->need = sub_u64(used, cold_of(s));
		out->headroom = headroom_of(s, f);
	}
	f->known = true;
	f->seen_ms = s->snap->now_ms;
	f->used = used;
	f->alloc_stalls = m->alloc_stalls;
	f->compact_fails = m->compact_fails;
}
