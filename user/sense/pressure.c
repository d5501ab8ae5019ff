// SPDX-License-Identifier: GPL-2.0-only
#include "sense/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define DEFAULT_MAX 1024
#define DEFAULT_STALL_US 50000
#define DEFAULT_WINDOW_US 1000000
/* Without CAP_SYS_RESOURCE the window must be a multiple of this (kernel/sched/psi.c, 6.5). */
#define PLAIN_WINDOW_US 2000000

struct watch {
	uv_poll_t poll;
	struct pressure *owner;
	uint64_t id;
	int fd;
};

struct pressure {
	uv_loop_t *loop;
	size_t max;
	uint32_t stall_us;
	uint32_t window_us;
	pressure_cb cb; /* NULL: closing */
	void *arg;
	struct watch **watches; /* sorted by id */
	size_t nr, room;
	size_t handles; /* that the loop still has */
};

static void release(struct pressure *p)
{
	if (p->cb || p->handles)
		return;
	free(p->watches);
	free(p);
}

static void on_closed(uv_handle_t *handle)
{
	struct watch *w = handle->data;
	struct pressure *p = w->owner;

	/* Only now may the number of the descriptor come to mean something else to epoll. */
	close(w->fd);
	free(w);
	p->handles--;
	release(p);
}

static size_t slot(const struct pressure *p, uint64_t id)
{
	size_t low = 0, high = p->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->watches[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool found(const struct pressure *p, size_t i, uint64_t id)
{
	return i < p->nr && p->watches[i]->id == id;
}

static void end_watch(struct pressure *p, size_t i)
{
	struct watch *w = p->watches[i];

	memmove(p->watches + i, p->watches + i + 1, (p->nr - i - 1) * sizeof(*p->watches));
	p->nr--;
	uv_close((uv_handle_t *)&w->poll, on_closed);
}

/*
 * The poll of a removed group answers POLLERR and POLLPRI for ever, and
 * libuv reports the latter only: without a look it would be called in a busy loop.
 */
static bool is_dead(const struct watch *w)
{
	struct pollfd pfd = { .fd = w->fd, .events = POLLPRI };

	return poll(&pfd, 1, 0) > 0 && (pfd.revents & (POLLERR | POLLNVAL));
}

/*
 * The trigger counts by itself. The totals that everybody else reads are brought up to date every
 * 2 s, or when somebody reads the file (psi_show()): without this the census, which reads them from
 * the kernel's memory, would not have the stall that it is called for.
 */
static void freshen(const struct watch *w)
{
	char text[256];

	lseek(w->fd, 0, SEEK_SET);
	if (read(w->fd, text, sizeof(text)) < 0)
		return; /* then they are up to 2 s old */
}

static void on_event(uv_poll_t *handle, int status, int events)
{
	struct watch *w = handle->data;
	struct pressure *p = w->owner;
	uint64_t id = w->id;

	if (status < 0 || is_dead(w)) {
		pressure_forget(p, id);
		return;
	}
	if (!(events & UV_PRIORITIZED) || !p->cb)
		return;
	freshen(w);
	p->cb(p->arg, id);
}

static int write_trigger(int fd, uint64_t stall_us, uint32_t window_us)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "some %u %u", (unsigned int)stall_us, window_us);

	/* With its NUL: psi_write() puts one over the last byte that it is given. */
	return write(fd, text, n + 1) < 0 ? -errno : 0;
}

/* One descriptor carries one trigger, and its close ends it. */
static int open_trigger(const struct pressure *p, int dir_fd, uint32_t window_us)
{
	_cleanup_close_ int fd =
		openat(dir_fd, "memory.pressure", O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = write_trigger(fd, (uint64_t)p->stall_us * window_us / p->window_us, window_us);
	return err ? err : TAKE_FD(fd);
}

static int start_watch(struct pressure *p, uint64_t id, int fd, struct watch **ret)
{
	_cleanup_free_ struct watch *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->owner = p;
	w->id = id;
	w->fd = fd;
	err = uv_poll_init(p->loop, &w->poll, fd);
	if (err)
		return err; /* libuv's errors are negative errnos here */
	w->poll.data = w;
	p->handles++;
	*ret = TAKE_PTR(w);
	return 0;
}

static int make_room(struct pressure *p)
{
	size_t want = p->room ? 2 * p->room : 64;
	struct watch **grown;

	if (p->nr < p->room)
		return 0;
	grown = reallocarray(p->watches, want, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->watches = grown;
	p->room = want;
	return 0;
}

int pressure_watch(struct pressure *p, uint64_t id, int dir_fd)
{
	size_t i = slot(p, id);
	struct watch *w;
	int fd, err;

	if (found(p, i, id))
		return 0;
	if (p->nr >= p->max)
		return -ENOSPC;
	err = make_room(p);
	if (err)
		return err;
	fd = open_trigger(p, dir_fd, p->window_us);
	if ((fd == -EINVAL || fd == -EPERM) && p->window_us % PLAIN_WINDOW_US)
		fd = open_trigger(p, dir_fd, PLAIN_WINDOW_US);
	if (fd < 0)
		return fd;
	err = start_watch(p, id, fd, &w);
	if (err) {
		close(fd);
		return err;
	}
	memmove(p->watches + i + 1, p->watches + i, (p->nr - i) * sizeof(*p->watches));
	p->watches[i] = w;
	p->nr++;
	err = uv_poll_start(&w->poll, UV_PRIORITIZED, on_event);
	if (err)
		end_watch(p, i);
	return err;
}

void pressure_forget(struct pressure *p, uint64_t id)
{
	size_t i = slot(p, id);

	if (found(p, i, id))
		end_watch(p, i);
}

size_t pressure_watched(const struct pressure *p)
{
	return p->nr;
}

int pressure_open(struct pressure **ret, const struct pressure_options *options)
{
	struct pressure *p;

	if (!options->cb)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->loop = options->loop;
	p->max = options->max ? options->max : DEFAULT_MAX;
	p->stall_us = options->stall_us ? options->stall_us : DEFAULT_STALL_US;
	p->window_us = options->window_us ? options->window_us : DEFAULT_WINDOW_US;
	p->cb = options->cb;
	p->arg = options->arg;
	*ret = p;
	return 0;
}

void pressure_close(struct pressure *p)
{
	if (!p)
		return;
	while (p->nr)
		end_watch(p, p->nr - 1);
	p->cb = NULL;
	release(p);
}
