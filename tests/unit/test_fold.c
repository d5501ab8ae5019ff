// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sense/fold.h"

#define MIB (1ull << 20)
#define NOW 1000000

/* Ages are given oldest generation first: that of min_seq, and so on up to max_seq = min_seq + 3.
 */
static struct ebb_census gens(uint64_t min_seq, const struct ebb_gen g[EBB_MAX_GENS])
{
	struct ebb_census rec = {
		.cgroup = 7,
		.flags = EBB_CENSUS_LRU_GEN,
		.min_seq_anon = min_seq,
		.min_seq_file = min_seq,
		.max_seq = min_seq + 3,
	};

	for (uint64_t i = 0; i < EBB_MAX_GENS; i++)
		rec.gen[(min_seq + i) % EBB_MAX_GENS] = g[i];
	return rec;
}

static struct ebb_snap_container fold_one(const struct ebb_census *rec)
{
	struct ebb_snap_container c = {};
	struct fold f;

	fold_init(&f);
	fold_lru(&f, rec);
	fold_finish(&f, NULL, NOW, 4096, &c);
	return c;
}

static void assert_age(const struct ebb_age *a, uint64_t idle_ms, uint64_t anon, uint64_t file)
{
	assert_int_equal(a->idle_ms, idle_ms);
	assert_int_equal(a->anon, anon);
	assert_int_equal(a->file, file);
}

static void ages_of_one_group(void **state)
{
	static const struct ebb_gen g[] = { { 60000, 8 * MIB, MIB },
					    { 40000, 4 * MIB, 0 },
					    { 20000, 2 * MIB, 0 },
					    { 1000, MIB, 3 * MIB } };
	/* Every position of the ring. */
	for (uint64_t min = 5; min < 9; min++) {
		struct ebb_census rec = gens(min, g);
		struct ebb_snap_container c = fold_one(&rec);

		assert_true(c.ages_known);
		assert_int_equal(c.nr_ages, 3);
		assert_age(&c.age[0], 40000, 8 * MIB, MIB);
		assert_age(&c.age[1], 20000, 4 * MIB, 0);
		/* Since the last pass nobody looked, so the last two have nothing to show. */
		assert_age(&c.age[2], 0, 3 * MIB, 3 * MIB);
		assert_int_equal(c.aged_ms, NOW - 1000);
		assert_int_equal(c.anon, 15 * MIB);
		assert_int_equal(c.file, 4 * MIB);
	}
}

static void assert_old(const struct ebb_old_file *old, uint64_t idle_ms, uint64_t bytes)
{
	assert_int_equal(old->idle_ms, idle_ms);
	assert_int_equal(old->bytes, bytes);
}

/* What the kernel evicts from: of which two younger generations exist, and how old that is known to
 * be. */
static void old_generations(void **state)
{
	static const struct ebb_gen g[] = {
		{ 90000, 5, 100 }, { 60000, 7, 200 }, { 30000, 11, 300 }, { 100, 13, 400 }
	};
	struct ebb_census rec = gens(8, g);
	struct ebb_file_lists l = fold_file_lists(&rec);

	assert_int_equal(l.seq, 8);
	assert_old(&l.old[0], 60000, 100);
	assert_old(&l.old[1], 30000, 200);
	rec.min_seq_anon = rec.min_seq_file = 9;
	l = fold_file_lists(&rec);
	assert_int_equal(l.seq, 9);
	assert_old(&l.old[0], 30000, 200);
	assert_old(&l.old[1], 0, 0);
	rec.min_seq_anon = rec.min_seq_file = 10;
	l = fold_file_lists(&rec);
	assert_old(&l.old[0], 0, 0);
	rec.flags &= ~EBB_CENSUS_LRU_GEN;
	l = fold_file_lists(&rec);
	assert_old(&l.old[0], 0, 0);
}

static void birth_is_no_pass(void **state)
{
	/* Born an hour ago and never aged: four generations, one time stamp, a jiffy apart. */
	static const struct ebb_gen g[] = { { 3600010, 0, 64 * MIB },
					    { 3600010, 0, MIB },
					    { 3600000, 80 * MIB, 0 },
					    { 3600000, MIB, 0 } };
	struct ebb_census rec = gens(0, g);
	struct ebb_snap_container c = fold_one(&rec);

	assert_int_equal(c.nr_ages, 1);
	assert_age(&c.age[0], 0, 81 * MIB, 65 * MIB);
	assert_int_equal(c.aged_ms, 0);
}

static void first_pass(void **state)
{
	static const struct ebb_gen g[] = { { 3600000, 0, 64 * MIB },
					    { 3600000, 9 * MIB, 0 },
					    { 3600000, 80 * MIB, 0 },
					    { 500, 0, 0 } };
	struct ebb_census rec = gens(1, g);
	struct ebb_snap_container c = fold_one(&rec);

	/* Not touched from the birth of generation 3 until the pass looked. */
	assert_int_equal(c.nr_ages, 2);
	assert_age(&c.age[0], 3600000, 9 * MIB, 64 * MIB);
	assert_age(&c.age[1], 0, 80 * MIB, 0);
	assert_int_equal(c.aged_ms, NOW - 500);
}

static void windows_differ(void **state)
{
	static const struct ebb_gen g[] = {
		{ 90000, 5, 100 }, { 60000, 7, 200 }, { 30000, 11, 300 }, { 100, 13, 400 }
	};
	struct ebb_census rec = gens(8, g);
	struct ebb_snap_container c;

	rec.min_seq_anon = 10; /* what an older slot holds of anon is not there any more */
	c = fold_one(&rec);
	assert_int_equal(c.nr_ages, 3);
	assert_age(&c.age[0], 60000, 0, 100);
	assert_age(&c.age[1], 30000, 0, 200);
	assert_age(&c.age[2], 0, 24, 700);
	assert_int_equal(fold_own_file(&rec), 1000);
	rec.min_seq_file = 11;
	assert_int_equal(fold_own_file(&rec), 400);
}

static void torn_records(void **state)
{
	static const struct ebb_gen g[] = {
		{ 90000, 5, 100 }, { 60000, 7, 200 }, { 30000, 11, 300 }, { 100, 13, 400 }
	};
	struct ebb_census rec = gens(8, g);
	struct ebb_snap_container c;

	rec.min_seq_anon = rec.min_seq_file = 3; /* read before two passes, max_seq after them */
	c = fold_one(&rec);
	assert_int_equal(c.anon, 36);
	assert_int_equal(c.file, 1000);

	rec.min_seq_anon = rec.min_seq_file = 12; /* beyond the youngest */
	c = fold_one(&rec);
	assert_false(c.ages_known);
	assert_int_equal(c.anon, 0);
	assert_int_equal(fold_own_file(&rec), 0);

	rec = gens(8, g);
	rec.flags = 0;
	c = fold_one(&rec);
	assert_false(c.ages_known);
	assert_int_equal(c.aged_ms, 0);

	rec = gens(8, g); /* seq 0 alone */
	rec.min_seq_anon = rec.min_seq_file = rec.max_seq = 0;
	c = fold_one(&rec);
	assert_int_equal(c.nr_ages, 1);
	assert_int_equal(c.aged_ms, 0);
}

static uint64_t total(const struct ebb_snap_container *c)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < c->nr_ages; i++)
		bytes += c->age[i].anon + c->age[i].file;
	return bytes;
}

/*
 * However many groups, and whatever had to be merged: nothing is lost, the
 * list is sorted, and at no threshold does more look idle than is.
 */
static void many_groups_merge_carefully(void **state)
{
	srand(1);
	for (int round = 0; round < 200; round++) {
		struct ebb_snap_container c = {};
		struct ebb_age truth[4 * 40];
		size_t nr = 0, groups = 1 + rand() % 40;
		uint64_t sum = 0;
		struct fold f;

		fold_init(&f);
		for (size_t i = 0; i < groups; i++) {
			uint64_t age = 100 + rand() % 5000;
			struct ebb_gen g[EBB_MAX_GENS];
			struct ebb_census rec;

			for (int k = 3; k >= 0; k--) {
				g[k] = (struct ebb_gen){ age, rand() % 1000, rand() % 1000 };
				truth[nr++] = (struct ebb_age){ 0, g[k].anon, g[k].file };
				sum += g[k].anon + g[k].file;
				age += 1000 + rand() % 100000;
			}
			/* truth is youngest first here */
			truth[nr - 1].idle_ms = g[1].age_ms;
			truth[nr - 2].idle_ms = g[2].age_ms;
			rec = gens(rand() % 100, g);
			fold_lru(&f, &rec);
		}
		fold_finish(&f, NULL, NOW, 4096, &c);
		assert_in_range(c.nr_ages, 1, EBB_MAX_AGES);
		assert_int_equal(total(&c), sum);
		for (unsigned int i = 0; i < c.nr_ages; i++) {
			uint64_t claimed = 0, real = 0;

			assert_true(!i || c.age[i - 1].idle_ms > c.age[i].idle_ms);
			for (unsigned int k = 0; k <= i; k++)
				claimed += c.age[k].anon + c.age[k].file;
			for (size_t k = 0; k < nr; k++)
				if (truth[k].idle_ms >= c.age[i].idle_ms)
					real += truth[k].anon + truth[k].file;
			assert_true(claimed <= real);
		}
	}
}

static void aged_when_all_that_matters_was(void **state)
{
	static const struct ebb_gen big[] = {
		{ 60000, 500 * MIB, 0 }, { 40000, 0, 0 }, { 20000, 0, 0 }, { 1000, 0, 0 }
	};
	static const struct ebb_gen older[] = {
		{ 90000, 100 * MIB, 0 }, { 80000, 0, 0 }, { 70000, 0, 0 }, { 60000, 0, 0 }
	};
	static const struct ebb_gen fresh[] = {
		{ 50, MIB, 0 }, { 50, 0, 0 }, { 50, 0, 0 }, { 50, 0, 0 }
	};
	static const struct ebb_gen empty[] = {
		{ 999000, 0, 0 }, { 999000, 0, 0 }, { 999000, 0, 0 }, { 999000, 0, 0 }
	};
	struct ebb_census rec[] = { gens(4, big), gens(0, fresh), gens(0, empty), gens(9, older) };
	struct ebb_snap_container c = {};
	struct fold f;

	fold_init(&f);
	for (int i = 0; i < 3; i++)
		fold_lru(&f, &rec[i]);
	fold_finish(&f, NULL, NOW, 4096, &c);
	/* One new small group and an empty one do not make the 500 MiB unknown. */
	assert_int_equal(c.aged_ms, NOW - 1000);
	fold_lru(&f, &rec[3]);
	fold_finish(&f, NULL, NOW, 4096, &c);
	/* A sixth of it does. */
	assert_int_equal(c.aged_ms, NOW - 60000);
}

static void sizes_come_from_the_own_record(void **state)
{
	static const struct ebb_gen g[] = {
		{ 60000, 8 * MIB, MIB }, { 40000, 0, 0 }, { 20000, 0, 0 }, { 1000, 0, 0 }
	};
	struct ebb_census own = {
		.flags = EBB_CENSUS_STATS | EBB_CENSUS_PSI,
		.usage = 100 * MIB,
		.swap = 5 * MIB,
		.anon = 60 * MIB,
		.anon_thp = 20 * MIB,
		.file = 30 * MIB,
		.file_mapped = 3 * MIB,
		.shmem = 2 * MIB,
		.refault_anon = 10,
		.refault_file = 20,
		.pgsteal = 30,
		.pgfault = 40,
		.pgmajfault = 50,
		.psi_mem_some = 60,
		.psi_io_some = 70,
	};
	struct ebb_census below = gens(4, g);
	struct ebb_snap_container c = { .id = 5, .paused = true };
	struct fold f;

	fold_init(&f);
	fold_lru(&f, &below);
	fold_finish(&f, &own, NOW, 16384, &c);
	assert_int_equal(c.bytes, 100 * MIB);
	assert_int_equal(c.swap, 5 * MIB);
	assert_int_equal(c.anon, 60 * MIB);
	assert_int_equal(c.anon_thp, 20 * MIB);
	assert_int_equal(c.file, 30 * MIB);
	assert_int_equal(c.file_mapped, 3 * MIB);
	assert_int_equal(c.shmem, 2 * MIB);
	assert_int_equal(c.refault_anon, 10 * 16384);
	assert_int_equal(c.refault_file, 20 * 16384);
	assert_int_equal(c.steal, 30 * 16384);
	assert_int_equal(c.faults, 40);
	assert_int_equal(c.major_faults, 50);
	assert_int_equal(c.psi_mem_some_us, 60);
	assert_int_equal(c.psi_io_some_us, 70);
	assert_int_equal(c.age[0].anon, 8 * MIB);
	assert_true(c.paused && c.id == 5);

	/* Without statistics the lists tell. */
	own.flags = 0;
	c = (struct ebb_snap_container){};
	fold_finish(&f, &own, NOW, 4096, &c);
	assert_int_equal(c.bytes, 100 * MIB);
	assert_int_equal(c.anon, 8 * MIB);
	assert_int_equal(c.file, MIB);
	assert_int_equal(c.psi_mem_some_us, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ages_of_one_group),
		cmocka_unit_test(old_generations),
		cmocka_unit_test(birth_is_no_pass),
		cmocka_unit_test(first_pass),
		cmocka_unit_test(windows_differ),
		cmocka_unit_test(torn_records),
		cmocka_unit_test(many_groups_merge_carefully),
		cmocka_unit_test(aged_when_all_that_matters_was),
		cmocka_unit_test(sizes_come_from_the_own_record),
	};

	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
