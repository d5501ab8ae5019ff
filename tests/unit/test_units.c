// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/units.h"

#define KEPT 0x5eed

struct reading {
	const char *text;
	int result;
	uint64_t value;
};

static const struct reading sizes[] = {
	{ "0", 0, 0 },
	{ "4096", 0, 4096 },
	{ "1K", 0, 1024 },
	{ "512M", 0, 512ull << 20 },
	{ "512m", 0, 512ull << 20 },
	{ "1.5G", 0, 3ull << 29 },
	{ "64KiB", 0, 65536 },
	{ "2 GiB", 0, 2ull << 30 },
	{ " 8T ", 0, 8ull << 40 },
	{ "0.1K", 0, 102 },
	{ "16383P", 0, 16383ull << 50 },
	{ "16384P", -ERANGE, 0 },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "1.0000000001G", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ " ", -EINVAL, 0 },
	{ "M", -EINVAL, 0 },
	{ "-1M", -EINVAL, 0 },
	{ "+1M", -EINVAL, 0 },
	{ ".5G", -EINVAL, 0 },
	{ "5.G", -EINVAL, 0 },
	{ "1.5", -EINVAL, 0 },
	{ "1,5G", -EINVAL, 0 },
	{ "0x10M", -EINVAL, 0 },
	{ "1e3M", -EINVAL, 0 },
	{ "nan", -EINVAL, 0 },
	{ "10MB", -EINVAL, 0 },
	{ "10Mi", -EINVAL, 0 },
	{ "10mib", -EINVAL, 0 },
	{ "10 M 5", -EINVAL, 0 },
	{ "10E", -EINVAL, 0 },
	{ "10s", -EINVAL, 0 },
	{ "10%", -EINVAL, 0 },
};

static const struct reading times[] = {
	{ "30s", 0, 30000 },
	{ "2min", 0, 120000 },
	{ "2m", 0, 120000 },
	{ "1.5h", 0, 5400000 },
	{ "250ms", 0, 250 },
	{ "1 d", 0, 86400000 },
	{ "0s", 0, 0 },
	{ "0.5ms", 0, 0 },
	{ "30", -EINVAL, 0 },
	{ "30S", -EINVAL, 0 },
	{ "30sec", -EINVAL, 0 },
	{ "30us", -EINVAL, 0 },
	{ "1h30m", -EINVAL, 0 },
	{ "-5s", -EINVAL, 0 },
	{ "5M", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
	{ "213503982335d", -ERANGE, 0 },
	{ "99999999999999999999s", -ERANGE, 0 },
};

static const struct reading shares[] = {
	{ "0.1%", 0, 1000 },
	{ "0%", 0, 0 },
	{ "100%", 0, 1000000 },
	{ "100.0000%", 0, 1000000 },
	{ "0.0001%", 0, 1 },
	{ "12.5 %", 0, 125000 },
	{ "0.00001%", -ERANGE, 0 },
	{ "100.0001%", -ERANGE, 0 },
	{ "18446744073709551615%", -ERANGE, 0 },
	{ "0.1", -EINVAL, 0 },
	{ "0.1%%", -EINVAL, 0 },
	{ "-1%", -EINVAL, 0 },
	{ "%", -EINVAL, 0 },
	{ "0,1%", -EINVAL, 0 },
};

static int parse_percent_64(const char *text, uint64_t *ret)
{
	uint32_t ppm = KEPT;
	int r = parse_percent(text, &ppm);

	*ret = ppm;
	return r;
}

static void check_all(const struct reading *all, size_t n, int (*parse)(const char *, uint64_t *))
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = KEPT;
		int r = parse(all[i].text, &value);

		if (r != all[i].result || value != (r ? KEPT : all[i].value))
			fail_msg("'%s' gave %d and %llu", all[i].text, r,
				 (unsigned long long)value);
	}
}

static void test_parse(void **state)
{
	check_all(sizes, ARRAY_SIZE(sizes), parse_size);
	check_all(times, ARRAY_SIZE(times), parse_time);
	check_all(shares, ARRAY_SIZE(shares), parse_percent_64);
}

static void test_format_size(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} all[] = {
		{ 0, "0B" },
		{ 1023, "1023B" },
		{ 1024, "1.0K" },
		{ 1536, "1.5K" },
		{ 102399, "99.9K" },
		{ 102400, "100K" },
		{ (1ull << 20) - 1, "1023K" },
		{ 1ull << 20, "1.0M" },
		{ 13207024436ull, "12.3G" },
		{ UINT64_MAX, "15.9E" },
	};
	char buf[FORMAT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_string_equal(format_size(buf, all[i].bytes), all[i].text);
}

static void test_format_age(void **state)
{
	char buf[FORMAT_MAX];

	assert_string_equal(format_age(buf, 0), "0ms");
	assert_string_equal(format_age(buf, 999), "999ms");
	assert_string_equal(format_age(buf, 119999), "119s");
	assert_string_equal(format_age(buf, 120000), "2min");
	assert_string_equal(format_age(buf, 7199999), "119min");
	assert_string_equal(format_age(buf, 7200000), "2h");
	assert_string_equal(format_age(buf, 172800000), "2d");
	format_age(buf, UINT64_MAX);
}

static void test_format_percent(void **state)
{
	char buf[FORMAT_MAX];

	assert_string_equal(format_percent(buf, 0), "0%");
	assert_string_equal(format_percent(buf, 1), "0.0001%");
	assert_string_equal(format_percent(buf, 1000), "0.1%");
	assert_string_equal(format_percent(buf, 100000), "10%");
	assert_string_equal(format_percent(buf, 1000000), "100%");
	format_percent(buf, UINT64_MAX);
}

static void test_printable(void **state)
{
	char buf[16];

	assert_string_equal(text_printable(buf, sizeof(buf), "redis-1"), "redis-1");
	assert_string_equal(text_printable(buf, sizeof(buf), "\x1b[2J"), "\\x1b[2J");
	assert_string_equal(text_printable(buf, sizeof(buf), "a\nb\x7f"), "a\\x0ab\\x7f");
	assert_string_equal(text_printable(buf, sizeof(buf), "\xc2\x9b"), "\\xc2\\x9b");
	/* An escape is whole or not there. */
	assert_string_equal(text_printable(buf, 8, "abcd\n\n"), "abcd");
	assert_string_equal(text_printable(buf, 9, "abcd\n"), "abcd\\x0a");
	assert_string_equal(text_printable(buf, 1, "abc"), "");
	assert_string_equal(text_printable(buf, sizeof(buf), NULL), "");
	assert_string_equal(text_printable_n(buf, sizeof(buf), "ab\0c", 4), "ab\\x00c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),      cmocka_unit_test(test_format_size),
		cmocka_unit_test(test_format_age), cmocka_unit_test(test_format_percent),
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
