// SPDX-License-Identifier: GPL-2.0-only
#include "report/record_shapes.h"

#include "ebb/config.h"
#include "ebb/plan.h"
#include "ebb/snapshot.h"
#include "lib/conf.h"
#include "policy/policy.h"

/* A time or a CPU time: so large that none is, so small that sums of some do not overflow. */
#define TIME_MAX (UINT64_C(1) << 53)
/* Each is used to shift by, or as a place; what the policy itself gets to is less or the same. */
#define SHIFT_MAX 16
#define BUDGET_MAX (INT64_C(1) << 53)

#define CODE(fn, type)                                                                             \
	static const char *fn##_code(unsigned int value)                                           \
	{                                                                                          \
		return fn((enum type)value);                                                       \
	}

CODE(ebb_state_name, ebb_state)
CODE(ebb_reason_name, ebb_reason)
CODE(ebb_size_reason_name, ebb_size_reason)
CODE(ebb_means_reason_name, ebb_means_reason)
CODE(ebb_action_name, ebb_action)
CODE(conf_compress_name, ebb_compress)

static const char *level_code(unsigned int value)
{
	static const char *const names[] = { "none", "low", "high" };

	return value <= EBB_HOST_HIGH ? names[value] : "unknown";
}

#define STATE(T, m) FIELD_CODES(T, m, ebb_state_name_code, EBB_NR_STATES - 1)
#define REASON(T, m) FIELD_CODES(T, m, ebb_reason_name_code, EBB_NR_REASONS - 1)
#define MEANS_REASON(T, m) FIELD_CODES(T, m, ebb_means_reason_name_code, EBB_NR_MEANS_REASONS - 1)
#define TIME(T, m) FIELD_UP_TO(T, m, TIME_MAX)
#define SHIFT(T, m) FIELD_UP_TO(T, m, SHIFT_MAX)
#define PPM(T, m) FIELD_UP_TO(T, m, POLICY_PPM)

/* --- the snapshot --------------------------------------------------------------------- */

#define T struct ebb_age
static const struct field age_fields[] = {
	TIME(T, idle_ms),
	FIELD(T, anon),
	FIELD(T, file),
};
static const struct shape age = SHAPE(T, "age", age_fields);
#undef T

#define T struct ebb_outcome
static const struct field outcome_fields[] = {
	FIELD(T, seq),   TIME(T, ended_ms), FIELD(T, asked),     FIELD(T, got),
	FIELD(T, error), FIELD(T, aged),    FIELD(T, timed_out),
};
static const struct shape outcome = SHAPE(T, "outcome", outcome_fields);
#undef T

#define T struct ebb_snap_container
static const struct field container_fields[] = {
	FIELD(T, id),
	TIME(T, born_ms),
	FIELD(T, populated),
	FIELD(T, paused),
	FIELD(T, reclaim_off),
	FIELD(T, busy),
	FIELD(T, ages_known),
	FIELD(T, can_age),
	FIELD(T, protect),
	FIELD(T, peak),
	FIELD(T, holder),
	FIELD(T, bytes),
	FIELD(T, anon),
	FIELD(T, anon_thp),
	FIELD(T, file),
	FIELD(T, file_mapped),
	FIELD(T, shmem),
	FIELD(T, swap),
	FIELD(T, refault_anon),
	FIELD(T, refault_file),
	FIELD(T, steal),
	FIELD(T, faults),
	FIELD(T, major_faults),
	TIME(T, psi_mem_some_us),
	TIME(T, psi_io_some_us),
	TIME(T, aged_ms),
	FIELD_ROWS(T, age, age, nr_ages),
	FIELD_PARTS(T, last, outcome),
};
static const struct shape container = SHAPE(T, "container", container_fields, .keyed = true);
#undef T

#define T struct ebb_orphans
static const struct field orphans_fields[] = {
	FIELD(T, parent),
	FIELD(T, bytes),
	FIELD(T, busy),
};
static const struct shape orphans = SHAPE(T, "orphans", orphans_fields, .keyed = true);
#undef T

#define T struct ebb_holder
static const struct field holder_fields[] = {
	FIELD(T, id),         FIELD(T, bytes),           FIELD(T, swap), FIELD(T, limit),
	FIELD(T, set),        FIELD(T, swap_set),        FIELD(T, busy), FIELD(T, swap_busy),
	FIELD(T, left_alone), FIELD(T, swap_left_alone),
};
static const struct shape holder = SHAPE(T, "holder", holder_fields, .keyed = true);
#undef T

#define T struct ebb_other
static const struct field other_fields[] = {
	FIELD(T, id), FIELD(T, file), FIELD(T, file_mapped), FIELD(T, refault_file), FIELD(T, busy),
};
static const struct shape other = SHAPE(T, "other", other_fields, .keyed = true);
#undef T

#define T struct ebb_snap_machine
static const struct field machine_fields[] = {
	FIELD(T, mem_total),
	FIELD(T, mem_free),
	FIELD(T, mem_available),
	FIELD(T, swap_total),
	FIELD(T, swap_free),
	FIELD(T, compressed),
	FIELD(T, compressed_original),
	FIELD(T, free_reportable),
	FIELD(T, reporting),
	FIELD(T, swap_is_compressed),
	FIELD(T, reclaim_swappiness),
	FIELD(T, compact_busy),
	TIME(T, compact_cpu_us),
	TIME(T, compact_ended_ms),
	TIME(T, limit_ms),
	FIELD(T, orphans_got),
	FIELD(T, alloc_stalls),
	FIELD(T, compact_fails),
	FIELD(T, ram),
	FIELD(T, ballooned),
};
static const struct shape machine = SHAPE(T, "machine", machine_fields);
#undef T

#define T struct ebb_snap_host
static const struct field host_fields[] = {
	FIELD(T, talking),
	FIELD(T, min),
	FIELD(T, max),
	FIELD(T, applied),
	FIELD(T, actual),
	FIELD(T, resident),
	FIELD_CODES(T, level, level_code, EBB_HOST_HIGH),
	FIELD(T, need),
};
static const struct shape host = SHAPE(T, "host", host_fields);
#undef T

#define T struct ebb_snapshot
static const struct field snapshot_fields[] = {
	TIME(T, now_ms),
	FIELD(T, paused),
	FIELD(T, low_memory),
	FIELD_PARTS(T, machine, machine),
	FIELD_PARTS(T, host, host),
	FIELD_LISTS(T, containers, container, nr_containers),
	FIELD_LISTS(T, orphans, orphans, nr_orphans),
	FIELD_LISTS(T, holders, holder, nr_holders),
	FIELD_LISTS(T, others, other, nr_others),
};
const struct shape shape_snapshot = SHAPE(T, "snapshot", snapshot_fields);
#undef T

/* --- the plan ------------------------------------------------------------------------- */

#define T struct ebb_plan_item
static const struct field item_fields[] = {
	FIELD(T, id),           FIELD_CODES(T, action, ebb_action_name_code, EBB_ACT_SWAP_LIMIT),
	REASON(T, reason),      FIELD(T, anon),
	FIELD(T, file),         FIELD(T, idle_ms),
	FIELD(T, file_idle_ms), FIELD(T, keep),
	FIELD(T, limit),        FIELD(T, batch),
	FIELD(T, deadline_ms),
};
static const struct shape item = SHAPE(T, "item", item_fields);
#undef T

#define T struct ebb_verdict
static const struct field verdict_fields[] = {
	FIELD(T, id),          STATE(T, state),     REASON(T, reason), FIELD(T, cold),
	FIELD(T, working_set), FIELD(T, refaulted), FIELD(T, taken),   FIELD(T, growing),
};
static const struct shape verdict = SHAPE(T, "verdict", verdict_fields, .keyed = true);
#undef T

#define T struct ebb_footprint
static const struct field footprint_fields[] = {
	FIELD(T, want),
	FIELD(T, idle),
	FIELD(T, need),
	FIELD(T, headroom),
	FIELD_CODES(T, reason, ebb_size_reason_name_code, EBB_NR_SIZES - 1),
};
static const struct shape footprint = SHAPE(T, "footprint", footprint_fields);
#undef T

#define T struct ebb_room
static const struct field room_fields[] = {
	FIELD(T, used),
	FIELD(T, held),
	FIELD(T, room),
	FIELD(T, reserve),
};
static const struct shape room = SHAPE(T, "room", room_fields);
#undef T

#define T struct ebb_means_verdict
static const struct field means_fields[] = {
	FIELD(T, on),
	MEANS_REASON(T, reason),
	FIELD(T, tries),
	TIME(T, again_ms),
};
static const struct shape means = SHAPE(T, "means", means_fields);
#undef T

#define T struct ebb_plan
static const struct field plan_fields[] = {
	FIELD_LISTS(T, items, item, nr_items), FIELD_LISTS(T, verdicts, verdict, nr_verdicts),
	FIELD_PARTS(T, footprint, footprint),  FIELD_PARTS(T, cap, room),
	FIELD_FULL_ROWS(T, means, means),      TIME(T, next_ms),
};
const struct shape shape_plan = SHAPE(T, "plan", plan_fields);
#undef T

/* --- what the policy remembers -------------------------------------------------------- */

#define T struct policy_file_sample
static const struct field sample_fields[] = {
	TIME(T, ms),
	FIELD(T, bytes),
};
static const struct shape sample = SHAPE(T, "file_sample", sample_fields);
#undef T

#define T struct policy_container
static const struct field slot_fields[] = {
	FIELD(T, id),
	FIELD(T, known),
	FIELD(T, started),
	TIME(T, level_ms),
	FIELD(T, level_bytes),
	FIELD(T, most),
	TIME(T, seen_ms),
	FIELD(T, refaults),
	FIELD(T, refaults_file),
	FIELD(T, steal_base),
	TIME(T, psi_mem_us),
	TIME(T, psi_io_us),
	PPM(T, stall_mem_ppm),
	PPM(T, stall_io_ppm),
	FIELD(T, outcome_seq),
	FIELD(T, taken),
	FIELD(T, refaulted),
	FIELD(T, file_refaulted),
	FIELD(T, recent_taken),
	FIELD(T, recent_refaulted),
	TIME(T, took_ms),
	FIELD(T, judged_taken),
	FIELD(T, rested_taken),
	PPM(T, rested_scale_ppm),
	FIELD(T, resting),
	PPM(T, scale_ppm),
	TIME(T, hold_ms),
	REASON(T, hold_reason),
	SHIFT(T, strikes),
	FIELD(T, rest_ms),
	TIME(T, forgiven_ms),
	FIELD(T, short_fall),
	FIELD(T, no_room),
	TIME(T, age_asked_ms),
	TIME(T, judged_aged_ms),
	TIME(T, calm_aged_ms),
	FIELD(T, calm),
	FIELD(T, calm_bytes),
	FIELD(T, calm_faults),
	FIELD_ROWS(T, file, sample, nr_file),
	TIME(T, file_aged_ms),
	FIELD(T, file_hot),
	FIELD(T, file_moved),
	FIELD(T, file_left),
	TIME(T, file_taken_ms),
	FIELD(T, file_refaults),
	SHIFT(T, file_trust),
	FIELD(T, file_back),
	FIELD(T, file_due),
	TIME(T, file_until_ms),
	FIELD(T, file_before),
	FIELD(T, file_all),
	FIELD(T, file_tries_hot),
	FIELD(T, anon_missed),
	FIELD(T, anon_before),
	TIME(T, step_ms),
	FIELD(T, step_wait_ms),
	FIELD(T, step_pending),
	FIELD(T, exit_tries),
	TIME(T, exit_ms),
	FIELD(T, swap_seen),
	PPM(T, swap_ppm),
	STATE(T, state),
	REASON(T, reason),
	FIELD(T, cold),
	FIELD(T, cold_anon),
};
static const struct shape slot = SHAPE(T, "slot", slot_fields, .keyed = true);
#undef T

#define T struct policy_orphans
static const struct field left_fields[] = {
	FIELD(T, parent),
	TIME(T, next_ms),
	FIELD(T, bytes),
	SHIFT(T, tries),
};
static const struct shape left = SHAPE(T, "orphan_slot", left_fields);
#undef T

#define T struct policy_other
static const struct field asked_fields[] = {
	FIELD(T, id), TIME(T, next_ms), TIME(T, wait_ms), FIELD(T, asked), FIELD(T, refaults),
};
static const struct shape asked = SHAPE(T, "other_slot", asked_fields);
#undef T

#define T struct policy_compact
static const struct field compact_fields[] = {
	FIELD(T, known),
	TIME(T, seen_ms),
	TIME(T, cpu_us),
	{ .name = "budget_us",
	  .type = FIELD_TYPE(T, budget_us),
	  .offset = offsetof(T, budget_us),
	  .min = -BUDGET_MAX,
	  .max = BUDGET_MAX },
	TIME(T, ended_ms),
	TIME(T, asked_ms),
	TIME(T, wanted_ms),
	FIELD(T, stranded_before),
	FIELD(T, taken_at),
	SHIFT(T, futile),
	SHIFT(T, retries),
	FIELD(T, pending),
	FIELD(T, retry),
};
static const struct shape compact = SHAPE(T, "compaction", compact_fields);
#undef T

#define T struct policy_footprint
static const struct field size_fields[] = {
	FIELD(T, known),        TIME(T, seen_ms),        FIELD(T, used),
	FIELD(T, alloc_stalls), FIELD(T, compact_fails), FIELD(T, rate),
	TIME(T, rate_ms),       FIELD(T, hidden),        FIELD(T, want),
	TIME(T, grown_ms),      TIME(T, shrunk_ms),      TIME(T, short_until_ms),
	TIME(T, opening_ms),    FIELD(T, opening_want),  TIME(T, round_ms),
};
static const struct shape size = SHAPE(T, "size", size_fields);
#undef T

#define T struct policy_pool
static const struct field pool_fields[] = {
	FIELD(T, known),      FIELD(T, held),    FIELD(T, original),
	FIELD(T, compressed), TIME(T, until_ms), TIME(T, rest_ms),
};
static const struct shape pool = SHAPE(T, "pool", pool_fields);
#undef T

#define T struct policy_cap
static const struct field cap_fields[] = {
	FIELD(T, known),      TIME(T, seen_ms),           FIELD(T, outside), FIELD(T, held),
	FIELD(T, rate),       TIME(T, rate_ms),           TIME(T, short_ms), TIME(T, over_ms),
	TIME(T, gathered_ms), FIELD_PARTS(T, pool, pool),
};
static const struct shape cap = SHAPE(T, "cap", cap_fields);
#undef T

#define T struct policy_means
static const struct field tried_fields[] = {
	FIELD(T, off), MEANS_REASON(T, reason), FIELD(T, tries), TIME(T, again_ms), FIELD(T, freed),
};
static const struct shape tried = SHAPE(T, "tried", tried_fields);
#undef T

#define T struct policy_look
static const struct field look_fields[] = {
	TIME(T, since_ms), FIELD(T, reportable), FIELD(T, ballooned),
	TIME(T, asked_ms), FIELD(T, found),
};
static const struct shape look = SHAPE(T, "look", look_fields);
#undef T

#define T struct policy_state
static const struct field state_fields[] = {
	FIELD_LISTS(T, slots, slot, nr),
	FIELD_FULL_ROWS(T, orphans, left),
	FIELD_FULL_ROWS(T, others, asked),
	FIELD_PARTS(T, compact, compact),
	FIELD_PARTS(T, footprint, size),
	FIELD_PARTS(T, cap, cap),
	FIELD_FULL_ROWS(T, means, tried),
	FIELD_PARTS(T, look, look),
	FIELD(T, freed),
	FIELD(T, refaulted_gone),
	FIELD(T, exit_bytes),
};
const struct shape shape_state = SHAPE(T, "state", state_fields);
#undef T

#define T struct ebb_config
static const struct field config_fields[] = {
	FIELD(T, cap),
	TIME(T, cold_after_ms),
	PPM(T, stall_budget_ppm),
	FIELD_CODES(T, compress, conf_compress_name_code, EBB_COMPRESS_OFF),
};
const struct shape shape_config = SHAPE(T, "config", config_fields);
#undef T
