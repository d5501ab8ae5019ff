// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "screen.h"
#include "words.h"

#define LEFT 7 /* columns for the sizes at the axis */
#define RIGHT 11 /* and for the labels at the curves' ends */

struct frame {
	struct term *t;
	const struct model *m;
	int row, height, left, width;
	double top; /* bytes */
};

double axis_top(double bytes)
{
	static const double tops[] = { 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192 };

	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		if (bytes <= tops[i] * MIB)
			return tops[i] * MIB;
	return ceil(bytes / (4 * GIB)) * 4 * GIB;
}

int axis_steps(double top, int most)
{
	/* 1.5 GiB in three, 1 GiB in four. */
	if (most >= 3 && fmod(top, 3 * 256 * MIB) == 0)
		return 3;
	return most;
}

double axis_tick(double seconds)
{
	static const double ticks[] = { 5, 10, 15, 30, 60, 120, 300, 600 };

	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++)
		if (seconds / ticks[i] <= 8)
			return ticks[i];
	return 1800;
}

static int column_of(const struct frame *f, double t)
{
	int col = (int)(t / f->m->seconds * f->width);

	return col < 0 ? 0 : col >= f->width ? f->width - 1 : col;
}

/* The row in which a size lies. */
static int row_of(const struct frame *f, double bytes)
{
	int up = (int)ceil(bytes / f->top * f->height);

	up = up < 1 ? 1 : up > f->height ? f->height : up;
	return f->row + f->height - up;
}

static void draw_column(const struct frame *f, int col, double bytes)
{
	int levels = (int)lround(bytes / f->top * f->height * 8);

	for (int i = 0; i < f->height; i++) {
		int level = levels - i * 8, row = f->row + f->height - 1 - i;
		uint32_t c;

		if (level <= 0)
			break;
		if (f->t->utf8)
			c = level >= 8 ? 0x2588 : 0x2580 + (uint32_t)level;
		else
			c = level >= 6 ? '#' : level >= 3 ? '=' : '.';
		term_cell(f->t, row, f->left + col, INK_MEMORY, c);
	}
}

static void draw_curves(const struct frame *f)
{
	const struct model *m = f->m;
	int last = column_of(f, m->now);

	for (int col = 0; col <= last; col++) {
		double from = col * m->seconds / f->width, to = (col + 1) * m->seconds / f->width;
		double at = fmin((from + to) / 2, m->now);
		double held = series_at(&m->held, at, NAN), v = series_at(&m->resident, at, NAN);

		if (isnan(v))
			continue;
		if (row_of(f, held) < row_of(f, v))
			term_cell(f->t, row_of(f, held), f->left + col, INK_DIM,
				  f->t->utf8 ? 0x2508 : '-');
		draw_column(f, col, v);
	}
}

/* The curves' names at their ends, beside the graph. */
static void draw_labels(const struct frame *f)
{
	const struct model *m = f->m;
	double now = series_last(&m->resident, NAN), held = series_last(&m->held, NAN);
	int col = f->left + f->width + 1, row, held_row;
	char size[32];

	if (isnan(now))
		return;
	row = row_of(f, now);
	held_row = row_of(f, held);
	if (held - now > 0.02 * f->top && f->height >= 5) {
		/* Two rows for each label: name and size. */
		if (row - held_row < 2)
			row = held_row + 2;
		if (row > f->row + f->height - 2)
			row = f->row + f->height - 2;
		if (row - held_row < 2)
			held_row = row - 2;
		term_put(f->t, held_row, col, INK_DIM, "peak");
		term_put(f->t, held_row + 1, col, INK_DIM, size_words(held, size, sizeof(size)));
	}
	if (row > f->row + f->height - 2)
		row = f->row + f->height - 2;
	term_put(f->t, row, col, INK_MEMORY, m->ended ? "at the end" : "now");
	term_put(f->t, row + 1, col, INK_MEMORY, size_words(now, size, sizeof(size)));
}

static void draw_axes(const struct frame *f)
{
	bool utf8 = f->t->utf8;
	int bottom = f->row + f->height, steps = axis_steps(f->top, f->height >= 8 ? 4 : 2);
	double tick = axis_tick(f->m->seconds);
	char text[32];

	for (int i = 0; i < f->height; i++)
		term_cell(f->t, f->row + i, f->left - 1, INK_DIM, utf8 ? 0x2502 : '|');
	for (int i = 0; i <= steps; i++) {
		int row = bottom - i * f->height / steps;
		double bytes = f->top * i / steps;

		/* The uppermost size belongs to the upper edge of the first row. */
		if (i == steps)
			row = f->row;
		if (bytes >= GIB)
			snprintf(text, sizeof(text), "%4.3gG", bytes / GIB);
		else
			snprintf(text, sizeof(text), "%4.0fM", bytes / MIB);
		term_put(f->t, row, f->left - 6, INK_DIM, i ? text : "    0");
		if (i)
			term_cell(f->t, row, f->left - 1, INK_DIM, utf8 ? 0x2524 : '+');
	}
	term_cell(f->t, bottom, f->left - 1, INK_DIM, utf8 ? 0x2514 : '+');
	for (int i = 0; i < f->width; i++)
		term_cell(f->t, bottom, f->left + i, INK_DIM, utf8 ? 0x2500 : '-');
	for (double s = tick; s <= f->m->seconds + 0.5; s += tick) {
		int col = f->left + (int)fmin(s / f->m->seconds * f->width, f->width - 1);

		term_cell(f->t, bottom, col, INK_DIM, utf8 ? 0x252c : '+');
		clock_words(s, text, sizeof(text));
		term_put(f->t, bottom + 1, col - 1, INK_DIM, text);
	}
}

/* Starts and exits: an arrow on the axis, the name below it where there is room. */
static void draw_marks(const struct frame *f)
{
	int bottom = f->row + f->height, taken = 0, last_col = -9;
	enum mark_kind last = MARK_END;

	for (size_t i = 0; i < f->m->nr_marks; i++) {
		const struct mark *k = &f->m->marks[i];
		bool start = k->kind == MARK_START;
		enum ink ink = start ? INK_GOOD : INK_BAD;
		int col = column_of(f, k->t);
		char text[NAME_MAX_LEN + 8];

		if (!start && k->kind != MARK_EXIT)
			continue;
		term_cell(f->t, bottom, f->left + col, ink,
			  f->t->utf8 ? (start ? 0x25b2 : 0x25bc) : (start ? '^' : 'v'));
		if (col >= taken) {
			snprintf(text, sizeof(text), "%s%s", k->name, start ? "" : " ends");
			last_col = col;
		} else if (k->kind == last && start && col - last_col <= 3) {
			/* Two that start together share a label. */
			snprintf(text, sizeof(text), ", %s", k->name);
			col = taken - 1;
		} else {
			continue;
		}
		taken = term_put(f->t, bottom + 2, f->left + col, ink, text) - f->left + 1;
		last = k->kind;
	}
}

void graph_draw(struct term *t, const struct model *m, int row, int height)
{
	struct frame f = { .t = t, .m = m, .row = row, .height = height, .left = LEFT };

	f.width = t->width - LEFT - RIGHT;
	if (f.width < 10 || height < 2)
		return;
	f.top = axis_top(fmax(series_last(&m->held, 0) * 1.02, 512 * MIB));
	draw_axes(&f);
	draw_curves(&f);
	draw_labels(&f);
	draw_marks(&f);
}
