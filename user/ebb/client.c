// SPDX-License-Identifier: GPL-2.0-only
/* One request to ebbd, one answer. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "ebb/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define PATIENCE_MS 30000 /* ebbd may be busy on a slow machine; longer is a hang */

static int refuse(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *error, const char *format, ...)
{
	char raw[CLI_ERROR_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	text_printable(error, CLI_ERROR_MAX, raw);
	return EBB_EXIT_FAILED;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int dial(const char *path, int *ret_fd, char *error)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(to.sun_path)) {
		refuse(error, "the path of the socket is too long: %s", path);
		return EBB_EXIT_USAGE;
	}
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return refuse(error, "no socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0) {
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	return client_refused(path, errno, error);
}

int client_refused(const char *path, int err, char *error)
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
	case ENOTDIR:
		return refuse(error,
			      "ebbd is not running: nobody answers at %s. Start it with "
			      "`systemctl start ebbd`, or as root: ebbd",
			      path);
	case EACCES:
	case EPERM:
		return refuse(error,
			      "not permitted: %s is for root and the members of group %s "
			      "(usermod -aG %s USER)",
			      path, EBB_GROUP, EBB_GROUP);
	default:
		return refuse(error, "cannot reach ebbd at %s: %s", path, strerror(err));
	}
}

static int send_request(int fd, const json_t *request, char *error)
{
	_cleanup_free_ char *text = json_dumps(request, JSON_COMPACT);
	size_t len, sent = 0;

	if (!text)
		return refuse(error, "a name that is not UTF-8");
	len = strlen(text);
	if (len >= EBB_WIRE_REQUEST_MAX)
		return refuse(error, "the name is too long");
	text[len++] = '\n';
	while (sent < len) {
		ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return refuse(error, "ebbd hung up: %s", strerror(errno));
		sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* A line of at most EBB_WIRE_REPLY_MAX bytes, the newline cut off. */
static int read_answer(int fd, char **ret, size_t *ret_len, char *error)
{
	uint64_t end_ms = now_ms() + PATIENCE_MS;
	_cleanup_free_ char *text = NULL;
	size_t len = 0, room = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = now_ms();
		ssize_t n;

		if (now >= end_ms)
			return refuse(error, "ebbd does not answer");
		if (poll(&p, 1, (int)(end_ms - now)) <= 0)
			continue;
		if (len == room) {
			char *more = room < 2 * (size_t)EBB_WIRE_REPLY_MAX
					     ? realloc(text, room ? 2 * room : 65536)
					     : NULL;

			if (!more)
				return refuse(error, "the answer is too large");
			text = more;
			room = room ? 2 * room : 65536;
		}
		n = recv(fd, text + len, room - len, 0);
		if (n == 0 || (n < 0 && errno != EINTR))
			return refuse(error, "ebbd hung up");
		if (n < 0)
			continue;
		len += (size_t)n;
		if (text[len - 1] == '\n')
			break;
	}
	*ret_len = len - 1;
	*ret = TAKE_PTR(text);
	return 0;
}

int client_open_answer(const char *text, size_t len, json_t **ret_data, char *error)
{
	json_t *answer = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *ok = json_object_get(answer, "ok");
	int r = 0;

	if (json_is_true(ok)) {
		json_t *data = json_object_get(answer, "data");

		*ret_data = data ? json_incref(data) : json_null();
	} else if (json_is_false(ok)) {
		json_int_t code = json_integer_value(json_object_get(answer, "code"));

		refuse(error, "%s", get_text(answer, "error"));
		r = code >= EBB_EXIT_FAILED && code <= EBB_EXIT_KERNEL ? (int)code
								       : EBB_EXIT_FAILED;
	} else {
		r = refuse(error, "what answers there is not ebbd");
	}
	json_decref(answer);
	return r;
}

/* Not a byte more than the line: what follows it is somebody else's. */
static int read_answer_line(int fd, char line[EBB_WIRE_REQUEST_MAX], size_t *ret_len, char *error)
{
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (size_t len = 0; len < EBB_WIRE_REQUEST_MAX;) {
		ssize_t n = recv(fd, line + len, 1, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return refuse(error, "ebbd does not answer");
		if (n <= 0)
			return refuse(error, "ebbd hung up");
		if (line[len] == '\n') {
			*ret_len = len;
			return 0;
		}
		len++;
	}
	return refuse(error, "what answers there is not ebbd");
}

int client_stream(const char *socket, json_t *request, int *ret_fd, char *error)
{
	char line[EBB_WIRE_REQUEST_MAX];
	_cleanup_close_ int fd = -1;
	json_t *data = NULL;
	size_t len = 0;
	int r = dial(socket, &fd, error);

	if (r == 0)
		r = send_request(fd, request, error);
	if (r == 0)
		r = read_answer_line(fd, line, &len, error);
	if (r == 0)
		r = client_open_answer(line, len, &data, error);
	json_decref(data);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

int client_call(const char *socket, json_t *request, json_t **ret_data, bool *ret_running,
		char *error)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t len = 0;
	int r;

	r = dial(socket, &fd, error);
	if (ret_running)
		*ret_running = r == 0;
	if (r == 0)
		r = send_request(fd, request, error);
	if (r == 0)
		r = read_answer(fd, &text, &len, error);
	if (r == 0)
		r = client_open_answer(text, len, ret_data, error);
	return r;
}
