/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal as a grid of cells: drawn in memory, and of it only the rows that changed are
 * written. It is put back as it was at term_close, which is safe in a signal handler's aftermath
 * and more than once.
 */
#ifndef DEMO_TERM_H
#define DEMO_TERM_H

#include <stdbool.h>
#include <stdint.h>

/* Few, and told apart by colour-blind eyes: after Okabe and Ito. */
enum ink {
	INK_PLAIN,
	INK_DIM,
	INK_BOLD,
	INK_MEMORY,
	INK_HOT,
	INK_COLD,
	INK_SWAP,
	INK_GOOD,
	INK_BAD
};

struct cell {
	uint32_t c; /* code point */
	uint32_t ink; /* enum ink; as wide as c, so that rows compare as bytes */
};

struct term {
	int fd;
	int width, height;
	bool utf8;
	int colors; /* 0, 16 or 256 */
	bool open;
	struct cell *cells, *shown;
};

/* What the terminal can show, from the environment: LC_ALL, LC_CTYPE, LANG, NO_COLOR, TERM. */
void term_probe(struct term *t, int fd);

/* Takes the terminal over: the alternate screen, no cursor. Returns 0 or a negative errno. */
int term_open(struct term *t);
void term_close(struct term *t);

/* Fits the grid to the terminal's size and empties it. Returns 0 or -ENOMEM. */
int term_begin(struct term *t);
/* Writes what changed. Returns 0 or a negative errno. */
int term_flush(struct term *t);

/* Writes text (UTF-8, each code point one column) and returns the column after it. What lies
 * outside the grid is cut off. */
int term_put(struct term *t, int row, int col, enum ink ink, const char *text);
int __attribute__((format(printf, 5, 6)))
term_printf(struct term *t, int row, int col, enum ink ink, const char *format, ...);
void term_cell(struct term *t, int row, int col, enum ink ink, uint32_t c);
int term_columns(const char *text); /* code points */

#endif /* DEMO_TERM_H */
