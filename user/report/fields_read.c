// SPDX-License-Identifier: GPL-2.0-only
/* Structs from JSON that somebody else wrote. */
#include "report/fields_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "lib/cleanup.h"
#include "lib/text.h"

static int wrong(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(char *error, const char *format, ...)
{
	char raw[FIELDS_ERROR];
	va_list ap;

	va_start(ap, format);
	vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	text_printable(error, FIELDS_ERROR, raw);
	return -EINVAL;
}

static int64_t least_of(const struct field *f)
{
	if (f->min)
		return f->min;
	if (f->type == FIELD_I32)
		return INT32_MIN;
	return f->type == FIELD_U32 ? 0 : INT64_MIN;
}

/* Of 64 bits without a sign, what is above INT64_MAX is written below 0; a bound excludes it. */
static int read_number(const json_t *json, const struct shape *shape, const struct field *f,
		       void *to, char *error)
{
	uint64_t most = f->max ?: f->type == FIELD_U32 ? UINT32_MAX : INT64_MAX;
	json_int_t value = json_integer_value(json);
	bool fits = value >= least_of(f);

	if (f->type == FIELD_I32 && !f->max)
		most = INT32_MAX;
	if (f->type == FIELD_U64)
		fits = !f->max || (uint64_t)value <= f->max;
	else
		fits = fits && (value < 0 || (uint64_t)value <= most);
	if (!json_is_integer(json))
		return wrong(error, "%s.%s is no integer", shape->name, f->name);
	if (!fits)
		return wrong(error, "%s.%s cannot be %" JSON_INTEGER_FORMAT, shape->name, f->name,
			     value);
	if (f->type == FIELD_U32)
		*(uint32_t *)to = (uint32_t)value;
	else if (f->type == FIELD_I32)
		*(int32_t *)to = (int32_t)value;
	else
		*(uint64_t *)to = (uint64_t)value;
	return 0;
}

static int read_code(const json_t *json, const struct shape *shape, const struct field *f, void *to,
		     char *error)
{
	const char *name = json_string_value(json);

	if (!name)
		return wrong(error, "%s.%s is no string", shape->name, f->name);
	for (unsigned int i = 0; i <= f->max; i++)
		if (!strcmp(f->code(i), name)) {
			*(unsigned int *)to = i;
			return 0;
		}
	return wrong(error, "%s.%s: this version knows no '%.64s'", shape->name, f->name, name);
}

static int read_row(const json_t *json, const struct shape *shape, const struct field *f,
		    void *object, const json_t *known, char *error)
{
	size_t n = json_array_size(json), had = field_count(f, object);
	int r = 0;

	if (!json_is_array(json))
		return wrong(error, "%s.%s is no array", shape->name, f->name);
	if (n > f->room)
		return wrong(error, "%s.%s has %zu elements, and %zu are the most", shape->name,
			     f->name, n, f->room);
	for (size_t i = 0; i < n && !r; i++) {
		char *to = (char *)field_in(f, object) + i * f->of->size;

		if (i >= had)
			memset(to, 0, f->of->size);
		r = fields_read(json_array_get(json, i), f->of, to, known, error);
	}
	if (!r)
		field_set_count(f, object, n);
	return r;
}

static int read_element(const json_t *json, const struct field *f, const void *object, size_t i,
			void *to, size_t *hint, const json_t *known, char *error)
{
	const char *name = f->of->fields[0].name;
	json_t *key = json_object_get(json, name);
	const void *base;
	int r;

	if (f->of->keyed && !json_is_integer(key))
		return wrong(error, "%s without %s", f->of->name, name);
	base = field_base(f, object, (uint64_t)json_integer_value(key), i, hint);
	if (base)
		memcpy(to, base, f->of->size);
	r = fields_read(json, f->of, to, known, error);
	/* Twice the same, or in another order: nobody could find it. */
	if (!r && f->of->keyed && i && shape_key((char *)to - f->of->size) >= shape_key(to))
		return wrong(error, "%ss are not in the order of %s", f->of->name, name);
	return r;
}

static int read_list(const json_t *json, const struct shape *shape, const struct field *f,
		     void *object, const json_t *known, char *error)
{
	size_t n = json_array_size(json), hint = 0;
	_cleanup_free_ char *list = NULL;
	int r = 0;

	if (!json_is_array(json))
		return wrong(error, "%s.%s is no array", shape->name, f->name);
	list = calloc(n ? n : 1, f->of->size);
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < n && !r; i++)
		r = read_element(json_array_get(json, i), f, object, i, list + i * f->of->size,
				 &hint, known, error);
	if (r)
		return r;
	free(*(void **)field_in(f, object));
	*(void **)field_in(f, object) = TAKE_PTR(list);
	field_set_count(f, object, n);
	return 0;
}

static int read_field(const json_t *json, const struct shape *shape, const struct field *f,
		      void *object, const json_t *known, char *error)
{
	switch (f->type) {
	case FIELD_BOOL:
		if (!json_is_boolean(json))
			return wrong(error, "%s.%s is neither true nor false", shape->name,
				     f->name);
		*(bool *)field_in(f, object) = json_is_true(json);
		return 0;
	case FIELD_CODE:
		return read_code(json, shape, f, field_in(f, object), error);
	case FIELD_PART:
		return fields_read(json, f->of, field_in(f, object), known, error);
	case FIELD_ROW:
		return read_row(json, shape, f, object, known, error);
	case FIELD_LIST:
		return read_list(json, shape, f, object, known, error);
	default:
		return read_number(json, shape, f, field_in(f, object), error);
	}
}

static const struct field *find_field(const struct shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->nr; i++)
		if (!strcmp(shape->fields[i].name, name))
			return &shape->fields[i];
	return NULL;
}

bool fields_known(const json_t *known, const struct shape *shape, const char *name)
{
	const json_t *names = json_object_get(known, shape->name);
	json_t *value;
	size_t i;

	json_array_foreach (names, i, value)
		if (json_is_string(value) && !strcmp(json_string_value(value), name))
			return true;
	return false;
}

int fields_read(const json_t *json, const struct shape *shape, void *object, const json_t *known,
		char *error)
{
	json_t *value;
	const char *name;

	if (!json_is_object(json))
		return wrong(error, "%s is no object", shape->name);
	json_object_foreach ((json_t *)json, name, value) {
		const struct field *f = find_field(shape, name);
		int r;

		if (!f && fields_known(known, shape, name))
			continue;
		if (!f)
			return wrong(error, "%s has no member '%.64s'", shape->name, name);
		r = read_field(value, shape, f, object, known, error);
		if (r)
			return r;
	}
	return 0;
}
