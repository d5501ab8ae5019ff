/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to replay*.c. */
#ifndef EBB_REPORT_REPLAY_INT_H
#define EBB_REPORT_REPLAY_INT_H

#include "ebb/plan.h"
#include "lib/conf.h"
#include "policy/policy.h"
#include "report/fields.h"
#include "report/recording.h"
#include "report/replay.h"

/* Of all turns or states, those that came out different, and the first of them. */
struct replay_verdict {
	uint64_t compared;
	uint64_t differ;
	uint64_t turn; /* of the first … */
	uint64_t at_ms; /* … since the first turn of all … */
	struct fields_difference first; /* … a: recorded, b: now */
};

/* A change of what a container is called, or its first. */
struct replay_change {
	uint64_t at_ms; /* since the first turn of all */
	enum ebb_state state;
	enum ebb_reason reason;
};

/* What one configuration decided on one container. Bytes. */
struct replay_side {
	uint64_t asked; /* the sum of what was to be evicted */
	uint64_t acts; /* in so many items */
	uint64_t ageings;
	uint64_t cold_most;
	uint64_t cold_last;
	uint64_t cold_sum; /* KiB * ms */
	uint64_t ms[EBB_NR_STATES][EBB_NR_REASONS]; /* how long it was what */
	struct replay_change *changes;
	size_t nr_changes, max_changes;
};

struct replay_container {
	uint64_t id;
	uint64_t first_ms; /* its first turn, since the first of all */
	uint64_t last_ms;
	uint64_t ms; /* that it was looked at: without gaps */
	uint64_t differ_ms; /* of it, while the two sides called it different */
	uint64_t taken; /* of the recorded run; what its verdicts counted */
	uint64_t refaulted;
	uint64_t taken_before; /* what they had at the first turn */
	uint64_t refaulted_before;
	struct replay_side side[2];
};

/* What is of no container. */
struct replay_totals {
	uint64_t acts[EBB_ACT_SWAP_LIMIT + 1]; /* items, by action */
	uint64_t asked; /* bytes, of all that evict */
	uint64_t want_least; /* size of the VM that was asked for; 0: none was */
	uint64_t want_last;
};

/* Index of what follows. */
enum { AS_RECORDED, AS_OTHER };

/* A policy that runs. */
struct replay_run {
	struct policy_state state;
	struct ebb_plan plan;
};

struct replay {
	struct recording rec;
	const struct ebb_config *other; /* NULL: none */
	const char *other_path;
	char error[RECORDING_ERROR + CONF_ERROR_MAX];
	struct ebb_config config; /* the recorded one */
	struct replay_run run[2];
	struct ebb_snap_container *ruled; /* containers as the other's rules have them */
	size_t max_ruled;
	uint64_t first_ms; /* now_ms of the first turn */
	uint64_t last_ms; /* of the last one; 0: there was a gap since */
	uint64_t ms; /* from the first to the last, gaps included */
	struct replay_verdict plans; /* recorded and now */
	struct replay_verdict states;
	struct replay_verdict others; /* now, with the recorded options and the other's */
	struct replay_container *containers; /* sorted by id */
	size_t nr_containers, max_containers;
	struct replay_totals totals[2];
};

/* replay_count.c: a turn has been decided, by both. 0 or -ENOMEM. */
int replay_count(struct replay *r);
void replay_count_free(struct replay *r);

#endif /* EBB_REPORT_REPLAY_INT_H */
