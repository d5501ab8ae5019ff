/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who gets how much of a host that has not enough. Pure.
 *
 * Idle memory tax (Waldspurger, OSDI 2002, section 5): of the VMs, that one
 * pays first whose shares per byte, the idle bytes counted k = 1/(1 - tax) times,
 * are fewest: rho = S / (P (f + k (1 - f))), with f the active fraction. The
 * lowest rho gives until it equals the next, so all that pay end at one rho.
 *
 * What is idle is the guest's own word, and a guest may lie. So the tax takes
 * from nobody more than that one declared idle, and what is left of it is at
 * least what it would have without any tax: who claims that all is active
 * gains what others gave up of their own, and nothing else.
 */
#ifndef EBB_BROKER_ARBITRATE_H
#define EBB_BROKER_ARBITRATE_H

#include <stddef.h>
#include <stdint.h>

#define ARBITRATE_SHARES 1000 /* of a VM for which none are given */
#define ARBITRATE_SHARES_MAX 1000000
#define ARBITRATE_TAX_K 4 /* k for a tax of 75% */

struct arbitrate_vm {
	uint64_t min; /* bytes; never less */
	uint64_t want; /* bytes; never more; >= min */
	uint64_t idle; /* bytes of want, claimed */
	uint64_t shares; /* 1 to ARBITRATE_SHARES_MAX */
	uint64_t grant; /* out */
};

/*
 * Divides total bytes. Returns how many bytes the floors need beyond total (0:
 * it was enough). With total at or above the sum of want, grant is want.
 */
uint64_t arbitrate(struct arbitrate_vm *vms, size_t n, uint64_t total);

#endif /* EBB_BROKER_ARBITRATE_H */
