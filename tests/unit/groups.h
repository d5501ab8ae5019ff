/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cgroup hierarchy made of plain folders, and the census of it: enough for
 * the tree, which takes a group for its inode. A folder is populated when it
 * or one below it is marked so, as in the kernel.
 */
#ifndef EBB_TESTS_GROUPS_H
#define EBB_TESTS_GROUPS_H

#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sense/tree.h"

#define GROUPS_MAX 4096
#define GROUPS_LOG 256
#define GROUPS_HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct groups_entry {
	uint64_t id;
	bool procs; /* of its own */
	bool no_memcg; /* no record in the census */
	struct ebb_census figures; /* what the record is to say, but for ids and populated */
};

struct groups {
	char root[64];
	uint64_t now;
	unsigned int nr_gone;
	struct tree *tree;
	struct ebb_config config;
	struct groups_entry entries[GROUPS_MAX];
	size_t nr;
	struct ebb_census recs[GROUPS_MAX];
	size_t n;
	/* what was reported */
	char log[GROUPS_LOG][128];
	size_t nr_log;
	uint64_t joined[GROUPS_MAX][2]; /* group, container */
	size_t nr_joined;
};

int groups_setup(void **state);
int groups_teardown(void **state);

/* Makes the folder and those above it; returns the id. */
uint64_t groups_mkdir(struct groups *g, const char *path);
void groups_rmdir(struct groups *g, const char *path);
uint64_t groups_id(const struct groups *g, const char *path);
struct groups_entry *groups_entry(struct groups *g, uint64_t id);
/* mkdir, and a process in it */
uint64_t groups_run(struct groups *g, const char *path);
void groups_stop(struct groups *g, const char *path);
void groups_put(struct groups *g, const char *path, const char *text);

/* The census, and tree_update() with it; a second passes. */
void groups_tick(struct groups *g);
void groups_scan(struct groups *g);
/* An edge, of a group that need not exist any more. */
int groups_edge(struct groups *g, enum ebb_edge_kind kind, uint64_t id, const char *path);

/* The events since the last call, "born NAME; joined NAME/ID; …" without the ids. */
bool groups_logged(struct groups *g, const char *text);
void groups_forget_log(struct groups *g);

#endif /* EBB_TESTS_GROUPS_H */
