// SPDX-License-Identifier: GPL-2.0-only
#include "broker/rest_http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"

/* A header's value, when line (up to end) is that header. */
static const char *header(const char *line, const char *end, const char *name)
{
	size_t len = strlen(name);

	if ((size_t)(end - line) <= len || strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	line += len + 1;
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	return line;
}

static int parse_length(const char *value, const char *end, size_t *ret)
{
	size_t n = 0;

	if (value == end || *value < '0' || *value > '9')
		return -EPROTO;
	for (; value < end && *value >= '0' && *value <= '9'; value++) {
		n = n * 10 + (size_t)(*value - '0');
		if (n > REST_HTTP_REPLY_MAX)
			return -EMSGSIZE;
	}
	*ret = n;
	return 0;
}

static int parse_headers(const char *line, const char *end, size_t *ret_length)
{
	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line)), *value;
		const char *text_end = stop > line && stop[-1] == '\r' ? stop - 1 : stop;
		int r = 0;

		if (header(line, text_end, "Transfer-Encoding"))
			return -EPROTO;
		value = header(line, text_end, "Content-Length");
		if (value)
			r = parse_length(value, text_end, ret_length);
		if (r)
			return r;
		line = stop + 1;
	}
	return 0;
}

int rest_http_parse(const char *text, size_t len, struct rest_http_reply *ret)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4), *line;
	struct rest_http_reply reply = { 0 };
	size_t all;
	int r;

	/* "HTTP/1.1 204 …" */
	if (len >= 12 && (memcmp(text, "HTTP/1.", 7) != 0 || text[8] != ' '))
		return -EPROTO;
	if (!end)
		return len >= REST_HTTP_REPLY_MAX ? -EMSGSIZE : 0;
	if (end - text < 12)
		return -EPROTO;
	for (int i = 9; i < 12; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EPROTO;
		reply.status = reply.status * 10 + (text[i] - '0');
	}
	line = memchr(text, '\n', len);
	reply.body = end + 4;
	r = line + 1 < end + 2 ? parse_headers(line + 1, end + 2, &reply.len) : 0;
	if (r)
		return r;
	if (reply.status == 204 || reply.status < 200)
		reply.len = 0;
	all = (size_t)(reply.body - text) + reply.len;
	if (all > REST_HTTP_REPLY_MAX)
		return -EMSGSIZE;
	if (all > len)
		return 0;
	/* "100 Continue" is not the answer yet. */
	if (reply.status < 200)
		return rest_http_parse(reply.body, len - (size_t)(reply.body - text), ret);
	*ret = reply;
	return 1;
}

static void end_request(struct rest_http *h, int error)
{
	if (!h->error)
		h->error = error;
	stream_end(&h->stream, 0);
}

static void on_timeout(uv_timer_t *timer)
{
	end_request(timer->data, -ETIMEDOUT);
}

static void on_opened(struct stream *s)
{
	struct rest_http *h = s->arg;

	h->peer = stream_peer(s);
	if (stream_write(s, h->out, h->out_len) < 0)
		end_request(h, -EPIPE);
}

static void on_data(struct stream *s, const char *data, size_t len)
{
	struct rest_http *h = s->arg;
	struct rest_http_reply reply;
	int r;

	if (h->len + len > h->size) {
		size_t size = h->size ? h->size : 1024;
		char *in;

		while (size < h->len + len)
			size *= 2;
		in = size <= 2 * REST_HTTP_REPLY_MAX ? realloc(h->in, size) : NULL;
		if (!in) {
			end_request(h, -EMSGSIZE);
			return;
		}
		h->in = in;
		h->size = size;
	}
	memcpy(h->in + h->len, data, len);
	h->len += len;
	r = rest_http_parse(h->in, h->len, &reply);
	h->complete = r > 0;
	if (r)
		end_request(h, r < 0 ? r : 0);
}

static void finish(struct rest_http *h)
{
	if (h->closing && h->timer_closed && h->stream.state == STREAM_IDLE)
		h->closed(h->arg);
}

static void on_ended(struct stream *s, int error)
{
	struct rest_http *h = s->arg;
	_cleanup_free_ char *in = TAKE_PTR(h->in);
	struct rest_http_reply reply = { 0 };
	rest_http_fn fn = h->fn;
	int r = h->error ? h->error : error;

	if (!r && (!h->complete || rest_http_parse(in, h->len, &reply) != 1))
		r = -ECONNRESET;
	h->len = h->size = 0;
	h->busy = h->complete = false;
	h->fn = NULL;
	if (h->closing) {
		finish(h);
		return;
	}
	uv_timer_stop(&h->timer);
	if (fn)
		fn(h->arg, r, r ? NULL : &reply);
}

static const struct stream_ops stream_ops = { on_opened, on_data, on_ended };

void rest_http_init(struct rest_http *h, uv_loop_t *loop, const char *path, void *arg)
{
	memset(h, 0, sizeof(*h));
	h->path = path;
	h->arg = arg;
	stream_init(&h->stream, loop, &stream_ops, h);
	uv_timer_init(loop, &h->timer);
	h->timer.data = h;
}

int rest_http_request(struct rest_http *h, const char *method, const char *target, const char *body,
		      rest_http_fn fn)
{
	int n;

	if (h->busy || h->closing)
		return -EBUSY;
	/* A connection a request: what a VMM keeps open for us it may lack for others. */
	n = snprintf(h->out, sizeof(h->out),
		     "%s %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
		     "Connection: close\r\n",
		     method, target);
	if (body && n > 0 && (size_t)n < sizeof(h->out))
		n += snprintf(h->out + n, sizeof(h->out) - (size_t)n,
			      "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			      strlen(body));
	if (n > 0 && (size_t)n < sizeof(h->out))
		n += snprintf(h->out + n, sizeof(h->out) - (size_t)n, "\r\n%s", body ? body : "");
	if (n < 0 || (size_t)n >= sizeof(h->out))
		return -EMSGSIZE;
	h->out_len = (size_t)n;
	h->fn = fn;
	h->error = 0;
	h->busy = true;
	uv_timer_start(&h->timer, on_timeout, BACKEND_TIMEOUT_MS, 0);
	return stream_connect(&h->stream, h->path);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct rest_http *h = handle->data;

	h->timer_closed = true;
	finish(h);
}

void rest_http_close(struct rest_http *h, void (*closed)(void *arg))
{
	h->closing = true;
	h->closed = closed;
	stream_end(&h->stream, 0);
	uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}
