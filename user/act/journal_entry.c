// SPDX-License-Identifier: GPL-2.0-only
/* The file, of the kernel or of a cgroup, that an entry stands for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "act/journal_int.h"
#include "lib/cleanup.h"
#include "lib/files.h"

/* linux/exportfs.h, kernel-internal; the handle of kernfs is the 64-bit id (since 5.5). */
#define FILEID_KERNFS 0xfe

static int open_cgroup(const struct journal *j, uint64_t id)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = { .head = { .handle_bytes = sizeof(uint64_t), .handle_type = FILEID_KERNFS } };
	int fd;

	if (j->cgroup_root < 0)
		return -EOPNOTSUPP; /* which is not "gone" */
	memcpy(handle.head.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(j->cgroup_root, &handle.head, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool journal_is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV || r == -ESTALE;
}

/* dirfd to pass on with the name, or a negative errno; close it when >= 0. */
static int entry_open(const struct journal *j, const struct journal_entry *e, char *name,
		      size_t size)
{
	bool file = e->kind == JOURNAL_FILE;
	int n = snprintf(name, size, "%s%s", file ? j->root : "", e->target);

	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	return file ? AT_FDCWD : open_cgroup(j, e->cgroup);
}

static int entry_io(const struct journal *j, const struct journal_entry *e, char *ret_value,
		    const char *value)
{
	char name[512], text[1024];
	int dir = entry_open(j, e, name, sizeof(name));
	_cleanup_close_ int close_dir = dir;
	char *open, *close;
	ssize_t n;

	if (dir < 0 && dir != AT_FDCWD)
		return dir;
	if (value)
		return write_file_at(dir, name, value);
	if (!ret_value)
		return -EINVAL;
	n = read_line_at(dir, name, text, sizeof(text));
	if (n < 0)
		return n;
	/* A choice, "lzo [lz4] zstd": only the word can be put back. */
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close) {
		*close = '\0';
		memmove(text, open + 1, strlen(open));
	}
	if (strlen(text) >= JOURNAL_VALUE_LEN)
		return -EFBIG;
	memcpy(ret_value, text, strlen(text) + 1);
	return 0;
}

int journal_entry_read(const struct journal *j, const struct journal_entry *e,
		       char ret[JOURNAL_VALUE_LEN])
{
	return entry_io(j, e, ret, NULL);
}

int journal_entry_write(const struct journal *j, const struct journal_entry *e, const char *value)
{
	return entry_io(j, e, NULL, value);
}
