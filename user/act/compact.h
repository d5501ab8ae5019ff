/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compaction of the whole machine, so that what is free can be reported in
 * large blocks. A write runs to its end whatever is signalled (kernels look
 * for a fatal signal at most), so the CPU budget is kept over time, by the policy.
 */
#ifndef EBB_ACT_COMPACT_H
#define EBB_ACT_COMPACT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

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

#endif /* EBB_ACT_COMPACT_H */
