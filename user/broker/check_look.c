// SPDX-License-Identifier: GPL-2.0-only
/* Questions to a running VMM, one after the other: this is a command that ends, so it may wait. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/check.h"
#include "broker/rest.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define PATIENCE_S 3
#define REPLY_MAX (1u << 20)

/*
 * The process that listens there, even where it does not answer us, is the VMM.
 *
 * With a timeout, no call on the socket is restarted after a signal, nor after what the kernel does
 * in passing for an io_uring of the process: hence TEMP_FAILURE_RETRY throughout.
 */
static int dial(const char *path, int *ret_pid, char *why)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct ucred peer;
	socklen_t len = sizeof(peer);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    TEMP_FAILURE_RETRY(connect(fd, (struct sockaddr *)&to, sizeof(to))) < 0) {
		int r = -errno;

		snprintf(why, CONF_ERROR_MAX, "%s: %s", path, strerror(-r));
		return r;
	}
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		*ret_pid = peer.pid;
	return TAKE_FD(fd);
}

/* --- QMP -------------------------------------------------------------------------- */

struct qmp {
	int fd;
	int id; /* of the last request */
	char *buf;
	size_t len;
};

/* The next line as JSON; NULL: none came. */
static json_t *qmp_line(struct qmp *q)
{
	for (;;) {
		char *end = memchr(q->buf, '\n', q->len);
		ssize_t n;

		if (end) {
			json_t *object = json_loadb(q->buf, (size_t)(end - q->buf), 0, NULL);

			q->len -= (size_t)(end + 1 - q->buf);
			memmove(q->buf, end + 1, q->len);
			return object;
		}
		if (q->len == REPLY_MAX)
			return NULL;
		n = TEMP_FAILURE_RETRY(recv(q->fd, q->buf + q->len, REPLY_MAX - q->len, 0));
		if (n <= 0)
			return NULL;
		q->len += (size_t)n;
	}
}

/*
 * Sends a request that has q->id, and returns its answer's "return" (a new reference); NULL for an
 * error or none in time. What came too late for its question is not taken for the next one's
 * answer.
 */
static json_t *qmp_ask(struct qmp *q, const char *text, size_t len)
{
	if (TEMP_FAILURE_RETRY(send(q->fd, text, len, MSG_NOSIGNAL)) != (ssize_t)len)
		return NULL;
	for (;;) {
		json_t *object = qmp_line(q), *data = NULL;
		bool ours = json_integer_value(json_object_get(object, "id")) == q->id;

		if (!object)
			return NULL;
		if (ours)
			data = json_incref(json_object_get(object, "return"));
		json_decref(object);
		if (ours)
			return data;
	}
}

static json_t *qmp_command(struct qmp *q, const char *command)
{
	char text[QMP_LOOK_TEXT];
	int n = snprintf(text, sizeof(text), "{\"execute\":\"%s\",\"id\":%d}\n", command, ++q->id);

	return qmp_ask(q, text, (size_t)n);
}

int check_look_qemu(const char *socket, struct qemu_settings *ret, uint64_t *ret_ram, int *ret_pid,
		    char *why)
{
	_cleanup_free_ char *buf = malloc(REPLY_MAX);
	_cleanup_close_ int fd = dial(socket, ret_pid, why);
	struct qmp q = { .fd = fd, .buf = buf };
	struct qmp_look look = { 0 };
	char text[QMP_LOOK_TEXT];
	json_t *data;
	size_t len;

	if (fd < 0)
		return fd;
	snprintf(why, CONF_ERROR_MAX,
		 "%s: no greeting; where another client than ebb-broker holds the socket, give "
		 "this command one of its own (-qmp unix:PATH,server=on,wait=off)",
		 socket);
	if (!buf)
		return -ENOMEM;
	data = qmp_line(&q);
	if (!json_object_get(data, "QMP")) {
		json_decref(data);
		return -ETIMEDOUT;
	}
	json_decref(data);
	json_decref(qmp_command(&q, "qmp_capabilities"));
	data = qmp_command(&q, "query-memory-size-summary");
	*ret_ram = (uint64_t)json_integer_value(json_object_get(data, "base-memory"));
	json_decref(data);
	while ((len = qmp_look_ask(&look, text, ++q.id))) {
		data = qmp_ask(&q, text, len);
		qmp_look_answer(&look, data);
		json_decref(data);
	}
	*ret = look.found;
	return 0;
}

/* --- HTTP ------------------------------------------------------------------------- */

/* The body of a GET; NULL with *ret_status 0 when nothing that can be read came. */
static json_t *get(const char *socket, const char *target, int *ret_status, int *ret_pid, char *why)
{
	_cleanup_free_ char *buf = malloc(REST_HTTP_REPLY_MAX);
	_cleanup_close_ int fd = dial(socket, ret_pid, why);
	struct rest_http_reply reply;
	char request[256];
	size_t len = 0;
	int n;

	*ret_status = 0;
	n = snprintf(request, sizeof(request),
		     "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n",
		     target);
	if (fd < 0 || !buf)
		return NULL;
	snprintf(why, CONF_ERROR_MAX, "%s: GET %s has no answer", socket, target);
	if (TEMP_FAILURE_RETRY(send(fd, request, (size_t)n, MSG_NOSIGNAL)) != n)
		return NULL;
	for (;;) {
		ssize_t got = TEMP_FAILURE_RETRY(recv(fd, buf + len, REST_HTTP_REPLY_MAX - len, 0));
		int r;

		if (got <= 0)
			return NULL;
		len += (size_t)got;
		r = rest_http_parse(buf, len, &reply);
		if (r < 0)
			return NULL;
		if (r == 0)
			continue;
		*ret_status = reply.status;
		return json_loadb(reply.body, reply.len, 0, NULL);
	}
}

int check_look_rest(const struct vm_config *vm, struct findings *f, uint64_t *ret_ram, int *ret_pid,
		    char *why)
{
	const struct rest_ops *ops = vm->kind == VMM_FIRECRACKER ? &rest_firecracker
								 : &rest_cloud_hypervisor;
	struct rest_vm state = { 0 };
	char text[BACKEND_WHY_MAX];
	int status, r = 0;
	json_t *info = get(vm->vmm, ops->info, &status, ret_pid, why), *balloon;

	if (!status)
		return -ETIMEDOUT;
	if (status != 200) {
		ops->read_error(status, info, text, sizeof(text));
		snprintf(why, CONF_ERROR_MAX, "%s: %s", vm->vmm, text);
		r = -EPROTO;
	} else if (ops->read_info(info, &state) == -EPROTO) {
		snprintf(why, CONF_ERROR_MAX, "%s: what answers there is not %s", vm->vmm,
			 ops->name);
		r = -EPROTO;
	} else if (vm->kind == VMM_FIRECRACKER) {
		balloon = get(vm->vmm, "/balloon", &status, ret_pid, why);
		check_firecracker(f, status == 200 ? balloon : NULL, info);
		json_decref(balloon);
	} else {
		check_cloud_hypervisor(f, info);
	}
	json_decref(info);
	*ret_ram = state.ram;
	return r;
}
