// SPDX-License-Identifier: GPL-2.0-only
#include "fake_guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void keep(struct fake_guest *g, const struct channel_message *m)
{
	switch (m->type) {
	case CHANNEL_WELCOME:
		g->welcome = *m;
		g->welcomes++;
		break;
	case CHANNEL_ACK:
		g->ack = *m;
		g->acks++;
		break;
	case CHANNEL_PRESSURE:
		g->pressure = *m;
		g->pressures++;
		break;
	case CHANNEL_ERROR:
		g->error = *m;
		g->errors++;
		break;
	default:
		abort(); /* not a host's */
	}
}

static void on_data(struct stream *s, const char *data, size_t len)
{
	struct fake_guest *g = s->arg;
	size_t line;

	while (channel_read(&g->reader, &data, &len, &line)) {
		struct channel_message m;

		if (channel_parse(g->line, line, &m))
			abort(); /* the broker writes nothing that cannot be read */
		keep(g, &m);
		if (g->on_message)
			g->on_message(g, &m);
	}
}

static void on_opened(struct stream *s)
{
	struct fake_guest *g = s->arg;

	g->up = true;
}

static void on_ended(struct stream *s, int error)
{
	struct fake_guest *g = s->arg;

	g->up = false;
}

static const struct stream_ops ops = { on_opened, on_data, on_ended };

static void on_connection(uv_stream_t *listener, int status)
{
	struct fake_guest *g = listener->data;

	if (stream_accept(&g->stream, listener))
		abort();
}

static void begin(struct fake_guest *g, uv_loop_t *loop)
{
	g->loop = loop;
	g->reader = (struct channel_reader){ .buf = g->line, .size = sizeof(g->line) };
	stream_init(&g->stream, loop, &ops, g);
}

int fake_guest_open(struct fake_guest *g, uv_loop_t *loop, const char *path)
{
	int r;

	begin(g, loop);
	uv_pipe_init(loop, &g->listener, 0);
	g->listener.data = g;
	r = uv_pipe_bind(&g->listener, path);
	return r ? r : uv_listen((uv_stream_t *)&g->listener, 1, on_connection);
}

int fake_guest_connect(struct fake_guest *g, uv_loop_t *loop, const char *path)
{
	begin(g, loop);
	return stream_connect(&g->stream, path);
}

void fake_guest_close(struct fake_guest *g)
{
	if (!g->loop)
		return;
	stream_end(&g->stream, 0);
	if (g->listener.data && !uv_is_closing((uv_handle_t *)&g->listener))
		uv_close((uv_handle_t *)&g->listener, NULL);
}

void fake_guest_raw(struct fake_guest *g, const char *text, size_t len)
{
	stream_write(&g->stream, text, len);
}

void fake_guest_say(struct fake_guest *g, const struct channel_message *m)
{
	char line[EBB_CHANNEL_LINE_MAX];
	int n = channel_format(line, sizeof(line), m);

	if (n < 0)
		abort();
	fake_guest_raw(g, line, (size_t)n);
}

void fake_guest_hello(struct fake_guest *g, const char *session, const char *boot, const char *name)
{
	struct channel_message m = { .type = CHANNEL_HELLO,
				     .version = EBB_CHANNEL_VERSION,
				     .agent = "a test" };

	snprintf(m.session, sizeof(m.session), "%s", session);
	snprintf(m.boot, sizeof(m.boot), "%s", boot);
	snprintf(m.name, sizeof(m.name), "%s", name);
	fake_guest_say(g, &m);
}

void fake_guest_lease(struct fake_guest *g, uint64_t seq, uint64_t want, uint64_t ttl_ms)
{
	fake_guest_say(g,
		       &(struct channel_message){
			       .type = CHANNEL_LEASE, .seq = seq, .want = want, .ttl_ms = ttl_ms });
}
