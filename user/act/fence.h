/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eviction of what removed children left charged below a living cgroup.
 *
 * memory.reclaim on the parent walks the removed ones too, and nothing else
 * reaches them. The living are fenced off, journalled, for as long as it takes:
 *
 *  - Every descendant gets a value of its own, not the children alone. What a
 *    child does not claim it hands down in proportion (memory_recursiveprot),
 *    and that product overflows for a protection of "max"; with a setting of
 *    its own, a group's effective protection is its usage, nothing is handed
 *    down, and a removed grandchild is left to the item of its own parent.
 *  - memory.low yields when a pass over everything else found not one page. So
 *    no more is asked for than the removed ones are seen to hold, in small
 *    batches, and a batch that the living paid for is the last. Measured on
 *    6.1, 6.12 and 7.2: of the living, nothing was taken. (memory.min does not
 *    yield; but left behind by a crash it would leave the kernel nothing to take.)
 *  - The parent's own pages have no fence: a parent with processes of its own
 *    is refused.
 *  - In the root there is no fence where MGLRU keeps a list of memcgs (6.3 on,
 *    e4dde56cd208). Reclaim in the root goes along that list, and since 30d77b7eef01
 *    by protections that kswapd alone works out: they may be of any age. Measured
 *    on 6.12: with memory.min = max on everybody, half of what was taken was of the
 *    living. 7.2 does not need one: there the pages of a removed group go to the
 *    lists of its parent, which can be named (age_evict). They stand there among those of
 *    the root's own processes, by generations that nobody ages: where it has any, that is refused.
 */
#ifndef EBB_ACT_FENCE_H
#define EBB_ACT_FENCE_H

#include "act/journal.h"
#include "act/reclaim.h"

#define FENCE_MAX_GROUPS 2048
#define FENCE_BATCH (4ull << 20)

struct fence {
	struct journal *journal;
	struct journal_cgroup *groups;
	size_t nr, room;
	uint64_t walked; /* descendants that are fenced or need none */
};

/*
 * Fences all living descendants of dirfd. -E2BIG: too many. -EBUSY: somebody
 * would stand unfenced: the parent's own processes, or a populated child whose
 * memory is counted as the parent's. fence_down undoes and frees in any case.
 * One fence at a time: who is behind two would be let out by the first that goes.
 */
int fence_up(struct fence *f, struct journal *j, int dirfd);
void fence_down(struct fence *f);

/* As reclaim_run, r->file bytes at most (r->anon is not looked at). -EBUSY also while there is
 * another. */
void fence_reclaim(struct reclaim *r, struct journal *j);

/* The root's processes are everywhere's: it is never refused for them. */
bool fence_is_root(int dirfd);

/* Whether processes that are no kernel threads are in the root group at dirfd: 1, 0 or an errno. */
int fence_root_in_use(int dirfd, const char *root);

/* Page cache that no living child of dirfd accounts for, bytes. */
int fence_orphaned(int dirfd, uint64_t *ret_bytes, uint64_t *ret_living_steal);

#endif /* EBB_ACT_FENCE_H */
