// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU, by its machine protocol: JSON lines over a unix socket that serves one
 * client. One request is under way at a time; events come in between.
 *
 * QEMU keeps the target of a balloon over a reset, and the new kernel inflates
 * to it before any daemon of the guest runs. RESET is therefore told at once.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/qmp_int.h"
#include "lib/cleanup.h"

#define LINE_MAX_BYTES (256u << 10) /* query-* answers are far smaller; more is not QEMU */

static void next(struct backend *b);

void qmp_fail(struct backend *b, const char *why)
{
	snprintf(b->why, sizeof(b->why), "%s", why);
	stream_end(&b->stream, 0);
}

static void on_timeout(uv_timer_t *timer)
{
	struct backend *b = timer->data;

	if (b->asked == ASK_NONE)
		qmp_fail(b, "nothing is said on the QMP socket: another client may hold it, give "
			    "ebb-broker "
			    "one of its own (-qmp unix:PATH,server=on,wait=off)");
	else
		qmp_fail(b, "QEMU does not answer");
}

static void ask(struct backend *b, enum request what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void ask(struct backend *b, enum request what, const char *format, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	b->asked = what;
	if (n < 0 || (size_t)n >= sizeof(text) || stream_write(&b->stream, text, (size_t)n) < 0)
		qmp_fail(b, "QEMU does not read");
	else
		uv_timer_start(&b->timer, on_timeout, BACKEND_TIMEOUT_MS, 0);
}

static void ask_settings(struct backend *b)
{
	char text[QMP_LOOK_TEXT];

	if (qmp_look_ask(b->look, text, ASK_SETTINGS)) {
		ask(b, ASK_SETTINGS, "%s", text);
		return;
	}
	b->events->settings(b->arg, &b->look->found);
	free(TAKE_PTR(b->look));
}

/* Starts what is due, the most urgent first. */
static void next(struct backend *b)
{
	if (b->asked != ASK_NONE || b->stream.state != STREAM_OPEN)
		return;
	uv_timer_stop(&b->timer);
	if (b->want_ram) {
		b->want_ram = false;
		ask(b, ASK_RAM, "{\"execute\":\"query-memory-size-summary\",\"id\":%d}\n", ASK_RAM);
	} else if (b->want_set) {
		b->want_set = false;
		ask(b, ASK_SET,
		    "{\"execute\":\"balloon\",\"arguments\":{\"value\":%" PRIu64 "},\"id\":%d}\n",
		    b->target, ASK_SET);
	} else if (b->nr_ports) {
		ask(b, ASK_PORT,
		    "{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"/machine/peripheral/%s\","
		    "\"property\":\"name\"},\"id\":%d}\n",
		    b->ports[0], ASK_PORT);
	} else if (b->want_actual) {
		b->want_actual = false;
		ask(b, ASK_ACTUAL, "{\"execute\":\"query-balloon\",\"id\":%d}\n", ASK_ACTUAL);
	} else if (b->look) {
		ask_settings(b);
	}
}

static void on_line(struct backend *b, const char *line, size_t len)
{
	json_t *object = json_loadb(line, len, 0, NULL);
	const char *event = json_string_value(json_object_get(object, "event"));

	if (!object)
		qmp_fail(b, "what answers there is not QEMU's machine protocol");
	else if (event)
		qmp_hear_event(b, event, json_object_get(object, "data"));
	else if (json_object_get(object, "QMP"))
		ask(b, ASK_CAPABILITIES, "{\"execute\":\"qmp_capabilities\"}\n");
	else
		qmp_hear_answer(b, object);
	json_decref(object);
	next(b);
}

static bool grow(struct backend *b, size_t needed)
{
	size_t size = b->size ? b->size : 512;
	char *line;

	while (size < needed)
		size *= 2;
	if (needed > LINE_MAX_BYTES)
		return false;
	line = size > b->size ? realloc(b->line, size) : b->line;
	if (!line)
		return false;
	b->line = line;
	b->size = size > b->size ? size : b->size;
	return true;
}

static void on_data(struct stream *s, const char *data, size_t len)
{
	struct backend *b = s->arg;

	while (len && s->state == STREAM_OPEN) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) + 1 : len;

		if (b->len || !end) {
			if (!grow(b, b->len + n)) {
				qmp_fail(b, "QEMU sends a line that is too long");
				return;
			}
			memcpy(b->line + b->len, data, n);
			b->len += n;
		}
		if (end) {
			const char *line = b->len ? b->line : data;
			size_t all = b->len ? b->len : n;

			b->len = 0;
			if (all > 2)
				on_line(b, line, all);
		}
		data += n;
		len -= n;
	}
	/* Between two answers a VM keeps no buffer. */
	if (!b->len) {
		free(TAKE_PTR(b->line));
		b->size = 0;
	}
}

static void on_opened(struct stream *s)
{
	struct backend *b = s->arg;

	b->asked = ASK_NONE;
	snprintf(b->why, sizeof(b->why), "QEMU ended the connection");
	uv_timer_start(&b->timer, on_timeout, BACKEND_TIMEOUT_MS, 0);
}

static void on_retry(uv_timer_t *timer)
{
	struct backend *b = timer->data;

	snprintf(b->why, sizeof(b->why), "%s", "");
	stream_connect(&b->stream, b->path);
}

static void finish(struct backend *b)
{
	if (b->stream.state != STREAM_IDLE || !b->timer_closed)
		return;
	if (b->closed)
		b->closed(b->closed_arg);
	free(b->line);
	free(b->look);
	free(b);
}

static void on_ended(struct stream *s, int error)
{
	struct backend *b = s->arg;
	bool setting = b->setting;

	free(TAKE_PTR(b->line));
	free(TAKE_PTR(b->look));
	b->len = b->size = 0;
	b->asked = ASK_NONE;
	b->ready = b->setting = b->want_set = b->want_actual = b->want_ram = false;
	b->nr_ports = 0;
	b->port[0] = '\0'; /* the next VM at this socket may have another's under that id */
	if (b->closed) {
		finish(b);
		return;
	}
	if (error || !b->why[0])
		snprintf(b->why, sizeof(b->why), "%s",
			 error ? uv_strerror(error) : "QEMU ended the connection");
	uv_timer_start(&b->timer, on_retry, b->backoff_ms, 0);
	b->backoff_ms = b->backoff_ms * 2 < BACKEND_RETRY_MAX_MS ? b->backoff_ms * 2
								 : BACKEND_RETRY_MAX_MS;
	if (setting)
		b->events->set_done(b->arg, -ECONNRESET, b->why);
	b->events->lost(b->arg, error, b->why);
}

static const struct stream_ops stream_ops = { on_opened, on_data, on_ended };

static int qmp_open(struct backend **ret, uv_loop_t *loop, enum vmm_kind kind, const char *path,
		    const struct backend_events *events, void *arg)
{
	struct backend *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->loop = loop;
	b->path = path;
	b->events = events;
	b->arg = arg;
	b->backoff_ms = BACKEND_RETRY_MIN_MS;
	uv_timer_init(loop, &b->timer);
	b->timer.data = b;
	stream_init(&b->stream, loop, &stream_ops, b);
	uv_timer_start(&b->timer, on_retry, 0, 0);
	*ret = b;
	return 0;
}

static int qmp_set(struct backend *b, uint64_t bytes)
{
	if (!b->ready || b->stream.state != STREAM_OPEN)
		return -ENOTCONN;
	if (b->setting)
		return -EBUSY;
	/* value <= 0 is an error to QEMU, and above 2^63 it is below 0. */
	b->target = bytes > INT64_MAX ? INT64_MAX : bytes;
	b->setting = b->want_set = true;
	next(b);
	return 0;
}

static void qmp_poll(struct backend *b)
{
	if (!b->ready)
		return;
	b->want_actual = true;
	next(b);
}

static struct backend_caps qmp_caps(const struct backend *b)
{
	return (struct backend_caps){ .set = !b->unable,
				      .actual = !b->unable,
				      .returns_memory = !b->unable,
				      .survives_reboot = true,
				      .tells_reset = true };
}

static int qmp_pid(const struct backend *b)
{
	return stream_peer(&b->stream);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct backend *b = handle->data;

	b->timer_closed = true;
	finish(b);
}

static void qmp_close(struct backend *b, void (*closed)(void *arg), void *arg)
{
	b->closed = closed;
	b->closed_arg = arg;
	stream_end(&b->stream, 0);
	uv_close((uv_handle_t *)&b->timer, on_timer_closed);
}

const struct backend_ops backend_qmp = {
	qmp_open, qmp_set, qmp_poll, qmp_caps, qmp_pid, qmp_close
};
