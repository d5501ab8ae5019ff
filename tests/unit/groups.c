// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "groups.h"

static void on_event(void *arg, enum tree_event event, const struct tree_container *c,
		     uint64_t group)
{
	static const char *const names[] = {
		[TREE_CONTAINER_BORN] = "born",     [TREE_CONTAINER_NAMED] = "named",
		[TREE_CONTAINER_FILLED] = "filled", [TREE_CONTAINER_EMPTIED] = "emptied",
		[TREE_CONTAINER_GONE] = "gone",     [TREE_GROUP_JOINED] = "joined",
		[TREE_GROUP_LEFT] = "left",
	};
	struct groups *g = arg;

	if (g->nr_log < GROUPS_LOG)
		snprintf(g->log[g->nr_log++], sizeof(g->log[0]), "%s %s", names[event], c->name);
	if (event == TREE_GROUP_JOINED) {
		for (size_t i = 0; i < g->nr_joined; i++)
			assert_int_not_equal(g->joined[i][0], group);
		g->joined[g->nr_joined][0] = group;
		g->joined[g->nr_joined++][1] = c->id;
	} else if (event == TREE_GROUP_LEFT) {
		size_t i = 0;

		while (i < g->nr_joined && g->joined[i][0] != group)
			i++;
		assert_true(i < g->nr_joined);
		assert_int_equal(g->joined[i][1], c->id);
		g->nr_joined--;
		memcpy(g->joined[i], g->joined[g->nr_joined], sizeof(g->joined[i]));
	} else {
		assert_int_equal(group, c->id);
	}
	if (event == TREE_CONTAINER_GONE) {
		assert_null(tree_container_by_id(g->tree, c->id));
		for (size_t i = 0; i < g->nr_joined; i++)
			assert_int_not_equal(g->joined[i][1], c->id);
	}
}

int groups_setup(void **state)
{
	struct groups *g = calloc(1, sizeof(*g));
	struct tree_options options = { .event = on_event, .arg = g };

	assert_non_null(g);
	strcpy(g->root, "/tmp/ebb-groups-XXXXXX");
	assert_non_null(mkdtemp(g->root));
	g->now = 1000000;
	options.cgroup_root = g->root;
	options.host_root = g->root;
	options.config = &g->config;
	assert_int_equal(tree_open(&g->tree, &options), 0);
	*state = g;
	return 0;
}

int groups_teardown(void **state)
{
	struct groups *g = *state;
	char command[128];

	tree_close(g->tree);
	snprintf(command, sizeof(command), "rm -rf %s %s.gone", g->root, g->root);
	assert_int_equal(system(command), 0);
	free(g);
	return 0;
}

static void full_path(const struct groups *g, const char *path, char full[PATH_MAX])
{
	assert_true(snprintf(full, PATH_MAX, "%s%s", g->root, path) < PATH_MAX);
}

uint64_t groups_id(const struct groups *g, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	full_path(g, path, full);
	assert_int_equal(lstat(full, &st), 0);
	return st.st_ino;
}

struct groups_entry *groups_entry(struct groups *g, uint64_t id)
{
	for (size_t i = 0; i < g->nr; i++)
		if (g->entries[i].id == id)
			return &g->entries[i];
	assert_true(g->nr < GROUPS_MAX);
	g->entries[g->nr] = (struct groups_entry){ .id = id };
	return &g->entries[g->nr++];
}

uint64_t groups_mkdir(struct groups *g, const char *path)
{
	char full[PATH_MAX];
	char *p;

	full_path(g, path, full);
	for (p = full + strlen(g->root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(!mkdir(full, 0755) || errno == EEXIST);
		*p = '/';
	}
	assert_true(!mkdir(full, 0755) || errno == EEXIST);
	return groups_id(g, path);
}

/* Moved away rather than removed: ids of groups do not come again, inodes of folders do. */
void groups_rmdir(struct groups *g, const char *path)
{
	struct groups_entry *e = groups_entry(g, groups_id(g, path));
	char full[PATH_MAX], gone[PATH_MAX];

	*e = g->entries[--g->nr];
	full_path(g, path, full);
	snprintf(gone, sizeof(gone), "%s.gone", g->root);
	assert_true(!mkdir(gone, 0755) || errno == EEXIST);
	snprintf(gone, sizeof(gone), "%s.gone/%u", g->root, g->nr_gone++);
	assert_int_equal(rename(full, gone), 0);
}

uint64_t groups_run(struct groups *g, const char *path)
{
	uint64_t id = groups_mkdir(g, path);

	groups_entry(g, id)->procs = true;
	return id;
}

void groups_stop(struct groups *g, const char *path)
{
	groups_entry(g, groups_id(g, path))->procs = false;
}

void groups_put(struct groups *g, const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *f;

	full_path(g, path, full);
	for (char *p = full + strlen(g->root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(!mkdir(full, 0755) || errno == EEXIST);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Engines' files live in the same root; they are no groups. */
static bool is_group(const struct dirent *e, unsigned int level)
{
	if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
		return false;
	return level || (strcmp(e->d_name, "var") && strcmp(e->d_name, "run"));
}

/* Returns whether the group is populated. */
static bool scan(struct groups *g, const char *path, uint64_t parent, unsigned int level)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct groups_entry *entry;
	size_t at = g->n;
	struct dirent *e;
	uint64_t id = groups_id(g, path);
	bool populated;
	char full[PATH_MAX];

	entry = groups_entry(g, id);
	populated = entry->procs;
	assert_true(g->n < GROUPS_MAX);
	if (!entry->no_memcg) {
		g->recs[at] = entry->figures;
		g->recs[at].cgroup = id;
		g->recs[at].parent = parent;
		g->recs[at].level = level;
		g->n++;
	}
	full_path(g, path, full);
	dir = opendir(full);
	assert_non_null(dir);
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((e = readdir(dir))) {
		char below[PATH_MAX];

		if (!is_group(e, level))
			continue;
		assert_true(snprintf(below, sizeof(below), "%s/%s", path, e->d_name) < PATH_MAX);
		populated |= scan(g, below, id, level + 1);
	}
	if (populated && !groups_entry(g, id)->no_memcg)
		g->recs[at].flags |= EBB_CENSUS_POPULATED;
	return populated;
}

void groups_scan(struct groups *g)
{
	g->n = 0;
	scan(g, "", 0, 0);
}

void groups_tick(struct groups *g)
{
	groups_scan(g);
	g->now += 1000;
	assert_int_equal(tree_update(g->tree, g->recs, g->n, g->now), 0);
}

int groups_edge(struct groups *g, enum ebb_edge_kind kind, uint64_t id, const char *path)
{
	struct ebb_edge e = { .kind = kind, .cgroup = id, .time_ns = g->now * 1000000 };
	char above[PATH_MAX];
	struct stat st;
	char full[PATH_MAX];

	strcpy(above, path);
	for (const char *p = path; *p; p++)
		e.level += *p == '/';
	if (strrchr(above, '/'))
		*strrchr(above, '/') = '\0';
	full_path(g, above, full);
	e.parent = !lstat(full, &st) ? st.st_ino : 0;
	return tree_edge(g->tree, &e, g->now);
}

bool groups_logged(struct groups *g, const char *text)
{
	for (size_t i = 0; i < g->nr_log; i++)
		if (!strcmp(g->log[i], text))
			return true;
	return false;
}

void groups_forget_log(struct groups *g)
{
	g->nr_log = 0;
}
