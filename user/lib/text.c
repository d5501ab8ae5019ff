// SPDX-License-Identifier: GPL-2.0-only
#include "lib/text.h"

#include <string.h>

char *text_printable_n(char *dst, size_t size, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c < 0x7f) {
			if (out + 1 >= size)
				break;
			dst[out++] = (char)c;
		} else {
			if (out + 4 >= size)
				break;
			dst[out++] = '\\';
			dst[out++] = 'x';
			dst[out++] = hex[c >> 4];
			dst[out++] = hex[c & 15];
		}
	}
	dst[out] = '\0';
	return dst;
}

char *text_printable(char *dst, size_t size, const char *text)
{
	return text_printable_n(dst, size, text ? text : "", text ? strlen(text) : 0);
}
