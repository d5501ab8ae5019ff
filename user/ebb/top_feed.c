// SPDX-License-Identifier: GPL-2.0-only
/* Asking ebbd while the terminal is looked after: a slow answer must not hold back a key. */
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "ebb/top.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"

struct top_feed {
	uv_loop_t *loop;
	const char *socket;
	struct top_model *model;
	void (*done)(void *arg);
	void *arg;
	uv_pipe_t pipe;
	uv_connect_t connect;
	uv_write_t write;
	bool open; /* the pipe is */
	bool asking;
	bool closing; /* the feed itself */
	char *text; /* what has come of the answers */
	size_t len, room;
};

static void feed_free(struct top_feed *f)
{
	free(f->text);
	free(f);
}

static void on_closed(uv_handle_t *handle)
{
	struct top_feed *f = handle->data;

	f->open = false;
	if (f->closing)
		feed_free(f);
}

static void hang_up(struct top_feed *f)
{
	f->asking = false;
	f->len = 0;
	if (f->open && !uv_is_closing((uv_handle_t *)&f->pipe))
		uv_close((uv_handle_t *)&f->pipe, on_closed);
}

static void fail(struct top_feed *f, const char *why)
{
	if (why)
		snprintf(f->model->error, sizeof(f->model->error), "%s", why);
	hang_up(f);
	if (!f->closing)
		f->done(f->arg);
}

/* Two lines are there: the list's and the status's. */
static void take(struct top_feed *f, const char *second)
{
	json_t *list = NULL, *status = NULL;
	char error[CLI_ERROR_MAX];
	int r = client_open_answer(f->text, (size_t)(second - f->text) - 1, &list, error);

	if (!r)
		r = client_open_answer(second, f->len - (size_t)(second - f->text) - 1, &status,
				       error);
	if (r) {
		json_decref(list);
		fail(f, error);
		return;
	}
	f->asking = false;
	f->len = 0;
	top_model_feed(f->model, list, status);
	f->done(f->arg);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct top_feed *f = handle->data;

	*buf = uv_buf_init(NULL, 0); /* reads as ENOBUFS */
	if (f->room - f->len < 4096) {
		size_t room = f->room ? 2 * f->room : 65536;
		char *more = room <= 4 * (size_t)EBB_WIRE_REPLY_MAX ? realloc(f->text, room) : NULL;

		if (!more)
			return;
		f->text = more;
		f->room = room;
	}
	*buf = uv_buf_init(f->text + f->len, (unsigned int)(f->room - f->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct top_feed *f = stream->data;
	const char *first;

	if (n == 0)
		return;
	if (n < 0) {
		fail(f, n == UV_ENOBUFS ? "the answer is too large" : "ebbd hung up");
		return;
	}
	f->len += (size_t)n;
	if (f->text[f->len - 1] != '\n')
		return;
	first = memchr(f->text, '\n', f->len);
	if (first && first + 1 < f->text + f->len)
		take(f, first + 1);
}

static void on_written(uv_write_t *req, int status)
{
	if (status && status != UV_ECANCELED)
		fail(req->data, "ebbd hung up");
}

static void ask(struct top_feed *f)
{
	static char questions[] = "{\"cmd\":\"list\"}\n{\"cmd\":\"status\"}\n";
	uv_buf_t buf = uv_buf_init(questions, sizeof(questions) - 1);

	f->len = 0;
	f->write.data = f;
	if (uv_write(&f->write, (uv_stream_t *)&f->pipe, &buf, 1, on_written))
		fail(f, "ebbd hung up");
}

static void on_connected(uv_connect_t *req, int status)
{
	struct top_feed *f = req->data;

	if (status == UV_ECANCELED)
		return;
	if (status) {
		client_refused(f->socket, -status, f->model->error);
		fail(f, NULL);
		return;
	}
	uv_read_start((uv_stream_t *)&f->pipe, on_room, on_read);
	ask(f);
}

void top_feed_ask(struct top_feed *f)
{
	if (f->asking)
		return;
	f->asking = true;
	if (f->open) {
		/* Still closing: the next time. */
		if (uv_is_closing((uv_handle_t *)&f->pipe))
			f->asking = false;
		else
			ask(f);
		return;
	}
	uv_pipe_init(f->loop, &f->pipe, 0);
	f->pipe.data = f;
	f->open = true;
	f->connect.data = f;
	uv_pipe_connect(&f->connect, &f->pipe, f->socket, on_connected);
}

struct top_feed *top_feed_open(uv_loop_t *loop, const char *socket, struct top_model *m,
			       void (*done)(void *arg), void *arg)
{
	struct top_feed *f = calloc(1, sizeof(*f));

	if (f)
		*f = (struct top_feed){
			.loop = loop, .socket = socket, .model = m, .done = done, .arg = arg
		};
	return f;
}

void top_feed_close(struct top_feed *f)
{
	if (!f)
		return;
	f->closing = true;
	if (f->open)
		hang_up(f);
	else
		feed_free(f);
}
