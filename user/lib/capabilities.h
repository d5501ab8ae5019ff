/* SPDX-License-Identifier: GPL-2.0-only */
/* Root without most of what makes it root. */
#ifndef EBB_LIB_CAPABILITIES_H
#define EBB_LIB_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

#define CAPABILITY(cap) (UINT64_C(1) << (cap)) /* cap: CAP_… of linux/capability.h */

struct capabilities {
	uint64_t effective; /* what is left to use */
	uint64_t bounding; /* what a program that we execute could have */
	bool no_new_privs;
};

/* What the calling thread has. */
int capabilities_get(struct capabilities *ret);

/*
 * Gives up, for good, all capabilities but those in keep (of which it may have
 * had fewer), the whole bounding set and whatever executing a file could bring.
 * These are a thread's own: threads that it starts later have the same, others
 * keep theirs. -EPERM: the bounding set is as it was, for want of CAP_SETPCAP;
 * all the rest is done.
 */
int capabilities_keep(uint64_t keep);

#endif /* EBB_LIB_CAPABILITIES_H */
