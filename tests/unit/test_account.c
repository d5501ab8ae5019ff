// SPDX-License-Identifier: GPL-2.0-only
/* What came to be the host's, and by which step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ebbd/account.h"

static struct account a;
static struct ebb_snap_machine m;
static struct account_work work;

static int start(void **state)
{
	memset(&a, 0, sizeof(a));
	work = (struct account_work){ 0 };
	m = (struct ebb_snap_machine){ .reporting = true, .free_reportable = 1000 };
	account_step(&a, &m, &work);
	return 0;
}

static void gain(uint64_t bytes)
{
	m.free_reportable += bytes;
	account_step(&a, &m, &work);
}

static void test_what_was_free_before_is_nobodys(void **state)
{
	for (size_t i = 0; i < REPORT_NR_CAUSES; i++)
		assert_int_equal(a.returned[i], 0);
}

static void test_each_cause(void **state)
{
	work.reclaimed += 10;
	gain(10);
	work.exited += 20;
	gain(20);
	work.compactions++;
	gain(30);
	gain(40);
	assert_int_equal(a.returned[REPORT_BY_RECLAIM], 10);
	assert_int_equal(a.returned[REPORT_BY_EXIT], 20);
	assert_int_equal(a.returned[REPORT_BY_COMPACTION], 30);
	assert_int_equal(a.returned[REPORT_BY_GUEST], 40);
	assert_int_equal(a.returned[REPORT_BY_BALLOON], 0);
}

/* Pages that were the host's already are not returned again by going into the balloon. */
static void test_the_balloon_counts_what_was_not_reportable(void **state)
{
	m.ballooned += 300;
	m.free_reportable -= 250;
	account_step(&a, &m, &work);
	assert_int_equal(a.returned[REPORT_BY_BALLOON], 50);
}

static void test_taken_back_and_given_again(void **state)
{
	m.free_reportable -= 600;
	account_step(&a, &m, &work);
	gain(100);
	assert_int_equal(a.returned[REPORT_BY_GUEST], 100);
}

static void test_without_reporting(void **state)
{
	m.reporting = false;
	memset(&a, 0, sizeof(a));
	account_step(&a, &m, &work);
	gain(500);
	assert_int_equal(account_at_host(&m), 0);
	m.ballooned = 70;
	account_step(&a, &m, &work);
	assert_int_equal(a.returned[REPORT_BY_GUEST], 0);
	assert_int_equal(a.returned[REPORT_BY_BALLOON], 70);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		test(test_what_was_free_before_is_nobodys),
		test(test_each_cause),
		test(test_the_balloon_counts_what_was_not_reportable),
		test(test_taken_back_and_given_again),
		test(test_without_reporting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
