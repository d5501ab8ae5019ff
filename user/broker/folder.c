// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watched folder: a file NAME.vm is a VM. A file that is wrong is logged
 * and changes nothing: the VM stays as the file last said, and so do all others.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/broker_int.h"
#include "lib/cleanup.h"
#include "lib/log.h"

#define SETTLE_MS 200 /* whoever writes a file writes more than once */

static bool is_vm_file(const char *name)
{
	size_t len = strlen(name), suffix = strlen(BROKER_VM_SUFFIX);

	return name[0] != '.' && len > suffix && !strcmp(name + len - suffix, BROKER_VM_SUFFIX);
}

static void scan_file(struct broker *b, const char *file)
{
	char path[sizeof(b->config.watch) + 260], text[CONF_ERROR_MAX];
	struct conf_error err;
	struct vm_config vm;
	int r;

	snprintf(path, sizeof(path), "%s/%s", b->config.watch, file);
	r = broker_vm_load(path, &vm, &err);
	if (r == -ENOENT)
		return; /* gone since */
	if (!r) {
		broker_sync_vm(b, &vm, true);
		return;
	}
	log_err("%s", conf_error_text(&err, text));
	if (strlen(file) - strlen(BROKER_VM_SUFFIX) < sizeof(vm.name)) {
		struct vm *known;

		snprintf(vm.name, sizeof(vm.name), "%.*s",
			 (int)(strlen(file) - strlen(BROKER_VM_SUFFIX)), file);
		known = broker_find(b, vm.name);
		if (known && known->from_folder)
			known->marked = true;
	}
}

void folder_scan(struct broker *b)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;

	if (!b->config.watch[0])
		return;
	dir = opendir(b->config.watch);
	if (!dir) {
		log_err("%s: %s; the VMs stay as they are", b->config.watch, strerror(errno));
		return;
	}
	broker_mark(b, true);
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((entry = readdir(dir)))
		if (is_vm_file(entry->d_name))
			scan_file(b, entry->d_name);
	broker_sweep(b, true);
}

/* A file of the folder of one configuration. */
static bool load_file(struct broker_config *c, const char *file)
{
	char path[sizeof(c->watch) + 260], text[CONF_ERROR_MAX];
	struct conf_error err;
	struct vm_config vm;
	int r;

	snprintf(path, sizeof(path), "%s/%s", c->watch, file);
	r = broker_vm_load(path, &vm, &err);
	if (r == -ENOENT)
		return true; /* gone since */
	if (r) {
		log_err("%s", conf_error_text(&err, text));
		return false;
	}
	r = broker_config_add(c, &vm);
	if (r)
		log_err("%s: %s", path,
			r == -EEXIST ? "there is a VM of that name already" : strerror(-r));
	return !r;
}

int folder_load(struct broker_config *c)
{
	_cleanup_closedir_ DIR *dir = opendir(c->watch);
	struct dirent *entry;
	bool good = true;

	if (!dir) {
		int r = -errno;

		log_err("%s: %s", c->watch, strerror(-r));
		return r;
	}
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((entry = readdir(dir)))
		if (is_vm_file(entry->d_name))
			good = load_file(c, entry->d_name) && good;
	return good ? 0 : -EINVAL;
}

static void on_change(uv_fs_event_t *handle, const char *name, int events, int status)
{
	struct broker *b = handle->data;

	if (status >= 0 && !b->stopping)
		broker_rescan_soon(b, SETTLE_MS);
}

int folder_open(struct broker *b)
{
	int r;

	uv_fs_event_init(b->loop, &b->folder);
	b->folder.data = b;
	b->folder_open = true;
	r = uv_fs_event_start(&b->folder, on_change, b->config.watch, 0);
	if (r) {
		log_err("cannot watch %s: %s", b->config.watch, uv_strerror(r));
		return r;
	}
	folder_scan(b);
	return 0;
}
