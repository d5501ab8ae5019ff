// SPDX-License-Identifier: GPL-2.0-only
#include "lib/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

#define MAX_FRACTION 9 /* digits behind the point */

struct decimal {
	uint64_t whole;
	uint64_t fraction; /* of scale */
	uint64_t scale; /* a power of ten */
	const char *unit; /* what follows, blanks skipped */
	size_t unit_len;
};

struct unit {
	const char *name;
	uint64_t factor;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* strtod() would take "nan", "0x10", "1e3" and the locale's comma. */
static int parse_decimal(const char *p, struct decimal *ret)
{
	struct decimal d = { .scale = 1 };

	while (is_blank(*p))
		p++;
	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(d.whole, 10, &d.whole) ||
		    __builtin_add_overflow(d.whole, (uint64_t)(*p - '0'), &d.whole))
			return -ERANGE;
	if (*p == '.') {
		unsigned int n = 0;

		for (p++; is_digit(*p); p++) {
			if (++n > MAX_FRACTION)
				return -ERANGE;
			d.fraction = d.fraction * 10 + (uint64_t)(*p - '0');
			d.scale *= 10;
		}
		if (!n)
			return -EINVAL;
	}
	while (is_blank(*p))
		p++;
	d.unit = p;
	d.unit_len = strlen(p);
	while (d.unit_len && is_blank(p[d.unit_len - 1]))
		d.unit_len--;
	*ret = d;
	return 0;
}

static int apply_unit(const struct decimal *d, uint64_t factor, uint64_t *ret)
{
	uint64_t value;

	if (__builtin_mul_overflow(d->whole, factor, &value) ||
	    __builtin_add_overflow(
		    value, (uint64_t)((unsigned __int128)d->fraction * factor / d->scale), &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char letters[] = "KMGTP";
	uint64_t factor = 1;
	struct decimal d;
	const char *at;
	int r;

	r = parse_decimal(text, &d);
	if (r < 0)
		return r;
	if (d.unit_len == 0)
		return d.scale == 1 ? apply_unit(&d, 1, ret_bytes) : -EINVAL;

	at = strchr(letters, d.unit[0] >= 'a' && d.unit[0] <= 'z' ? d.unit[0] - 32 : d.unit[0]);
	if (!at)
		return -EINVAL;
	/* "MB" may mean a million: whoever writes it is asked to say which. */
	if (d.unit_len != 1 && !(d.unit_len == 3 && !strncmp(d.unit + 1, "iB", 2)))
		return -EINVAL;
	factor <<= 10 * (at - letters + 1);
	return apply_unit(&d, factor, ret_bytes);
}

int parse_time(const char *text, uint64_t *ret_ms)
{
	static const struct unit units[] = {
		{ "ms", 1 },          { "s", 1000 },           { "m", 60 * 1000 },
		{ "min", 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "d", 24 * 60 * 60 * 1000 },
	};
	struct decimal d;
	int r;

	r = parse_decimal(text, &d);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == d.unit_len &&
		    !strncmp(units[i].name, d.unit, d.unit_len))
			return apply_unit(&d, units[i].factor, ret_ms);
	return -EINVAL;
}

int parse_percent(const char *text, uint32_t *ret_ppm)
{
	struct decimal d;
	uint64_t ppm;
	int r;

	r = parse_decimal(text, &d);
	if (r < 0)
		return r;
	if (d.unit_len != 1 || d.unit[0] != '%')
		return -EINVAL;
	if (d.fraction * 10000 % d.scale)
		return -ERANGE; /* finer than a millionth */
	r = apply_unit(&d, 10000, &ppm);
	if (r < 0)
		return r;
	if (ppm > 1000000)
		return -ERANGE;
	*ret_ppm = (uint32_t)ppm;
	return 0;
}

char *format_size(char buf[FORMAT_MAX], uint64_t bytes)
{
	static const char letters[] = "BKMGTPE";
	unsigned int i = 0, shift;
	uint64_t whole, tenths;

	while (i < 6 && bytes >> (10 * i) >= 1024)
		i++;
	/* Rounds down: a size shown is never more than there is. */
	shift = 10 * i;
	whole = bytes >> shift;
	tenths = (uint64_t)(((unsigned __int128)(bytes - (whole << shift)) * 10) >> shift);
	if (i == 0 || whole >= 100)
		snprintf(buf, FORMAT_MAX, "%" PRIu64 "%c", whole, letters[i]);
	else
		snprintf(buf, FORMAT_MAX, "%" PRIu64 ".%" PRIu64 "%c", whole, tenths, letters[i]);
	return buf;
}

char *format_age(char buf[FORMAT_MAX], uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (ms < 1000)
		snprintf(buf, FORMAT_MAX, "%" PRIu64 "ms", ms);
	else if (s < 120)
		snprintf(buf, FORMAT_MAX, "%" PRIu64 "s", s);
	else if (s < 120 * 60)
		snprintf(buf, FORMAT_MAX, "%" PRIu64 "min", s / 60);
	else if (s < 48 * 3600)
		snprintf(buf, FORMAT_MAX, "%" PRIu64 "h", s / 3600);
	else
		snprintf(buf, FORMAT_MAX, "%" PRIu64 "d", s / 86400);
	return buf;
}

char *format_percent(char buf[FORMAT_MAX], uint64_t ppm)
{
	int n = snprintf(buf, FORMAT_MAX, "%" PRIu64 ".%04" PRIu64, ppm / 10000, ppm % 10000);

	while (buf[n - 1] == '0')
		n--;
	if (buf[n - 1] == '.')
		n--;
	buf[n] = '%';
	buf[n + 1] = '\0';
	return buf;
}
