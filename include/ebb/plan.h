/* SPDX-License-Identifier: GPL-2.0-only */
/* What to do now, and why; and for each container why nothing is done. */
#ifndef EBB_PLAN_H
#define EBB_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/config.h"
#include "ebb/snapshot.h"

enum ebb_action {
	EBB_ACT_AGE = 1, /* one ageing pass over the container's groups */
	EBB_ACT_RECLAIM, /* evict, at most anon + file bytes */
	EBB_ACT_RECLAIM_EXIT, /* evict what an emptied container left */
	EBB_ACT_RECLAIM_ORPHANS, /* evict what removed children of group id left; the living are
				    fenced */
	EBB_ACT_COMPACT, /* the whole machine */
	EBB_ACT_LIMIT, /* memory.max of holder id becomes `limit` */
	EBB_ACT_SWAP_LIMIT, /* and this its memory.swap.max */
};

/* What a container is doing, for a person (`ebb list`: state). */
enum ebb_state {
	EBB_STATE_STARTING,
	EBB_STATE_WATCHED, /* its ages are being learned */
	EBB_STATE_RECLAIMING,
	EBB_STATE_SETTLED, /* what is cold was taken */
	EBB_STATE_HELD, /* cold, but a veto holds it */
	EBB_STATE_OFF,
	EBB_STATE_PAUSED,
	EBB_STATE_EMPTY,
	EBB_NR_STATES,
};

/* Why an act was planned, or why none was (`ebb list`: reason). */
enum ebb_reason {
	EBB_REASON_NONE,
	EBB_REASON_COLD, /* known cold is being taken */
	EBB_REASON_EXIT, /* its last process is gone */
	EBB_REASON_PROBE, /* a small step under feedback: ages are not known */
	EBB_REASON_STRANDED, /* free memory is not in blocks that can be reported */
	EBB_REASON_STARTING, /* still growing */
	EBB_REASON_LEARNING, /* no generation is old enough yet */
	EBB_REASON_NOTHING_COLD,
	EBB_REASON_HUGE_PAGES, /* what is cold hides inside huge pages */
	EBB_REASON_PSI_MEMORY,
	EBB_REASON_PSI_IO,
	EBB_REASON_REFAULTS, /* too much of what was taken came back */
	EBB_REASON_SWAP_FULL,
	EBB_REASON_NO_SWAP, /* only anon is cold, and it has nowhere to go */
	EBB_REASON_PROTECTED,
	EBB_REASON_OFF,
	EBB_REASON_PAUSED,
	EBB_REASON_BUSY, /* the last act is still under way */
	EBB_REASON_SHORTFALL, /* what looked cold could not be taken; tried again after the next
				 pass */
	EBB_REASON_FAILED, /* the last act failed; tried again later */
	EBB_REASON_CAP, /* the cap of the whole machine leaves it no more */
	EBB_NR_REASONS,
};

/* Why the VM asks for the size it asks for (`ebb status`). */
enum ebb_size_reason {
	EBB_SIZE_NO_HOST, /* nobody to ask: the size is what it is */
	EBB_SIZE_FOLLOW, /* what is needed, and headroom */
	EBB_SIZE_SHRINK, /* on the way down to it */
	EBB_SIZE_HOLD, /* it grew a moment ago */
	EBB_SIZE_START, /* a container starts */
	EBB_SIZE_SHORT, /* memory is short in the guest: all that may be had */
	EBB_SIZE_PAUSED,
	EBB_SIZE_USELESS, /* the balloon is switched off: it brought nothing */
	EBB_NR_SIZES,
};

/* By what memory goes back to the host. */
enum ebb_means {
	EBB_MEANS_REPORTING, /* free blocks, by themselves */
	EBB_MEANS_COMPACTION, /* gathers what is free into such blocks */
	EBB_MEANS_BALLOON,
	EBB_NR_MEANS,
};

enum ebb_means_reason {
	EBB_MEANS_WORKS,
	EBB_MEANS_ABSENT, /* this VM does not have it */
	EBB_MEANS_NO_REPORTING, /* compaction: nothing reports what it gathers */
	EBB_MEANS_GATHERS_NOTHING, /* compaction, over several passes */
	EBB_MEANS_TAKES_NOTHING, /* the balloon, of what it was asked to take */
	EBB_MEANS_HOST_KEEPS, /* what it gave, the VMM's process still held */
	EBB_NR_MEANS_REASONS,
};

struct ebb_means_verdict {
	bool on;
	enum ebb_means_reason reason;
	unsigned int tries; /* in a row that brought nothing */
	uint64_t again_ms; /* when it is tried again, CLOCK_MONOTONIC; 0: it is not off */
};

/* What to ask of the host. Bytes. */
struct ebb_footprint {
	uint64_t want; /* size of the VM; 0: ask for nothing, which is the full size */
	uint64_t idle; /* of it, what nobody needs soon */
	uint64_t need; /* what is in use and not known cold, the kernel's own included */
	uint64_t headroom; /* kept free for the next burst */
	enum ebb_size_reason reason;
};

/* The cap as it is held in the guest. Bytes. */
struct ebb_room {
	uint64_t used; /* by the guest, all of it; 0: no cap is in force */
	uint64_t held; /* of it, by the groups that hold containers */
	uint64_t room; /* what these may have */
	uint64_t reserve; /* kept free below the cap */
};

struct ebb_plan_item {
	uint64_t id; /* cgroup id; 0 for EBB_ACT_COMPACT */
	enum ebb_action action;
	enum ebb_reason reason;
	uint64_t anon; /* bytes at most, of each kind */
	uint64_t file;
	uint64_t idle_ms; /* of RECLAIM: how long that has been idle at least; 0: not known */
	uint64_t file_idle_ms; /* of file: no more than generations have that are as old; 0: any */
	uint64_t keep; /* of RECLAIM_EXIT: bytes that stay, of its usage */
	uint64_t limit; /* bytes, of the two LIMITs; UINT64_MAX: what was there before us */
	uint64_t batch; /* bytes a write; of LIMIT: how far below the usage it goes at once */
	uint32_t deadline_ms; /* for the whole item */
};

struct ebb_verdict {
	uint64_t id;
	enum ebb_state state;
	enum ebb_reason reason;
	uint64_t cold; /* bytes known idle for cold_after or longer */
	uint64_t working_set; /* bytes in memory that are not known cold */
	uint64_t refaulted; /* bytes that came back, of what ebb took, cumulative */
	uint64_t taken; /* bytes that ebb took, cumulative */
	bool growing; /* starting or growing: worth a look by the fault hook */
};

/*
 * The arrays are the caller's: room for at least nr_containers verdicts and
 * nr_containers + nr_orphans + 2 * nr_holders + nr_others + 1 items.
 */
struct ebb_plan {
	size_t nr_items;
	size_t max_items;
	struct ebb_plan_item *items;
	size_t nr_verdicts; /* one a container, in the snapshot's order */
	size_t max_verdicts;
	struct ebb_verdict *verdicts;
	struct ebb_footprint footprint;
	struct ebb_room cap;
	struct ebb_means_verdict means[EBB_NR_MEANS];
	uint64_t next_ms; /* when to come back at the latest, CLOCK_MONOTONIC */
};

const char *ebb_state_name(enum ebb_state state); /* "starting", … */
const char *ebb_reason_name(enum ebb_reason reason); /* code: "psi-memory", … */
const char *ebb_reason_text(enum ebb_reason reason); /* for a person: one clause */
const char *ebb_size_reason_name(enum ebb_size_reason reason); /* code: "follow", … */
const char *ebb_size_reason_text(enum ebb_size_reason reason);
const char *ebb_means_name(enum ebb_means means); /* code: "reporting", … */
const char *ebb_means_reason_name(enum ebb_means_reason reason); /* code: "host-keeps", … */
const char *ebb_means_reason_text(enum ebb_means_reason reason);
const char *ebb_action_name(enum ebb_action action);

#endif /* EBB_PLAN_H */
