// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "groups.h"
#include "skip.h"

#define HEX GROUPS_HEX
#define HEX2 "1111111111111111111111111111111111111111111111111111111111111111"

/*
 * Groups come, run, stop and go at random, some of them engines'; edges are
 * told, told late, or lost. After two quiet censuses the tree is what one that
 * starts afresh makes of the same groups, bare groups aside (they stay what they
 * were), and who belongs to whom is what the events said.
 */
struct walk {
	char paths[64][256];
	size_t nr;
};

static bool has_children(const struct walk *w, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < w->nr; i++)
		if (!strncmp(w->paths[i], path, n) && w->paths[i][n] == '/')
			return true;
	return false;
}

static void random_birth(struct groups *g, struct walk *w)
{
	static const char *const leaves[] = {
		"a", "b.slice", "c.service", "libpod-" HEX, "docker-" HEX2 ".scope", "ssh.service"
	};
	char path[256];
	const char *above = w->nr && rand() % 3 ? w->paths[rand() % w->nr] : "";
	uint64_t id;

	if (strlen(above) > 120)
		above = "";
	snprintf(path, sizeof(path), "%s/%s", above, leaves[rand() % ARRAY_SIZE(leaves)]);
	for (size_t i = 0; i < w->nr; i++)
		if (!strcmp(w->paths[i], path))
			return;
	if (w->nr == ARRAY_SIZE(w->paths))
		return;
	id = groups_mkdir(g, path);
	strcpy(w->paths[w->nr++], path);
	if (rand() % 2)
		groups_edge(g, EBB_EDGE_BORN, id, path);
}

static void random_step(struct groups *g, struct walk *w)
{
	size_t i = w->nr ? rand() % w->nr : 0;
	uint64_t id;
	char path[256];

	if (!w->nr || rand() % 3 == 0) {
		random_birth(g, w);
		return;
	}
	strcpy(path, w->paths[i]);
	id = groups_id(g, path);
	switch (rand() % 3) {
	case 0:
		groups_run(g, path);
		if (rand() % 2)
			groups_edge(g, EBB_EDGE_POPULATED, id, path);
		break;
	case 1:
		groups_stop(g, path);
		if (rand() % 2)
			groups_edge(g, EBB_EDGE_EMPTIED, id, path);
		break;
	default:
		if (has_children(w, path))
			break;
		groups_stop(g, path);
		groups_rmdir(g, path);
		memmove(w->paths + i, w->paths + i + 1, (w->nr - i - 1) * sizeof(w->paths[0]));
		w->nr--;
		if (rand() % 2)
			groups_edge(g, EBB_EDGE_GONE, id, path);
	}
}

static void compare_with_fresh(struct groups *g)
{
	struct tree_options options = { .cgroup_root = g->root, .host_root = g->root };
	struct tree *fresh;

	assert_int_equal(tree_open(&fresh, &options), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(tree_update(fresh, g->recs, g->n, g->now), 0);
	for (size_t i = 0; i < tree_containers(fresh); i++) {
		const struct tree_container *c = tree_container_at(fresh, i);
		const struct tree_container *same = tree_container_by_id(g->tree, c->id);

		if (!strcmp(c->runtime, "cgroup"))
			same = tree_container_of(g->tree, c->id);
		if (!same)
			fail_msg("%s (%s) is missing", c->path, c->runtime);
		if (same && same->id == c->id)
			assert_string_equal(same->path, c->path);
	}
	for (size_t i = 0; i < tree_containers(g->tree); i++) {
		const struct tree_container *c = tree_container_at(g->tree, i);

		if (strcmp(c->runtime, "cgroup") && !tree_container_by_id(fresh, c->id))
			/* A service that ran once stays one while its group is there. */
			assert_true(!strcmp(c->runtime, "systemd") && !c->populated);
	}
	tree_close(fresh);
}

static void compare_with_events(struct groups *g)
{
	size_t members = 0;

	for (size_t i = 0; i < tree_containers(g->tree); i++)
		members += tree_groups(g->tree, tree_container_at(g->tree, i)->id, NULL, 0);
	assert_int_equal(members, g->nr_joined);
	for (size_t i = 0; i < g->nr_joined; i++)
		assert_int_equal(tree_container_of(g->tree, g->joined[i][0])->id, g->joined[i][1]);
}

static void whatever_is_lost_is_healed(void **state)
{
	struct groups *g = *state;
	struct walk w = { .nr = 0 };

	srand(7);
	for (int round = 0; round < 150; round++) {
		struct ebb_snapshot s = {};

		for (int i = rand() % 12; i >= 0; i--)
			random_step(g, &w);
		compare_with_events(g);
		groups_tick(g);
		compare_with_events(g);
		groups_tick(g);
		groups_tick(g);
		compare_with_fresh(g);
		compare_with_events(g);
		assert_int_equal(tree_groups_total(g->tree), g->n);
		assert_int_equal(tree_snapshot(g->tree, g->recs, g->n, g->now, &s), 0);
		assert_int_equal(s.nr_containers, tree_containers(g->tree));
	}
}

/* Records that no kernel gives: circles, strangers, doubles. */
static void impossible_records(void **state)
{
	struct groups *g = *state;
	struct ebb_snapshot s = {};

	srand(3);
	for (int round = 0; round < 300; round++) {
		g->n = rand() % 20;
		for (size_t i = 0; i < g->n; i++) {
			struct ebb_census *rec = &g->recs[i];

			*rec = (struct ebb_census){ .cgroup = rand() % 12,
						    .parent = rand() % 12,
						    .level = rand() % 4,
						    .node = rand() % 2,
						    .flags = rand() % 16,
						    .max_seq = rand() % 10,
						    .min_seq_anon = rand() % 10,
						    .min_seq_file = rand() % 10,
						    .file = rand() };
			rec->gen[rand() % EBB_MAX_GENS].file = UINT64_MAX - rand() % 2;
		}
		assert_int_equal(tree_update(g->tree, g->recs, g->n, g->now++), 0);
		assert_int_equal(tree_snapshot(g->tree, g->recs, g->n, g->now, &s), 0);
		compare_with_events(g);
	}
}

/* --- on the kernel's own groups, by handle --------------------------------------- */

static bool real_root(char ret[PATH_MAX / 2])
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	bool found = false;

	while (mounts && !found && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2") && strlen(m->mnt_dir) < PATH_MAX / 2) {
			strcpy(ret, m->mnt_dir);
			found = true;
		}
	if (mounts)
		endmntent(mounts);
	return found;
}

static uint64_t real_id(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void a_real_group_is_its_id(void **state)
{
	char root[PATH_MAX / 2], path[PATH_MAX], name[64];
	struct tree_options options = { .cgroup_root = root };
	struct ebb_census recs[2] = { 0 };
	uint64_t first, second;
	struct tree *t;
	int fd;

	snprintf(name, sizeof(name), "ebb %d (deleted)", getpid());
	if (!real_root(root) || snprintf(path, sizeof(path), "%s/%s", root, name) < 0 ||
	    mkdir(path, 0755) < 0)
		skip_because("needs root and cgroup v2");
	first = real_id(path);
	assert_int_equal(tree_open(&t, &options), 0);
	recs[0].cgroup = real_id(root);
	recs[1] = (struct ebb_census){
		.cgroup = first, .parent = recs[0].cgroup, .level = 1, .flags = EBB_CENSUS_POPULATED
	};
	assert_int_equal(tree_update(t, recs, 2, 1000), 0);
	assert_int_equal(tree_containers(t), 1);
	assert_string_equal(tree_container_at(t, 0)->name, name);
	assert_string_equal(tree_container_at(t, 0)->path + 1, name);
	fd = tree_open_dir(t, first);
	assert_true(fd >= 0);
	/* Held open while it goes and another takes its path. */
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(tree_open_dir(t, first), -ESTALE);
	assert_int_equal(mkdir(path, 0755), 0);
	second = real_id(path);
	assert_int_not_equal(first, second);
	assert_int_equal(tree_open_dir(t, first), -ESTALE);
	close(fd);
	fd = tree_open_dir(t, second);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rmdir(path), 0);
	tree_close(t);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, groups_setup, groups_teardown)
	static const struct CMUnitTest tests[] = {
		test(whatever_is_lost_is_healed),
		test(impossible_records),
		cmocka_unit_test(a_real_group_is_its_id),
	};

	return cmocka_run_group_tests_name("tree_random", tests, NULL, NULL);
}
