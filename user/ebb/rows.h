/* SPDX-License-Identifier: GPL-2.0-only */
/* The containers as rows: which of them, and in which order. For `ebb list` and `ebb top`. */
#ifndef EBB_EBB_ROWS_H
#define EBB_EBB_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct row_key {
	const char *name; /* of --sort */
	const char *member; /* of the container's object */
	bool text; /* sorted as text, from A; numbers: the largest first */
};

extern const struct row_key row_keys[];
extern const size_t nr_row_keys;
extern const struct row_key *const row_key_size; /* the default */

/* NULL: no such key. */
const struct row_key *row_key_find(const char *name);

struct row {
	json_t *object; /* borrowed */
	uint64_t number; /* what it is sorted by, one of the two */
	const char *text;
	size_t order; /* as ebbd gave them: ties stay in place */
};

/*
 * Whether name, image, pod, path or id of a container match: a glob where it has *, ? or [, and
 * otherwise any part of them, upper or lower case. "" and NULL match everything.
 */
bool row_matches(const json_t *container, const char *filter);

/*
 * The containers of ebbd's list that match, sorted. Returns the array (free() it; it borrows from
 * list) and its length, or NULL: no memory.
 */
struct row *rows_make(const json_t *list, const char *filter, const struct row_key *key,
		      bool reverse, size_t *ret_n);

/* A name to show: the name, or the id where there is none, printable. Returns dst. */
char *row_name(char *dst, size_t size, const json_t *container);

#endif /* EBB_EBB_ROWS_H */
