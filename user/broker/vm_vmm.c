// SPDX-License-Identifier: GPL-2.0-only
/* What a VM's VMM tells. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/broker.h"
#include "broker/check.h"
#include "broker/vm_int.h"
#include "lib/log.h"
#include "lib/units.h"

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
	guest_look_at_socket(&vm->guest);
	if (vm->guest.hello)
		vm_send_welcome(vm);
	if (vm->found && vm->lease.held && uv_timer_get_due_in(&vm->timer) > VM_PROVE_MS)
		vm_time(vm, VM_PROVE_MS);
}

static void on_lost(void *arg, int error, const char *why)
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
	vm->gone = error == -ENOENT || error == -ECONNREFUSED;
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

	/* The guest's word, which is never to count for more than this VM has. */
	bytes = bytes < vm->ram ? bytes : vm->ram;
	vm->actual = bytes;
	if (vm->unable) {
		vm->unable = false;
		vm->why[0] = '\0';
	}
	if (vm->target)
		return;
	/* Found as it is; what is below its floor is no size that it was given. The target that the
	 * VMM has is another matter, and may be smaller: asked stays 0, and it is told. */
	vm->target = bytes > vm->limits.min ? bytes : vm->limits.min;
	vm->sampled = vm->target;
	if (!vm->found && !vm->lease.held && bytes < vm->limits.max && !vm->releasing)
		vm_adopt(vm);
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
		if (strcmp(vm->why, why) != 0 && vm_may_log(vm)) /* a guest's driver can be off */
			log_warn("%s: the VMM refused %" PRIu64 " bytes: %s", vm->config.name,
				 vm->target, why);
		snprintf(vm->why, sizeof(vm->why), "%s", why);
		return;
	}
	vm->why[0] = '\0';
	vm_push(vm);
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

const struct backend_events vm_backend_events = {
	.ready = on_ready,
	.lost = on_lost,
	.unable = on_unable,
	.actual = on_actual,
	.set_done = on_set_done,
	.reset = on_reset,
	.port = on_port,
	.settings = on_settings,
};
