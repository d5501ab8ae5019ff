// SPDX-License-Identifier: GPL-2.0-only
#include "report/server_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "report/listen.h"
#include "report/request.h"

/* What all clients together leave unread; one more, and the longest stalled is dropped. */
#define PENDING_MAX (2 * (size_t)EBB_WIRE_REPLY_MAX)

static void client_process(struct client *c);
static void on_connection(uv_stream_t *stream, int status);
static void on_turn(uv_idle_t *turn);

static void server_unref(struct server *s)
{
	if (--s->refs == 0) {
		free(s->spare);
		free(s);
	}
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;
	struct server *s = c->server;

	if (--c->open_handles == 0) {
		free(c->out);
		free(c->queue);
		if (s->spare)
			free(c);
		else
			s->spare = c;
		if (s->waiting && !uv_is_closing((uv_handle_t *)&s->pipe))
			on_connection((uv_stream_t *)&s->pipe, 0);
	}
	server_unref(s);
}

void client_drop(struct client *c)
{
	struct server *s = c->server;

	if (c->dropped)
		return;
	c->dropped = true;
	for (struct client **at = &s->clients; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	s->nr_clients--;
	s->pending -= c->out_len;
	stream_gone(c);
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
	uv_close((uv_handle_t *)&c->stall, on_client_closed);
}

static void on_stalled(uv_timer_t *timer)
{
	client_drop(timer->data);
}

static void on_written(uv_write_t *write, int status)
{
	struct client *c = write->data;

	if (c->dropped)
		return; /* what it held goes when its handles are closed */
	uv_timer_stop(&c->stall);
	c->server->pending -= c->out_len;
	free(TAKE_PTR(c->out));
	c->out_len = 0;
	c->active_ms = uv_now(c->server->loop);
	if (status < 0 || c->last)
		client_drop(c);
	else if (c->stream)
		stream_send(c);
	else
		client_process(c);
}

static void make_room(struct server *s, size_t len)
{
	while (s->pending && s->pending + len > PENDING_MAX) {
		struct client *longest = NULL;

		for (struct client *c = s->clients; c; c = c->next)
			if (c->out && (!longest || c->active_ms <= longest->active_ms))
				longest = c;
		if (!longest)
			return;
		client_drop(longest);
	}
}

void client_send(struct client *c, char *text, size_t len, uint64_t patience_ms)
{
	uv_buf_t buf = uv_buf_init(text, (unsigned int)len);

	make_room(c->server, len);
	c->out = text;
	c->out_len = len;
	c->server->pending += len;
	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buf, 1, on_written) < 0 ||
	    uv_timer_start(&c->stall, on_stalled, patience_ms, 0) < 0)
		client_drop(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *c = handle->data;

	*buf = uv_buf_init(c->in + c->in_len, (unsigned int)(sizeof(c->in) - c->in_len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;

	if (c->stream) {
		stream_hear(c, n);
		return;
	}
	if (n < 0) {
		client_drop(c);
		return;
	}
	c->in_len += (size_t)n;
	c->active_ms = uv_now(c->server->loop);
	client_process(c);
}

/* The next request that is here whole is answered in a turn of its own; reads on only when there is
 * none. */
static void client_process(struct client *c)
{
	struct server *s = c->server;
	int r;

	if (!memchr(c->in, '\n', c->in_len)) {
		/* A request that comes in pieces: reading goes on, and starting it again is
		 * EALREADY. */
		r = uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
		if (c->in_len == sizeof(c->in) || (r < 0 && r != UV_EALREADY))
			client_drop(c);
		return;
	}
	uv_read_stop((uv_stream_t *)&c->pipe);
	c->ready = ++s->last_ready;
	uv_idle_start(&s->turn, on_turn);
}

static void client_answer(struct client *c)
{
	struct server *s = c->server;
	char *end = memchr(c->in, '\n', c->in_len);
	char *text;
	size_t len;
	int r;

	c->ready = 0;
	c->answering = true;
	r = request_answer(s->ops, s->arg, &c->peer, c->in, (size_t)(end - c->in), &text, &len);
	c->answering = false;
	if (r < 0 && r != -EPROTO) {
		client_drop(c);
		return;
	}
	c->last = r == -EPROTO;
	c->in_len -= (size_t)(end + 1 - c->in);
	memmove(c->in, end + 1, c->in_len);
	/* A stream listens on, for its reader to have enough or to go. */
	if (c->stream && uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) < 0)
		c->last = true;
	client_send(c, text, len, EBB_WIRE_STALL_MS);
}

static void on_turn(uv_idle_t *turn)
{
	struct server *s = turn->data;
	struct client *first = NULL;

	for (struct client *c = s->clients; c; c = c->next)
		if (c->ready && (!first || c->ready < first->ready))
			first = c;
	if (first)
		client_answer(first);
	else
		uv_idle_stop(turn);
}

/* Of the user with the most connections, the one that was silent the longest. */
static struct client *find_victim(struct server *s)
{
	struct client *victim = NULL;
	size_t most = 0;

	for (struct client *c = s->clients; c; c = c->next) {
		size_t n = 0;

		for (struct client *o = s->clients; o; o = o->next)
			n += o->peer.uid == c->peer.uid;
		if (n > most || (n == most && c->active_ms <= victim->active_ms)) {
			most = n;
			victim = c;
		}
	}
	return victim;
}

static int read_peer(struct client *c)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	uv_os_fd_t fd;
	int r;

	r = uv_fileno((uv_handle_t *)&c->pipe, &fd);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	c->peer = (struct server_peer){ .uid = cred.uid, .pid = cred.pid, .client = c };
	return 0;
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct server *s = stream->data;
	struct client *c;

	if (status < 0)
		return;
	if (s->nr_clients >= EBB_WIRE_CLIENTS_MAX)
		client_drop(find_victim(s));
	c = malloc(sizeof(*c));
	if (!c)
		c = TAKE_PTR(s->spare);
	s->waiting = !c;
	if (!c)
		return;
	memset(c, 0, sizeof(*c));
	c->server = s;
	c->active_ms = uv_now(s->loop);
	uv_pipe_init(s->loop, &c->pipe, 0);
	uv_timer_init(s->loop, &c->stall);
	c->pipe.data = c->stall.data = c;
	c->open_handles = 2;
	s->refs += 2;
	c->next = s->clients;
	s->clients = c;
	s->nr_clients++;
	if (uv_accept(stream, (uv_stream_t *)&c->pipe) < 0 || read_peer(c) < 0)
		client_drop(c);
	else
		client_process(c);
}

static void on_server_closed(uv_handle_t *handle)
{
	server_unref(handle->data);
}

int server_open(struct server **ret, uv_loop_t *loop, const char *path,
		const struct server_ops *ops, void *arg)
{
	struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->ops = ops;
	s->arg = arg;
	s->spare = malloc(sizeof(*s->spare));
	r = s->spare ? uv_pipe_init(loop, &s->pipe, 0) : -ENOMEM;
	if (r < 0) {
		free(s->spare);
		free(s);
		return r;
	}
	uv_idle_init(loop, &s->turn);
	s->refs = 2;
	s->pipe.data = s;
	s->turn.data = s;
	r = listen_bind(&s->pipe, path);
	if (r == 0)
		r = uv_listen((uv_stream_t *)&s->pipe, EBB_WIRE_CLIENTS_MAX, on_connection);
	if (r < 0) {
		uv_close((uv_handle_t *)&s->turn, on_server_closed);
		uv_close((uv_handle_t *)&s->pipe, on_server_closed);
		return r;
	}
	*ret = s;
	return 0;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	while (s->clients)
		client_drop(s->clients);
	uv_close((uv_handle_t *)&s->turn, on_server_closed);
	/* This removes the socket too. */
	uv_close((uv_handle_t *)&s->pipe, on_server_closed);
}

size_t server_clients(const struct server *s)
{
	return s->nr_clients;
}
