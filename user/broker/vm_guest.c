// SPDX-License-Identifier: GPL-2.0-only
/* What a VM's guest is told, and what it tells. */
#include <string.h>

#include "broker/broker.h"
#include "broker/vm_int.h"
#include "lib/log.h"

void vm_send_welcome(struct vm *vm)
{
	struct channel_message m = { .type = CHANNEL_WELCOME,
				     .version = EBB_CHANNEL_VERSION,
				     .agent = "ebb-broker " EBB_VERSION,
				     .min = vm->limits.min,
				     .max = vm->limits.max };

	memcpy(m.session, vm->guest.session, sizeof(m.session));
	guest_send(&vm->guest, &m);
}

static enum channel_clamp clamp_now(const struct vm *vm)
{
	if (vm->broker->config.dry_run)
		return CHANNEL_CLAMP_DRY_RUN;
	return vm->vmm_up && !vm->unable && !vm->refused ? vm->clamp : CHANNEL_CLAMP_VMM;
}

static uint64_t size_now(const struct vm *vm)
{
	return vm->broker->config.dry_run ? vm->actual : vm->target;
}

static void send_ack(struct vm *vm)
{
	struct channel_message m = { .type = CHANNEL_ACK,
				     .seq = vm->lease.seq,
				     .applied = size_now(vm),
				     .actual = vm->actual,
				     .resident = vm->resident,
				     .ttl_ms = vm->lease.ttl_ms,
				     .clamp = clamp_now(vm) };

	vm->counts.clamps[m.clamp]++;
	vm->acked_size = m.applied;
	vm->acked_clamp = m.clamp;
	guest_send(&vm->guest, &m);
}

static void tell_pressure(struct vm *vm)
{
	struct channel_message m = { .type = CHANNEL_PRESSURE, .need = vm->need };
	uint64_t least = vm->told_need / 8;

	m.level = vm->need ? vm->broker->host.level : CHANNEL_LEVEL_NONE;
	/* An eighth more or less changes nothing that the guest would do. */
	if (m.level == vm->told_level && vm->need + least >= vm->told_need &&
	    vm->need <= vm->told_need + least)
		return;
	if (guest_send(&vm->guest, &m))
		return;
	vm->told_level = m.level;
	vm->told_need = m.need;
}

void vm_tell(struct vm *vm)
{
	if (!vm->guest.hello)
		return;
	tell_pressure(vm);
	if (vm->lease.held && (size_now(vm) != vm->acked_size || clamp_now(vm) != vm->acked_clamp))
		send_ack(vm);
}

static void on_hello(void *arg, const struct channel_message *m)
{
	struct vm *vm = arg;
	struct vm *other = m->name[0] ? broker_find(vm->broker, m->name) : NULL;

	if (vm->releasing)
		return;
	if (other && other != vm) {
		vm->guest.counts.claims++;
		if (vm_may_log(vm))
			log_warn("%s: its guest calls itself %s; that is another VM, and changes "
				 "nothing",
				 vm->config.name, other->config.name);
	}
	/* Sequences begin anew; the lease that was there ends unless the guest renews it soon. */
	if (vm->lease.held) {
		vm->lease = (struct lease){ 0 };
		vm_adopt(vm);
	}
	if (vm_may_log(vm))
		log_info("%s: guest connected (%s)", vm->config.name,
			 m->agent[0] ? m->agent : "unnamed");
	vm->told_level = CHANNEL_LEVEL_NONE;
	vm->told_need = 0;
	vm_send_welcome(vm);
	tell_pressure(vm);
}

static void on_lease(void *arg, const struct channel_message *m)
{
	struct vm *vm = arg;
	bool first = !vm->lease.held;

	if (vm->releasing)
		return;
	if (lease_renew(&vm->lease, m, uv_now(vm->broker->loop))) {
		vm->counts.stale++;
		return;
	}
	vm->counts.leases++;
	vm->adopting = false;
	if (first)
		vm->sampled = vm->target;
	vm_time(vm, vm->lease.ttl_ms);
	broker_arbitrate(vm->broker);
	vm_update(vm);
	send_ack(vm);
}

static void on_bye(void *arg)
{
	struct vm *vm = arg;

	if (!vm->releasing)
		vm_drop_lease(vm, VM_LOSS_BYE);
}

static void on_guest_lost(void *arg, const char *why)
{
	struct vm *vm = arg;

	if (vm->releasing)
		return;
	if (vm_may_log(vm))
		log_info("%s: guest gone: %s", vm->config.name, why);
	vm_drop_lease(vm, VM_LOSS_CHANNEL);
}

const struct guest_events vm_guest_events = {
	.hello = on_hello,
	.lease = on_lease,
	.bye = on_bye,
	.lost = on_guest_lost,
};
