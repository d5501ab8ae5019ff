// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/fence.h"
#include "act/pool.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define MAX_DEPTH 32
#define FIRST_BATCH (256ull << 10) /* what the living lose at most when nothing is to be had */
#define KEEP (512ull << 10) /* not worth the fence, and within the error of the counts */

#define FENCE "memory.low"

static DIR *open_list(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

/* The next child directory: its fd; -ENOENT at the end. */
static int next_child(DIR *d)
{
	struct dirent *e;

	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((e = readdir(d))) {
		int fd;

		if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		fd = openat(dirfd(d), e->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT && errno != ENODEV)
			return -errno;
	}
	return -ENOENT;
}

static int is_populated(int dirfd)
{
	char text[256];
	uint64_t v;
	ssize_t n = read_file_at(dirfd, "cgroup.events", text, sizeof(text));

	if (n < 0)
		return n;
	return find_key(text, "populated", &v) && v;
}

/* The root has no cgroup.events. */
bool fence_is_root(int dirfd)
{
	return faccessat(dirfd, "cgroup.events", F_OK, 0) && errno == ENOENT &&
	       !faccessat(dirfd, "cgroup.procs", F_OK, 0);
}

static int has_processes(int dirfd)
{
	char c[2];
	ssize_t n = read_file_at(dirfd, "cgroup.procs", c, sizeof(c));

	return n == -EFBIG || n > 0 ? 1 : (int)n;
}

#define PF_KTHREAD 0x00200000ul

/* Seen from outside: its memory map, which would tell as well, may be shut. */
static bool is_kernel_thread(const char *root, const char *pid)
{
	char path[512], text[1024];
	unsigned long flags = 0;
	const char *p;

	snprintf(path, sizeof(path), "%s/proc/%.20s/stat", root, pid);
	if (read_file_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return true; /* it has ended */
	p = strrchr(text, ')'); /* its name may hold anything */
	return p && sscanf(p, ") %*c %*d %*d %*d %*d %*d %lu", &flags) == 1 && flags & PF_KTHREAD;
}

int fence_root_in_use(int dirfd, const char *root)
{
	int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	char line[32];
	int r = 0;

	if (!f) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (!r && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		r = !is_kernel_thread(root, line);
	}
	fclose(f);
	return r;
}

/* --- the fence ---------------------------------------------------------------------- */

static int add_group(struct fence *f, int dirfd)
{
	struct journal_cgroup *g;
	struct stat st;
	uint64_t now;
	int r = read_u64_at(dirfd, FENCE, &now);

	if (r || now == UINT64_MAX)
		return r;
	if (fstat(dirfd, &st))
		return -errno;
	if (f->nr == FENCE_MAX_GROUPS)
		return -E2BIG;
	if (f->nr == f->room) {
		size_t room = f->room ? f->room * 2 : 64;

		g = reallocarray(f->groups, room, sizeof(*g));
		if (!g)
			return -ENOMEM;
		f->groups = g;
		f->room = room;
	}
	g = &f->groups[f->nr++];
	*g = (struct journal_cgroup){ .id = st.st_ino, .value = "max" };
	return 0;
}

static int add_children(struct fence *f, int dirfd, unsigned int depth);

static int add_child(struct fence *f, int dirfd, unsigned int depth)
{
	int r;

	f->walked++;
	if (!faccessat(dirfd, FENCE, F_OK, 0)) {
		r = add_group(f, dirfd);
		r = r ?: add_children(f, dirfd, depth + 1);
		return r == -ENOENT || r == -ENODEV ? 0 : r;
	}
	if (errno != ENOENT)
		return errno == ENODEV ? 0 : -errno;
	/*
	 * Without the controller its memory, and all below, is counted as that of
	 * the next group above that has it: fenced there, or else the parent's own.
	 */
	r = depth > 1 ? 0 : is_populated(dirfd);
	if (r > 0)
		return -EBUSY;
	return r == -ENOENT || r == -ENODEV ? 0 : r ?: add_children(f, dirfd, depth + 1);
}

static int add_children(struct fence *f, int dirfd, unsigned int depth)
{
	_cleanup_closedir_ DIR *d = NULL;
	int r;

	if (depth > MAX_DEPTH)
		return -E2BIG;
	d = open_list(dirfd);
	if (!d)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	for (;;) {
		_cleanup_close_ int fd = next_child(d);

		if (fd < 0)
			return fd == -ENOENT || fd == -ENODEV ? 0 : fd;
		r = add_child(f, fd, depth);
		if (r)
			return r;
	}
}

int fence_up(struct fence *f, struct journal *j, int dirfd)
{
	int r;

	*f = (struct fence){ .journal = j };
	r = fence_is_root(dirfd) ? 0 : has_processes(dirfd);
	if (r)
		return r > 0 ? -EBUSY : r;
	r = add_children(f, dirfd, 1);
	if (r || !f->nr)
		return r;
	r = journal_set_cgroups(j, FENCE, f->groups, f->nr);
	/* Passed over as gone. Should one be there after all, the fence is not whole. */
	for (size_t i = 0; !r && i < f->nr; i++)
		f->walked -= !f->groups[i].seq;
	return r;
}

void fence_down(struct fence *f)
{
	/* What cannot be put back stays in the journal. */
	for (size_t i = f->nr; i-- > 0;)
		journal_undo(f->journal, f->groups[i].seq, NULL);
	free(f->groups);
	*f = (struct fence){};
}

/* Or somebody was born behind the fence: one that is starting, of all. */
static bool is_whole(const struct fence *f, int dirfd)
{
	char text[512];
	uint64_t v;

	return read_file_at(dirfd, "cgroup.stat", text, sizeof(text)) > 0 &&
	       find_key(text, "nr_descendants", &v) && v <= f->walked;
}

/* --- the eviction ---------------------------------------------------------------------- */

int fence_orphaned(int dirfd, uint64_t *ret_bytes, uint64_t *ret_living_steal)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct reclaim_stat all, s;
	uint64_t living = 0, living_mapped = 0, steal = 0, mapped;
	int r;

	r = reclaim_stat(dirfd, &all);
	if (r)
		return r;
	d = open_list(dirfd);
	if (!d)
		return -errno;
	for (;;) {
		_cleanup_close_ int fd = next_child(d);

		if (fd == -ENOENT)
			break;
		if (fd < 0)
			return fd;
		r = reclaim_stat(fd, &s);
		if (r == -ENOENT || r == -ENODEV)
			continue;
		if (r)
			return r;
		living += s.file;
		living_mapped += s.mapped;
		steal += s.steal;
	}
	*ret_bytes = all.file > living ? all.file - living : 0;
	/* What of it is mapped, the living use. */
	mapped = all.mapped > living_mapped ? all.mapped - living_mapped : 0;
	*ret_bytes -= mapped < *ret_bytes ? mapped : *ret_bytes;
	*ret_living_steal = steal;
	return 0;
}

/*
 * The batches. Each is no more than the removed ones are seen to hold, the
 * first is small, and when the living paid for a part of one it is the last.
 */
static int reclaim_behind(struct reclaim *r, const struct fence *f)
{
	uint64_t left = r->file, got = 0, batch = FIRST_BATCH;
	uint64_t limit = r->batch && r->batch < FENCE_BATCH ? r->batch : FENCE_BATCH;
	uint64_t orphaned = 0, steal = 0, steal_before;
	int error = fence_orphaned(r->dirfd, &orphaned, &steal);

	r->anon = 0;
	while (!error && left && orphaned > KEEP && is_whole(f, r->dirfd)) {
		if (atomic_load(r->stop) || pool_now_us() >= r->deadline_us) {
			r->timed_out = true;
			break;
		}
		r->file = batch < left ? batch : left;
		if (r->file > orphaned)
			r->file = orphaned;
		steal_before = steal;
		reclaim_run(r);
		got += r->got;
		left -= r->got < left ? r->got : left;
		if (r->error || r->gone || r->timed_out || !r->got)
			break;
		error = fence_orphaned(r->dirfd, &orphaned, &steal);
		if (steal > steal_before && steal - steal_before > r->file / 4)
			break;
		batch = batch * 2 < limit ? batch * 2 : limit;
	}
	r->got = got;
	return error;
}

void fence_reclaim(struct reclaim *r, struct journal *j)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	struct fence f;
	int error;

	r->got = 0;
	r->error = 0;
	r->gone = r->timed_out = false;
	if (pthread_mutex_trylock(&one_at_a_time)) {
		r->error = -EBUSY;
		return;
	}
	error = fence_up(&f, j, r->dirfd);
	if (!error)
		error = reclaim_behind(r, &f);
	fence_down(&f);
	pthread_mutex_unlock(&one_at_a_time);
	if (error == -ENOENT || error == -ENODEV)
		r->gone = true;
	else if (error)
		r->error = error;
}
