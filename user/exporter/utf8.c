// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/utf8.h"

uint32_t utf8_next(const char **text)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)*text;
	unsigned int more;
	uint32_t c = *p++;

	*text = (const char *)p;
	if (c < 0x80)
		return c;
	if ((c & 0xe0) == 0xc0) {
		more = 1;
		c &= 0x1f;
	} else if ((c & 0xf0) == 0xe0) {
		more = 2;
		c &= 0x0f;
	} else if ((c & 0xf8) == 0xf0) {
		more = 3;
		c &= 0x07;
	} else {
		return UTF8_BAD;
	}
	for (unsigned int i = 0; i < more; i++) {
		/* A NUL ends it here too. */
		if ((p[i] & 0xc0) != 0x80)
			return UTF8_BAD;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return UTF8_BAD;
	*text = (const char *)(p + more);
	return c;
}

bool utf8_acts(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || /* C0, DEL, C1 */
	       c == 0x061c || c == 0x200e || c == 0x200f || /* direction marks */
	       (c >= 0x2028 && c <= 0x202e) || /* separators, embeddings, overrides */
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}
