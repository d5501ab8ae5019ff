/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to server*.c. */
#ifndef EBB_REPORT_SERVER_INT_H
#define EBB_REPORT_SERVER_INT_H

#include "ebb/wire.h"
#include "report/server.h"

struct client {
	struct server *server;
	struct client *next;
	uv_pipe_t pipe;
	uv_timer_t stall;
	uv_write_t write;
	struct server_peer peer;
	uint64_t active_ms; /* last sign of life, by the loop's clock */
	uint64_t ready; /* a request is here whole: the how manieth of all; 0: none */
	unsigned int open_handles;
	bool dropped;
	bool last; /* drop it after this answer */
	bool answering; /* a handler is at work: its answer goes first */
	char *out; /* the answer under way; NULL: none */
	size_t out_len;
	const struct server_stream *stream; /* NULL: it is a client like any other */
	void *stream_arg;
	char *queue; /* of a stream, what goes next */
	size_t queue_len, queue_room;
	size_t in_len;
	char in[EBB_WIRE_REQUEST_MAX];
};

struct server {
	uv_loop_t *loop;
	uv_pipe_t pipe;
	/*
	 * An answer takes a while to make (a thousand containers: 10 ms), and 64 clients may ask at
	 * once: one a turn of the loop, so that its timers and the kernel's edges come between.
	 */
	uv_idle_t turn;
	uint64_t last_ready;
	const struct server_ops *ops;
	void *arg;
	struct client *clients; /* not the dropped ones */
	size_t nr_clients;
	size_t pending; /* bytes in the answers under way */
	size_t refs; /* open handles: ours and those of the clients, dropped or not */
	/*
	 * libuv reports no further connection until this one is accepted, so there is
	 * always memory for one client: spare, or the client that is in its place.
	 */
	struct client *spare;
	bool waiting; /* a connection, for memory */
};

/* server.c; client_send() takes text */
void client_drop(struct client *c);
void client_send(struct client *c, char *text, size_t len, uint64_t patience_ms);

/* server_stream.c */
void stream_send(struct client *c); /* what is queued, when nothing is under way */
void stream_hear(struct client *c, ssize_t n); /* n as of uv_read_cb */
void stream_gone(struct client *c);

#endif /* EBB_REPORT_SERVER_INT_H */
