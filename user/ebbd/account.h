/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From reclaimed to returned: what the host has back of this VM's memory, and
 * which step brought it there. Pure.
 */
#ifndef EBB_EBBD_ACCOUNT_H
#define EBB_EBBD_ACCOUNT_H

#include "report/model.h"

/* Bytes and passes of ours so far, cumulative. */
struct account_work {
	uint64_t reclaimed; /* exits not included */
	uint64_t exited; /* by our hand or the kernel's */
	uint64_t compactions;
	bool reclaiming, compacting; /* under way: pages are freed before the count is known */
};

struct account {
	bool known, reporting;
	uint64_t at_host;
	uint64_t ballooned;
	struct account_work work;
	uint64_t returned[REPORT_NR_CAUSES]; /* bytes, cumulative */
};

/*
 * What the host can have of the VM now: the balloon's pages, and those free
 * blocks that are reported to it. Reporting runs 2 s behind, so this is a moment ahead.
 */
uint64_t account_at_host(const struct ebb_snap_machine *m);

void account_step(struct account *a, const struct ebb_snap_machine *m,
		  const struct account_work *work);

#endif /* EBB_EBBD_ACCOUNT_H */
