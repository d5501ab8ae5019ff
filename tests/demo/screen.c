// SPDX-License-Identifier: GPL-2.0-only
#include "screen.h"

#include <math.h>
#include <string.h>

#include "summary.h"
#include "words.h"

#define TABLE_LEFT 1

static void draw_title(struct term *t, const struct model *m)
{
	char now[16], all[16];
	const char *dot = t->utf8 ? "·" : "-";
	int col;

	col = term_put(t, 0, 1, INK_BOLD, m->without ? "the same without ebb" : "ebb demo");
	if (!m->begun)
		return;
	term_printf(t, 0, col + 1, INK_DIM, "%s Linux %s %s VM of %.3g GiB%s%s", dot, m->kernel,
		    dot, m->ram / GIB, *m->accel ? ", " : "", m->accel);
	clock_words(fmin(m->now, m->seconds), now, sizeof(now));
	clock_words(m->seconds, all, sizeof(all));
	term_printf(t, 0, t->width - 14, INK_BOLD, " %5s", now);
	term_printf(t, 0, t->width - 8, INK_DIM, " of %s", all);
}

static void draw_heading(struct term *t, const struct model *m)
{
	double now = series_last(&m->resident, NAN), held = series_last(&m->held, NAN);
	double target = series_last(&m->target, NAN), actual = series_last(&m->actual, NAN);
	char a[32], b[32];
	int col = term_put(t, 1, TABLE_LEFT, INK_PLAIN,
			   t->width >= 100 ? "What the VM holds of the host's memory"
					   : "Held on the host");

	if (!isnan(now) && held - now >= MIB) {
		col = term_put(t, 1, col, INK_PLAIN, ".  Given back: ");
		col = term_put(t, 1, col, INK_BOLD, size_words(held - now, a, sizeof(a)));
	}
	if (!isnan(target))
		term_printf(t, 1, col, INK_DIM, ".  The VM's size: %s, wanted %s",
			    size_words(actual, a, sizeof(a)), size_words(target, b, sizeof(b)));
}

/* The VM that competes for the host's memory. Returns the next row. */
static int draw_second(struct term *t, const struct model *m, int row)
{
	const struct second *s = &m->second;
	bool wide = t->width >= 100;
	char a[32], b[32];
	int col;

	if (!*s->state)
		return row;
	if (!s->size.n) {
		term_put(t, row, TABLE_LEFT, INK_DIM, "A second VM is starting");
		return row + 1;
	}
	col = term_put(t, row, TABLE_LEFT, INK_PLAIN, wide ? "A second VM holds " : "Second VM: ");
	col = term_put(t, row, col, INK_BOLD,
		       size_words(series_last(&s->resident, 0), a, sizeof(a)));
	col = term_printf(t, row, col, INK_DIM,
			  wide ? "; its size: %s, wanted %s" : "; size %s, wanted %s",
			  size_words(series_last(&s->size, 0), a, sizeof(a)),
			  size_words(series_last(&s->want, 0), b, sizeof(b)));
	if (m->budget <= 0)
		return row + 1;
	col = term_printf(t, row, col, INK_DIM, wide ? ".  %s for both" : ". %s for both",
			  size_words(m->budget, a, sizeof(a)));
	if (m->squeezed || s->squeezed)
		term_printf(t, row, col, INK_BAD, wide ? ": the %s gives" : "; %s gives",
			    m->squeezed ? "first" : "second");
	return row + 1;
}

/* --- the table --------------------------------------------------------------- */

struct columns {
	int size, bar, bar_width, cold, swap, taken, back, state; /* swap: 0 = not shown */
	double scale; /* bytes of a full bar */
};

static struct columns lay_out(const struct term *t, const struct model *m)
{
	struct columns c = { .size = 10, .bar = 20 };
	bool wide = t->width >= 110;

	c.state = t->width - 12;
	c.back = c.state - 11;
	c.taken = c.back - (wide ? 10 : 9);
	if (wide)
		c.swap = c.taken - 12;
	c.cold = wide ? c.swap - 10 : c.taken - 9;
	c.bar_width = c.cold - c.bar - wide;
	for (size_t i = 0; i < m->nr_boxes; i++) {
		const struct box *b = &m->boxes[i];

		for (size_t k = 0; k < b->bytes_s.n; k++)
			c.scale = fmax(c.scale, b->bytes_s.p[k].v);
		c.scale = fmax(c.scale, b->bytes + b->swap);
	}
	return c;
}

static void put_right(struct term *t, int row, int col, int width, enum ink ink, const char *text)
{
	term_put(t, row, col + width - term_columns(text), ink, text);
}

static void draw_header(struct term *t, const struct columns *c, int row)
{
	bool roomy = c->bar_width >= 28;
	int col;

	term_put(t, row, TABLE_LEFT, INK_DIM, "container");
	put_right(t, row, c->size, 9, INK_DIM, "memory");
	/* The legend of the bars is their heading. */
	col = term_put(t, row, c->bar, INK_HOT, t->utf8 ? "█" : "#");
	col = term_put(t, row, col, INK_DIM, roomy ? " used  " : "used ");
	col = term_put(t, row, col, INK_COLD, t->utf8 ? "▓" : "=");
	col = term_put(t, row, col, INK_DIM, roomy ? " cold  " : "cold ");
	col = term_put(t, row, col, INK_SWAP, t->utf8 ? "░" : ":");
	term_put(t, row, col, INK_DIM, roomy ? " compressed" : "compr.");
	put_right(t, row, c->cold, 9, INK_DIM, "cold");
	if (c->swap)
		put_right(t, row, c->swap, 11, INK_DIM, "compressed");
	put_right(t, row, c->taken, 9, INK_DIM, "taken");
	put_right(t, row, c->back, 10, INK_DIM, "came back");
	term_put(t, row, c->state, INK_DIM, "state");
}

static void draw_bar(struct term *t, const struct columns *c, int row, const struct box *b)
{
	double unit = c->scale / c->bar_width;
	double ends[] = { b->bytes - b->cold, b->bytes, b->bytes + b->swap };
	static const enum ink inks[] = { INK_HOT, INK_COLD, INK_SWAP };
	static const uint32_t glyphs[2][3] = { { '#', '=', ':' }, { 0x2588, 0x2593, 0x2591 } };
	int col = 0;

	if (unit <= 0)
		return;
	for (int i = 0; i < 3; i++)
		for (; col < (int)lround(ends[i] / unit) && col < c->bar_width; col++)
			term_cell(t, row, c->bar + col, inks[i], glyphs[t->utf8][i]);
}

static const char *state_of(const struct model *m, const struct box *b)
{
	if (!b->running)
		return b->bytes > 0 ? "leaving" : "gone";
	if (m->without)
		return "running";
	return b->listed && *b->state ? b->state : "starting";
}

static void draw_row(struct term *t, const struct model *m, const struct columns *c, int row,
		     const struct box *b)
{
	char a[32];
	const char *dot = t->utf8 ? "·" : "-";
	bool gone = !b->running && b->bytes <= 0;
	enum ink ink = gone ? INK_DIM : INK_PLAIN;
	int col;

	term_printf(t, row, TABLE_LEFT, gone ? INK_DIM : INK_BOLD, "%.9s", b->name);
	put_right(t, row, c->size, 9, ink, gone ? "" : size_words(b->bytes, a, sizeof(a)));
	draw_bar(t, c, row, b);
	if (!gone)
		put_right(t, row, c->cold, 9, ink, size_words(b->cold, a, sizeof(a)));
	if (!gone && c->swap)
		put_right(t, row, c->swap, 11, ink, size_words(b->swap, a, sizeof(a)));
	put_right(t, row, c->taken, 9, ink, size_words(box_taken(b), a, sizeof(a)));
	put_right(t, row, c->back, 10, ink, size_words(box_refaulted(b), a, sizeof(a)));
	term_printf(t, row, c->state, ink, "%.12s", state_of(m, b));
	if (gone) {
		term_put(t, row + 1, TABLE_LEFT + 2, INK_DIM, b->role);
		return;
	}
	col = term_put(t, row + 1, TABLE_LEFT + 2, INK_DIM, b->role);
	if (b->listed && *b->reason)
		term_printf(t, row + 1, col, INK_DIM, "%s%s %s", *b->role ? " " : "",
			    *b->role ? dot : "", b->reason);
}

static int draw_table(struct term *t, const struct model *m, int row, int rows)
{
	struct columns c = lay_out(t, m);
	size_t shown = 0;

	draw_header(t, &c, row++);
	for (; shown < m->nr_boxes && rows >= 3; shown++, row += 2, rows -= 2)
		draw_row(t, m, &c, row, &m->boxes[shown]);
	return row;
}

/* --- what it costs, what happens ---------------------------------------------- */

static int draw_cost(struct term *t, const struct model *m, int row)
{
	char a[32], b[32];

	for (size_t i = 0; i < m->nr_boxes; i++) {
		const struct lat *l = model_lat(m, m->boxes[i].name);
		struct cost cost;
		int col;

		if (!l)
			continue;
		cost = cost_of(m, l);
		col = term_printf(t, row, TABLE_LEFT, INK_PLAIN, "%s answers: half within ",
				  l->name);
		col = term_put(t, row, col, INK_BOLD, latency_words(cost.now_p50, a, sizeof(a)));
		col = term_put(t, row, col, INK_PLAIN, ", 99% within ");
		col = term_put(t, row, col, INK_BOLD, latency_words(cost.now_p99, b, sizeof(b)));
		if (cost.before.n)
			term_printf(t, row, col, INK_DIM, "  (before: %s, %s)",
				    latency_words(cost.before.p50, a, sizeof(a)),
				    latency_words(cost.before.p99, b, sizeof(b)));
		row++;
	}
	return row;
}

static void draw_events(struct term *t, const struct model *m, int row, int rows)
{
	size_t first = m->nr_marks > (size_t)rows ? m->nr_marks - (size_t)rows : 0;
	char when[16];

	for (size_t i = first; i < m->nr_marks && rows > 0; i++, row++) {
		const struct mark *k = &m->marks[i];
		bool newest = i + 1 == m->nr_marks;
		int col = term_printf(t, row, TABLE_LEFT, INK_DIM, "%5s  ",
				      clock_words(k->t, when, sizeof(when)));

		term_printf(t, row, col, newest ? INK_PLAIN : INK_DIM, "%s%s%s", k->name,
			    *k->name ? ": " : "", k->text);
	}
}

void screen_draw(struct term *t, const struct model *m)
{
	int costs = (int)(m->nr_lats ? m->nr_lats : 1);
	/* Title, heading, three lines below the curve, the table with three rows, cost, event. */
	int boxes = m->nr_boxes > 3 ? (int)m->nr_boxes : 3;
	int graph = t->height - (2 + 3 + 1 + 1 + 2 * boxes + costs + 1);
	int row = 2;

	draw_title(t, m);
	if (!m->begun) {
		term_put(t, 2, TABLE_LEFT, INK_DIM, "the VM is starting");
		return;
	}
	draw_heading(t, m);
	row = draw_second(t, m, row);
	graph -= row - 2;
	if (graph > 16)
		graph = 16 + (graph - 16) / 3;
	graph = graph < 3 ? 3 : graph;
	graph_draw(t, m, row, graph);
	row += graph + 3;
	if (t->height >= 26)
		row++;
	row = draw_table(t, m, row, 1 + 2 * boxes);
	if (t->height >= 28)
		row++;
	row = draw_cost(t, m, row);
	if (row + 3 < t->height)
		row++;
	draw_events(t, m, row, t->height - row);
}
