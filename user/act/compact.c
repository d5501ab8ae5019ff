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
