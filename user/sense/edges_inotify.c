// SPDX-License-Identifier: GPL-2.0-only
#include "sense/edges_inotify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* Each costs two watches; a kernel lets a user have 8,192 at the least. */
#define DEFAULT_MAX_GROUPS 2048

struct watch {
	uint64_t id;
	int dir, events; /* watch descriptors, -1: none */
	bool seen;
};

struct edges_inotify {
	int fd;
	size_t max_groups;
	struct watch *watches; /* sorted by id */
	size_t nr, room;
	size_t unwatched;
};

int edges_inotify_open(struct edges_inotify **ret, size_t max_groups)
{
	struct edges_inotify *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->max_groups = max_groups ? max_groups : DEFAULT_MAX_GROUPS;
	e->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (e->fd < 0) {
		free(e);
		return -errno;
	}
	*ret = e;
	return 0;
}

void edges_inotify_close(struct edges_inotify *e)
{
	if (!e)
		return;
	close(e->fd);
	free(e->watches);
	free(e);
}

int edges_inotify_fd(const struct edges_inotify *e)
{
	return e->fd;
}

size_t edges_inotify_unwatched(const struct edges_inotify *e)
{
	return e->unwatched;
}

/* --- which groups are watched ------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct watch *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct watch *find(const struct edges_inotify *e, size_t nr, uint64_t id)
{
	struct watch key = { .id = id };

	return nr ? bsearch(&key, e->watches, nr, sizeof(key), compare) : NULL;
}

static int start(struct edges_inotify *e, int dirfd, struct watch *w)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd);
	w->dir = inotify_add_watch(e->fd, path, IN_CREATE | IN_DELETE | IN_ONLYDIR);
	if (w->dir < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/cgroup.events", dirfd);
	w->events = inotify_add_watch(e->fd, path, IN_MODIFY);
	/* The root has none, and always has processes. */
	return w->events < 0 && errno != ENOENT ? -errno : 0;
}

static void stop(struct edges_inotify *e, const struct watch *w)
{
	/* kernfs keeps the link count of a removed directory: its watch does not end by itself. */
	if (w->dir >= 0)
		inotify_rm_watch(e->fd, w->dir);
	if (w->events >= 0)
		inotify_rm_watch(e->fd, w->events);
}

static void forget_gone(struct edges_inotify *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->nr; i++) {
		struct watch *w = &e->watches[i];

		if (!w->seen) {
			stop(e, w);
			continue;
		}
		w->seen = false;
		e->watches[kept++] = *w;
	}
	e->nr = kept;
}

static int make_room(struct edges_inotify *e, size_t need)
{
	struct watch *grown;

	need = need < e->max_groups ? need : e->max_groups;
	if (need <= e->room)
		return 0;
	grown = reallocarray(e->watches, need, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	e->watches = grown;
	e->room = need;
	return 0;
}

static void add(struct edges_inotify *e, uint64_t id, int (*open_dir)(void *arg, uint64_t id),
		void *arg)
{
	struct watch w = { .id = id, .dir = -1, .events = -1 };
	_cleanup_close_ int dirfd = -1;

	if (e->nr == e->max_groups) {
		e->unwatched++;
		return;
	}
	dirfd = open_dir(arg, id);
	if (dirfd < 0) /* gone again, or the census will say what there is */
		return;
	if (start(e, dirfd, &w)) {
		stop(e, &w);
		e->unwatched++;
		return;
	}
	e->watches[e->nr++] = w;
}

int edges_inotify_follow(struct edges_inotify *e, const struct ebb_census *recs, size_t n,
			 int (*open_dir)(void *arg, uint64_t id), void *arg)
{
	size_t known;
	int r = make_room(e, n);

	if (r)
		return r;
	e->unwatched = 0;
	for (size_t i = 0; i < n; i++) {
		struct watch *w = find(e, e->nr, recs[i].cgroup);

		if (w)
			w->seen = true;
	}
	forget_gone(e);
	known = e->nr;
	for (size_t i = 0; i < n; i++)
		/* A further node's record is of the same group. */
		if (!recs[i].node && !find(e, known, recs[i].cgroup))
			add(e, recs[i].cgroup, open_dir, arg);
	if (e->nr > known)
		qsort(e->watches, e->nr, sizeof(*e->watches), compare);
	return (int)(e->nr - known);
}

/* --- what happened -------------------------------------------------------------------------- */

static bool is_edge(const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	if (event->mask & (IN_CREATE | IN_DELETE))
		return event->mask & IN_ISDIR;
	return event->mask & IN_MODIFY;
}

unsigned int edges_inotify_count(const void *buf, size_t len)
{
	struct inotify_event event;
	const char *at = buf;
	unsigned int n = 0;

	while (len >= sizeof(event)) {
		size_t size;

		memcpy(&event, at, sizeof(event));
		size = sizeof(event) + event.len;
		if (size > len)
			break;
		n += is_edge(&event);
		at += size;
		len -= size;
	}
	return n;
}

int edges_inotify_read(struct edges_inotify *e)
{
	/* Bounded: what is left makes the descriptor readable again. */
	char buf[8192];
	ssize_t n = read(e->fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return (int)edges_inotify_count(buf, n);
}
