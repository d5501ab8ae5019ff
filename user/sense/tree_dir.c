// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories of groups by their id. kernfs hands out file handles that hold
 * nothing but the id, so a group that took over an old path is never mistaken
 * for the one that was there. It needs CAP_DAC_READ_SEARCH; without, the path
 * is walked and the inode compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/kernel.h"
#include "sense/tree_internal.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

union kernfs_handle {
	struct file_handle h;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static bool same_id(int fd, uint64_t id)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_ino == id;
}

static int open_handle(const struct tree *t, uint64_t id)
{
	_cleanup_close_ int fd = kernel_open_cgroup(t->root_fd, id, O_RDONLY);

	if (fd < 0)
		return fd;
	if (!same_id(fd, id))
		return -ESTALE;
	return TAKE_FD(fd);
}

/* A vanished component is a vanished group. */
static int open_walk(const struct tree *t, const char *path)
{
	_cleanup_close_ int fd = openat(t->root_fd, ".", OPEN_DIR);

	if (fd < 0)
		return -errno;
	while (*(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");
		char name[NAME_MAX + 1];
		int next;

		if (n >= sizeof(name))
			return -ESTALE;
		memcpy(name, path, n);
		name[n] = '\0';
		if (!strcmp(name, "..") || !strcmp(name, "."))
			return -ESTALE;
		next = openat(fd, name, OPEN_DIR);
		if (next < 0)
			return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno
										     : -ESTALE;
		close(fd);
		fd = next;
		path += n;
	}
	return TAKE_FD(fd);
}

int dir_open(const struct tree *t, uint64_t id, const char *path)
{
	_cleanup_close_ int fd = -1;

	if (t->by_handle) {
		int by_id = open_handle(t, id);

		if (by_id != -EPERM)
			return by_id;
	}
	if (!path)
		return -ESTALE;
	fd = open_walk(t, path);
	if (fd < 0)
		return fd;
	if (!same_id(fd, id))
		return -ESTALE;
	return TAKE_FD(fd);
}

static int fd_path(int fd, char buf[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, PATH_MAX);
	if (n < 0)
		return -errno;
	if (n == PATH_MAX)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}

/* Removed meanwhile: the path ends in " (deleted)", which a group may also be called. */
static bool path_is_of(const struct tree *t, const char *path, uint64_t id)
{
	_cleanup_close_ int fd = open_walk(t, path);

	return fd >= 0 && same_id(fd, id);
}

static int path_by_handle(const struct tree *t, uint64_t id, char **ret)
{
	static const char deleted[] = " (deleted)";
	_cleanup_close_ int fd = open_handle(t, id);
	size_t root = strlen(t->root_path), len;
	char buf[PATH_MAX];
	char *path;
	int err;

	if (fd < 0)
		return fd;
	err = fd_path(fd, buf);
	if (err)
		return err;
	if (strncmp(buf, t->root_path, root) || (buf[root] && buf[root] != '/'))
		return -EXDEV;
	len = strlen(buf);
	if (len >= strlen(deleted) && !strcmp(buf + len - strlen(deleted), deleted) &&
	    !path_is_of(t, buf + root, id))
		return -ESTALE;
	path = strdup(buf + root);
	if (!path)
		return -ENOMEM;
	*ret = path;
	return 0;
}

/* The entry of the parent's directory that has this inode. */
static int path_by_walk(const struct tree *t, const struct group *g, char **ret)
{
	const char *above = g->parent == t->root_id ? "" : NULL;
	_cleanup_close_ int fd = -1;
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;

	if (!above && g->up) {
		int err = g->up->path ? 0 : dir_path(t, g->up, &g->up->path);

		if (err)
			return err;
		above = g->up->path;
	}
	if (!above)
		return -ESTALE;
	fd = open_walk(t, above);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	fd = -1;
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((e = readdir(dir))) {
		char *path;

		if (e->d_ino != g->id || e->d_name[0] == '\0' || !strcmp(e->d_name, ".") ||
		    !strcmp(e->d_name, ".."))
			continue;
		if (asprintf(&path, "%s/%s", above, e->d_name) < 0)
			return -ENOMEM;
		*ret = path;
		return 0;
	}
	return -ESTALE;
}

int dir_path(const struct tree *t, const struct group *g, char **ret)
{
	if (g->id == t->root_id) {
		char *path = strdup("");

		if (!path)
			return -ENOMEM;
		*ret = path;
		return 0;
	}
	if (t->by_handle) {
		int err = path_by_handle(t, g->id, ret);

		if (err != -EPERM)
			return err;
	}
	return path_by_walk(t, g, ret);
}

/* kernfs, and the capability to open by handle, and a /proc to ask for paths? */
static bool handles_work(struct tree *t)
{
	union kernfs_handle u = { .h = { .handle_bytes = MAX_HANDLE_SZ } };
	_cleanup_close_ int fd = -1;
	char buf[PATH_MAX];
	uint64_t id;
	int mount_id;

	if (name_to_handle_at(t->root_fd, "", &u.h, &mount_id, AT_EMPTY_PATH) < 0)
		return false;
	if (u.h.handle_type != KERNFS_HANDLE || u.h.handle_bytes != sizeof(id))
		return false;
	memcpy(&id, u.h.f_handle, sizeof(id));
	fd = open_handle(t, id);
	return fd >= 0 && id == t->root_id && !fd_path(fd, buf) && !strcmp(buf, t->root_path);
}

int dir_open_root(struct tree *t, const char *cgroup_root)
{
	char buf[PATH_MAX];
	struct stat st;

	t->root_fd = open(cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->root_fd < 0 || fstat(t->root_fd, &st) < 0)
		return -errno;
	t->root_id = st.st_ino;
	t->root_path = strdup(fd_path(t->root_fd, buf) ? cgroup_root : buf);
	if (!t->root_path)
		return -ENOMEM;
	if (!strcmp(t->root_path, "/"))
		*t->root_path = '\0';
	t->by_handle = handles_work(t);
	return 0;
}

/* The line "0::/PATH" of /proc/self/cgroup. */
uint64_t dir_own_group(const struct tree *t)
{
	char text[8192];
	ssize_t n = read_file_at(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
	_cleanup_close_ int fd = -1;
	struct stat st;
	char *line, *end;

	if (n < 0)
		return 0;
	line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	if (!line)
		return 0;
	line = strchr(line, '/');
	if (!line)
		return 0;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	fd = open_walk(t, line);
	return fd >= 0 && !fstat(fd, &st) ? st.st_ino : 0;
}

bool dir_has_processes(const struct tree *t, const struct group *g)
{
	_cleanup_close_ int fd = dir_open(t, g->id, g->path);
	char text[64];
	ssize_t n = fd < 0 ? fd : read_file_at(fd, "cgroup.procs", text, sizeof(text));

	return n > 0 || n == -EFBIG;
}

uint64_t dir_limit(const struct tree *t, const struct group *g)
{
	_cleanup_close_ int fd = dir_open(t, g->id, g->path);
	uint64_t limit;

	return fd < 0 || read_u64_at(fd, "memory.max", &limit) ? UINT64_MAX : limit;
}

bool dir_has_dying(const struct tree *t, const struct group *g)
{
	_cleanup_close_ int fd = dir_open(t, g->id, g->path);
	char text[1024];
	uint64_t dying;

	if (fd < 0)
		return false;
	if (read_file_at(fd, "cgroup.stat", text, sizeof(text)) < 0 ||
	    !find_key(text, "nr_dying_descendants", &dying))
		return true;
	return dying > 0;
}
