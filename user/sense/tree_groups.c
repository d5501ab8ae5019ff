// SPDX-License-Identifier: GPL-2.0-only
/* The array of all groups, sorted by id, and the links between them. */
#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sense/tree_internal.h"

/* array is the address of a pointer to elements of any type. */
int tree_grow(void *array, size_t *max, size_t need, size_t size)
{
	size_t want = *max ? *max : 64;
	void *old, *grown;

	if (need <= *max)
		return 0;
	while (want < need)
		want *= 2;
	memcpy(&old, array, sizeof(old));
	grown = reallocarray(old, want, size);
	if (!grown)
		return -ENOMEM;
	memcpy(array, &grown, sizeof(grown));
	*max = want;
	return 0;
}

/* Where id is in the groups, or where it would be. */
static size_t group_slot(const struct tree *t, uint64_t id)
{
	size_t low = 0, high = t->nr_groups;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->groups[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct group *tree_find(const struct tree *t, uint64_t id)
{
	size_t i = group_slot(t, id);

	return i < t->nr_groups && t->groups[i]->id == id ? t->groups[i] : NULL;
}

void groups_free(struct group *g)
{
	free(g->path);
	free(g);
}

int groups_new(const struct tree *t, uint64_t id, uint64_t parent, uint32_t level,
	       struct group **ret)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->id = id;
	g->parent = id == t->root_id ? 0 : parent;
	g->level = level;
	*ret = g;
	return 0;
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;

	return x->id < y->id ? -1 : x->id > y->id;
}

void groups_sort(struct tree *t)
{
	qsort(t->groups, t->nr_groups, sizeof(*t->groups), compare_groups);
}

int groups_insert(struct tree *t, struct group *g)
{
	size_t i = group_slot(t, g->id);
	int err = tree_grow(&t->groups, &t->max_groups, t->nr_groups + 1, sizeof(*t->groups));

	if (err)
		return err;
	memmove(t->groups + i + 1, t->groups + i, (t->nr_groups - i) * sizeof(*t->groups));
	t->groups[i] = g;
	t->nr_groups++;
	return 0;
}

/* Takes g out of everything but the array of groups. */
int groups_detach(struct tree *t, struct group *g)
{
	int err = 0;

	orphans_lost(g);
	if (g->container && g->container->group == g)
		err = roles_drop_container(t, g->container);
	else if (g->container)
		err = roles_event(t, TREE_GROUP_LEFT, g->container, g->id);
	g->container = NULL;
	t->stale_roles = true;
	return err;
}

/* A parent is above its children, whatever the records say: no circles. */
void groups_link(struct tree *t)
{
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];
		struct group *up = g->parent ? tree_find(t, g->parent) : NULL;

		g->up = up && up->level < g->level ? up : NULL;
	}
}

void groups_sweep(struct tree *t)
{
	struct group *gone = NULL;
	size_t n = 0;

	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];

		if (g->gone) {
			g->up = gone; /* the list of those to free, once nobody points to them */
			gone = g;
		} else {
			t->groups[n++] = g;
		}
	}
	t->nr_groups = n;
	groups_link(t);
	while (gone) {
		struct group *next = gone->up;

		groups_free(gone);
		gone = next;
	}
}
