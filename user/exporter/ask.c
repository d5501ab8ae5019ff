// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "ebb/wire.h"
#include "lib/cleanup.h"

#define FIRST_ROOM 16384

struct line {
	char *text;
	size_t len; /* of the answer, without its newline */
	size_t have; /* read so far: what is behind len belongs to the next */
	size_t room;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int fail(char *error, int r, const char *why)
{
	snprintf(error, SAMPLE_ERROR_MAX, "%s", why);
	return r;
}

static int send_all(int fd, const char *text, char *error)
{
	size_t len = strlen(text), sent = 0;

	while (sent < len) {
		/* A few dozen bytes into an empty socket: this does not wait. */
		ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, -ECONNRESET, "ebbd hung up");
		sent += (size_t)n;
	}
	return 0;
}

static int grow(struct line *l)
{
	size_t room = l->room ? 2 * l->room : FIRST_ROOM;
	char *more;

	if (l->have < l->room)
		return 0;
	if (room > 2 * (size_t)EBB_WIRE_REPLY_MAX)
		return -EMSGSIZE;
	more = realloc(l->text, room);
	if (!more)
		return -ENOMEM;
	l->text = more;
	l->room = room;
	return 0;
}

static int read_line(int fd, struct line *l, int64_t end_ms, char *error)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end_ms - now_ms();
		const char *newline;
		ssize_t n;
		int r = grow(l);

		if (r == -EMSGSIZE)
			return fail(error, r, "ebbd's answer is too large");
		if (r < 0)
			return fail(error, r, "no memory for ebbd's answer");
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return fail(error, -ETIMEDOUT, "ebbd does not answer");
		n = recv(fd, l->text + l->have, l->room - l->have, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return fail(error, -ECONNRESET, "ebbd hung up");
		newline = memchr(l->text + l->have, '\n', (size_t)n);
		l->have += (size_t)n;
		if (newline) {
			l->len = (size_t)(newline - l->text);
			return 0;
		}
	}
}

int ask_sample(int fd, struct sample **ret, char *error)
{
	_cleanup_close_ int closed = fd;
	int64_t end_ms = now_ms() + ASK_TIMEOUT_MS;
	struct line list = { 0 }, status = { 0 };
	int r;

	/* One after the other: each answer then has a buffer of its own. */
	r = send_all(closed, "{\"cmd\":\"list\"}\n", error);
	if (!r)
		r = read_line(closed, &list, end_ms, error);
	if (!r)
		r = send_all(closed, "{\"cmd\":\"status\"}\n", error);
	if (!r)
		r = read_line(closed, &status, end_ms, error);
	if (!r)
		r = sample_parse(ret, list.text, list.len, status.text, status.len, error);
	free(list.text);
	free(status.text);
	return r;
}
