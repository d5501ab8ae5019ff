// SPDX-License-Identifier: GPL-2.0-only
/* The cap over memory that does not compress: who gets no more swap, for how long, and what the
 * whole of it then uses. */
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
#define NR 2
#define HIDDEN (80 * MiB) /* of 2 GiB, as the policy has it */

/* Two groups, each a container and a holder, and a kernel below them. */
struct hog {
	uint64_t wants; /* bytes that its programs have touched */
	unsigned int percent; /* that its memory takes in the pool */
	unsigned int kills;
};

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
	struct hog hogs[NR];
	uint64_t kernel;
	uint64_t most;
} t;

static int start(void **state)
{
	memset(&t, 0, sizeof(t));
	t.config =
		(struct ebb_config){ .cold_after_ms = 60000, .stall_budget_ppm = 1000, .cap = GiB };
	t.kernel = 150 * MiB;
	t.state.slots = t.slots;
	t.state.max = NR;
	t.plan.items = t.items;
	t.plan.max_items = 16;
	t.plan.verdicts = t.verdicts;
	t.plan.max_verdicts = NR;
	t.snap.containers = t.containers;
	t.snap.holders = t.holders;
	t.snap.nr_containers = t.snap.nr_holders = NR;
	t.snap.now_ms = 1000000;
	t.snap.machine.ram = 2 * GiB;
	t.snap.machine.swap_total = 2 * GiB;
	for (size_t i = 0; i < NR; i++) {
		t.containers[i] = (struct ebb_snap_container){ .id = 10 + i,
							       .holder = 10 + i,
							       .populated = true };
		t.holders[i] = (struct ebb_holder){
			.id = 10 + i, .limit = NONE, .set = NONE, .swap_set = NONE
		};
		t.hogs[i] = (struct hog){ .wants = MiB, .percent = 25 };
	}
	return 0;
}

static const struct ebb_plan_item *item(size_t i, enum ebb_action action)
{
	for (size_t k = 0; k < t.plan.nr_items; k++)
		if (t.items[k].id == 10 + i && t.items[k].action == action)
			return &t.items[k];
	return NULL;
}

/* What the kernel does with a group above its limit: swaps, or kills. */
static void meet_limit(size_t i)
{
	uint64_t over, *bytes = &t.holders[i].bytes, *swap = &t.containers[i].swap;

	*bytes = t.hogs[i].wants - *swap;
	if (*bytes <= t.holders[i].set)
		return;
	over = *bytes - t.holders[i].set;
	if (*swap + over > t.holders[i].swap_set) {
		t.hogs[i].kills++;
		t.hogs[i].wants = *bytes = *swap = 0;
	} else {
		*swap += over;
		*bytes -= over;
	}
}

static uint64_t pool(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < NR; i++)
		sum += t.containers[i].swap / 100 * t.hogs[i].percent;
	return sum;
}

static void measure(void)
{
	uint64_t used = t.kernel + pool();

	t.snap.machine.compressed = pool();
	t.snap.machine.compressed_original = 0;
	for (size_t i = 0; i < NR; i++) {
		used += t.holders[i].bytes;
		t.containers[i].bytes = t.containers[i].anon = t.holders[i].bytes;
		t.snap.machine.compressed_original += t.containers[i].swap;
		t.holders[i].swap = t.containers[i].swap;
	}
	t.snap.machine.swap_free = 2 * GiB - t.snap.machine.compressed_original;
	t.snap.machine.mem_free = t.snap.machine.free_reportable = 2 * GiB - used;
	if (used > t.most)
		t.most = used;
}

/* A look and what follows from it, ms after the last one. */
static void step(uint64_t ms)
{
	t.snap.now_ms += ms;
	for (size_t i = 0; i < NR; i++)
		meet_limit(i);
	measure();
	assert_int_equal(policy_step(&t.snap, &t.config, &t.state, &t.plan), 0);
	for (size_t i = 0; i < NR; i++) {
		if (item(i, EBB_ACT_SWAP_LIMIT))
			t.holders[i].swap_set = item(i, EBB_ACT_SWAP_LIMIT)->limit;
		if (item(i, EBB_ACT_LIMIT))
			t.holders[i].set = item(i, EBB_ACT_LIMIT)->limit;
		meet_limit(i);
	}
	measure();
}

/* Group i grows to bytes, mib of it between two looks. */
static void grow(size_t i, uint64_t bytes, uint64_t mib)
{
	while (t.hogs[i].wants < bytes) {
		t.hogs[i].wants += mib * MiB;
		step(200);
		if (t.hogs[i].kills)
			return;
	}
}

static void rest(uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 200)
		step(200);
}

static void test_a_hog_meets_its_limit(void **state)
{
	for (unsigned int percent = 76; percent <= 101; percent += 5)
		for (uint64_t mib = 2; mib <= 48; mib += 23) {
			start(state);
			t.hogs[0].percent = percent;
			rest(2000);
			grow(0, 1300 * MiB, mib);
			assert_int_equal(t.hogs[0].kills, 1);
			assert_int_equal(t.hogs[1].kills, 0);
			assert_true(t.most <= GiB - HIDDEN);
			assert_int_equal(t.holders[1].swap_set, NONE);
		}
}

/* What fits is not killed for the sake of the reserve, when others take of it. */
static void test_what_fits_stays(void **state)
{
	t.hogs[0].percent = 101;
	rest(2000);
	grow(0, GiB - HIDDEN - GiB / 20 - t.kernel - 4 * MiB, 4);
	for (int i = 0; i < 15; i++) {
		t.kernel += 2 * MiB;
		step(200);
	}
	rest(60000);
	assert_int_equal(t.hogs[0].kills, 0);
	assert_true(t.most <= GiB - HIDDEN);
}

static void test_what_compresses_is_swapped(void **state)
{
	rest(2000);
	grow(0, 1500 * MiB, 24);
	rest(5000);
	assert_int_equal(t.hogs[0].kills, 0);
	assert_int_equal(t.holders[0].swap_set, NONE);
	assert_true(t.containers[0].swap > 300 * MiB);
	assert_true(t.most <= GiB - HIDDEN);
}

/* Beside one that does not compress, the other one's swap is as it was. */
static void test_whose_doing_it_is(void **state)
{
	t.hogs[0].percent = 100;
	rest(2000);
	grow(0, 500 * MiB, 24);
	rest(2000);
	grow(1, 900 * MiB, 24);
	rest(30000);
	assert_int_equal(t.hogs[0].kills + t.hogs[1].kills, 0);
	assert_int_equal(t.holders[1].swap_set, NONE);
	assert_true(t.containers[1].swap > 300 * MiB);
	assert_true(t.most <= GiB - HIDDEN);
}

static void swaps(uint64_t first, uint64_t second)
{
	t.hogs[0].percent = 100;
	t.containers[0].swap += first * MiB;
	t.hogs[0].wants += first * MiB;
	t.containers[1].swap += second * MiB;
	t.hogs[1].wants += second * MiB;
}

/* Both at once, as a limit or a shortage brings it: only the one that saves nothing is held. */
static void test_two_at_once(void **state)
{
	rest(2000);
	swaps(24, 8);
	step(200);
	assert_true(t.holders[0].swap_set < GiB);
	assert_int_equal(t.holders[1].swap_set, NONE);
	/* And where neither saves anything, both. */
	start(state);
	rest(2000);
	t.hogs[1].percent = 100;
	swaps(16, 16);
	step(200);
	assert_true(t.holders[0].swap_set < GiB);
	assert_true(t.holders[1].swap_set < GiB);
}

/* What is known of each stands when they are mixed otherwise. */
static void test_known_from_before(void **state)
{
	rest(2000);
	swaps(0, 40);
	step(200);
	assert_in_range(t.slots[1].swap_ppm, 240000, 260000);
	swaps(60, 20);
	step(200);
	assert_true(t.holders[0].swap_set < GiB);
	assert_int_equal(t.holders[1].swap_set, NONE);
	assert_true(t.slots[0].swap_ppm > 800000);
	assert_true(t.slots[1].swap_ppm < 600000);
}

static void stores_badly(uint64_t mib)
{
	t.hogs[0].percent = 100;
	t.containers[0].swap += mib * MiB;
	t.hogs[0].wants += mib * MiB;
}

static void test_tried_anew(void **state)
{
	uint64_t rests[3];

	rest(2000);
	for (int i = 0; i < 3; i++) {
		uint64_t from = t.snap.now_ms;

		stores_badly(9);
		step(200);
		assert_true(t.holders[0].swap_set < GiB);
		assert_int_equal(item(0, EBB_ACT_SWAP_LIMIT)->reason, EBB_REASON_CAP);
		while (t.holders[0].swap_set != NONE)
			step(200);
		rests[i] = t.snap.now_ms - from;
	}
	assert_in_range(rests[0], 10000, 10400);
	assert_in_range(rests[1], 20000, 20400);
	assert_in_range(rests[2], 40000, 40400);
	/* Once it saves, the next one is a short one again. */
	t.hogs[0].percent = 25;
	measure();
	step(200);
	t.containers[0].swap += 20 * MiB;
	t.hogs[0].wants += 20 * MiB;
	step(200);
	assert_int_equal(t.holders[0].swap_set, NONE);
	assert_int_equal(t.state.cap.pool.rest_ms, 0);
}

/* A pool at its limit fails the writes: the kernel would go on trying for ever. */
static void test_full(void **state)
{
	rest(2000);
	t.hogs[0].percent = t.hogs[1].percent = 60;
	t.containers[0].swap = t.hogs[0].wants = 800 * MiB;
	step(200);
	assert_int_equal(t.holders[0].swap_set, NONE);
	t.containers[0].swap = t.hogs[0].wants = 850 * MiB;
	step(200);
	assert_true(t.holders[0].swap_set < GiB);
	assert_true(t.holders[1].swap_set < GiB);
	rest(60000);
	assert_true(t.holders[0].swap_set < GiB);
	t.containers[0].swap = t.hogs[0].wants = 700 * MiB;
	step(200);
	assert_int_equal(t.holders[0].swap_set, NONE);
	assert_int_equal(t.holders[1].swap_set, NONE);
}

static void test_others_are_left_alone(void **state)
{
	rest(2000);
	t.holders[0].swap_left_alone = true;
	stores_badly(20);
	step(200);
	assert_null(item(0, EBB_ACT_SWAP_LIMIT));
	t.holders[0].swap_left_alone = false;
	t.holders[0].swap_busy = true;
	stores_badly(20);
	step(200);
	assert_null(item(0, EBB_ACT_SWAP_LIMIT));
}

static void test_given_back_without_a_cap(void **state)
{
	rest(2000);
	stores_badly(20);
	step(200);
	assert_true(t.holders[0].swap_set < GiB);
	t.config.cap = 0;
	step(200);
	assert_int_equal(t.holders[0].swap_set, NONE);
	step(200);
	assert_null(item(0, EBB_ACT_SWAP_LIMIT));
}

/* Nothing is asked of swap that would not be taken. */
static void test_no_anon_is_taken_meanwhile(void **state)
{
	struct ebb_snap_container *c = &t.containers[0];

	t.hogs[0].wants = 700 * MiB;
	rest(2000);
	t.slots[0].started = true;
	c->can_age = c->ages_known = true;
	c->nr_ages = 2;
	c->age[0] = (struct ebb_age){ .idle_ms = 50000, .anon = 100 * MiB };
	c->age[1] = (struct ebb_age){ .idle_ms = 0, .anon = 600 * MiB };
	c->aged_ms = t.slots[0].age_asked_ms = t.snap.now_ms;
	step(200);
	assert_int_equal(item(0, EBB_ACT_RECLAIM)->reason, EBB_REASON_CAP);
	stores_badly(20);
	step(200);
	c->aged_ms = t.slots[0].age_asked_ms = t.snap.now_ms;
	step(200);
	assert_null(item(0, EBB_ACT_RECLAIM));
}

int main(void)
{
#define test(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		test(test_a_hog_meets_its_limit),
		test(test_what_fits_stays),
		test(test_what_compresses_is_swapped),
		test(test_whose_doing_it_is),
		test(test_two_at_once),
		test(test_known_from_before),
		test(test_tried_anew),
		test(test_full),
		test(test_others_are_left_alone),
		test(test_given_back_without_a_cap),
		test(test_no_anon_is_taken_meanwhile),
	};

	return cmocka_run_group_tests_name("policy_cap_swap", tests, NULL, NULL);
}
