// SPDX-License-Identifier: GPL-2.0-only
/*
 * The means by which memory goes back to the host, judged by what they bring. One that brings
 * nothing over several tries only costs: it is switched off, and tried again much later.
 *
 * - Compaction: a pass that left as much stranded as it found.
 * - The balloon: so much asked for, and it took nothing of it; or what it took the host still
 * holds.
 * - Page reporting: blocks were free for long, and the host still holds them. The guest cannot see
 *   that; the broker tells what the VMM's process holds. Locked memory, huge pages on the host and
 *   passed-through devices all end like that, and the VM's settings say nothing of it to the guest.
 */
#include "policy/internal.h"

#define TRIES 5 /* in a row, … */
#define RETRY_MS 3600000u /* … and then one more after this long, */
#define RETRY_PART 4 /* or when RAM / this was freed meanwhile: it is another situation */

/* A look at what the host holds; reporting takes 2 s for what is free, and the broker's figure 10.
 */
#define LOOK_MS 15000u
#define WORTH_PART 8 /* RAM / this has to be the host's before it says anything … */
#define OVERHEAD (128 * MIB) /* of the VMM itself, which counts as held */
#define BACK_PART 4 /* less than a part of it is nothing */
#define WORTH_MIN                                                                                  \
	(BACK_PART * OVERHEAD) /* … and so much that the VMM's own is nothing beside it          \
				*/

#define ASK_MS 15000u /* for the balloon to take something … */
#define ASK_MIN (64 * MIB) /* … of as much as this */

static uint64_t freed(const struct step *s)
{
	return s->state->freed + s->state->exit_bytes;
}

bool means_on(const struct step *s, enum ebb_means which)
{
	return !s->state->means[which].off;
}

void means_tried(struct step *s, enum ebb_means which, bool brought, enum ebb_means_reason why)
{
	struct policy_means *m = &s->state->means[which];

	if (brought) {
		*m = (struct policy_means){ 0 };
		return;
	}
	m->reason = why;
	if (++m->tries < TRIES)
		return;
	m->off = true;
	m->tries = TRIES;
	m->again_ms = s->snap->now_ms + RETRY_MS;
	m->freed = freed(s);
}

/* One more try: if it brings nothing, it is off again. */
static void resume(struct step *s, struct policy_means *m)
{
	bool changed = freed(s) - m->freed >= s->snap->machine.ram / RETRY_PART;

	if (!m->off || (s->snap->now_ms < m->again_ms && !changed))
		return;
	m->off = false;
	m->tries = TRIES - 1;
}

/*
 * What the host does not hold of the VM, at most: the VMM's own memory is taken for small. Less
 * than a quarter of what one means alone should have brought, whatever the other did, is nothing.
 */
static void look_at_host(struct step *s, struct policy_look *look, uint64_t hidden)
{
	const struct ebb_snap_machine *m = &s->snap->machine;
	uint64_t held = s->snap->host.resident, worth = max_u64(m->ram / WORTH_PART, WORTH_MIN);
	uint64_t missing = sub_u64(m->ram + hidden + OVERHEAD, held);

	/* The least of the whole time counts: what was freed a moment ago is still on its way. */
	if (!held || !look->since_ms) {
		*look = (struct policy_look){ .since_ms = held ? s->snap->now_ms : 0,
					      .reportable = m->free_reportable,
					      .ballooned = m->ballooned };
		return;
	}
	look->reportable = min_u64(look->reportable, m->free_reportable);
	look->ballooned = min_u64(look->ballooned, m->ballooned);
	if (s->snap->now_ms - look->since_ms < LOOK_MS)
		return;
	if (m->reporting && means_on(s, EBB_MEANS_REPORTING) && look->reportable >= worth)
		means_tried(s, EBB_MEANS_REPORTING, missing >= look->reportable / BACK_PART,
			    EBB_MEANS_HOST_KEEPS);
	if (means_on(s, EBB_MEANS_BALLOON) && look->ballooned >= worth)
		means_tried(s, EBB_MEANS_BALLOON, missing >= look->ballooned / BACK_PART,
			    EBB_MEANS_HOST_KEEPS);
	look->since_ms = 0;
}

/* The VMM has been told to take much for long: did the balloon take any of it? */
static void look_at_balloon(struct step *s, struct policy_look *look, uint64_t hidden)
{
	const struct ebb_snap_machine *m = &s->snap->machine;
	uint64_t size = sub_u64(m->ram, m->ballooned) + hidden;
	uint64_t told = s->snap->host.applied; /* and not what we asked: the VMM may be away */

	if (!s->snap->host.talking || !told || told + ASK_MIN > size || s->snap->paused) {
		look->asked_ms = 0;
		return;
	}
	if (!look->asked_ms) {
		look->asked_ms = s->snap->now_ms;
		look->found = m->ballooned;
	} else if (s->snap->now_ms - look->asked_ms >= ASK_MS) {
		/* That it takes says nothing of the host. */
		if (m->ballooned < look->found + MIB)
			means_tried(s, EBB_MEANS_BALLOON, false, EBB_MEANS_TAKES_NOTHING);
		else if (s->state->means[EBB_MEANS_BALLOON].reason == EBB_MEANS_TAKES_NOTHING)
			means_tried(s, EBB_MEANS_BALLOON, true, EBB_MEANS_WORKS);
		look->asked_ms = 0;
	}
}

void means_step(struct step *s)
{
	uint64_t hidden = s->state->footprint.hidden;

	for (size_t i = 0; i < EBB_NR_MEANS; i++)
		resume(s, &s->state->means[i]);
	look_at_host(s, &s->state->look, hidden);
	look_at_balloon(s, &s->state->look, hidden);
}

static enum ebb_means_reason absent(const struct step *s, enum ebb_means which)
{
	if (which == EBB_MEANS_BALLOON)
		return s->snap->host.talking ? EBB_MEANS_WORKS : EBB_MEANS_ABSENT;
	if (!s->snap->machine.reporting)
		return which == EBB_MEANS_COMPACTION ? EBB_MEANS_NO_REPORTING : EBB_MEANS_ABSENT;
	if (which == EBB_MEANS_COMPACTION && !means_on(s, EBB_MEANS_REPORTING))
		return EBB_MEANS_NO_REPORTING;
	return EBB_MEANS_WORKS;
}

void means_publish(struct step *s)
{
	for (enum ebb_means i = 0; i < EBB_NR_MEANS; i++) {
		const struct policy_means *m = &s->state->means[i];
		struct ebb_means_verdict *v = &s->plan->means[i];
		enum ebb_means_reason reason = absent(s, i);

		*v = (struct ebb_means_verdict){ .reason = reason, .tries = m->tries };
		if (reason != EBB_MEANS_WORKS)
			continue;
		v->on = !m->off;
		if (m->off) {
			v->reason = m->reason;
			v->again_ms = m->again_ms;
		}
	}
}
