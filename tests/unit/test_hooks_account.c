// SPDX-License-Identifier: GPL-2.0-only
/* What the fault hooks may cost, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sense/hooks_impl.h"

#define SEC 1000000000ULL
#define MS 1000000ULL
#define BUDGET_PPM 5000
#define MINUTE_NS (60 * SEC * BUDGET_PPM / 1000000) /* 300 ms */

static void a_minute_is_a_minute(void **state)
{
	struct fault_account a;
	uint64_t t = 1000 * SEC;

	account_init(&a, BUDGET_PPM, t);
	assert_int_equal(account_left(&a, t), MINUTE_NS);
	account_spend(&a, 100 * MS, t);
	account_spend(&a, 50 * MS, t + 30 * SEC);
	assert_int_equal(account_minute(&a, t + 59 * SEC), 150 * MS);
	assert_int_equal(account_left(&a, t + 59 * SEC), 150 * MS);
	assert_int_equal(account_minute(&a, t + 61 * SEC), 50 * MS);
	assert_int_equal(account_minute(&a, t + 91 * SEC), 0);
	assert_int_equal(account_left(&a, t + 91 * SEC), MINUTE_NS);
	assert_int_equal(a.total_ns, 150 * MS);
	/* Looking does not change it, and a long silence leaves nothing of the old ring. */
	account_spend(&a, MS, t + 10000 * SEC);
	assert_int_equal(account_minute(&a, t + 10000 * SEC), MS);
	/* More than there is: nothing is left, and nothing turns around. */
	account_spend(&a, SEC, t + 10000 * SEC);
	assert_int_equal(account_left(&a, t + 10000 * SEC), 0);
	assert_int_equal(account_allows(&a, t + 10000 * SEC, true), 0);
}

static void half_of_what_is_left(void **state)
{
	struct fault_account a;
	uint64_t t = 5 * SEC, got;

	account_init(&a, BUDGET_PPM, t);
	got = account_allows(&a, t, true);
	assert_int_equal(got, 150 * MS);
	account_spend(&a, got, t);
	assert_int_equal(account_allows(&a, t + SEC, true), 75 * MS);
	/* Growth wants two seconds' worth of the budget, a window on a quiet machine no more than
	 * it costs. */
	account_spend(&a, 132 * MS, t + SEC);
	assert_int_equal(account_allows(&a, t + 2 * SEC, true), 0);
	assert_int_equal(account_allows(&a, t + 2 * SEC, false), 9 * MS);
}

static void attaching_must_be_affordable(void **state)
{
	struct fault_account a;
	uint64_t t = 5 * SEC, tries = 0;

	account_init(&a, BUDGET_PPM, t);
	account_toggled(&a, 40 * MS);
	assert_int_equal(a.toggle_ns, 40 * MS);
	account_spend(&a, 230 * MS, t);
	assert_int_equal(account_allows(&a, t, false), 0);
	assert_int_equal(account_allows(&a, t + 61 * SEC, false), 150 * MS);
	/* One bad moment does not keep the hooks away for good. */
	account_toggled(&a, 2 * SEC);
	assert_true(a.toggle_ns > MINUTE_NS);
	for (t += 61 * SEC; !account_allows(&a, t, false); t += 5 * SEC)
		assert_true(++tries < 300);
	assert_true(tries > 12);
}

static void lasting_and_paying(void **state)
{
	struct fault_account a;

	account_init(&a, BUDGET_PPM, 0);
	assert_int_equal(account_lasts_ms(0, 5, 10), 0);
	assert_true(account_lasts_ms(10 * MS, 0, 10) > 1000000);
	assert_int_equal(account_lasts_ms(10 * MS, 5 * MS, 100), 200);
	assert_int_equal(account_lasts_ms(10 * MS, 5 * MS, 0), 2);
	/* 3 ms is a second of 60% of the budget. */
	assert_int_equal(account_pay_ms(&a, 3 * MS), 1000);
}

struct spent {
	uint64_t at, ns;
};

/* The most that any stretch of a minute has seen. */
static uint64_t worst_minute(const struct spent *log, size_t n)
{
	uint64_t worst = 0, sum = 0;

	for (size_t i = 0, from = 0; i < n; i++) {
		sum += log[i].ns;
		while (log[from].at + 60 * SEC <= log[i].at)
			sum -= log[from++].ns;
		worst = sum > worst ? sum : worst;
	}
	return worst;
}

/*
 * Hours of windows as the sampling makes them, with growth that comes and goes, and attaching as
 * dear as under emulation (toggle). Whatever the moment, a minute holds no more than the budget,
 * but for what a step of a quarter of a second overshoots.
 */
static void any_minute(uint64_t toggle, uint64_t rate_ppm)
{
	static struct spent log[400000];
	struct fault_account a;
	uint64_t t = 77 * SEC + 123456789, end = t + 4 * 3600 * SEC,
		 step = rate_ppm * 250 * MS / 1000000;
	unsigned int seed = 1;
	size_t n = 0;

	account_init(&a, BUDGET_PPM, t);
	while (t < end && n < 399000) {
		bool growing = rand_r(&seed) % 3 == 0;
		uint64_t may = account_allows(&a, t, growing), cost = toggle / 2, ns;

		if (!may) {
			t += growing ? SEC : 5 * SEC;
			continue;
		}
		account_spend(&a, toggle / 2, t);
		log[n++] = (struct spent){ t, toggle / 2 };
		for (int i = 0; i < (growing ? 400 : 1) && cost + a.toggle_ns / 2 < may; i++) {
			t += 50 * MS + rand_r(&seed) % (200 * MS);
			ns = rand_r(&seed) % (step + 1);
			account_spend(&a, ns, t);
			log[n++] = (struct spent){ t, ns };
			cost += ns;
		}
		account_spend(&a, toggle - toggle / 2, t);
		log[n++] = (struct spent){ t, toggle - toggle / 2 };
		account_toggled(&a, toggle);
		t += growing ? SEC : account_pay_ms(&a, cost) * MS;
	}
	assert_true(n > 500);
	assert_true(worst_minute(log, n) <= MINUTE_NS + step + toggle);
	if (step < MINUTE_NS / 20 && toggle < MINUTE_NS / 20)
		assert_true(worst_minute(log, n) <= MINUTE_NS * 11 / 10);
	/* And it is made use of. */
	assert_true(worst_minute(log, n) >= MINUTE_NS / 2);
}

static void any_minute_holds(void **state)
{
	any_minute(MS / 5, 40000);
	any_minute(5 * MS, 60000);
	any_minute(10 * MS, 10000);
	any_minute(60 * MS, 200000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minute_is_a_minute),
		cmocka_unit_test(half_of_what_is_left),
		cmocka_unit_test(attaching_must_be_affordable),
		cmocka_unit_test(lasting_and_paying),
		cmocka_unit_test(any_minute_holds),
	};

	return cmocka_run_group_tests_name("hooks_account", tests, NULL, NULL);
}
