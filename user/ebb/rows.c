// SPDX-License-Identifier: GPL-2.0-only
#include "ebb/rows.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "ebb/cli.h"
#include "lib/cleanup.h"
#include "lib/text.h"

const struct row_key row_keys[] = {
	{ "size", "bytes", false },
	{ "cold", "cold", false },
	{ "hot", "working_set", false },
	{ "swap", "swap", false },
	{ "taken", "reclaimed_total", false },
	{ "back", "refaulted_total", false },
	{ "stall", "stall_us", false },
	{ "age", "age_ms", false },
	{ "name", "name", true },
	{ "state", "state", true },
	{ "reason", "reason", true },
};
const size_t nr_row_keys = ARRAY_SIZE(row_keys);
const struct row_key *const row_key_size = &row_keys[0];

const struct row_key *row_key_find(const char *name)
{
	for (size_t i = 0; i < nr_row_keys; i++)
		if (!strcmp(row_keys[i].name, name))
			return &row_keys[i];
	return NULL;
}

bool row_matches(const json_t *container, const char *filter)
{
	static const char *const members[] = { "name", "image", "pod", "path", "id" };

	if (!filter || !*filter)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *text = get_text(container, members[i]);

		if (strpbrk(filter, "*?[") ? !fnmatch(filter, text, FNM_CASEFOLD)
					   : strcasestr(text, filter) != NULL)
			return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int r = x->text ? strcmp(x->text, y->text) : 0;

	if (r)
		return r;
	if (x->number != y->number)
		return x->number < y->number ? 1 : -1;
	return x->order < y->order ? -1 : 1;
}

static void turn(struct row *rows, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct row row = rows[i];

		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = row;
	}
}

struct row *rows_make(const json_t *list, const char *filter, const struct row_key *key,
		      bool reverse, size_t *ret_n)
{
	size_t all = json_array_size(list), n = 0;
	struct row *rows = calloc(all ? all : 1, sizeof(*rows));

	for (size_t i = 0; rows && i < all; i++) {
		json_t *object = json_array_get(list, i);

		if (!row_matches(object, filter))
			continue;
		rows[n++] = (struct row){
			.object = object,
			.number = key->text ? 0 : get_number(object, key->member),
			.text = key->text ? get_text(object, key->member) : NULL,
			.order = i,
		};
	}
	if (!rows)
		return NULL;
	qsort(rows, n, sizeof(*rows), compare);
	if (reverse)
		turn(rows, n);
	*ret_n = n;
	return rows;
}

char *row_name(char *dst, size_t size, const json_t *container)
{
	const char *name = get_text(container, "name");

	return text_printable(dst, size, name[0] ? name : get_text(container, "id"));
}
