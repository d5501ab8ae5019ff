/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All cgroups by id, and which of them are containers.
 *
 * Fed by the census (tree_update) and, quicker, by edges (tree_edge). A cgroup
 * is its id: its path is looked up once and serves for names and rules only.
 *
 * What is a container (identity.h has the patterns):
 *   1. a group that a container engine made: podman, docker, containerd, CRI,
 *      crun, runc, LXC, nspawn. A container inside belongs to the outermost.
 *      Slices of pods are not containers, what is in them is.
 *   2. where no engine is at work above or below it, a systemd service or
 *      scope (runtime "systemd"), unless it is the system's own: what
 *      identity_system_unit() lists, and all of user.slice and init.scope.
 *   3. any other populated group without memory cgroups beneath it (runtime
 *      "cgroup"): the kernel lets processes into no other than the root. It
 *      stays one when it makes groups of its own. Slices are none.
 * Never: the root, and whatever the calling process runs in.
 */
#ifndef EBB_SENSE_TREE_H
#define EBB_SENSE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/abi.h"
#include "ebb/config.h"
#include "ebb/lists.h"
#include "ebb/snapshot.h"

struct tree;

/*
 * Read-only. Valid until the next tree_update(), tree_edge() or tree_close().
 * Strings are never NULL ("": not known), at most 255 bytes and, but for the
 * bound, as hostile as who chose them: name_printable() before showing them.
 */
struct tree_container {
	uint64_t id; /* cgroup id */
	const char *name;
	const char *runtime; /* "podman", "docker", …, "systemd", "cgroup" */
	const char *image;
	const char *pod;
	const char *namespace;
	const char *path; /* below the cgroup root, "/machine.slice/…"; up to PATH_MAX */
	uint64_t born_ms; /* first seen populated, CLOCK_MONOTONIC */
	bool populated;
	bool named; /* the engine's files were found, or will not be looked for again */
	bool reclaim_off; /* by the rules */
	uint64_t protect; /* bytes, by the rules */
};

enum tree_event {
	TREE_CONTAINER_BORN = 1,
	TREE_CONTAINER_NAMED, /* name, image, … and the rules that match have changed */
	TREE_CONTAINER_FILLED, /* processes came again after it was empty */
	TREE_CONTAINER_EMPTIED, /* the last process left, the group is there */
	TREE_CONTAINER_GONE, /* the group was removed, or is no container any more */
	TREE_GROUP_JOINED, /* `group` belongs to c (c's own group too) */
	TREE_GROUP_LEFT, /* it does not any more */
};

/*
 * Called from within tree_update() and tree_edge(), when the tree is whole
 * again; must not call these two itself. On *_GONE and *_LEFT c is still
 * readable, but no longer found by id.
 */
typedef void (*tree_event_cb)(void *arg, enum tree_event event, const struct tree_container *c,
			      uint64_t group);

struct tree_options {
	const char *cgroup_root; /* NULL: /sys/fs/cgroup */
	const char *host_root; /* put before the engines' folders; NULL: none */
	const struct ebb_config *config; /* rules; kept: must outlive the tree or be replaced */
	tree_event_cb event; /* may be NULL */
	void *arg;
};

/* 0, -ENOMEM, or why the cgroup root cannot be opened. */
int tree_open(struct tree **ret, const struct tree_options *options);
void tree_close(struct tree *t);

/*
 * After each census: what came, went and changed. A group that an edge has
 * just announced may be missing from one census. 0 or -ENOMEM (the tree is
 * then as whole as before, and the next census mends it).
 */
int tree_update(struct tree *t, const struct ebb_census *recs, size_t n, uint64_t now_ms);

/*
 * An edge, ahead of the next census. 1: a container was born, emptied, filled
 * or gone; 0: nothing of that kind; -ENOMEM.
 */
int tree_edge(struct tree *t, const struct ebb_edge *e, uint64_t now_ms);

/* New rules: every container's are resolved again. */
void tree_set_config(struct tree *t, const struct ebb_config *config);

/* The containers, sorted by id. NULL: no such. */
size_t tree_containers(const struct tree *t);
const struct tree_container *tree_container_at(const struct tree *t, size_t i);
const struct tree_container *tree_container_by_id(const struct tree *t, uint64_t id);
/* The container that this group belongs to, if any. */
const struct tree_container *tree_container_of(const struct tree *t, uint64_t group);

/* All groups that the tree knows, containers or not. */
size_t tree_groups_total(const struct tree *t);

/*
 * Opens the directory of any group, O_RDONLY | O_DIRECTORY | O_CLOEXEC, by its
 * id alone: a group of the same path that came later is never returned. The
 * caller closes. -ESTALE: it is gone.
 */
int tree_open_dir(const struct tree *t, uint64_t id);

/* A memory cgroup and node of a container, as of the last census: what its lists are named by. */
struct tree_lru {
	uint64_t container;
	uint64_t cgroup;
	uint64_t max_seq;
	uint64_t age_ms; /* since its youngest generation was born */
	uint32_t memcg; /* private id */
	uint32_t node;
	struct ebb_file_lists file;
};

/*
 * Those of one container, its own group and all below it that have MGLRU
 * generations. *ret points into the tree, until the next tree_update().
 */
size_t tree_lrus(const struct tree *t, uint64_t container, const struct tree_lru **ret);

/* Groups of a container, sorted by id: fills up to max, returns how many there are. */
size_t tree_groups(const struct tree *t, uint64_t container, uint64_t *ids, size_t max);

/*
 * Fills now_ms, containers, orphans and holders of *snap from the records that
 * tree_update() was last given. The arrays are the tree's, valid until the
 * next call. Of a container these are left zero for others to fill: paused,
 * busy, can_age, last; of a holder busy, and set is UINT64_MAX, and limit as tree_holder_limit()
 * saw it last. The rest of *snap is left alone. 0 or -ENOMEM.
 */
int tree_snapshot(struct tree *t, const struct ebb_census *recs, size_t n, uint64_t now_ms,
		  struct ebb_snapshot *snap);

/*
 * Somebody else gave memory.max of a holder another value than we had: theirs from now on. While
 * the group is young that is its engine, which creates it first and limits it then: the value is
 * a limit like one that was there before us.
 */
void tree_holder_changed(struct tree *t, uint64_t id, uint64_t value, uint64_t now_ms);
void tree_holder_swap_changed(struct tree *t, uint64_t id); /* the same of memory.swap.max */

/* One of them could not be set: left alone for 10 s, and twice as long each time in a row. */
void tree_holder_failed(struct tree *t, uint64_t id, bool swap, uint64_t now_ms);
void tree_holder_set(struct tree *t, uint64_t id, bool swap); /* it could */

/*
 * memory.max as others have it, bytes, read again where that is two seconds ago (`docker update`
 * changes it). Only for a holder on which we have set nothing: there it would be ours.
 */
uint64_t tree_holder_limit(struct tree *t, uint64_t id, uint64_t now_ms);

#endif /* EBB_SENSE_TREE_H */
