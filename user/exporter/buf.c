// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/buf.h"

#include <stdlib.h>
#include <string.h>

#include "exporter/utf8.h"

#define FIRST 4096

static bool make_room(struct buf *b, size_t len)
{
	size_t size = b->size ? b->size : FIRST;
	char *text;

	if (b->failed)
		return false;
	if (len >= SIZE_MAX / 4 - b->len) {
		b->failed = true;
		return false;
	}
	if (b->len + len < b->size)
		return true;
	while (size <= b->len + len)
		size += size / 2;
	text = realloc(b->text, size);
	if (!text) {
		b->failed = true;
		return false;
	}
	b->text = text;
	b->size = size;
	return true;
}

void buf_add_n(struct buf *b, const char *text, size_t len)
{
	if (!len || !make_room(b, len))
		return;
	memcpy(b->text + b->len, text, len);
	b->len += len;
}

void buf_add(struct buf *b, const char *text)
{
	buf_add_n(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
	if (make_room(b, 1))
		b->text[b->len++] = c;
}

static void add_digits(struct buf *b, uint64_t value, unsigned int least)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value || sizeof(digits) - at < least);
	buf_add_n(b, digits + at, sizeof(digits) - at);
}

void buf_add_u64(struct buf *b, uint64_t value)
{
	add_digits(b, value, 1);
}

void buf_add_scaled(struct buf *b, uint64_t value, uint64_t scale)
{
	uint64_t rest = value % scale;
	unsigned int digits = 0;

	add_digits(b, value / scale, 1);
	if (!rest)
		return;
	while (scale > 1) {
		scale /= 10;
		digits++;
	}
	while (rest % 10 == 0) {
		rest /= 10;
		digits--;
	}
	buf_add_char(b, '.');
	add_digits(b, rest, digits);
}

static void add_unit(struct buf *b, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";

	buf_add(b, "\\u");
	for (int shift = 12; shift >= 0; shift -= 4)
		buf_add_char(b, hex[unit >> shift & 0xf]);
}

void buf_add_json(struct buf *b, const char *text)
{
	buf_add_char(b, '"');
	while (*text) {
		uint32_t c = utf8_next(&text);

		if (c == '"' || c == '\\') {
			buf_add_char(b, '\\');
			buf_add_char(b, (char)c);
		} else if (c >= 0x20 && c < 0x7f) {
			buf_add_char(b, (char)c);
		} else if (c < 0x10000) {
			add_unit(b, c);
		} else {
			add_unit(b, 0xd800 + ((c - 0x10000) >> 10));
			add_unit(b, 0xdc00 + ((c - 0x10000) & 0x3ff));
		}
	}
	buf_add_char(b, '"');
}

char *buf_take(struct buf *b, size_t *ret_len)
{
	char *text;

	buf_add_char(b, '\0');
	if (b->failed) {
		buf_release(b);
		return NULL;
	}
	text = realloc(b->text, b->len);
	if (!text)
		text = b->text;
	if (ret_len)
		*ret_len = b->len - 1;
	*b = (struct buf){ 0 };
	return text;
}

void buf_release(struct buf *b)
{
	free(b->text);
	*b = (struct buf){ 0 };
}
