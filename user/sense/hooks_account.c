// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the fault hooks may cost: arithmetic alone, no clock and no kernel.
 *
 * In any minute no more is spent than the budget gives for a minute. (A bucket that fills at the
 * rate of the budget and holds a minute's worth would let twice that pass: what it held, and what
 * came in meanwhile.) So that a burst does not leave a later one with nothing, a window may use
 * half of what is left.
 */
#include "sense/hooks_impl.h"

#define NSEC 1000000000ULL
#define MSEC 1000000ULL
#define MINUTE 60

#define WINDOW_SHARE 60 /* percent of the budget that windows of a quiet machine may use */
#define WORTH_SECONDS 2 /* of the budget: less than that is no window while something grows */

void account_init(struct fault_account *a, uint32_t budget_ppm, uint64_t now)
{
	*a = (struct fault_account){ .budget_ppm = budget_ppm, .second = now / NSEC };
}

/* Forgets the seconds that are too old, also those in which nobody looked. */
static void advance(struct fault_account *a, uint64_t now)
{
	uint64_t second = now / NSEC;

	for (int i = 0; i < ACCOUNT_SECONDS && a->second < second; i++)
		a->spent[++a->second % ACCOUNT_SECONDS] = 0;
	if (a->second < second)
		a->second = second;
}

void account_spend(struct fault_account *a, uint64_t ns, uint64_t now)
{
	advance(a, now);
	a->spent[a->second % ACCOUNT_SECONDS] += ns;
	a->total_ns += ns;
}

uint64_t account_minute(const struct fault_account *a, uint64_t now)
{
	uint64_t second = now / NSEC, sum = 0;

	for (uint64_t i = 0; i < ACCOUNT_SECONDS && i <= a->second; i++)
		if (second - (a->second - i) < ACCOUNT_SECONDS)
			sum += a->spent[(a->second - i) % ACCOUNT_SECONDS];
	return sum;
}

static uint64_t per_minute(const struct fault_account *a)
{
	return MINUTE * (uint64_t)a->budget_ppm * 1000;
}

uint64_t account_left(const struct fault_account *a, uint64_t now)
{
	uint64_t may = per_minute(a), did = account_minute(a, now);

	return did < may ? may - did : 0;
}

void account_toggled(struct fault_account *a, uint64_t ns)
{
	/* Smoothed: a single bad moment must not keep the hooks away. */
	a->toggle_ns = a->toggle_ns ? (3 * a->toggle_ns + ns) / 4 : ns;
}

uint64_t account_allows(struct fault_account *a, uint64_t now, bool growing)
{
	uint64_t half, worth = growing ? WORTH_SECONDS * (uint64_t)a->budget_ppm * 1000 : 0;

	advance(a, now);
	half = account_left(a, now) / 2;
	if (half > a->toggle_ns + worth)
		return half;
	/* Dearer than any minute has room for, as far as is known: look again, rarely. */
	if (2 * half == per_minute(a)) {
		a->toggle_ns -= a->toggle_ns / 8;
		account_spend(a, 1, now);
	}
	return 0;
}

uint64_t account_pay_ms(const struct fault_account *a, uint64_t ns)
{
	return ns * 1000000 / a->budget_ppm * 100 / WINDOW_SHARE / MSEC;
}

uint64_t account_lasts_ms(uint64_t left, uint64_t spent, uint64_t passed_ms)
{
	if (!left)
		return 0;
	return spent ? left * (passed_ms ? passed_ms : 1) / spent : UINT64_MAX;
}
