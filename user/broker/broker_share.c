// SPDX-License-Identifier: GPL-2.0-only
/* Who may have how much: the VMs with a lease, and what the host has for them. */
#include <string.h>

#include "broker/broker_int.h"
#include "lib/log.h"

static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* What the VMs with a lease may have in sum: what they had when the host was looked at, and
 * surplus. */
static uint64_t pot(const struct broker *b, int64_t surplus)
{
	uint64_t sum = 0;

	for (const struct vm *vm = b->vms; vm; vm = vm->next)
		if (vm->lease.held && vm->target)
			sum = add(sum, vm->sampled);
	if (surplus >= 0)
		return add(sum, (uint64_t)surplus);
	return sum > (uint64_t)-surplus ? sum - (uint64_t)-surplus : 0;
}

static size_t fill_table(struct broker *b)
{
	size_t n = 0;

	for (struct vm *vm = b->vms; vm; vm = vm->next) {
		enum channel_clamp clamp;

		/* Without an agent inside, a VM that is squeezed has nobody to make room. */
		if (!vm->lease.held || !vm->target || n == b->table_size)
			continue;
		b->table_vms[n] = vm;
		b->table[n++] = (struct arbitrate_vm){
			.min = vm->limits.min,
			.want = lease_want(&vm->limits, &vm->lease, &clamp),
			.idle = vm->lease.idle,
			.shares = vm->config.shares ? vm->config.shares : ARBITRATE_SHARES,
		};
	}
	return n;
}

void broker_arbitrate(struct broker *b)
{
	size_t n = fill_table(b);

	if (!b->host_known)
		return;
	b->floor_short = arbitrate(b->table, n, pot(b, b->host.held));
	for (size_t i = 0; i < n; i++) {
		struct arbitrate_vm *t = &b->table[i];

		b->table_vms[i]->grant = t->grant < t->want ? t->grant : UINT64_MAX;
	}
	for (size_t i = 0; i < n; i++)
		b->table_vms[i]->need = 0;
	if (b->host.level == CHANNEL_LEVEL_NONE)
		return;
	arbitrate(b->table, n, pot(b, b->host.asked));
	for (size_t i = 0; i < n; i++) {
		struct vm *vm = b->table_vms[i];

		if (vm->target > b->table[i].grant)
			vm->need = vm->target - b->table[i].grant;
	}
}

void broker_look_at_host(struct broker *b)
{
	enum channel_level before = b->host.level;
	uint64_t used = 0;
	int r = host_read(b->proc, &b->sample);

	if (r) {
		if (b->host_known)
			log_warn("cannot read this host's memory: %s", strerror(-r));
		b->host_known = false;
		return;
	}
	b->host_known = true;
	b->host = host_judge(&b->sample, b->config.reserve);
	for (struct vm *vm = b->vms; vm; vm = vm->next) {
		vm->sampled = vm->target;
		used = add(used, vm->target);
	}
	if (b->config.budget)
		b->host = host_budget(b->host, b->config.budget, used);
	if (b->host.level != before)
		log_info("host pressure: %s", channel_level_name(b->host.level));
}
