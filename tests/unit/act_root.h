/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory that stands for /, with files as the kernel has them. For the tests of acting. */
#ifndef EBB_TESTS_ACT_ROOT_H
#define EBB_TESTS_ACT_ROOT_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/journal.h"

#define BOOT_ID "11111111-2222-3333-4444-555555555555"
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"

struct root {
	char path[64];
	char state[96]; /* a state directory */
};

static inline void root_path(const struct root *r, const char *path, char full[512])
{
	snprintf(full, 512, "%s%s", r->path, path);
}

static inline void root_put(const struct root *r, const char *path, const char *text)
{
	char full[512];
	FILE *f;

	root_path(r, path, full);
	for (char *p = full + strlen(r->path) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(!mkdir(full, 0755) || errno == EEXIST);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Its text, in a buffer that the next call reuses. */
static inline const char *root_get(const struct root *r, const char *path)
{
	static char text[1 << 16];
	char full[512];
	ssize_t n;
	int fd;

	root_path(r, path, full);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	close(fd);
	text[n] = '\0';
	return text;
}

static inline int root_dir(const struct root *r, const char *path)
{
	char full[512];
	int fd;

	root_path(r, path, full);
	mkdir(full, 0755);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline int root_make(struct root *r)
{
	snprintf(r->path, sizeof(r->path), "/tmp/ebb-act.XXXXXX");
	if (!mkdtemp(r->path))
		return -1;
	snprintf(r->state, sizeof(r->state), "%s/state", r->path);
	root_put(r, BOOT_FILE, BOOT_ID "\n");
	return 0;
}

static inline int root_journal(const struct root *r, struct journal **ret)
{
	struct journal_opts o = { .cgroup_root = -1, .state_dir = r->state, .root = r->path };

	return journal_open(ret, &o);
}

static inline int root_unlink(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static inline void root_remove(struct root *r)
{
	assert_int_equal(nftw(r->path, root_unlink, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void root_sleep_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000l }, NULL);
}

#endif /* EBB_TESTS_ACT_ROOT_H */
