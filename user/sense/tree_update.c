// SPDX-License-Identifier: GPL-2.0-only
/* What comes into the tree: censuses, and edges ahead of them. */
#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sense/fold.h"
#include "sense/tree_internal.h"

void tree_deliver(struct tree *t)
{
	for (size_t i = 0; i < t->nr_events; i++) {
		const struct pending_event *e = &t->events[i];

		if (t->event)
			t->event(t->arg, e->event, &e->container->view, e->group);
	}
	t->nr_events = 0;
	while (t->gone) {
		struct container *c = t->gone;

		t->gone = c->next_gone;
		free(c->path);
		free(c);
	}
}

/* --- the census ----------------------------------------------------------- */

static int compare_records(const void *a, const void *b, void *arg)
{
	const struct ebb_census *recs = arg;
	const struct ebb_census *x = &recs[*(const size_t *)a], *y = &recs[*(const size_t *)b];

	if (x->cgroup != y->cgroup)
		return x->cgroup < y->cgroup ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static bool is_sorted(const struct tree *t, const struct ebb_census *recs, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (compare_records(&t->order[i - 1], &t->order[i], (void *)recs) > 0)
			return false;
	return true;
}

/* Mostly the order of the last time holds. */
static int sort_records(struct tree *t, const struct ebb_census *recs, size_t n)
{
	int err = tree_grow(&t->order, &t->max_order, n, sizeof(*t->order));

	if (err)
		return err;
	if (n != t->nr_order)
		for (size_t i = 0; i < n; i++)
			t->order[i] = i;
	t->nr_order = n;
	if (!is_sorted(t, recs, n))
		qsort_r(t->order, n, sizeof(*t->order), compare_records, (void *)recs);
	return 0;
}

/* nr of the records at order[first] are of one group. Creates it where it is new. */
static int take_records(struct tree *t, const struct ebb_census *recs, size_t first, size_t nr,
			struct group *g, uint64_t now_ms)
{
	const struct ebb_census *rec = &recs[t->order[first]];
	int err;

	if (!g) {
		err = tree_grow(&t->groups, &t->max_groups, t->nr_groups + 1, sizeof(*t->groups));
		if (!err)
			err = groups_new(t, rec->cgroup, rec->parent, rec->level, &g);
		if (err)
			return err;
		t->groups[t->nr_groups++] = g;
		t->stale_roles = true;
	}
	g->first = first;
	g->nr = nr;
	g->missed = 0;
	if (++g->seen == 2 && g->kind == IDENTITY_ENGINE && !g->was_populated)
		t->stale_roles = true; /* a leftover, see tree_roles.c */
	return roles_populated(t, g, rec->flags & EBB_CENSUS_POPULATED, now_ms);
}

/* Both are sorted by id: one walk. New groups are appended, out of order for now. */
static int match_records(struct tree *t, const struct ebb_census *recs, size_t n, uint64_t now_ms)
{
	size_t i = 0, known = 0, nr_known = t->nr_groups;
	int err, first_err = 0;

	for (size_t k = 0; k < nr_known; k++)
		t->groups[k]->nr = 0;
	while (i < n) {
		uint64_t id = recs[t->order[i]].cgroup;
		struct group *g = NULL;
		size_t nr = 1;

		while (i + nr < n && recs[t->order[i + nr]].cgroup == id)
			nr++;
		while (known < nr_known && t->groups[known]->id < id)
			known++;
		if (known < nr_known && t->groups[known]->id == id)
			g = t->groups[known];
		err = take_records(t, recs, i, nr, g, now_ms);
		first_err = first_err ?: err;
		i += nr;
	}
	if (t->nr_groups > nr_known)
		groups_sort(t);
	return first_err;
}

/* A group that an edge announced, and no census had so far, may have come after this one. */
static bool is_missing(struct group *g)
{
	return !g->nr && (g->seen || ++g->missed > 1);
}

static int remove_missing(struct tree *t)
{
	size_t gone = 0;
	int err, first_err = 0;

	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];

		g->gone = is_missing(g);
		if (!g->gone)
			continue;
		err = groups_detach(t, g);
		first_err = first_err ?: err;
		gone++;
	}
	if (gone)
		groups_sweep(t);
	return first_err;
}

static void group_lrus(struct tree *t, const struct group *g, const struct ebb_census *recs)
{
	for (size_t i = 0; i < g->nr; i++) {
		const struct ebb_census *rec = &recs[t->order[g->first + i]];

		if (!(rec->flags & EBB_CENSUS_LRU_GEN))
			continue;
		t->lrus[t->nr_lrus++] = (struct tree_lru){
			.container = g->container->view.id,
			.cgroup = rec->cgroup,
			.max_seq = rec->max_seq,
			.age_ms = rec->gen[rec->max_seq % EBB_MAX_GENS].age_ms,
			.memcg = rec->memcg,
			.node = rec->node,
			.file = fold_file_lists(rec),
		};
	}
}

static int collect_lrus(struct tree *t, const struct ebb_census *recs, size_t n)
{
	int err = tree_grow(&t->lrus, &t->max_lrus, n, sizeof(*t->lrus));

	t->nr_lrus = 0;
	if (!err)
		err = members_collect(t);
	if (err)
		return err;
	for (size_t i = 0; i < t->nr_containers; i++) {
		const struct container *c = t->containers[i];

		for (size_t k = 0; k < c->nr; k++)
			group_lrus(t, t->members[c->first + k], recs);
	}
	return 0;
}

static int classify_all(struct tree *t)
{
	int err, first_err = 0;

	for (size_t i = 0; i < t->nr_groups; i++) {
		err = roles_classify(t, t->groups[i]);
		first_err = first_err ?: err;
	}
	return first_err;
}

int tree_update(struct tree *t, const struct ebb_census *recs, size_t n, uint64_t now_ms)
{
	size_t before = t->nr_groups;
	int err = sort_records(t, recs, n), first_err;

	if (err)
		return err;
	first_err = match_records(t, recs, n, now_ms);
	if (t->nr_groups != before)
		groups_link(t);
	err = remove_missing(t);
	first_err = first_err ?: err;
	err = classify_all(t);
	first_err = first_err ?: err;
	err = names_retry(t, now_ms);
	first_err = first_err ?: err;
	t->in_census = true;
	err = roles_assign(t, now_ms);
	t->in_census = false;
	first_err = first_err ?: err;
	identity_cache_drop(t->cache);
	orphans_update(t, recs);
	err = collect_lrus(t, recs, n);
	first_err = first_err ?: err;
	tree_deliver(t);
	return first_err;
}

/* --- edges ---------------------------------------------------------------- */

/*
 * What an edge changes is told from whether events of that kind came of it. A
 * new group in a container's or nobody's tree changes no role before it is
 * populated, unless an engine made it.
 */
static int announce(struct tree *t, const struct ebb_edge *e, struct group **ret)
{
	struct group *g, *up;
	int err = groups_new(t, e->cgroup, e->parent, e->level, &g);

	if (err)
		return err;
	up = g->parent ? tree_find(t, g->parent) : NULL;
	g->up = up && up->level < g->level ? up : NULL;
	err = roles_classify(t, g);
	if (!err && !g->classified && (!g->up || !g->up->container))
		err = -ESTALE; /* gone again; or the census will tell more */
	if (!err)
		err = groups_insert(t, g);
	if (err) {
		groups_free(g);
		return err == -ENOMEM ? err : 0;
	}
	/* Those below it that came first: of a new subtree the child is populated before the
	 * parent. */
	for (size_t i = 0; i < t->nr_groups; i++)
		if (t->groups[i]->parent == g->id && t->groups[i]->level > g->level) {
			t->groups[i]->up = g;
			g->children++;
		}
	if (g->up)
		g->up->children++;
	if (g->up && g->up->container) {
		g->container = g->up->container;
		err = roles_event(t, TREE_GROUP_JOINED, g->container, g->id);
	}
	t->stale_roles = true;
	*ret = g;
	return err;
}

static int forget(struct tree *t, struct group *g)
{
	int err = groups_detach(t, g);

	g->gone = true;
	groups_sweep(t);
	return err;
}

static int apply_edge(struct tree *t, const struct ebb_edge *e, uint64_t now_ms)
{
	struct group *g = tree_find(t, e->cgroup);
	int err = 0;

	switch (e->kind) {
	case EBB_EDGE_GONE:
		return g ? forget(t, g) : 0;
	case EBB_EDGE_EMPTIED:
		return g ? roles_populated(t, g, false, now_ms) : 0;
	case EBB_EDGE_BORN:
		return g ? 0 : announce(t, e, &g);
	case EBB_EDGE_ATTACHED:
	case EBB_EDGE_POPULATED:
		if (!g)
			err = announce(t, e, &g);
		if (!g)
			return err;
		return roles_populated(t, g, true, now_ms) ?: err;
	default:
		return 0; /* a kind that later programs may add */
	}
}

static bool tells_of_containers(const struct tree *t)
{
	for (size_t i = 0; i < t->nr_events; i++)
		switch (t->events[i].event) {
		case TREE_CONTAINER_BORN:
		case TREE_CONTAINER_FILLED:
		case TREE_CONTAINER_EMPTIED:
		case TREE_CONTAINER_GONE:
			return true;
		default:
			break;
		}
	return false;
}

int tree_edge(struct tree *t, const struct ebb_edge *e, uint64_t now_ms)
{
	int err = apply_edge(t, e, now_ms), roles;
	bool tells;

	/* What a birth or an end changes in roles can wait for the census; a start cannot. */
	if (e->kind == EBB_EDGE_POPULATED || e->kind == EBB_EDGE_ATTACHED) {
		roles = roles_assign(t, now_ms);
		err = err ?: roles;
		identity_cache_drop(t->cache);
	}
	tells = tells_of_containers(t);
	tree_deliver(t);
	return err ? err : tells;
}
