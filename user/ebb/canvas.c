// SPDX-License-Identifier: GPL-2.0-only
#include "ebb/canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/text.h"

#define TEXT_MAX 1024 /* longer than any line */

int canvas_resize(struct canvas *c, unsigned int width, unsigned int height)
{
	struct canvas_cell *cells;

	if (c->cells && c->width == width && c->height == height) {
		memset(c->cells, 0, (size_t)width * height * sizeof(*cells));
		return 0;
	}
	cells = calloc((size_t)width * height + 1, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	free(c->cells);
	c->cells = cells;
	c->width = width;
	c->height = height;
	return 0;
}

void canvas_free(struct canvas *c)
{
	free(TAKE_PTR(c->cells));
	c->width = c->height = 0;
}

void canvas_cell(struct canvas *c, unsigned int x, unsigned int y, enum canvas_style style,
		 uint32_t code)
{
	if (x < c->width && y < c->height)
		c->cells[(size_t)y * c->width + x] = (struct canvas_cell){ code, style };
}

unsigned int canvas_text(struct canvas *c, unsigned int x, unsigned int y, enum canvas_style style,
			 const char *text)
{
	char shown[TEXT_MAX];

	text_printable(shown, sizeof(shown), text);
	for (const char *p = shown; *p; p++)
		canvas_cell(c, x++, y, style, (unsigned char)*p);
	return x;
}

unsigned int canvas_printf(struct canvas *c, unsigned int x, unsigned int y,
			   enum canvas_style style, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return canvas_text(c, x, y, style, text);
}

void canvas_paint(struct canvas *c, unsigned int x, unsigned int end, unsigned int y,
		  enum canvas_style style)
{
	for (; y < c->height && x < end && x < c->width; x++)
		c->cells[(size_t)y * c->width + x].style = style;
}

void canvas_fit(struct canvas *c, unsigned int x, unsigned int end, unsigned int y,
		enum canvas_style style, const char *text)
{
	char shown[TEXT_MAX];
	size_t room = end > x ? end - x : 0;

	text_printable(shown, sizeof(shown), text);
	if (strlen(shown) > room) {
		if (room > 2)
			memcpy(shown + room - 2, "..", 3);
		else
			shown[room] = '\0';
	}
	canvas_text(c, x, y, style, shown);
}

void canvas_bar(struct canvas *c, unsigned int x, unsigned int y, unsigned int width,
		const uint64_t *parts, unsigned int nr, uint64_t whole)
{
	/* Told apart without colours too. */
	static const uint32_t blocks[] = { 0x2588, 0x2592, 0x2591 }, letters[] = { '#', '=', '.' };
	uint64_t sum = 0;
	unsigned int from = 0;

	for (unsigned int i = 0; i < nr && i < ARRAY_SIZE(blocks) && whole; i++) {
		unsigned int to;

		sum += parts[i];
		to = (unsigned int)(((unsigned __int128)(sum < whole ? sum : whole) * width +
				     whole / 2) /
				    whole);
		if (parts[i] && to <= from)
			to = from + 1;
		for (; from < to && from < width; from++)
			canvas_cell(c, x + from, y, CANVAS_HOT + i,
				    c->utf8 ? blocks[i] : letters[i]);
	}
}

void canvas_spark(struct canvas *c, unsigned int x, unsigned int y, unsigned int width,
		  enum canvas_style style, const uint64_t *values, unsigned int nr, uint64_t top)
{
	static const char levels[] = "_.-~=+*#";
	unsigned int first = nr > width ? nr - width : 0;
	uint64_t most = top;

	for (unsigned int i = first; i < nr && !top; i++)
		most = values[i] > most ? values[i] : most;
	for (unsigned int i = first; i < nr; i++) {
		uint64_t v = values[i] < most ? values[i] : most;
		unsigned int level = most ? (unsigned int)((unsigned __int128)v * 7 / most) : 0;

		canvas_cell(c, x + i - first, y, style,
			    c->utf8 ? 0x2581 + level : (unsigned char)levels[level]);
	}
}

static char *put_utf8(char *p, uint32_t code)
{
	if (code < 0x80) {
		*p++ = (char)code;
	} else if (code < 0x800) {
		*p++ = (char)(0xc0 | code >> 6);
		*p++ = (char)(0x80 | (code & 0x3f));
	} else {
		*p++ = (char)(0xe0 | code >> 12);
		*p++ = (char)(0x80 | (code >> 6 & 0x3f));
		*p++ = (char)(0x80 | (code & 0x3f));
	}
	return p;
}

char *canvas_line(const struct canvas *c, unsigned int y, char *buf)
{
	const struct canvas_cell *row = c->cells + (size_t)y * c->width;
	unsigned int end = c->width;
	char *p = buf;

	while (end && (!row[end - 1].c || row[end - 1].c == ' '))
		end--;
	for (unsigned int x = 0; x < end; x++)
		p = put_utf8(p, row[x].c ? row[x].c : ' ');
	*p = '\0';
	return buf;
}
