// SPDX-License-Identifier: GPL-2.0-only
/* `ebb-broker status`. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/units.h"

#define PATIENCE_S 10

static int dial(const char *path, int *ret, char *why)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    TEMP_FAILURE_RETRY(connect(fd, (struct sockaddr *)&to, sizeof(to))) < 0) {
		int r = -errno;

		if (r == -ENOENT || r == -ECONNREFUSED)
			snprintf(why, CONF_ERROR_MAX,
				 "ebb-broker is not running: nobody answers at %s", path);
		else if (r == -EACCES)
			snprintf(why, CONF_ERROR_MAX,
				 "not permitted: %s is for the broker's user and the members of "
				 "group " EBB_GROUP,
				 path);
		else
			snprintf(why, CONF_ERROR_MAX, "%s: %s", path, strerror(-r));
		return r;
	}
	*ret = TAKE_FD(fd);
	return 0;
}

int ask_status(const char *socket, json_t **ret, char *why)
{
	static const char request[] = "{\"cmd\":\"status\"}\n";
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	size_t len = 0, size = 65536;
	json_t *answer;
	int r = dial(socket, &fd, why);

	if (r)
		return r;
	snprintf(why, CONF_ERROR_MAX, "the broker at %s does not answer", socket);
	if (TEMP_FAILURE_RETRY(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL)) !=
	    (ssize_t)sizeof(request) - 1)
		return -EIO;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	while (!len || text[len - 1] != '\n') {
		ssize_t n;

		if (len == size) {
			char *more = size < EBB_WIRE_REPLY_MAX ? realloc(text, size * 2) : NULL;

			if (!more)
				return -ENOMEM;
			text = more;
			size *= 2;
		}
		n = TEMP_FAILURE_RETRY(recv(fd, text + len, size - len, 0));
		if (n <= 0)
			return -EIO;
		len += (size_t)n;
	}
	answer = json_loadb(text, len, 0, NULL);
	if (json_is_true(json_object_get(answer, "ok")))
		*ret = json_incref(json_object_get(answer, "data"));
	else
		r = -EPROTO;
	json_decref(answer);
	return r;
}

static const char *text_of(const json_t *object, const char *key, char *buf, size_t size)
{
	return text_printable(buf, size, json_string_value(json_object_get(object, key)));
}

static char *size_of(const json_t *object, const char *key, char buf[FORMAT_MAX])
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	if (value <= 0) {
		strcpy(buf, "-");
		return buf;
	}
	return format_size(buf, (uint64_t)value);
}

static void print_vm(FILE *out, const json_t *vm)
{
	char name[BROKER_NAME_MAX * 4], state[32], clamp[32], reason[256];
	char actual[FORMAT_MAX], size[FORMAT_MAX], want[FORMAT_MAX], min[FORMAT_MAX],
		max[FORMAT_MAX], resident[FORMAT_MAX];
	const json_t *guest = json_object_get(vm, "guest");

	text_of(vm, "reason", reason, sizeof(reason));
	if (!reason[0])
		text_of(guest, "reason", reason, sizeof(reason));
	fprintf(out, "%-16s %-10s %8s %7s %7s %7s %7s %7s  %-8s %s\n",
		text_of(vm, "name", name, sizeof(name)), text_of(vm, "state", state, sizeof(state)),
		size_of(vm, "resident", resident), size_of(vm, "actual", actual),
		size_of(vm, "size", size), size_of(json_object_get(vm, "lease"), "want", want),
		size_of(vm, "min", min), size_of(vm, "max", max),
		text_of(vm, "clamp", clamp, sizeof(clamp)), reason);
}

void status_print(FILE *out, const json_t *status)
{
	const json_t *host = json_object_get(status, "host"), *vm;
	char total[FORMAT_MAX], available[FORMAT_MAX], level[32], version[32];
	size_t i;

	fprintf(out, "ebb-broker %s%s, host pressure %s, %s of %s available\n\n",
		text_of(status, "version", version, sizeof(version)),
		json_is_true(json_object_get(status, "dry_run")) ? " (dry run)" : "",
		text_of(host, "pressure", level, sizeof(level)),
		size_of(host, "available", available), size_of(host, "total", total));
	fprintf(out, "%-16s %-10s %8s %7s %7s %7s %7s %7s  %-8s %s\n", "VM", "STATE", "RESIDENT",
		"ACTUAL", "SIZE", "WANT", "MIN", "MAX", "CLAMP", "REASON");
	json_array_foreach (json_object_get(status, "vms"), i, vm)
		print_vm(out, vm);
}
