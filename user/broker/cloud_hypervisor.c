// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cloud Hypervisor's API (vmm/src/api/openapi/cloud-hypervisor.yaml, 0.3.0, as of release 54).
 * Sizes are bytes of balloon. It checks nothing against RAM and keeps the size
 * over a reboot without telling of one: the lease ends with the channel there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "broker/rest.h"
#include "lib/text.h"

#define PAGE 4096

static int get_bytes(const json_t *object, const char *key, uint64_t *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return -EPROTO;
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

/* Adds what member key of the memory and of its zones come to. */
static int add_memory(const json_t *memory, const char *key, uint64_t *sum)
{
	const json_t *zone;
	uint64_t part;
	size_t i;

	if (get_bytes(memory, key, &part) == 0 && __builtin_add_overflow(*sum, part, sum))
		return -EPROTO;
	json_array_foreach (json_object_get(memory, "zones"), i, zone)
		if (get_bytes(zone, key, &part) == 0 && __builtin_add_overflow(*sum, part, sum))
			return -EPROTO;
	return 0;
}

static int read_info(const json_t *body, struct rest_vm *vm)
{
	const json_t *config = json_object_get(body, "config");
	uint64_t ram = 0;

	/* Where the memory is in zones, its own size is 0. */
	if (add_memory(json_object_get(config, "memory"), "size", &ram) || !ram)
		return -EPROTO;
	vm->ram = ram;
	return json_is_object(json_object_get(config, "balloon")) ? 0 : -ENODEV;
}

static const char *actual(const struct rest_vm *vm)
{
	return "/api/v1/vm.info";
}

static int read_actual(const json_t *body, struct rest_vm *vm)
{
	const json_t *memory = json_object_get(json_object_get(body, "config"), "memory");
	uint64_t bytes, plugged = 0;
	int r = read_info(body, vm);

	if (!r)
		r = get_bytes(body, "memory_actual_size", &bytes);
	/* It has in it what was plugged in later (virtio-mem), which is beside the RAM. */
	if (!r)
		r = add_memory(memory, "hotplugged_size", &plugged);
	if (r)
		return r;
	bytes -= plugged < bytes ? plugged : bytes;
	vm->balloon = vm->ram > bytes ? vm->ram - bytes : 0;
	return 0;
}

static int refused_actual(int status, struct rest_vm *vm)
{
	return -EIO; /* without a balloon vm.info is answered, and says so */
}

static int format_set(char *buf, size_t size, uint64_t balloon)
{
	return snprintf(buf, size, "{\"desired_balloon\":%" PRIu64 "}", balloon - balloon % PAGE);
}

/* An array of messages, the outermost first (since 47), or nothing that is JSON. */
static void read_error(int status, const json_t *body, char *why, size_t size)
{
	const char *text = json_string_value(json_array_get(body, json_array_size(body) - 1));
	char shown[BACKEND_WHY_MAX];

	if (!text)
		text = status == 404   ? "the VM is not created"
		       : status == 429 ? "a removal of CPUs is still under way"
		       : status == 500 ? "it cannot resize; is there a balloon (--balloon size=0)?"
				       : "no reason given";
	snprintf(why, size, "HTTP %d: %s", status, text_printable(shown, sizeof(shown), text));
}

const struct rest_ops rest_cloud_hypervisor = {
	.name = "Cloud Hypervisor",
	.caps = { .set = true, .actual = true, .returns_memory = true, .survives_reboot = true },
	.info = "/api/v1/vm.info",
	.read_info = read_info,
	.actual = actual,
	.read_actual = read_actual,
	.refused_actual = refused_actual,
	.set_method = "PUT",
	.set_target = "/api/v1/vm.resize",
	.format_set = format_set,
	.read_error = read_error,
	.no_balloon = "the VM has no balloon; start it with --balloon "
		      "size=0,deflate_on_oom=on,free_page_reporting=on",
};
