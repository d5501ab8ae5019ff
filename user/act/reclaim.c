// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "act/pool.h"
#include "act/reclaim.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define COUNT_TRAILS (2ull << 20) /* less is within what the counts of memory.stat trail by */
#define STAT_SIZE 8192 /* memory.stat is about 1.7 KB (6.12), 2.5 with a controller or two more */

static bool is_gone(int error)
{
	return error == -ENOENT || error == -ENODEV;
}

int reclaim_stat(int dirfd, struct reclaim_stat *ret)
{
	char text[STAT_SIZE];
	struct reclaim_stat s = {};
	ssize_t n = read_file_at(dirfd, "memory.stat", text, sizeof(text));
	uint64_t pages;

	if (n < 0)
		return n;
	if (!find_key(text, "pgsteal_proactive", &pages) && !find_key(text, "pgsteal", &pages))
		return -ENODATA;
	s.steal = pages * sysconf(_SC_PAGESIZE);
	if (!find_key(text, "anon", &s.anon) || !find_key(text, "file", &s.file) ||
	    !find_key(text, "shmem", &s.shmem))
		return -ENODATA;
	find_key(text, "unevictable", &s.unevictable);
	find_key(text, "file_mapped", &s.mapped);
	s.file -= s.shmem < s.file ? s.shmem : s.file;
	*ret = s;
	return 0;
}

int reclaim_probe(int dirfd, bool *ret_swappiness)
{
	int r = write_file_at(dirfd, "memory.reclaim", "0 swappiness=60");

	if (r && r != -EINVAL)
		return r;
	*ret_swappiness = !r;
	return 0;
}

#define MAX_DEPTH 32
#define SWAP_MARGIN                                                                                \
	(1ull << 20) /* with less than 64 pages of room the kernel counts it as none               \
		      */

/* The memory.swap.max of each group above counts, too. */
uint64_t reclaim_swap_room(int dirfd)
{
	_cleanup_close_ int up = -1;
	uint64_t room = UINT64_MAX, max, now;

	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		int fd = up < 0 ? dirfd : up;

		if (read_u64_at(fd, "memory.swap.max", &max)) /* the root has none */
			break;
		if (max != UINT64_MAX && !read_u64_at(fd, "memory.swap.current", &now)) {
			max = max > now + SWAP_MARGIN ? max - now - SWAP_MARGIN : 0;
			room = max < room ? max : room;
		}
		fd = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up >= 0)
			close(up);
		up = fd;
		if (up < 0)
			break;
	}
	return room;
}

struct run {
	struct reclaim *r;
	int fd;
	uint64_t page;
	uint64_t steal; /* at the start; UINT64_MAX: the count is not to be had */
	struct reclaim_stat stat; /* now */
	bool others; /* nobody is there, and others use a part */
	uint64_t first; /* the size of the first batch, doubled each time; 0: full at once */
	uint64_t known, known_got; /* bytes known cold when it was looked last, and r->got then */
	uint64_t may; /* bytes of anon that may be asked for before it is looked again */
	uint64_t written; /* bytes of writes that the kernel said it met in full */
};

static bool stopped(const struct reclaim *r)
{
	return (r->stop && atomic_load(r->stop)) || pool_now_us() >= r->deadline_us;
}

static void count_steal(struct run *run)
{
	struct reclaim *r = run->r;
	struct reclaim_stat now;

	if (run->steal != UINT64_MAX && !reclaim_stat(r->dirfd, &now)) {
		if (now.steal >= run->steal)
			r->got = now.steal - run->steal;
		run->stat = now;
	}
	/* What the kernel affirmed is a lower bound: the count trails, or went with the cgroup. */
	if (r->got < run->written)
		r->got = run->written;
}

static int begin(struct run *run, struct reclaim *r)
{
	*run = (struct run){ .r = r, .page = sysconf(_SC_PAGESIZE) };
	r->got = 0;
	r->error = 0;
	r->gone = r->timed_out = false;
	run->steal = reclaim_stat(r->dirfd, &run->stat) ? UINT64_MAX : run->stat.steal;
	run->fd = openat(r->dirfd, "memory.reclaim", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (run->fd < 0) {
		r->gone = is_gone(-errno) && faccessat(r->dirfd, "cgroup.procs", F_OK, 0);
		r->error = r->gone ? 0 : -errno;
		return -1;
	}
	return 0;
}

/*
 * One write. 0: met in full; -EAGAIN: not in full, which says nothing about
 * how much (up to everything there was); other errors as the kernel has them.
 */
static int write_batch(struct run *run, uint64_t bytes, int swappiness)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%" PRIu64, bytes);

	if (swappiness != RECLAIM_PLAIN)
		n += snprintf(text + n, sizeof(text) - n, " swappiness=%d", swappiness);
	return write(run->fd, text, n) < 0 ? -errno : 0;
}

/* false: nothing more is to be asked for at all. */
static bool ended(struct run *run, int error)
{
	struct reclaim *r = run->r;

	switch (error) {
	case 0:
	case -EAGAIN:
		return false;
	case -EINTR:
		/* By us, with the deadline. The signal is nobody else's; should it be, go on. */
		return false;
	case -ENODEV:
	case -ENOENT:
		r->gone = true;
		return true;
	case -ECANCELED:
		return true;
	default:
		r->error = error;
		return true;
	}
}

static uint64_t fell(uint64_t before, uint64_t now)
{
	return before > now ? before - now : 0;
}

/* Whether a batch was paid in what was not asked for, or somebody else uses. */
static bool paid_otherwise(const struct run *run, const struct reclaim_stat *before, uint64_t ask,
			   int swappiness)
{
	const struct reclaim_stat *now = &run->stat;

	/*
	 * Page cache for anon: of the oldest generation no anon is left that is not in use, and
	 * what follows is not known cold.
	 */
	if (swappiness == RECLAIM_ANON)
		return fell(before->file, now->file) >
		       (ask / 2 > COUNT_TRAILS ? ask / 2 : COUNT_TRAILS);
	return run->others &&
	       (fell(before->mapped, now->mapped) > ask / 4 ||
		fell(before->anon + before->shmem, now->anon + now->shmem) > ask / 4);
}

/*
 * What ageing passes missed of the pages in use stands behind what is cold (coldness.c). Met, it is
 * put aside, and for want of others the kernel ages by itself and takes what is hot. So the lists
 * are looked at again after the first bytes, and each time that half of what was cold then has been
 * asked for; and it ends where more was put aside than brought and less than half is left.
 */
static bool within_known(struct run *run, uint64_t *ask)
{
	struct reclaim *r = run->r;
	uint64_t known, brought = fell(r->got, run->known_got);
	bool first = !run->known;

	if (!r->known)
		return true;
	if (run->may < RECLAIM_LEAST) {
		if (!r->known(r->known_arg, &known))
			return true;
		if (known / 2 < RECLAIM_LEAST ||
		    (known < run->known / 2 && run->known - known > 2 * brought + COUNT_TRAILS))
			return false;
		run->known = known;
		run->known_got = r->got;
		run->may = known / 2;
		if (first && run->may > RECLAIM_LEAST * r->nr_groups)
			run->may = RECLAIM_LEAST * r->nr_groups; /* all from one of them, maybe */
	}
	*ask = *ask < run->may ? *ask : run->may;
	run->may -= *ask;
	return true;
}

/* false: end of it all, not of this kind alone. */
static bool take(struct run *run, uint64_t bytes, int swappiness)
{
	struct reclaim *r = run->r;
	uint64_t before = r->got;

	run->known = run->may = 0;
	while (r->got - before + run->page <= bytes) {
		uint64_t left = bytes - (r->got - before);
		uint64_t ask = r->batch && left > r->batch ? r->batch : left;
		struct reclaim_stat before_batch = run->stat;
		int error;

		if (run->first && ask > run->first)
			ask = run->first;
		run->first *= 2;
		if (swappiness == RECLAIM_ANON && !within_known(run, &ask))
			return true;

		if (stopped(r)) {
			r->timed_out = true;
			return false;
		}
		error = r->check ? r->check(r->arg) : 0;
		if (!error) {
			error = write_batch(run, ask, swappiness);
			run->written += error ? 0 : ask;
		}
		/* From the count, for a write may take more than it was asked: never beyond cold.
		 */
		count_steal(run);
		if (ended(run, error))
			return false;
		if (error == -EAGAIN)
			return true;
		if (paid_otherwise(run, &before_batch, ask, swappiness))
			return true;
	}
	return true;
}

void reclaim_run(struct reclaim *r)
{
	struct run run;

	if (begin(&run, r))
		return;
	if (!r->swappiness)
		take(&run, r->anon + r->file, RECLAIM_PLAIN);
	/*
	 * Anon first: MGLRU takes the type whose oldest generation is older
	 * whatever the swappiness, and with the old anon gone file is file.
	 */
	else if (take(&run, r->anon, RECLAIM_ANON))
		take(&run, r->file, RECLAIM_FILE);
	close(run.fd);
}

/* --- what an emptied one left ---------------------------------------------------- */

static int check_empty(void *arg)
{
	const struct reclaim *r = arg;
	char text[256];
	uint64_t populated;
	ssize_t n = read_file_at(r->dirfd, "cgroup.events", text, sizeof(text));

	if (n < 0)
		return n;
	return find_key(text, "populated", &populated) && !populated ? 0 : -ECANCELED;
}

#define FIRST_BATCH (1ull << 20)

/* What nobody uses: see leftover_bytes() in policy/leftover.c. */
static int leftover(struct reclaim *r, struct reclaim_stat *s, uint64_t *ret)
{
	uint64_t usage, bytes;
	int error = reclaim_stat(r->dirfd, s);

	if (error)
		return error;
	bytes = fell(s->file, s->mapped);
	if (r->keep) {
		error = read_u64_at(r->dirfd, "memory.current", &usage);
		if (error)
			return error;
		usage = fell(usage, r->keep);
		bytes = bytes < usage ? bytes : usage;
	}
	*ret = bytes;
	return 0;
}

void reclaim_run_all(struct reclaim *r, uint64_t *ret_asked)
{
	struct reclaim_stat s;
	struct run run;
	int error;

	r->check = check_empty;
	r->arg = r;
	*ret_asked = 0;
	if (begin(&run, r))
		return;
	error = leftover(r, &s, ret_asked);
	if (error)
		ended(&run, error);
	else
		run.others = s.mapped + s.shmem + s.anon >= COUNT_TRAILS;
	/* What is to stay may be met first. */
	if (run.others)
		run.first = FIRST_BATCH;
	if (*ret_asked)
		take(&run, *ret_asked, r->swappiness ? RECLAIM_FILE : RECLAIM_PLAIN);
	close(run.fd);
}
