/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds where the values of a JSON text begin and end, without building them:
 * an answer of a thousand containers as one tree of jansson's takes ten times
 * the room of its text. What is inside a span is not checked; jansson does that
 * when it is loaded.
 */
#ifndef EBB_EXPORTER_SPAN_H
#define EBB_EXPORTER_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *text;
	size_t len;
};

/*
 * The members of the object in *object, one a call: 1 with the next one in *key
 * (without its quotes, escapes as they are) and *value; 0 at the end; -1: it is
 * no object, or broken. *object is what is left of it. At the first call it
 * begins with '{'.
 */
int span_next_member(struct span *object, struct span *key, struct span *value);

/* The value of the member key (plain ASCII); false: none, or no object. */
bool span_member(struct span object, const char *key, struct span *ret);

bool span_is(struct span s, const char *text);

/*
 * The elements of the array in *array, one a call: true with the next one in
 * *ret; false at the end. *array is what is left of it. At the first call it
 * begins with '['. What is no array has no elements.
 */
bool span_next(struct span *array, struct span *ret);

/* Is this an array that ends where its text does? */
bool span_is_array(struct span value);

#endif /* EBB_EXPORTER_SPAN_H */
