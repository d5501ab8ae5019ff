// SPDX-License-Identifier: GPL-2.0-only
/*
 * Evicting from the lists of a container's groups, one after the other, and from those of their
 * generations alone that are old enough.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/act_int.h"
#include "act/lists.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/kernel.h"

#define BATCH (16ull << 20)
#define LEAST (256ull << 10) /* the kernel isolates 64 pages before it counts */
#define NOTABLE (2ull << 20) /* less is within what the counts of memory.stat trail by */
#define MAX_DEPTH 32

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t above_protection(int dirfd)
{
	uint64_t min = 0, low = 0, now;

	read_u64_at(dirfd, "memory.min", &min);
	read_u64_at(dirfd, "memory.low", &low);
	low = low < min ? min : low;
	if (!low || read_u64_at(dirfd, "memory.current", &now))
		return UINT64_MAX;
	return now > low ? now - low : 0;
}

/*
 * memory.reclaim of the container leaves its groups what they, or those above them, have by
 * memory.min, and by memory.low as long as there is other. debugfs knows of neither: they stay
 * whole here. (The container's own do not count there: it is asked for by itself.)
 */
uint64_t lists_unprotected(int dirfd, uint64_t container)
{
	_cleanup_close_ int up = -1;
	uint64_t room = UINT64_MAX;

	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		int fd = up < 0 ? dirfd : up;
		struct stat st;

		if (fstat(fd, &st) || st.st_ino == container)
			return room;
		room = least(room, above_protection(fd));
		fd = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (up >= 0)
			close(up);
		up = fd;
		if (up < 0)
			return 0;
	}
	return 0;
}

static bool are_several(const struct job *job)
{
	uint64_t one = job->result.id;

	for (size_t i = 0; i < job->nr_groups; i++) {
		uint64_t id = job->groups[i].cgroup;

		if (id == job->result.id || id == one)
			continue;
		if (one != job->result.id)
			return true;
		one = id;
	}
	return false;
}

/*
 * From 7.0 on such an eviction looks at what this one group's processes use alone. Of a container
 * of several, what is mapped of one may be in use by the others.
 */
static bool may_be_neighbours(int dirfd)
{
	struct reclaim_stat s;

	return reclaim_stat(dirfd, &s) || s.mapped > NOTABLE + s.file / 16;
}

static uint64_t room_of(const struct job *job, const struct act_group *g, bool unmapped)
{
	_cleanup_close_ int fd = -1;

	if (g->cgroup == job->result.id)
		return UINT64_MAX;
	fd = kernel_open_cgroup(job->act->cgroup_root, g->cgroup, O_RDONLY);
	if (fd < 0 || (unmapped && may_be_neighbours(fd)))
		return 0;
	return lists_unprotected(fd, job->result.id);
}

/* false: of this group nothing more. */
static bool note(struct job *job, int error)
{
	if (error == -EINTR)
		job->result.timed_out = true;
	else if (error != -ENOENT && error != -EAGAIN) /* gone, and the others may not be */
		job->result.error = error;
	return !error;
}

static uint64_t anon_of(struct job *job, const struct act_group *g, uint64_t left)
{
	uint64_t asked = 1, sum = 0;

	while (asked && sum < left && !job_ended(job)) {
		if (!note(job, age_evict_anon(job->act->age, g, job->idle_ms,
					      least(left - sum, BATCH), &asked)))
			break;
		sum += asked;
	}
	return sum;
}

void lists_take_anon(struct job *job)
{
	uint64_t left = job->anon;

	for (size_t i = 0; i < job->nr_groups && left && !job_ended(job); i++) {
		const struct act_group *g = &job->groups[i];

		left -= anon_of(job, g, least(left, room_of(job, g, false)));
	}
}

static void file_of(struct job *job, const struct act_group *g, uint64_t bytes, uint64_t seq)
{
	for (uint64_t done = 0, ask; done < bytes && !job_ended(job); done += ask) {
		ask = least(bytes - done, BATCH);
		if (!note(job, age_evict_file(job->act->age, g, seq, ask)))
			break;
	}
}

uint64_t lists_old_file(const struct job *job)
{
	uint64_t sum = 0, seq;

	for (size_t i = 0; i < job->nr_groups; i++)
		sum += age_old_file(&job->groups[i], job->file_idle_ms, &seq);
	return sum;
}

void lists_take_file(struct job *job, uint64_t bytes)
{
	bool unmapped = age_id_form(job->act->age) == ACT_ID_CGROUP && are_several(job);
	uint64_t all = lists_old_file(job), share = 0, seq;

	for (size_t i = 0; i < job->nr_groups && !job_ended(job); i++) {
		const struct act_group *g = &job->groups[i];
		uint64_t old = age_old_file(g, job->file_idle_ms, &seq), ask;

		share += bytes < all ? (uint64_t)((double)bytes * (double)old / (double)all) : old;
		ask = least(share, old);
		if (!old || (share < LEAST && share < old))
			continue;
		share -= ask;
		file_of(job, g, least(ask, room_of(job, g, unmapped)), seq);
	}
}
