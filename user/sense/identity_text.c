// SPDX-License-Identifier: GPL-2.0-only
/* Names for people: what others wrote, with nothing in it that acts. */
#include <string.h>

#include "lib/cleanup.h"
#include "sense/identity.h"

/* Length of the character at s and the character; 0: no valid UTF-8 (RFC 3629). */
static size_t utf8_char(const unsigned char *s, uint32_t *ret)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 },
		      { 0xe0, 0xc0, 0x80 },
		      { 0xf0, 0xe0, 0x800 },
		      { 0xf8, 0xf0, 0x10000 } };

	for (size_t n = 0; n < ARRAY_SIZE(forms); n++) {
		uint32_t c;

		if ((s[0] & forms[n].mask) != forms[n].lead)
			continue;
		c = s[0] & (unsigned char)~forms[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < forms[n].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		*ret = c;
		return n + 1;
	}
	return 0;
}

/*
 * Characters that are seen. What steers a terminal or the direction of
 * text, or is invisible, could make one name look like another.
 */
static bool is_seen(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} unseen[] = {
		{ 0x00, 0x1f }, /* C0 */
		{ 0x7f, 0xa0 }, /* DEL, C1, no-break space */
		{ 0xad, 0xad }, /* soft hyphen */
		{ 0x34f, 0x34f }, /* grapheme joiner */
		{ 0x61c, 0x61c }, /* Arabic letter mark */
		{ 0x115f, 0x1160 }, /* Hangul fillers */
		{ 0x180b, 0x180f }, /* Mongolian selectors */
		{ 0x2000, 0x200f }, /* wide and zero-width blanks, direction marks */
		{ 0x2028, 0x202f }, /* line and paragraph ends, direction */
		{ 0x205f, 0x206f }, /* invisible operators, direction isolates */
		{ 0x3000, 0x3000 }, /* ideographic space */
		{ 0x3164, 0x3164 }, /* Hangul filler */
		{ 0xe000, 0xf8ff }, /* private use */
		{ 0xfe00, 0xfe0f }, /* variation selectors */
		{ 0xfeff, 0xfeff }, /* byte order mark */
		{ 0xffa0, 0xffa0 }, /* half-width filler */
		{ 0xfff0, 0xffff }, /* annotation, replacement, noncharacters */
		{ 0xe0000, 0x10ffff }, /* tags, selectors, private use */
	};

	for (size_t i = 0; i < ARRAY_SIZE(unseen); i++)
		if (c >= unseen[i].from && c <= unseen[i].to)
			return false;
	return true;
}

size_t name_printable(char *dst, size_t n, const char *src)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = (const unsigned char *)src;
	size_t out = 0;

	while (*s) {
		uint32_t c = 0;
		size_t len = utf8_char(s, &c);
		char escaped[4] = { '\\', 'x', hex[*s >> 4], hex[*s & 15] };
		const char *add = (const char *)s;
		size_t add_len = len;

		if (!len || !is_seen(c)) {
			add = escaped;
			add_len = sizeof(escaped);
			len = 1; /* the rest of the character follows, byte by byte */
		} else if (c == '\\') {
			add = "\\\\";
			add_len = 2;
		}
		if (n - out <= add_len)
			break;
		memcpy(dst + out, add, add_len);
		out += add_len;
		s += len;
	}
	dst[out] = '\0';
	return out;
}
