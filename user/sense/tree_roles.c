// SPDX-License-Identifier: GPL-2.0-only
/* Which groups are containers, and which groups belong to them. */
#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sense/tree_internal.h"

/* What looks like an engine's container but never had a process: not before it was seen this
 * often. Later it is taken for a leftover of before our time. */
#define LEFTOVER_CENSUSES 2

int roles_event(struct tree *t, enum tree_event event, struct container *c, uint64_t group)
{
	int err = tree_grow(&t->events, &t->max_events, t->nr_events + 1, sizeof(*t->events));

	if (err)
		return err;
	t->events[t->nr_events++] =
		(struct pending_event){ .event = event, .container = c, .group = group };
	return 0;
}

/* The outermost engine's group above or at g. */
static struct group *outermost_engine(struct group *g)
{
	struct group *found = NULL;

	for (; g; g = g->up)
		if (g->classified && g->kind == IDENTITY_ENGINE)
			found = g;
	return found;
}

int roles_classify(struct tree *t, struct group *g)
{
	struct identity_key key;
	int err;

	/* Inside of an engine's container nothing else counts, and no path is needed. */
	if (g->classified || outermost_engine(g))
		return 0;
	if (!g->path) {
		err = dir_path(t, g, &g->path);
		if (err == -EXDEV) {
			g->kind = IDENTITY_SYSTEM; /* not of our part of the hierarchy */
			g->classified = true;
			return 0;
		}
		if (err)
			return err == -ENOMEM ? err : 0; /* gone: the next census says so too */
	}
	identity_match(g->path, &key);
	if (key.kind == IDENTITY_NONE)
		identity_probe(t->host_root, g->path, &key);
	g->kind = key.kind;
	g->classified = true;
	t->stale_roles = true;
	return 0;
}

/* May this group count at all, and has it been in use? */
static bool may_be_engine(const struct group *g)
{
	return g->was_populated || g->seen >= LEFTOVER_CENSUSES;
}

static bool is_slice(const struct group *g)
{
	size_t n = strlen(".slice"), len = strlen(g->path);

	return len > n && !strcmp(g->path + len - n, ".slice");
}

/*
 * A leaf with processes. Once found it stays one, so it must not be found by
 * mistake: a census shows children and processes of one moment, edges may
 * have been lost or be behind, so there the group is asked.
 */
static bool is_new_bare(struct tree *t, const struct group *g)
{
	if (g->kind != IDENTITY_NONE || !g->populated || g->children || g->engine_below ||
	    is_slice(g))
		return false;
	if (t->in_census || dir_has_processes(t, g))
		return true;
	t->stale_roles = true; /* the census will tell */
	return false;
}

/* Whom a group belongs to; NULL: nobody. */
static struct group *find_owner(struct tree *t, struct group *g)
{
	struct group *engine = outermost_engine(g), *unit = NULL, *bare = NULL;

	if (engine)
		return may_be_engine(engine) ? engine : NULL;
	for (struct group *up = g; up; up = up->up) {
		if (!up->classified)
			return NULL; /* what it is will be known with the next census */
		/* Nothing is bare below the system's own services; the root is the exception. */
		if (up->kind == IDENTITY_SKIP ||
		    (up->kind == IDENTITY_SYSTEM && up->id != t->root_id))
			return NULL;
		if (up->kind == IDENTITY_UNIT)
			unit = up;
		if (up->bare && !up->engine_below)
			bare = up;
	}
	if (g->kind == IDENTITY_SYSTEM)
		return NULL;
	if (unit)
		return unit->was_populated && !unit->engine_below ? unit : NULL;
	if (!bare && is_new_bare(t, g)) {
		g->bare = true;
		bare = g;
	}
	return bare;
}

static void mark_engines(struct tree *t)
{
	for (size_t i = 0; i < t->nr_groups; i++) {
		t->groups[i]->engine_below = false;
		t->groups[i]->children = 0;
	}
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];

		if (g->up)
			g->up->children++;
		if (g->classified && g->kind == IDENTITY_ENGINE)
			for (struct group *up = g->up; up && !up->engine_below; up = up->up)
				up->engine_below = true;
	}
}

static void unlink_container(struct tree *t, struct container *c)
{
	for (size_t i = 0; i < t->nr_containers; i++) {
		if (t->containers[i] != c)
			continue;
		memmove(t->containers + i, t->containers + i + 1,
			(t->nr_containers - i - 1) * sizeof(*t->containers));
		t->nr_containers--;
		return;
	}
}

/* Its groups leave first; it stays readable until the events are out. */
int roles_drop_container(struct tree *t, struct container *c)
{
	int err = 0, first_err = 0;

	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];

		if (g->container != c)
			continue;
		err = roles_event(t, TREE_GROUP_LEFT, c, g->id);
		first_err = first_err ?: err;
		g->container = NULL;
	}
	err = roles_event(t, TREE_CONTAINER_GONE, c, c->view.id);
	first_err = first_err ?: err;
	unlink_container(t, c);
	c->group = NULL;
	c->next_gone = t->gone;
	t->gone = c;
	return first_err;
}

static int insert_container(struct tree *t, struct container *c)
{
	size_t i = t->nr_containers;
	int err = tree_grow(&t->containers, &t->max_containers, i + 1, sizeof(*t->containers));

	if (err)
		return err;
	while (i && t->containers[i - 1]->view.id > c->view.id)
		i--;
	memmove(t->containers + i + 1, t->containers + i,
		(t->nr_containers - i) * sizeof(*t->containers));
	t->containers[i] = c;
	t->nr_containers++;
	return 0;
}

static void container_freep(struct container **c)
{
	if (*c)
		free((*c)->path);
	free(*c);
}

static int make_container(struct tree *t, struct group *g, uint64_t now_ms)
{
	__attribute__((cleanup(container_freep))) struct container *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->path = strdup(g->path ?: "");
	if (!c->path)
		return -ENOMEM;
	c->group = g;
	c->view.id = g->id;
	c->view.path = c->path;
	c->view.populated = g->populated;
	c->view.born_ms = g->was_populated ? now_ms : 0;
	err = names_start(t, c, now_ms);
	if (!err)
		err = roles_event(t, TREE_CONTAINER_BORN, c, g->id);
	if (!err)
		err = insert_container(t, c);
	if (err) {
		/* An event of it must not outlive it. */
		if (t->nr_events && t->events[t->nr_events - 1].container == c)
			t->nr_events--;
		return err;
	}
	g->container = TAKE_PTR(c);
	return roles_event(t, TREE_GROUP_JOINED, g->container, g->id);
}

static bool is_own_group(const struct container *c)
{
	return c->group && c->group->owner == c->group;
}

/* Containers that are none any more, then new ones, then the groups inside. */
static int apply_owners(struct tree *t, uint64_t now_ms)
{
	int err, first_err = 0;

	for (size_t i = t->nr_containers; i-- > 0;) {
		if (is_own_group(t->containers[i]))
			continue;
		err = roles_drop_container(t, t->containers[i]);
		first_err = first_err ?: err;
	}
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];

		if (g->owner != g || (g->container && g->container->group == g))
			continue;
		if (g->container) {
			err = roles_event(t, TREE_GROUP_LEFT, g->container, g->id);
			first_err = first_err ?: err;
			g->container = NULL;
		}
		err = make_container(t, g, now_ms);
		first_err = first_err ?: err;
	}
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];
		struct container *c = g->owner ? g->owner->container : NULL;

		if (c && c->group != g->owner)
			c = NULL; /* could not be made: no memory */
		if (g->container == c)
			continue;
		err = g->container ? roles_event(t, TREE_GROUP_LEFT, g->container, g->id) : 0;
		first_err = first_err ?: err;
		g->container = c;
		err = c ? roles_event(t, TREE_GROUP_JOINED, c, g->id) : 0;
		first_err = first_err ?: err;
	}
	return first_err;
}

int roles_assign(struct tree *t, uint64_t now_ms)
{
	struct group *own, *own_owner = NULL;
	int err;

	if (!t->stale_roles)
		return 0;
	t->stale_roles = false;
	mark_engines(t);
	own = t->own_id ? tree_find(t, t->own_id) : NULL;
	if (own)
		own_owner = find_owner(t, own);
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];

		g->owner = find_owner(t, g);
		/* Reclaiming what we run in would have us wait for ourselves. */
		if (own_owner && g->owner == own_owner)
			g->owner = NULL;
	}
	err = apply_owners(t, now_ms);
	if (err)
		t->stale_roles = true;
	return err;
}

int roles_populated(struct tree *t, struct group *g, bool populated, uint64_t now_ms)
{
	struct container *c = g->container && g->container->group == g ? g->container : NULL;

	if (g->populated == populated)
		return 0;
	g->populated = populated;
	if (populated && !g->container)
		t->stale_roles = true; /* it may be one now */
	g->was_populated |= populated;
	if (!c)
		return 0;
	c->view.populated = populated;
	if (populated && !c->view.born_ms)
		c->view.born_ms = now_ms;
	return roles_event(t, populated ? TREE_CONTAINER_FILLED : TREE_CONTAINER_EMPTIED, c, g->id);
}
