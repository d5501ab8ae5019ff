/* SPDX-License-Identifier: GPL-2.0-only */
/* What ebb-broker is told: its own options and the VMs, from the command line, a file and a folder.
 */
#ifndef EBB_BROKER_CONFIG_H
#define EBB_BROKER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/conf.h"

#define BROKER_CONFIG_PATH "/etc/ebb/ebb-broker.conf"
#define BROKER_SOCKET_PATH "/run/ebb/ebb-broker.sock"
#define BROKER_VMS_MAX 4096
#define BROKER_NAME_MAX 64 /* with the NUL: letters, digits, '.', '_', '-', ':' and '@' */
#define BROKER_PATH_MAX 108 /* sockaddr_un */
#define BROKER_VM_SUFFIX ".vm" /* of the files in a watched folder */

enum vmm_kind {
	VMM_NONE,
	VMM_QMP,
	VMM_FIRECRACKER,
	VMM_CLOUD_HYPERVISOR,
	VMM_NR_KINDS,
};

enum channel_mode {
	CHANNEL_MODE_AUTO, /* by the VMM: unix with QEMU, vsock with the others */
	CHANNEL_MODE_UNIX, /* the socket of QEMU's chardev: connect */
	CHANNEL_MODE_VSOCK, /* hybrid vsock, the guest connects: listen at PATH_983 */
	CHANNEL_MODE_CONNECT, /* hybrid vsock, the host connects: "CONNECT 983" at PATH */
	CHANNEL_NR_MODES,
};

struct vm_config {
	char name[BROKER_NAME_MAX];
	enum vmm_kind kind;
	char vmm[BROKER_PATH_MAX];
	enum channel_mode mode;
	char channel[BROKER_PATH_MAX]; /* "": none, the VM keeps its full size */
	uint64_t min; /* bytes; 0: an eighth of max, and not below 256M */
	uint64_t max; /* bytes; 0: the VM's RAM */
	uint64_t shrink; /* bytes a second; 0: an eighth of max */
	uint64_t shares; /* weight when the host is short; 0: 1000 */
};

struct broker_config {
	char socket[BROKER_PATH_MAX]; /* for `ebb-broker status` */
	char listen[64]; /* for metrics; "": none */
	char watch[256]; /* folder of NAME.vm files; "": none */
	uint64_t reserve; /* bytes of host memory to stay available; 0: a tenth of it */
	uint64_t budget; /* bytes that all VMs may have in sum; 0: what the host has */
	bool dry_run;
	uint32_t by_option; /* by place: keys of [broker] that the command line has */
	size_t nr_vms;
	size_t max_vms;
	struct vm_config *vms; /* from malloc() */
};

void broker_config_defaults(struct broker_config *c);
void broker_config_free(struct broker_config *c);

/*
 * Reads a file into what is there already ([broker] and [vm "NAME"] sections).
 * Returns 0; -EINVAL with err filled where the file is wrong; another negative
 * errno, err filled too, when it cannot be read. c is untouched on failure.
 */
int broker_config_load(const char *path, struct broker_config *c, struct conf_error *err);
int broker_config_parse(const char *name, const char *text, size_t len, struct broker_config *c,
			struct conf_error *err);

/* One VM from a file NAME.vm: KEY = VALUE lines, no section. */
int broker_vm_load(const char *path, struct vm_config *ret, struct conf_error *err);

/*
 * "name=NAME,vmm=qmp:SOCKET,channel=SOCKET,min=512M,max=4G". Returns 0, or
 * -EINVAL with why (CONF_ERROR_MAX bytes).
 */
int broker_vm_parse(const char *spec, struct vm_config *ret, char *why);

/* Adds a copy; -EEXIST that name is there, -E2BIG, -ENOMEM. */
int broker_config_add(struct broker_config *c, const struct vm_config *vm);

/* One key of [broker], from the command line: files do not change it. 0 or -EINVAL with why. */
int broker_config_set(struct broker_config *c, const char *key, const char *value, char *why);

const char *vmm_kind_name(enum vmm_kind kind); /* "qmp", "firecracker", "cloud-hypervisor" */

#endif /* EBB_BROKER_CONFIG_H */
