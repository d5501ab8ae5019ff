/* SPDX-License-Identifier: GPL-2.0-only */
/* From which size on free blocks are reported to the host. */
#ifndef EBB_ACT_REPORTING_H
#define EBB_ACT_REPORTING_H

#include "act/journal.h"

/*
 * Blocks of 128 KiB (order 5) are reported instead of whole pageblocks of 2 MiB (the driver's
 * default), so that what a compaction cannot gather goes back as well. A smaller order that
 * somebody chose stays. root: what /sys stands under. 0; -ENOENT: this kernel has no page
 * reporting; -EAGAIN: no driver has chosen an order yet, and to set one now could not be undone;
 * others from the journal.
 */
int reporting_open(const char *root, struct journal *journal);

#endif /* EBB_ACT_REPORTING_H */
