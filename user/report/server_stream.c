// SPDX-License-Identifier: GPL-2.0-only
/* Clients that asked for more than one answer. Memory is bounded; what a slow one misses, it
 * misses. */
#include "report/server_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

/* A stream that has ended: what is queued still goes out. */
static const struct server_stream ended;

int server_stream_open(struct client *c, const struct server_stream *stream, void *arg)
{
	if (!c || !c->answering || c->dropped || c->stream)
		return -EINVAL;
	c->stream = stream;
	c->stream_arg = arg;
	return 0;
}

size_t server_stream_pending(const struct client *c)
{
	return c->out_len + c->queue_len;
}

void stream_send(struct client *c)
{
	size_t len = c->queue_len;

	if (c->dropped || c->out || c->answering)
		return;
	if (len) {
		c->queue_len = c->queue_room = 0;
		client_send(c, TAKE_PTR(c->queue), len, EBB_WIRE_STREAM_STALL_MS);
	} else if (c->stream == &ended) {
		client_drop(c);
	}
}

int server_stream_put(struct client *c, const char *text, size_t len, bool force)
{
	size_t need = c->queue_len + len;

	if (c->stream == &ended || c->dropped)
		return -EPIPE;
	if (!force && server_stream_pending(c) + len > EBB_WIRE_STREAM_MAX)
		return -ENOBUFS;
	if (need > c->queue_room) {
		char *more = realloc(c->queue, need);

		if (!more)
			return -ENOMEM;
		c->queue = more;
		c->queue_room = need;
	}
	memcpy(c->queue + c->queue_len, text, len);
	c->queue_len = need;
	stream_send(c);
	return 0;
}

void server_stream_close(struct client *c)
{
	c->stream = &ended;
	c->stream_arg = NULL;
	stream_send(c);
}

/* Nothing is to be said by its reader, but that it has enough, or that it is gone. */
void stream_hear(struct client *c, ssize_t n)
{
	if (n == 0)
		return;
	uv_read_stop((uv_stream_t *)&c->pipe);
	if (n == UV_EOF && c->stream->enough)
		c->stream->enough(c->stream_arg);
	else if (n != UV_EOF)
		client_drop(c);
}

void stream_gone(struct client *c)
{
	const struct server_stream *stream = c->stream;

	if (!stream || !stream->gone)
		return;
	c->stream = &ended;
	stream->gone(c->stream_arg);
}
