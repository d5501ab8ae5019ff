// SPDX-License-Identifier: GPL-2.0-only
/* Evicting from one group's lists, through debugfs lru_gen. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "act/age_int.h"

/* Less is left: pages that are met in use are put aside, and page cache would have its turn. */
#define EVICT_MIN_PAGES 256

#define MAX_NODES 64

/*
 * EINVAL: no such memcg, or fewer than two younger generations, which of what a census saw is the
 * same: the group is gone, and its id may be another's.
 */
int age_evict_answer(int error)
{
	return error == -EINVAL ? -ENOENT : error;
}

/* From generations up to seq. */
static int evict(struct age *a, uint64_t memcg, uint32_t node, uint64_t seq, int swappiness,
		 uint64_t pages)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "- %" PRIu64 " %u %" PRIu64 " %d %" PRIu64 "\n", memcg,
			 node, seq, swappiness, pages);

	return age_evict_answer(write(a->evict_fd, text, n) < 0 ? -errno : 0);
}

int age_evict(struct age *a, uint64_t cgroup, uint64_t bytes, uint64_t *ret_asked)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct age_rows rows = { 0 };
	int r = 0;

	*ret_asked = 0;
	if (age_id_form(a) != ACT_ID_CGROUP)
		return -EOPNOTSUPP;
	for (uint32_t node = 0; node < MAX_NODES && bytes >= page && !r; node++) {
		uint64_t pages;

		r = age_read_rows(a, cgroup, node, 0, &rows);
		if (r == -ENOENT) {
			/* Nodes may be numbered with gaps; without the first, there is no group. */
			r = node ? 0 : r;
			continue;
		}
		pages = rows.old_file < bytes / page ? rows.old_file : bytes / page;
		if (r || !pages)
			continue;
		/* Swappiness 1: the file pages, as far as anon is not older. */
		r = evict(a, cgroup, node, rows.old_seq, 1, pages);
		*ret_asked += pages * page;
		bytes -= pages * page;
	}
	return r;
}

/*
 * The kernel evicts from generations up to idle_seq, the oldest first, and in each the anon first
 * (swappiness 200). What it meets in use it puts into a younger one and goes on; when there is no
 * more anon in a generation that has page cache, that is taken instead. So at most half of what
 * stands there is asked for, as it is now: then more than half would have to be in use.
 */
int age_evict_anon(struct age *a, const struct act_group *g, uint64_t idle_ms, uint64_t bytes,
		   uint64_t *ret_asked)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct age_rows rows = { 0 };
	uint64_t memcg, pages;
	int r = age_printed_id(a, g, &memcg);

	*ret_asked = 0;
	r = r ?: age_read_rows(a, memcg, g->node, idle_ms, &rows);
	if (r)
		return r;
	pages = rows.idle_anon / 2 < bytes / page ? rows.idle_anon / 2 : bytes / page;
	if (pages < EVICT_MIN_PAGES)
		return 0;
	*ret_asked = pages * page;
	return evict(a, memcg, g->node, rows.idle_seq, 200, pages);
}

uint64_t age_old_file(const struct act_group *g, uint64_t idle_ms, uint64_t *ret_seq)
{
	const struct ebb_old_file *old = g->file.old;
	bool second = old[1].idle_ms >= idle_ms && old[0].bytes <= old[1].bytes / 16;

	*ret_seq = g->file.seq + second;
	/*
	 * Up to 6.18 the id of one that is gone may be another's by the time of the write, and
	 * groups are born with the generations 0 to 3, so that these are evicted from after one
	 * pass. No new one has aged twice since the census.
	 */
	if (*ret_seq < 2)
		return 0;
	if (second)
		return old[0].bytes + old[1].bytes;
	return old[0].idle_ms >= idle_ms ? old[0].bytes : 0;
}

/*
 * Page cache that is read again is moved on to the next generation when it is met, which clears its
 * counts of reads: there it would be taken next. memory.reclaim goes on there for want of other
 * (measured on 7.2: 2 MiB, as it takes whole folios). This ends with the generation: the kernel
 * looks at no younger one (run_eviction()), ages nothing by itself, and with swappiness 0 takes no
 * anon. Should a pass have come in between, there is less, or nothing, up to there.
 */
int age_evict_file(struct age *a, const struct act_group *g, uint64_t seq, uint64_t bytes)
{
	uint64_t memcg;
	int r = age_printed_id(a, g, &memcg);

	return r ?: evict(a, memcg, g->node, seq, 0, bytes / sysconf(_SC_PAGESIZE));
}
