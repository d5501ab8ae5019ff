// SPDX-License-Identifier: GPL-2.0-only
#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_LIMIT (1u << 20)

/* The order matters: an event sets the beginning from which the times of all others count. */
static const char *const names[FEED_FILES] = {
	"host.jsonl",    "event.jsonl",  "rss.csv",       "list.jsonl",
	"cgroups.jsonl", "status.jsonl", "latency.jsonl", "broker.jsonl",
};

int feed_open(struct feed *f, const char *dir)
{
	for (int i = 0; i < FEED_FILES; i++)
		f->file[i] = (typeof(f->file[0])){ .fd = -1 };
	f->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->dir_fd < 0 ? -errno : 0;
}

void feed_close(struct feed *f)
{
	for (int i = 0; i < FEED_FILES; i++) {
		if (f->file[i].fd >= 0)
			close(f->file[i].fd);
		free(f->file[i].part);
	}
	if (f->dir_fd >= 0)
		close(f->dir_fd);
}

static int feed_line(struct model *m, const char *file, const char *line, size_t len)
{
	const char *dot = strchr(file, '.');
	char name[32] = "";
	int r;

	if (!strcmp(dot, ".csv")) {
		r = model_resident(m, line, len);
	} else {
		memcpy(name, file, (size_t)(dot - file));
		r = model_line(m, name, line, len);
	}
	return r == -EINVAL ? 0 : r;
}

static int feed_lines(struct feed *f, int i, struct model *m)
{
	char *rest = f->file[i].part, *end;
	size_t left = f->file[i].len;
	int r = 0;

	while (r == 0 && (end = memchr(rest, '\n', left))) {
		size_t len = (size_t)(end - rest);

		r = feed_line(m, names[i], rest, len);
		rest = end + 1;
		left -= len + 1;
	}
	memmove(f->file[i].part, rest, left);
	f->file[i].len = left;
	return r;
}

static int feed_file(struct feed *f, int i, struct model *m)
{
	ssize_t n;
	int r;

	if (f->file[i].fd < 0)
		f->file[i].fd = openat(f->dir_fd, names[i], O_RDONLY | O_CLOEXEC);
	if (f->file[i].fd < 0)
		return errno == ENOENT ? 0 : -errno;
	for (;;) {
		if (f->file[i].cap - f->file[i].len < 4096) {
			size_t cap = f->file[i].cap ? f->file[i].cap * 2 : 65536;
			char *more = cap <= LINE_LIMIT * 2 ? realloc(f->file[i].part, cap) : NULL;

			if (!more)
				return -ENOMEM;
			f->file[i].part = more;
			f->file[i].cap = cap;
		}
		n = read(f->file[i].fd, f->file[i].part + f->file[i].len,
			 f->file[i].cap - f->file[i].len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		f->file[i].len += (size_t)n;
		r = feed_lines(f, i, m);
		if (r < 0)
			return r;
	}
}

int feed_read(struct feed *f, struct model *m)
{
	int r = 0;

	for (int i = 0; i < FEED_FILES && r == 0; i++)
		r = feed_file(f, i, m);
	return r;
}
