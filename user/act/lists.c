// SPDX-License-Identifier: GPL-2.0-only
/*
 * Evicting from the lists of a container's groups, one after the other, and from those of their
 * generations alone that are old enough.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "act/act_int.h"
#include "act/lists.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/kernel.h"

#define BATCH (16ull << 20)
#define NOTABLE (2ull << 20) /* less is within what the counts of memory.stat trail by */

static void note(struct job *job, int error)
{
	if (error == -EINTR)
		job->result.timed_out = true;
	else if (error != -ENOENT && error != -EAGAIN) /* gone, and the others may not be */
		job->result.error = error;
}

/*
 * memory.reclaim of the container leaves its groups what they have by memory.min and memory.low;
 * debugfs does not. (The container's own do not count there: it is asked for by itself.)
 */
static uint64_t unprotected(const struct job *job, const struct act_group *g)
{
	_cleanup_close_ int fd = -1;
	uint64_t min = 0, low = 0, now;

	if (g->cgroup == job->result.id)
		return UINT64_MAX;
	fd = kernel_open_cgroup(job->act->cgroup_root, g->cgroup, O_RDONLY);
	if (fd < 0)
		return UINT64_MAX;
	read_u64_at(fd, "memory.min", &min);
	read_u64_at(fd, "memory.low", &low);
	low = low < min ? min : low;
	if (!low || read_u64_at(fd, "memory.current", &now))
		return UINT64_MAX;
	return now > low ? now - low : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t anon_of(struct job *job, struct act_group *g, uint64_t left)
{
	uint64_t asked = 1, sum = 0;

	while (asked && sum < left && !job_ended(job)) {
		note(job, age_evict_anon(job->act->age, g, job->idle_ms, least(left - sum, BATCH),
					 &asked));
		sum += asked;
	}
	return sum;
}

void lists_take_anon(struct job *job)
{
	uint64_t left = job->anon;

	for (size_t i = 0; i < job->nr_groups && left && !job_ended(job); i++)
		left -= anon_of(job, &job->groups[i],
				least(left, unprotected(job, &job->groups[i])));
}

static bool are_several(const struct job *job)
{
	for (size_t i = 1; i < job->nr_groups; i++)
		if (job->groups[i].cgroup != job->groups[0].cgroup)
			return true;
	return false;
}

/*
 * What no living group has on its lists: that of removed ones (from 7.0 on it goes to the group
 * above). What cannot be evicted is
 * on no list of a generation either.
 */
static uint64_t unlisted(const struct job *job, const struct reclaim_stat *stat)
{
	uint64_t listed = stat->unevictable + NOTABLE;

	if (age_id_form(job->act->age) != ACT_ID_PRIVATE)
		return 0;
	for (size_t i = 0; i < job->nr_groups; i++)
		listed += job->groups[i].file.bytes;
	listed += listed / 16;
	return stat->file > listed ? stat->file - listed : 0;
}

static uint64_t part(uint64_t of, uint64_t share, uint64_t whole)
{
	return (uint64_t)((double)of * (double)share / (double)whole);
}

static void file_of(struct job *job, const struct act_group *g, uint64_t bytes, uint64_t seq)
{
	for (uint64_t done = 0, ask; done < bytes && !job_ended(job); done += ask) {
		ask = least(bytes - done, BATCH);
		note(job, age_evict_file(job->act->age, g, seq, ask));
	}
}

struct share {
	uint64_t bytes, seq;
};

static uint64_t measure(const struct job *job, struct share *shares)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < job->nr_groups; i++) {
		const struct act_group *g = &job->groups[i];
		struct share *s = &shares[i];

		s->bytes = age_old_file(g, job->file_idle_ms, &s->seq);
		if (s->bytes)
			s->bytes = least(s->bytes, unprotected(job, g));
		sum += s->bytes;
	}
	return sum;
}

bool lists_take_file(struct job *job, const struct reclaim_stat *stat, uint64_t *ret_unlisted)
{
	_cleanup_free_ struct share *shares = calloc(job->nr_groups, sizeof(*shares));
	uint64_t all;

	/*
	 * From 7.0 on such an eviction looks at what this one group's processes use alone: what is
	 * mapped may be in use by its neighbours.
	 */
	if (!shares || (are_several(job) && stat->mapped > NOTABLE + stat->file / 16 &&
			age_id_form(job->act->age) == ACT_ID_CGROUP))
		return false;
	*ret_unlisted = unlisted(job, stat);
	all = *ret_unlisted + measure(job, shares);
	for (size_t i = 0; i < job->nr_groups && !job_ended(job); i++) {
		struct share *s = &shares[i];

		if (all > job->file)
			s->bytes = part(job->file, s->bytes, all);
		file_of(job, &job->groups[i], s->bytes, s->seq);
	}
	if (all > job->file)
		*ret_unlisted = part(job->file, *ret_unlisted, all);
	return true;
}
