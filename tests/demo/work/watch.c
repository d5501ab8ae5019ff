// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch - sends what ebbd says to the host, once a period: the answers to `list` and `status`,
 * over its socket (what `ebb list -o json` prints, without a process a second). Without ebbd it
 * reads the containers' own cgroup files instead.
 *
 *   watch PERIOD_MS SOCKET
 *   watch PERIOD_MS - NAME=CGROUP_DIR...   (a directory that is not there is a container not
 * running)
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "port.h"

static int dial(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* A stream each way: one for both would have to seek between reading and writing. */
struct ebbd {
	FILE *in, *out;
};

static void ebbd_close(struct ebbd *e)
{
	if (e->in)
		fclose(e->in);
	if (e->out)
		fclose(e->out);
	*e = (struct ebbd){ NULL, NULL };
}

static int ebbd_open(struct ebbd *e, const char *path)
{
	int fd = dial(path), twin = fd < 0 ? -1 : dup(fd);

	if (fd < 0)
		return fd;
	e->in = fdopen(fd, "r");
	e->out = twin < 0 ? NULL : fdopen(twin, "w");
	if (e->in && e->out)
		return 0;
	ebbd_close(e);
	return -ENOMEM;
}

/* One request, one answer: its data is sent on as a line called `name`. */
static int forward(struct ebbd *e, const char *name)
{
	json_t *answer, *data;
	char *text = NULL;
	int r = -EPROTO;

	if (fprintf(e->out, "{\"cmd\":\"%s\"}\n", name) < 0 || fflush(e->out))
		return -EPIPE;
	answer = json_loadf(e->in, JSON_DISABLE_EOF_CHECK, NULL);
	data = json_object_get(answer, "data");
	if (json_is_true(json_object_get(answer, "ok")) && data)
		text = json_dumps(data, JSON_COMPACT);
	if (text)
		r = port_send(name, text);
	free(text);
	json_decref(answer);
	return r;
}

static double file_number(const char *dir, const char *file)
{
	char path[4096], buf[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (!fgets(buf, sizeof(buf), f))
		buf[0] = '\0';
	fclose(f);
	return strtod(buf, NULL);
}

static int look(char **boxes)
{
	char line[4096] = "[";
	size_t len = 1;

	for (; *boxes && len + 256 < sizeof(line); boxes++) {
		const char *dir = strchr(*boxes, '=');
		double bytes = dir ? file_number(dir + 1, "memory.current") : -1;

		if (bytes < 0)
			continue;
		len += (size_t)snprintf(line + len, sizeof(line) - len,
					"%s{\"name\":\"%.*s\",\"bytes\":%.0f,\"swap\":%.0f}",
					len > 1 ? "," : "", (int)(dir - *boxes), *boxes, bytes,
					file_number(dir + 1, "memory.swap.current"));
	}
	snprintf(line + len, sizeof(line) - len, "]");
	return port_send("cgroups", line);
}

int main(int argc, char **argv)
{
	long period = argc > 2 ? atol(argv[1]) : 0;
	struct ebbd ebbd = { NULL, NULL };
	int r = 0;

	if (period <= 0) {
		fprintf(stderr, "usage: watch PERIOD_MS SOCKET | watch PERIOD_MS - NAME=DIR...\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		struct timespec ts = { period / 1000, period % 1000 * 1000000 };

		if (!strcmp(argv[2], "-")) {
			r = look(argv + 3);
		} else {
			r = ebbd.in ? 0 : ebbd_open(&ebbd, argv[2]);
			if (r == 0 && (r = forward(&ebbd, "list")) == 0)
				r = forward(&ebbd, "status");
			/* ebbd may be started anew: the next round dials again. */
			if (r < 0)
				ebbd_close(&ebbd);
		}
		if (r < 0)
			fprintf(stderr, "watch: %s\n", strerror(-r));
		nanosleep(&ts, NULL);
	}
}
