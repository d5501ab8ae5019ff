// SPDX-License-Identifier: GPL-2.0-only
#include "broker/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One for all streams: what is read is handed on before anything else is read. */
static char chunk[STREAM_CHUNK];

struct write {
	uv_write_t request;
	struct stream *stream;
	size_t len;
	char data[];
};

void stream_init(struct stream *s, uv_loop_t *loop, const struct stream_ops *ops, void *arg)
{
	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->ops = ops;
	s->arg = arg;
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *s = handle->data;

	s->state = STREAM_IDLE;
	s->pending = 0;
	s->ops->ended(s, s->error);
}

bool stream_end(struct stream *s, int error)
{
	if (s->state == STREAM_IDLE)
		return false;
	if (s->state != STREAM_ENDING) {
		s->state = STREAM_ENDING;
		s->error = error;
		uv_close((uv_handle_t *)&s->pipe, on_closed);
	}
	return true;
}

int stream_peer(const struct stream *s)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;
	uv_os_fd_t fd;

	if (s->state != STREAM_OPEN || uv_fileno((const uv_handle_t *)&s->pipe, &fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return 0;
	return peer.pid;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	*buf = uv_buf_init(chunk, sizeof(chunk));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct stream *s = stream->data;

	if (n < 0)
		stream_end(s, n == UV_EOF ? 0 : (int)n);
	else if (n > 0)
		s->ops->data(s, buf->base, (size_t)n);
}

void stream_resume(struct stream *s)
{
	if (s->state == STREAM_OPEN)
		uv_read_start((uv_stream_t *)&s->pipe, on_alloc, on_read);
}

void stream_pause(struct stream *s)
{
	if (s->state == STREAM_OPEN)
		uv_read_stop((uv_stream_t *)&s->pipe);
}

static void open_stream(struct stream *s)
{
	s->state = STREAM_OPEN;
	stream_resume(s);
	s->ops->opened(s);
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct stream *s = connect->handle->data;

	if (s->state != STREAM_CONNECTING)
		return;
	if (status < 0)
		stream_end(s, status);
	else
		open_stream(s);
}

static void begin(struct stream *s, enum stream_state state)
{
	uv_pipe_init(s->loop, &s->pipe, 0); /* cannot fail */
	s->pipe.data = s;
	s->state = state;
	s->error = 0;
	s->pending = 0;
}

int stream_connect(struct stream *s, const char *path)
{
	if (s->state != STREAM_IDLE)
		return -EBUSY;
	begin(s, STREAM_CONNECTING);
	uv_pipe_connect(&s->connect, &s->pipe, path, on_connect);
	return 0;
}

int stream_accept(struct stream *s, uv_stream_t *listener)
{
	int r;

	if (s->state != STREAM_IDLE)
		return -EBUSY;
	begin(s, STREAM_CONNECTING);
	r = uv_accept(listener, (uv_stream_t *)&s->pipe);
	if (r < 0)
		stream_end(s, r);
	else
		open_stream(s);
	return r;
}

static void on_written(uv_write_t *request, int status)
{
	struct write *w = (struct write *)request;
	struct stream *s = w->stream;

	s->pending -= s->pending < w->len ? s->pending : w->len;
	if (status < 0)
		stream_end(s, status);
	free(w);
}

int stream_write(struct stream *s, const char *data, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)data, (unsigned int)len);
	struct write *w;
	int n = 0;

	if (s->state != STREAM_OPEN)
		return -ENOTCONN;
	if (!s->pending) {
		n = uv_try_write((uv_stream_t *)&s->pipe, &buf, 1);
		if (n == (int)len)
			return 0;
		n = n < 0 ? 0 : n;
	}
	len -= (size_t)n;
	if (s->pending + len > STREAM_PENDING_MAX)
		return n ? stream_end(s, -ENOBUFS), -ENOBUFS : -ENOBUFS;
	w = malloc(sizeof(*w) + len);
	if (!w)
		return n ? stream_end(s, -ENOMEM), -ENOMEM : -ENOMEM;
	w->stream = s;
	w->len = len;
	memcpy(w->data, data + n, len);
	buf = uv_buf_init(w->data, (unsigned int)len);
	n = uv_write(&w->request, (uv_stream_t *)&s->pipe, &buf, 1, on_written);
	if (n < 0) {
		free(w);
		stream_end(s, n);
		return n;
	}
	s->pending += len;
	return 0;
}
