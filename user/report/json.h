/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Building objects, with one check at the end: jansson takes NULL for a
 * failure everywhere and passes it on. Private to json*.c; the macros want a
 * json_t *o and a bool ok in scope.
 */
#ifndef EBB_REPORT_JSON_H
#define EBB_REPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "report/model.h"

/* JSON has no unsigned type; nothing here reaches 8 EiB but by mistake. */
static inline json_t *number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

/* Puts key into object and notes in *ret_ok what did not work; takes the reference. */
static inline void put(json_t *object, bool *ret_ok, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object, key, value) < 0)
		*ret_ok = false;
}

#define PUT(key, value) put(o, &ok, key, value)
#define PUT_NUMBER(key, value) put(o, &ok, key, number(value))
#define PUT_BOOL(key, value) put(o, &ok, key, json_boolean(value))
#define PUT_TEXT(key, value) put(o, &ok, key, report_text_json(value))

static inline json_t *finish(json_t *o, bool ok)
{
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

#endif /* EBB_REPORT_JSON_H */
