// SPDX-License-Identifier: GPL-2.0-only
/*
 * The groups that the cap is held by. A limit on the topmost group covers what is not there
 * yet, so a container that starts is below it from its first page on: machine.slice,
 * kubepods.slice, a bare group. Below the system's own slices it is the container's own group: a
 * limit on system.slice would be one on sshd and on ebbd too.
 */
#include <string.h>

#include "lib/cleanup.h"
#include "sense/tree_internal.h"

/* Engines create a group first and limit it a moment later. */
#define YOUNG_MS 10000
#define LIMIT_FRESH_MS 2000
#define LEAVE_MIN_MS 10000u
#define LEAVE_MAX_MS 640000u

static bool is_system_slice(const struct group *g)
{
	static const char *const paths[] = { "/system.slice", "/user.slice", "/init.scope" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (g->path && !strcmp(g->path, paths[i]))
			return true;
	return g->classified && g->kind == IDENTITY_SYSTEM;
}

static bool is_below(const struct group *g, const struct group *top)
{
	while (g && g != top)
		g = g->up;
	return g;
}

/* NULL while the way up to the root, or what the group has, is not known. */
static struct group *find_holder(const struct tree *t, struct group *g)
{
	struct group *top = g, *found = g->nr ? g : NULL;
	const struct group *own = t->own_id ? tree_find(t, t->own_id) : NULL;

	while (top->up && top->up->id != t->root_id)
		top = top->up;
	if (!top->up || is_system_slice(top) || is_below(own, top))
		return top->up ? found : NULL;
	/* What has no figures has no memory controller, and no limit to set. */
	for (struct group *up = g; up != top->up; up = up->up)
		if (up->nr)
			found = up;
	return found;
}

uint64_t holders_above(const struct group *g)
{
	uint64_t id = 0;

	for (; g; g = g->up)
		if (g->holder)
			id = g->id;
	return id;
}

static void mark(struct tree *t, uint64_t now_ms)
{
	for (size_t i = 0; i < t->nr_containers; i++) {
		struct group *g = t->containers[i]->group;
		struct group *holder = g ? find_holder(t, g) : NULL;

		if (!holder || holder->holder)
			continue;
		holder->holder = true;
		holder->held_ms = now_ms;
	}
}

/* If these are the records that tree_update() saw. */
static const struct ebb_census *figures(const struct tree *t, const struct group *g,
					const struct ebb_census *recs, size_t n)
{
	size_t at = g->nr ? t->order[g->first] : n;

	return at < n && recs[at].cgroup == g->id ? &recs[at] : NULL;
}

static bool is_left(const struct leave *l, uint64_t now_ms)
{
	return l->theirs || now_ms < l->until_ms;
}

int holders_collect(struct tree *t, const struct ebb_census *recs, size_t n, uint64_t now_ms,
		    size_t *ret_nr)
{
	size_t nr = 0;

	mark(t, now_ms);
	for (size_t i = 0; i < t->nr_groups; i++) {
		struct group *g = t->groups[i];
		const struct ebb_census *rec = figures(t, g, recs, n);
		int err;

		/* Below another: found before the one above it was known. */
		if (!g->holder || holders_above(g) != g->id || !rec)
			continue;
		if (!g->limit_ms) {
			g->limit = dir_limit(t, g);
			g->limit_ms = now_ms;
		}
		err = tree_grow(&t->holders, &t->max_holders, nr + 1, sizeof(*t->holders));
		if (err)
			return err;
		t->holders[nr++] = (struct ebb_holder){
			.id = g->id,
			.bytes = rec->usage,
			.swap = rec->swap,
			.limit = g->limit,
			.set = UINT64_MAX,
			.swap_set = UINT64_MAX,
			.left_alone = is_left(&g->leave, now_ms),
			.swap_left_alone = is_left(&g->leave_swap, now_ms),
		};
	}
	*ret_nr = nr;
	return 0;
}

static bool is_other(const struct tree *t, const struct group *g)
{
	return g->id != t->root_id && g->id != t->own_id && g->up && !g->holder_below &&
	       !holders_above(g) && (g->up->id == t->root_id || g->up->holder_below);
}

int others_collect(struct tree *t, const struct ebb_census *recs, size_t n, size_t *ret_nr)
{
	size_t nr = 0;

	for (size_t i = 0; i < t->nr_groups; i++)
		t->groups[i]->holder_below = false;
	for (size_t i = 0; i < t->nr_groups; i++)
		for (struct group *up = t->groups[i]; up && t->groups[i]->holder; up = up->up)
			up->holder_below = true;
	for (size_t i = 0; i < t->nr_groups; i++) {
		const struct ebb_census *rec = figures(t, t->groups[i], recs, n);
		int err;

		if (!rec || !is_other(t, t->groups[i]))
			continue;
		err = tree_grow(&t->others, &t->max_others, nr + 1, sizeof(*t->others));
		if (err)
			return err;
		t->others[nr++] = (struct ebb_other){
			.id = rec->cgroup,
			.file = rec->file > rec->shmem ? rec->file - rec->shmem : 0,
			.file_mapped = rec->file_mapped,
			.refault_file = rec->refault_file * t->page_size,
		};
	}
	*ret_nr = nr;
	return 0;
}

void tree_holder_changed(struct tree *t, uint64_t id, uint64_t value, uint64_t now_ms)
{
	struct group *g = tree_find(t, id);

	if (!g)
		return;
	g->limit = value;
	g->leave.theirs |= now_ms - g->held_ms >= YOUNG_MS;
}

void tree_holder_swap_changed(struct tree *t, uint64_t id)
{
	struct group *g = tree_find(t, id);

	if (g)
		g->leave_swap.theirs = true;
}

/* A full disk below the journal, say: it will not stay full. */
void tree_holder_failed(struct tree *t, uint64_t id, bool swap, uint64_t now_ms)
{
	struct group *g = tree_find(t, id);
	struct leave *l = g ? (swap ? &g->leave_swap : &g->leave) : NULL;

	if (!l)
		return;
	l->wait_ms = l->wait_ms ? l->wait_ms * 2 : LEAVE_MIN_MS;
	if (l->wait_ms > LEAVE_MAX_MS)
		l->wait_ms = LEAVE_MAX_MS;
	l->until_ms = now_ms + l->wait_ms;
}

void tree_holder_set(struct tree *t, uint64_t id, bool swap)
{
	struct group *g = tree_find(t, id);

	if (g)
		(swap ? &g->leave_swap : &g->leave)->wait_ms = 0;
}

uint64_t tree_holder_limit(struct tree *t, uint64_t id, uint64_t now_ms)
{
	struct group *g = tree_find(t, id);

	if (!g)
		return UINT64_MAX;
	if (now_ms - g->limit_ms >= LIMIT_FRESH_MS) {
		g->limit = dir_limit(t, g);
		g->limit_ms = now_ms;
	}
	return g->limit;
}
