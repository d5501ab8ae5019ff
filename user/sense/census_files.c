// SPDX-License-Identifier: GPL-2.0-only
/*
 * The census with no BPF at all: the same records out of files, group by group. About 25 times as
 * dear as the iterator (docs/kernels.md).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "sense/census.h"

#define TEXT_SIZE 16384
#define MAX_DEPTH 64 /* the kernel has no limit of its own; a container might nest without end */

struct census_files {
	const struct kernel_facts *k;
	struct ebb_census *records;
	char **paths; /* of each record, for lru_gen */
	size_t nr, room;
	char text[TEXT_SIZE];
	char path[PATH_MAX]; /* of the group being read */
};

int census_files_open(struct census_files **ret, const struct kernel_facts *k)
{
	struct census_files *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->k = k;
	*ret = c;
	return 0;
}

static void forget(struct census_files *c)
{
	for (size_t i = 0; i < c->nr; i++)
		free(c->paths[i]);
	c->nr = 0;
}

void census_files_close(struct census_files *c)
{
	if (!c)
		return;
	forget(c);
	free(c->records);
	free(c->paths);
	free(c);
}

static int grow(struct census_files *c)
{
	size_t room = c->room ? c->room * 2 : 64;
	struct ebb_census *records;
	char **paths;

	if (c->nr < c->room)
		return 0;
	records = reallocarray(c->records, room, sizeof(*records));
	if (!records)
		return -ENOMEM;
	c->records = records;
	paths = reallocarray(c->paths, room, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	c->paths = paths;
	c->room = room;
	return 0;
}

static uint64_t key_value(const struct census_files *c, const char *key)
{
	uint64_t v = 0;

	find_key(c->text, key, &v);
	return v;
}

static void read_stats(struct census_files *c, int dir, struct ebb_census *rec)
{
	bool v1 = c->k->v1;

	if (read_file_at(dir, "memory.stat", c->text, sizeof(c->text)) <= 0)
		return;
	rec->anon = key_value(c, v1 ? "total_rss" : "anon");
	rec->anon_thp = key_value(c, v1 ? "total_rss_huge" : "anon_thp");
	rec->file = key_value(c, v1 ? "total_cache" : "file");
	rec->file_mapped = key_value(c, v1 ? "total_mapped_file" : "file_mapped");
	rec->shmem = key_value(c, v1 ? "total_shmem" : "shmem");
	rec->slab = key_value(c, "slab_reclaimable") + key_value(c, "slab_unreclaimable");
	rec->zswap = key_value(c, "zswap");
	rec->refault_anon =
		key_value(c, v1 ? "total_workingset_refault_anon" : "workingset_refault_anon");
	rec->refault_file =
		key_value(c, v1 ? "total_workingset_refault_file" : "workingset_refault_file");
	rec->pgscan = key_value(c, "pgscan");
	rec->pgsteal = key_value(c, "pgsteal");
	rec->pgfault = key_value(c, v1 ? "total_pgfault" : "pgfault");
	rec->pgmajfault = key_value(c, v1 ? "total_pgmajfault" : "pgmajfault");
	if (v1)
		rec->swap = key_value(c, "total_swap");
	rec->flags |= EBB_CENSUS_STATS;
}

static void read_pressures(struct census_files *c, int dir, struct ebb_census *rec)
{
	if (!c->k->psi || !rec->level ||
	    read_file_at(dir, "memory.pressure", c->text, sizeof(c->text)) <= 0)
		return;
	parse_pressure(c->text, &rec->psi_mem_some, &rec->psi_mem_full);
	rec->flags |= EBB_CENSUS_PSI;
	/* Not there where the kernel accounts no I/O. */
	if (read_file_at(dir, "io.pressure", c->text, sizeof(c->text)) > 0)
		parse_pressure(c->text, &rec->psi_io_some, &rec->psi_io_full);
}

static bool is_populated(struct census_files *c, int dir)
{
	const char *file = c->k->v1 ? "cgroup.procs" : "cgroup.events";
	ssize_t n = read_file_at(dir, file, c->text, sizeof(c->text));

	/* v1 tells of the group alone: walk() adds those below. The root has no such file. */
	if (n == -ENOENT)
		return true;
	return c->k->v1 ? n > 0 || n == -EFBIG : n > 0 && key_value(c, "populated") == 1;
}

/* Of ours, which says nothing of the group: it must not seem to be gone. */
static bool is_shortage(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

/* 1: a record was added, the last; 0: the group is gone, or memory is not controlled here. */
static int read_group(struct census_files *c, int dir, uint64_t parent, unsigned int level)
{
	struct ebb_census *rec;
	uint64_t usage = 0, swap;
	bool has_usage;
	struct stat st;
	int r;

	r = read_u64_at(dir, c->k->v1 ? "memory.usage_in_bytes" : "memory.current", &usage);
	if (is_shortage(r))
		return r;
	has_usage = !r;
	if (!has_usage && level)
		return 0;
	if (fstat(dir, &st))
		return 0;
	r = grow(c);
	if (r)
		return r;
	c->paths[c->nr] = strdup(c->path[0] ? c->path : "/");
	if (!c->paths[c->nr])
		return -ENOMEM;
	rec = &c->records[c->nr++];
	*rec = (struct ebb_census){ .cgroup = st.st_ino, .parent = parent, .level = level };
	read_stats(c, dir, rec);
	/* v2's root has no memory.current: what its page counter has is not told either. */
	rec->usage = has_usage ? usage : rec->anon + rec->file;
	if (!c->k->v1 && !read_u64_at(dir, "memory.swap.current", &swap))
		rec->swap = swap;
	read_pressures(c, dir, rec);
	if (is_populated(c, dir))
		rec->flags |= EBB_CENSUS_POPULATED;
	return 1;
}

/* The group behind fd, which it closes, and all below; 1 if any of these has a process. */
static int walk(struct census_files *c, int fd, uint64_t parent, unsigned int level)
{
	_cleanup_closedir_ DIR *dir = NULL;
	size_t len = strlen(c->path), me;
	struct dirent *e;
	struct stat st;
	int r;

	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return is_shortage(r) ? r : 0;
	}
	r = read_group(c, fd, parent, level);
	if (r < 0)
		return r;
	/* Where a group has no memory controller nothing below it has. */
	if (!r || level >= MAX_DEPTH || fstat(fd, &st))
		return 0;
	me = c->nr - 1;
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((e = readdir(dir))) {
		int child;

		if (e->d_type != DT_DIR || e->d_name[0] == '.' ||
		    len + strlen(e->d_name) + 2 > sizeof(c->path))
			continue;
		child = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0 && is_shortage(-errno))
			return -errno;
		if (child < 0)
			continue;
		snprintf(c->path + len, sizeof(c->path) - len, "/%s", e->d_name);
		r = walk(c, child, st.st_ino, level + 1);
		c->path[len] = '\0';
		if (r < 0)
			return r;
		if (r)
			c->records[me].flags |= EBB_CENSUS_POPULATED;
	}
	return !!(c->records[me].flags & EBB_CENSUS_POPULATED);
}

/* --- generations, from debugfs --- */

struct ages {
	struct census_files *c;
	size_t next; /* where the last match was: both go in much the same order */
	size_t known; /* records before those of further nodes */
	int error;
};

static ssize_t find_path(struct ages *a, const char *path)
{
	for (size_t i = 0; i < a->known; i++) {
		size_t at = (a->next + i) % a->known;

		if (strcmp(a->c->paths[at], path))
			continue;
		a->next = at + 1;
		return at;
	}
	return -1;
}

static void copy_ages(struct ebb_census *to, const struct ebb_census *from)
{
	to->memcg = from->memcg;
	to->flags |= EBB_CENSUS_LRU_GEN;
	to->max_seq = from->max_seq;
	to->min_seq_anon = from->min_seq_anon;
	to->min_seq_file = from->min_seq_file;
	memcpy(to->gen, from->gen, sizeof(to->gen));
}

static void on_ages(void *arg, const char *path, const struct ebb_census *lru)
{
	struct ages *a = arg;
	struct census_files *c = a->c;
	ssize_t at = find_path(a, path[0] ? path : "/");
	struct ebb_census *rec;

	if (at < 0)
		return;
	if (!lru->node) {
		copy_ages(&c->records[at], lru);
		return;
	}
	if (grow(c)) {
		a->error = -ENOMEM;
		return;
	}
	/* At the end, and not after its group: who reads goes by the id. */
	c->paths[c->nr] = NULL;
	rec = &c->records[c->nr++];
	*rec = (struct ebb_census){
		.cgroup = c->records[at].cgroup,
		.parent = c->records[at].parent,
		.level = c->records[at].level,
		.node = lru->node,
	};
	copy_ages(rec, lru);
}

static int read_ages(struct census_files *c)
{
	const char *name = !c->k->lru_gen_read ? "lru_gen" : "lru_gen_full";
	struct ages a = { .c = c, .known = c->nr };
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_close_ int fd = -1;
	size_t size = 0;
	ssize_t len;
	int r;

	if (c->k->lru_gen < 0 || !(c->k->lru_gen & 1) || c->k->debugfs_fd < 0 ||
	    (c->k->lru_gen_read && c->k->lru_gen_full_read))
		return 0;
	fd = openat(c->k->debugfs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!f)
		return 0;
	fd = -1; /* f's now */
	len = getdelim(&text, &size, '\0', f);
	if (len <= 0)
		return 0;
	r = parse_lru_gen(text, len, c->k->page_size, on_ages, &a);
	return r ? r : a.error;
}

int census_files_pass(struct census_files *c, const struct ebb_census **ret, size_t *ret_n)
{
	int fd = openat(c->k->cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	forget(c);
	c->path[0] = '\0';
	r = walk(c, fd, 0, 0);
	if (r >= 0)
		r = read_ages(c);
	if (r < 0)
		return r;
	*ret = c->records;
	*ret_n = c->nr;
	return 0;
}
