/* SPDX-License-Identifier: GPL-2.0-only */
/* Where members are. Private to fields*.c. */
#ifndef EBB_REPORT_FIELDS_INT_H
#define EBB_REPORT_FIELDS_INT_H

#include <string.h>

#include "report/fields.h"

static inline const void *field_at(const struct field *f, const void *object)
{
	return (const char *)object + f->offset;
}

static inline void *field_in(const struct field *f, void *object)
{
	return (char *)object + f->offset;
}

static inline size_t field_count(const struct field *f, const void *object)
{
	const void *count = (const char *)object + f->count;

	if (f->type == FIELD_LIST)
		return *(const size_t *)count;
	return f->count ? *(const unsigned int *)count : f->room;
}

static inline void field_set_count(const struct field *f, void *object, size_t n)
{
	void *count = (char *)object + f->count;

	if (f->type == FIELD_LIST)
		*(size_t *)count = n;
	else if (f->count)
		*(unsigned int *)count = (unsigned int)n;
}

/* The first element of a row or a list. */
static inline const void *field_elements(const struct field *f, const void *object)
{
	const void *at = field_at(f, object);

	return f->type == FIELD_LIST ? *(void *const *)at : at;
}

static inline const void *field_element(const struct field *f, const void *object, size_t i)
{
	return (const char *)field_elements(f, object) + i * f->of->size;
}

static inline uint64_t shape_key(const void *element)
{
	return *(const uint64_t *)element;
}

/* The size of a member that is a single value. */
static inline size_t field_size(const struct field *f)
{
	switch (f->type) {
	case FIELD_BOOL:
		return sizeof(bool);
	case FIELD_U32:
	case FIELD_I32:
	case FIELD_CODE:
		return sizeof(uint32_t);
	case FIELD_U64:
	case FIELD_I64:
		return sizeof(uint64_t);
	default:
		return 0;
	}
}

/*
 * The base of element i of object's member f, in base (NULL: none). *hint is where to look first,
 * 0 to begin with: lists come in the same order each time.
 */
const void *field_base(const struct field *f, const void *base, uint64_t key, size_t i,
		       size_t *hint);

/* The writer had a member of that name. */
bool fields_known(const json_t *known, const struct shape *shape, const char *name);

#endif /* EBB_REPORT_FIELDS_INT_H */
