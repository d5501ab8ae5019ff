/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's end of one guest's channel. Who speaks is known by the socket and
 * nothing else; what is said is bounded in size and rate, and counted.
 */
#ifndef EBB_BROKER_GUEST_H
#define EBB_BROKER_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "broker/config.h"
#include "broker/stream.h"
#include "lib/channel.h"

/* What is read of one guest in a second; the rest waits in the socket, at the guest's cost. */
#define GUEST_BYTES_PER_S (64u << 10)
#define GUEST_RETRY_MS 500
#define GUEST_HELLO_MS 5000 /* whoever has not said hello by then has no business here */

struct guest_counts {
	uint64_t connects;
	uint64_t messages; /* understood and within the rate */
	uint64_t bad; /* not understood */
	uint64_t overlong;
	uint64_t over_rate; /* dropped for coming too fast */
	uint64_t throttled; /* seconds in which reading was stopped */
	uint64_t claims; /* hellos under another VM's name */
	uint64_t second; /* connections beside the one that is there */
	uint64_t unread; /* lines of ours that the guest did not take */
};

struct guest_events {
	/* A hello; session or boot differ from the last one. The channel is up. */
	void (*hello)(void *arg, const struct channel_message *m);
	void (*lease)(void *arg, const struct channel_message *m);
	void (*bye)(void *arg);
	void (*lost)(void *arg, const char *why); /* the channel was up, and is down */
};

struct guest {
	uv_loop_t *loop;
	const struct vm_config *config; /* borrowed: name, channel, mode */
	const struct guest_events *events;
	void *arg;
	struct stream stream;
	uv_pipe_t listener;
	uv_timer_t timer; /* the next try, or the end of a pause */
	unsigned int handles; /* that are open, the stream's aside */
	bool listening, closing, paused;
	bool anew; /* the listener that closes is followed by another at once */
	dev_t dev; /* of the socket that is listened at */
	ino_t ino;
	bool handshake; /* "CONNECT" was sent, "OK" not come */
	bool hello; /* said in this connection */
	char session[EBB_CHANNEL_SESSION_LEN + 1];
	char boot[EBB_CHANNEL_BOOT_LEN + 1];
	char agent[32];
	char claimed[64]; /* the name that the guest gave itself */
	uint64_t ram; /* and the RAM */
	struct guest_counts counts;
	uint64_t second_ms; /* when the budgets were last filled */
	uint32_t bytes; /* left of them … */
	uint32_t lines; /* … in thousandths: what is earned in 50 ms is no whole line */
	bool refused; /* an error was sent in this second */
	const char *why; /* why it is not connected */
	char line[EBB_CHANNEL_LINE_MAX];
	struct channel_reader reader;
	void (*closed)(void *arg);
};

/*
 * Begins to look for the guest, or to listen; what fails is tried again, and
 * why says what it is. Without a channel in the configuration nothing is done.
 */
void guest_open(struct guest *g, uv_loop_t *loop, const struct vm_config *config,
		const struct guest_events *events, void *arg);

/* -ENOTCONN before a hello. A guest that does not read loses lines, nothing else. */
int guest_send(struct guest *g, const struct channel_message *m);

/*
 * Where the guest connects to us: whether our socket is still there, and the VMM's. A VM that was
 * made anew may have its folder made anew, and a VMM that is jailed runs as a user of its own.
 */
void guest_look_at_socket(struct guest *g);

/* The guest was reset: what it said is void until it says hello again. */
void guest_forget(struct guest *g);

/* closed(arg) is called when nothing of g is in use any more. */
void guest_close(struct guest *g, void (*closed)(void *arg));

enum channel_mode guest_mode(const struct vm_config *config); /* AUTO resolved */

#endif /* EBB_BROKER_GUEST_H */
