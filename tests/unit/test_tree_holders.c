// SPDX-License-Identifier: GPL-2.0-only
/* Which groups the cap is held by. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "groups.h"
#include "sense/tree_internal.h"

#define MIB (1ull << 20)
#define SCOPE "/libpod-" GROUPS_HEX ".scope"

static struct ebb_snapshot look(struct groups *g)
{
	struct ebb_snapshot s = { 0 };

	groups_tick(g);
	assert_int_equal(tree_snapshot(g->tree, g->recs, g->n, g->now, &s), 0);
	for (size_t i = 1; i < s.nr_holders; i++)
		assert_true(s.holders[i - 1].id < s.holders[i].id);
	return s;
}

static const struct ebb_holder *holder(const struct ebb_snapshot *s, uint64_t id)
{
	for (size_t i = 0; i < s->nr_holders; i++)
		if (s->holders[i].id == id)
			return &s->holders[i];
	return NULL;
}

static uint64_t holder_of(const struct ebb_snapshot *s, uint64_t container)
{
	for (size_t i = 0; i < s->nr_containers; i++)
		if (s->containers[i].id == container)
			return s->containers[i].holder;
	fail_msg("no such container");
	return 0;
}

static void the_topmost(void **state)
{
	struct groups *g = *state;
	uint64_t a, b, slice, bare, inner;
	struct ebb_snapshot s;

	a = groups_mkdir(g, "/machine.slice" SCOPE);
	groups_run(g, "/machine.slice" SCOPE "/container");
	b = groups_run(g, "/machine.slice/crun-b.scope");
	slice = groups_id(g, "/machine.slice");
	bare = groups_run(g, "/bare");
	groups_entry(g, slice)->figures.usage = 300 * MIB;
	groups_entry(g, a)->figures.usage = 200 * MIB;
	groups_entry(g, bare)->figures.usage = 7 * MIB;
	s = look(g);
	assert_int_equal(s.nr_containers, 3);
	assert_int_equal(s.nr_holders, 2);
	assert_int_equal(holder(&s, slice)->bytes, 300 * MIB);
	assert_int_equal(holder(&s, slice)->limit, UINT64_MAX);
	assert_int_equal(holder(&s, slice)->set, UINT64_MAX);
	assert_int_equal(holder(&s, bare)->bytes, 7 * MIB);
	assert_int_equal(holder_of(&s, a), slice);
	assert_int_equal(holder_of(&s, b), slice);
	assert_int_equal(holder_of(&s, bare), bare);
	/* Children that a container makes change nothing. */
	groups_stop(g, "/bare");
	inner = groups_run(g, "/bare/worker");
	s = look(g);
	assert_int_equal(s.nr_holders, 2);
	assert_non_null(holder(&s, bare));
	assert_null(holder(&s, inner));
}

static void not_the_systems_own(void **state)
{
	struct groups *g = *state;
	uint64_t docker, nginx;
	struct ebb_snapshot s;

	docker = groups_run(g, "/system.slice/docker-" GROUPS_HEX ".scope");
	nginx = groups_run(g, "/system.slice/nginx.service");
	groups_run(g, "/system.slice/ssh.service");
	groups_run(g, "/init.scope");
	groups_run(g, "/user.slice/user-1000.slice/session-3.scope");
	s = look(g);
	assert_int_equal(s.nr_containers, 2);
	assert_int_equal(s.nr_holders, 2);
	assert_non_null(holder(&s, docker));
	assert_non_null(holder(&s, nginx));
}

/* A group that the controller is not switched on in has no limit that could be set. */
static void where_there_is_a_controller(void **state)
{
	struct groups *g = *state;
	uint64_t pods = groups_mkdir(g, "/pods"), one;
	struct ebb_snapshot s;

	one = groups_mkdir(g, "/pods" SCOPE);
	groups_run(g, "/pods" SCOPE "/container");
	groups_entry(g, pods)->no_memcg = true;
	s = look(g);
	/* Without a record the way up to the root is not known either. */
	assert_int_equal(s.nr_holders, 0);
	groups_entry(g, pods)->no_memcg = false;
	s = look(g);
	assert_int_equal(s.nr_holders, 1);
	assert_int_equal(holder_of(&s, one), pods);
}

/* One that was a holder stays one while it is there: the next container finds the limit. */
static void it_stays_one(void **state)
{
	struct groups *g = *state;
	struct ebb_snapshot s;
	uint64_t slice;

	groups_run(g, "/machine.slice" SCOPE);
	slice = groups_id(g, "/machine.slice");
	s = look(g);
	assert_non_null(holder(&s, slice));
	groups_rmdir(g, "/machine.slice" SCOPE);
	s = look(g);
	assert_int_equal(s.nr_containers, 0);
	assert_non_null(holder(&s, slice));
	groups_rmdir(g, "/machine.slice");
	s = look(g);
	assert_int_equal(s.nr_holders, 0);
}

static const struct ebb_other *other(const struct ebb_snapshot *s, uint64_t id)
{
	for (size_t i = 0; i < s->nr_others; i++)
		if (s->others[i].id == id)
			return &s->others[i];
	return NULL;
}

/* The system's own, as large parts as can be without a container inside. */
static void the_rest(void **state)
{
	struct groups *g = *state;
	uint64_t user, ssh;
	struct ebb_snapshot s;

	groups_run(g, "/machine.slice" SCOPE);
	groups_run(g, "/system.slice/docker-" GROUPS_HEX ".scope");
	ssh = groups_run(g, "/system.slice/ssh.service");
	groups_run(g, "/user.slice/user-1000.slice/session-3.scope");
	user = groups_id(g, "/user.slice");
	groups_entry(g, ssh)->figures.file = 70 * MIB;
	groups_entry(g, ssh)->figures.shmem = 20 * MIB;
	groups_entry(g, ssh)->figures.file_mapped = 5 * MIB;
	groups_entry(g, ssh)->figures.refault_file = 3;
	s = look(g);
	assert_int_equal(s.nr_others, 2);
	assert_int_equal(other(&s, ssh)->file, 50 * MIB);
	assert_non_null(other(&s, user));
	assert_int_equal(other(&s, ssh)->file_mapped, 5 * MIB);
	assert_int_equal(other(&s, ssh)->refault_file, 3 * sysconf(_SC_PAGESIZE));
	/* Ours is none: what we run from is not taken by ourselves. */
	g->tree->own_id = ssh;
	s = look(g);
	assert_null(other(&s, ssh));
	g->tree->own_id = 0;
	/* Without a container in it, it is all one. */
	groups_stop(g, "/system.slice/docker-" GROUPS_HEX ".scope");
	groups_rmdir(g, "/system.slice/docker-" GROUPS_HEX ".scope");
	s = look(g);
	assert_int_equal(s.nr_others, 2);
	assert_non_null(other(&s, groups_id(g, "/system.slice")));
}

static void limits_of_others(void **state)
{
	struct groups *g = *state;
	struct ebb_snapshot s;
	uint64_t a, b, first;

	a = groups_run(g, "/a");
	b = groups_run(g, "/b");
	groups_put(g, "/a/memory.max", "104857600\n");
	groups_put(g, "/b/memory.max", "max\n");
	s = look(g);
	first = s.now_ms;
	assert_int_equal(holder(&s, a)->limit, 100 * MIB);
	assert_int_equal(holder(&s, b)->limit, UINT64_MAX);
	/* Read once: later it may be ours. Whoever knows that it is not asks again. */
	groups_put(g, "/b/memory.max", "4096\n");
	s = look(g);
	assert_int_equal(holder(&s, b)->limit, UINT64_MAX);
	assert_int_equal(tree_holder_limit(g->tree, b, first + 1999), UINT64_MAX);
	assert_int_equal(tree_holder_limit(g->tree, b, first + 2000), 4096);
	assert_int_equal(tree_holder_limit(g->tree, 1 << 30, s.now_ms), UINT64_MAX);
	/* An engine limits what it has just made; much later it is somebody's decision. */
	tree_holder_changed(g->tree, b, 50 * MIB, g->now);
	s = look(g);
	assert_int_equal(holder(&s, b)->limit, 50 * MIB);
	assert_false(holder(&s, b)->left_alone);
	tree_holder_changed(g->tree, b, 60 * MIB, g->now + 60000);
	s = look(g);
	assert_int_equal(holder(&s, b)->limit, 60 * MIB);
	assert_true(holder(&s, b)->left_alone);
	assert_false(holder(&s, a)->left_alone);
	tree_holder_changed(g->tree, 1 << 30, 1, g->now); /* gone: nothing */
}

/* What could not be set is tried again, later each time; what somebody changed is not. */
static void what_failed_is_tried_again(void **state)
{
	struct groups *g = *state;
	uint64_t a = groups_run(g, "/a");
	struct ebb_snapshot s = look(g);

	tree_holder_failed(g->tree, a, false, s.now_ms);
	tree_holder_failed(g->tree, a, true, s.now_ms);
	s = look(g);
	assert_true(holder(&s, a)->left_alone && holder(&s, a)->swap_left_alone);
	g->now += 10000;
	s = look(g);
	assert_false(holder(&s, a)->left_alone || holder(&s, a)->swap_left_alone);
	tree_holder_failed(g->tree, a, false, s.now_ms);
	g->now += 10000;
	s = look(g);
	assert_true(holder(&s, a)->left_alone); /* twice as long */
	g->now += 10000;
	s = look(g);
	assert_false(holder(&s, a)->left_alone);
	tree_holder_set(g->tree, a, false);
	tree_holder_failed(g->tree, a, false, s.now_ms);
	g->now += 10000;
	s = look(g);
	assert_false(holder(&s, a)->left_alone);
	tree_holder_swap_changed(g->tree, a);
	g->now += 3600000;
	s = look(g);
	assert_true(holder(&s, a)->swap_left_alone);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, groups_setup, groups_teardown)
	static const struct CMUnitTest tests[] = {
		test(the_topmost),
		test(not_the_systems_own),
		test(where_there_is_a_controller),
		test(it_stays_one),
		test(the_rest),
		test(limits_of_others),
		test(what_failed_is_tried_again),
	};

	return cmocka_run_group_tests_name("tree_holders", tests, NULL, NULL);
}
