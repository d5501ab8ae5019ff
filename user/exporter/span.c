// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/span.h"

#include <string.h>

static void skip_blanks(struct span *s)
{
	while (s->len && memchr(" \t\r\n", *s->text, 4)) {
		s->text++;
		s->len--;
	}
}

static void skip(struct span *s, size_t n)
{
	s->text += n;
	s->len -= n;
}

static bool take_char(struct span *s, char c)
{
	skip_blanks(s);
	if (!s->len || *s->text != c)
		return false;
	skip(s, 1);
	return true;
}

/* How long the string at the beginning is, quotes included; 0: it does not end. */
static size_t string_len(struct span s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.text[i] == '\\')
			i++;
		else if (s.text[i] == '"')
			return i + 1;
	}
	return 0;
}

/* How long the object or array at the beginning is; 0: it does not end. */
static size_t nested_len(struct span s)
{
	size_t depth = 0, i = 0;

	while (i < s.len) {
		char c = s.text[i];

		if (c == '"') {
			size_t n = string_len((struct span){ s.text + i, s.len - i });

			if (!n)
				return 0;
			i += n;
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return i + 1;
		i++;
	}
	return 0;
}

static size_t plain_len(struct span s)
{
	size_t i = 0;

	while (i < s.len && !memchr(",:]} \t\r\n\"{[", s.text[i], 11))
		i++;
	return i;
}

/* The value at the beginning, taken off. */
static bool take_value(struct span *s, struct span *ret)
{
	size_t n;

	skip_blanks(s);
	if (!s->len)
		return false;
	if (*s->text == '"')
		n = string_len(*s);
	else if (*s->text == '{' || *s->text == '[')
		n = nested_len(*s);
	else
		n = plain_len(*s);
	if (!n)
		return false;
	*ret = (struct span){ s->text, n };
	skip(s, n);
	return true;
}

bool span_is(struct span s, const char *text)
{
	size_t len = strlen(text);

	return s.len == len && !memcmp(s.text, text, len);
}

int span_next_member(struct span *object, struct span *key, struct span *value)
{
	bool first;

	skip_blanks(object);
	if (!object->len)
		return -1;
	first = *object->text == '{';
	if (*object->text == '}')
		return 0;
	if (!first && *object->text != ',')
		return -1;
	skip(object, 1);
	skip_blanks(object);
	if (first && object->len && *object->text == '}')
		return 0;
	if (!take_value(object, key) || *key->text != '"' || !take_char(object, ':') ||
	    !take_value(object, value))
		return -1;
	*key = (struct span){ key->text + 1, key->len - 2 };
	return 1;
}

bool span_member(struct span object, const char *key, struct span *ret)
{
	struct span name, value;

	while (span_next_member(&object, &name, &value) > 0) {
		if (span_is(name, key)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

bool span_next(struct span *array, struct span *ret)
{
	skip_blanks(array);
	if (!array->len || (*array->text != '[' && *array->text != ','))
		return false;
	skip(array, 1);
	return take_value(array, ret);
}

bool span_is_array(struct span value)
{
	size_t n;

	skip_blanks(&value);
	if (!value.len || *value.text != '[')
		return false;
	n = nested_len(value);
	return n && value.text[n - 1] == ']';
}
