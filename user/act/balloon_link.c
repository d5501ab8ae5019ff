// SPDX-License-Identifier: GPL-2.0-only
/*
 * The link to the host on the loop: found, kept, lost, found again.
 *
 * A virtio-serial port without a host behind it polls readable and reads
 * nothing, for ever; so it is polled only while a host is there, and a timer
 * looks whether one came. The port stays open meanwhile. A vsock stream ends
 * with its host and is made anew.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/balloon_int.h"

#define TURNS_MAX 8 /* reads before others on the loop have their turn */

static void look(struct balloon *b);
static void on_ready(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer)
{
	look(timer->data);
}

void balloon_look_soon(struct balloon *b)
{
	uv_timer_start(&b->retry, on_retry, 0, 0);
}

static void retry_later(struct balloon *b)
{
	if (b->closing)
		return;
	uv_timer_start(&b->retry, on_retry, b->backoff_ms, 0);
	b->backoff_ms *= 2;
	if (b->backoff_ms > BALLOON_RETRY_MAX_MS)
		b->backoff_ms = b->talk.state.link == BALLOON_ABSENT ? BALLOON_ABSENT_MS
								     : BALLOON_RETRY_MAX_MS;
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct balloon *b = handle->data;

	close(b->fd);
	b->fd = -1;
	b->polling = false;
	retry_later(b);
	balloon_unref(b);
}

/* There is no such thing as a partly sent line to somebody else. */
void balloon_forget_lines(struct balloon *b)
{
	b->out_len = b->out_sent = 0;
	b->due = false;
	channel_reader_reset(&b->reader);
	uv_timer_stop(&b->renew);
}

/* The port, where it is one, stays. */
void balloon_hang_up(struct balloon *b, const char *reason)
{
	unsigned int heard = balloon_lose(&b->talk, BALLOON_WAITING, reason);

	balloon_forget_lines(b);
	if (uv_is_closing((uv_handle_t *)&b->poll))
		return;
	if (b->serial) {
		uv_poll_stop(&b->poll);
		retry_later(b);
	} else {
		uv_close((uv_handle_t *)&b->poll, on_poll_closed);
	}
	balloon_tell(b, heard);
}

/* The device itself is gone, or fails. */
static void drop(struct balloon *b, const char *reason)
{
	b->serial = false;
	balloon_hang_up(b, reason);
}

static void watch(struct balloon *b)
{
	int events = b->connecting ? UV_WRITABLE : UV_READABLE;

	if (b->out_sent < b->out_len)
		events |= UV_WRITABLE;
	uv_poll_start(&b->poll, events, on_ready);
}

void balloon_flush(struct balloon *b)
{
	while (b->out_sent < b->out_len) {
		ssize_t n = write(b->fd, b->out + b->out_sent, b->out_len - b->out_sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			drop(b, n < 0 ? strerror(errno) : "the port takes nothing");
			return;
		}
		b->out_sent += (size_t)n;
		if (b->out_sent == b->out_len) {
			b->out_sent = b->out_len = 0;
			if (b->due)
				balloon_make_lease(b);
		}
	}
	watch(b);
}

static void hear(struct balloon *b, const char *data, size_t len)
{
	bool was = b->talk.state.link == BALLOON_TALKING;
	unsigned int heard = 0;
	size_t line;

	while (channel_read(&b->reader, &data, &len, &line))
		heard |= balloon_hear(&b->talk, b->in, line, uv_hrtime());
	/* A welcome in the middle asks whether the lease still stands. */
	if (b->talk.state.link == BALLOON_TALKING && (!was || heard & HEARD(BALLOON_LINK))) {
		b->backoff_ms = BALLOON_RETRY_MIN_MS;
		if (b->want)
			balloon_lease(b);
	}
	balloon_tell(b, heard);
}

static void on_readable(struct balloon *b)
{
	for (int turn = 0; turn < TURNS_MAX && uv_is_active((uv_handle_t *)&b->poll); turn++) {
		char chunk[1024];
		ssize_t n = read(b->fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			drop(b, strerror(errno));
			return;
		}
		if (n == 0) {
			balloon_hang_up(b, "no broker at the host's end");
			return;
		}
		hear(b, chunk, (size_t)n);
		if (b->talk.again) {
			char reason[sizeof(b->talk.state.reason)];

			strcpy(reason, b->talk.state.reason);
			balloon_hang_up(b, reason);
			return;
		}
	}
}

static void on_connected(struct balloon *b, int status)
{
	int error = 0;
	socklen_t len = sizeof(error);

	b->connecting = false;
	if (getsockopt(b->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (!error && status >= 0)
		balloon_greet(b);
	else if (b->no_port)
		drop(b, "no ebb-broker answers on vsock: is it running on the host?");
	else
		drop(b, "no port " EBB_CHANNEL_NAME
			", and no ebb-broker answers on vsock: is it running on the host?");
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct balloon *b = poll->data;

	/* Before status: a refused connection polls as POLLERR, which libuv calls EBADF. */
	if (b->connecting) {
		on_connected(b, status);
		return;
	}
	if (status < 0) {
		drop(b, status == UV_EBADF ? "the host hung up" : uv_strerror(status));
		return;
	}
	if (events & UV_READABLE)
		on_readable(b);
	if ((events & UV_WRITABLE) && b->out_len && uv_is_active((uv_handle_t *)&b->poll))
		balloon_flush(b);
}

/* Is somebody at the other end of the port? */
static bool port_has_host(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) >= 0 && !(p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static int find(struct balloon *b)
{
	int port = b->no_port ? -ENOENT : balloon_open_port(b->by_default ? NULL : b->port);

	b->serial = port >= 0;
	b->talk.state.means = "virtio-serial";
	/* A port that is there but not to be had is the port to wait for. */
	if (port >= 0 || (port != -ENOENT && port != -ENXIO && port != -ENODEV))
		return port;
	b->talk.state.means = "vsock";
	if (b->cid != UINT32_MAX) {
		port = balloon_open_vsock(b->cid, b->vsock_port);
		b->connecting = port >= 0;
	}
	if (port < 0)
		b->talk.state.means = "";
	return port;
}

static bool is_absent(int r)
{
	return r == -ENOENT || r == -ENODEV || r == -ENXIO || r == -EAFNOSUPPORT ||
	       r == -ENETUNREACH || r == -EADDRNOTAVAIL;
}

static void look(struct balloon *b)
{
	if (!b->polling) {
		int r = find(b);

		if (r < 0) {
			bool absent = is_absent(r);

			balloon_tell(b, balloon_lose(&b->talk,
						     absent ? BALLOON_ABSENT : BALLOON_WAITING,
						     absent ? "no port " EBB_CHANNEL_NAME
							      " and no vsock: give this VM one, "
							      "and run ebb-broker"
						     : r == -EBUSY ? "another process has the port"
								   : strerror(-r)));
			retry_later(b);
			return;
		}
		b->fd = r;
		r = uv_poll_init(b->loop, &b->poll, b->fd);
		if (r < 0) {
			close(b->fd);
			b->fd = -1;
			retry_later(b);
			return;
		}
		b->poll.data = b;
		b->polling = true;
		b->refs++;
		balloon_tell(b, balloon_lose(&b->talk, BALLOON_WAITING, "no answer yet"));
	}
	if (b->connecting)
		watch(b);
	else if (!b->serial || port_has_host(b->fd))
		balloon_greet(b);
	else
		retry_later(b);
}

void balloon_unplug(struct balloon *b)
{
	if (b->polling && !uv_is_closing((uv_handle_t *)&b->poll))
		uv_close((uv_handle_t *)&b->poll, on_poll_closed);
}
