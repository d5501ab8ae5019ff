/* SPDX-License-Identifier: GPL-2.0-only */
/* How short of memory this host is. */
#ifndef EBB_BROKER_HOST_H
#define EBB_BROKER_HOST_H

#include <stdint.h>

#include "lib/channel.h"

/* Stalls over these say that memory is short, however much looks available. */
#define HOST_SOME_PPM 100000 /* some, avg10: 10% */
#define HOST_FULL_PPM 20000 /* full, avg10: 2% */

struct host_sample {
	uint64_t total; /* bytes */
	uint64_t available;
	uint32_t some_ppm; /* PSI memory, avg10; 0 where the kernel has none */
	uint32_t full_ppm;
};

struct host_state {
	enum channel_level level;
	int64_t asked; /* bytes that VMs may have more before guests are asked to give; negative:
			  so many less */
	int64_t held; /* the same for what the balloons enforce */
};

/* Reads meminfo and pressure/memory below proc ("/proc"). 0, or a negative errno. */
int host_read(const char *proc, struct host_sample *ret);

/*
 * Resident memory of a VM's VMM, pages of hugetlbfs included, bytes. -ESRCH where that process is
 * gone or cannot hold ram bytes: then it stands between us and the VMM.
 */
int host_resident(const char *proc, int pid, uint64_t ram, uint64_t *ret);

/* Pure. Guests are asked below reserve bytes available, and made to give below half of it. */
struct host_state host_judge(const struct host_sample *s, uint64_t reserve);

/*
 * Pure. A host that is no shorter than h says, with VMs that are to have budget bytes in sum and
 * have used: guests are asked within an eighth of it, and never get more.
 */
struct host_state host_budget(struct host_state h, uint64_t budget, uint64_t used);

#endif /* EBB_BROKER_HOST_H */
