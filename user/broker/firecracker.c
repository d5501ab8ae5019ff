// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firecracker's API (src/firecracker/swagger/firecracker.yaml, 1.14 to 1.17).
 * Sizes are MiB of balloon. Errors are 400 with {"fault_message"}. PATCH refuses
 * members that it does not know, so nothing but amount_mib is sent. Free page
 * hinting is left alone: Firecracker documents a race in it that corrupts memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/rest.h"
#include "lib/text.h"

#define MIB_SHIFT 20

static int get_mib(const json_t *object, const char *key, uint64_t *ret)
{
	const json_t *value = json_object_get(object, key);
	json_int_t mib = json_integer_value(value);

	if (!json_is_integer(value) || mib < 0 || mib > UINT32_MAX)
		return -EPROTO;
	*ret = (uint64_t)mib << MIB_SHIFT;
	return 0;
}

static int read_info(const json_t *body, struct rest_vm *vm)
{
	uint64_t ram;
	int r = get_mib(body, "mem_size_mib", &ram);

	if (!r && !ram)
		r = -EPROTO;
	if (!r)
		vm->ram = ram;
	return r;
}

static const char *actual(const struct rest_vm *vm)
{
	return vm->no_stats || vm->ask_config ? "/balloon" : "/balloon/statistics";
}

/* The configuration has only what was asked for, but says whether there are statistics. */
static int read_actual(const json_t *body, struct rest_vm *vm)
{
	uint64_t bytes;
	int r;

	if (!vm->no_stats && !vm->ask_config)
		return get_mib(body, "actual_mib", &vm->balloon);
	r = get_mib(body, "amount_mib", &bytes);
	if (r)
		return r;
	vm->balloon = bytes;
	vm->no_stats = json_integer_value(json_object_get(body, "stats_polling_interval_s")) == 0;
	vm->ask_config = false;
	return 0;
}

/*
 * Statistics are refused where they were not switched on, where there is no balloon and, since it
 * has no answer of its own for it, before the boot; the words for these changed in 1.13. The
 * configuration is refused where there is no balloon, and for nothing else.
 */
static int refused_actual(int status, struct rest_vm *vm)
{
	if (status != 400)
		return -EIO;
	if (vm->no_stats || vm->ask_config)
		return -ENODEV;
	vm->ask_config = true;
	return -EAGAIN;
}

/* Rounded down: the VM is rather a little larger. */
static int format_set(char *buf, size_t size, uint64_t balloon)
{
	return snprintf(buf, size, "{\"amount_mib\":%" PRIu64 "}", balloon >> MIB_SHIFT);
}

static void read_error(int status, const json_t *body, char *why, size_t size)
{
	const char *text = json_string_value(json_object_get(body, "fault_message"));
	char shown[BACKEND_WHY_MAX];

	snprintf(why, size, "HTTP %d: %s", status,
		 text_printable(shown, sizeof(shown), text ? text : "no reason given"));
}

const struct rest_ops rest_firecracker = {
	.name = "Firecracker",
	/* A reboot ends Firecracker, so nothing outlives it. */
	.caps = { .set = true, .actual = true, .stats = true, .returns_memory = true },
	.info = "/machine-config",
	.read_info = read_info,
	.actual = actual,
	.read_actual = read_actual,
	.refused_actual = refused_actual,
	.set_method = "PATCH",
	.set_target = "/balloon",
	.format_set = format_set,
	.read_error = read_error,
	.no_balloon = "the VM has no balloon; before boot: PUT /balloon {\"amount_mib\":0,"
		      "\"deflate_on_oom\":true,\"stats_polling_interval_s\":1,"
		      "\"free_page_reporting\":true}",
};
