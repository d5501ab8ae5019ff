// SPDX-License-Identifier: GPL-2.0-only
#include "sense/tree.h"

#include <errno.h>
#include <string.h>

#include "lib/by_id.h"
#include "lib/cleanup.h"
#include "sense/tree_internal.h"

/* --- looking ---------------------------------------------------------------- */

static size_t container_slot(const struct tree *t, uint64_t id)
{
	size_t low = 0, high = t->nr_containers;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->containers[mid]->view.id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t tree_containers(const struct tree *t)
{
	return t->nr_containers;
}

const struct tree_container *tree_container_at(const struct tree *t, size_t i)
{
	return i < t->nr_containers ? &t->containers[i]->view : NULL;
}

const struct tree_container *tree_container_by_id(const struct tree *t, uint64_t id)
{
	const struct tree_container *c = tree_container_at(t, container_slot(t, id));

	return c && c->id == id ? c : NULL;
}

const struct tree_container *tree_container_of(const struct tree *t, uint64_t group)
{
	const struct group *g = tree_find(t, group);

	return g && g->container ? &g->container->view : NULL;
}

size_t tree_groups_total(const struct tree *t)
{
	return t->nr_groups;
}

int tree_open_dir(const struct tree *t, uint64_t id)
{
	struct group *g = tree_find(t, id);

	if (g && !g->path && !t->by_handle) {
		int err = dir_path(t, g, &g->path);

		if (err)
			return err;
	}
	return dir_open(t, id, g ? g->path : NULL);
}

size_t tree_lrus(const struct tree *t, uint64_t container, const struct tree_lru **ret)
{
	size_t low = BY_ID_PLACE(t->lrus, t->nr_lrus, container), n = 0;

	while (low + n < t->nr_lrus && t->lrus[low + n].container == container)
		n++;
	*ret = t->lrus + low;
	return n;
}

size_t tree_groups(const struct tree *t, uint64_t container, uint64_t *ids, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nr_groups; i++) {
		const struct group *g = t->groups[i];

		if (!g->container || g->container->view.id != container)
			continue;
		if (n < max)
			ids[n] = g->id;
		n++;
	}
	return n;
}

/* --- life ----------------------------------------------------------------- */

void tree_set_config(struct tree *t, const struct ebb_config *config)
{
	t->config = config;
	for (size_t i = 0; i < t->nr_containers; i++)
		names_rules(t, t->containers[i]);
}

static inline void tree_closep(struct tree **t)
{
	tree_close(*t);
}

int tree_open(struct tree **ret, const struct tree_options *options)
{
	__attribute__((cleanup(tree_closep))) struct tree *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->root_fd = -1;
	t->page_size = sysconf(_SC_PAGESIZE);
	t->config = options->config;
	t->event = options->event;
	t->arg = options->arg;
	err = identity_cache_new(&t->cache);
	if (err)
		return err;
	t->host_root = strdup(options->host_root ?: "");
	if (!t->host_root)
		return -ENOMEM;
	err = dir_open_root(t, options->cgroup_root ?: "/sys/fs/cgroup");
	if (err)
		return err;
	t->own_id = dir_own_group(t);
	*ret = TAKE_PTR(t);
	return 0;
}

void tree_close(struct tree *t)
{
	if (!t)
		return;
	t->event = NULL;
	for (size_t i = 0; i < t->nr_containers; i++) {
		free(t->containers[i]->path);
		free(t->containers[i]);
	}
	tree_deliver(t);
	for (size_t i = 0; i < t->nr_groups; i++)
		groups_free(t->groups[i]);
	if (t->root_fd >= 0)
		close(t->root_fd);
	identity_cache_free(t->cache);
	free(t->root_path);
	free(t->host_root);
	free(t->groups);
	free(t->containers);
	free(t->order);
	free(t->lrus);
	free(t->events);
	free(t->members);
	free(t->snaps);
	free(t->orphans);
	free(t->holders);
	free(t->others);
	free(t);
}
