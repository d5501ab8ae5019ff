// SPDX-License-Identifier: GPL-2.0-only
/* The generations of some cgroups, from debugfs and back to it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frames.h"

#define LRU_GEN "/sys/kernel/debug/lru_gen"
#define CGROUPS "/sys/fs/cgroup"

static struct lru *lru_add(struct lrus *l, uint64_t id, uint64_t inode)
{
	if (l->nr == l->max) {
		size_t max = l->max ? 2 * l->max : 16;
		struct lru *p = reallocarray(l->list, max, sizeof(*p));

		if (!p)
			return NULL;
		l->list = p;
		l->max = max;
	}
	l->list[l->nr] = (struct lru){ .id = id, .inode = inode, .min_seq = UINT64_MAX };
	return &l->list[l->nr++];
}

static bool is_inside(const char *group, const char *path)
{
	size_t len = strlen(path);

	return !strncmp(group, path, len) && (!group[len] || group[len] == '/');
}

/* " SEQ AGE_MS ANON FILE" */
static void add_row(struct lru *lru, const char *line)
{
	unsigned long seq, age, anon, file;

	if (sscanf(line, "%lu %lu %lu %lu", &seq, &age, &anon, &file) != 4)
		return;
	if (seq < lru->min_seq)
		lru->min_seq = seq;
	lru->max_seq = seq;
	lru->pages[seq % 4] = anon + file;
}

int lrus_read(struct lrus *l, const char *path)
{
	FILE *f = fopen(LRU_GEN, "re");
	struct lru *lru = NULL;
	char line[4096], group[2048], full[2100];
	unsigned long id;
	struct stat st;

	l->nr = 0;
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "memcg %lu %2047s", &id, group) != 2) {
			if (lru && !strstr(line, "node"))
				add_row(lru, line);
			continue;
		}
		lru = NULL;
		snprintf(full, sizeof(full), CGROUPS "%s", group);
		if (!is_inside(group, path) || stat(full, &st))
			continue;
		lru = lru_add(l, id, st.st_ino);
		if (!lru) {
			fclose(f);
			return -ENOMEM;
		}
		/* From 7.x on it is the cgroup's own id, and force is gone. */
		l->force = id != st.st_ino;
	}
	fclose(f);
	return 0;
}

int lrus_age(const struct lrus *l)
{
	int fd = open(LRU_GEN, O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < l->nr; i++) {
		char text[96];
		int len = snprintf(text, sizeof(text), "+ %lu 0 %lu 200%s",
				   (unsigned long)l->list[i].id, (unsigned long)l->list[i].max_seq,
				   l->force ? " 1" : "");

		if (write(fd, text, (size_t)len) < 0 && errno != EINVAL)
			r = -errno;
	}
	close(fd);
	return r;
}
