// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fault_loops.h"

#define PAGE 4096UL
#define ARENA (16UL << 20)
#define AROUND (16 * PAGE) /* fault_around_bytes: what one fault on a cached file maps */
#define FILE_ARENA (AROUND * ARENA / PAGE) /* as many faults a batch as the others */

const char *const loop_names[NR_LOOPS] = { "anon", "file", "cow" };

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

struct loops *loops_new(enum loop_kind kind, unsigned int threads)
{
	struct loops *l =
		mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (l == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	l->run = true;
	l->kind = kind;
	l->threads = threads;
	/* The first read of a page that is written later is a fault of its own, but for 16. */
	l->faults = ARENA / PAGE + (kind == LOOP_COW ? ARENA / AROUND : 0);
	return l;
}

/* A file without a name, all of it in the page cache. */
static int cached_file(size_t size)
{
	static char page[PAGE];
	int fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	for (size_t at = 0; fd >= 0 && at < size; at += PAGE)
		if (write(fd, page, PAGE) != (ssize_t)PAGE) {
			close(fd);
			return -EIO;
		}
	return fd < 0 ? -errno : fd;
}

static size_t size_of(enum loop_kind kind)
{
	return kind == LOOP_FILE ? FILE_ARENA : ARENA;
}

static volatile char *map_arena(enum loop_kind kind)
{
	int fd = kind == LOOP_ANON ? -1 : cached_file(size_of(kind));
	volatile char *p;

	if (kind != LOOP_ANON && fd < 0)
		return NULL;
	p = mmap(NULL, size_of(kind), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return NULL;
	madvise((void *)p, size_of(kind), MADV_NOHUGEPAGE);
	return p;
}

static void fault_once(enum loop_kind kind, volatile char *p)
{
	if (kind != LOOP_ANON)
		for (size_t i = 0; i < size_of(kind); i += AROUND)
			(void)p[i];
	if (kind != LOOP_FILE)
		for (size_t i = 0; i < size_of(kind); i += PAGE)
			p[i] = 1;
	madvise((void *)p, size_of(kind), MADV_DONTNEED);
}

struct thread {
	struct loops *loops;
	struct loop_lane *lane;
	volatile char *arena;
};

static void *thread_run(void *arg)
{
	struct thread *t = arg;
	struct loops *l = t->loops;

	while (l->run) {
		uint64_t begin = thread_cpu_ns();
		bool attached = l->attached;
		uint32_t at = t->lane->batches % LOOP_BATCHES;

		fault_once(l->kind, t->arena);
		t->lane->batch[at].ns = (double)(thread_cpu_ns() - begin) / l->faults;
		t->lane->batch[at].attached = attached == l->attached ? attached : 2;
		t->lane->batches++;
	}
	return NULL;
}

int64_t loops_run(void *arg)
{
	struct loops *l = arg;
	struct thread t[LOOP_THREADS_MAX] = { 0 };
	pthread_t second = 0;

	if (!l->threads || l->threads > LOOP_THREADS_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < l->threads; i++) {
		t[i] = (struct thread){ l, &l->lane[i], map_arena(l->kind) };
		if (!t[i].arena)
			return -ENOMEM;
	}
	if (l->threads > 1 && pthread_create(&second, NULL, thread_run, &t[1]))
		return -EAGAIN;
	thread_run(&t[0]);
	if (l->threads > 1)
		pthread_join(second, NULL);
	return 0;
}
