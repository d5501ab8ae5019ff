// SPDX-License-Identifier: GPL-2.0-only
/* Edges out of the ring, and the map of containers. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"
#include "sense/census.h"

#include "ebb.skel.h"

/*
 * libbpf goes on while more comes, and a group that is filled and emptied in a
 * loop would keep us in there for good. An error ends it, behind this edge.
 */
#define EDGES_AT_ONCE 1024

static int on_edge(void *arg, void *data, size_t size)
{
	struct hooks *h = arg;

	if (size >= sizeof(struct ebb_edge))
		h->edge_fn(h->edge_arg, data);
	return ++h->edges_read < EDGES_AT_ONCE ? 0 : -E2BIG;
}

int hooks_open_ring(struct hooks *h)
{
	if (!h->skel || !(h->ladder.progs & (PROGS_EDGES | PROG(SHORT))))
		return 0;
	h->ring = ring_buffer__new(bpf_map__fd(h->skel->maps.edges), on_edge, h, NULL);
	return h->ring ? 0 : -errno;
}

int hooks_edges_fd(const struct hooks *h)
{
	return h->ring ? ring_buffer__epoll_fd(h->ring) : -1;
}

int hooks_edges_read(struct hooks *h, void (*fn)(void *arg, const struct ebb_edge *e), void *arg)
{
	int r;

	if (!h->ring)
		return 0;
	h->edge_fn = fn;
	h->edge_arg = arg;
	h->edges_read = 0;
	r = ring_buffer__consume(h->ring);
	return r < 0 && r != -E2BIG ? r : (int)h->edges_read;
}

uint64_t hooks_edges_lost(const struct hooks *h)
{
	return h->skel ? h->skel->bss->edges_lost : 0;
}

static int containers_fd(const struct hooks *h)
{
	if (h->skel)
		return bpf_map__fd(h->skel->maps.containers);
	return h->census ? census_containers_fd(h->census) : -1;
}

/* Said where the ladder is shown, for as long as we run: those that were refused stay out. */
static void say_full(struct hooks *h)
{
	struct hook_rung *rung = &h->ladder.rungs[DATA_FAULTS];

	snprintf(h->full_text, sizeof(h->full_text),
		 "faults and refaults of some groups: there are more than %u", h->opts.max_tracked);
	rung->best = false;
	rung->without = h->full_text;
	rung->remedy = "fewer cgroups";
}

int hooks_track(struct hooks *h, uint64_t group, uint64_t container, const char *name)
{
	struct ebb_container value = { .container = container };
	int fd = containers_fd(h);

	if (fd < 0)
		return 0;
	text_printable(value.name, sizeof(value.name), name);
	if (!bpf_map_update_elem(fd, &group, &value, BPF_NOEXIST))
		return 0;
	if (errno == E2BIG)
		say_full(h);
	if (errno != EEXIST)
		return -errno;
	/*
	 * A new name or container: counts that come in between reading and
	 * writing are lost, a matter of microseconds once in a container's life.
	 */
	if (bpf_map_lookup_elem(fd, &group, &value))
		return -errno;
	value.container = container;
	memset(value.name, 0, sizeof(value.name));
	text_printable(value.name, sizeof(value.name), name);
	return bpf_map_update_elem(fd, &group, &value, BPF_EXIST) ? -errno : 0;
}

int hooks_untrack(struct hooks *h, uint64_t group)
{
	int fd = containers_fd(h);

	if (fd < 0 || !bpf_map_delete_elem(fd, &group))
		return 0;
	return errno == ENOENT ? 0 : -errno;
}

int hooks_counts(const struct hooks *h, uint64_t group, struct ebb_container *ret)
{
	int fd = containers_fd(h);
	struct ebb_container value;

	if (fd < 0)
		return -ENODATA;
	if (bpf_map_lookup_elem(fd, &group, &value))
		return -errno;
	*ret = value;
	return 0;
}
