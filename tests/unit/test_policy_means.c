// SPDX-License-Identifier: GPL-2.0-only
/* What brings nothing is switched off, says why, and is tried again much later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

#define MiB (1ull << 20)
#define GiB (1ull << 30)
#define HIDDEN (64 * MiB)
#define HOUR 3600000u

/* A VM of 4G with 1G in use, a broker, and a host that has back what is free, or not. */
static struct {
	struct ebb_snapshot snap;
	struct ebb_config config;
	struct policy_state state;
	struct ebb_plan plan;
	struct ebb_plan_item items[4];
	struct policy_container slot;
	struct ebb_verdict verdict;
	uint64_t used;
	uint64_t scattered; /* of what is free */
	bool host_keeps; /* as with locked memory */
	bool no_figure; /* the broker does not know what is held */
	bool stuck; /* the balloon takes nothing */
	bool away; /* the VMM cannot be told anything */
	bool gathers; /* a compaction does */
	unsigned int passes;
	unsigned int refuse; /* so many more are not begun */
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
	t.snap.now_ms = 1000000;
	t.snap.machine.ram = 4 * GiB - HIDDEN;
	t.snap.machine.reporting = true;
	t.snap.host = (struct ebb_snap_host){ .talking = true,
					      .min = 512 * MiB,
					      .max = 4 * GiB,
					      .applied = 4 * GiB,
					      .actual = 4 * GiB };
	t.used = GiB;
	t.gathers = true;
	return 0;
}

static void compact(void)
{
	struct ebb_snap_machine *m = &t.snap.machine;

	for (size_t i = 0; i < t.plan.nr_items; i++) {
		if (t.items[i].action != EBB_ACT_COMPACT)
			continue;
		if (t.refuse) {
			t.refuse--;
			continue;
		}
		t.passes++;
		m->compact_ended_ms = t.snap.now_ms + 500;
		m->compact_cpu_us += 1000;
		if (t.gathers)
			t.scattered = 0;
	}
}

static void step(uint64_t ms)
{
	struct ebb_snap_machine *m = &t.snap.machine;
	const struct ebb_footprint *f = &t.plan.footprint;

	t.snap.now_ms += ms;
	m->mem_total = m->ram - m->ballooned;
	m->mem_free = m->mem_total - t.used;
	m->free_reportable = m->mem_free > t.scattered ? m->mem_free - t.scattered : 0;
	if (t.snap.host.talking && !t.no_figure)
		t.snap.host.resident =
			60 * MiB + (t.host_keeps ? 4 * GiB : t.used + HIDDEN + t.scattered);
	assert_int_equal(policy_step(&t.snap, &t.config, &t.state, &t.plan), 0);
	if (f->want && !t.away)
		t.snap.host.applied = f->want;
	if (f->want && !t.away && !t.stuck) {
		t.snap.host.actual = f->want;
		m->ballooned = 4 * GiB - f->want;
	}
	compact();
}

static void run(uint64_t seconds)
{
	for (uint64_t i = 0; i < seconds; i++)
		step(1000);
}

static const struct ebb_means_verdict *means(enum ebb_means which)
{
	return &t.plan.means[which];
}

/* Freed by an exit, and scattered: something to gather. */
static void scatter(uint64_t bytes)
{
	t.scattered = bytes;
	t.state.exit_bytes += 32 * MiB;
}

static void test_what_works_stays_on(void **state)
{
	for (int i = 0; i < 40; i++) {
		scatter(256 * MiB);
		run(30);
	}
	for (int i = 0; i < EBB_NR_MEANS; i++) {
		assert_true(means(i)->on);
		assert_int_equal(means(i)->reason, EBB_MEANS_WORKS);
		assert_int_equal(means(i)->tries, 0);
		assert_int_equal(means(i)->again_ms, 0);
	}
	assert_true(t.passes > 20);
	assert_int_equal(t.plan.footprint.reason, EBB_SIZE_FOLLOW);
}

static void test_a_compaction_that_gathers_nothing(void **state)
{
	unsigned int passes;

	t.gathers = false;
	scatter(512 * MiB);
	for (int i = 0; i < 300 && means(EBB_MEANS_COMPACTION)->tries < 2; i++) {
		t.state.exit_bytes += 32 * MiB;
		step(1000);
	}
	assert_true(means(EBB_MEANS_COMPACTION)->on);
	for (int i = 0; i < 300; i++) {
		t.state.exit_bytes += MiB;
		step(1000);
	}
	assert_false(means(EBB_MEANS_COMPACTION)->on);
	assert_int_equal(means(EBB_MEANS_COMPACTION)->reason, EBB_MEANS_GATHERS_NOTHING);
	assert_in_range(means(EBB_MEANS_COMPACTION)->again_ms, t.snap.now_ms + HOUR - 300000,
			t.snap.now_ms + HOUR);
	/* The others are as they were. */
	assert_true(means(EBB_MEANS_REPORTING)->on);
	assert_true(means(EBB_MEANS_BALLOON)->on);
	passes = t.passes;
	run(1800);
	assert_int_equal(t.passes, passes);
	/* One more try, much later; it brings nothing, and that is it again. */
	run(1900);
	t.state.exit_bytes += 32 * MiB;
	run(100);
	assert_int_equal(t.passes, passes + 1);
	assert_false(means(EBB_MEANS_COMPACTION)->on);
	/* Where much was freed meanwhile it does not wait, and what brings something is on for
	 * good. */
	t.gathers = true;
	t.state.exit_bytes += GiB;
	run(5);
	assert_int_equal(t.passes, passes + 2);
	assert_true(means(EBB_MEANS_COMPACTION)->on);
	assert_int_equal(means(EBB_MEANS_COMPACTION)->tries, 0);
}

static void test_without_reporting_there_is_nothing_to_gather_for(void **state)
{
	t.snap.machine.reporting = false;
	scatter(512 * MiB);
	run(60);
	assert_int_equal(t.passes, 0);
	assert_false(means(EBB_MEANS_COMPACTION)->on);
	assert_int_equal(means(EBB_MEANS_COMPACTION)->reason, EBB_MEANS_NO_REPORTING);
	assert_int_equal(means(EBB_MEANS_REPORTING)->reason, EBB_MEANS_ABSENT);
	assert_true(means(EBB_MEANS_BALLOON)->on);
}

/* Locked memory, or huge pages: both give, and the host has nothing of it. */
static void test_a_host_that_keeps_it(void **state)
{
	uint64_t passes;

	t.host_keeps = true;
	run(30);
	assert_true(means(EBB_MEANS_BALLOON)->on);
	run(180);
	assert_false(means(EBB_MEANS_BALLOON)->on);
	assert_int_equal(means(EBB_MEANS_BALLOON)->reason, EBB_MEANS_HOST_KEEPS);
	assert_int_equal(t.plan.footprint.reason, EBB_SIZE_USELESS);
	assert_int_equal(t.plan.footprint.want, 4 * GiB);
	/* With the balloon open it is reporting's turn to show. */
	run(120);
	assert_false(means(EBB_MEANS_REPORTING)->on);
	assert_int_equal(means(EBB_MEANS_REPORTING)->reason, EBB_MEANS_HOST_KEEPS);
	assert_int_equal(means(EBB_MEANS_COMPACTION)->reason, EBB_MEANS_NO_REPORTING);
	passes = t.passes;
	scatter(512 * MiB);
	run(60);
	assert_int_equal(t.passes, passes);
	/* The VM was started anew with other settings: all of it is found out by itself. */
	t.host_keeps = false;
	run(HOUR / 1000);
	for (int i = 0; i < EBB_NR_MEANS; i++)
		assert_true(means(i)->on);
	assert_int_equal(t.plan.footprint.reason, EBB_SIZE_FOLLOW);
	run(60);
	assert_int_equal(means(EBB_MEANS_BALLOON)->tries, 0);
}

/* Only so much as says something: a VMM's own memory is not the guest's fault. */
static void test_little_is_no_verdict(void **state)
{
	t.host_keeps = true;
	t.used = 4 * GiB - HIDDEN - 400 * MiB;
	run(600);
	assert_true(means(EBB_MEANS_REPORTING)->on);
	assert_true(means(EBB_MEANS_BALLOON)->on);
	/* Nor does a broker that does not know. */
	t.used = GiB;
	t.no_figure = true;
	t.snap.host.resident = 0;
	run(600);
	assert_true(means(EBB_MEANS_REPORTING)->on);
	assert_true(means(EBB_MEANS_BALLOON)->on);
}

static void test_a_balloon_that_takes_nothing(void **state)
{
	t.stuck = true;
	run(60);
	assert_true(means(EBB_MEANS_BALLOON)->on);
	run(60);
	assert_false(means(EBB_MEANS_BALLOON)->on);
	assert_int_equal(means(EBB_MEANS_BALLOON)->reason, EBB_MEANS_TAKES_NOTHING);
	assert_int_equal(t.plan.footprint.want, 4 * GiB);
	assert_true(means(EBB_MEANS_REPORTING)->on);
	t.stuck = false;
	run(HOUR / 1000 + 60);
	assert_true(means(EBB_MEANS_BALLOON)->on);
	assert_int_equal(means(EBB_MEANS_BALLOON)->tries, 0);
	assert_true(t.snap.machine.ballooned > GiB / 2);
}

/* Whoever keeps the budget may say no, and says nothing then: it is asked again. */
static void test_a_pass_that_is_refused(void **state)
{
	t.refuse = 3;
	scatter(256 * MiB);
	run(4);
	assert_int_equal(t.passes, 0);
	assert_true(t.refuse < 3);
	run(10);
	assert_int_equal(t.refuse, 0);
	assert_int_equal(t.passes, 1);
	assert_true(means(EBB_MEANS_COMPACTION)->on);
}

/* That nobody told the balloon says nothing of it. */
static void test_a_vmm_that_is_away(void **state)
{
	t.away = true;
	run(200);
	assert_true(t.plan.footprint.want < 4 * GiB);
	assert_true(means(EBB_MEANS_BALLOON)->on);
	assert_int_equal(means(EBB_MEANS_BALLOON)->tries, 0);
}

static void test_without_a_broker(void **state)
{
	t.snap.host = (struct ebb_snap_host){ 0 };
	run(10);
	assert_false(means(EBB_MEANS_BALLOON)->on);
	assert_int_equal(means(EBB_MEANS_BALLOON)->reason, EBB_MEANS_ABSENT);
	assert_true(means(EBB_MEANS_REPORTING)->on);
}

static void test_names(void **state)
{
	for (int i = 0; i < EBB_NR_MEANS; i++)
		assert_string_not_equal(ebb_means_name(i), "unknown");
	for (int i = 0; i < EBB_NR_MEANS_REASONS; i++) {
		assert_string_not_equal(ebb_means_reason_name(i), "unknown");
		assert_string_not_equal(ebb_means_reason_text(i), "unknown");
	}
}

int main(void)
{
#define test(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		test(test_what_works_stays_on),
		test(test_a_compaction_that_gathers_nothing),
		test(test_without_reporting_there_is_nothing_to_gather_for),
		test(test_a_host_that_keeps_it),
		test(test_little_is_no_verdict),
		test(test_a_balloon_that_takes_nothing),
		test(test_a_vmm_that_is_away),
		test(test_a_pass_that_is_refused),
		test(test_without_a_broker),
		test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
