/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine as a whole: memory, swap, what compression holds, free page reporting. */
#ifndef EBB_SENSE_MACHINE_H
#define EBB_SENSE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/snapshot.h"

struct machine;

/* root: put before /proc and /sys, NULL or "" but in tests. Files stay open. */
int machine_open(struct machine **ret, const char *root);
void machine_close(struct machine *m);

/*
 * Fills *ret but for what is known elsewhere, which stays as it is:
 * reclaim_swappiness, compact_busy, compact_cpu_us, compact_ended_ms.
 * 0, or why meminfo cannot be read; whatever else is missing reads as 0.
 */
int machine_read(struct machine *m, struct ebb_snap_machine *ret);

/* The order from which free blocks are reported; -1: none are. As of the last read. */
int machine_reporting_order(const struct machine *m);

/* Pure parsers. text need not end in a NUL. */

struct machine_meminfo { /* bytes */
	uint64_t total;
	uint64_t free;
	uint64_t available;
	uint64_t swap_total;
	uint64_t swap_free;
	uint64_t zswap; /* what zswap occupies */
	uint64_t zswapped; /* what it holds */
	uint64_t hugepage; /* size of one */
};

struct machine_vmstat {
	uint64_t alloc_stalls; /* all zones */
	uint64_t compact_fails;
	uint64_t ballooned; /* pages that the balloon has */
};

#define MACHINE_MAX_SWAPS 32

struct machine_swap {
	char name[64]; /* "/dev/zram0"; longer names are cut */
	uint64_t size; /* bytes */
	uint64_t used;
	int priority;
	int zram; /* N of /dev/zramN, else -1 */
};

struct machine_zram { /* mm_stat, bytes */
	uint64_t original;
	uint64_t compressed;
	uint64_t used; /* with the allocator's overhead */
};

int machine_parse_meminfo(const char *text, size_t len, struct machine_meminfo *ret);
int machine_parse_vmstat(const char *text, size_t len, struct machine_vmstat *ret);
size_t machine_parse_swaps(const char *text, size_t len, struct machine_swap *ret, size_t max);
int machine_parse_mm_stat(const char *text, size_t len, struct machine_zram *ret);
/* Bytes that are free in blocks of at least 2^order pages. */
uint64_t machine_parse_buddyinfo(const char *text, size_t len, unsigned int order,
				 uint64_t page_size);
bool machine_parse_feature(const char *text, size_t len, unsigned int bit);

#endif /* EBB_SENSE_MACHINE_H */
