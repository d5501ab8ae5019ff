// SPDX-License-Identifier: GPL-2.0-only
#include "broker/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/arbitrate.h"
#include "broker/config_int.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/units.h"

#define SIZE_MIN (16ull << 20)
#define SIZE_MAX_BYTES (1ull << 50)

static const char *const kind_names[VMM_NR_KINDS] = {
	[VMM_NONE] = "none",
	[VMM_QMP] = "qmp",
	[VMM_FIRECRACKER] = "firecracker",
	[VMM_CLOUD_HYPERVISOR] = "cloud-hypervisor",
};

static const char *const mode_names[CHANNEL_NR_MODES] = {
	[CHANNEL_MODE_UNIX] = "unix",
	[CHANNEL_MODE_VSOCK] = "vsock",
	[CHANNEL_MODE_CONNECT] = "connect",
};

const char *vmm_kind_name(enum vmm_kind kind)
{
	return (size_t)kind < VMM_NR_KINDS ? kind_names[kind] : "unknown";
}

static int set_path(char path[BROKER_PATH_MAX], const char *value, char *why)
{
	if (value[0] != '/' || strlen(value) >= BROKER_PATH_MAX) {
		snprintf(why, CONFIG_WHY_MAX, "expected a socket's path from /, at most %d bytes",
			 BROKER_PATH_MAX - 1);
		return -EINVAL;
	}
	strcpy(path, value);
	return 0;
}

/* "KIND:" at the start of value; the index of it, or 0 with value where it was. */
static size_t prefix(const char *const names[], size_t n, const char **value)
{
	for (size_t i = 1; i < n; i++) {
		size_t len = strlen(names[i]);

		if (!strncmp(*value, names[i], len) && (*value)[len] == ':') {
			*value += len + 1;
			return i;
		}
	}
	return 0;
}

static int set_socket(void *base, size_t offset, const char *value, char *why)
{
	return set_path((char *)base + offset, value, why);
}

static int set_vmm(void *base, size_t offset, const char *value, char *why)
{
	struct vm_config *vm = base;
	size_t kind = prefix(kind_names, VMM_NR_KINDS, &value);

	if (!kind) {
		snprintf(why, CONFIG_WHY_MAX,
			 "expected qmp:SOCKET, firecracker:SOCKET or cloud-hypervisor:SOCKET");
		return -EINVAL;
	}
	if (set_path(vm->vmm, value, why))
		return -EINVAL;
	vm->kind = (enum vmm_kind)kind;
	return 0;
}

static int set_channel(void *base, size_t offset, const char *value, char *why)
{
	struct vm_config *vm = base;
	size_t mode = prefix(mode_names, CHANNEL_NR_MODES, &value);

	if (set_path(vm->channel, value, why))
		return -EINVAL;
	vm->mode = (enum channel_mode)mode;
	return 0;
}

static int set_name(void *base, size_t offset, const char *value, char *why)
{
	struct vm_config *vm = base;

	if (!config_name_ok(value)) {
		snprintf(why, CONFIG_WHY_MAX,
			 "expected 1 to %d letters, digits, '.', '_', '-', ':' or '@'",
			 BROKER_NAME_MAX - 1);
		return -EINVAL;
	}
	strcpy(vm->name, value);
	return 0;
}

static int set_size(void *base, size_t offset, const char *value, char *why)
{
	uint64_t bytes;

	if (parse_size(value, &bytes) || bytes < SIZE_MIN || bytes > SIZE_MAX_BYTES) {
		snprintf(why, CONFIG_WHY_MAX, "expected a size from 16M on, such as 512M or 1.5G");
		return -EINVAL;
	}
	memcpy((char *)base + offset, &bytes, sizeof(bytes));
	return 0;
}

static int set_shares(void *base, size_t offset, const char *value, char *why)
{
	uint64_t shares = 0;
	char *end;

	if (value[0] >= '0' && value[0] <= '9')
		shares = strtoull(value, &end, 10);
	if (!shares || *end || shares > ARBITRATE_SHARES_MAX) {
		snprintf(why, CONFIG_WHY_MAX, "expected a number from 1 to %d",
			 ARBITRATE_SHARES_MAX);
		return -EINVAL;
	}
	memcpy((char *)base + offset, &shares, sizeof(shares));
	return 0;
}

static int set_watch(void *base, size_t offset, const char *value, char *why)
{
	struct broker_config *c = base;

	if (value[0] != '/' || strlen(value) >= sizeof(c->watch)) {
		snprintf(why, CONFIG_WHY_MAX, "expected a folder's path from /, at most %zu bytes",
			 sizeof(c->watch) - 1);
		return -EINVAL;
	}
	strcpy(c->watch, value);
	return 0;
}

/* Addresses only: metrics are for this machine, or for an address that somebody chose. */
static int set_listen(void *base, size_t offset, const char *value, char *why)
{
	struct broker_config *c = base;
	const char *colon = strrchr(value, ':'), *start = value;
	char host[INET6_ADDRSTRLEN] = "", *end = NULL;
	bool v6 = value[0] == '[';
	struct in6_addr address;
	unsigned long port = 0;
	size_t len = colon ? (size_t)(colon - value) : 0;

	snprintf(why, CONFIG_WHY_MAX, "expected ADDRESS:PORT such as 127.0.0.1:9466");
	if (!colon || strlen(value) >= sizeof(c->listen))
		return -EINVAL;
	if (v6) {
		if (len < 2 || value[len - 1] != ']')
			return -EINVAL;
		start++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, start, len);
	if (colon[1] >= '0' && colon[1] <= '9')
		port = strtoul(colon + 1, &end, 10);
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host, &address) != 1 || !port || port > 65535 ||
	    *end)
		return -EINVAL;
	strcpy(c->listen, value);
	return 0;
}

/* clang-format off */
static const struct config_key broker_keys[] = {
	{ "socket", set_socket, offsetof(struct broker_config, socket), "where `status` asks" },
	{ "listen", set_listen, offsetof(struct broker_config, listen), "address and port for metrics (none)" },
	{ "watch", set_watch, offsetof(struct broker_config, watch), "folder of NAME.vm files (none)" },
	{ "reserve", set_size, offsetof(struct broker_config, reserve),
	  "host memory to stay available (a tenth)" },
	{ "budget", set_size, offsetof(struct broker_config, budget),
	  "what all VMs may have in sum (what the host has)" },
};

static const struct config_key vm_keys[] = {
	{ "name", set_name, offsetof(struct vm_config, name), "only in --vm; a section has it in its header" },
	{ "vmm", set_vmm, offsetof(struct vm_config, vmm),
	  "qmp:SOCKET, firecracker:SOCKET or cloud-hypervisor:SOCKET" },
	{ "channel", set_channel, offsetof(struct vm_config, channel),
	  "the guest's socket; unix: vsock: or connect: before it" },
	{ "min", set_size, offsetof(struct vm_config, min), "never smaller (an eighth of max, at least 256M)" },
	{ "max", set_size, offsetof(struct vm_config, max), "never larger (the VM's RAM)" },
	{ "shrink", set_size, offsetof(struct vm_config, shrink), "at most so much a second (an eighth of max)" },
	{ "shares", set_shares, offsetof(struct vm_config, shares), "weight when the host is short (1000)" },
};
/* clang-format on */

const struct config_section config_section_broker = { "broker", broker_keys,
						      ARRAY_SIZE(broker_keys) };
const struct config_section config_section_vm = { "vm", vm_keys, ARRAY_SIZE(vm_keys) };

const struct config_key *config_key_find(const struct config_section *section, const char *name)
{
	for (size_t i = 0; i < section->nr_keys; i++)
		if (!strcmp(section->keys[i].name, name))
			return &section->keys[i];
	return NULL;
}

void config_key_names(const struct config_section *section, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < section->nr_keys && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "",
				      section->keys[i].name);
}

bool config_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len && len < BROKER_NAME_MAX && name[0] != '.' &&
	       strspn(name,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:@") == len;
}

int config_vm_check(const struct vm_config *vm, char *why)
{
	if (!vm->kind)
		snprintf(why, CONFIG_WHY_MAX, "vmm is missing: expected for example qmp:SOCKET");
	else if (vm->min && vm->max && vm->min > vm->max)
		snprintf(why, CONFIG_WHY_MAX, "min is above max");
	else if (vm->kind != VMM_QMP && vm->mode == CHANNEL_MODE_AUTO && vm->channel[0] &&
		 strlen(vm->channel) > BROKER_PATH_MAX - 6)
		snprintf(why, CONFIG_WHY_MAX, "channel is too long for the _PORT behind it");
	else
		return 0;
	return -EINVAL;
}

void broker_config_defaults(struct broker_config *c)
{
	memset(c, 0, sizeof(*c));
	strcpy(c->socket, BROKER_SOCKET_PATH);
}

void broker_config_free(struct broker_config *c)
{
	free(c->vms);
	c->vms = NULL;
	c->nr_vms = c->max_vms = 0;
}

int broker_config_add(struct broker_config *c, const struct vm_config *vm)
{
	for (size_t i = 0; i < c->nr_vms; i++)
		if (!strcmp(c->vms[i].name, vm->name))
			return -EEXIST;
	if (c->nr_vms == BROKER_VMS_MAX)
		return -E2BIG;
	if (c->nr_vms == c->max_vms) {
		size_t max = c->max_vms ? 2 * c->max_vms : 8;
		struct vm_config *vms = realloc(c->vms, max * sizeof(*vms));

		if (!vms)
			return -ENOMEM;
		c->vms = vms;
		c->max_vms = max;
	}
	c->vms[c->nr_vms++] = *vm;
	return 0;
}

int broker_config_set(struct broker_config *c, const char *key, const char *value, char *why)
{
	const struct config_key *k = config_key_find(&config_section_broker, key);
	int r;

	if (!k) {
		snprintf(why, CONFIG_WHY_MAX, "unknown key");
		return -EINVAL;
	}
	r = k->set(c, k->offset, value, why);
	if (!r)
		c->by_option |= 1u << (k - broker_keys);
	return r;
}

/* One KEY=VALUE of a specification. */
static int parse_part(char *part, struct vm_config *vm, uint32_t *seen, char *why)
{
	char reason[CONFIG_WHY_MAX], shown[64], names[128];
	const struct config_key *key;
	char *equals = strchr(part, '=');

	if (equals)
		*equals = '\0';
	key = config_key_find(&config_section_vm, part);
	text_printable(shown, sizeof(shown), part);
	if (!equals || !key) {
		config_key_names(&config_section_vm, names, sizeof(names));
		snprintf(why, CONF_ERROR_MAX, "'%s': expected KEY=VALUE with one of %s", shown,
			 names);
		return -EINVAL;
	}
	if (*seen & (1u << (key - vm_keys))) {
		snprintf(why, CONF_ERROR_MAX, "%s is given twice", key->name);
		return -EINVAL;
	}
	*seen |= 1u << (key - vm_keys);
	if (!key->set(vm, key->offset, equals + 1, reason))
		return 0;
	text_printable(shown, sizeof(shown), equals + 1);
	snprintf(why, CONF_ERROR_MAX, "%s=%s: %s", key->name, shown, reason);
	return -EINVAL;
}

int broker_vm_parse(const char *spec, struct vm_config *ret, char *why)
{
	_cleanup_free_ char *text = strdup(spec);
	struct vm_config vm = { 0 };
	char reason[CONFIG_WHY_MAX];
	uint32_t seen = 0;
	char *at = text;

	snprintf(why, CONF_ERROR_MAX, "out of memory");
	if (!text)
		return -ENOMEM;
	for (char *part; (part = strsep(&at, ","));)
		if (parse_part(part, &vm, &seen, why))
			return -EINVAL;
	if (!vm.name[0]) {
		snprintf(why, CONF_ERROR_MAX, "name is missing: expected name=NAME,vmm=...");
		return -EINVAL;
	}
	if (config_vm_check(&vm, reason)) {
		snprintf(why, CONF_ERROR_MAX, "%s: %s", vm.name, reason);
		return -EINVAL;
	}
	*ret = vm;
	return 0;
}
