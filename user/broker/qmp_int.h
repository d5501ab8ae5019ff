/* SPDX-License-Identifier: GPL-2.0-only */
/* Between qmp.c (the connection, and one request at a time) and qmp_hear.c (what QEMU says). */
#ifndef EBB_BROKER_QMP_INT_H
#define EBB_BROKER_QMP_INT_H

#include <jansson.h>

#include "broker/backend.h"
#include "broker/stream.h"

#define ASKED_MAX 4 /* ports whose name is asked for */
#define ID_MAX 64

enum request {
	ASK_NONE,
	ASK_CAPABILITIES,
	ASK_RAM,
	ASK_SET,
	ASK_ACTUAL,
	ASK_PORT,
	ASK_SETTINGS,
};

struct backend {
	uv_loop_t *loop;
	const char *path;
	const struct backend_events *events;
	void *arg;
	struct stream stream;
	uv_timer_t timer; /* the answer's time limit; between connections, the next try */
	uint64_t backoff_ms;
	bool ready, unable;
	char why[BACKEND_WHY_MAX];

	enum request asked;
	bool want_ram, want_actual, want_set, setting;
	uint64_t target;
	uint64_t ram;
	char port[ID_MAX]; /* the device with our port, once known */
	char ports[ASKED_MAX][ID_MAX]; /* whose name is to be asked */
	size_t nr_ports;
	struct qmp_look *look; /* under way; NULL: it is done, or there was no memory for it */

	char *line;
	size_t len, size;

	void (*closed)(void *arg);
	void *closed_arg;
	bool timer_closed;
};

/* qmp.c: ends the connection, which is then tried anew. */
void qmp_fail(struct backend *b, const char *why);

/* qmp_hear.c */
void qmp_hear_event(struct backend *b, const char *name, const json_t *data);
void qmp_hear_answer(struct backend *b, const json_t *object);

#endif /* EBB_BROKER_QMP_INT_H */
