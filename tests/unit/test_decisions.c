// SPDX-License-Identifier: GPL-2.0-only
/* What is remembered of decisions: folded, bounded, with what came of each. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/decisions.h"

#define MiB (1ull << 20)

static struct decision_log log_;
static struct ebb_snap_container c;
static struct ebb_verdict v;
static struct policy_container p;
static uint64_t now;

static int start(void **state)
{
	memset(&log_, 0, sizeof(log_));
	c = (struct ebb_snap_container){ .id = 7, .bytes = 300 * MiB };
	v = (struct ebb_verdict){ .id = 7 };
	p = (struct policy_container){ .id = 7, .scale_ppm = 1000000 };
	now = 1000;
	return 0;
}

static void step(enum ebb_state state, enum ebb_reason reason)
{
	now += 100;
	v.state = state;
	v.reason = reason;
	decisions_note(&log_, now, 60000, &c, &v, &p);
}

static void outcome(uint64_t asked, uint64_t got, int error)
{
	c.last = (struct ebb_outcome){
		.seq = c.last.seq + 1, .asked = asked, .got = got, .error = error
	};
}

static void test_the_same_is_one(void **state)
{
	for (int i = 0; i < 1000; i++)
		step(EBB_STATE_SETTLED, EBB_REASON_NOTHING_COLD);
	v.cold = 5 * MiB;
	p.stall_mem_ppm = 1234;
	step(EBB_STATE_HELD, EBB_REASON_PSI_MEMORY);
	assert_int_equal(log_.nr, 2);
	assert_int_equal(log_.ring[0].steps, 1000);
	assert_int_equal(log_.ring[0].last_ms - log_.ring[0].first_ms, 99900);
	assert_int_equal(log_.ring[1].steps, 1);
	assert_int_equal(log_.ring[1].cold, 5 * MiB);
	assert_int_equal(log_.ring[1].stall_mem_ppm, 1234);
	assert_int_equal(log_.ring[1].cold_after_ms, 60000);
}

static void test_the_oldest_goes(void **state)
{
	for (int i = 0; i < 100; i++)
		step(EBB_STATE_HELD, i % 2 ? EBB_REASON_PSI_IO : EBB_REASON_REFAULTS);
	assert_int_equal(log_.nr, DECISIONS_MAX);
	assert_int_equal(log_.ring[DECISIONS_MAX - 1].last_ms, now);
	assert_int_equal(log_.ring[0].first_ms, now - (DECISIONS_MAX - 1) * 100);
}

static void test_what_came_of_it(void **state)
{
	/* Of before the first step: nobody's. */
	outcome(9 * MiB, 9 * MiB, 0);
	v.refaulted = MiB;
	step(EBB_STATE_RECLAIMING, EBB_REASON_COLD);
	assert_int_equal(log_.ring[0].got, 0);
	assert_int_equal(log_.ring[0].refaulted, 0);

	outcome(32 * MiB, 30 * MiB, 0);
	step(EBB_STATE_RECLAIMING, EBB_REASON_COLD);
	outcome(32 * MiB, 10 * MiB, -EIO);
	step(EBB_STATE_SETTLED, EBB_REASON_NOTHING_COLD);
	/* An ageing pass takes nothing. */
	outcome(0, 0, 0);
	c.last.aged = true;
	v.refaulted = 3 * MiB;
	step(EBB_STATE_HELD, EBB_REASON_REFAULTS);
	assert_int_equal(log_.nr, 3);
	assert_int_equal(log_.ring[0].acts, 2);
	assert_int_equal(log_.ring[0].asked, 64 * MiB);
	assert_int_equal(log_.ring[0].got, 40 * MiB);
	assert_int_equal(log_.ring[0].error, -EIO);
	assert_int_equal(log_.ring[0].refaulted, 2 * MiB);
	assert_int_equal(log_.ring[1].acts, 0);
	assert_int_equal(log_.ring[2].refaulted, 0);
}

static void test_json(void **state)
{
	json_t *all, *d;

	step(EBB_STATE_RECLAIMING, EBB_REASON_COLD);
	outcome(2 * MiB, MiB, -ENOSPC);
	step(EBB_STATE_HELD, EBB_REASON_FAILED);
	all = decisions_json(&log_, now + 50);
	assert_int_equal(json_array_size(all), 2);
	d = json_array_get(all, 0);
	assert_string_equal(json_string_value(json_object_get(d, "reason")), "failed");
	assert_int_equal(json_integer_value(json_object_get(d, "ago_ms")), 50);
	assert_true(json_is_null(json_object_get(d, "error")));
	d = json_array_get(all, 1);
	assert_string_equal(json_string_value(json_object_get(d, "state")), "reclaiming");
	assert_int_equal(json_integer_value(json_object_get(d, "got")), MiB);
	assert_int_equal(json_integer_value(json_object_get(d, "ago_ms")), 150);
	assert_string_equal(json_string_value(json_object_get(d, "error")), strerror(ENOSPC));
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_same_is_one, start),
		cmocka_unit_test_setup(test_the_oldest_goes, start),
		cmocka_unit_test_setup(test_what_came_of_it, start),
		cmocka_unit_test_setup(test_json, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
