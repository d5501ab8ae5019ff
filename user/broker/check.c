// SPDX-License-Identifier: GPL-2.0-only
#include "broker/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/text.h"

#define SMAPS_MAX (4u << 20)

static void look_at_process(struct findings *f, int pid, uint64_t ram)
{
	_cleanup_free_ char *smaps = malloc(SMAPS_MAX);
	char path[64], status[8192];
	ssize_t n;

	if (pid <= 0) {
		finding_add(f, FINDING_UNKNOWN, "process", "the VMM's process is not known");
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_file_at(AT_FDCWD, path, status, sizeof(status)) < 0) {
		finding_add(f, FINDING_UNKNOWN, "process", "%s cannot be read", path);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	n = smaps ? read_file_at(AT_FDCWD, path, smaps, SMAPS_MAX) : -ENOMEM;
	check_process(f, status, n > 0 || n == -EFBIG ? smaps : NULL, ram);
}

static int known_flag(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : -1;
}

/* The VM as the broker that runs has it; NULL: it has no such VM, or none runs. */
static const json_t *find_vm(const json_t *status, const char *socket)
{
	const json_t *vm;
	size_t i;

	json_array_foreach (json_object_get(status, "vms"), i, vm) {
		const char *at = json_string_value(json_object_get(vm, "vmm_socket"));

		if (at && !strcmp(at, socket))
			return vm;
	}
	return NULL;
}

/* QEMU answers one client: where that is the broker, it has asked the same. */
static int ask_broker(const char *socket, const char *path, struct qemu_settings *ret,
		      uint64_t *ret_ram)
{
	char why[CONF_ERROR_MAX];
	json_t *status = NULL;
	const json_t *vm, *found;
	int r = ask_status(socket, &status, why);

	if (r)
		return r;
	vm = find_vm(status, path);
	found = json_object_get(vm, "settings");
	if (json_is_object(found)) {
		const char *port = json_string_value(json_object_get(found, "port"));

		*ret = (struct qemu_settings){
			.balloons = json_is_true(json_object_get(found, "balloon")),
			.reporting = known_flag(found, "free_page_reporting"),
			.deflate_on_oom = known_flag(found, "deflate_on_oom"),
			.prealloc = known_flag(found, "prealloc"),
			.incomplete = json_is_true(json_object_get(found, "incomplete")),
		};
		while (port && ret->port < QEMU_NR_PORTS - 1 &&
		       strcmp(port, qemu_port_name(ret->port)) != 0)
			ret->port++;
		*ret_ram = (uint64_t)json_integer_value(json_object_get(vm, "ram"));
	} else {
		r = -ENOENT;
	}
	json_decref(status);
	return r;
}

static void check_vm(const char *socket, const struct vm_config *vm, struct findings *f)
{
	char why[CONF_ERROR_MAX] = "";
	uint64_t ram = 0;
	int pid = 0, r;

	if (vm->kind == VMM_QMP) {
		struct qemu_settings found;

		r = check_look_qemu(vm->vmm, &found, &ram, &pid, why);
		if (r == -ETIMEDOUT && !ask_broker(socket, vm->vmm, &found, &ram))
			r = 0;
		if (!r)
			check_qemu(f, &found);
	} else {
		r = check_look_rest(vm, f, &ram, &pid, why);
	}
	if (r)
		finding_add(f, FINDING_UNKNOWN, "vmm", "%.250s", why);
	if (pid)
		look_at_process(f, pid, ram);
	if (!vm->channel[0])
		finding_add(f, FINDING_WRONG, "channel",
			    "none is configured: the VM keeps its full size");
}

static json_t *findings_json(const struct vm_config *vm, const struct findings *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(list,
				      json_pack("{s:s,s:s,s:s}", "level",
						finding_level_name(f->all[i].level), "setting",
						f->all[i].setting, "text", f->all[i].text));
	return json_pack("{s:s,s:s,s:o}", "name", vm->name, "vmm", vmm_kind_name(vm->kind),
			 "findings", list);
}

static void print(FILE *out, const struct vm_config *vm, const struct findings *f)
{
	char shown[1024];

	fprintf(out, "%s (%s)\n", vm->name, vmm_kind_name(vm->kind));
	for (size_t i = 0; i < f->n; i++)
		fprintf(out, "  %-8s %-20s %s\n", finding_level_name(f->all[i].level),
			f->all[i].setting, text_printable(shown, sizeof(shown), f->all[i].text));
}

int check_run(const struct broker_config *c, bool json, FILE *out)
{
	json_t *all = json_array();
	int r = EBB_EXIT_OK;

	for (size_t i = 0; i < c->nr_vms; i++) {
		struct findings f = { 0 };

		check_vm(c->socket, &c->vms[i], &f);
		for (size_t k = 0; k < f.n; k++)
			if (f.all[k].level == FINDING_WRONG || f.all[k].level == FINDING_UNKNOWN)
				r = EBB_EXIT_FAILED;
		if (json)
			json_array_append_new(all, findings_json(&c->vms[i], &f));
		else
			print(out, &c->vms[i], &f);
	}
	if (json) {
		json_dumpf(all, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
		fputc('\n', out);
	}
	json_decref(all);
	return r;
}
