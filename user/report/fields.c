// SPDX-License-Identifier: GPL-2.0-only
#include "report/fields_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "lib/cleanup.h"

const void *field_base(const struct field *f, const void *base, uint64_t key, size_t i,
		       size_t *hint)
{
	size_t n = base ? field_count(f, base) : 0;

	if (!f->of->keyed)
		return i < n ? field_element(f, base, i) : NULL;
	for (size_t k = 0; k < n; k++) {
		size_t at = (*hint + k) % n;

		if (shape_key(field_element(f, base, at)) == key) {
			*hint = at + 1;
			return field_element(f, base, at);
		}
	}
	return NULL;
}

static bool elements_same(const struct field *f, const void *a, const void *b)
{
	size_t n = field_count(f, a);

	if (n != field_count(f, b))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!fields_same(f->of, field_element(f, a, i), field_element(f, b, i)))
			return false;
	return true;
}

static bool field_same(const struct field *f, const void *a, const void *b)
{
	switch (f->type) {
	case FIELD_PART:
		return fields_same(f->of, field_at(f, a), field_at(f, b));
	case FIELD_ROW:
	case FIELD_LIST:
		return elements_same(f, a, b);
	default:
		return !memcmp(field_at(f, a), field_at(f, b), field_size(f));
	}
}

bool fields_same(const struct shape *shape, const void *a, const void *b)
{
	for (size_t i = 0; i < shape->nr; i++)
		if (!field_same(&shape->fields[i], a, b))
			return false;
	return true;
}

/* --- nothing as a base ---------------------------------------------------------------- */

static bool field_zero(const struct field *f, const void *object)
{
	static const char zero[sizeof(uint64_t)];
	size_t n;

	switch (f->type) {
	case FIELD_PART:
		for (size_t i = 0; i < f->of->nr; i++)
			if (!field_zero(&f->of->fields[i], field_at(f, object)))
				return false;
		return true;
	case FIELD_ROW:
	case FIELD_LIST:
		n = field_count(f, object);
		if (f->type == FIELD_LIST || f->count)
			return !n;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < f->of->nr; k++)
				if (!field_zero(&f->of->fields[k], field_element(f, object, i)))
					return false;
		return true;
	default:
		return !memcmp(field_at(f, object), zero, field_size(f));
	}
}

static bool is_same(const struct field *f, const void *object, const void *base)
{
	return base ? field_same(f, object, base) : field_zero(f, object);
}

/* --- writing -------------------------------------------------------------------------- */

static void value_text(const struct field *f, const void *object, char *buf, size_t size)
{
	const void *at = field_at(f, object);

	switch (f->type) {
	case FIELD_BOOL:
		snprintf(buf, size, "%s", *(const bool *)at ? "true" : "false");
		break;
	case FIELD_U32:
		snprintf(buf, size, "%" PRIu32, *(const uint32_t *)at);
		break;
	case FIELD_I32:
		snprintf(buf, size, "%" PRId32, *(const int32_t *)at);
		break;
	case FIELD_U64:
	case FIELD_I64:
		snprintf(buf, size, "%" PRId64, *(const int64_t *)at);
		break;
	case FIELD_CODE:
		snprintf(buf, size, "%s", f->code(*(const unsigned int *)at));
		break;
	default:
		snprintf(buf, size, "%zu of them", field_count(f, object));
		break;
	}
}

static void write_object(FILE *out, const struct shape *shape, const void *object, const void *base,
			 bool with_key);

/* A row that is always full ends with the last element that differs. */
static size_t elements_to_write(const struct field *f, const void *object, const void *base)
{
	size_t n = field_count(f, object);

	if (f->type == FIELD_LIST || f->count)
		return n;
	while (n > 0) {
		const void *e = field_element(f, object, n - 1);
		const void *b = base ? field_element(f, base, n - 1) : NULL;
		bool same = true;

		for (size_t k = 0; same && k < f->of->nr; k++)
			same = is_same(&f->of->fields[k], e, b);
		if (!same)
			break;
		n--;
	}
	return n;
}

static void write_elements(FILE *out, const struct field *f, const void *object, const void *base)
{
	size_t n = elements_to_write(f, object, base), hint = 0;

	fputc('[', out);
	for (size_t i = 0; i < n; i++) {
		const void *e = field_element(f, object, i);
		uint64_t key = f->of->keyed ? shape_key(e) : 0;

		if (i)
			fputc(',', out);
		write_object(out, f->of, e, field_base(f, base, key, i, &hint), f->of->keyed);
	}
	fputc(']', out);
}

static void write_object(FILE *out, const struct shape *shape, const void *object, const void *base,
			 bool with_key)
{
	bool any = false;

	fputc('{', out);
	for (size_t i = 0; i < shape->nr; i++) {
		const struct field *f = &shape->fields[i];
		char text[FIELDS_VALUE];

		if (is_same(f, object, base) && !(with_key && i == 0))
			continue;
		fprintf(out, "%s\"%s\":", any ? "," : "", f->name);
		any = true;
		if (f->type == FIELD_PART) {
			write_object(out, f->of, field_at(f, object),
				     base ? field_at(f, base) : NULL, false);
		} else if (f->type == FIELD_ROW || f->type == FIELD_LIST) {
			write_elements(out, f, object, base);
		} else {
			value_text(f, object, text, sizeof(text));
			fprintf(out, f->type == FIELD_CODE ? "\"%s\"" : "%s", text);
		}
	}
	fputc('}', out);
}

void fields_write(FILE *out, const struct shape *shape, const void *object, const void *base)
{
	write_object(out, shape, object, base, false);
}

/* --- comparing ------------------------------------------------------------------------ */

static bool differ(const struct shape *shape, const void *a, const void *b, const json_t *known,
		   size_t at, struct fields_difference *ret);

/* Adds to the path; returns where it goes on. What does not fit is cut. */
static size_t add_path(struct fields_difference *d, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static size_t add_path(struct fields_difference *d, size_t at, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(d->path + at, sizeof(d->path) - at, format, ap);
	va_end(ap);
	at += n > 0 ? (size_t)n : 0;
	return at < sizeof(d->path) ? at : sizeof(d->path) - 1;
}

static bool elements_differ(const struct field *f, const void *a, const void *b,
			    const json_t *known, size_t at, struct fields_difference *ret)
{
	size_t n = field_count(f, a);

	for (size_t i = 0; i < n && i < field_count(f, b); i++) {
		const void *x = field_element(f, a, i), *y = field_element(f, b, i);
		size_t next;

		if (fields_same(f->of, x, y))
			continue;
		next = f->of->keyed ? add_path(ret, at, "[id %" PRIu64 "]", shape_key(x))
				    : add_path(ret, at, "[%zu]", i);
		if (differ(f->of, x, y, known, next, ret))
			return true;
	}
	if (n == field_count(f, b))
		return false;
	ret->path[at] = '\0';
	value_text(f, a, ret->a, sizeof(ret->a));
	value_text(f, b, ret->b, sizeof(ret->b));
	return true;
}

static bool field_differ(const struct field *f, const void *a, const void *b, const json_t *known,
			 size_t at, struct fields_difference *ret)
{
	switch (f->type) {
	case FIELD_PART:
		return differ(f->of, field_at(f, a), field_at(f, b), known, at, ret);
	case FIELD_ROW:
	case FIELD_LIST:
		return elements_differ(f, a, b, known, at, ret);
	default:
		value_text(f, a, ret->a, sizeof(ret->a));
		value_text(f, b, ret->b, sizeof(ret->b));
		return true;
	}
}

static bool differ(const struct shape *shape, const void *a, const void *b, const json_t *known,
		   size_t at, struct fields_difference *ret)
{
	for (size_t i = 0; i < shape->nr; i++) {
		const struct field *f = &shape->fields[i];

		if (field_same(f, a, b) || (known && !fields_known(known, shape, f->name)))
			continue;
		if (field_differ(f, a, b, known, add_path(ret, at, "%s%s", at ? "." : "", f->name),
				 ret))
			return true;
	}
	return false;
}

bool fields_differ(const struct shape *shape, const void *a, const void *b, const json_t *known,
		   struct fields_difference *ret)
{
	return differ(shape, a, b, known, 0, ret);
}

/* --- memory, and names ---------------------------------------------------------------- */

void fields_free(const struct shape *shape, void *object)
{
	for (size_t i = 0; i < shape->nr; i++)
		if (shape->fields[i].type == FIELD_LIST)
			free(*(void **)field_in(&shape->fields[i], object));
	memset(object, 0, shape->size);
}

/* Lists are members of a whole, not of its parts. */
int fields_copy(const struct shape *shape, void *to, const void *from)
{
	memcpy(to, from, shape->size);
	for (size_t i = 0; i < shape->nr; i++)
		if (shape->fields[i].type == FIELD_LIST)
			*(void **)field_in(&shape->fields[i], to) = NULL;
	for (size_t i = 0; i < shape->nr; i++) {
		const struct field *f = &shape->fields[i];
		size_t n;
		void *list;

		if (f->type != FIELD_LIST)
			continue;
		n = field_count(f, from);
		list = calloc(n ? n : 1, f->of->size);
		if (!list) {
			fields_free(shape, to);
			return -ENOMEM;
		}
		if (n)
			memcpy(list, field_elements(f, from), n * f->of->size);
		*(void **)field_in(f, to) = list;
	}
	return 0;
}

int fields_schema(const struct shape *shape, json_t *schema)
{
	json_t *names = json_array();

	if (!names || json_object_set_new(schema, shape->name, names))
		return -ENOMEM;
	for (size_t i = 0; i < shape->nr; i++) {
		const struct field *f = &shape->fields[i];

		if (json_array_append_new(names, json_string(f->name)))
			return -ENOMEM;
		if (f->of && !json_object_get(schema, f->of->name) && fields_schema(f->of, schema))
			return -ENOMEM;
	}
	return 0;
}
