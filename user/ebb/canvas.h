/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A grid of characters to draw on: what `ebb top` shows, before any terminal. Whatever lies
 * outside the grid is cut off.
 */
#ifndef EBB_EBB_CANVAS_H
#define EBB_EBB_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum canvas_style {
	CANVAS_PLAIN,
	CANVAS_HEAD, /* bold */
	CANVAS_DIM,
	CANVAS_GOOD,
	CANVAS_WARN,
	CANVAS_BAD,
	CANVAS_HOT, /* memory in use, in bars; cold; compressed */
	CANVAS_COLD,
	CANVAS_PACKED,
	CANVAS_CHOSEN, /* the row under the cursor */
	CANVAS_BAR, /* the lines at the top of the table and of the detail */
	CANVAS_SORTED, /* in CANVAS_BAR, the column that is sorted by */
	CANVAS_NR_STYLES,
};

struct canvas_cell {
	uint32_t c; /* code point; 0: blank */
	uint32_t style;
};

struct canvas {
	unsigned int width, height;
	bool utf8; /* or plain ASCII */
	struct canvas_cell *cells;
};

/* Blank. Returns 0 or -ENOMEM (then as it was). */
int canvas_resize(struct canvas *c, unsigned int width, unsigned int height);
void canvas_free(struct canvas *c);

/* Each returns the column after it. Text is made printable: one column a byte, \xNN for others. */
unsigned int canvas_text(struct canvas *c, unsigned int x, unsigned int y, enum canvas_style style,
			 const char *text);
unsigned int canvas_printf(struct canvas *c, unsigned int x, unsigned int y,
			   enum canvas_style style, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void canvas_cell(struct canvas *c, unsigned int x, unsigned int y, enum canvas_style style,
		 uint32_t code);

/* The columns [x, end) of the row get the style. */
void canvas_paint(struct canvas *c, unsigned int x, unsigned int end, unsigned int y,
		  enum canvas_style style);

/* Text of unknown length in the columns [x, end): cut with ".." where it is longer. */
void canvas_fit(struct canvas *c, unsigned int x, unsigned int end, unsigned int y,
		enum canvas_style style, const char *text);

/*
 * parts[0..nr) of whole, side by side in width columns; what is left of whole stays blank. A part
 * that is not 0 has a column as long as there is room. The n-th part is drawn in style first + n.
 */
void canvas_bar(struct canvas *c, unsigned int x, unsigned int y, unsigned int width,
		const uint64_t *parts, unsigned int nr, uint64_t whole);

/* The last `width` of nr values as a curve, one column each; top: 0 takes the largest. */
void canvas_spark(struct canvas *c, unsigned int x, unsigned int y, unsigned int width,
		  enum canvas_style style, const uint64_t *values, unsigned int nr, uint64_t top);

/* Row y as UTF-8, blanks at the end cut off; buf has room for 4 × width + 1 bytes. Returns buf. */
char *canvas_line(const struct canvas *c, unsigned int y, char *buf);

#endif /* EBB_EBB_CANVAS_H */
