// SPDX-License-Identifier: GPL-2.0-only
/* Questions to a running VMM, one after the other: this is a command that ends, so it may wait. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/check.h"
#include "broker/rest.h"
#include "ebb/channel.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define PATIENCE_S 3
#define REPLY_MAX (1u << 20)

/* The process that listens there, even where it does not answer us, is the VMM. */
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
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
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
		n = recv(q->fd, q->buf + q->len, REPLY_MAX - q->len, 0);
		if (n <= 0)
			return NULL;
		q->len += (size_t)n;
	}
}

/*
 * The answer's "return" (a new reference), NULL for an error or none in time. arguments: of one
 * object, or "". An answer that came too late for its question is not taken for that to the next.
 */
static json_t *qmp_ask(struct qmp *q, const char *command, const char *arguments)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "{\"execute\":\"%s\",\"arguments\":{%s},\"id\":%d}\n",
			 command, arguments, ++q->id);

	if (n < 0 || (size_t)n >= sizeof(text) || send(q->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
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

static json_t *qmp_get(struct qmp *q, const char *folder, const char *device, const char *property)
{
	char arguments[256];

	snprintf(arguments, sizeof(arguments), "\"path\":\"%s/%.64s\",\"property\":\"%s\"", folder,
		 device, property);
	return qmp_ask(q, "qom-get", arguments);
}

static int qmp_flag(struct qmp *q, const char *folder, const char *device, const char *property)
{
	json_t *value = qmp_get(q, folder, device, property);
	int r = json_is_boolean(value) ? json_is_true(value) : -1;

	json_decref(value);
	return r;
}

static void look_at_port(struct qmp *q, const char *folder, const char *device, bool has_id,
			 struct check_qemu *c)
{
	json_t *value = qmp_get(q, folder, device, "name");
	const char *name = json_string_value(value);

	if (name && !strcmp(name, EBB_CHANNEL_NAME))
		c->port = has_id ? CHECK_PORT_GOOD : CHECK_PORT_NO_ID;
	json_decref(value);
}

/* Devices that were given an id are in one folder, those without in the other. */
static void find_devices(struct qmp *q, const char *folder, bool have_ids, struct check_qemu *c)
{
	char path[64];
	const json_t *child;
	json_t *list;
	size_t i;

	snprintf(path, sizeof(path), "\"path\":\"%s\"", folder);
	list = qmp_ask(q, "qom-list", path);
	c->incomplete |= !list;
	json_array_foreach (list, i, child) {
		const char *type = json_string_value(json_object_get(child, "type"));
		const char *name = json_string_value(json_object_get(child, "name"));

		if (!type || !name || strpbrk(name, "\"\\/"))
			continue;
		if (!strcmp(type, "child<virtserialport>"))
			look_at_port(q, folder, name, have_ids, c);
		if (strncmp(type, "child<virtio-balloon", 20) != 0)
			continue;
		c->balloons++;
		c->reporting = qmp_flag(q, folder, name, "free-page-reporting");
		c->deflate_on_oom = qmp_flag(q, folder, name, "deflate-on-oom");
	}
	json_decref(list);
}

int check_look_qemu(const char *socket, struct findings *f, uint64_t *ret_ram, int *ret_pid,
		    char *why)
{
	struct check_qemu c = { .reporting = -1, .deflate_on_oom = -1 };
	_cleanup_free_ char *buf = malloc(REPLY_MAX);
	_cleanup_close_ int fd = dial(socket, ret_pid, why);
	struct qmp q = { .fd = fd, .buf = buf };
	json_t *data;

	if (fd < 0)
		return fd;
	snprintf(why, CONF_ERROR_MAX,
		 "%s: no greeting; where ebb-broker or another client holds the socket, give "
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
	json_decref(qmp_ask(&q, "qmp_capabilities", ""));
	data = qmp_ask(&q, "query-memory-size-summary", "");
	*ret_ram = (uint64_t)json_integer_value(json_object_get(data, "base-memory"));
	json_decref(data);
	find_devices(&q, "/machine/peripheral", true, &c);
	find_devices(&q, "/machine/peripheral-anon", false, &c);
	data = qmp_ask(&q, "query-memdev", "");
	c.memdevs = json_is_array(data) ? data : NULL;
	check_qemu(f, &c);
	json_decref(data);
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
	if (send(fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		return NULL;
	for (;;) {
		ssize_t got = recv(fd, buf + len, REST_HTTP_REPLY_MAX - len, 0);
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
