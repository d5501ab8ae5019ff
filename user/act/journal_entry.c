// SPDX-License-Identifier: GPL-2.0-only
/* The file, of the kernel or of a cgroup, that an entry stands for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "act/journal_int.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/kernel.h"

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
	if (file)
		return AT_FDCWD;
	/* -EOPNOTSUPP, which is not "gone" */
	return j->cgroup_root < 0 ? -EOPNOTSUPP
				  : kernel_open_cgroup(j->cgroup_root, e->cgroup, O_PATH);
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
