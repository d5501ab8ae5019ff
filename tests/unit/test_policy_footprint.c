// SPDX-License-Identifier: GPL-2.0-only
/* The size that the VM asks for, against a balloon that is modelled: it gives and takes at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

#define MiB (1ull << 20)
#define GiB (1ull << 30)
#define HIDDEN (48 * MiB) /* of the VM's size, what the kernel does not show */

static struct {
	struct ebb_snapshot snap;
	struct ebb_snap_container container;
	struct ebb_config config;
	struct policy_state state;
	struct policy_container slot;
	struct ebb_plan plan;
	struct ebb_plan_item items[4];
	struct ebb_verdict verdict;
	uint64_t used;
	uint64_t stranded; /* free in pieces */
} t;

static int start(void **state)
{
	memset(&t, 0, sizeof(t));
	t.config.cold_after_ms = 60000;
	t.state.slots = &t.slot;
	t.state.max = 1;
	t.plan.items = t.items;
	t.plan.max_items = 4;
	t.plan.verdicts = &t.verdict;
	t.plan.max_verdicts = 1;
	t.snap.containers = &t.container;
	t.snap.now_ms = 1000000;
	t.snap.machine.ram = 2 * GiB - HIDDEN;
	t.snap.machine.reporting = true;
	t.snap.host = (struct ebb_snap_host){ .talking = true,
					      .min = 256 * MiB,
					      .max = 2 * GiB,
					      .applied = 2 * GiB,
					      .actual = 2 * GiB };
	t.used = 300 * MiB;
	return 0;
}

/* One decision ms later; the VMM then does what was asked. */
static const struct ebb_footprint *step(uint64_t ms)
{
	struct ebb_snap_machine *m = &t.snap.machine;
	const struct ebb_footprint *f = &t.plan.footprint;

	t.snap.now_ms += ms;
	m->mem_total = m->ram - m->ballooned;
	m->mem_free = m->mem_total > t.used ? m->mem_total - t.used : 0;
	m->free_reportable = m->mem_free > t.stranded ? m->mem_free - t.stranded : 0;
	assert_int_equal(policy_step(&t.snap, &t.config, &t.state, &t.plan), 0);
	t.snap.low_memory = false;
	if (t.snap.host.talking && f->want) {
		t.snap.host.applied = t.snap.host.actual = f->want;
		m->ballooned = t.snap.host.max - f->want;
	}
	return f;
}

static const struct ebb_footprint *settle(void)
{
	for (int i = 0; i < 200; i++)
		step(1000);
	return &t.plan.footprint;
}

static void test_without_a_host(void **state)
{
	t.snap.host = (struct ebb_snap_host){ 0 };
	assert_int_equal(step(1000)->want, 0);
	assert_int_equal(t.plan.footprint.reason, EBB_SIZE_NO_HOST);
	assert_int_equal(t.plan.footprint.need, t.used);
}

static void test_follows_what_is_needed(void **state)
{
	uint64_t before = 2 * GiB, least;
	const struct ebb_footprint *f;

	for (int i = 0; i < 200; i++) {
		f = step(1000);
		least = t.used + HIDDEN + 32 * MiB;
		assert_true(f->want <= before);
		assert_true(f->want >= least);
		/* In eighths: never the whole gap in one step, but for the last few MiB. */
		assert_true(before - f->want <= (before - least) / 8 + 17 * MiB);
		before = f->want;
	}
	assert_int_equal(f->reason, EBB_SIZE_FOLLOW);
	assert_in_range(f->want, f->need + f->headroom, f->need + f->headroom + 10 * MiB);
	assert_int_equal(f->need, t.used + HIDDEN);
	assert_in_range(f->headroom, 950 * MiB, GiB);
	t.snap.host.level = EBB_HOST_LOW;
	f = settle();
	assert_in_range(f->want, f->need + f->headroom, f->need + f->headroom + 10 * MiB);
	assert_in_range(f->headroom, 120 * MiB, 130 * MiB);
}

static void test_steps_are_a_second_apart(void **state)
{
	uint64_t first = step(1000)->want;

	assert_true(first < 2 * GiB);
	assert_int_equal(step(200)->want, first);
	assert_true(t.plan.next_ms <= t.snap.now_ms + 800);
	assert_true(step(800)->want < first);
}

/* What is cold is still in memory: the balloon waits for it to be taken. */
static void test_never_over_memory_that_is_not_free(void **state)
{
	const struct ebb_footprint *f;

	t.snap.host.level = EBB_HOST_LOW;
	t.used = 1500 * MiB;
	f = settle();
	assert_true(f->want >= t.used + HIDDEN + 30 * MiB);
	t.used = 500 * MiB;
	f = settle();
	assert_true(f->want < GiB);
}

static void test_growth_is_whole_and_held(void **state)
{
	const struct ebb_footprint *f;
	uint64_t low, high;

	t.snap.host.level = EBB_HOST_LOW;
	low = settle()->want;
	t.used += 60 * MiB;
	f = step(1000);
	high = f->want;
	assert_true(high >= low + 50 * MiB);
	t.used -= 60 * MiB;
	f = step(1000);
	assert_int_equal(f->want, high);
	assert_int_equal(f->reason, EBB_SIZE_HOLD);
	step(8000);
	assert_int_equal(t.plan.footprint.want, high);
	step(2000);
	assert_true(t.plan.footprint.want < high);
}

static void test_small_differences_are_left(void **state)
{
	uint64_t want = settle()->want;

	for (int i = 0; i < 100; i++) {
		t.used = i % 2 ? t.used + 6 * MiB : t.used - 6 * MiB;
		assert_int_equal(step(1000)->want, want);
	}
}

static void shortage_opens(void)
{
	const struct ebb_footprint *f = step(50);

	assert_int_equal(f->want, 2 * GiB);
	assert_int_equal(f->reason, EBB_SIZE_SHORT);
	step(29000);
	assert_int_equal(t.plan.footprint.want, 2 * GiB);
}

static void test_an_edge_opens_all(void **state)
{
	settle();
	t.snap.low_memory = true;
	shortage_opens();
	assert_true(settle()->want < 3 * GiB / 2);
}

static void test_little_free_opens_all(void **state)
{
	settle();
	t.used += t.snap.machine.mem_free - 60 * MiB;
	shortage_opens();
}

static void test_stalled_allocations_open_all(void **state)
{
	settle();
	t.snap.machine.alloc_stalls += 1;
	shortage_opens();
}

static void test_failed_compactions_count_where_little_is_free(void **state)
{
	const struct ebb_footprint *f = settle();
	uint64_t want = f->want;

	t.snap.machine.compact_fails += 100;
	assert_int_equal(step(1000)->want, want);
	t.used += 40 * MiB;
	t.snap.machine.compact_fails += 100;
	shortage_opens();
}

static void test_at_full_size_nothing_is_short(void **state)
{
	t.used = 1990 * MiB;
	t.snap.low_memory = true;
	t.snap.machine.alloc_stalls = 5;
	assert_int_not_equal(step(1000)->reason, EBB_SIZE_SHORT);
}

static void starts(uint64_t peak)
{
	t.snap.nr_containers = 1;
	t.container = (struct ebb_snap_container){
		.id = 7, .born_ms = t.snap.now_ms, .populated = true, .peak = peak
	};
}

static void test_a_start_opens_the_learned_peak(void **state)
{
	const struct ebb_footprint *f;
	uint64_t before;

	t.snap.host.level = EBB_HOST_LOW;
	before = settle()->want;
	starts(700 * MiB);
	f = step(20);
	assert_int_equal(f->reason, EBB_SIZE_START);
	assert_in_range(f->want, before + 680 * MiB, before + 720 * MiB);
}

static void test_a_start_of_an_unknown(void **state)
{
	uint64_t before;

	t.snap.host.level = EBB_HOST_LOW;
	before = settle()->want;
	starts(0);
	assert_in_range(step(20)->want, before + 450 * MiB, before + 520 * MiB);
}

/* At ease what is free is enough for most of them; the balloon opens for what is lacking, once. */
static void test_at_ease_a_start_takes_what_is_free(void **state)
{
	uint64_t before = settle()->want, want;

	starts(700 * MiB);
	assert_int_equal(step(20)->want, before);
	assert_int_equal(t.plan.footprint.reason, EBB_SIZE_START);
	t.container.peak = GiB;
	/* The peak, a sixteenth of RAM that is left, an eighth more; half of RAM was free. */
	want = step(20)->want;
	assert_in_range(want, before + GiB / 8 * 3 - 10 * MiB, before + GiB / 8 * 3 + 40 * MiB);
	/* 200 MiB/s: what is left at the end is enough for more of that. */
	for (int i = 0; i < 100; i++) {
		assert_int_equal(step(50)->want, want);
		t.used += 10 * MiB;
		t.container.bytes += 10 * MiB;
	}
	t.container.born_ms = 1;
	assert_int_equal(step(50)->want, want);
	assert_int_equal(t.plan.footprint.reason, EBB_SIZE_FOLLOW);
}

static void test_at_ease_a_burst_does_not_meet_the_balloon(void **state)
{
	uint64_t before = settle()->want, opened = 0;

	/* 100 MiB/s. */
	for (uint64_t grown = 0; grown < GiB; grown += 20 * MiB) {
		const struct ebb_footprint *f = step(200);

		if (!opened && f->want != before) {
			opened = grown;
			assert_int_equal(f->want, 2 * GiB);
			/* Time enough: 0.75 s of that growth, and a sixteenth of RAM. */
			assert_in_range(t.snap.machine.mem_free, 175 * MiB, 220 * MiB);
		}
		t.used += 20 * MiB;
	}
	assert_true(opened);
}

/* One that runs, with 50 MiB of the 1 GiB that it once had. */
static void runs(uint64_t peak)
{
	starts(peak);
	t.container.bytes = 50 * MiB;
	t.container.anon = 50 * MiB;
	t.container.can_age = t.container.ages_known = true;
}

/* What it lacks of that is open before it asks, and it meets no balloon on its way. */
static void test_at_ease_a_known_peak_stays_open(void **state)
{
	uint64_t want;

	runs(GiB);
	want = settle()->want;
	assert_in_range(t.plan.footprint.headroom, 974 * MiB + 490 * MiB, 974 * MiB + 512 * MiB);
	for (uint64_t grown = 0; grown < 974 * MiB; grown += 20 * MiB) {
		assert_int_equal(step(100)->want, want);
		t.used += 20 * MiB;
		t.container.bytes += 20 * MiB;
	}
	assert_int_equal(step(100)->want, want);
	assert_int_equal(t.plan.footprint.reason, EBB_SIZE_FOLLOW);
}

/* Nobody knew it; it let go of what it had, and may take it again. */
static void test_at_ease_its_own_peak_stays_open(void **state)
{
	runs(0);
	t.used += 974 * MiB;
	t.container.bytes = t.container.anon = GiB;
	settle();
	t.used -= 974 * MiB;
	t.container.bytes = t.container.anon = 50 * MiB;
	settle();
	assert_in_range(t.plan.footprint.headroom, 974 * MiB + 490 * MiB, 974 * MiB + 512 * MiB);
}

/* What went to swap is not what it lacks; nor does a host that is short keep anything open for it.
 */
static void test_a_known_peak_is_not_all(void **state)
{
	runs(GiB);
	t.container.swap = 900 * MiB;
	settle();
	assert_in_range(t.plan.footprint.headroom, 950 * MiB, GiB);
	t.container.swap = 0;
	t.snap.host.level = EBB_HOST_LOW;
	settle();
	assert_in_range(t.plan.footprint.headroom, 120 * MiB, 130 * MiB);
	/* Page cache that it had is no burst that it may need again. */
	t.snap.host.level = EBB_HOST_EASE;
	t.container.peak = t.slot.most = 0;
	t.container.bytes = GiB;
	settle();
	t.container.bytes = 50 * MiB;
	settle();
	assert_in_range(t.plan.footprint.headroom, 950 * MiB, GiB);
	/* One that has ended wants nothing more. */
	t.container.peak = GiB;
	t.snap.host.level = EBB_HOST_EASE;
	t.container.populated = false;
	settle();
	assert_in_range(t.plan.footprint.headroom, 950 * MiB, GiB);
}

/* What reporting cannot give back the balloon takes; it does not open again for that being gone. */
static void test_the_balloon_takes_what_is_stranded(void **state)
{
	uint64_t want = settle()->want, less;

	t.stranded = 300 * MiB;
	less = settle()->want;
	assert_in_range(less, want - 310 * MiB, want - 280 * MiB);
	t.stranded = 0;
	assert_int_equal(settle()->want, less);
	/* All of what is free: half of it goes, and with it half of what was in pieces. */
	t.stranded = 1900 * MiB;
	settle();
	assert_in_range(t.plan.footprint.headroom, 480 * MiB, 520 * MiB);
	/* Beside what a container may take again, so much of it that the burst still fits. */
	runs(GiB);
	t.stranded = 100 * MiB;
	settle();
	assert_in_range(t.plan.footprint.headroom, 974 * MiB + 380 * MiB, 974 * MiB + 412 * MiB);
	t.stranded = 900 * MiB;
	settle();
	assert_in_range(t.plan.footprint.headroom, 974 * MiB + 240 * MiB, 974 * MiB + 256 * MiB);
}

/* Where what is free does not go back by itself, the balloon is what gives it back. */
static void test_without_reporting_it_closes(void **state)
{
	t.snap.machine.reporting = false;
	assert_in_range(settle()->headroom, 120 * MiB, 130 * MiB);
	assert_true(t.plan.footprint.want < 500 * MiB);
}

static void test_the_cap_holds_from_the_first_moment(void **state)
{
	t.config.cap = GiB;
	assert_true(step(1000)->want <= GiB);
	settle();
	t.snap.low_memory = true;
	assert_int_equal(step(50)->want, GiB);
	t.used = 3 * GiB / 2;
	assert_int_equal(step(50)->want, GiB);
}

static void test_the_floor_is_the_hosts(void **state)
{
	t.snap.host.min = 1200 * MiB;
	t.snap.host.level = EBB_HOST_LOW;
	assert_in_range(settle()->want, 1200 * MiB, 1210 * MiB);
}

static void test_headroom_is_learned(void **state)
{
	uint64_t quiet, busy;

	t.snap.host.level = EBB_HOST_LOW;
	quiet = settle()->headroom;
	/* 600 MiB/s; a round of 0.5 s is assumed until one was measured. */
	t.used += 60 * MiB;
	busy = step(100)->headroom;
	assert_true(busy > quiet + 200 * MiB);
	/* Halved every minute. */
	settle();
	settle();
	assert_in_range(settle()->headroom, quiet, quiet + MiB);
}

static void test_headroom_by_the_hosts_need(void **state)
{
	uint64_t ease = settle()->headroom, low;

	t.snap.host.level = EBB_HOST_LOW;
	low = settle()->headroom;
	t.snap.host.level = EBB_HOST_HIGH;
	assert_true(low < ease);
	assert_true(settle()->headroom < low);
}

static void test_paused_is_full(void **state)
{
	settle();
	t.snap.paused = true;
	assert_int_equal(step(1000)->want, 2 * GiB);
	assert_int_equal(t.plan.footprint.reason, EBB_SIZE_PAUSED);
}

static void test_a_host_that_comes_back(void **state)
{
	struct ebb_snap_host host;

	settle();
	host = t.snap.host;
	t.snap.host = (struct ebb_snap_host){ 0 };
	t.snap.machine.ballooned = 0;
	assert_int_equal(step(1000)->want, 0);
	t.snap.host = host;
	t.snap.host.applied = t.snap.host.actual = 2 * GiB;
	assert_true(step(1000)->want > 3 * GiB / 2);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		test(test_without_a_host),
		test(test_follows_what_is_needed),
		test(test_steps_are_a_second_apart),
		test(test_never_over_memory_that_is_not_free),
		test(test_growth_is_whole_and_held),
		test(test_small_differences_are_left),
		test(test_an_edge_opens_all),
		test(test_little_free_opens_all),
		test(test_stalled_allocations_open_all),
		test(test_failed_compactions_count_where_little_is_free),
		test(test_at_full_size_nothing_is_short),
		test(test_a_start_opens_the_learned_peak),
		test(test_a_start_of_an_unknown),
		test(test_the_cap_holds_from_the_first_moment),
		test(test_the_floor_is_the_hosts),
		test(test_headroom_is_learned),
		test(test_at_ease_a_start_takes_what_is_free),
		test(test_at_ease_a_burst_does_not_meet_the_balloon),
		test(test_without_reporting_it_closes),
		test(test_at_ease_a_known_peak_stays_open),
		test(test_at_ease_its_own_peak_stays_open),
		test(test_a_known_peak_is_not_all),
		test(test_the_balloon_takes_what_is_stranded),
		test(test_headroom_by_the_hosts_need),
		test(test_paused_is_full),
		test(test_a_host_that_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
