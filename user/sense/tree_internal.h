/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of the tree; nobody else includes it. */
#ifndef EBB_SENSE_TREE_INTERNAL_H
#define EBB_SENSE_TREE_INTERNAL_H

#include "sense/identity.h"
#include "sense/tree.h"

struct container {
	struct tree_container view; /* its texts are those below */
	struct group *group; /* NULL once gone */
	struct identity_key key;
	struct identity identity;
	char *path;
	size_t first, nr; /* its groups: tree.members[first], as of members_collect() */
	uint64_t next_try_ms; /* to find its name */
	unsigned int tries;
	struct container *next_gone;
};

/* Why a limit of a group is not to be set. */
struct leave {
	bool theirs; /* somebody else has changed it */
	uint64_t until_ms; /* it could not be set: not before that, … */
	uint32_t wait_ms; /* … which is so long, and twice as long the next time */
};

/* Any cgroup. Allocated one by one: pointers stay. */
struct group {
	uint64_t id;
	uint64_t parent;
	struct group *up; /* the parent, NULL while it is not known */
	char *path; /* below the root; NULL: not looked up, or not needed */
	struct container *container; /* that it belongs to */
	struct group *owner; /* found by roles_assign(), to become container */
	uint32_t level;
	enum identity_kind kind;
	bool gone; /* about to be freed */
	bool classified; /* kind is valid */
	bool populated;
	bool was_populated;
	bool bare; /* was a leaf with processes, and is a container since */
	bool engine_below;
	bool holder; /* has held containers: once one, one as long as it is there */
	bool holder_below;
	struct leave leave, leave_swap; /* its limit, and that of its swap */
	uint64_t limit; /* memory.max of others, … */
	uint64_t limit_ms; /* … as of then; 0: not read */
	uint64_t held_ms; /* a holder since */
	unsigned int children; /* groups that the tree knows */
	unsigned int seen; /* censuses that had it */
	unsigned int missed; /* in a row */

	/* of the last census */
	size_t first; /* its records: tree.order[first], nr of them */
	size_t nr;
	uint64_t file; /* recursive page cache without swap-backed pages, bytes */
	uint64_t children_file; /* the sum over those that live */
	uint64_t own_file; /* on its own lists though it has no process: of the dead */
	uint64_t orphans; /* what of file nobody alive has, as the figures have it */
	uint64_t lost; /* what children that went since had of it */
	uint64_t reported; /* the same, believed */
	uint64_t mapped; /* recursive, bytes of files that processes have mapped */
	uint64_t children_mapped;
	uint64_t mapped_base; /* of the rest, what was there before any orphans: the root's own */
};

struct pending_event {
	enum tree_event event;
	struct container *container;
	uint64_t group;
};

struct tree {
	int root_fd;
	uint64_t root_id;
	uint64_t own_id; /* the caller's own group, 0: not known */
	bool by_handle;
	char *root_path; /* as /proc/self/fd has it */
	char *host_root;
	uint64_t page_size;
	const struct ebb_config *config;
	tree_event_cb event;
	void *arg;
	struct identity_cache *cache;

	struct group **groups; /* sorted by id */
	size_t nr_groups, max_groups;
	struct container **containers; /* sorted by id */
	size_t nr_containers, max_containers;
	size_t *order; /* of the records, by cgroup and node */
	size_t nr_order, max_order;
	struct tree_lru *lrus; /* sorted by container, cgroup, node */
	size_t nr_lrus, max_lrus;
	struct pending_event *events;
	size_t nr_events, max_events;
	struct container *gone; /* still in events */
	bool in_census; /* what the groups say of themselves is of one moment */
	bool stale_roles; /* something changed that roles depend on */

	struct group **members; /* the groups of all containers: by container, then by id */
	size_t max_members;
	struct ebb_snap_container *snaps;
	size_t max_snaps;
	struct ebb_orphans *orphans;
	size_t max_orphans;
	struct ebb_holder *holders;
	size_t max_holders;
	struct ebb_other *others;
	size_t max_others;
};

/* tree_groups.c */
/* Room for need elements of size bytes; array: the address of a pointer to elements. */
int tree_grow(void *array, size_t *max, size_t need, size_t size);
struct group *tree_find(const struct tree *t, uint64_t id);
int groups_new(const struct tree *t, uint64_t id, uint64_t parent, uint32_t level,
	       struct group **ret);
void groups_free(struct group *g);
int groups_insert(struct tree *t, struct group *g);
void groups_sort(struct tree *t);
void groups_link(struct tree *t);
/* Ends what g is to others; it stays in the array until it is marked gone and swept. */
int groups_detach(struct tree *t, struct group *g);
void groups_sweep(struct tree *t);

/* tree_update.c */
void tree_deliver(struct tree *t); /* the events, and the end of containers that are gone */

/* tree_dir.c */
int dir_open_root(struct tree *t, const char *cgroup_root);
int dir_open(const struct tree *t, uint64_t id, const char *path);
/* 0 and *ret to free; -ESTALE: gone; -EXDEV: outside of what is mounted here. */
int dir_path(const struct tree *t, const struct group *g, char **ret);
uint64_t dir_own_group(const struct tree *t);
bool dir_has_processes(const struct tree *t, const struct group *g); /* its own */
/* memory.max; UINT64_MAX: none, or it cannot be read. */
uint64_t dir_limit(const struct tree *t, const struct group *g);
/* cgroup.stat nr_dying_descendants; what cannot be read counts as some. */
bool dir_has_dying(const struct tree *t, const struct group *g);

/* tree_roles.c: who belongs to which container, and what changed by it */
int roles_assign(struct tree *t, uint64_t now_ms);
int roles_classify(struct tree *t, struct group *g);
int roles_event(struct tree *t, enum tree_event event, struct container *c, uint64_t group);
int roles_drop_container(struct tree *t, struct container *c);
int roles_populated(struct tree *t, struct group *g, bool populated, uint64_t now_ms);

/* tree_names.c */
int names_start(struct tree *t, struct container *c, uint64_t now_ms);
int names_retry(struct tree *t, uint64_t now_ms);
void names_rules(const struct tree *t, struct container *c);

/* tree_snapshot.c */
int members_collect(struct tree *t);

/* tree_holders.c */
int holders_collect(struct tree *t, const struct ebb_census *recs, size_t n, uint64_t now_ms,
		    size_t *ret_nr);
/* After holders_collect(). */
int others_collect(struct tree *t, const struct ebb_census *recs, size_t n, size_t *ret_nr);
uint64_t holders_above(const struct group *g); /* id, 0: none */

/* tree_orphans.c */
void orphans_update(struct tree *t, const struct ebb_census *recs);
void orphans_lost(struct group *g);
/* Bytes worth an act, or 0; and how many of them processes elsewhere have mapped. */
uint64_t orphans_of(const struct tree *t, const struct group *g, uint64_t *ret_mapped);

#endif /* EBB_SENSE_TREE_INTERNAL_H */
