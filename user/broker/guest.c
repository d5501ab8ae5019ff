// SPDX-License-Identifier: GPL-2.0-only
#include "broker/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/guest_int.h"

#define LINE 1000 /* what one costs: a line a second is one such unit a millisecond */

enum channel_mode guest_mode(const struct vm_config *config)
{
	if (config->mode != CHANNEL_MODE_AUTO)
		return config->mode;
	return config->kind == VMM_QMP ? CHANNEL_MODE_UNIX : CHANNEL_MODE_VSOCK;
}

/* --- what is said ------------------------------------------------------------ */

static int send_line(struct guest *g, const struct channel_message *m)
{
	char text[1024];
	int n = channel_format(text, sizeof(text), m);

	if (n > 0)
		n = stream_write(&g->stream, text, (size_t)n);
	if (n == -ENOBUFS)
		g->counts.unread++;
	return n < 0 ? n : 0;
}

int guest_send(struct guest *g, const struct channel_message *m)
{
	return g->hello ? send_line(g, m) : -ENOTCONN;
}

/* Says why a line was dropped; once a second, or a flood would be answered with a flood. */
static void refuse(struct guest *g, const char *text)
{
	struct channel_message m = { .type = CHANNEL_ERROR };

	if (g->refused)
		return;
	g->refused = true;
	snprintf(m.text, sizeof(m.text), "%s", text);
	send_line(g, &m);
}

/* --- what is heard ----------------------------------------------------------- */

void guest_forget(struct guest *g)
{
	g->hello = false;
	channel_reader_reset(&g->reader);
}

static void hear_hello(struct guest *g, const struct channel_message *m)
{
	g->hello = true;
	memcpy(g->session, m->session, sizeof(g->session));
	memcpy(g->boot, m->boot, sizeof(g->boot));
	memcpy(g->agent, m->agent, sizeof(g->agent));
	memcpy(g->claimed, m->name, sizeof(g->claimed));
	g->ram = m->ram;
	g->events->hello(g->arg, m);
}

static void hear(struct guest *g, size_t len)
{
	struct channel_message m;
	int r;

	if (g->lines < LINE) {
		g->counts.over_rate++;
		return;
	}
	g->lines -= LINE;
	r = channel_parse(g->line, len, &m);
	if (r) {
		g->counts.bad++;
		refuse(g, r == -EBADMSG  ? "not a line of JSON"
			  : r == -EINVAL ? "a member is missing or wrong"
					 : "unknown type, or another version than 1");
		return;
	}
	if (m.type != CHANNEL_HELLO && !g->hello) {
		g->counts.bad++;
		refuse(g, "say hello first");
		return;
	}
	switch (m.type) {
	case CHANNEL_HELLO:
		hear_hello(g, &m);
		break;
	case CHANNEL_LEASE:
		g->events->lease(g->arg, &m);
		break;
	case CHANNEL_BYE:
		g->events->bye(g->arg);
		break;
	default:
		g->counts.bad++; /* a host's line */
		return;
	}
	g->counts.messages++;
}

static void fill(struct guest *g)
{
	uint64_t now = uv_now(g->loop), ms = now - g->second_ms;
	uint64_t lines;

	if (!g->second_ms || ms > 1000)
		ms = 1000;
	if (g->second_ms && ms < 50)
		return;
	lines = g->lines + ms * EBB_CHANNEL_RATE;
	if (!g->second_ms || lines > EBB_CHANNEL_BURST * LINE)
		lines = EBB_CHANNEL_BURST * LINE;
	g->lines = (uint32_t)lines;
	g->bytes += (uint32_t)(GUEST_BYTES_PER_S * ms / 1000);
	if (g->bytes > GUEST_BYTES_PER_S)
		g->bytes = GUEST_BYTES_PER_S;
	if (ms >= 1000 || now / 1000 != g->second_ms / 1000)
		g->refused = false;
	g->second_ms = now;
}

static void on_pause_over(uv_timer_t *timer)
{
	struct guest *g = timer->data;

	g->paused = false;
	fill(g);
	if (!g->hello && guest_mode(g->config) == CHANNEL_MODE_VSOCK)
		stream_end(&g->stream, 0);
	else
		stream_resume(&g->stream);
}

/* Hybrid vsock answers "OK 1234\n" before the guest's own bytes. Returns what was used. */
static size_t shake_hands(struct guest *g, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n') {
			if (g->reader.len < 32)
				g->line[g->reader.len++] = data[i];
			continue;
		}
		g->handshake = false;
		if (g->reader.len < 3 || memcmp(g->line, "OK ", 3) != 0) {
			g->why = "no vsock answers at the channel's socket";
			stream_end(&g->stream, 0);
		}
		channel_reader_reset(&g->reader);
		return i + 1;
	}
	return len;
}

static void on_data(struct stream *s, const char *data, size_t len)
{
	struct guest *g = s->arg;
	uint64_t dropped = g->reader.dropped;
	size_t line;

	fill(g);
	g->bytes -= len < g->bytes ? (uint32_t)len : g->bytes;
	if (g->handshake) {
		size_t n = shake_hands(g, data, len);

		data += n;
		len -= n;
	}
	while (s->state == STREAM_OPEN && channel_read(&g->reader, &data, &len, &line))
		hear(g, line);
	g->counts.overlong += g->reader.dropped - dropped;
	if (g->reader.dropped != dropped)
		refuse(g, "a line of more than 4096 bytes");
	if (!g->bytes && s->state == STREAM_OPEN) {
		g->counts.throttled++;
		g->paused = true;
		stream_pause(s);
		uv_timer_start(&g->timer, on_pause_over, 1000, 0);
	}
}

/* --- the connection ---------------------------------------------------------- */

static void on_retry(uv_timer_t *timer)
{
	struct guest *g = timer->data;

	g->why = NULL;
	stream_connect(&g->stream, g->config->channel);
}

/* In a guest anybody may connect to a vsock port; one that only holds the place loses it. */
static void on_no_hello(uv_timer_t *timer)
{
	struct guest *g = timer->data;

	if (g->hello)
		return;
	g->why = "it connected and did not say hello";
	stream_end(&g->stream, 0);
}

static void on_opened(struct stream *s)
{
	struct guest *g = s->arg;
	char text[32];
	int n;

	g->counts.connects++;
	g->why = NULL;
	g->hello = g->paused = false;
	channel_reader_reset(&g->reader);
	if (guest_mode(g->config) == CHANNEL_MODE_VSOCK)
		uv_timer_start(&g->timer, on_no_hello, GUEST_HELLO_MS, 0);
	if (guest_mode(g->config) != CHANNEL_MODE_CONNECT)
		return;
	g->handshake = true;
	n = snprintf(text, sizeof(text), "CONNECT %d\n", EBB_CHANNEL_VSOCK_PORT);
	stream_write(s, text, (size_t)n);
}

void guest_finish(struct guest *g)
{
	if (g->closing && g->handles == 0 && g->stream.state == STREAM_IDLE && g->closed) {
		void (*closed)(void *) = g->closed;

		g->closed = NULL;
		closed(g->arg);
	}
}

static void on_ended(struct stream *s, int error)
{
	struct guest *g = s->arg;
	bool hello = g->hello;

	g->hello = g->handshake = false;
	if (g->closing) {
		guest_finish(g);
		return;
	}
	if (!g->why)
		g->why = error ? uv_strerror(error) : "the VM's end was closed";
	uv_timer_stop(&g->timer);
	g->paused = false;
	if (guest_mode(g->config) != CHANNEL_MODE_VSOCK)
		uv_timer_start(&g->timer, on_retry, GUEST_RETRY_MS, 0);
	if (hello)
		g->events->lost(g->arg, g->why);
}

static const struct stream_ops stream_ops = { on_opened, on_data, on_ended };

void guest_open(struct guest *g, uv_loop_t *loop, const struct vm_config *config,
		const struct guest_events *events, void *arg)
{
	memset(g, 0, sizeof(*g));
	g->loop = loop;
	g->config = config;
	g->events = events;
	g->arg = arg;
	g->reader = (struct channel_reader){ .buf = g->line, .size = sizeof(g->line) };
	stream_init(&g->stream, loop, &stream_ops, g);
	uv_timer_init(loop, &g->timer);
	g->timer.data = g;
	g->handles = 1;
	g->why = "not connected yet";
	if (!config->channel[0])
		g->why = "no channel is configured";
	else if (guest_mode(config) == CHANNEL_MODE_VSOCK)
		guest_listen(g);
	else
		uv_timer_start(&g->timer, on_retry, 0, 0);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct guest *g = handle->data;

	g->handles--;
	guest_finish(g);
}

void guest_close(struct guest *g, void (*closed)(void *arg))
{
	g->closing = true;
	g->closed = closed;
	stream_end(&g->stream, 0);
	uv_close((uv_handle_t *)&g->timer, on_handle_closed);
	if (g->listening)
		uv_close((uv_handle_t *)&g->listener, on_handle_closed);
}
