/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structs as tables of their members, so that one piece of code writes them as JSON, reads them
 * back, compares and copies them. What is written are the members that differ from a base (the
 * same struct of a turn before; NULL: all zero), and reading starts from that base.
 *
 * A number is an integer of JSON; those of 64 bits without a sign are written as with one, so that
 * UINT64_MAX, which often stands for "none", is -1. Codes are names, and so survive a new one
 * among them.
 */
#ifndef EBB_REPORT_FIELDS_H
#define EBB_REPORT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#define FIELDS_MAX 64 /* of one shape */
#define FIELDS_PATH 160
#define FIELDS_VALUE 32
#define FIELDS_ERROR 256

enum field_type {
	FIELD_BOOL,
	FIELD_U32,
	FIELD_I32,
	FIELD_U64,
	FIELD_I64,
	FIELD_CODE, /* an enum */
	FIELD_PART, /* a struct within */
	FIELD_ROW, /* an array within, with or without a count */
	FIELD_LIST, /* a pointer to an array, and its count as size_t */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	int64_t min; /* of a number; both 0: whatever its type holds */
	uint64_t max;
	const char *(*code)(unsigned int value); /* of a code; max is the last one */
	const struct shape *of; /* of a part; of one element of a row or a list */
	size_t room; /* of a row, elements */
	size_t count; /* where the count is, an unsigned int for a row; 0: a row is always full */
};

struct shape {
	const char *name;
	size_t size;
	const struct field *fields;
	size_t nr;
	/*
	 * Elements of lists are told apart by the first member, a uint64_t, rather than by their
	 * place: the base of one is the one of the same key.
	 */
	bool keyed;
};

#define FIELD_TYPE(T, m)                                                                           \
	_Generic(((T *)0)->m, bool                                                                 \
		 : FIELD_BOOL, uint32_t                                                            \
		 : FIELD_U32, int32_t                                                              \
		 : FIELD_I32, uint64_t                                                             \
		 : FIELD_U64, int64_t                                                              \
		 : FIELD_I64)
#define FIELD(T, m)                                                                                \
	{                                                                                          \
		.name = #m, .type = FIELD_TYPE(T, m), .offset = offsetof(T, m)                     \
	}
#define FIELD_UP_TO(T, m, most)                                                                    \
	{                                                                                          \
		.name = #m, .type = FIELD_TYPE(T, m), .offset = offsetof(T, m), .max = (most)      \
	}
#define FIELD_CODES(T, m, fn, last)                                                                \
	{                                                                                          \
		.name = #m, .type = FIELD_CODE, .offset = offsetof(T, m), .code = (fn),            \
		.max = (last)                                                                      \
	}
#define FIELD_PARTS(T, m, shape)                                                                   \
	{                                                                                          \
		.name = #m, .type = FIELD_PART, .offset = offsetof(T, m), .of = &(shape)           \
	}
#define FIELD_ROWS(T, m, shape, nr_m)                                                              \
	{                                                                                          \
		.name = #m, .type = FIELD_ROW, .offset = offsetof(T, m), .of = &(shape),           \
		.room = sizeof(((T *)0)->m) / sizeof(((T *)0)->m[0]), .count = offsetof(T, nr_m)   \
	}
#define FIELD_FULL_ROWS(T, m, shape)                                                               \
	{                                                                                          \
		.name = #m, .type = FIELD_ROW, .offset = offsetof(T, m), .of = &(shape),           \
		.room = sizeof(((T *)0)->m) / sizeof(((T *)0)->m[0])                               \
	}
#define FIELD_LISTS(T, m, shape, nr_m)                                                             \
	{                                                                                          \
		.name = #m, .type = FIELD_LIST, .offset = offsetof(T, m), .of = &(shape),          \
		.count = offsetof(T, nr_m)                                                         \
	}
#define SHAPE(T, shape_name, table, ...)                                                           \
	{                                                                                          \
		.name = (shape_name), .size = sizeof(T), .fields = (table),                        \
		.nr = sizeof(table) / sizeof((table)[0]), __VA_ARGS__                              \
	}

/* As an object of JSON on one line; errors are in ferror(out). */
void fields_write(FILE *out, const struct shape *shape, const void *object, const void *base);

bool fields_same(const struct shape *shape, const void *a, const void *b);

/* The first member that differs: where it is, and what it is there and there. */
struct fields_difference {
	char path[FIELDS_PATH]; /* "items[0].anon" */
	char a[FIELDS_VALUE];
	char b[FIELDS_VALUE];
};

/*
 * false: they are the same, and *ret holds nothing. known: as for fields_read(); what is not in it
 * is not compared. NULL: everything is.
 */
bool fields_differ(const struct shape *shape, const void *a, const void *b, const json_t *known,
		   struct fields_difference *ret);

/*
 * Reads an object of JSON over a base. known: what members the writer had, as fields_schema()
 * gives it; of those, what this program does not have is skipped; NULL: nothing is. Lists are
 * replaced by new ones from malloc(). Returns 0; -EINVAL, with a clause in error (FIELDS_ERROR
 * bytes, printable); -ENOMEM. object may be changed in part then, and can be freed.
 */
int fields_read(const json_t *json, const struct shape *shape, void *object, const json_t *known,
		char *error);

/* Lists are copied, too. *to holds nothing before. 0, or -ENOMEM and *to holds nothing. */
int fields_copy(const struct shape *shape, void *to, const void *from);

/* Releases the lists, and clears all of the struct. */
void fields_free(const struct shape *shape, void *object);

/*
 * The names of the members, as an object of arrays by the shapes' names, of this shape and all that
 * it is made of, added to schema. 0 or -ENOMEM.
 */
int fields_schema(const struct shape *shape, json_t *schema);

#endif /* EBB_REPORT_FIELDS_H */
