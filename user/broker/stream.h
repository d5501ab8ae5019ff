/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One end of a unix stream on the loop: connects or is accepted, reads, writes
 * what the other side takes, ends, and can then begin anew. Nothing blocks and
 * what waits to be written is bounded.
 */
#ifndef EBB_BROKER_STREAM_H
#define EBB_BROKER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define STREAM_CHUNK 8192 /* bytes a read: one that sends without end gets no larger turn */
#define STREAM_PENDING_MAX 16384 /* bytes not taken by the other side */

enum stream_state { STREAM_IDLE, STREAM_CONNECTING, STREAM_OPEN, STREAM_ENDING };

struct stream;

struct stream_ops {
	void (*opened)(struct stream *s);
	void (*data)(struct stream *s, const char *data, size_t len);
	/* Nothing of the stream is in use any more: it may be connected again, or freed. */
	void (*ended)(struct stream *s, int error);
};

struct stream {
	uv_loop_t *loop;
	uv_pipe_t pipe;
	uv_connect_t connect;
	const struct stream_ops *ops;
	void *arg;
	enum stream_state state;
	int error; /* why it ends; 0: the other side, or we, closed it */
	size_t pending;
};

void stream_init(struct stream *s, uv_loop_t *loop, const struct stream_ops *ops, void *arg);

/* The answer is opened() or ended(). 0, or -EBUSY when it is not idle. */
int stream_connect(struct stream *s, const char *path);

/* The next connection of a listener; opened() is called at once. 0, or a negative errno. */
int stream_accept(struct stream *s, uv_stream_t *listener);

/* -ENOTCONN; -ENOBUFS when the other side does not read; -ENOMEM. All of it or nothing. */
int stream_write(struct stream *s, const char *data, size_t len);

/* Reading stops and goes on: what is not read, the other side has to keep. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);

/* The process at the other end of an open one; 0: not known. */
int stream_peer(const struct stream *s);

/* ended() comes later, once; false: it was idle, and does not come. */
bool stream_end(struct stream *s, int error);

#endif /* EBB_BROKER_STREAM_H */
