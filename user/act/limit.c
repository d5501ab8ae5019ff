// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory.max and memory.swap.max of groups that hold containers.
 *
 * A bound of swap stops what would go there, and moves nothing. Below what the group has, the
 * kernel evicts in the write itself, and when a round over the lists brings nothing for the
 * sixteenth time, it kills. So the value goes down in steps: the first is what the group has, which
 * stops its growth at once; between two of them the deadline is looked at; a signal ends the write
 * with the value set.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/act_int.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define ROUND 65536ull /* a page, of any size: what is set is what is read again */

static bool is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV || r == -ESTALE;
}

static int set_first(struct job *job, uint64_t bytes)
{
	const char *file = job->action == EBB_ACT_LIMIT ? "memory.max" : "memory.swap.max";
	struct journal_cgroup g = { .id = job->limit.id };
	uint64_t now;
	int r = read_u64_at(job->dirfd, file, &now);

	if (r)
		return r;
	/* Theirs, from after it was looked at: never to be raised by us. */
	if (now < bytes) {
		job->result.changed = true;
		job->result.found = now;
		return 0;
	}
	snprintf(g.value, sizeof(g.value), "%" PRIu64, bytes);
	r = journal_set_cgroups(job->act->journal, file, &g, 1);
	job->limit.seq = r ? 0 : g.seq;
	return r;
}

static int set(struct job *job, uint64_t bytes)
{
	char value[24], found[JOURNAL_VALUE_LEN];
	int r;

	if (!job->limit.seq)
		return set_first(job, bytes);
	snprintf(value, sizeof(value), "%" PRIu64, bytes);
	r = journal_update(job->act->journal, &job->limit.seq, value, found);
	if (r != -ECANCELED)
		return r;
	job->result.changed = true;
	return parse_u64(found, &job->result.found);
}

/* What it is to be now, on the way down. */
static int next_value(const struct job *job, uint64_t target, bool first, uint64_t *ret)
{
	uint64_t usage, batch = first ? 0 : job->batch, low;
	int r;

	*ret = target;
	if (job->action != EBB_ACT_LIMIT)
		return 0;
	r = read_u64_at(job->dirfd, "memory.current", &usage);
	if (r)
		return r;
	low = usage > batch ? (usage - batch) & ~(ROUND - 1) : 0;
	*ret = low > target ? low : target;
	return 0;
}

static void take_back(struct job *job)
{
	struct journal_report report = {};

	job->result.error = journal_undo(job->act->journal, job->limit.seq, &report);
	job->result.gone = report.gone;
	/* One that cannot be undone stays in the journal, and is not ours to watch any more. */
	job->limit.seq = 0;
}

void limit_run(struct job *job)
{
	uint64_t target = job->want & ~(ROUND - 1), value;
	struct act_result *res = &job->result;
	bool first = true;
	int r;

	if (job->want == UINT64_MAX) {
		take_back(job);
		return;
	}
	do {
		if (atomic_load(&job->pool.stop) || pool_now_us() >= job->pool.deadline_us) {
			res->timed_out = true;
			break;
		}
		r = next_value(job, target, first, &value);
		r = r ?: set(job, value);
		if (r || !job->limit.seq) {
			res->gone = is_gone(r);
			res->error = res->gone ? 0 : r;
			break;
		}
		job->limit.bytes = value;
		first = false;
	} while (value > target);
}

int limits_prepare(struct act *a, struct job *job)
{
	const struct act_limit *l = act_limit_find(a, job->action, job->result.id);

	job->limit = l ? *l : (struct act_limit){ .which = job->action, .id = job->result.id };
	/* One for each job that may be under way, so that noting it cannot fail. */
	if (a->nr_limits + ACT_MAX_JOBS > a->max_limits) {
		size_t max = a->nr_limits + 2 * ACT_MAX_JOBS;
		void *grown = reallocarray(a->limits, max, sizeof(*a->limits));

		if (!grown)
			return -ENOMEM;
		a->limits = grown;
		a->max_limits = max;
	}
	return 0;
}

void limits_note(struct act *a, const struct act_limit *limit)
{
	struct act_limit *l = (struct act_limit *)act_limit_find(a, limit->which, limit->id);

	if (!l && limit->seq)
		l = &a->limits[a->nr_limits++];
	if (l && limit->seq)
		*l = *limit;
	else if (l)
		*l = a->limits[--a->nr_limits];
}

const struct act_limit *act_limit_at(const struct act *a, size_t i)
{
	return i < a->nr_limits ? &a->limits[i] : NULL;
}

const struct act_limit *act_limit_find(const struct act *a, enum ebb_action which, uint64_t id)
{
	for (size_t i = 0; i < a->nr_limits; i++)
		if (a->limits[i].which == which && a->limits[i].id == id)
			return &a->limits[i];
	return NULL;
}
