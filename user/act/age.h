/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One new MGLRU generation at a time, through debugfs lru_gen: the only way
 * there is to make the kernel look at the accessed bits now.
 */
#ifndef EBB_ACT_AGE_H
#define EBB_ACT_AGE_H

#include <stdbool.h>
#include <stdint.h>

#include "act/act.h"

struct age; /* for several threads; what they read of lru_gen they read one after the other */

struct age_opts {
	const char *root; /* what /sys stands under */
	int cgroup_root; /* borrowed */
	struct journal *journal;
	bool dry_run; /* switches nothing on */
};

/*
 * Switches MGLRU on where it is off, and walks of page tables with it (journalled), and opens
 * lru_gen, if need be on a debugfs mount of its own. Fills the ageing part of caps. *ret is NULL,
 * and 0 returned, where ageing is not possible.
 */
int age_open(struct age **ret, const struct age_opts *opts, struct act_caps *caps);
void age_close(struct age *a);

/* May be told apart only once there are groups; looks again while unknown. */
enum act_id_form age_id_form(struct age *a);

/*
 * One ageing pass over one group's node. -ENOENT: the group is gone. Not
 * interruptible; 7 ms for 100 MB in 4K pages, measured under emulation.
 */
int age_group(struct age *a, const struct act_group *g);

/* What the kernel's answer to the write of a pass means: 0, also where another makes that pass. */
int age_answer(int error);

/*
 * Evicts page cache that stands on the lists of this one group, not of its
 * children, from generations of which two younger ones exist: bytes at most.
 * On 7.2 that is where the pages of removed children are. -EOPNOTSUPP: before.
 * ret_asked: what was there to be asked for. Ends early on a signal.
 */
int age_evict(struct age *a, uint64_t cgroup, uint64_t bytes, uint64_t *ret_asked);

/*
 * Evicts anon of this one group's node that has been idle for idle_ms at least: bytes at most, and
 * never page cache in its stead, as memory.reclaim without swappiness= would (up to 6.11). To be
 * called until *ret_asked is 0: no more is to be had. Ends early on a signal (-EINTR).
 */
int age_evict_anon(struct age *a, const struct act_group *g, uint64_t idle_ms, uint64_t bytes,
		   uint64_t *ret_asked);

/*
 * Bytes of page cache in the generation that is evicted from: the oldest that is idle for idle_ms,
 * by what the group says. Where next to nothing is in that one, the next with it.
 */
uint64_t age_old_file(const struct act_group *g, uint64_t idle_ms, uint64_t *ret_seq);

/*
 * Evicts page cache of this one group's node from generations up to seq: bytes at most, and
 * nothing of a younger one or of anon, whatever is met in use. -ENOENT: the group is gone. Ends
 * early on a signal (-EINTR).
 */
int age_evict_file(struct age *a, const struct act_group *g, uint64_t seq, uint64_t bytes);

/* What the kernel's answer to the write of an eviction means: -ENOENT where the group is gone. */
int age_evict_answer(int error);

/*
 * How much anon of these groups stands in generations that have been old for idle_ms at least, in
 * bytes, as the lists are now: one reading of them all. A group that is gone counts for nothing.
 * -E2BIG: the machine has too many groups for it.
 */
int age_idle_anon(struct age *a, const struct act_group *groups, size_t nr, uint64_t idle_ms,
		  uint64_t *ret);

/* The rows of lru_gen for a memcg (as printed) in one node. -ENOENT: no such. */
struct age_rows {
	uint64_t max_seq;
	uint64_t old_seq; /* the youngest of which two younger ones exist */
	uint64_t old_file; /* pages in it and older ones */
	/* The youngest of those that have been idle for idle_ms, as an ebb_age has it; and the
	 * pages of anon up to there that the kernel evicts before any page cache. */
	uint64_t idle_seq, idle_anon;
	uint64_t idle_any; /* pages of anon that have been idle for so long, whatever goes before */
};
int age_find_rows(const char *text, uint64_t memcg, uint32_t node, uint64_t idle_ms,
		  struct age_rows *ret);

#endif /* EBB_ACT_AGE_H */
