// SPDX-License-Identifier: GPL-2.0-only
/* The policy: struct literals for single decisions, a simulated container for the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sim.h"

static struct sim *fresh(uint64_t cold_ms)
{
	struct sim *s = malloc(sizeof(*s));

	assert_non_null(s);
	sim_open(s, cold_ms);
	return s;
}

static const struct ebb_plan_item *item_of(const struct sim *s, enum ebb_action action)
{
	for (size_t i = 0; i < s->plan.nr_items; i++)
		if (s->plan.items[i].action == action)
			return &s->plan.items[i];
	return NULL;
}

static void step(struct sim *s)
{
	s->snap.now_ms = s->now_ms;
	assert_int_equal(policy_step(&s->snap, &s->config, &s->state, &s->plan), 0);
}

/* A container that has started and was just aged, with 600 MiB cold and 200 MiB hot anon. */
static struct sim *settled(void)
{
	struct sim *s = fresh(5000);
	struct ebb_snap_container *c = &s->c;

	c->bytes = c->anon = 800 * SIM_MIB;
	c->nr_ages = 2;
	c->age[0] = (struct ebb_age){ .idle_ms = 0, .anon = 800 * SIM_MIB };
	c->nr_ages = 1;
	c->aged_ms = s->now_ms;
	for (int i = 0; i < 6; i++) { /* growth levels off */
		step(s);
		s->now_ms += 1000;
	}
	c->nr_ages = 2;
	c->age[0] = (struct ebb_age){ .idle_ms = 5200, .anon = 600 * SIM_MIB };
	c->age[1] = (struct ebb_age){ .idle_ms = 0, .anon = 200 * SIM_MIB };
	c->aged_ms = s->now_ms;
	c->last.seq++;
	c->last.aged = true;
	return s;
}

static void takes_what_is_cold_and_no_more(void **state)
{
	struct sim *s = settled();
	const struct ebb_plan_item *it;

	step(s);
	it = item_of(s, EBB_ACT_RECLAIM);
	assert_non_null(it);
	assert_int_equal(it->id, 42);
	assert_int_equal(it->reason, EBB_REASON_COLD);
	assert_true(it->anon <= 600 * SIM_MIB);
	assert_true(it->anon >= 570 * SIM_MIB);
	assert_int_equal(it->file, 0);
	assert_true(it->batch > 0 && it->batch <= 64 * SIM_MIB);
	assert_true(it->deadline_ms >= 1000 && it->deadline_ms <= 10000);
	assert_int_equal(s->verdicts[0].state, EBB_STATE_RECLAIMING);
	/* Of 200 MiB in use a 128th may be among it. */
	assert_int_equal(s->verdicts[0].cold, 600 * SIM_MIB - 200 * SIM_MIB / 128);
	assert_int_equal(s->verdicts[0].working_set, 200 * SIM_MIB + 200 * SIM_MIB / 128);
	free(s);
}

/* What a pass may have missed of the pages in use; asked for that, the kernel would take others of
 * them. */
static void leaves_what_a_pass_may_have_missed(void **state)
{
	struct sim *s = settled();

	s->c.anon = s->c.bytes = 201 * SIM_MIB;
	s->c.age[0].anon = 1400 * 1024;
	s->c.age[1].anon = s->c.anon - s->c.age[0].anon;
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM));
	assert_int_equal(s->verdicts[0].cold, 0);
	assert_int_equal(s->verdicts[0].state, EBB_STATE_SETTLED);
	s->c.age[0].anon = 4 * SIM_MIB;
	s->c.age[1].anon = s->c.anon - s->c.age[0].anon;
	step(s);
	assert_in_range(item_of(s, EBB_ACT_RECLAIM)->anon, 2 * SIM_MIB, 2 * SIM_MIB + SIM_MIB / 2);
	free(s);
}

/* An eviction that met more in use than that: as much is left from then on, and no more than a
 * 32nd. */
static void leaves_what_an_eviction_met_in_use(void **state)
{
	struct sim *s = settled();

	step(s);
	assert_non_null(item_of(s, EBB_ACT_RECLAIM));
	/* 590 of the 600 MiB went, and 4 were put aside. */
	s->c.anon = s->c.bytes = 210 * SIM_MIB;
	s->c.age[0].anon = 6 * SIM_MIB;
	s->c.age[1].anon = 204 * SIM_MIB;
	s->c.last = (struct ebb_outcome){ .seq = s->c.last.seq + 1,
					  .ended_ms = s->now_ms,
					  .asked = 590 * SIM_MIB,
					  .got = 590 * SIM_MIB };
	step(s);
	assert_int_equal(s->verdicts[0].cold, 2 * SIM_MIB);
	assert_int_equal(s->slot[0].anon_missed, 4 * SIM_MIB);
	/* What the program frees meanwhile is not told from it. */
	s->slot[0].anon_before = 600 * SIM_MIB;
	s->c.last.seq++;
	s->c.last.got = 100 * SIM_MIB;
	s->c.age[0].anon = 50 * SIM_MIB;
	s->c.age[1].anon = 160 * SIM_MIB;
	step(s);
	assert_int_equal(s->verdicts[0].cold, 50 * SIM_MIB - 160 * SIM_MIB / 32);
	assert_int_equal(s->slot[0].anon_missed, 160 * SIM_MIB / 32);
	free(s);
}

static void expect_held(struct sim *s, enum ebb_state st, enum ebb_reason why)
{
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM));
	assert_int_equal(s->verdicts[0].state, st);
	assert_int_equal(s->verdicts[0].reason, why);
	free(s);
}

static void veto_memory_stall(void **state)
{
	struct sim *s = settled();

	s->c.psi_mem_some_us += 300000; /* in the last second: smoothed 3% > 0.1% */
	expect_held(s, EBB_STATE_HELD, EBB_REASON_PSI_MEMORY);
}

/* A veto that ends long after the pass: what was touched meanwhile still looks idle. */
static void anon_goes_right_after_a_pass(void **state)
{
	struct sim *s = settled();

	s->config.cold_after_ms = 60000;
	s->c.age[0].idle_ms = 61000;
	s->c.psi_mem_some_us += 300000;
	step(s);
	assert_int_equal(s->verdicts[0].reason, EBB_REASON_PSI_MEMORY);
	s->now_ms += 10000;
	s->c.age[0].idle_ms += 10000;
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM));
	assert_null(item_of(s, EBB_ACT_AGE)); /* it would prove no more than 40 s */
	s->now_ms += 20000;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_AGE));
	s->c.aged_ms = s->now_ms;
	s->c.last.seq++;
	s->now_ms += 1000;
	step(s);
	assert_int_equal(item_of(s, EBB_ACT_RECLAIM)->anon / SIM_MIB, 579);
	free(s);
}

/* A turn that a stall calls for comes 20 ms after another one: what it says counts then. */
static void veto_memory_stall_at_once(void **state)
{
	struct sim *s = settled();

	s->now_ms -= 980;
	s->c.aged_ms = s->now_ms;
	s->c.psi_mem_some_us += 50000;
	expect_held(s, EBB_STATE_HELD, EBB_REASON_PSI_MEMORY);
}

static void a_stall_of_a_millisecond_is_no_veto(void **state)
{
	struct sim *s = settled();

	s->now_ms -= 980;
	s->c.aged_ms = s->now_ms;
	s->c.psi_mem_some_us += 1000;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_RECLAIM));
	free(s);
}

/* Totals trail by up to 2 s, and come all at once in a short step. */
static void a_stall_that_is_told_late_counts_in_full(void **state)
{
	struct sim *s = settled();

	s->now_ms -= 980;
	s->c.psi_mem_some_us += 1000000;
	step(s);
	assert_in_range(s->slot[0].stall_mem_ppm, 99000, 101000);
	for (int i = 0; i < 100; i++) { /* and short steps do not wear it away */
		s->now_ms += 20;
		step(s);
	}
	assert_in_range(s->slot[0].stall_mem_ppm, 79000, 83000);
	free(s);
}

static void veto_io_stall(void **state)
{
	struct sim *s = settled();

	s->c.psi_io_some_us += 5000000;
	s->now_ms += 1000;
	expect_held(s, EBB_STATE_HELD, EBB_REASON_PSI_IO);
}

static void a_little_io_is_no_veto(void **state)
{
	struct sim *s = settled();

	s->c.psi_io_some_us += 50000;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_RECLAIM));
	free(s);
}

/* Its own limit lets it swap no more: page cache may still go, anon is not asked for again at once.
 */
static void its_own_swap_limit(void **state)
{
	struct sim *s = settled();

	step(s);
	assert_non_null(item_of(s, EBB_ACT_RECLAIM));
	s->c.last.seq++;
	s->c.last.aged = false;
	s->c.last.asked = s->c.last.got = 0;
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM));
	assert_int_equal(s->verdicts[0].state, EBB_STATE_HELD);
	s->now_ms += 3000; /* a pass later it is tried again */
	s->c.aged_ms = s->now_ms;
	s->c.last.seq++;
	s->c.last.aged = true;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_RECLAIM));
	free(s);
}

static void veto_protected(void **state)
{
	struct sim *s = settled();

	s->c.protect = 900 * SIM_MIB;
	expect_held(s, EBB_STATE_HELD, EBB_REASON_PROTECTED);
}

static void protect_bounds_the_amount(void **state)
{
	struct sim *s = settled();

	s->c.protect = 700 * SIM_MIB;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_RECLAIM));
	assert_int_equal(item_of(s, EBB_ACT_RECLAIM)->anon, 100 * SIM_MIB);
	free(s);
}

static void veto_swap_full(void **state)
{
	struct sim *s = settled();

	s->snap.machine.swap_free = 20 * SIM_MIB;
	expect_held(s, EBB_STATE_HELD, EBB_REASON_SWAP_FULL);
}

static void veto_no_swap(void **state)
{
	struct sim *s = settled();

	s->snap.machine.swap_total = s->snap.machine.swap_free = 0;
	expect_held(s, EBB_STATE_HELD, EBB_REASON_NO_SWAP);
}

static void veto_off(void **state)
{
	struct sim *s = settled();

	s->c.reclaim_off = true;
	expect_held(s, EBB_STATE_OFF, EBB_REASON_OFF);
}

static void veto_paused(void **state)
{
	struct sim *s = settled();

	s->c.paused = true;
	expect_held(s, EBB_STATE_PAUSED, EBB_REASON_PAUSED);
	s = settled();
	s->snap.paused = true;
	expect_held(s, EBB_STATE_PAUSED, EBB_REASON_PAUSED);
}

static void veto_failed_act(void **state)
{
	struct sim *s = settled();

	s->c.last.error = -EIO;
	expect_held(s, EBB_STATE_HELD, EBB_REASON_FAILED);
}

static void no_second_act_while_busy(void **state)
{
	struct sim *s = settled();

	step(s);
	s->c.busy = true;
	s->now_ms += 200;
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM));
	assert_null(item_of(s, EBB_ACT_AGE));
	assert_int_equal(s->verdicts[0].state, EBB_STATE_RECLAIMING);
	free(s);
}

static void veto_refaults(void **state)
{
	struct sim *s = settled();
	uint64_t rest;

	step(s);
	s->c.last = (struct ebb_outcome){ .seq = s->c.last.seq + 1,
					  .ended_ms = s->now_ms,
					  .asked = 100 * SIM_MIB,
					  .got = 100 * SIM_MIB };
	s->now_ms += 1000;
	step(s);
	assert_int_equal(s->verdicts[0].taken, 100 * SIM_MIB);
	s->c.refault_anon += 40 * SIM_MIB;
	s->now_ms += 2500;
	s->c.aged_ms = s->now_ms; /* judged at the next pass */
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM));
	assert_int_equal(s->verdicts[0].reason, EBB_REASON_REFAULTS);
	assert_int_equal(s->verdicts[0].refaulted, 40 * SIM_MIB);
	/* A pass that fails meanwhile shortens no rest of minutes. */
	rest = s->state.slots[0].hold_ms += 600000;
	s->c.last.seq++;
	s->c.last.error = -EIO;
	s->c.last.got = 0;
	s->now_ms += 100;
	step(s);
	assert_int_equal(s->state.slots[0].hold_ms, rest);
	assert_int_equal(s->verdicts[0].reason, EBB_REASON_REFAULTS);
	s->c.last.error = 0;
	s->state.slots[0].hold_ms -= 600000;
	/* Later it goes on, with less: 60% of what is cold. */
	s->now_ms += 12000;
	s->c.aged_ms = s->now_ms;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_RECLAIM));
	assert_true(item_of(s, EBB_ACT_RECLAIM)->anon < 600 * SIM_MIB * 70 / 100);
	free(s);
}

static size_t anon_out(const struct sim *s)
{
	return sim_out(s, true, false) + sim_out(s, false, false);
}

/* A scan over everything lasts longer than a pass: one mistake, one rest, and then it goes on as
 * fast as nothing comes back. */
static void what_comes_back_slowly_is_one_mistake(void **state)
{
	struct sim *s = fresh(10000);

	sim_add(s, 600, false, false);
	assert_int_equal(sim_run(s, 30000), 0);
	assert_true(anon_out(s) > 570);
	for (size_t i = 0; i < 600; i += 50) { /* it takes 12 s */
		for (size_t k = i; k < i + 50; k++)
			sim_touch(s, &s->chunk[k]);
		assert_int_equal(sim_run(s, 1000), 0);
	}
	assert_int_equal(anon_out(s), 0);
	assert_int_equal(s->slot[0].strikes, 1);
	assert_in_range(s->slot[0].scale_ppm, 0,
			POLICY_PPM / 8); /* of all that came back, not of its beginning */
	assert_int_equal(sim_run(s, 8000), 0);
	assert_int_equal(anon_out(s), 0);
	assert_int_equal(sim_run(s, 42000), 0);
	assert_true(anon_out(s) > 570);
	free(s);
}

/* Of what was taken there is one rest: what of it comes into use later on makes no other. */
static void a_trickle_of_what_was_taken_is_no_other_mistake(void **state)
{
	struct sim *s = fresh(10000);

	sim_add(s, 600, false, false);
	assert_int_equal(sim_run(s, 30000), 0);
	for (size_t i = 0; i < 60; i++)
		s->chunk[i].hot = true;
	assert_int_equal(sim_run(s, 30000), 0);
	assert_int_equal(s->slot[0].strikes, 1);
	for (size_t i = 100; i < 140; i++) {
		s->chunk[i].hot = true;
		assert_int_equal(sim_run(s, 5000), 0);
		assert_in_range(s->slot[0].strikes, 0, 1);
	}
	assert_int_equal(s->slot[0].strikes, 0);
	assert_int_equal(s->slot[0].scale_ppm, POLICY_PPM);
	free(s);
}

/* What comes back again and again is asked for less and less often. */
static void rests_grow_while_it_comes_back(void **state)
{
	struct sim *s = settled();
	uint64_t last = 0, gaps[5] = { 0 };
	size_t n = 0;

	for (int i = 0; i < 4000 && n < 5; i++) {
		uint64_t before = s->state.slots[0].hold_ms;

		s->c.last.seq++;
		s->c.last.aged = false;
		s->c.last.asked = s->c.last.got = 8 * SIM_MIB;
		s->c.steal += 8 * SIM_MIB;
		s->c.aged_ms = s->now_ms;
		step(s);
		/* Between two rests all of it comes back. */
		if (s->now_ms >= s->state.slots[0].hold_ms)
			s->c.refault_anon += 8 * SIM_MIB;
		if (s->state.slots[0].hold_ms != before) {
			gaps[n++] = s->state.slots[0].hold_ms - s->now_ms;
			last = gaps[n - 1];
		}
		s->now_ms += 2500;
	}
	assert_int_equal(n, 5);
	assert_int_equal(gaps[0], 10000);
	assert_true(gaps[4] >= 8 * gaps[0]);
	assert_true(last <= 600000);
	free(s);
}

/* Under a limit the kernel evicts too: what comes back is shared out by who evicted how much. */
static void a_squeeze_is_not_ours(void **state)
{
	struct sim *s = settled();

	step(s);
	s->c.last = (struct ebb_outcome){ .seq = s->c.last.seq + 1,
					  .ended_ms = s->now_ms,
					  .asked = 100 * SIM_MIB,
					  .got = 100 * SIM_MIB };
	s->c.steal += 400 * SIM_MIB;
	s->now_ms += 1000;
	step(s);
	s->c.refault_anon += 200 * SIM_MIB;
	s->now_ms += 1000;
	step(s);
	assert_in_range(s->verdicts[0].refaulted, 45 * SIM_MIB, 55 * SIM_MIB);
	free(s);
}

/* An act can last seconds: what it took comes back before it is known how much that was. */
static void refaults_during_the_act_count(void **state)
{
	struct sim *s = settled();

	step(s);
	s->c.busy = true;
	s->c.steal += 60 * SIM_MIB;
	s->c.refault_file += 30 * SIM_MIB;
	s->now_ms += 1000;
	step(s);
	s->c.busy = false;
	s->c.steal += 40 * SIM_MIB;
	s->c.last = (struct ebb_outcome){ .seq = s->c.last.seq + 1,
					  .ended_ms = s->now_ms,
					  .asked = 100 * SIM_MIB,
					  .got = 100 * SIM_MIB };
	s->now_ms += 1000;
	step(s);
	assert_int_equal(s->verdicts[0].taken, 100 * SIM_MIB);
	assert_int_equal(s->verdicts[0].refaulted, 30 * SIM_MIB);
	free(s);
}

static void refaults_of_others_are_not_ours(void **state)
{
	struct sim *s = settled();

	s->c.refault_anon += 500 * SIM_MIB; /* the kernel's own evictions */
	step(s);
	assert_int_equal(s->verdicts[0].refaulted, 0);
	assert_non_null(item_of(s, EBB_ACT_RECLAIM));
	free(s);
}

static void starting_is_left_alone(void **state)
{
	struct sim *s = fresh(5000);

	for (int i = 0; i < 20; i++) { /* grows by 20 MiB a second */
		sim_add(s, 20, false, false);
		assert_int_equal(sim_run(s, 1000), 0);
		assert_int_equal(s->verdicts[0].state, EBB_STATE_STARTING);
		assert_true(s->verdicts[0].growing);
	}
	assert_int_equal(s->asked, 0);
	assert_int_equal(sim_run(s, 4000), 0);
	assert_int_not_equal(s->verdicts[0].state, EBB_STATE_STARTING);
	assert_int_equal(sim_run(s, 12000), 0);
	assert_true(sim_out(s, false, false) > 380);
	free(s);
}

/* Ages are learned from when it is level, and not from when it may be taken from. */
static void ages_count_from_when_it_is_level(void **state)
{
	struct sim *s = fresh(60000);

	for (int i = 0; i < 5; i++) {
		sim_add(s, 40, false, false);
		assert_int_equal(sim_run(s, 1000), 0);
	}
	assert_int_equal(s->passes, 0);
	assert_int_equal(sim_run(s, 2000), 0);
	assert_int_equal(s->passes, 1);
	assert_int_equal(s->verdicts[0].state, EBB_STATE_STARTING);
	assert_int_equal(sim_run(s, 57000), 0); /* 59 s after the last of it */
	assert_int_equal(s->asked, 0);
	assert_int_equal(sim_run(s, 5000), 0);
	assert_true(sim_out(s, false, false) > 180);
	free(s);
}

static void huge_pages_are_named(void **state)
{
	struct sim *s = settled();

	s->c.anon_thp = 780 * SIM_MIB;
	s->c.age[0].anon = 0;
	s->c.age[1].anon = 800 * SIM_MIB;
	expect_held(s, EBB_STATE_SETTLED, EBB_REASON_HUGE_PAGES);
}

static void loop_takes_the_cold_and_spares_the_hot(void **state)
{
	struct sim *s = fresh(5000);

	sim_add(s, 600, false, false);
	sim_add(s, 200, true, false);
	assert_int_equal(sim_run(s, 60000), 0);
	assert_true(sim_out(s, false, false) >= 570);
	assert_int_equal(s->evicted_hot, 0);
	assert_int_equal(s->verdicts[0].state, EBB_STATE_SETTLED);
	free(s);
}

static void loop_at_a_minute(void **state)
{
	struct sim *s = fresh(0); /* auto: a minute */

	sim_add(s, 600, false, false);
	sim_add(s, 200, true, false);
	assert_int_equal(sim_run(s, 59000), 0);
	assert_int_equal(s->asked, 0);
	assert_int_equal(sim_run(s, 121000), 0);
	assert_true(sim_out(s, false, false) >= 570);
	assert_int_equal(s->evicted_hot, 0);
	free(s);
}

static void never_more_than_was_idle_so_long(void **state)
{
	struct sim *s = fresh(10000);

	sim_add(s, 300, false, false);
	assert_int_equal(sim_run(s, 8000), 0);
	for (size_t i = 100; i < 300; i++) /* 200 of it are used once more */
		s->chunk[i].touched_ms = s->now_ms;
	assert_int_equal(sim_run(s, 8000), 0);
	assert_true(sim_out(s, false, false) <= 100);
	assert_true(s->asked <= 100 * SIM_MIB);
	free(s);
}

static void read_once_goes_reread_stays(void **state)
{
	for (int hot_first = 0; hot_first < 2; hot_first++) {
		struct sim *s = fresh(5000);

		if (hot_first)
			sim_add(s, 50, true, true);
		sim_add(s, 300, false, true);
		if (!hot_first)
			sim_add(s, 50, true, true);
		assert_int_equal(sim_run(s, 60000), 0);
		assert_true(sim_out(s, false, true) >= 285);
		/* One portion that met the hot part is what a mistake may cost. */
		assert_true(s->evicted_hot <= 16);
		free(s);
	}
}

/* The kernel keeps what was read five times since the last merge: so long is waited for it. */
static void reread_each_second_stays_however_short_the_patience(void **state)
{
	static const uint64_t cold_ms[] = { 5000, 10000, 20000, 60000 };

	for (size_t i = 0; i < ARRAY_SIZE(cold_ms); i++) {
		for (int hot_first = 0; hot_first < 2; hot_first++) {
			struct sim *s = fresh(cold_ms[i]);

			s->reads_ms = 1000;
			if (hot_first)
				sim_add(s, 60, true, true);
			sim_add(s, 600, false, true);
			if (!hot_first)
				sim_add(s, 60, true, true);
			assert_int_equal(sim_run(s, 45000 + 7 * cold_ms[i]), 0);
			assert_true(sim_out(s, false, true) >= 570);
			assert_true(s->evicted_hot <= 16);
			free(s);
		}
	}
}

/* What was hot and is not: found out by little, and then faster. */
static void page_cache_that_cools_goes(void **state)
{
	struct sim *s = fresh(10000);

	s->reads_ms = 1000;
	sim_add(s, 60, true, true);
	sim_add(s, 300, false, true);
	assert_int_equal(sim_run(s, 100000), 0);
	assert_true(sim_out(s, false, true) >= 285);
	assert_in_range(sim_out(s, true, true), 0, 1);
	for (size_t i = 0; i < s->nr; i++)
		s->chunk[i].hot = false;
	assert_int_equal(sim_run(s, 350000), 0);
	assert_true(sim_out(s, false, true) >= 345);
	free(s);
}

/* What something inside the container keeps is asked for once in a long while, and not called cold.
 */
static void page_cache_that_is_kept(void **state)
{
	struct sim *s = fresh(10000);
	uint64_t asked;

	s->kept = true;
	sim_add(s, 100, false, true);
	sim_add(s, 100, false, false);
	assert_int_equal(sim_run(s, 200000), 0);
	assert_true(sim_out(s, false, false) >= 95);
	assert_true(s->verdicts[0].cold < 8 * SIM_MIB);
	asked = s->asked;
	assert_int_equal(sim_run(s, 400000), 0);
	assert_in_range(s->asked - asked, 0, 48 * SIM_MIB);
	free(s);
}

static void file_from_old_ones(const struct sim *s)
{
	for (size_t i = 0; i < s->plan.nr_items; i++)
		if (s->plan.items[i].file)
			assert_in_range(s->plan.items[i].file_idle_ms, 7500, 100000);
}

/* Little of it is old: the generation that it is taken from is that, not the young one with most.
 */
static void little_old_page_cache_goes(void **state)
{
	struct sim *s = fresh(10000);

	sim_add(s, 10, false, true);
	sim_add(s, 300, true, true);
	for (size_t i = 10; i < s->nr; i++)
		s->chunk[i].mapped = true;
	s->decided = file_from_old_ones;
	assert_int_equal(sim_run(s, 100000), 0);
	assert_true(sim_out(s, false, true) >= 9);
	assert_int_equal(s->evicted_hot, 0);
	free(s);
}

static uint64_t file_asked_ms[64];
static uint64_t file_asked[64];
static unsigned int nr_file_asked;

static void note_file(const struct sim *s)
{
	for (size_t i = 0; i < s->plan.nr_items; i++) {
		const struct ebb_plan_item *it = &s->plan.items[i];

		if (it->action != EBB_ACT_RECLAIM || !it->file)
			continue;
		if (!nr_file_asked || file_asked_ms[nr_file_asked - 1] != s->now_ms)
			file_asked_ms[nr_file_asked++] = s->now_ms;
		file_asked[nr_file_asked - 1] += it->file;
		assert_true(s->now_ms - s->c.aged_ms >= 10000);
	}
}

/* One portion, and twice as much each time that a quarter of the patience brought nothing back. */
static void page_cache_goes_faster_while_nothing_comes_back(void **state)
{
	struct sim *s = fresh(10000);

	nr_file_asked = 0;
	memset(file_asked, 0, sizeof(file_asked));
	s->decided = note_file;
	sim_add(s, 2000, false, true);
	assert_int_equal(sim_run(s, 60000), 0);
	assert_true(nr_file_asked >= 6);
	for (unsigned int i = 1; i < 6; i++) {
		assert_true(file_asked_ms[i] - file_asked_ms[i - 1] >= 2500);
		assert_in_range(file_asked[i], 2 * file_asked[i - 1] - SIM_MIB,
				2 * file_asked[i - 1]);
	}
	free(s);
}

/* With many containers aged in a row, a turn comes between a pass and the word of its end. */
static void a_pass_that_is_seen_early_counts(void **state)
{
	struct sim *s = fresh(5000);

	s->seen_early = true;
	sim_add(s, 300, false, true);
	assert_int_equal(sim_run(s, 60000), 0);
	assert_true(sim_out(s, false, true) >= 285);
	free(s);
}

/* A group inside of it that was not aged, for a moment: no pass has ended when it goes. */
static void an_age_that_is_lost_for_a_moment_is_no_pass(void **state)
{
	struct sim *s = fresh(60000);
	struct policy_container before;

	sim_add(s, 50, true, true);
	sim_add(s, 300, false, true);
	assert_int_equal(sim_run(s, 200000), 0);
	sim_measure(s);
	step(s);
	before = s->slot[0];
	assert_true(before.nr_file > 1);
	for (int i = 0; i < 10; i++) {
		s->c.aged_ms = i % 2 ? s->born[s->max_seq % 64] : 0;
		step(s);
	}
	assert_int_equal(s->slot[0].nr_file, before.nr_file);
	assert_int_equal(s->slot[0].file[0].ms, before.file[0].ms);
	assert_int_equal(s->slot[0].recent_taken, before.recent_taken);
	assert_int_equal(s->slot[0].calm, before.calm);
	free(s);
}

/* An act that waited for a thread until its deadline says nothing about what could be taken. */
static void a_deadline_is_no_shortfall(void **state)
{
	for (int file = 0; file < 2; file++) {
		struct sim *s = fresh(60000);

		sim_add(s, 300, false, file);
		s->late = 2;
		for (int i = 0; i < 200 && !s->asked; i++)
			assert_int_equal(sim_run(s, 1000), 0);
		assert_int_equal(s->late, 0);
		assert_in_range(sim_out(s, false, file), file ? 16 : 290, file ? 16 : 300);
		free(s);
	}
}

static void fresh_page_cache_is_not_cold(void **state)
{
	struct sim *s = fresh(5000);

	sim_add(s, 20, true, false);
	assert_int_equal(sim_run(s, 30000), 0);
	sim_add(s, 300, false, true); /* enters the oldest generation at once */
	assert_int_equal(sim_run(s, 4500), 0);
	assert_int_equal(s->asked, 0);
	assert_int_equal(sim_run(s, 40000), 0);
	assert_true(sim_out(s, false, true) >= 285);
	free(s);
}

static void quiet_containers_are_aged_less_often(void **state)
{
	struct sim *s = fresh(10000);
	unsigned int early;

	sim_add(s, 50, true, false);
	assert_int_equal(sim_run(s, 60000), 0);
	early = s->passes;
	assert_true(early >= 6);
	s->passes = 0;
	assert_int_equal(sim_run(s, 60000), 0);
	assert_true(s->passes <= early / 2);
	free(s);
}

/* A pass that is brought forward must still prove what it is for. */
static void wakes_for_others_do_not_spoil_the_ages(void **state)
{
	struct sim *s = fresh(60000);

	sim_add(s, 300, false, false);
	assert_int_equal(sim_run(s, 58000), 0); /* then somebody else has ebbd look */
	assert_int_equal(s->passes, 2);
	assert_int_equal(sim_run(s, 8000), 0);
	assert_true(sim_out(s, false, false) > 280);
	free(s);
}

static void quiet_containers_are_aged_together(void **state)
{
	struct sim *s = fresh(60000);
	struct ebb_snap_container c[3];
	uint64_t begun = s->now_ms;

	sim_measure(s);
	s->snap.containers = c;
	s->snap.nr_containers = 3;
	for (unsigned int i = 0; i < 3; i++) {
		c[i] = s->c;
		c[i].id = i + 1;
		c[i].aged_ms = begun + 1000ull * i;
	}
	s->now_ms += 2000;
	step(s);
	for (unsigned int i = 0; i < 3; i++) {
		s->slot[i].calm = 1;
		s->slot[i].started = true;
	}
	s->now_ms = begun + 29000;
	step(s);
	assert_null(item_of(s, EBB_ACT_AGE));
	assert_int_equal(s->plan.next_ms, begun + 30000 + 30000 / 8);
	s->now_ms = s->plan.next_ms;
	step(s);
	assert_int_equal(s->plan.nr_items, 3);
	free(s);
}

static void small_steps_without_ages(void **state)
{
	struct sim *s = settled();
	uint64_t taken = 0;

	s->c.can_age = false;
	for (int i = 0; i < 40; i++) {
		const struct ebb_plan_item *it;

		step(s);
		it = item_of(s, EBB_ACT_RECLAIM);
		if (it) {
			assert_true(it->anon + it->file <= 5 * SIM_MIB);
			taken += it->anon + it->file;
			s->c.last = (struct ebb_outcome){ .seq = s->c.last.seq + 1,
							  .ended_ms = s->now_ms,
							  .asked = it->anon + it->file,
							  .got = it->anon + it->file };
		}
		s->now_ms += 500;
	}
	assert_in_range(taken, 50 * SIM_MIB, 150 * SIM_MIB);
	assert_int_equal(s->verdicts[0].reason, EBB_REASON_PROBE);
	assert_int_equal(s->verdicts[0].cold, 0);
	/* What was taken comes back: it stops. */
	s->c.refault_anon += taken / 2;
	s->c.last.seq++;
	s->c.last.got = 0;
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM));
	assert_int_equal(s->verdicts[0].reason, EBB_REASON_REFAULTS);
	free(s);
}

/* What came back is a total: one that goes takes nothing of it along. */
static void refaults_of_the_gone_are_kept(void **state)
{
	struct sim *s = settled();

	step(s);
	s->slot[0].refaulted = 5 * SIM_MIB;
	s->snap.nr_containers = 0;
	s->now_ms += 1000;
	step(s);
	assert_int_equal(s->state.nr, 0);
	assert_int_equal(s->state.refaulted_gone, 5 * SIM_MIB);
	s->now_ms += 1000;
	step(s);
	assert_int_equal(s->state.refaulted_gone, 5 * SIM_MIB);
	free(s);
}

static struct sim *emptied(void)
{
	struct sim *s = settled();

	s->c.populated = false;
	s->c.anon = 0;
	s->c.bytes = s->c.file = 120 * SIM_MIB;
	return s;
}

/* "Never below this" holds for one that is empty as well: it may be on its way up again. */
static void exit_leaves_what_is_protected(void **state)
{
	struct sim *s = emptied();
	const struct ebb_plan_item *it;

	s->c.protect = 100 * SIM_MIB;
	step(s);
	assert_null(
		item_of(s, EBB_ACT_RECLAIM)); /* which does not look whether somebody came back */
	it = item_of(s, EBB_ACT_RECLAIM_EXIT);
	assert_non_null(it);
	assert_int_equal(it->anon + it->file, 20 * SIM_MIB);
	assert_int_equal(it->keep, 100 * SIM_MIB);
	assert_int_equal(it->reason, EBB_REASON_EXIT);
	s->c.bytes = s->c.file = 100 * SIM_MIB;
	s->now_ms += 5000;
	step(s);
	assert_int_equal(s->plan.nr_items, 0);
	assert_int_equal(s->verdicts[0].cold, 0);
	free(s);
}

/* What of it others have mapped, shmem and anon have a user who lives: nobody knows it cold. */
static void exit_leaves_what_others_use(void **state)
{
	struct sim *s = emptied();

	s->c.file_mapped = 30 * SIM_MIB;
	s->c.shmem = 20 * SIM_MIB;
	s->c.anon = 10 * SIM_MIB;
	s->c.bytes += 10 * SIM_MIB;
	step(s);
	assert_int_equal(item_of(s, EBB_ACT_RECLAIM_EXIT)->file, 70 * SIM_MIB);
	assert_int_equal(item_of(s, EBB_ACT_RECLAIM_EXIT)->anon, 0);
	assert_int_equal(s->verdicts[0].cold, 70 * SIM_MIB);
	s->c.file = 50 * SIM_MIB;
	s->now_ms += 5000;
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM_EXIT));
	free(s);
}

/* Paused is paused, by name or all of it: what an exit left is taken when it ends. */
static void exit_while_paused(void **state)
{
	struct sim *s = emptied();

	s->snap.paused = true;
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM_EXIT));
	assert_int_equal(s->verdicts[0].state, EBB_STATE_EMPTY);
	s->snap.paused = false;
	s->c.paused = true;
	s->now_ms += 2000;
	step(s);
	assert_null(item_of(s, EBB_ACT_RECLAIM_EXIT));
	s->c.paused = false;
	s->now_ms += 2000;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_RECLAIM_EXIT));
	free(s);
}

/* Much is left: as long as each try brings some of it and runs out of time, there is a next one. */
static void exit_goes_on_while_it_brings_something(void **state)
{
	struct sim *s = emptied();

	s->c.bytes = s->c.file = 20000 * SIM_MIB;
	for (int i = 0; i < 10; i++) {
		step(s);
		assert_non_null(item_of(s, EBB_ACT_RECLAIM_EXIT));
		s->c.bytes = s->c.file -= 1000 * SIM_MIB;
		s->c.last = (struct ebb_outcome){ .seq = s->c.last.seq + 1,
						  .ended_ms = s->now_ms,
						  .got = 1000 * SIM_MIB,
						  .timed_out = true };
		s->now_ms += 5000;
	}
	free(s);
}

/* Hundreds end at once, and there is no room for the act: it is tried until there is. */
static void exit_that_cannot_begin_is_no_try(void **state)
{
	struct sim *s = emptied();

	for (int i = 0; i < 10; i++) {
		step(s);
		assert_non_null(item_of(s, EBB_ACT_RECLAIM_EXIT));
		s->c.last = (struct ebb_outcome){ .seq = s->c.last.seq + 1,
						  .ended_ms = s->now_ms,
						  .error = -ENOSPC };
		s->now_ms += 500;
		step(s);
		assert_null(item_of(s, EBB_ACT_RECLAIM_EXIT)); /* not at once */
		s->now_ms += 500;
	}
	free(s);
}

static void exit_is_taken_at_once(void **state)
{
	struct sim *s = settled();
	const struct ebb_plan_item *it;

	s->c.populated = false;
	s->c.anon = 0;
	s->c.bytes = s->c.file = 120 * SIM_MIB;
	step(s);
	it = item_of(s, EBB_ACT_RECLAIM_EXIT);
	assert_non_null(it);
	assert_int_equal(it->file, 120 * SIM_MIB);
	assert_int_equal(s->verdicts[0].state, EBB_STATE_EMPTY);
	/* Once more after a while, then not for ever. */
	for (int i = 0; i < 10; i++) {
		s->now_ms += 2000;
		step(s);
	}
	assert_null(item_of(s, EBB_ACT_RECLAIM_EXIT));
	free(s);
}

static void orphans_are_taken_and_not_hammered(void **state)
{
	struct sim *s = settled();
	struct ebb_orphans left = { .parent = 7, .bytes = 80 * SIM_MIB };
	unsigned int tries = 0;

	s->snap.orphans = &left;
	s->snap.nr_orphans = 1;
	for (int i = 0; i < 60; i++) {
		step(s);
		tries += item_of(s, EBB_ACT_RECLAIM_ORPHANS) != NULL;
		s->now_ms += 1000;
	}
	assert_in_range(tries, 3, 8);
	free(s);
}

/* However many have something left that cannot be taken: each attempt is a fence over the living.
 */
static void orphans_of_many_are_not_hammered(void **state)
{
	enum { PARENTS = 4 * POLICY_ORPHAN_SLOTS, SECONDS = 60 };
	static struct ebb_orphans left[PARENTS];
	static struct ebb_plan_item items[PARENTS + 8];
	struct sim *s = settled();
	unsigned int tries = 0;

	for (unsigned int i = 0; i < PARENTS; i++)
		left[i] = (struct ebb_orphans){ .parent = 100 + i, .bytes = 80 * SIM_MIB };
	s->snap.orphans = left;
	s->snap.nr_orphans = PARENTS;
	s->plan.items = items;
	s->plan.max_items = sizeof(items) / sizeof(items[0]);
	for (int i = 0; i < SECONDS; i++) {
		step(s);
		for (size_t k = 0; k < s->plan.nr_items; k++)
			tries += s->plan.items[k].action == EBB_ACT_RECLAIM_ORPHANS;
		s->now_ms += 1000;
	}
	/* Those that have a place take turns; none has more than it would have alone. */
	assert_in_range(tries, POLICY_ORPHAN_SLOTS, 8 * PARENTS);
	free(s);
}

static void compaction_gathers_what_is_stranded(void **state)
{
	struct sim *s = settled();

	step(s); /* plans the reclaim */
	s->c.last = (struct ebb_outcome){ .seq = s->c.last.seq + 1,
					  .ended_ms = s->now_ms,
					  .asked = 580 * SIM_MIB,
					  .got = 580 * SIM_MIB };
	s->c.age[0].anon = 0;
	s->c.bytes = s->c.anon = 220 * SIM_MIB;
	s->snap.machine.mem_free = 1000 * SIM_MIB;
	s->snap.machine.free_reportable = 995 * SIM_MIB;
	s->now_ms += 1000;
	step(s);
	assert_null(item_of(s, EBB_ACT_COMPACT)); /* 5 MiB are not worth it */
	s->snap.machine.free_reportable = 400 * SIM_MIB;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_COMPACT));
	/* It brought nothing and cost all that was saved, twice: not again until it is earned. */
	s->snap.machine.compact_cpu_us = 20000000;
	s->now_ms += 10000;
	s->snap.machine.compact_ended_ms = s->now_ms;
	for (int i = 0; i < 100; i++) {
		s->c.last.seq++;
		s->c.last.got = 20 * SIM_MIB;
		step(s);
		assert_null(item_of(s, EBB_ACT_COMPACT));
		s->now_ms += 1000;
	}
	free(s);
}

/* A pass that gathered much and left much is followed by another, one that gathered little is not.
 */
static void compaction_goes_on_while_it_gathers(void **state)
{
	struct sim *s = settled();
	struct ebb_snap_machine *m = &s->snap.machine;
	unsigned int passes = 0;

	step(s);
	s->c.last = (struct ebb_outcome){ .seq = s->c.last.seq + 1,
					  .ended_ms = s->now_ms,
					  .asked = 580 * SIM_MIB,
					  .got = 580 * SIM_MIB };
	s->c.age[0].anon = 0;
	s->c.bytes = s->c.anon = 220 * SIM_MIB;
	m->mem_free = 1000 * SIM_MIB;
	m->free_reportable = 400 * SIM_MIB;
	s->now_ms += 1000;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_COMPACT));
	m->free_reportable = 700 * SIM_MIB;
	s->now_ms += 2000;
	m->compact_ended_ms = s->now_ms - 1000;
	step(s);
	assert_non_null(item_of(s, EBB_ACT_COMPACT));
	m->free_reportable = 750 * SIM_MIB;
	s->now_ms += 2000;
	m->compact_ended_ms = s->now_ms - 1000;
	/* What a pass could not gather is tried again after 4 s, 8 s, 16 s, …: pages were in use.
	 */
	for (int i = 0; i < 124; i++) {
		step(s);
		if (item_of(s, EBB_ACT_COMPACT)) {
			passes++;
			m->compact_ended_ms = s->now_ms + 500;
		}
		s->now_ms += 1000;
	}
	assert_in_range(passes, 4, 5);
	/* Little is left alone. */
	m->free_reportable = 985 * SIM_MIB;
	for (int i = 0; i < 300; i++) {
		step(s);
		assert_null(item_of(s, EBB_ACT_COMPACT));
		s->now_ms += 1000;
	}
	free(s);
}

/* 600 MiB idle for 20 s are cold to a host that is very short, and to no other; unless a person
 * says. */
static void a_host_that_is_short_takes_deeper(void **state)
{
	static const struct {
		uint64_t cold_after_ms;
		enum ebb_host_level level;
		bool cold;
	} cases[] = {
		{ 0, EBB_HOST_EASE, false },   { 0, EBB_HOST_LOW, false },
		{ 0, EBB_HOST_HIGH, true },    { 60000, EBB_HOST_HIGH, false },
		{ 5000, EBB_HOST_EASE, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim *s = settled();

		s->c.age[0].idle_ms = 20000;
		s->config.cold_after_ms = cases[i].cold_after_ms;
		s->snap.host.talking = true;
		s->snap.host.level = cases[i].level;
		step(s);
		assert_int_equal(s->verdicts[0].cold > 0, cases[i].cold);
		free(s);
	}
}

static void rejects_what_does_not_fit(void **state)
{
	struct sim *s = settled();
	struct ebb_snap_container two[2] = { { .id = 9 }, { .id = 3 } };

	s->plan.max_items = 1;
	assert_int_equal(policy_step(&s->snap, &s->config, &s->state, &s->plan), -EINVAL);
	s->plan.max_items = 8;
	s->snap.containers = two;
	s->snap.nr_containers = 2;
	assert_int_equal(policy_step(&s->snap, &s->config, &s->state, &s->plan), -EINVAL);
	free(s);
}

static void slots_follow_containers(void **state)
{
	struct sim *s = fresh(5000);
	struct ebb_snap_container c[3] = { { .id = 5, .populated = true, .bytes = SIM_MIB },
					   { .id = 7, .populated = true, .bytes = SIM_MIB },
					   { .id = 9, .populated = true, .bytes = SIM_MIB } };

	s->snap.containers = &c[1];
	s->snap.nr_containers = 1;
	step(s);
	s->slot[0].taken = 77;
	s->snap.containers = c;
	s->snap.nr_containers = 3;
	step(s);
	assert_int_equal(s->slot[0].id, 5);
	assert_int_equal(s->slot[1].taken, 77);
	assert_int_equal(s->slot[2].id, 9);
	s->snap.containers = &c[1];
	s->snap.nr_containers = 2;
	step(s);
	assert_int_equal(s->state.nr, 2);
	assert_int_equal(s->slot[0].taken, 77);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_cold_and_no_more),
		cmocka_unit_test(leaves_what_a_pass_may_have_missed),
		cmocka_unit_test(leaves_what_an_eviction_met_in_use),
		cmocka_unit_test(veto_memory_stall),
		cmocka_unit_test(anon_goes_right_after_a_pass),
		cmocka_unit_test(veto_memory_stall_at_once),
		cmocka_unit_test(a_stall_of_a_millisecond_is_no_veto),
		cmocka_unit_test(a_stall_that_is_told_late_counts_in_full),
		cmocka_unit_test(veto_io_stall),
		cmocka_unit_test(a_little_io_is_no_veto),
		cmocka_unit_test(its_own_swap_limit),
		cmocka_unit_test(veto_protected),
		cmocka_unit_test(protect_bounds_the_amount),
		cmocka_unit_test(veto_swap_full),
		cmocka_unit_test(veto_no_swap),
		cmocka_unit_test(veto_off),
		cmocka_unit_test(veto_paused),
		cmocka_unit_test(exit_leaves_what_others_use),
		cmocka_unit_test(exit_while_paused),
		cmocka_unit_test(exit_leaves_what_is_protected),
		cmocka_unit_test(refaults_of_the_gone_are_kept),
		cmocka_unit_test(exit_goes_on_while_it_brings_something),
		cmocka_unit_test(exit_that_cannot_begin_is_no_try),
		cmocka_unit_test(veto_failed_act),
		cmocka_unit_test(no_second_act_while_busy),
		cmocka_unit_test(veto_refaults),
		cmocka_unit_test(refaults_during_the_act_count),
		cmocka_unit_test(refaults_of_others_are_not_ours),
		cmocka_unit_test(what_comes_back_slowly_is_one_mistake),
		cmocka_unit_test(a_trickle_of_what_was_taken_is_no_other_mistake),
		cmocka_unit_test(rests_grow_while_it_comes_back),
		cmocka_unit_test(a_squeeze_is_not_ours),
		cmocka_unit_test(starting_is_left_alone),
		cmocka_unit_test(ages_count_from_when_it_is_level),
		cmocka_unit_test(huge_pages_are_named),
		cmocka_unit_test(loop_takes_the_cold_and_spares_the_hot),
		cmocka_unit_test(loop_at_a_minute),
		cmocka_unit_test(never_more_than_was_idle_so_long),
		cmocka_unit_test(read_once_goes_reread_stays),
		cmocka_unit_test(reread_each_second_stays_however_short_the_patience),
		cmocka_unit_test(page_cache_that_cools_goes),
		cmocka_unit_test(page_cache_that_is_kept),
		cmocka_unit_test(little_old_page_cache_goes),
		cmocka_unit_test(page_cache_goes_faster_while_nothing_comes_back),
		cmocka_unit_test(a_pass_that_is_seen_early_counts),
		cmocka_unit_test(an_age_that_is_lost_for_a_moment_is_no_pass),
		cmocka_unit_test(a_deadline_is_no_shortfall),
		cmocka_unit_test(fresh_page_cache_is_not_cold),
		cmocka_unit_test(quiet_containers_are_aged_less_often),
		cmocka_unit_test(wakes_for_others_do_not_spoil_the_ages),
		cmocka_unit_test(quiet_containers_are_aged_together),
		cmocka_unit_test(small_steps_without_ages),
		cmocka_unit_test(exit_is_taken_at_once),
		cmocka_unit_test(orphans_are_taken_and_not_hammered),
		cmocka_unit_test(orphans_of_many_are_not_hammered),
		cmocka_unit_test(compaction_gathers_what_is_stranded),
		cmocka_unit_test(compaction_goes_on_while_it_gathers),
		cmocka_unit_test(a_host_that_is_short_takes_deeper),
		cmocka_unit_test(rejects_what_does_not_fit),
		cmocka_unit_test(slots_follow_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
