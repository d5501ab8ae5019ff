// SPDX-License-Identifier: GPL-2.0-only
/* The journal on disk: appended to, and rewritten when it is opened or grows long. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "act/journal_int.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define NAME "journal"
#define REWRITE_BYTES (256u << 10)

struct journal_slot *journal_slot_find(struct journal *j, uint64_t seq)
{
	for (size_t i = 0; i < j->nr; i++)
		if (j->slots[i].e.seq == seq)
			return &j->slots[i];
	return NULL;
}

struct journal_slot *journal_slot_add(struct journal *j, const struct journal_entry *e)
{
	if (j->nr == JOURNAL_MAX_ENTRIES)
		return NULL;
	if (j->nr == j->room) {
		size_t room = j->room ? j->room * 2 : 8;
		void *p = reallocarray(j->slots, room, sizeof(*j->slots));

		if (!p)
			return NULL;
		j->slots = p;
		j->room = room;
	}
	j->slots[j->nr] = (struct journal_slot){ .e = *e };
	if (e->seq > j->last_seq)
		j->last_seq = e->seq;
	return &j->slots[j->nr++];
}

void journal_slot_remove(struct journal *j, struct journal_slot *slot)
{
	size_t i = slot - j->slots;

	memmove(slot, slot + 1, (j->nr - i - 1) * sizeof(*slot));
	if (--j->nr == 0) { /* a fence over thousands of groups is not kept in memory */
		free(j->slots);
		j->slots = NULL;
		j->room = 0;
	}
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= n;
	}
	return 0;
}

/*
 * At the end of what is whole, wherever a write before it stopped: behind a torn
 * line the next one would be lost with it.
 */
static int append_text(struct journal *j, const char *buf, size_t len)
{
	int r = lseek(j->fd, (off_t)j->bytes, SEEK_SET) < 0 ? -errno : write_all(j->fd, buf, len);

	if (!r)
		j->bytes += len;
	else if (ftruncate(j->fd, (off_t)j->bytes))
		return r; /* what is there has no newline, or is written over */
	return r;
}

/* The lines of entries, in one buffer that the caller frees. */
static int format_all(const struct journal_entry *entries, size_t nr, size_t stride, char **ret,
		      size_t *ret_len)
{
	_cleanup_free_ char *buf = NULL;
	size_t len = 0, room = 0;

	for (size_t i = 0; i < nr; i++) {
		const void *e = (const char *)entries + i * stride;
		char line[JOURNAL_LINE_LEN];
		int n = journal_format_line(line, e, false);

		if (n < 0)
			return n;
		if (!buf || len + n > room) {
			char *p = realloc(buf, room = (len + n) * 2);

			if (!p)
				return -ENOMEM;
			buf = p;
		}
		memcpy(buf + len, line, n);
		len += n;
	}
	*ret = TAKE_PTR(buf);
	*ret_len = len;
	return 0;
}

/* A new file with what lives, put in place by a rename. */
static int rewrite(struct journal *j)
{
	_cleanup_free_ char *lines = NULL;
	_cleanup_close_ int fd = -1;
	char header[64];
	size_t len = 0;
	int r, n;

	if (j->nr) {
		r = format_all(&j->slots[0].e, j->nr, sizeof(j->slots[0]), &lines, &len);
		if (r)
			return r;
	}
	fd = openat(j->dir, NAME ".new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	n = snprintf(header, sizeof(header), "ebb-journal 1 %s\n", j->boot_id);
	r = write_all(fd, header, n);
	r = r ?: write_all(fd, lines, len);
	if (!r && (fsync(fd) || renameat(j->dir, NAME ".new", j->dir, NAME)))
		r = -errno;
	if (r)
		return r;
	/* From here on the old file is nobody's, whether this can be synced or not. */
	fsync(j->dir);
	if (j->fd >= 0)
		close(j->fd);
	j->fd = TAKE_FD(fd);
	j->bytes = n + len;
	return 0;
}

static int append(struct journal *j, const struct journal_entry *entries, size_t nr, bool sync)
{
	_cleanup_free_ char *lines = NULL;
	size_t len;
	int r;

	if (j->read_only)
		return -EROFS;
	if (j->bytes > REWRITE_BYTES && j->bytes > 1024 * (uint64_t)j->nr) {
		r = rewrite(j);
		if (r)
			return r;
	}
	r = format_all(entries, nr, sizeof(*entries), &lines, &len);
	if (r)
		return r;
	if (j->bytes + len > JOURNAL_MAX_BYTES)
		return -ENOSPC;
	r = append_text(j, lines, len);
	if (!r && sync && fdatasync(j->fd)) {
		r = -errno;
		j->bytes -= len; /* the next one takes its place */
	}
	return r;
}

int journal_store_append(struct journal *j, const struct journal_entry *entries, size_t nr)
{
	return append(j, entries, nr, true);
}

int journal_store_note(struct journal *j, const struct journal_entry *e)
{
	return append(j, e, 1, false);
}

void journal_store_remove(struct journal *j, uint64_t seq)
{
	struct journal_entry e = { .seq = seq };
	char line[JOURNAL_LINE_LEN];
	int n;

	if (j->read_only)
		return;
	n = journal_format_line(line, &e, true);
	/* Not synced: after a crash of the machine the boot id says that all is void anyway. */
	if (n > 0)
		append_text(j, line, n);
}

/* --- loading --------------------------------------------------------------- */

static void load_line(struct journal *j, const char *line, size_t len)
{
	struct journal_slot *slot;
	struct journal_entry e;
	bool removed;

	if (journal_parse_line(line, len, &e, &removed)) {
		j->loaded.damaged++;
		return;
	}
	slot = journal_slot_find(j, e.seq);
	if (removed) {
		if (slot)
			journal_slot_remove(j, slot);
	} else if (slot || e.seq <= j->last_seq) {
		j->loaded.damaged++; /* seqs rise */
	} else {
		slot = journal_slot_add(j, &e);
		if (slot)
			slot->inherited = true;
		else
			j->loaded.damaged++;
	}
}

/* 0, or -EINVAL when this is no journal of ours. */
static int load_text(struct journal *j, const char *text, size_t len)
{
	const char *end = text + len, *line = text, *stop;
	char boot_id[sizeof(j->boot_id)];
	bool first = true, expired = false;

	for (; line < end; line = stop + 1) {
		stop = memchr(line, '\n', end - line);
		if (!stop) { /* torn: the entry was not synced, so nothing was set */
			j->loaded.damaged++;
			break;
		}
		if (first) {
			if (journal_parse_header(line, stop - line, boot_id, sizeof(boot_id)))
				return -EINVAL;
			expired = strcmp(boot_id, j->boot_id);
			first = false;
			continue;
		}
		load_line(j, line, stop - line);
	}
	if (expired) {
		j->loaded.expired = j->nr;
		while (j->nr)
			journal_slot_remove(j, &j->slots[j->nr - 1]);
	}
	return first && len ? -EINVAL : 0;
}

static int load(struct journal *j)
{
	_cleanup_close_ int fd =
		openat(j->dir, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st))
		return -errno;
	r = S_ISREG(st.st_mode) && st.st_size <= JOURNAL_MAX_BYTES ? 0 : -EINVAL;
	if (!r) {
		text = malloc(st.st_size + 1);
		if (!text)
			return -ENOMEM;
		while (len < (size_t)st.st_size) {
			ssize_t n = read(fd, text + len, st.st_size - len);

			if (n < 0 && errno != EINTR)
				return -errno;
			if (n == 0)
				break;
			len += n > 0 ? n : 0;
		}
		r = load_text(j, text, len);
	}
	if (r == -EINVAL) {
		j->loaded.damaged++;
		if (!j->read_only && renameat(j->dir, NAME, j->dir, NAME ".bad"))
			return -errno;
		return 0;
	}
	return r;
}

static int open_dir(struct journal *j, const char *path)
{
	struct stat st;

	if (!j->read_only && mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	j->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir < 0)
		return -errno;
	if (fstat(j->dir, &st))
		return -errno;
	/* What is read here is written to the kernel as root. */
	if ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return 0;
}

int journal_store_open(struct journal *j, const char *state_dir)
{
	char path[512];
	int r = open_dir(j, state_dir);

	if (r == -ENOENT && j->read_only)
		return 0;
	if (r)
		return r;
	if ((size_t)snprintf(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id", j->root) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	r = read_line_at(AT_FDCWD, path, j->boot_id, sizeof(j->boot_id));
	if (r < 0)
		return r;
	if (j->read_only)
		return load(j);
	j->lock_fd = openat(j->dir, NAME ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (j->lock_fd < 0)
		return -errno;
	if (flock(j->lock_fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	r = load(j);
	return r ?: rewrite(j);
}

void journal_store_close(struct journal *j)
{
	const int fds[] = { j->fd, j->lock_fd, j->dir };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
