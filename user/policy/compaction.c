// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free memory goes back to the host in blocks of the reporting order. What
 * is free in smaller pieces is stranded (measured: 595 MB reclaimed from between hot pages
 * returned nothing before a compaction and 530 MB after it).
 *
 * Compaction costs CPU that the containers would have had: time is earned at
 * CPU_PPM of the wall clock, saved up to CPU_SAVED_US, and spent by passes. A
 * pass that frees no blocks doubles the wait for the next.
 */
#include "policy/internal.h"

#define STRANDED_MIN (8 * MIB) /* or 1/256 of the machine, whichever is more */
/*
 * Freed since the last pass: otherwise there is nothing new to gather, unless that pass gathered
 * much and left much: the scanners meet in the middle of a zone and leave the rest for the next.
 */
#define FREED_MIN (16 * MIB)
#define CPU_PPM 20000u
#define CPU_SAVED_US 10000000
#define PAUSE_MS 1000u
/* After a pass that gathered little and left MUCH times what is worth one. */
#define RETRY_MS 4000u
#define MUCH 4
#define WAIT_MAX_MS 20000u /* for those who are still taking */
#define REFUSED_MS 2000u /* for what was asked to begin: it may have been refused */
#define FUTILE_MAX_SHIFT 10
#define NOTHING_PART 32 /* a pass that gathers less than STRANDED / this brought nothing */

static void compaction_earn(struct step *s, struct policy_compact *k)
{
	const struct ebb_snap_machine *m = &s->snap->machine;

	if (!k->known) {
		k->known = true;
		k->budget_us = CPU_SAVED_US;
	} else {
		uint64_t earned = sub_u64(s->snap->now_ms, k->seen_ms) * (CPU_PPM / 1000);

		k->budget_us += (int64_t)earned - (int64_t)sub_u64(m->compact_cpu_us, k->cpu_us);
		if (k->budget_us > CPU_SAVED_US)
			k->budget_us = CPU_SAVED_US;
	}
	k->seen_ms = s->snap->now_ms;
	k->cpu_us = m->compact_cpu_us;
}

static void compaction_judge(struct step *s, struct policy_compact *k, uint64_t stranded)
{
	const struct ebb_snap_machine *m = &s->snap->machine;

	if (!k->pending || m->compact_busy)
		return;
	if (m->compact_ended_ms < k->asked_ms) {
		if (s->snap->now_ms < k->asked_ms + REFUSED_MS) {
			plan_wake(s, k->asked_ms + REFUSED_MS);
			return;
		}
		k->pending = false;
		k->taken_at = sub_u64(k->taken_at, FREED_MIN); /* still to be gathered */
		return;
	}
	k->pending = false;
	k->ended_ms = m->compact_ended_ms;
	means_tried(s, EBB_MEANS_COMPACTION,
		    stranded + max_u64(k->stranded_before / NOTHING_PART, MIB) <=
			    k->stranded_before,
		    EBB_MEANS_GATHERS_NOTHING);
	if (stranded <= k->stranded_before - k->stranded_before / 4)
		k->futile = k->retries = 0;
	else if (k->retries < FUTILE_MAX_SHIFT && k->retry)
		k->retries++;
	else if (k->futile < FUTILE_MAX_SHIFT)
		k->futile++;
}

/*
 * When the next pass may begin; 0: there is nothing to gather. Pages that were in use at the moment
 * stay where they are, so much that is left is tried again, too, each time after twice as long.
 */
static uint64_t compaction_next(struct step *s, struct policy_compact *k, uint64_t stranded,
				uint64_t freed)
{
	uint64_t least = max_u64(STRANDED_MIN, s->snap->machine.mem_total / 256);

	k->retry = false;
	if (stranded < least)
		return 0;
	if (freed >= FREED_MIN)
		return k->ended_ms + ((uint64_t)PAUSE_MS << k->futile);
	if (k->ended_ms && !k->futile && !k->retries)
		return k->ended_ms + PAUSE_MS;
	if (!k->ended_ms || stranded < MUCH * least)
		return 0;
	k->retry = true;
	return k->ended_ms + ((uint64_t)RETRY_MS << k->retries);
}

void compaction_step(struct step *s)
{
	const struct ebb_snap_machine *m = &s->snap->machine;
	struct policy_compact *k = &s->state->compact;
	uint64_t stranded = sub_u64(m->mem_free, m->free_reportable);
	uint64_t total = s->state->freed + s->state->exit_bytes + m->orphans_got;
	uint64_t now = s->snap->now_ms, may;

	compaction_earn(s, k);
	compaction_judge(s, k, stranded);
	if (s->snap->paused || m->compact_busy || k->pending)
		return;
	if (!m->reporting || !means_on(s, EBB_MEANS_REPORTING) ||
	    !means_on(s, EBB_MEANS_COMPACTION)) {
		k->wanted_ms = 0;
		return;
	}
	may = compaction_next(s, k, stranded, total - k->taken_at);
	if (!may)
		k->wanted_ms = 0;
	else if (!k->wanted_ms)
		k->wanted_ms = now;
	if (!may)
		return;
	/* While more is being taken, gathering would be done twice, and both would be slower. */
	if ((s->taking && !s->gather && now - k->wanted_ms < WAIT_MAX_MS) || k->budget_us <= 0 ||
	    now < may) {
		plan_wake(s, max_u64(now + PAUSE_MS, k->budget_us > 0 ? may : 0));
		return;
	}
	plan_add(s, 0, EBB_ACT_COMPACT, EBB_REASON_STRANDED);
	k->pending = true;
	k->wanted_ms = 0;
	k->asked_ms = now;
	k->stranded_before = stranded;
	k->taken_at = total;
}
