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

static void gens(struct ebb_census *rec, uint64_t max_seq, uint64_t anon, uint64_t file)
{
	rec->flags |= EBB_CENSUS_LRU_GEN | EBB_CENSUS_STATS;
	rec->max_seq = max_seq;
	rec->min_seq_anon = rec->min_seq_file = max_seq - 3;
	for (int i = 0; i < EBB_MAX_GENS; i++)
		rec->gen[(max_seq - i) % EBB_MAX_GENS] =
			(struct ebb_gen){ 100 + 10000 * i, i == 3 ? anon : 0, i == 3 ? file : 0 };
}

static void snapshots(void **state)
{
	struct groups *g = *state;
	uint64_t id = groups_mkdir(g, SCOPE), inner = groups_run(g, SCOPE "/container");
	uint64_t bare = groups_run(g, "/bare");
	struct ebb_snapshot s = { .paused = true };
	struct ebb_census *rec;
	const struct tree_lru *lrus;

	rec = &groups_entry(g, id)->figures;
	rec->flags = EBB_CENSUS_STATS;
	rec->usage = 90 * MIB;
	rec->anon = 60 * MIB;
	rec->file = 25 * MIB;
	gens(&groups_entry(g, inner)->figures, 8, 60 * MIB, 25 * MIB);
	groups_entry(g, inner)->figures.memcg = 77;
	gens(&groups_entry(g, bare)->figures, 5, 3 * MIB, 0);
	groups_tick(g);
	/* A second node of the inner group, which a folder does not have: given out of order. */
	g->recs[g->n] = g->recs[0];
	for (size_t i = 0; i < g->n; i++)
		if (g->recs[i].cgroup == inner)
			g->recs[g->n] = g->recs[i];
	g->recs[g->n++].node = 1;
	assert_int_equal(tree_update(g->tree, g->recs, g->n, g->now), 0);
	assert_int_equal(tree_snapshot(g->tree, g->recs, g->n, g->now, &s), 0);

	assert_true(s.paused);
	assert_int_equal(s.now_ms, g->now);
	assert_int_equal(s.nr_containers, 2);
	assert_int_equal(s.nr_orphans, 0);
	for (size_t i = 0; i < 2; i++) {
		const struct ebb_snap_container *c = &s.containers[i];

		assert_int_equal(c->id, tree_container_at(g->tree, i)->id);
		assert_true(c->populated && c->ages_known);
		assert_int_equal(c->nr_ages, 1);
		assert_int_equal(c->age[0].idle_ms, 20100);
		assert_int_equal(c->aged_ms, g->now - 100);
		if (c->id == id) {
			assert_int_equal(c->bytes, 90 * MIB);
			assert_int_equal(c->anon, 60 * MIB);
			assert_int_equal(c->age[0].anon, 120 * MIB);
			assert_int_equal(c->age[0].file, 50 * MIB);
		}
	}
	assert_int_equal(tree_lrus(g->tree, id, &lrus), 2);
	assert_int_equal(lrus[0].cgroup, inner);
	assert_int_equal(lrus[0].memcg, 77);
	assert_int_equal(lrus[0].max_seq, 8);
	assert_int_equal(lrus[0].node, 0);
	assert_int_equal(lrus[1].node, 1);
	assert_int_equal(tree_lrus(g->tree, bare, &lrus), 1);
	assert_int_equal(tree_lrus(g->tree, inner, &lrus), 0);

	/* After an edge, and with records that are not those of the update: no harm. */
	groups_edge(g, EBB_EDGE_GONE, bare, "/bare");
	assert_int_equal(tree_snapshot(g->tree, g->recs, g->n, g->now, &s), 0);
	assert_int_equal(s.nr_containers, 1);
	assert_int_equal(tree_snapshot(g->tree, g->recs, 1, g->now, &s), 0);
	assert_int_equal(s.containers[0].bytes, 0);
	assert_int_equal(tree_snapshot(g->tree, NULL, 0, g->now, &s), 0);
}

/* --- what removed groups left ------------------------------------------------ */

static void set_file(struct groups *g, const char *path, uint64_t file)
{
	struct ebb_census *rec = &groups_entry(g, groups_id(g, path))->figures;

	rec->flags = EBB_CENSUS_STATS | EBB_CENSUS_LRU_GEN;
	rec->max_seq = 3;
	rec->file = file;
}

static uint64_t orphans(struct groups *g, const char *parent)
{
	struct ebb_snapshot s = {};

	assert_int_equal(tree_snapshot(g->tree, g->recs, g->n, g->now, &s), 0);
	for (size_t i = 0; i < s.nr_orphans; i++)
		if (s.orphans[i].parent == groups_id(g, parent))
			return s.orphans[i].bytes;
	return 0;
}

static void orphans_of_a_container(void **state)
{
	struct groups *g = *state;

	groups_run(g, "/machine.slice/other.service");
	groups_run(g, SCOPE);
	set_file(g, "", 500 * MIB);
	set_file(g, "/machine.slice", 400 * MIB);
	set_file(g, "/machine.slice/other.service", 100 * MIB);
	set_file(g, SCOPE, 300 * MIB);
	groups_put(g, "/machine.slice/cgroup.stat", "nr_descendants 1\nnr_dying_descendants 1\n");
	groups_put(g, "/cgroup.stat", "nr_descendants 1\nnr_dying_descendants 1\n");
	groups_tick(g);
	/* 100 MiB of the root's are nobody's, and were before: an initramfs. */
	assert_int_equal(orphans(g, ""), 0);

	/* Gone: what it had counts at once, for it was seen to have it. */
	groups_rmdir(g, SCOPE);
	groups_tick(g);
	assert_int_equal(orphans(g, "/machine.slice"), 300 * MIB);
	assert_int_equal(orphans(g, ""), 0);
	/* Reclaimed. */
	set_file(g, "/machine.slice", 102 * MIB);
	set_file(g, "", 202 * MIB);
	groups_tick(g);
	assert_int_equal(orphans(g, "/machine.slice"), 0);
	/* The slice goes as well, without anything left. */
	groups_rmdir(g, "/machine.slice/other.service");
	set_file(g, "/machine.slice", 0);
	set_file(g, "", 100 * MIB);
	groups_tick(g);
	assert_int_equal(orphans(g, "/machine.slice"), 0);
	assert_int_equal(orphans(g, ""), 0);
}

static void set_mapped(struct groups *g, const char *path, uint64_t bytes)
{
	groups_entry(g, groups_id(g, path))->figures.file_mapped = bytes;
}

static uint64_t orphans_mapped(struct groups *g, const char *parent)
{
	struct ebb_snapshot s = {};

	assert_int_equal(tree_snapshot(g->tree, g->recs, g->n, g->now, &s), 0);
	for (size_t i = 0; i < s.nr_orphans; i++)
		if (s.orphans[i].parent == groups_id(g, parent))
			return s.orphans[i].mapped;
	return 0;
}

/* The program that the next container runs was read by the one that has gone. */
static void orphans_that_somebody_runs(void **state)
{
	struct groups *g = *state;

	groups_run(g, "/machine.slice/other.service");
	groups_run(g, SCOPE);
	set_file(g, "", 500 * MIB);
	set_file(g, "/machine.slice", 400 * MIB);
	set_file(g, "/machine.slice/other.service", 100 * MIB);
	set_file(g, SCOPE, 300 * MIB);
	set_mapped(g, "", 70 * MIB);
	set_mapped(g, "/machine.slice", 50 * MIB);
	set_mapped(g, "/machine.slice/other.service", 10 * MIB);
	set_mapped(g, SCOPE, 40 * MIB);
	groups_put(g, "/machine.slice/cgroup.stat", "nr_descendants 1\nnr_dying_descendants 1\n");
	groups_tick(g);
	groups_rmdir(g, SCOPE);
	groups_tick(g);
	assert_int_equal(orphans(g, "/machine.slice"), 300 * MIB);
	assert_int_equal(orphans_mapped(g, "/machine.slice"), 40 * MIB);
	set_mapped(g, "/machine.slice", 12 * MIB);
	groups_tick(g);
	assert_int_equal(orphans_mapped(g, "/machine.slice"), 2 * MIB);
	/* The figures are of slightly different moments. */
	set_mapped(g, "/machine.slice", 9 * MIB);
	groups_tick(g);
	assert_int_equal(orphans_mapped(g, "/machine.slice"), 0);
}

/* What was mapped of the root's own before is not of those that went. */
static void orphans_of_the_root_that_somebody_runs(void **state)
{
	struct groups *g = *state;

	groups_run(g, "/work");
	set_file(g, "", 90 * MIB);
	set_file(g, "/work", 60 * MIB);
	set_mapped(g, "", 27 * MIB);
	set_mapped(g, "/work", 15 * MIB);
	groups_tick(g);
	groups_edge(g, EBB_EDGE_GONE, groups_id(g, "/work"), "/work");
	groups_rmdir(g, "/work");
	groups_tick(g);
	assert_int_equal(orphans(g, ""), 60 * MIB);
	assert_int_equal(orphans_mapped(g, ""), 15 * MIB);
	set_mapped(g, "", 12 * MIB);
	groups_tick(g);
	assert_int_equal(orphans_mapped(g, ""), 0);
}

static void orphans_below_the_root(void **state)
{
	struct groups *g = *state;

	groups_run(g, "/work");
	set_file(g, "", 90 * MIB);
	set_file(g, "/work", 60 * MIB);
	groups_tick(g);
	groups_edge(g, EBB_EDGE_GONE, groups_id(g, "/work"), "/work");
	groups_rmdir(g, "/work");
	groups_tick(g);
	assert_int_equal(orphans(g, ""), 60 * MIB);
	set_file(g, "", 50 * MIB);
	groups_tick(g);
	assert_int_equal(orphans(g, ""), 50 * MIB);
	/* The root's own grow: no orphans. */
	set_file(g, "", 90 * MIB);
	groups_tick(g);
	assert_int_equal(orphans(g, ""), 50 * MIB);
	set_file(g, "", 2 * MIB);
	groups_tick(g);
	set_file(g, "", 90 * MIB);
	groups_tick(g);
	assert_int_equal(orphans(g, ""), 0);
}

static void no_phantom_orphans(void **state)
{
	struct groups *g = *state;

	groups_run(g, "/jobs/a");
	groups_run(g, "/jobs/b");
	set_file(g, "/jobs", 200 * MIB);
	set_file(g, "/jobs/a", 100 * MIB);
	set_file(g, "/jobs/b", 100 * MIB);
	groups_tick(g);
	/* The child's figure was flushed after its reclaim, the parent's was not. */
	set_file(g, "/jobs/a", 10 * MIB);
	groups_tick(g);
	assert_int_equal(orphans(g, "/jobs"), 0);
	set_file(g, "/jobs", 110 * MIB);
	groups_tick(g);
	assert_int_equal(orphans(g, "/jobs"), 0);

	/* It lasts, and something is dying there. */
	set_file(g, "/jobs", 160 * MIB);
	groups_tick(g);
	assert_int_equal(orphans(g, "/jobs"), 0);
	groups_tick(g);
	assert_int_equal(orphans(g, "/jobs"), 50 * MIB);
	/* It lasts, and nothing is dying there. */
	groups_put(g, "/jobs/cgroup.stat", "nr_descendants 2\nnr_dying_descendants 0\n");
	assert_int_equal(orphans(g, "/jobs"), 0);
	/* Since 7.1 or so it is on the lists of the parent, and nothing dies. */
	groups_entry(g, groups_id(g, "/jobs"))->figures.gen[0].file = 45 * MIB;
	groups_tick(g);
	assert_int_equal(orphans(g, "/jobs"), 45 * MIB);
	/* shmem is not cache that can be dropped */
	groups_entry(g, groups_id(g, "/jobs"))->figures.shmem = 48 * MIB;
	groups_tick(g);
	assert_int_equal(orphans(g, "/jobs"), 0);
}

static void none_inside_of_a_container(void **state)
{
	struct groups *g = *state;

	groups_run(g, SCOPE "/container");
	set_file(g, SCOPE, 300 * MIB);
	set_file(g, SCOPE "/container", 100 * MIB);
	for (int i = 0; i < 3; i++)
		groups_tick(g);
	assert_int_equal(orphans(g, SCOPE), 0);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, groups_setup, groups_teardown)
	static const struct CMUnitTest tests[] = {
		test(snapshots),
		test(orphans_of_a_container),
		test(orphans_that_somebody_runs),
		test(orphans_of_the_root_that_somebody_runs),
		test(orphans_below_the_root),
		test(no_phantom_orphans),
		test(none_inside_of_a_container),
	};

	return cmocka_run_group_tests_name("tree_snapshot", tests, NULL, NULL);
}
