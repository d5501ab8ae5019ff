// SPDX-License-Identifier: GPL-2.0-only
/*
 * What removed groups left: page cache stays charged to a removed group, which
 * the kernel keeps as long as it holds any (up to 7.0 or so; later the pages move
 * to the parent's own lists). No file shows it by itself, but the
 * figures of memory.stat are recursive: what the parent has and no living
 * child has, nor the parent itself, is of the dead.
 *
 * Only page cache counts: anon goes with its processes. The figures are of
 * one flush, but a child may have been flushed since, and shrunk: that looks
 * like the dead growing. So an amount is believed when the census before
 * had it as well, or when a child went in between that had as much; and below
 * a group whose cgroup.stat knows of no dying one there is none.
 *
 * What of it is mapped is in use, by a process in another group: the program that the next
 * container runs was read by the last one. No file that is only read shows that.
 */
#include "sense/fold.h"
#include "sense/tree_internal.h"

#define ORPHANS_MIN (4u << 20) /* bytes; less is not worth a walk over the lists */

static uint64_t file_bytes(const struct ebb_census *rec)
{
	/* shmem counts as file, but is swapped like anon */
	return rec->file > rec->shmem ? rec->file - rec->shmem : 0;
}

static uint64_t lists_file(const struct tree *t, const struct group *g,
			   const struct ebb_census *recs)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < g->nr; i++)
		bytes += fold_own_file(&recs[t->order[g->first + i]]);
	return bytes;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* g went: what it had may be an orphan below its parent from now on. */
void orphans_lost(struct group *g)
{
	if (g->up)
		g->up->lost += g->file > g->lost ? g->file : g->lost;
}

/*
 * The root's figures hold more than its children's and its lists': an
 * initramfs, mlocked files. So of the root only what children that were seen
 * to go had is believed, and less of it as soon as there is less.
 */
static void believe(const struct tree *t, struct group *g, uint64_t now)
{
	uint64_t before = g->id == t->root_id ? g->reported : g->orphans;

	g->reported = min_u64(now, before + g->lost);
	g->orphans = now;
	g->lost = 0;
}

/* Of the files mapped below g, what no living child has. */
static uint64_t dead_mapped(const struct group *g)
{
	return g->mapped > g->children_mapped ? g->mapped - g->children_mapped : 0;
}

/* g->orphans of one that has a container is 0: it is part of the container's size. */
static void count(const struct tree *t, struct group *g, const struct ebb_census *recs)
{
	uint64_t lists = lists_file(t, g, recs), living = g->children_file;
	bool processes = g->id == t->root_id || (!g->children && g->populated);

	/* The kernel lets processes into the root and into groups without children only. */
	if (processes)
		living += lists;
	g->own_file = processes ? 0 : lists;
	if (!g->reported && !g->lost)
		g->mapped_base = processes ? dead_mapped(g) : 0;
	believe(t, g, g->file > living && !g->container ? g->file - living : 0);
}

void orphans_update(struct tree *t, const struct ebb_census *recs)
{
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];
		const struct ebb_census *rec = g->nr ? &recs[t->order[g->first]] : NULL;

		bool known = rec && (rec->flags & EBB_CENSUS_STATS);

		g->file = known ? file_bytes(rec) : 0;
		g->mapped = known ? rec->file_mapped : 0;
		g->children_file = g->children_mapped = 0;
	}
	for (size_t i = 0; i < t->nr_groups; i++) {
		const struct group *g = t->groups[i];

		if (!g->up)
			continue;
		g->up->children_file += g->file;
		g->up->children_mapped += g->mapped;
	}
	for (size_t i = 0; i < t->nr_groups; i++)
		count(t, t->groups[i], recs);
}

static uint64_t worth_an_act(const struct tree *t, const struct group *g)
{
	if (g->reported < ORPHANS_MIN || g->container)
		return 0;
	if (g->own_file >= g->reported || dir_has_dying(t, g))
		return g->reported;
	return g->own_file >= ORPHANS_MIN ? g->own_file : 0;
}

uint64_t orphans_of(const struct tree *t, const struct group *g, uint64_t *ret_mapped)
{
	uint64_t bytes = worth_an_act(t, g), mapped = dead_mapped(g);

	*ret_mapped = min_u64(bytes, mapped > g->mapped_base ? mapped - g->mapped_base : 0);
	return bytes;
}
