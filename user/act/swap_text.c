// SPDX-License-Identifier: GPL-2.0-only
/* Swap without side effects: what is read, what is chosen, what is written into the header. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/swap.h"
#include "lib/cleanup.h"

/* --- /proc/swaps -------------------------------------------------------------------- */

/* The first word of row, in which a blank of the name stands as \040; cut where it is too long. */
static const char *take_name(const char *row, char *ret, size_t size)
{
	size_t n = 0;

	while (*row && !isspace((unsigned char)*row)) {
		char c = *row;
		bool escaped = c == '\\' && row[1] >= '0' && row[1] <= '3' && row[2] >= '0' &&
			       row[2] <= '7' && row[3] >= '0' && row[3] <= '7';

		if (escaped)
			c = (char)((row[1] - '0') << 6 | (row[2] - '0') << 3 | (row[3] - '0'));
		row += escaped ? 4 : 1;
		if (n < size - 1)
			ret[n++] = c;
	}
	ret[n] = '\0';
	return row;
}

static int by_priority(const void *a, const void *b)
{
	const struct swap_entry *x = a, *y = b;

	return (y->priority > x->priority) - (y->priority < x->priority);
}

static bool parse_row(const char *row, struct swap_entry *ret)
{
	unsigned long long size, used;
	char type[16];

	row = take_name(row, ret->device, sizeof(ret->device));
	if (sscanf(row, " %15s %llu %llu %d", type, &size, &used, &ret->priority) != 4 ||
	    ret->device[0] != '/' || size > UINT64_MAX / 1024 || used > size)
		return false;
	ret->size = size * 1024;
	ret->used = used * 1024;
	return true;
}

size_t swap_parse(const char *text, struct swap_entry *ret, size_t max)
{
	size_t nr = 0;

	for (const char *p = text; p && nr < max; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (parse_row(p, &ret[nr]))
			nr++;
	}
	qsort(ret, nr, sizeof(*ret), by_priority);
	return nr;
}

/* --- choices ------------------------------------------------------------------------- */

#define SIZE_FULL (8ull << 30)

void swap_size_rule(uint64_t mem_total, uint64_t cap, uint64_t *ret_size, uint64_t *ret_limit)
{
	uint64_t size = mem_total;

	/*
	 * As large as RAM, for a guest whose containers all sleep is to fit in it.
	 * The kernel's table costs 16 bytes a page from the start, 0.4%; above 8 GiB
	 * half of RAM will do.
	 */
	if (size > SIZE_FULL)
		size = mem_total / 2 > SIZE_FULL ? mem_total / 2 : SIZE_FULL;
	*ret_size = size & ~0xfffffull;
	/*
	 * What cannot be compressed must not fill RAM with copies of itself: beyond
	 * half of it, or of what may be used, the device refuses, and the page stays where it is.
	 */
	*ret_limit = (cap && cap < mem_total ? cap / 2 : mem_total / 2) & ~0xfffffull;
}

/*
 * Measured on 85 MiB of anonymous memory of Node.js and Python, page by page:
 *
 *		held	compress, decompress a page (natively)
 *	zstd	20%	25 us	8.6 us
 *	lz4	36%	 5 us	1.7 us
 *
 * What is evicted is cold: few of its pages come back (0.2% of 1 GiB a minute
 * are 524 faults, 4.5 ms with zstd), while what they occupy is kept from the
 * host all the time. So it is zstd, unless this machine is slow (see zram.c).
 */
bool swap_choose_algorithm(const char *offered, bool fast, char *ret, size_t size)
{
	static const char *const best[] = { "zstd", "lzo-rle", "lz4", "lzo" };
	static const char *const quick[] = { "lz4", "lzo-rle", "lzo", "zstd" };
	const char *const *order = fast ? quick : best;

	for (size_t i = 0; i < ARRAY_SIZE(best); i++) {
		size_t len = strlen(order[i]);

		for (const char *p = offered; (p = strstr(p, order[i])); p += len) {
			if ((p == offered || p[-1] == ' ' || p[-1] == '[') &&
			    (!p[len] || strchr(" ]\n", p[len])) && len < size) {
				memcpy(ret, order[i], len + 1);
				return true;
			}
		}
	}
	return false;
}

/* --- the header (linux/swap.h: union swap_header, format of version 1) --------------------- */

#define MAGIC "SWAPSPACE2"
#define MAGIC_LEN 10
#define AT_VERSION 1024
#define AT_LAST_PAGE 1028
#define AT_UUID 1036
#define AT_LABEL 1052
#define LABEL "ebb"

void swap_make_header(unsigned char *buf, size_t page, uint64_t pages, const unsigned char *uuid)
{
	uint32_t version = 1, last = pages - 1 > UINT32_MAX ? UINT32_MAX : pages - 1;

	memset(buf, 0, page);
	memcpy(buf + AT_VERSION, &version, sizeof(version));
	memcpy(buf + AT_LAST_PAGE, &last, sizeof(last));
	memcpy(buf + AT_UUID, uuid, 16);
	memcpy(buf + AT_LABEL, LABEL, sizeof(LABEL));
	memcpy(buf + page - MAGIC_LEN, MAGIC, MAGIC_LEN);
}

int swap_read_header(const unsigned char *buf, size_t page, char ret_uuid[SWAP_UUID_LEN])
{
	const unsigned char *u = buf + AT_UUID;
	size_t i = 0;

	if (!memcmp(buf + page - MAGIC_LEN, MAGIC, MAGIC_LEN)) {
		snprintf(ret_uuid, SWAP_UUID_LEN,
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11],
			 u[12], u[13], u[14], u[15]);
		return 0;
	}
	while (i < page && !buf[i])
		i++;
	return i == page ? -ENODATA : -EINVAL;
}
