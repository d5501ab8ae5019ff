/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUs' own lists of free pages. What a CPU frees goes there first: in all
 * as much as the zone's low watermark (55 MiB in a VM of 2 GiB), and up to an
 * eighth of the zone while much is freed (6.7 on). There it is neither free nor
 * reported, and merges with nothing: of an exit of 450 MiB, up to 43 stayed
 * there on 7.2.
 */
#ifndef EBB_ACT_CPU_LISTS_H
#define EBB_ACT_CPU_LISTS_H

#include <stdatomic.h>

#define CPU_LISTS_WORTH (4ull << 20) /* bytes; less is left where it is */

struct journal;

/*
 * Where the lists hold CPU_LISTS_WORTH and more, gives the pages back to the
 * zones, and leaves the lists as long as they may be. One at a time; blocks
 * until each CPU had its turns, 200 ms at most, and returns soon after *stop.
 * Where the kernel has no such setting nothing is done.
 */
void cpu_lists_drain(struct journal *journal, const char *root, const atomic_bool *stop);

#endif /* EBB_ACT_CPU_LISTS_H */
