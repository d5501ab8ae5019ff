// SPDX-License-Identifier: GPL-2.0-only
/*
 * What removed groups left: page cache stays charged to a removed group, which
 * the kernel keeps as long as it holds any (up to 7.0 or so; later the pages move
 * to the parent's own lists). No file shows it by itself, but the
 * figures of memory.stat are recursive: what the parent has and no living
 * child has, nor the parent itself, is of the dead.
 *
 * Only page cache counts: anon goes with its processes. What of it is mapped
 * does not, for the living have it mapped: the first container of an image
 * pays for what all of them run from.
 *
 * The figures are of one flush, but a child may have been flushed since, and
 * shrunk: that looks like the dead growing. So an amount is believed when the census before
 * had it as well, or when a child went in between that had as much; and below
 * a group whose cgroup.stat knows of no dying one there is none.
 */
#include "sense/fold.h"
#include "sense/tree_internal.h"

#define ORPHANS_MIN (4u << 20) /* bytes; less is not worth a walk over the lists */

static uint64_t sub(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t file_bytes(const struct ebb_census *rec)
{
	/* shmem counts as file, but is swapped like anon */
	return sub(rec->file, rec->shmem);
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

/* g->orphans of one that has a container is 0: it is part of the container's size. */
static void count(const struct tree *t, struct group *g, const struct ebb_census *recs)
{
	uint64_t lists = lists_file(t, g, recs), living = g->children_file, dead;
	bool processes = g->id == t->root_id || (!g->children && g->populated);

	/* The kernel lets processes into the root and into groups without children only. */
	if (processes)
		living += lists;
	g->own_file = processes ? 0 : lists;
	dead = sub(sub(g->file, living),
		   sub(g->mapped, g->children_mapped + (processes ? lists : 0)));
	believe(t, g, g->container ? 0 : dead);
}

void orphans_update(struct tree *t, const struct ebb_census *recs)
{
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];
		const struct ebb_census *rec = g->nr ? &recs[t->order[g->first]] : NULL;

		if (rec && !(rec->flags & EBB_CENSUS_STATS))
			rec = NULL;
		g->file = rec ? file_bytes(rec) : 0;
		g->mapped = rec ? rec->file_mapped : 0;
		g->children_file = g->children_mapped = 0;
	}
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *up = t->groups[i]->up;

		if (up) {
			up->children_file += t->groups[i]->file;
			up->children_mapped += t->groups[i]->mapped;
		}
	}
	for (size_t i = 0; i < t->nr_groups; i++)
		count(t, t->groups[i], recs);
}

uint64_t orphans_of(const struct tree *t, const struct group *g)
{
	if (g->reported < ORPHANS_MIN || g->container)
		return 0;
	if (g->own_file >= g->reported || dir_has_dying(t, g))
		return g->reported;
	return g->own_file >= ORPHANS_MIN ? g->own_file : 0;
}
