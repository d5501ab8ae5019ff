// SPDX-License-Identifier: GPL-2.0-only
/* A VM's size, from lease, limits and grant; and its life. */
#include "broker/vm_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
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

/* --- the VMM is asked ---------------------------------------------------------- */

void vm_push(struct vm *vm)
{
	if (vm->setting || vm->target == vm->asked || !vm->target || vm->broker->config.dry_run)
		return;
	if (vm->ops->set(vm->backend, vm->target))
		return; /* not there: asked again when it is */
	vm->setting = true;
	vm->asked = vm->target;
	vm->asked_ms = uv_now(vm->broker->loop);
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
	vm_push(vm);
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

void vm_time(struct vm *vm, uint64_t ms)
{
	uv_timer_start(&vm->timer, on_timer, ms, 0);
}

void vm_adopt(struct vm *vm)
{
	vm->adopting = vm->config.channel[0] != '\0';
	if (vm->adopting)
		vm_time(vm, VM_ADOPT_MS);
}

bool vm_may_log(struct vm *vm)
{
	uint64_t now = uv_now(vm->broker->loop), earned = (now - vm->lines_ms) / VM_LINE_MS;

	if (!vm->lines_ms || vm->lines + earned >= VM_LINES) {
		vm->lines = VM_LINES;
		vm->lines_ms = now;
	} else {
		vm->lines += earned;
		vm->lines_ms += earned * VM_LINE_MS;
	}
	if (!vm->lines) {
		vm->unlogged++;
		return false;
	}
	vm->lines--;
	if (vm->unlogged)
		log_warn("%s: its guest caused %" PRIu64 " more lines, which are left out",
			 vm->config.name, vm->unlogged);
	vm->unlogged = 0;
	return true;
}

void vm_drop_lease(struct vm *vm, enum vm_loss why)
{
	if (vm->lease.held) {
		vm->counts.lost[why]++;
		if (why != VM_LOSS_BYE && vm_may_log(vm))
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

	/* Still small without a lease: its target may be another's, as after `virsh setmem`. */
	if (!vm->lease.held && !vm->setting && vm->actual && vm->actual < vm->limits.max &&
	    now - vm->asked_ms >= VM_POLL_MS)
		vm->asked = 0;
	vm_update(vm);
	if (vm->vmm_up && (moving || now - vm->polled_ms >= VM_POLL_MS || !vm->polled_ms)) {
		vm->polled_ms = now;
		vm->ops->poll(vm->backend);
		look_at_process(vm);
		guest_look_at_socket(&vm->guest);
	}
	vm_tell(vm);
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
	vm_send_welcome(vm);
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
	r = vm->ops->open(&vm->backend, broker->loop, config->kind, vm->config.vmm,
			  &vm_backend_events, vm);
	if (r < 0)
		return r;
	uv_timer_init(broker->loop, &vm->timer);
	vm->timer.data = vm;
	guest_open(&vm->guest, broker->loop, &vm->config, &vm_guest_events, vm);
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
	if (vm->unable || vm->broker->config.dry_run)
		return true;
	/* A VM that was known is small while its VMM is only not heard of for a moment. */
	if (!vm->vmm_up)
		return vm->gone || !vm->found;
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
