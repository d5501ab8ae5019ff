/* SPDX-License-Identifier: GPL-2.0-only */
/* One of ebb's programs alone, to be attached and detached: what that one costs. */
#ifndef EBB_TESTS_ONE_HOOK_H
#define EBB_TESTS_ONE_HOOK_H

#include <stdint.h>

#include "bpftest.h"

struct one_hook;

/*
 * Loads the program of that name, with the group counted as a container. NULL and *ret_why: this
 * kernel has it not, or refuses it.
 */
struct one_hook *one_hook_open(const char *name, const struct groups *g, uint64_t group,
			       const char **ret_why);
int one_hook_attach(struct one_hook *o);
void one_hook_detach(struct one_hook *o);
void one_hook_close(struct one_hook *o);
/* The names, in their order; NULL after the last. */
const char *one_hook_name(unsigned int i);

#endif /* EBB_TESTS_ONE_HOOK_H */
