// SPDX-License-Identifier: GPL-2.0-only
#include "lib/channel_json.h"

#include <string.h>

#define DEPTH_MAX 8 /* of values that are skipped */

void channel_blanks(struct json_text *t)
{
	while (t->at < t->end &&
	       (*t->at == ' ' || *t->at == '\t' || *t->at == '\r' || *t->at == '\n'))
		t->at++;
}

bool channel_byte(struct json_text *t, char c)
{
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void put(struct json_value *v, size_t *len, unsigned int c)
{
	if (*len + 1 >= sizeof(v->text)) {
		v->fits = false;
		return;
	}
	v->text[(*len)++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
}

static bool hex4(struct json_text *t, unsigned int *ret)
{
	unsigned int value = 0;

	if (t->end - t->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = *t->at++;

		value <<= 4;
		if (is_digit(c))
			value |= (unsigned int)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value |= (unsigned int)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'F')
			value |= (unsigned int)(c - 'A') + 10;
		else
			return false;
	}
	*ret = value;
	return true;
}

/* What follows a backslash. */
static bool escape(struct json_text *t, unsigned int *ret)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (t->at == t->end || !*t->at)
		return false;
	if (*t->at == 'u') {
		t->at++;
		return hex4(t, ret);
	}
	found = strchr(from, *t->at);
	if (!found)
		return false;
	t->at++;
	*ret = (unsigned char)to[found - from];
	return true;
}

bool channel_string(struct json_text *t, struct json_value *ret)
{
	size_t len = 0;

	ret->kind = JSON_IS_STRING;
	ret->fits = true;
	if (!channel_byte(t, '"'))
		return false;
	for (;;) {
		unsigned int c;

		if (t->at == t->end)
			return false;
		c = (unsigned char)*t->at++;
		if (c == '"')
			break;
		if (c < 0x20 || (c == '\\' && !escape(t, &c)))
			return false;
		put(ret, &len, c);
	}
	ret->text[len] = '\0';
	return true;
}

static bool digits(struct json_text *t)
{
	const char *from = t->at;

	while (t->at < t->end && is_digit(*t->at))
		t->at++;
	return t->at > from;
}

static bool number(struct json_text *t, struct json_value *ret)
{
	const char *from;

	ret->kind = JSON_IS_NUMBER;
	ret->fits = !channel_byte(t, '-');
	ret->number = 0;
	from = t->at;
	if (!digits(t) || (*from == '0' && t->at - from > 1))
		return false;
	for (const char *p = from; p < t->at && ret->fits; p++)
		if (__builtin_mul_overflow(ret->number, 10, &ret->number) ||
		    __builtin_add_overflow(ret->number, (uint64_t)(*p - '0'), &ret->number))
			ret->fits = false;
	if (channel_byte(t, '.')) {
		ret->fits = false;
		if (!digits(t))
			return false;
	}
	if (channel_byte(t, 'e') || channel_byte(t, 'E')) {
		ret->fits = false;
		if (!channel_byte(t, '+'))
			channel_byte(t, '-');
		if (!digits(t))
			return false;
	}
	return true;
}

static bool word(struct json_text *t, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(t->end - t->at) < len || memcmp(t->at, text, len) != 0)
		return false;
	t->at += len;
	return true;
}

static bool scalar(struct json_text *t, struct json_value *ret)
{
	if (t->at == t->end)
		return false;
	if (*t->at == '"')
		return channel_string(t, ret);
	if (*t->at == '-' || is_digit(*t->at))
		return number(t, ret);
	ret->kind = JSON_IS_OTHER;
	ret->fits = false;
	return word(t, "true") || word(t, "false") || word(t, "null");
}

static bool nested(struct json_text *t, unsigned int depth);

/* One element of what is skipped. */
static bool element(struct json_text *t, unsigned int depth)
{
	struct json_value ignored;

	channel_blanks(t);
	if (t->at < t->end && (*t->at == '{' || *t->at == '['))
		return nested(t, depth + 1);
	return scalar(t, &ignored);
}

/* By recursion: the depth is bounded. */
static bool nested(struct json_text *t, unsigned int depth)
{
	bool object = *t->at == '{';
	char close = object ? '}' : ']';
	struct json_value key;

	if (depth > DEPTH_MAX)
		return false;
	t->at++;
	channel_blanks(t);
	if (channel_byte(t, close))
		return true;
	for (;;) {
		channel_blanks(t);
		if (object) {
			if (!channel_string(t, &key))
				return false;
			channel_blanks(t);
			if (!channel_byte(t, ':'))
				return false;
		}
		if (!element(t, depth))
			return false;
		channel_blanks(t);
		if (channel_byte(t, close))
			return true;
		if (!channel_byte(t, ','))
			return false;
	}
}

bool channel_value(struct json_text *t, struct json_value *ret)
{
	if (t->at < t->end && (*t->at == '{' || *t->at == '[')) {
		ret->kind = JSON_IS_OTHER;
		ret->fits = false;
		return nested(t, 1);
	}
	return scalar(t, ret);
}
