// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/age_int.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/kernel.h"

#define ENABLED "/sys/kernel/mm/lru_gen/enabled"
#define PROBE_SIZE (64u << 10) /* of lru_gen, to see what ids it prints; a group is 0.3 KB */
#define MAX_SIZE (4u << 20)
/*
 * About 1,500 groups. The kernel goes through all of them again for each page of text, so that the
 * time grows with their square: it may be some ms while memory is evicted, not half a second.
 */
#define LOOK_SIZE (512u << 10)
#define PROBE_GROUPS 8
/*
 * Only 200 treats anon and file alike: with 0, anon is not scanned and what is
 * cold becomes the youngest (measured on all kernels).
 */
#define SWAPPINESS 200

static void say(struct act_caps *caps, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct act_caps *caps, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(caps->age_reason, sizeof(caps->age_reason), format, ap);
	va_end(ap);
}

/* --- opening ---------------------------------------------------------------------------- */

/*
 * Bits of lru_gen/enabled. The kernel shows the second only where a pass does walk page tables,
 * which takes accessed bits that the CPU sets. Where it does not, a pass opens a generation and
 * moves nothing: after two of them all that is in use would look idle (iterate_mm_list_nowalk()).
 */
#define LRU_GEN_CORE 1u
#define LRU_GEN_WALK 2u

static int read_enabled(const struct age_opts *o, unsigned int *ret)
{
	char path[256], text[32];
	int r;

	snprintf(path, sizeof(path), "%s" ENABLED, o->root);
	r = read_line_at(AT_FDCWD, path, text, sizeof(text));
	*ret = r > 0 ? strtoul(text, NULL, 0) : 0;
	return r;
}

/* Off by default in Debian's 6.1 (CONFIG_LRU_GEN_ENABLED is not set). */
static bool switch_on(const struct age_opts *o, struct act_caps *caps, bool *ret_walks)
{
	unsigned int bits;
	char value[16] = "7";
	int r;

	*ret_walks = false;
	if (read_enabled(o, &bits) == -ENOENT) {
		say(caps, "this kernel has no multi-generational LRU (CONFIG_LRU_GEN)");
		return false;
	}
	if (!(bits & LRU_GEN_CORE) && o->dry_run) {
		say(caps, "the multi-generational LRU is off, and a dry run switches nothing on");
		return false;
	}
	if (bits & LRU_GEN_CORE)
		snprintf(value, sizeof(value), "%u", bits | LRU_GEN_WALK);
	/* Where it is on, this adopts it, should it be so because of us. */
	r = o->dry_run ? 0 : journal_set_file(o->journal, ENABLED, value, NULL);
	if (r && !(bits & LRU_GEN_CORE)) {
		say(caps, "the multi-generational LRU is off and cannot be switched on: %s",
		    strerror(-r));
		return false;
	}
	if (!r && !o->dry_run)
		read_enabled(o, &bits);
	*ret_walks = bits & LRU_GEN_WALK;
	if (!*ret_walks)
		say(caps,
		    "the multi-generational LRU does not look at page tables (lru_gen/enabled "
		    "is 0x%04x: no accessed bits, or switched off): nothing is known idle",
		    bits);
	return true;
}

static int open_private(int flags)
{
	_cleanup_close_ int mnt = kernel_mount_debugfs();
	int fd = mnt < 0 ? mnt : openat(mnt, "lru_gen", flags);

	return mnt >= 0 && fd < 0 ? -errno : fd;
}

static int open_lru_gen(const struct age_opts *o, struct act_caps *caps)
{
	const int flags = (o->dry_run ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_CLOEXEC;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/sys/kernel/debug/lru_gen", o->root);
	fd = open(path, flags);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT && !*o->root) {
		fd = open_private(flags);
		caps->debugfs_private = fd >= 0;
		return fd;
	}
	return -errno;
}

static int open_again(int fd)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_WRONLY | O_CLOEXEC);
	return again < 0 ? fd : again;
}

static void say_why_not(struct act_caps *caps, const struct age_opts *o, int error)
{
	char path[256], text[128];

	snprintf(path, sizeof(path), "%s/sys/kernel/security/lockdown", o->root);
	if (error == -EPERM && read_line_at(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	    !strstr(text, "[none]"))
		say(caps, "the kernel is locked down (%s): debugfs lru_gen may not be written",
		    strstr(text, "[integrity]") ? "integrity" : "confidentiality");
	else if (error == -ENOENT)
		say(caps, "debugfs has no lru_gen");
	else
		say(caps, "debugfs lru_gen cannot be opened: %s", strerror(-error));
}

int age_open(struct age **ret, const struct age_opts *opts, struct act_caps *caps)
{
	struct age *a;
	bool walks;
	int fd;

	*ret = NULL;
	caps->can_age = false;
	caps->mglru = switch_on(opts, caps, &walks);
	if (!caps->mglru || !walks)
		return 0;
	fd = open_lru_gen(opts, caps);
	if (fd < 0) {
		say_why_not(caps, opts, fd);
		return 0;
	}
	a = calloc(1, sizeof(*a));
	if (!a) {
		close(fd);
		return -ENOMEM;
	}
	a->fd = fd;
	a->evict_fd = opts->dry_run ? fd : open_again(fd);
	a->cgroup_root = opts->cgroup_root;
	pthread_mutex_init(&a->lock, NULL);
	pthread_mutex_init(&a->reading, NULL);
	caps->id_form = age_id_form(a);
	caps->can_age = !opts->dry_run;
	say(caps, opts->dry_run           ? "a dry run: nothing is aged"
		  : caps->debugfs_private ? "debugfs is not mounted: through a private mount"
					  : "through debugfs lru_gen");
	*ret = a;
	return 0;
}

void age_close(struct age *a)
{
	if (!a)
		return;
	if (a->evict_fd != a->fd)
		close(a->evict_fd);
	close(a->fd);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->reading);
	free(a);
}

/* --- which ids -------------------------------------------------------------------------- */

static int read_rows(struct age *a, char *buf, size_t size)
{
	size_t len = 0;
	int r = 0;

	/* Read in turns, the kernel would begin anew with each piece. */
	pthread_mutex_lock(&a->reading);
	while (len < size - 1) {
		ssize_t n = pread(a->fd, buf + len, size - 1 - len, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		len += n;
	}
	pthread_mutex_unlock(&a->reading);
	buf[len] = '\0';
	return r;
}

/* "memcg   ID /PATH": 1 when ID is PATH's cgroup id, 0 when not, negative: cannot be told. */
static int row_is_cgroup_id(struct age *a, const char *row)
{
	char path[1024];
	const char *stop;
	struct stat st;
	char *end;
	uint64_t id;
	size_t len;

	id = strtoull(row + strlen("memcg"), &end, 10);
	if (*end != ' ' || end[1] != '/' || end[2] == '\n')
		return -1; /* the root: 1 in both forms */
	stop = strchr(end, '\n');
	len = stop ? (size_t)(stop - end - 2) : 0;
	if (!len || len >= sizeof(path))
		return -1;
	memcpy(path, end + 2, len);
	path[len] = '\0';
	if (fstatat(a->cgroup_root, path, &st, AT_SYMLINK_NOFOLLOW))
		return -1;
	return st.st_ino == id;
}

static enum act_id_form look_at_ids(struct age *a)
{
	_cleanup_free_ char *text = malloc(PROBE_SIZE);
	unsigned int seen = 0;

	if (!text || read_rows(a, text, PROBE_SIZE))
		return ACT_ID_UNKNOWN;
	for (const char *p = text; p && seen < PROBE_GROUPS; p = strchr(p, '\n')) {
		int is_id;

		p += *p == '\n';
		if (strncmp(p, "memcg", 5))
			continue;
		is_id = row_is_cgroup_id(a, p);
		/* One that differs is enough; one that agrees may be chance. */
		if (!is_id)
			return ACT_ID_PRIVATE;
		seen += is_id > 0;
	}
	return seen >= 2 ? ACT_ID_CGROUP : ACT_ID_UNKNOWN;
}

enum act_id_form age_id_form(struct age *a)
{
	enum act_id_form form;

	pthread_mutex_lock(&a->lock);
	if (a->form == ACT_ID_UNKNOWN) {
		a->form = look_at_ids(a);
		/* With four generations there, up to 6.12 refuses without force; 7.2 has dropped
		 * it. */
		a->force = a->form == ACT_ID_PRIVATE;
	}
	form = a->form;
	pthread_mutex_unlock(&a->lock);
	return form;
}

/* --- ageing ------------------------------------------------------------------------------ */

int age_read_rows(struct age *a, uint64_t memcg, uint32_t node, uint64_t idle_ms,
		  struct age_rows *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size = PROBE_SIZE;
	int r;

	for (; size <= MAX_SIZE; size *= 4) {
		char *p = realloc(text, size);

		if (!p)
			return -ENOMEM;
		text = p;
		r = read_rows(a, text, size);
		if (r)
			return r;
		r = age_find_rows(text, memcg, node, idle_ms, ret);
		if (r != -ENOENT || strlen(text) < size - 1)
			return r;
	}
	return -ENOENT;
}

int age_idle_anon(struct age *a, const struct act_group *groups, size_t nr, uint64_t idle_ms,
		  uint64_t *ret)
{
	_cleanup_free_ char *text = malloc(LOOK_SIZE);
	uint64_t pages = 0;
	int r = text ? read_rows(a, text, LOOK_SIZE) : -ENOMEM;

	if (!r && strlen(text) == LOOK_SIZE - 1)
		r = -E2BIG;
	for (size_t i = 0; i < nr && !r; i++) {
		struct age_rows rows = { 0 };
		uint64_t memcg;

		r = age_printed_id(a, &groups[i], &memcg);
		if (r)
			break;
		r = age_find_rows(text, memcg, groups[i].node, idle_ms, &rows);
		pages += rows.idle_any;
		r = r == -ENOENT ? 0 : r;
	}
	*ret = pages * sysconf(_SC_PAGESIZE);
	return r;
}

/*
 * EEXIST (run_aging(), from 6.14 on): another walker is at this very generation, or has just ended
 * it; kswapd, an allocation that reclaims, memory.reclaim. The lists age all the same, and the next
 * census tells when (measured on 7.2: of 180 passes asked for by three at once, 93 made a
 * generation each and 87 were told so). Up to 6.13 the kernel says nothing of it.
 */
int age_answer(int error)
{
	return error == -EEXIST ? 0 : error;
}

static int write_ageing(struct age *a, uint64_t memcg, uint32_t node, uint64_t seq)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "+ %" PRIu64 " %u %" PRIu64 " %d%s\n", memcg, node,
			 seq, SWAPPINESS, a->force ? " 1" : "");

	/* Not pwrite: seq_open() takes FMODE_PWRITE away. */
	return age_answer(write(a->fd, text, n) < 0 ? -errno : 0);
}

/*
 * The id by which the kernel knows the group. Where the form is not known, for want of groups to
 * tell it by, it is the one of the two that is printed. -EAGAIN: neither is, or both are.
 */
int age_printed_id(struct age *a, const struct act_group *g, uint64_t *ret)
{
	enum act_id_form form = age_id_form(a);
	struct age_rows rows;
	bool by_cgroup;

	if (form == ACT_ID_UNKNOWN && g->memcg != g->cgroup) {
		by_cgroup = !age_read_rows(a, g->cgroup, g->node, 0, &rows);
		if (by_cgroup == !age_read_rows(a, g->memcg, g->node, 0, &rows))
			return -EAGAIN;
		form = by_cgroup ? ACT_ID_CGROUP : ACT_ID_PRIVATE;
	}
	*ret = form == ACT_ID_CGROUP ? g->cgroup : g->memcg;
	return *ret ? 0 : -EINVAL;
}

int age_group(struct age *a, const struct act_group *g)
{
	struct age_rows rows;
	uint64_t memcg;
	int r = age_printed_id(a, g, &memcg);

	if (r)
		return r;
	r = write_ageing(a, memcg, g->node, g->max_seq);
	if (r == -ERANGE || r == -EINVAL) {
		/*
		 * EINVAL is all there is for: no such memcg, a seq beyond the youngest, and
		 * a word that this kernel does not know; ERANGE wants force.
		 * Rare: the census is behind, or the group is gone.
		 */
		int again = age_read_rows(a, memcg, g->node, 0, &rows);

		if (again)
			return again;
		if (r == -ERANGE || rows.max_seq == g->max_seq)
			a->force = !a->force;
		r = write_ageing(a, memcg, g->node, rows.max_seq);
	}
	return r;
}
