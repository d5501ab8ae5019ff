/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's end of a channel, on the caller's loop, that says what a test wants said. */
#ifndef TESTS_BROKER_FAKE_GUEST_H
#define TESTS_BROKER_FAKE_GUEST_H

#include <uv.h>

#include "broker/stream.h"
#include "lib/channel.h"

struct fake_guest {
	uv_loop_t *loop;
	uv_pipe_t listener;
	struct stream stream;
	bool up; /* the broker is connected */
	struct channel_reader reader;
	char line[EBB_CHANNEL_LINE_MAX];

	/* The last of each type that came, and how many. */
	struct channel_message welcome, ack, pressure, error;
	unsigned int welcomes, acks, pressures, errors;
	void (*on_message)(struct fake_guest *g, const struct channel_message *m);
	void *arg;
};

/* Listens at path, as the socket of QEMU's chardev does; g is zeroed. */
int fake_guest_open(struct fake_guest *g, uv_loop_t *loop, const char *path);
/* Connects to path, as hybrid vsock does for a guest. */
int fake_guest_connect(struct fake_guest *g, uv_loop_t *loop, const char *path);
void fake_guest_close(struct fake_guest *g);

void fake_guest_raw(struct fake_guest *g, const char *text, size_t len);
void fake_guest_say(struct fake_guest *g, const struct channel_message *m);
void fake_guest_hello(struct fake_guest *g, const char *session, const char *boot,
		      const char *name);
void fake_guest_lease(struct fake_guest *g, uint64_t seq, uint64_t want, uint64_t ttl_ms);

#endif /* TESTS_BROKER_FAKE_GUEST_H */
