// SPDX-License-Identifier: GPL-2.0-only
/* The tree as the policy sees it. */
#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sense/fold.h"
#include "sense/tree_internal.h"

/*
 * The groups, sorted by id, dealt out to the containers: without sorting anew,
 * and without memory but for growth.
 */
int members_collect(struct tree *t)
{
	size_t first = 0;
	int err = tree_grow(&t->members, &t->max_members, t->nr_groups, sizeof(*t->members));

	if (err)
		return err;
	for (size_t i = 0; i < t->nr_containers; i++)
		t->containers[i]->nr = 0;
	for (size_t i = 0; i < t->nr_groups; i++)
		if (t->groups[i]->container)
			t->groups[i]->container->nr++;
	for (size_t i = 0; i < t->nr_containers; i++) {
		t->containers[i]->first = first;
		first += t->containers[i]->nr;
		t->containers[i]->nr = 0;
	}
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct container *c = t->groups[i]->container;

		if (c)
			t->members[c->first + c->nr++] = t->groups[i];
	}
	return 0;
}

/* The k-th record of g, if these are the records that tree_update() saw. */
static const struct ebb_census *record(const struct tree *t, const struct group *g, size_t k,
				       const struct ebb_census *recs, size_t n)
{
	size_t i = k < g->nr ? t->order[g->first + k] : n;

	return i < n && recs[i].cgroup == g->id ? &recs[i] : NULL;
}

static void fold_container(const struct tree *t, const struct container *c,
			   const struct ebb_census *recs, size_t n, uint64_t now_ms,
			   struct ebb_snap_container *ret)
{
	const struct ebb_census *own = record(t, c->group, 0, recs, n), *rec;
	struct fold f;

	*ret = (struct ebb_snap_container){
		.id = c->view.id,
		.born_ms = c->view.born_ms,
		.populated = c->view.populated,
		.reclaim_off = c->view.reclaim_off,
		.protect = c->view.protect,
		.holder = holders_above(c->group),
	};
	fold_init(&f);
	for (size_t i = 0; i < c->nr; i++)
		for (size_t k = 0; (rec = record(t, t->members[c->first + i], k, recs, n)); k++)
			fold_lru(&f, rec);
	fold_finish(&f, own && !own->node ? own : NULL, now_ms, t->page_size, ret);
}

static int snap_containers(struct tree *t, const struct ebb_census *recs, size_t n, uint64_t now_ms)
{
	int err = tree_grow(&t->snaps, &t->max_snaps, t->nr_containers, sizeof(*t->snaps));

	if (!err)
		err = members_collect(t);
	if (err)
		return err;
	for (size_t i = 0; i < t->nr_containers; i++)
		fold_container(t, t->containers[i], recs, n, now_ms, &t->snaps[i]);
	return 0;
}

static int snap_orphans(struct tree *t, size_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nr_groups; i++) {
		uint64_t mapped, bytes = orphans_of(t, t->groups[i], &mapped);
		int err;

		if (!bytes)
			continue;
		err = tree_grow(&t->orphans, &t->max_orphans, n + 1, sizeof(*t->orphans));
		if (err)
			return err;
		t->orphans[n++] = (struct ebb_orphans){ .parent = t->groups[i]->id,
							.bytes = bytes,
							.mapped = mapped };
	}
	*ret = n;
	return 0;
}

int tree_snapshot(struct tree *t, const struct ebb_census *recs, size_t n, uint64_t now_ms,
		  struct ebb_snapshot *snap)
{
	size_t nr_orphans, nr_holders, nr_others;
	int err = holders_collect(t, recs, n, now_ms, &nr_holders);

	if (!err)
		err = others_collect(t, recs, n, &nr_others);
	if (!err)
		err = snap_containers(t, recs, n, now_ms);
	if (!err)
		err = snap_orphans(t, &nr_orphans);
	if (err)
		return err;
	snap->now_ms = now_ms;
	snap->nr_containers = t->nr_containers;
	snap->containers = t->snaps;
	snap->nr_orphans = nr_orphans;
	snap->orphans = t->orphans;
	snap->nr_holders = nr_holders;
	snap->holders = t->holders;
	snap->nr_others = nr_others;
	snap->others = t->others;
	return 0;
}
