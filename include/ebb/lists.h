/* SPDX-License-Identifier: GPL-2.0-only */
/* The page cache on the lists of one group's node: from the census to who evicts it. */
#ifndef EBB_LISTS_H
#define EBB_LISTS_H

#include <stdint.h>

struct ebb_old_file {
	uint64_t bytes;
	uint64_t idle_ms; /* as of ebb_age; 0: nothing is known, or too few younger ones exist */
};

struct ebb_file_lists {
	uint64_t seq; /* of old[0], the oldest; the kernel evicts while two younger ones exist */
	struct ebb_old_file old[2];
};

#endif /* EBB_LISTS_H */
