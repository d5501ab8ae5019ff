/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was decided on one container of late, what that was based on and what came of it. Fed with
 * the plan after each step; looks at the policy and changes nothing of it. Pure.
 */
#ifndef EBB_REPORT_DECISIONS_H
#define EBB_REPORT_DECISIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "ebb/plan.h"
#include "ebb/snapshot.h"
#include "policy/policy.h"

#define DECISIONS_MAX 16

/* Successive steps of the same state and reason are one decision. Sizes are bytes. */
struct decision {
	uint64_t first_ms; /* CLOCK_MONOTONIC */
	uint64_t last_ms;
	uint64_t steps; /* that came to it in a row */
	enum ebb_state state;
	enum ebb_reason reason;
	uint64_t bytes; /* the signals, as they were at the last of these steps … */
	uint64_t cold;
	uint64_t cold_after_ms;
	uint32_t stall_mem_ppm;
	uint32_t stall_io_ppm;
	uint32_t scale_ppm; /* share of the cold that may be asked for */
	uint32_t file_trust; /* times in a row that page cache was taken and nothing came back */
	uint32_t acts; /* … and the outcome: how many acts ended, … */
	int32_t error; /* of the last that failed; 0: none did */
	uint64_t asked; /* … what they asked for and got, in sum, … */
	uint64_t got;
	uint64_t refaulted; /* … and what came back until the next that took something */
};

/* Under 2 KiB a container, whatever it does. */
struct decision_log {
	bool known; /* the two below hold an earlier step */
	uint64_t seq; /* of the last outcome that was counted */
	uint64_t refaulted; /* bytes, cumulative */
	unsigned int nr;
	struct decision ring[DECISIONS_MAX]; /* oldest first */
};

_Static_assert(sizeof(struct decision_log) <= 2048, "a container costs under 2 KiB");

/* One step: c, v and p are of the same container. */
void decisions_note(struct decision_log *log, uint64_t now_ms, uint64_t cold_after_ms,
		    const struct ebb_snap_container *c, const struct ebb_verdict *v,
		    const struct policy_container *p);

/* The newest first, with times as ages before now_ms. A new reference; NULL: no memory. */
json_t *decisions_json(const struct decision_log *log, uint64_t now_ms);

#endif /* EBB_REPORT_DECISIONS_H */
