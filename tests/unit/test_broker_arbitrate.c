// SPDX-License-Identifier: GPL-2.0-only
/* Who gives first when the host is short: struct literals in, grants out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/arbitrate.h"
#include "broker/host.h"

#define MiB (1ull << 20)
#define GiB (1ull << 30)

static uint64_t sum(const struct arbitrate_vm *vms, size_t n)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += vms[i].grant;
	return total;
}

static void test_enough_for_all(void **state)
{
	struct arbitrate_vm vms[] = { { .min = GiB, .want = 2 * GiB, .shares = 1000 },
				      { .min = GiB, .want = 3 * GiB, .shares = 1 } };

	assert_int_equal(arbitrate(vms, 2, 5 * GiB), 0);
	assert_int_equal(vms[0].grant, 2 * GiB);
	assert_int_equal(vms[1].grant, 3 * GiB);
	assert_int_equal(arbitrate(NULL, 0, 0), 0);
}

static void test_the_idle_pays_first(void **state)
{
	struct arbitrate_vm vms[] = {
		{ .min = 512 * MiB, .want = 4 * GiB, .shares = 1000 },
		{ .min = 512 * MiB, .want = 4 * GiB, .idle = 3 * GiB, .shares = 1000 },
	};

	assert_int_equal(arbitrate(vms, 2, 6 * GiB), 0);
	assert_int_equal(vms[0].grant, 4 * GiB);
	assert_int_equal(vms[1].grant, 2 * GiB);
	/* But no more than what it said was idle, as long as its share covers the rest. */
	assert_int_equal(arbitrate(vms, 2, 3 * GiB), 0);
	assert_true(vms[1].grant >= GiB);
	assert_int_equal(sum(vms, 2), 3 * GiB);
}

static void test_a_liar_gains_only_what_others_gave_up(void **state)
{
	struct arbitrate_vm honest = {
		.min = 256 * MiB, .want = 4 * GiB, .idle = GiB, .shares = 1000
	};
	struct arbitrate_vm vms[] = { honest,
				      { .min = 256 * MiB, .want = 100 * GiB, .shares = 1000 } };

	/* Whatever the liar wants and calls active, the honest one keeps its active 3G or its half.
	 */
	for (uint64_t total = 2 * GiB; total < 12 * GiB; total += 512 * MiB) {
		uint64_t half = total / 2 < 3 * GiB ? total / 2 : 3 * GiB;

		vms[0] = honest;
		arbitrate(vms, 2, total);
		assert_true(vms[0].grant + 4096 >= half);
		assert_int_equal(sum(vms, 2), total);
	}
}

static void test_shares(void **state)
{
	struct arbitrate_vm vms[] = { { .min = MiB, .want = 8 * GiB, .shares = 3000 },
				      { .min = MiB, .want = 8 * GiB, .shares = 1000 } };

	arbitrate(vms, 2, 4 * GiB);
	assert_in_range(vms[0].grant, 3 * GiB - MiB, 3 * GiB + MiB);
	assert_in_range(vms[1].grant, GiB - MiB, GiB + MiB);
}

static void test_floors_hold(void **state)
{
	struct arbitrate_vm vms[] = {
		{ .min = 2 * GiB, .want = 4 * GiB, .shares = 1 },
		{ .min = GiB, .want = 4 * GiB, .idle = 4 * GiB, .shares = 1000000 }
	};

	assert_int_equal(arbitrate(vms, 2, GiB), 2 * GiB);
	assert_int_equal(vms[0].grant, 2 * GiB);
	assert_int_equal(vms[1].grant, GiB);
	assert_int_equal(arbitrate(vms, 2, 0), 3 * GiB);
}

/* Whatever comes: between floor and wish, nothing lost, nothing invented. */
static void test_random(void **state)
{
	unsigned int seed = 1;

	for (int round = 0; round < 2000; round++) {
		struct arbitrate_vm vms[12];
		size_t n = 1 + (size_t)rand_r(&seed) % 12;
		uint64_t total = (uint64_t)rand_r(&seed) * 64, floors = 0, wants = 0, need;

		for (size_t i = 0; i < n; i++) {
			vms[i].min = (uint64_t)rand_r(&seed) % (8 * GiB);
			vms[i].want = vms[i].min + (uint64_t)rand_r(&seed) * 8;
			vms[i].idle = rand_r(&seed) % 2 ? UINT64_MAX : (uint64_t)rand_r(&seed);
			vms[i].shares = 1 + (uint64_t)rand_r(&seed) % ARBITRATE_SHARES_MAX;
			floors += vms[i].min;
			wants += vms[i].want;
		}
		need = arbitrate(vms, n, total);
		for (size_t i = 0; i < n; i++)
			assert_in_range(vms[i].grant, vms[i].min, vms[i].want);
		assert_int_equal(need, floors > total ? floors - total : 0);
		if (!need)
			assert_int_equal(sum(vms, n), wants < total ? wants : total);
	}
}

static void test_the_host(void **state)
{
	struct host_sample s = { .total = 100 * GiB, .available = 50 * GiB };

	assert_int_equal(host_judge(&s, 0).level, CHANNEL_LEVEL_NONE);
	s.available = 9 * GiB;
	assert_int_equal(host_judge(&s, 0).level, CHANNEL_LEVEL_LOW);
	assert_true(host_judge(&s, 0).asked < 0 && host_judge(&s, 0).held >= 0);
	s.available = 4 * GiB;
	assert_int_equal(host_judge(&s, 0).level, CHANNEL_LEVEL_HIGH);
	assert_int_equal(host_judge(&s, GiB).level, CHANNEL_LEVEL_NONE);
	s.full_ppm = HOST_FULL_PPM;
	assert_int_equal(host_judge(&s, GiB).level, CHANNEL_LEVEL_HIGH);
}

/* A budget makes a host short that is not, and never one that is less so. */
static void test_a_budget(void **state)
{
	struct host_sample s = { .total = 100 * GiB, .available = 50 * GiB };
	struct host_state h = host_judge(&s, 0), b = host_budget(h, 8 * GiB, 6 * GiB);

	assert_int_equal(b.level, CHANNEL_LEVEL_NONE);
	assert_int_equal(b.held, 2 * GiB);
	assert_int_equal(b.asked, GiB);
	b = host_budget(h, 8 * GiB, 7 * GiB + MiB);
	assert_int_equal(b.level, CHANNEL_LEVEL_LOW);
	b = host_budget(h, 8 * GiB, 9 * GiB);
	assert_int_equal(b.level, CHANNEL_LEVEL_HIGH);
	assert_true(b.held == -(int64_t)GiB);
	s.available = GiB;
	h = host_judge(&s, 0);
	b = host_budget(h, 8 * GiB, GiB);
	assert_int_equal(b.level, CHANNEL_LEVEL_HIGH);
	assert_true(b.held == h.held && b.asked == h.asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enough_for_all),
		cmocka_unit_test(test_the_idle_pays_first),
		cmocka_unit_test(test_a_liar_gains_only_what_others_gave_up),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_floors_hold),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_the_host),
		cmocka_unit_test(test_a_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
