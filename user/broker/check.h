/* SPDX-License-Identifier: GPL-2.0-only */
/* `ebb-broker check`: what of a VM's settings keeps its memory from coming back. */
#ifndef EBB_BROKER_CHECK_H
#define EBB_BROKER_CHECK_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/config.h"
#include "broker/qmp_look.h"

enum finding_level {
	FINDING_GOOD,
	FINDING_ADVICE, /* works, and could be better */
	FINDING_WRONG, /* memory does not come back, or the guest is at risk */
	FINDING_UNKNOWN, /* could not be looked at */
};

struct finding {
	enum finding_level level;
	const char *setting; /* short: "free-page-reporting" */
	char text[256]; /* what it means and what to do */
};

#define FINDINGS_MAX 16

struct findings {
	size_t n;
	struct finding all[FINDINGS_MAX];
};

void finding_add(struct findings *f, enum finding_level level, const char *setting,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

const char *finding_level_name(enum finding_level level); /* "good", "advice", "wrong", "unknown" */

/* --- the rules: what was read to findings. Pure. ------------------------------ */

void check_qemu(struct findings *f, const struct qemu_settings *q);
void check_firecracker(struct findings *f, const json_t *balloon, const json_t *machine);
void check_cloud_hypervisor(struct findings *f, const json_t *info);

/* Of the VMM's process: status and smaps as text. ram 0: not known. */
void check_process(struct findings *f, const char *status, const char *smaps, uint64_t ram);

/* --- what a running VMM says. 0, or a negative errno with why (CONF_ERROR_MAX). -- */

int check_look_qemu(const char *socket, struct qemu_settings *ret, uint64_t *ret_ram, int *ret_pid,
		    char *why);
int check_look_rest(const struct vm_config *vm, struct findings *f, uint64_t *ret_ram, int *ret_pid,
		    char *why);

#endif /* EBB_BROKER_CHECK_H */
