// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "act/compact.h"
#include "act/pool.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define ALL "/proc/sys/vm/compact_memory"
#define NODES "/sys/devices/system/node"

bool compact_possible(const char *root)
{
	char path[256];

	snprintf(path, sizeof(path), "%s" ALL, root);
	return !access(path, W_OK);
}

void compact_budget_init(struct compact_budget *b, uint32_t ppm, uint64_t now_ms)
{
	b->ppm = ppm ?: COMPACT_BUDGET_PPM;
	b->credit_us = COMPACT_SAVED_US;
	b->seen_ms = now_ms;
}

static void earn(struct compact_budget *b, uint64_t now_ms)
{
	uint64_t passed = now_ms > b->seen_ms ? now_ms - b->seen_ms : 0;
	const uint64_t day = 86400000;

	b->credit_us += (passed < day ? passed : day) * b->ppm / 1000;
	if (b->credit_us > COMPACT_SAVED_US)
		b->credit_us = COMPACT_SAVED_US;
	b->seen_ms = now_ms;
}

void compact_budget_spend(struct compact_budget *b, uint64_t now_ms, uint64_t cpu_us)
{
	earn(b, now_ms);
	b->credit_us -= (int64_t)cpu_us;
}

uint64_t compact_budget_next(struct compact_budget *b, uint64_t now_ms)
{
	earn(b, now_ms);
	return b->credit_us > 0 ? now_ms : now_ms + 1 + (uint64_t)-b->credit_us * 1000 / b->ppm;
}

/* -ENOENT: no node has a file. */
static int run_nodes(struct compact *c)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;
	char path[256];
	int done = 0;

	snprintf(path, sizeof(path), "%s" NODES, c->root);
	d = opendir(path);
	if (!d)
		return -errno;
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((e = readdir(d))) {
		unsigned int node;
		char file[sizeof("node4294967295/compact")], tail;
		int r;

		if (sscanf(e->d_name, "node%u%c", &node, &tail) != 1)
			continue;
		if (atomic_load(c->stop) || pool_now_us() >= c->deadline_us) {
			c->timed_out = true;
			return 0;
		}
		snprintf(file, sizeof(file), "node%u/compact", node);
		r = write_file_at(dirfd(d), file, "1");
		if (r && r != -ENOENT && r != -EINTR)
			return r;
		done += r != -ENOENT;
	}
	return done ? 0 : -ENOENT;
}

void compact_run(struct compact *c)
{
	char path[256];
	int r;

	c->timed_out = false;
	r = run_nodes(c);
	if (r == -ENOENT) {
		snprintf(path, sizeof(path), "%s" ALL, c->root);
		r = write_file_at(AT_FDCWD, path, "1");
	}
	c->error = r == -EINTR ? 0 : r;
	c->timed_out |= pool_now_us() > c->deadline_us;
}
