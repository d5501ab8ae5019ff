// SPDX-License-Identifier: GPL-2.0-only
#include "broker/arbitrate.h"

#include <stdbool.h>

#define WEIGHT_BITS 20 /* of fraction in a weight */
#define LEVEL_BITS 63

/* Bytes that a VM has at a level: more at a higher one, and between what it must have and wants. */
static uint64_t at_level(uint64_t low, uint64_t high, uint64_t weight, uint64_t level)
{
	unsigned __int128 bytes = ((unsigned __int128)weight * level) >> WEIGHT_BITS;

	if (bytes <= low)
		return low;
	return bytes >= high ? high : (uint64_t)bytes;
}

/* Shares for each byte that is charged: the idle ones k times. */
static uint64_t weight(const struct arbitrate_vm *vm, bool taxed)
{
	unsigned __int128 charged = vm->want;

	if (!taxed || !vm->want)
		return vm->shares << WEIGHT_BITS;
	charged += (unsigned __int128)vm->idle * (ARBITRATE_TAX_K - 1);
	return (uint64_t)(((unsigned __int128)vm->shares << WEIGHT_BITS) * vm->want / charged);
}

/*
 * What the VM keeps whatever the level: its floor, and where there is a tax,
 * of what it would have without (grant, from the pass before) all but the idle.
 */
static uint64_t keeps(const struct arbitrate_vm *vm, bool taxed)
{
	uint64_t active = vm->want - (vm->idle < vm->want ? vm->idle : vm->want);
	uint64_t low = vm->grant < active ? vm->grant : active;

	return taxed && low > vm->min ? low : vm->min;
}

static unsigned __int128 sum_at(const struct arbitrate_vm *vms, size_t n, bool taxed,
				uint64_t level)
{
	unsigned __int128 sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += at_level(keeps(&vms[i], taxed), vms[i].want, weight(&vms[i], taxed), level);
	return sum;
}

/* Sets grant to what all have at the highest level that total pays for. */
static void pour(struct arbitrate_vm *vms, size_t n, bool taxed, uint64_t total)
{
	uint64_t level = 0, left;
	unsigned __int128 used = 0;

	for (int bit = LEVEL_BITS - 1; bit >= 0; bit--)
		if (sum_at(vms, n, taxed, level | (1ull << bit)) <= total)
			level |= 1ull << bit;
	for (size_t i = 0; i < n; i++) {
		vms[i].grant =
			at_level(keeps(&vms[i], taxed), vms[i].want, weight(&vms[i], taxed), level);
		used += vms[i].grant;
	}
	/* What is lost in rounding: less than a level's worth of bytes, to the first that want it.
	 */
	left = used < total ? total - (uint64_t)used : 0;
	for (size_t i = 0; i < n && left; i++) {
		uint64_t more = vms[i].want - vms[i].grant;

		more = more < left ? more : left;
		vms[i].grant += more;
		left -= more;
	}
}

uint64_t arbitrate(struct arbitrate_vm *vms, size_t n, uint64_t total)
{
	unsigned __int128 floors = 0, wants = 0;

	for (size_t i = 0; i < n; i++) {
		floors += vms[i].min;
		wants += vms[i].want;
	}
	for (size_t i = 0; i < n; i++)
		vms[i].grant = wants <= total ? vms[i].want : vms[i].min;
	if (wants <= total)
		return 0;
	if (floors >= total)
		return (uint64_t)(floors - total);
	/* First without the tax, for what nobody is to lose to another's claims. */
	pour(vms, n, false, total);
	pour(vms, n, true, total);
	return 0;
}
