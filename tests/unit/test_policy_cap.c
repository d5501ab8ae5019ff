// SPDX-License-Identifier: GPL-2.0-only
/* The cap held in the guest: who gets which limit, and what is taken before one bites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

#define MiB (1ull << 20)
#define GiB (1ull << 30)
#define NONE UINT64_MAX
#define NR 3

static struct {
	struct ebb_snapshot snap;
	struct ebb_snap_container containers[NR];
	struct ebb_holder holders[NR];
	struct ebb_config config;
	struct policy_state state;
	struct policy_container slots[NR];
	struct ebb_plan plan;
	struct ebb_plan_item items[16];
	struct ebb_verdict verdicts[NR];
	uint64_t outside;
} t;

/* 2 GiB of RAM, a cap of 1 GiB, nr bare groups of which each is a container and a holder. */
static void have(size_t nr)
{
	t.snap.nr_containers = t.snap.nr_holders = nr;
	for (size_t i = 0; i < nr; i++) {
		t.containers[i] = (struct ebb_snap_container){
			.id = 10 + i, .holder = 10 + i, .populated = true, .can_age = true
		};
		t.holders[i] = (struct ebb_holder){
			.id = 10 + i, .limit = NONE, .set = NONE, .swap_set = NONE
		};
	}
}

static int start(void **state)
{
	memset(&t, 0, sizeof(t));
	t.config.cold_after_ms = 60000;
	t.config.stall_budget_ppm = 1000;
	t.config.cap = GiB;
	t.state.slots = t.slots;
	t.state.max = NR;
	t.plan.items = t.items;
	t.plan.max_items = 16;
	t.plan.verdicts = t.verdicts;
	t.plan.max_verdicts = NR;
	t.snap.containers = t.containers;
	t.snap.holders = t.holders;
	t.snap.now_ms = 1000000;
	t.snap.machine.ram = 2 * GiB;
	t.snap.machine.swap_total = t.snap.machine.swap_free = 2 * GiB;
	t.outside = 200 * MiB;
	have(1);
	return 0;
}

static uint64_t held(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t.snap.nr_holders; i++)
		sum += t.holders[i].bytes;
	return sum;
}

static const struct ebb_plan_item *item(uint64_t id, enum ebb_action action)
{
	for (size_t i = 0; i < t.plan.nr_items; i++)
		if (t.items[i].id == id && t.items[i].action == action)
			return &t.items[i];
	return NULL;
}

/* One decision; limits are then as it wants them, and usage below them. Returns how many moved. */
static unsigned int step(uint64_t ms)
{
	unsigned int moved = 0;

	t.snap.now_ms += ms;
	for (size_t i = 0; i < t.snap.nr_holders; i++)
		t.containers[i].bytes = t.holders[i].bytes;
	t.snap.machine.mem_free = 2 * GiB - t.outside - held();
	t.snap.machine.free_reportable = t.snap.machine.mem_free;
	assert_int_equal(policy_step(&t.snap, &t.config, &t.state, &t.plan), 0);
	for (size_t i = 0; i < t.snap.nr_holders; i++) {
		const struct ebb_plan_item *it = item(t.holders[i].id, EBB_ACT_LIMIT);

		if (!it)
			continue;
		moved++;
		t.holders[i].set = it->limit;
		if (t.holders[i].bytes > it->limit)
			t.holders[i].bytes = it->limit;
	}
	return moved;
}

static uint64_t sum_of_limits(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t.snap.nr_holders; i++)
		sum += t.holders[i].set < t.holders[i].limit ? t.holders[i].set
							     : t.holders[i].limit;
	return sum;
}

/* cap - hidden (80 MiB) - reserve (cap / 20) - outside */
static uint64_t room(void)
{
	return GiB - 80 * MiB - GiB / 20 - t.outside;
}

static void test_no_cap_no_limits(void **state)
{
	t.config.cap = 0;
	assert_int_equal(step(1000), 0);
	t.config.cap = 2 * GiB; /* the nominal size: all of it is meant */
	assert_int_equal(step(1000), 0);
}

static void test_one_gets_all_of_it(void **state)
{
	t.holders[0].bytes = 100 * MiB;
	assert_int_equal(step(1000), 1);
	assert_in_range(t.holders[0].set, room() - MiB, room());
	assert_int_equal(item(10, EBB_ACT_LIMIT)->reason, EBB_REASON_CAP);
	/* And keeps it, however much it grows. */
	t.holders[0].bytes = 600 * MiB;
	assert_int_equal(step(1000), 0);
	t.holders[0].bytes = t.holders[0].set;
	assert_int_equal(step(1000), 0);
	assert_int_equal(t.verdicts[0].reason, EBB_REASON_CAP);
	assert_int_equal(t.verdicts[0].state, EBB_STATE_HELD);
	t.holders[0].bytes = 300 * MiB;
	step(1000);
	assert_int_not_equal(t.verdicts[0].reason, EBB_REASON_CAP);
}

static void test_slack_is_shared(void **state)
{
	have(3);
	t.holders[0].bytes = 100 * MiB;
	t.holders[1].bytes = 200 * MiB;
	t.holders[2].bytes = 50 * MiB;
	assert_int_equal(step(1000), 3);
	assert_in_range(sum_of_limits(), room() - 3 * MiB, room());
	for (size_t i = 0; i < 3; i++)
		assert_in_range(t.holders[i].set - t.holders[i].bytes,
				(room() - 350 * MiB) / 3 - MiB, (room() - 350 * MiB) / 3);
	assert_int_equal(step(1000), 0);
}

/* One that grows gets what the others do not use, a part at a time. */
static void test_rebalanced_when_one_comes_near(void **state)
{
	have(2);
	t.holders[0].bytes = t.holders[1].bytes = 50 * MiB;
	step(1000);
	for (int i = 0; i < 30; i++) {
		t.holders[0].bytes = t.holders[0].set;
		step(200);
		assert_true(sum_of_limits() <= room() + GiB / 64);
		assert_true(t.holders[1].set > t.holders[1].bytes);
	}
	assert_true(t.holders[0].bytes > room() - 50 * MiB - 64 * MiB);
	/* The other one comes back to its part when it asks. */
	t.holders[0].bytes = 300 * MiB;
	t.holders[1].bytes = t.holders[1].set;
	step(200);
	assert_true(t.holders[1].set > t.holders[1].bytes + 50 * MiB);
	assert_true(sum_of_limits() <= room() + GiB / 64);
}

static void test_room_that_changes(void **state)
{
	t.holders[0].bytes = 100 * MiB;
	step(1000);
	t.outside += 10 * MiB; /* a little is left alone */
	t.snap.now_ms += 600000;
	assert_int_equal(step(60000), 0);
	t.outside -= 10 * MiB;
	step(60000);
	t.outside -= 60 * MiB;
	assert_int_equal(step(60000), 1);
	assert_in_range(t.holders[0].set, room() - MiB, room());
	t.outside += 200 * MiB;
	assert_int_equal(step(60000), 1);
	/* Less than the room by what the outside might grow until the next look. */
	assert_in_range(t.holders[0].set, room() - 8 * MiB, room());
}

static void test_a_fast_outside_is_met_with_reserve(void **state)
{
	uint64_t slow;

	t.holders[0].bytes = 100 * MiB;
	step(1000);
	slow = t.holders[0].set;
	t.outside += 100 * MiB; /* in 0.2 s */
	step(200);
	assert_true(t.holders[0].set + 100 * MiB + 100 * MiB < slow);
	assert_true(t.plan.next_ms <= t.snap.now_ms + 200);
}

static void test_limits_of_others_are_kept(void **state)
{
	have(2);
	t.holders[0].limit = 120 * MiB;
	t.holders[0].bytes = t.holders[1].bytes = 100 * MiB;
	step(1000);
	/* Theirs is enough, and what it leaves goes to the other. */
	assert_true(t.holders[0].set == NONE);
	assert_in_range(t.holders[1].set, room() - 120 * MiB - MiB, room() - 120 * MiB);
	assert_int_equal(step(1000), 0);
}

static void test_left_alone(void **state)
{
	have(2);
	t.holders[0].left_alone = true;
	t.holders[0].bytes = 300 * MiB;
	t.holders[1].bytes = 100 * MiB;
	step(1000);
	assert_true(t.holders[0].set == NONE);
	/* It counts as outside. */
	assert_in_range(t.holders[1].set, room() - 300 * MiB - MiB, room() - 300 * MiB);
}

static void test_busy_is_not_asked_twice(void **state)
{
	t.holders[0].bytes = 100 * MiB;
	t.holders[0].busy = true;
	assert_int_equal(step(1000), 0);
}

/* More is held than there is room for: the largest gives, the small ones live on. */
static void test_squeezed(void **state)
{
	have(3);
	t.holders[0].bytes = 485 * MiB;
	t.holders[1].bytes = 30 * MiB;
	t.holders[2].bytes = 200 * MiB;
	step(1000);
	/* A second for early reclaim: nobody grows, nobody is cut. */
	assert_true(t.holders[0].set >= 484 * MiB);
	assert_true(t.plan.next_ms <= t.snap.now_ms + 200);
	step(1000);
	assert_true(t.holders[0].set < 465 * MiB);
	assert_true(t.holders[1].set > 30 * MiB);
	assert_true(t.holders[2].set > 200 * MiB);
	assert_true(sum_of_limits() <= room());
	assert_int_not_equal(item(10, EBB_ACT_LIMIT)->batch, 0);
	step(1000);
	assert_true(held() + t.outside <= GiB - 80 * MiB);
}

/* Already in the reserve: no time to lose. */
static void test_squeezed_at_once(void **state)
{
	t.holders[0].bytes = 850 * MiB;
	step(1000);
	assert_in_range(t.holders[0].set, room() - MiB, room());
}

static void aged(size_t i, uint64_t old, uint64_t middle, uint64_t young)
{
	struct ebb_snap_container *c = &t.containers[i];

	c->ages_known = true;
	c->aged_ms = t.snap.now_ms;
	c->anon = t.holders[i].bytes;
	c->nr_ages = 3;
	c->age[0] = (struct ebb_age){ .idle_ms = 50000, .anon = old };
	c->age[1] = (struct ebb_age){ .idle_ms = 5000, .anon = middle };
	c->age[2] = (struct ebb_age){ .idle_ms = 0, .anon = young };
	t.slots[i].known = t.slots[i].started = true;
}

/* Settled, and not to be aged at once. */
static void settled(size_t nr)
{
	step(1000);
	t.snap.now_ms += 60000;
	for (size_t i = 0; i < nr; i++) {
		t.slots[i].started = true;
		t.slots[i].age_asked_ms = t.snap.now_ms;
	}
}

static void test_the_coldest_goes_first(void **state)
{
	have(2);
	t.holders[0].bytes = t.holders[1].bytes = 300 * MiB;
	settled(2);
	t.holders[0].bytes = 370 * MiB;
	aged(0, 0, 100 * MiB, 270 * MiB);
	aged(1, 200 * MiB, 50 * MiB, 50 * MiB);
	step(100);
	/* Nearly full: what is idle for long, though not as long as cold_after. */
	assert_non_null(item(11, EBB_ACT_RECLAIM));
	assert_int_equal(item(11, EBB_ACT_RECLAIM)->reason, EBB_REASON_CAP);
	assert_in_range(item(11, EBB_ACT_RECLAIM)->anon, MiB, 80 * MiB);
	assert_null(item(10, EBB_ACT_RECLAIM));
	assert_int_equal(t.verdicts[1].reason, EBB_REASON_CAP);
	assert_int_equal(t.verdicts[1].state, EBB_STATE_RECLAIMING);
	assert_int_not_equal(t.verdicts[0].state, EBB_STATE_RECLAIMING);
}

/* An image that is pulled fills the page cache: that goes before the containers do. */
static void test_page_cache_of_the_system(void **state)
{
	struct ebb_other others[2] = { { .id = 3, .file = 200 * MiB }, { .id = 4, .file = MiB } };

	t.snap.others = others;
	t.snap.nr_others = 2;
	t.holders[0].bytes = 300 * MiB;
	step(1000);
	assert_null(item(3, EBB_ACT_RECLAIM)); /* there is room */
	t.outside += 500 * MiB;
	others[0].file += 500 * MiB;
	step(1000);
	assert_non_null(item(3, EBB_ACT_RECLAIM));
	assert_int_equal(item(3, EBB_ACT_RECLAIM)->reason, EBB_REASON_CAP);
	assert_int_equal(item(3, EBB_ACT_RECLAIM)->anon, 0);
	assert_in_range(item(3, EBB_ACT_RECLAIM)->file, 100 * MiB, 350 * MiB);
	assert_null(item(4, EBB_ACT_RECLAIM));
	step(200);
	assert_null(item(3, EBB_ACT_RECLAIM)); /* not again at once */
	others[0].busy = true;
	step(2000);
	assert_null(item(3, EBB_ACT_RECLAIM));
}

/* Asked for in so many of the next seconds; each time, part of it is read again at once. */
static unsigned int asked_in(unsigned int seconds, struct ebb_other *o, uint64_t back)
{
	unsigned int asked = 0;

	for (unsigned int i = 0; i < seconds; i++) {
		step(1000);
		if (!item(o->id, EBB_ACT_RECLAIM))
			continue;
		asked++;
		o->refault_file += back;
	}
	return asked;
}

/* Services that run from what is taken of them are left alone: the room stays full for good. */
static void test_what_services_use(void **state)
{
	struct ebb_other others[2] = { { .id = 3, .file = 400 * MiB, .file_mapped = 390 * MiB },
				       { .id = 4, .file = 300 * MiB } };

	t.snap.others = others;
	t.snap.nr_others = 2;
	t.holders[0].bytes = 300 * MiB;
	t.outside += 500 * MiB;
	step(1000);
	assert_non_null(item(4, EBB_ACT_RECLAIM));
	if (item(3, EBB_ACT_RECLAIM)) /* no more than nobody maps */
		assert_in_range(item(3, EBB_ACT_RECLAIM)->file, MiB, 10 * MiB);
	others[0].file_mapped = 0;
	/* It reads all of it again, its neighbour nothing. */
	assert_in_range(asked_in(60, &others[0], 20 * MiB), 1, 6);
	assert_in_range(asked_in(60, &others[1], 0), 50, 60);
	assert_in_range(asked_in(3600, &others[0], 20 * MiB), 1, 8);
	/* And it is tried anew when that has changed. */
	assert_in_range(asked_in(7200, &others[0], 0), 1000, 7200);
}

static void test_deeper_where_it_has_to_be(void **state)
{
	t.holders[0].bytes = 600 * MiB;
	settled(1);
	t.holders[0].bytes = 750 * MiB;
	aged(0, 0, 400 * MiB, 350 * MiB);
	t.containers[0].protect = 700 * MiB;
	step(100);
	assert_non_null(item(10, EBB_ACT_RECLAIM));
	/* What a rule protects is left to the limit. */
	assert_true(item(10, EBB_ACT_RECLAIM)->anon <= 50 * MiB);
	t.containers[0].reclaim_off = true;
	t.snap.now_ms += 100;
	step(100);
	assert_null(item(10, EBB_ACT_RECLAIM));
}

static void test_taken_back(void **state)
{
	have(2);
	step(1000);
	assert_true(t.holders[0].set != NONE && t.holders[1].set != NONE);
	t.config.cap = 3 * GiB / 2;
	assert_int_equal(step(60000), 2); /* raised */
	t.config.cap = 0;
	assert_int_equal(step(1000), 2);
	assert_true(t.holders[0].set == NONE && t.holders[1].set == NONE);
	assert_int_equal(step(1000), 0);
}

static void test_paused_holds_but_takes_nothing(void **state)
{
	t.snap.paused = true;
	t.holders[0].bytes = 850 * MiB;
	aged(0, 400 * MiB, 100 * MiB, 350 * MiB);
	step(1000);
	assert_null(item(10, EBB_ACT_RECLAIM));
	assert_true(t.holders[0].set <= room());
}

static void test_scattered_is_gathered(void **state)
{
	struct ebb_snap_machine *m = &t.snap.machine;

	t.holders[0].bytes = 700 * MiB;
	m->reporting = true;
	m->mem_total = 2 * GiB;
	step(1000);
	assert_null(item(0, EBB_ACT_COMPACT));
	m->free_reportable -= 200 * MiB;
	t.snap.now_ms += 5000;
	assert_int_equal(policy_step(&t.snap, &t.config, &t.state, &t.plan), 0);
	assert_non_null(item(0, EBB_ACT_COMPACT));
}

/* Whoever the holders are and whatever they do: never more than there is room for. */
static void test_many_steps(void **state)
{
	uint32_t seed = 1;

	have(3);
	for (int i = 0; i < 2000; i++) {
		for (size_t k = 0; k < 3; k++) {
			uint64_t most = t.holders[k].set == NONE ? 100 * MiB : t.holders[k].set;

			seed = seed * 1103515245 + 12345;
			t.holders[k].bytes = most / 1024 * (seed >> 16 & 1023);
		}
		step(1000);
		assert_true(sum_of_limits() <= GiB - 80 * MiB - t.outside);
		for (size_t k = 0; k < 3; k++)
			assert_true(t.holders[k].set >= 8 * MiB);
	}
}

int main(void)
{
#define test(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		test(test_no_cap_no_limits),
		test(test_one_gets_all_of_it),
		test(test_slack_is_shared),
		test(test_rebalanced_when_one_comes_near),
		test(test_room_that_changes),
		test(test_a_fast_outside_is_met_with_reserve),
		test(test_limits_of_others_are_kept),
		test(test_left_alone),
		test(test_busy_is_not_asked_twice),
		test(test_squeezed),
		test(test_squeezed_at_once),
		test(test_the_coldest_goes_first),
		test(test_page_cache_of_the_system),
		test(test_what_services_use),
		test(test_deeper_where_it_has_to_be),
		test(test_taken_back),
		test(test_paused_holds_but_takes_nothing),
		test(test_scattered_is_gathered),
		test(test_many_steps),
	};

	return cmocka_run_group_tests_name("policy_cap", tests, NULL, NULL);
}
