// SPDX-License-Identifier: GPL-2.0-only
#include "broker/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
#include "broker/check.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/units.h"

static const char *const loss_names[VM_NR_LOSSES] = {
	[VM_LOSS_TTL] = "ttl",
	[VM_LOSS_CHANNEL] = "channel",
	[VM_LOSS_RESET] = "reset",
	[VM_LOSS_BYE] = "bye",
};

const char *vm_loss_name(enum vm_loss why)
{
	return loss_names[why];
}

/* --- the guest is told --------------------------------------------------------- */

static void send_welcome(struct vm *vm)
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

/* --- the VMM is asked ---------------------------------------------------------- */

static void push(struct vm *vm)
{
	if (vm->setting || vm->target == vm->asked || !vm->target || vm->broker->config.dry_run)
		return;
	if (vm->ops->set(vm->backend, vm->target))
		return; /* not there: asked again when it is */
	vm->setting = true;
	vm->asked = vm->target;
	vm->counts.sets++;
}

void vm_update(struct vm *vm)
{
	struct lease_size size;

	if (!vm->vmm_up || vm->unable || !vm->target || vm->adopting)
		return;
	lease_fill(&vm->credit, &vm->limits, uv_now(vm->broker->loop));
	size = lease_size(&vm->limits, &vm->lease, vm->target, vm->grant, &vm->credit);
	vm->clamp = size.clamp;
	if (size.bytes != vm->target) {
		char from[FORMAT_MAX], to[FORMAT_MAX];

		log_debug("%s: %s to %s%s%s", vm->config.name, format_size(from, vm->target),
			  format_size(to, size.bytes),
			  vm->broker->config.dry_run ? ", dry run" : "",
			  vm->lease.held ? "" : ", no lease");
		vm->target = size.bytes;
	}
	push(vm);
}

static void on_timer(uv_timer_t *timer)
{
	struct vm *vm = timer->data;

	if (vm->lease.held) {
		vm_drop_lease(vm, VM_LOSS_TTL);
	} else {
		vm->adopting = false;
		vm_update(vm);
	}
}

/* As it is, until the guest had its time to renew. */
static void adopt(struct vm *vm)
{
	vm->adopting = vm->config.channel[0] != '\0';
	if (vm->adopting)
		uv_timer_start(&vm->timer, on_timer, VM_ADOPT_MS, 0);
}

void vm_drop_lease(struct vm *vm, enum vm_loss why)
{
	if (vm->lease.held) {
		vm->counts.lost[why]++;
		if (why != VM_LOSS_BYE)
			log_info("%s: lease lost (%s): full size again", vm->config.name,
				 vm_loss_name(why));
	}
	uv_timer_stop(&vm->timer);
	vm->lease = (struct lease){ 0 };
	vm->adopting = false;
	vm->grant = UINT64_MAX;
	vm->need = 0;
	vm_update(vm);
}

/* --- what the VMM tells -------------------------------------------------------- */

static void on_ready(void *arg, uint64_t ram)
{
	struct vm *vm = arg;
	char size[FORMAT_MAX];

	if (!vm->vmm_up)
		log_info("%s: VMM found, %s of RAM", vm->config.name, format_size(size, ram));
	vm->vmm_up = true;
	vm->unable = false;
	vm->why[0] = '\0';
	vm->ram = ram;
	vm->limits = lease_limits(vm->config.min, vm->config.max, vm->config.shrink, ram);
	vm->asked = 0;
	/* With a lease it goes on from where it is; the first actual size says where. */
	vm->target = 0;
	vm->polled_ms = 0;
	if (vm->guest.hello)
		send_welcome(vm);
	if (vm->found && vm->lease.held && uv_timer_get_due_in(&vm->timer) > VM_PROVE_MS)
		uv_timer_start(&vm->timer, on_timer, VM_PROVE_MS, 0);
}

static void on_lost(void *arg, const char *why)
{
	struct vm *vm = arg;

	if (vm->vmm_up) {
		vm->counts.vmm_lost++;
		log_warn("%s: VMM lost: %s", vm->config.name, why);
	} else if (strcmp(vm->why, why) != 0) {
		log_info("%s: no VMM at %s: %s", vm->config.name, vm->config.vmm, why);
	}
	snprintf(vm->why, sizeof(vm->why), "%s", why);
	vm->vmm_up = false;
	vm->actual = vm->resident = 0;
}

static void on_unable(void *arg, const char *why)
{
	struct vm *vm = arg;

	if (!vm->unable)
		log_warn("%s: %s", vm->config.name, why);
	vm->unable = true;
	snprintf(vm->why, sizeof(vm->why), "%s", why);
}

static void on_actual(void *arg, uint64_t bytes)
{
	struct vm *vm = arg;

	vm->actual = bytes;
	if (vm->unable) {
		vm->unable = false;
		vm->why[0] = '\0';
	}
	if (vm->target)
		return;
	/* Found as it is. */
	vm->target = vm->asked = bytes;
	vm->sampled = bytes;
	if (!vm->found && !vm->lease.held && bytes < vm->limits.max && !vm->releasing)
		adopt(vm);
	vm->found = true;
	vm_update(vm);
}

static void on_set_done(void *arg, int error, const char *why)
{
	struct vm *vm = arg;

	vm->setting = false;
	vm->refused = error != 0;
	if (error) {
		vm->counts.set_errors++;
		vm->asked = 0; /* again at the next tick: at once would be a loop */
		if (strcmp(vm->why, why) != 0)
			log_warn("%s: the VMM refused %" PRIu64 " bytes: %s", vm->config.name,
				 vm->target, why);
		snprintf(vm->why, sizeof(vm->why), "%s", why);
		return;
	}
	vm->why[0] = '\0';
	push(vm);
}

/* What `check` would say, once, before anybody wonders why nothing comes back. */
static void on_settings(void *arg, const struct qemu_settings *found)
{
	struct vm *vm = arg;
	struct findings f = { 0 };

	vm->settings_known = true;
	vm->settings = *found;
	check_qemu(&f, found);
	for (size_t i = 0; i < f.n; i++)
		if (f.all[i].level == FINDING_WRONG)
			log_warn("%s: %s: %s", vm->config.name, f.all[i].setting, f.all[i].text);
}

/* QEMU keeps the old target, and the new kernel would inflate to it before any daemon is up. */
static void on_reset(void *arg)
{
	struct vm *vm = arg;

	guest_forget(&vm->guest);
	if (!vm->releasing)
		vm_drop_lease(vm, VM_LOSS_RESET);
}

static void on_port(void *arg, bool open)
{
	struct vm *vm = arg;

	if (open || vm->releasing)
		return;
	guest_forget(&vm->guest);
	vm_drop_lease(vm, VM_LOSS_CHANNEL);
}

static const struct backend_events backend_events = {
	.ready = on_ready,
	.lost = on_lost,
	.unable = on_unable,
	.actual = on_actual,
	.set_done = on_set_done,
	.reset = on_reset,
	.port = on_port,
	.settings = on_settings,
};

/* --- what the guest tells ------------------------------------------------------ */

static void on_hello(void *arg, const struct channel_message *m)
{
	struct vm *vm = arg;
	struct vm *other = m->name[0] ? broker_find(vm->broker, m->name) : NULL;

	if (vm->releasing)
		return;
	if (other && other != vm) {
		vm->guest.counts.claims++;
		log_warn("%s: its guest calls itself %s; that is another VM, and changes nothing",
			 vm->config.name, other->config.name);
	}
	/* Sequences begin anew; the lease that was there ends unless the guest renews it soon. */
	if (vm->lease.held) {
		vm->lease = (struct lease){ 0 };
		adopt(vm);
	}
	log_info("%s: guest connected (%s)", vm->config.name, m->agent[0] ? m->agent : "unnamed");
	vm->told_level = CHANNEL_LEVEL_NONE;
	vm->told_need = 0;
	send_welcome(vm);
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
	uv_timer_start(&vm->timer, on_timer, vm->lease.ttl_ms, 0);
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
	log_info("%s: guest gone: %s", vm->config.name, why);
	vm_drop_lease(vm, VM_LOSS_CHANNEL);
}

static const struct guest_events guest_events = {
	.hello = on_hello,
	.lease = on_lease,
	.bye = on_bye,
	.lost = on_guest_lost,
};

static void look_at_process(struct vm *vm)
{
	if (host_resident(vm->broker->proc, vm->ops->pid(vm->backend), vm->ram, &vm->resident))
		vm->resident = 0;
}

/* --- its life ------------------------------------------------------------------ */

void vm_tick(struct vm *vm)
{
	uint64_t now = uv_now(vm->broker->loop);
	bool moving = vm->actual != vm->target;

	vm_update(vm);
	if (vm->vmm_up && (moving || now - vm->polled_ms >= VM_POLL_MS || !vm->polled_ms)) {
		vm->polled_ms = now;
		vm->ops->poll(vm->backend);
		look_at_process(vm);
	}
	if (!vm->guest.hello)
		return;
	tell_pressure(vm);
	if (vm->lease.held && (size_now(vm) != vm->acked_size || clamp_now(vm) != vm->acked_clamp))
		send_ack(vm);
}

void vm_configure(struct vm *vm, const struct vm_config *config)
{
	struct vm_config c = *config;

	/* The channel and the VMM are the same, and their strings are in use. */
	vm->config.min = c.min;
	vm->config.max = c.max;
	vm->config.shrink = c.shrink;
	vm->config.shares = c.shares;
	if (!vm->ram)
		return;
	vm->limits = lease_limits(c.min, c.max, c.shrink, vm->ram);
	send_welcome(vm);
	vm_update(vm);
}

int vm_open(struct vm **ret, struct broker *broker, const struct vm_config *config)
{
	_cleanup_free_ struct vm *vm = calloc(1, sizeof(*vm));
	int r;

	if (!vm)
		return -ENOMEM;
	vm->broker = broker;
	vm->config = *config;
	vm->grant = UINT64_MAX;
	vm->limits = lease_limits(config->min, config->max, config->shrink, config->max);
	vm->ops = backend_ops(config->kind);
	r = vm->ops->open(&vm->backend, broker->loop, config->kind, vm->config.vmm, &backend_events,
			  vm);
	if (r < 0)
		return r;
	uv_timer_init(broker->loop, &vm->timer);
	vm->timer.data = vm;
	guest_open(&vm->guest, broker->loop, &vm->config, &guest_events, vm);
	vm->open = 3;
	*ret = TAKE_PTR(vm);
	return 0;
}

void vm_release(struct vm *vm)
{
	vm->releasing = true;
	guest_forget(&vm->guest);
	vm_drop_lease(vm, VM_LOSS_BYE);
}

bool vm_is_released(const struct vm *vm)
{
	if (!vm->vmm_up || vm->unable || vm->broker->config.dry_run)
		return true;
	return !vm->setting && vm->target >= vm->limits.max && vm->asked == vm->target;
}

static void on_part_closed(void *arg)
{
	struct vm *vm = arg;

	if (--vm->open == 0) {
		broker_vm_gone(vm->broker, vm);
		free(vm);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

void vm_close(struct vm *vm)
{
	vm->ops->close(vm->backend, on_part_closed, vm);
	guest_close(&vm->guest, on_part_closed);
	uv_close((uv_handle_t *)&vm->timer, on_timer_closed);
}
