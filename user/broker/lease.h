/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest's wish comes to. Pure: no clock, no I/O. Sizes are sizes of the
 * VM in bytes, times CLOCK_MONOTONIC milliseconds.
 */
#ifndef EBB_BROKER_LEASE_H
#define EBB_BROKER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/channel.h"

/* A step down that is smaller than both is not worth the exits that it costs the guest. */
#define LEASE_STEP_MIN (10ull << 20)
#define LEASE_STEP_PART 400 /* of the VM: 0.25% */

struct lease_limits {
	uint64_t min;
	uint64_t max; /* the full size: what a VM without a lease has */
	uint64_t shrink; /* a second */
};

struct lease {
	bool held;
	uint64_t seq;
	uint64_t want;
	uint64_t idle; /* claimed */
	uint64_t ttl_ms; /* granted */
	uint64_t until_ms;
};

/* How much may be taken now: filled at limits.shrink a second, for a second at most. */
struct lease_credit {
	uint64_t bytes;
	uint64_t seen_ms; /* 0: never filled */
	bool moving; /* in steps: the last one is taken however small it is */
};

struct lease_size {
	uint64_t bytes;
	enum channel_clamp clamp;
	bool more; /* steps down are left */
};

/* Limits that fit the VM: RAM bounds max, defaults filled in, min never above max. */
struct lease_limits lease_limits(uint64_t min, uint64_t max, uint64_t shrink, uint64_t ram);

/*
 * Takes over a lease message. Returns 0; -EALREADY when its sequence is not
 * above the last one (nothing is changed).
 */
int lease_renew(struct lease *l, const struct channel_message *m, uint64_t now_ms);

/* The wish within the limits, and what limited it. */
uint64_t lease_want(const struct lease_limits *limits, const struct lease *l,
		    enum channel_clamp *ret_clamp);

void lease_fill(struct lease_credit *c, const struct lease_limits *limits, uint64_t now_ms);

/*
 * The size to ask for, when the one in force is current and arbitration grants
 * grant (UINT64_MAX: whatever is wanted). Growing is whole, a step down is
 * paid from credit.
 */
struct lease_size lease_size(const struct lease_limits *limits, const struct lease *l,
			     uint64_t current, uint64_t grant, struct lease_credit *credit);

#endif /* EBB_BROKER_LEASE_H */
