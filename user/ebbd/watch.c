// SPDX-License-Identifier: GPL-2.0-only
/* What happens between two ticks: edges of cgroups, stalls, and what follows for the hooks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "lib/log.h"

#define AGAIN_MS 150
/* Without BPF a census is dear: a burst of edges gets two, and what then comes waits so long. */
#define LOOK_GAP_MS 100
#define RESCAN_MS 1000

/* Where the hooks' counts are lost, the census still has all of a group. */
static void track_group(struct daemon *d, uint64_t group, const struct tree_container *c)
{
	int r = hooks_track(d->hooks, group, c->id, c->name);

	if (r == -E2BIG && !d->untracked++)
		log_warn("more groups than are counted: see faults in `ebb doctor`");
	else if (r)
		log_debug("faults of group %llu are not counted: %s", (unsigned long long)group,
			  strerror(-r));
}

static void rename_groups(struct daemon *d, const struct tree_container *c)
{
	size_t n = tree_groups(d->tree, c->id, NULL, 0);
	_cleanup_free_ uint64_t *ids = calloc(n ? n : 1, sizeof(*ids));

	if (ids)
		n = tree_groups(d->tree, c->id, ids, n);
	for (size_t i = 0; ids && i < n; i++)
		track_group(d, ids[i], c);
}

static void watch_pressure(struct daemon *d, uint64_t id)
{
	_cleanup_close_ int fd = tree_open_dir(d->tree, id);
	int r = fd < 0 ? fd : pressure_watch(d->pressure, id, fd);

	/* No PSI, or too many: the census still shows the totals. */
	if (r)
		log_debug("no stall trigger for %llu: %s", (unsigned long long)id, strerror(-r));
}

void watch_tree(void *arg, enum tree_event event, const struct tree_container *c, uint64_t group)
{
	struct daemon *d = arg;

	switch (event) {
	case TREE_CONTAINER_BORN:
		if (track_add(d, c->id))
			log_warn("out of memory: a container goes without pause and outcome");
		learned_expect(d, c);
		watch_pressure(d, c->id);
		log_info("container %s (%s) is here", c->name, c->runtime);
		break;
	case TREE_CONTAINER_NAMED:
		rename_groups(d, c);
		learned_expect(d, c);
		break;
	case TREE_CONTAINER_FILLED:
		break;
	case TREE_CONTAINER_EMPTIED:
		learned_end(d, c);
		log_info("container %s has ended", c->name);
		break;
	case TREE_CONTAINER_GONE:
		log_debug("container %s is gone", c->name);
		pressure_forget(d->pressure, c->id);
		learned_end(d, c);
		track_drop(d, c->id);
		break;
	case TREE_GROUP_JOINED:
		track_group(d, group, c);
		break;
	case TREE_GROUP_LEFT:
		hooks_untrack(d->hooks, group);
		break;
	}
}

static void on_edge(void *arg, const struct ebb_edge *e)
{
	struct daemon *d = arg;

	if (e->kind == EBB_EDGE_SHORT) {
		if (host_may_open(d)) {
			d->snap.low_memory = true;
			tick_soon(d, 0);
		}
		return;
	}
	if (tree_edge(d->tree, e, now_ms()) != 1)
		return;
	tick_soon(d, 0);
	/* What a removed group left is believed when two censuses agree (tree_orphans.c). */
	d->again_ms = now_ms() + AGAIN_MS;
}

static void on_edges(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;
	uint64_t lost;

	if (status < 0 || d->stopping)
		return;
	hooks_edges_read(d->hooks, on_edge, d);
	lost = hooks_edges_lost(d->hooks);
	if (lost != d->edges_lost) {
		log_warn("%llu edges of cgroups were lost; looking at all of them again",
			 (unsigned long long)(lost - d->edges_lost));
		d->edges_lost = lost;
		tick_soon(d, 0);
	}
}

static void on_inotify(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;
	uint64_t now = now_ms(), next = d->last_tick_ms + LOOK_GAP_MS;

	if (status < 0 || d->stopping || edges_inotify_read(d->inotify) <= 0)
		return;
	tick_soon(d, next > now ? next - now : 0);
	d->again_ms = now + AGAIN_MS;
}

static int open_group(void *arg, uint64_t id)
{
	const struct daemon *d = arg;

	return tree_open_dir(d->tree, id);
}

void watch_follow(struct daemon *d, const struct ebb_census *recs, size_t n, uint64_t now)
{
	uint64_t again = 0;

	if (!d->inotify)
		return;
	/* What was born in a new group before it was watched; and those that cannot be. */
	if (edges_inotify_follow(d->inotify, recs, n, open_group, d) > 0)
		again = now + AGAIN_MS;
	else if (edges_inotify_unwatched(d->inotify))
		again = now + RESCAN_MS;
	if (again && d->again_ms <= now)
		d->again_ms = again;
}

/*
 * What was cold when an act began is so no longer: what is touched on the way the kernel spares,
 * and takes younger memory for the rest of the amount.
 */
static void on_stall(void *arg, uint64_t id)
{
	struct daemon *d = arg;

	log_debug("container %llu waits for memory", (unsigned long long)id);
	act_yield(d->act, id);
	tick_soon(d, 0);
}

int watch_open(struct daemon *d)
{
	struct pressure_options opts = { .loop = &d->loop, .cb = on_stall, .arg = d };
	int r = pressure_open(&d->pressure, &opts);
	int fd = hooks_edges_fd(d->hooks);

	if (r)
		return r;
	if (fd < 0) {
		/* Without either, the ticks look for themselves. */
		if (edges_inotify_open(&d->inotify, 0))
			return 0;
		fd = edges_inotify_fd(d->inotify);
	}
	r = uv_poll_init(&d->loop, &d->edges, fd);
	if (r)
		return r;
	d->edges.data = d;
	d->edges_open = true;
	return uv_poll_start(&d->edges, UV_READABLE, d->inotify ? on_inotify : on_edges);
}

void watch_close(struct daemon *d)
{
	if (d->edges_open)
		uv_close((uv_handle_t *)&d->edges, NULL);
	d->edges_open = false;
	edges_inotify_close(d->inotify);
	d->inotify = NULL;
	pressure_close(d->pressure);
	d->pressure = NULL;
}
