// SPDX-License-Identifier: GPL-2.0-only
/* Sizes, times, shares and the escaping of names. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "lib/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEPT 0x5eed5eed

static void check(int r, uint64_t value)
{
	assert(r == 0 || ((r == -EINVAL || r == -ERANGE) && value == KEPT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *shown = malloc(4 * size + 1), buf[FORMAT_MAX];
	uint64_t bytes = KEPT, ms = KEPT, again;
	uint32_t ppm = KEPT;
	int r;

	if (!text || !shown)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';

	r = parse_size(text, &bytes);
	check(r, bytes);
	if (r == 0) {
		/* What is shown is never more than what was said. */
		format_size(buf, bytes);
		if (strpbrk(buf, "KMGTP"))
			assert(parse_size(buf, &again) == 0 && again <= bytes);
	}
	check(parse_time(text, &ms), ms);
	format_age(buf, ms);
	r = parse_percent(text, &ppm);
	check(r, ppm);
	if (r == 0) {
		uint32_t same;

		assert(ppm <= 1000000);
		assert(parse_percent(format_percent(buf, ppm), &same) == 0 && same == ppm);
	}

	text_printable_n(shown, 4 * size + 1, (const char *)data, size);
	for (const char *p = shown; *p; p++)
		assert(*p >= 0x20 && *p < 0x7f);
	free(text);
	free(shown);
	return 0;
}
