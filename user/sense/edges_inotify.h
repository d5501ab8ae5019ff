/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Edges without BPF: inotify on the directory of each group (one is made or
 * removed beneath it) and on its cgroup.events (its first task came, its last
 * one left; the kernel notifies of it since 3.12). They tell that there is
 * something to look at, not what: the next census finds that.
 *
 * Not thread-safe. Negative errno on failure.
 */
#ifndef EBB_SENSE_EDGES_INOTIFY_H
#define EBB_SENSE_EDGES_INOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/abi.h"

struct edges_inotify;

/* max_groups: no more than so many are watched, 0: a default (2048). */
int edges_inotify_open(struct edges_inotify **ret, size_t max_groups);
void edges_inotify_close(struct edges_inotify *e); /* NULL is fine */

/* Becomes readable when something happened. The object's. */
int edges_inotify_fd(const struct edges_inotify *e);

/*
 * After each census: watches the groups that are new and forgets those that
 * went. open_dir gives a descriptor of a group's directory (closed here) or a
 * negative errno. Returns how many are new: what happened in these before they
 * were watched is found by one more census. -ENOMEM: nothing changed.
 */
int edges_inotify_follow(struct edges_inotify *e, const struct ebb_census *recs, size_t n,
			 int (*open_dir)(void *arg, uint64_t id), void *arg);

/* Groups of the last census that are not watched, by our limit or the kernel's. */
size_t edges_inotify_unwatched(const struct edges_inotify *e);

/* Takes what waits; how many of it are edges. */
int edges_inotify_read(struct edges_inotify *e);

/* The edges among the events in buf, as read() from inotify gives them. */
unsigned int edges_inotify_count(const void *buf, size_t len);

#endif /* EBB_SENSE_EDGES_INOTIFY_H */
