/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a VM of QEMU's is set up: the questions over QMP, one after the other, and what the answers
 * say. Pure: `check` asks them itself, the broker among its other requests.
 */
#ifndef EBB_BROKER_QMP_LOOK_H
#define EBB_BROKER_QMP_LOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The channel's port. */
enum qemu_port {
	QEMU_PORT_NONE,
	QEMU_PORT_NO_ID, /* QEMU tells nothing of one without an id */
	QEMU_PORT_GOOD,
	QEMU_NR_PORTS,
};

struct qemu_settings {
	unsigned int balloons;
	int reporting, deflate_on_oom; /* of the balloon: 0, 1; -1: not known */
	int prealloc; /* of any memory backend: the same */
	enum qemu_port port;
	bool incomplete; /* not all of the devices were told */
};

#define QMP_LOOK_DEVICES 16 /* that are looked at; a VM with more is not told completely */
#define QMP_LOOK_TEXT 256 /* bytes of a request */

struct qmp_look {
	struct qemu_settings found;
	int step; /* 0: not begun */
	unsigned int nr_devices, device, property;
	struct {
		bool has_id, balloon;
		char name[64];
	} devices[QMP_LOOK_DEVICES];
};

/* The next request, its newline included; 0 when there is none: found is complete. */
size_t qmp_look_ask(struct qmp_look *l, char text[QMP_LOOK_TEXT], int id);

/* The "return" of its answer; NULL: an error, or none came. */
void qmp_look_answer(struct qmp_look *l, const json_t *data);

const char *qemu_port_name(enum qemu_port port); /* "none", "no-id", "good" */

#endif /* EBB_BROKER_QMP_LOOK_H */
