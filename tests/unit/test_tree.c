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

#define MIB (1ull << 20)
#define HEX GROUPS_HEX
#define HEX2 "1111111111111111111111111111111111111111111111111111111111111111"
#define SCOPE "/machine.slice/libpod-" HEX ".scope"

static const struct tree_container *named(struct groups *g, const char *name)
{
	for (size_t i = 0; i < tree_containers(g->tree); i++)
		if (!strcmp(tree_container_at(g->tree, i)->name, name))
			return tree_container_at(g->tree, i);
	return NULL;
}

static void which_are_containers(void **state)
{
	static const char *const running[] = {
		SCOPE "/container",
		"/machine.slice/libpod-conmon-" HEX ".scope",
		"/machine.slice/machine-libpod_pod_" HEX ".slice/libpod-" HEX2 ".scope",
		"/machine.slice/machine-deb.scope/payload/system.slice/ssh.service",
		"/system.slice/docker-" HEX ".scope/docker/" HEX2,
		"/system.slice/docker.service",
		"/system.slice/systemd-journald.service",
		"/system.slice/system-getty.slice/getty@tty1.service",
		"/system.slice/redis.service/sub",
		"/user.slice/user-0.slice/session-1.scope",
		"/init.scope",
		"/bare",
		"/jobs/one",
		"/jobs/two/deep",
	};
	static const struct {
		const char *path, *runtime;
	} expected[] = {
		{ SCOPE, "podman" },
		{ "/machine.slice/machine-libpod_pod_" HEX ".slice/libpod-" HEX2 ".scope",
		  "podman" },
		{ "/machine.slice/machine-deb.scope", "nspawn" },
		{ "/system.slice/docker-" HEX ".scope", "docker" },
		{ "/system.slice/redis.service", "systemd" },
		{ "/bare", "cgroup" },
		{ "/jobs/one", "cgroup" },
		{ "/jobs/two/deep", "cgroup" },
	};
	struct groups *g = *state;

	groups_entry(g, groups_id(g, ""))->procs = true;
	for (size_t i = 0; i < ARRAY_SIZE(running); i++)
		groups_run(g, running[i]);
	groups_mkdir(g, "/empty");
	groups_tick(g);
	assert_int_equal(tree_groups_total(g->tree), g->n);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct tree_container *c =
			tree_container_by_id(g->tree, groups_id(g, expected[i].path));

		if (!c)
			fail_msg("no container: %s", expected[i].path);
		assert_string_equal(c->runtime, expected[i].runtime);
		assert_string_equal(c->path, expected[i].path);
		assert_true(c->populated);
		assert_int_equal(c->born_ms, g->now);
	}
	assert_int_equal(tree_containers(g->tree), ARRAY_SIZE(expected));
	for (size_t i = 1; i < tree_containers(g->tree); i++)
		assert_true(tree_container_at(g->tree, i - 1)->id <
			    tree_container_at(g->tree, i)->id);
	/* All that is inside belongs to the outermost. */
	assert_ptr_equal(tree_container_of(g->tree, groups_id(g, running[3])),
			 tree_container_by_id(g->tree, groups_id(g, expected[2].path)));
	assert_ptr_equal(tree_container_of(g->tree, groups_id(g, running[4])),
			 tree_container_by_id(g->tree, groups_id(g, expected[3].path)));
	assert_null(tree_container_of(g->tree, groups_id(g, "/jobs")));
	assert_null(tree_container_of(g->tree, groups_id(g, "/machine.slice")));
	assert_null(tree_container_of(g->tree, 12345));
	assert_int_equal(tree_groups(g->tree, groups_id(g, expected[2].path), NULL, 0), 4);
}

static void a_bare_group_stays_what_it_was(void **state)
{
	struct groups *g = *state;
	uint64_t id = groups_run(g, "/work");

	groups_tick(g);
	assert_non_null(tree_container_by_id(g->tree, id));
	/* It turns into a manager of groups of its own. */
	groups_stop(g, "/work");
	groups_run(g, "/work/a");
	groups_run(g, "/work/b");
	groups_tick(g);
	assert_int_equal(tree_containers(g->tree), 1);
	assert_int_equal(tree_container_of(g->tree, groups_id(g, "/work/b"))->id, id);
	/* Until an engine is at work in it. */
	groups_run(g, "/work/libpod-" HEX);
	groups_tick(g);
	assert_null(tree_container_by_id(g->tree, id));
	assert_true(groups_logged(g, "gone work"));
	assert_int_equal(tree_containers(g->tree), 3);
	assert_non_null(named(g, "a"));
	assert_string_equal(named(g, "0123456789ab")->runtime, "podman");
}

static void a_service_with_an_engine_inside(void **state)
{
	struct groups *g = *state;
	uint64_t unit = groups_run(g, "/system.slice/web.service/supervisor");

	groups_tick(g);
	assert_non_null(named(g, "web"));
	groups_run(g, "/system.slice/web.service/libpod-payload-" HEX);
	groups_tick(g);
	assert_int_equal(tree_containers(g->tree), 1);
	assert_string_equal(tree_container_at(g->tree, 0)->runtime, "podman");
	assert_null(tree_container_of(g->tree, unit));
}

static void not_before_it_runs(void **state)
{
	struct groups *g = *state;
	uint64_t id = groups_mkdir(g, "/later");

	groups_mkdir(g, SCOPE);
	groups_tick(g);
	assert_int_equal(tree_containers(g->tree), 0);
	groups_run(g, "/later");
	groups_tick(g);
	assert_non_null(tree_container_by_id(g->tree, id));
	/* An engine's group that stays empty is what somebody left. */
	assert_int_equal(tree_containers(g->tree), 2);
	assert_false(tree_container_by_id(g->tree, groups_id(g, SCOPE))->populated);
	groups_forget_log(g);
	groups_stop(g, "/later");
	groups_tick(g);
	assert_true(groups_logged(g, "emptied later"));
	assert_false(tree_container_by_id(g->tree, id)->populated);
	groups_run(g, "/later");
	groups_tick(g);
	assert_true(groups_logged(g, "filled later"));
	groups_stop(g, "/later");
	groups_rmdir(g, "/later");
	groups_tick(g);
	assert_true(groups_logged(g, "gone later"));
	assert_null(tree_container_by_id(g->tree, id));
}

static void edges_run_ahead(void **state)
{
	struct groups *g = *state;
	uint64_t id, inner;

	groups_mkdir(g, "/machine.slice");
	groups_tick(g);
	id = groups_mkdir(g, SCOPE);
	assert_int_equal(groups_edge(g, EBB_EDGE_BORN, id, SCOPE), 0);
	assert_int_equal(groups_edge(g, EBB_EDGE_ATTACHED, id, SCOPE), 1);
	assert_true(groups_logged(g, "born 0123456789ab"));
	assert_true(groups_logged(g, "joined 0123456789ab"));
	assert_int_equal(groups_edge(g, EBB_EDGE_POPULATED, id, SCOPE), 0);
	inner = groups_mkdir(g, SCOPE "/container");
	assert_int_equal(groups_edge(g, EBB_EDGE_BORN, inner, SCOPE "/container"), 0);
	assert_int_equal(tree_container_of(g->tree, inner)->id, id);

	/* A census that was taken before all this removes nothing of it. */
	assert_int_equal(tree_update(g->tree, g->recs, g->n, g->now + 1), 0);
	assert_non_null(tree_container_by_id(g->tree, id));
	groups_run(g, SCOPE "/container");
	groups_tick(g);
	assert_int_equal(tree_containers(g->tree), 1);

	assert_int_equal(groups_edge(g, EBB_EDGE_EMPTIED, id, SCOPE), 1);
	assert_false(tree_container_by_id(g->tree, id)->populated);
	groups_rmdir(g, SCOPE "/container");
	groups_rmdir(g, SCOPE);
	groups_forget_log(g);
	assert_int_equal(groups_edge(g, EBB_EDGE_GONE, inner, SCOPE "/container"), 0);
	assert_int_equal(groups_edge(g, EBB_EDGE_GONE, id, SCOPE), 1);
	assert_true(groups_logged(g, "gone 0123456789ab"));
	assert_int_equal(tree_containers(g->tree), 0);
	assert_int_equal(g->nr_joined, 0);
	/* Late and twice. */
	assert_int_equal(groups_edge(g, EBB_EDGE_GONE, id, SCOPE), 0);
	assert_int_equal(groups_edge(g, EBB_EDGE_EMPTIED, id, SCOPE), 0);
	/* Born and gone before it was read: nothing to see. */
	assert_int_equal(groups_edge(g, EBB_EDGE_POPULATED, id, SCOPE), 0);
	assert_int_equal(tree_containers(g->tree), 0);
	assert_int_equal(groups_edge(g, 99, id, SCOPE), 0);
}

static void bare_groups_by_edges(void **state)
{
	struct groups *g = *state;
	uint64_t id = groups_mkdir(g, "/work");

	groups_tick(g);
	/* Populated it says, but by a child that we have not heard of. */
	assert_int_equal(groups_edge(g, EBB_EDGE_POPULATED, id, "/work"), 0);
	assert_int_equal(tree_containers(g->tree), 0);
	groups_edge(g, EBB_EDGE_EMPTIED, id, "/work");
	groups_put(g, "/work/cgroup.procs", "17\n");
	assert_int_equal(groups_edge(g, EBB_EDGE_ATTACHED, id, "/work"), 1);
	assert_int_equal(groups_edge(g, EBB_EDGE_EMPTIED, id, "/work"), 1);
	id = groups_mkdir(g, "/other");
	groups_put(g, "/other/cgroup.procs", "17\n");
	assert_int_equal(groups_edge(g, EBB_EDGE_BORN, id, "/other"), 0);
	assert_int_equal(groups_edge(g, EBB_EDGE_ATTACHED, id, "/other"), 1);
	assert_non_null(tree_container_by_id(g->tree, id));
}

/* The kernel tells of a child first, and then of its parent that we had not heard of either. */
static void child_before_parent(void **state)
{
	struct groups *g = *state;
	uint64_t parent = groups_mkdir(g, "/box"), child = groups_run(g, "/box/one");

	groups_tick(g);
	groups_entry(g, parent)->no_memcg = true;
	groups_tick(g); /* so that the child alone is known */
	groups_edge(g, EBB_EDGE_POPULATED, parent, "/box");
	groups_entry(g, parent)->no_memcg = false;
	groups_tick(g);
	assert_int_equal(tree_containers(g->tree), 1);
	assert_non_null(tree_container_by_id(g->tree, child));
	assert_null(tree_container_by_id(g->tree, parent));
}

static void slices_are_none(void **state)
{
	struct groups *g = *state;

	groups_run(g, "/odd.slice");
	groups_tick(g);
	assert_int_equal(tree_containers(g->tree), 0);
}

static void groups_without_memory(void **state)
{
	struct groups *g = *state;
	uint64_t id = groups_run(g, "/work"), sub;

	groups_tick(g);
	/* An edge tells of a group that has no memory controller: no census knows it. */
	sub = groups_mkdir(g, "/work/x");
	groups_entry(g, sub)->no_memcg = true;
	groups_edge(g, EBB_EDGE_BORN, sub, "/work/x");
	groups_tick(g);
	groups_tick(g);
	assert_null(tree_container_of(g->tree, sub));
	assert_int_equal(tree_container_by_id(g->tree, id)->id, id);
	assert_int_equal(tree_groups(g->tree, id, NULL, 0), 1);
}

static void an_id_is_not_a_path(void **state)
{
	struct groups *g = *state;
	uint64_t first = groups_run(g, "/work"), second;
	struct stat st;
	int fd;

	groups_mkdir(g, "/other");
	groups_tick(g);
	fd = tree_open_dir(g->tree, first);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_ino, first);
	close(fd);
	/* The same path, another group, made before the old is gone so that the id is another. */
	second = groups_mkdir(g, "/work2");
	groups_rmdir(g, "/work");
	{
		char from[PATH_MAX], to[PATH_MAX];

		snprintf(from, sizeof(from), "%s/work2", g->root);
		snprintf(to, sizeof(to), "%s/work", g->root);
		assert_int_equal(rename(from, to), 0);
	}
	assert_int_not_equal(first, second);
	assert_int_equal(tree_open_dir(g->tree, first), -ESTALE);
	assert_int_equal(tree_open_dir(g->tree, 987654321), -ESTALE);
	groups_run(g, "/work");
	groups_tick(g);
	assert_null(tree_container_by_id(g->tree, first));
	assert_non_null(tree_container_by_id(g->tree, second));
	fd = tree_open_dir(g->tree, groups_id(g, ""));
	assert_true(fd >= 0);
	close(fd);
}

static void names_may_come_late(void **state)
{
	static const char file[] =
		"/var/lib/containers/storage/overlay-containers/volatile-containers.json";
	struct groups *g = *state;
	const struct tree_container *c;

	groups_run(g, SCOPE "/container");
	groups_tick(g);
	c = tree_container_at(g->tree, 0);
	assert_string_equal(c->name, "0123456789ab");
	assert_false(c->named);
	groups_put(g, file,
		   "[{\"id\":\"" HEX "\",\"names\":[\"web\"],\"metadata\":"
		   "\"{\\\"image-name\\\":\\\"nginx:1\\\"}\"}]");
	g->config.nr_rules = 1;
	g->config.rules[0] = (struct ebb_rule){ .glob = "nginx:*", .has_reclaim = true };
	groups_tick(g);
	c = tree_container_at(g->tree, 0);
	assert_string_equal(c->name, "web");
	assert_string_equal(c->image, "nginx:1");
	assert_true(c->named);
	assert_true(c->reclaim_off);
	assert_true(groups_logged(g, "named web"));
}

static void names_that_never_come(void **state)
{
	struct groups *g = *state;

	groups_run(g, SCOPE);
	for (int i = 0; i < 60; i++)
		groups_tick(g);
	assert_true(tree_container_at(g->tree, 0)->named);
	assert_string_equal(tree_container_at(g->tree, 0)->name, "0123456789ab");
}

/* A bare group turns out to be crun's when its state is written. */
static void engines_that_show_late(void **state)
{
	struct groups *g = *state;
	uint64_t id = groups_run(g, "/web");

	groups_tick(g);
	assert_string_equal(tree_container_by_id(g->tree, id)->runtime, "cgroup");
	groups_put(g, "/run/crun/web/status", "{\"cgroup-path\":\"/web\"}");
	groups_tick(g);
	assert_string_equal(tree_container_by_id(g->tree, id)->runtime, "crun");
	assert_true(groups_logged(g, "named web"));
	assert_false(groups_logged(g, "gone web"));
	groups_run(g, "/web/libpod-" HEX);
	groups_tick(g);
	assert_int_equal(tree_containers(g->tree), 1); /* the outermost engine's */
}

static void rules(void **state)
{
	struct groups *g = *state;
	const struct tree_container *c;
	static const struct ebb_rule list[] = {
		{ .glob = "*", .has_protect = true, .protect = 5 },
		{ .glob = "/jobs/*", .has_reclaim = true, .reclaim = false },
		{ .glob = "post*", .has_protect = true, .protect = 7 * MIB },
		{ .glob = "postgres", .has_reclaim = true, .reclaim = true },
		{ .glob = "nobody", .has_protect = true, .protect = 9 },
	};

	memcpy(g->config.rules, list, sizeof(list));
	g->config.nr_rules = ARRAY_SIZE(list);
	groups_run(g, "/jobs/postgres");
	groups_run(g, "/jobs/build");
	groups_tick(g);
	c = named(g, "postgres");
	assert_int_equal(c->protect, 7 * MIB);
	assert_false(c->reclaim_off);
	c = named(g, "build");
	assert_int_equal(c->protect, 5);
	assert_true(c->reclaim_off);
	g->config.nr_rules = 0;
	tree_set_config(g->tree, &g->config);
	assert_false(c->reclaim_off);
	assert_int_equal(c->protect, 0);
	tree_set_config(g->tree, NULL);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, groups_setup, groups_teardown)
	static const struct CMUnitTest tests[] = {
		test(which_are_containers),
		test(a_bare_group_stays_what_it_was),
		test(a_service_with_an_engine_inside),
		test(not_before_it_runs),
		test(edges_run_ahead),
		test(bare_groups_by_edges),
		test(child_before_parent),
		test(slices_are_none),
		test(groups_without_memory),
		test(an_id_is_not_a_path),
		test(names_may_come_late),
		test(names_that_never_come),
		test(engines_that_show_late),
		test(rules),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
