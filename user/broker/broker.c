// SPDX-License-Identifier: GPL-2.0-only
#include "broker/broker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker_int.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "report/server.h"

struct vm *broker_find(const struct broker *b, const char *name)
{
	for (struct vm *vm = b->vms; vm; vm = vm->next)
		if (!strcmp(vm->config.name, name))
			return vm;
	return NULL;
}

/* --- from second to second ------------------------------------------------------ */

/* Many VMs are moved on in slices of a second: an ack is not to wait for two hundred of them. */
void broker_tick(struct broker *b)
{
	unsigned int i = 0;

	if (b->slice == 0) {
		broker_look_at_host(b);
		broker_arbitrate(b);
		b->slices = b->nr_vms > BROKER_SLICE_VMS ? BROKER_SLICES : 1;
	}
	for (struct vm *vm = b->vms; vm; vm = vm->next)
		if (i++ % b->slices == b->slice)
			vm_tick(vm);
	b->slice = (b->slice + 1) % b->slices;
	uv_timer_set_repeat(&b->tick, BROKER_TICK_MS / b->slices);
	metrics_turn(b->metrics);
}

static void on_tick(uv_timer_t *timer)
{
	broker_tick(timer->data);
}

/* --- VMs come and go ------------------------------------------------------------ */

static int reserve_table(struct broker *b, size_t n)
{
	size_t size = b->table_size ? b->table_size : 16;
	struct arbitrate_vm *table;
	struct vm **vms;

	if (n <= b->table_size)
		return 0;
	while (size < n)
		size *= 2;
	table = realloc(b->table, size * sizeof(*table));
	if (!table)
		return -ENOMEM;
	b->table = table;
	vms = realloc(b->table_vms, size * sizeof(struct vm *));
	if (!vms)
		return -ENOMEM;
	b->table_vms = vms;
	b->table_size = size;
	return 0;
}

int broker_add(struct broker *b, const struct vm_config *config, bool from_folder)
{
	struct vm *vm;
	int r;

	if (b->stopping)
		return -ESHUTDOWN;
	r = b->nr_vms < BROKER_VMS_MAX ? reserve_table(b, b->nr_vms + 1) : -E2BIG;
	if (!r)
		r = vm_open(&vm, b, config);
	if (r) {
		log_err("%s: cannot be watched: %s", config->name, strerror(-r));
		return r;
	}
	vm->from_folder = from_folder;
	vm->marked = true;
	vm->next = b->vms;
	b->vms = vm;
	b->nr_vms++;
	broker_count_files(b);
	log_debug("%s: watched", config->name);
	return 0;
}

void broker_vm_gone(struct broker *b, struct vm *vm)
{
	for (struct vm **at = &b->vms; *at; at = &(*at)->next)
		if (*at == vm) {
			*at = vm->next;
			b->nr_vms--;
			break;
		}
	if (b->stopping && !b->vms)
		broker_finish(b);
}

/* Full size first; a VMM that does not take it has until the time is over. */
static void on_released(uv_timer_t *timer)
{
	struct vm *vm = timer->data;

	if (!vm->closing && (vm_is_released(vm) || uv_now(vm->broker->loop) >= vm->release_ms)) {
		uv_timer_stop(timer);
		vm->closing = true;
		vm_close(vm);
	}
}

void broker_remove(struct broker *b, struct vm *vm)
{
	if (vm->releasing)
		return;
	log_info("%s: no longer watched", vm->config.name);
	vm->release_ms = uv_now(b->loop) + BROKER_STOP_MS;
	vm_release(vm);
	uv_timer_start(&vm->timer, on_released, 0, 20);
}

/* The same VM by name, VMM and channel: then only its limits may differ. */
static bool is_same(const struct vm_config *a, const struct vm_config *b)
{
	return a->kind == b->kind && a->mode == b->mode && !strcmp(a->vmm, b->vmm) &&
	       !strcmp(a->channel, b->channel);
}

void broker_sync_vm(struct broker *b, const struct vm_config *config, bool from_folder)
{
	struct vm *vm = broker_find(b, config->name);

	if (vm && vm->from_folder != from_folder) {
		log_warn("%s: there is a VM of that name already", config->name);
		return;
	}
	if (vm && !vm->releasing && is_same(&vm->config, config)) {
		vm->marked = true;
		vm_configure(vm, config);
		return;
	}
	if (vm) {
		/* Its name is free when it is gone; the scan comes again. */
		broker_remove(b, vm);
		vm->marked = true;
		broker_rescan_soon(b, 200);
		return;
	}
	broker_add(b, config, from_folder);
}

void broker_sweep(struct broker *b, bool from_folder)
{
	for (struct vm *vm = b->vms; vm; vm = vm->next)
		if (vm->from_folder == from_folder && !vm->marked)
			broker_remove(b, vm);
}

void broker_mark(struct broker *b, bool from_folder)
{
	for (struct vm *vm = b->vms; vm; vm = vm->next)
		if (vm->from_folder == from_folder)
			vm->marked = false;
}

static void sync_config(struct broker *b)
{
	broker_mark(b, false);
	for (size_t i = 0; i < b->config.nr_vms; i++)
		broker_sync_vm(b, &b->config.vms[i], false);
	broker_sweep(b, false);
}

static void on_rescan(uv_timer_t *timer)
{
	struct broker *b = timer->data;

	if (b->stopping)
		return;
	sync_config(b);
	folder_scan(b);
}

void broker_rescan_soon(struct broker *b, uint64_t ms)
{
	uv_timer_start(&b->rescan, on_rescan, ms, 0);
}

static int copy_config(struct broker_config *to, const struct broker_config *from)
{
	*to = *from;
	to->vms = NULL;
	to->nr_vms = to->max_vms = 0;
	for (size_t i = 0; i < from->nr_vms; i++) {
		int r = broker_config_add(to, &from->vms[i]);

		if (r)
			return r;
	}
	return 0;
}

void broker_reload(struct broker *b)
{
	struct broker_config fresh;
	struct conf_error err = { .file = "configuration", .message = "out of memory" };
	char text[CONF_ERROR_MAX];
	int r;

	/* What it would add nobody would take out again, and the stop would not end. */
	if (b->stopping)
		return;
	r = copy_config(&fresh, &b->given);
	if (!r && b->config_path)
		r = broker_config_load(b->config_path, &fresh, &err);
	if (r) {
		log_err("configuration not taken over: %s", conf_error_text(&err, text));
		broker_config_free(&fresh);
		return;
	}
	/* What is open stays as it is: these take a restart. */
	if (strcmp(fresh.socket, b->config.socket) || strcmp(fresh.listen, b->config.listen) ||
	    strcmp(fresh.watch, b->config.watch))
		log_warn("socket, listen and watch change only with a restart");
	strcpy(fresh.socket, b->config.socket);
	strcpy(fresh.listen, b->config.listen);
	strcpy(fresh.watch, b->config.watch);
	broker_config_free(&b->config);
	b->config = fresh;
	log_info("configuration read again");
	sync_config(b);
	folder_scan(b);
}

/* --- up and down ---------------------------------------------------------------- */

static int open_reports(struct broker *b)
{
	int r = server_open(&b->server, b->loop, b->config.socket, &broker_answers, b);

	if (r == -EADDRINUSE) {
		log_err("another ebb-broker answers at %s; stop it first", b->config.socket);
		return r;
	}
	if (r) {
		log_err("cannot listen at %s: %s (--socket PATH names another place)",
			b->config.socket, strerror(-r));
		return r;
	}
	if (!b->config.listen[0])
		return 0;
	r = metrics_open(&b->metrics, b, b->config.listen);
	if (r)
		log_err("cannot serve metrics at %s: %s", b->config.listen, strerror(-r));
	return r;
}

int broker_open(struct broker *b, uv_loop_t *loop)
{
	int r;

	b->loop = loop;
	b->open = true;
	if (!b->proc)
		b->proc = "/proc";
	uv_timer_init(loop, &b->tick);
	uv_timer_init(loop, &b->stop_timer);
	uv_timer_init(loop, &b->rescan);
	b->tick.data = b->stop_timer.data = b->rescan.data = b;
	b->started_ms = uv_now(loop);
	broker_raise_files(b);
	r = open_reports(b);
	for (size_t i = 0; i < b->config.nr_vms && !r; i++)
		r = broker_add(b, &b->config.vms[i], false);
	if (!r && b->config.watch[0])
		r = folder_open(b);
	if (r)
		return r;
	uv_timer_start(&b->tick, on_tick, 0, BROKER_TICK_MS);
	return 0;
}

void broker_finish(struct broker *b)
{
	void (*stopped)(struct broker *) = b->stopped;

	if (!b->open)
		return;
	b->open = false;
	metrics_close(b->metrics);
	server_close(b->server);
	b->metrics = NULL;
	b->server = NULL;
	uv_close((uv_handle_t *)&b->stop_timer, NULL);
	uv_close((uv_handle_t *)&b->rescan, NULL);
	uv_close((uv_handle_t *)&b->tick, NULL);
	if (b->folder_open)
		uv_close((uv_handle_t *)&b->folder, NULL);
	free(TAKE_PTR(b->table));
	free(TAKE_PTR(b->table_vms));
	broker_config_free(&b->config);
	broker_config_free(&b->given);
	if (stopped)
		stopped(b);
}

void broker_stop(struct broker *b, void (*stopped)(struct broker *b))
{
	size_t n = b->nr_vms;

	if (b->stopping)
		return;
	b->stopping = true;
	b->stopped = stopped;
	uv_timer_stop(&b->tick);
	if (!n) {
		broker_finish(b);
		return;
	}
	for (struct vm *vm = b->vms; vm; vm = vm->next)
		broker_remove(b, vm);
}
