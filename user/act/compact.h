/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compaction of the whole machine, so that what is free can be reported in
 * large blocks. A write runs to its end whatever is signalled (kernels look
 * for a fatal signal at most), so the CPU budget is kept over time.
 */
#ifndef EBB_ACT_COMPACT_H
#define EBB_ACT_COMPACT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define COMPACT_BUDGET_PPM 20000 /* 2% of one CPU */
#define COMPACT_SAVED_US 10000000

struct compact {
	const char *root; /* what /proc and /sys stand under */
	uint64_t deadline_us; /* CLOCK_MONOTONIC */
	const atomic_bool *stop;
	int error; /* out */
	bool timed_out;
};

/*
 * Node by node, looking at the clock in between, where nodes have a file of
 * their own; else all at once.
 */
void compact_run(struct compact *c);

bool compact_possible(const char *root);

/*
 * The budget: CPU time is earned at a share of the wall clock and saved up to
 * COMPACT_SAVED_US, so that several containers may exit at once; a pass may
 * overdraw it, and then the next has to wait.
 */
struct compact_budget {
	uint32_t ppm; /* of one CPU */
	int64_t credit_us;
	uint64_t seen_ms;
};
void compact_budget_init(struct compact_budget *b, uint32_t ppm, uint64_t now_ms);
void compact_budget_spend(struct compact_budget *b, uint64_t now_ms, uint64_t cpu_us);
uint64_t compact_budget_next(struct compact_budget *b, uint64_t now_ms); /* ms; <= now: go on */

#endif /* EBB_ACT_COMPACT_H */
