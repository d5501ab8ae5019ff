// SPDX-License-Identifier: GPL-2.0-only
/* The table of `ebb top`: what of its columns fits, and a row a container. */
#include <string.h>

#include "ebb/top.h"
#include "lib/cleanup.h"
#include "lib/units.h"

#define NAME_SHORTEST 16u
#define NAME_LONGEST 40u
#define NUMBERS 24u /* SIZE COLD COMPR TAKEN, with the blanks before them */

/* Columns with the blanks before them; 0: not shown. */
struct layout {
	unsigned int name, back, bar, spark, state, reason;
};

static unsigned int take(unsigned int *left, unsigned int width)
{
	if (*left < width)
		return 0;
	*left -= width;
	return width;
}

static unsigned int share(unsigned int *left, unsigned int most)
{
	return take(left, *left < most ? *left : most);
}

static struct layout lay_out(unsigned int width, unsigned int longest)
{
	unsigned int left = width > NAME_SHORTEST + NUMBERS ? width - NAME_SHORTEST - NUMBERS : 0;
	struct layout l = { .name = NAME_SHORTEST };

	/* In the order of what is missed most; at 80 columns the first two fit. */
	l.reason = take(&left, 26);
	l.bar = take(&left, 9);
	l.state = take(&left, 12);
	l.back = take(&left, 6);
	l.spark = take(&left, 13);
	if (longest > l.name)
		l.name += share(&left, longest - l.name);
	if (l.spark)
		l.bar += share(&left, left / 2 < 32 ? left / 2 : 32);
	else if (l.bar)
		l.bar += share(&left, 32);
	if (l.spark)
		l.spark += share(&left, 48);
	return l;
}

/* The numbers, in this order; what is sorted by, and is none of the first, stands for the fourth.
 */
static const struct column {
	const char *title, *key, *member;
	uint64_t unit; /* of a time, in microseconds; 0: bytes */
} columns[] = {
	{ "SIZE", "size", "bytes" },
	{ "COLD", "cold", "cold" },
	{ "SWAP", "swap", "swap" },
	{ "TAKEN", "taken", "reclaimed_total" },
	{ "BACK", "back", "refaulted_total" },
	{ "HOT", "hot", "working_set" },
	{ "STALL", "stall", "stall_us", 1 },
	{ "AGE", "age", "age_ms", 1000 },
};
#define COLUMN_FOURTH 3
#define COLUMN_BACK 4

static const struct column *column_at(const struct top_view *v, const struct layout *l, size_t i)
{
	if (i != COLUMN_FOURTH)
		return &columns[i];
	for (size_t k = i + 1; k < ARRAY_SIZE(columns); k++)
		if (!strcmp(columns[k].key, v->key->name) && !(k == COLUMN_BACK && l->back))
			return &columns[k];
	return &columns[i];
}

static size_t nr_columns(const struct layout *l)
{
	return l->back ? COLUMN_BACK + 1 : COLUMN_FOURTH + 1;
}

static unsigned int put_number(struct canvas *c, unsigned int x, unsigned int y,
			       const struct column *column, const json_t *o)
{
	uint64_t n = get_number(o, column->member);
	char buf[FORMAT_MAX];

	/* Nothing is a dash: a column of zeros hides the others. */
	if (!n)
		return canvas_text(c, x, y, CANVAS_PLAIN, "     -");
	if (column->unit)
		format_age(buf, n * column->unit / 1000);
	else
		format_size(buf, n);
	return canvas_printf(c, x, y, CANVAS_PLAIN, " %5s", buf);
}

static enum canvas_style state_style(const char *state)
{
	if (!strcmp(state, "reclaiming"))
		return CANVAS_HEAD;
	if (!strcmp(state, "held") || !strcmp(state, "paused"))
		return CANVAS_WARN;
	if (!strcmp(state, "settled"))
		return CANVAS_GOOD;
	return !strcmp(state, "off") || !strcmp(state, "empty") ? CANVAS_DIM : CANVAS_PLAIN;
}

/* Which block is what; the help says it too. */
static void draw_legend(struct canvas *c, unsigned int x, unsigned int y)
{
	static const char *const words[] = { "hot", "cold", "swapped" };

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
		uint64_t parts[ARRAY_SIZE(words)] = { 0 };

		parts[i] = 1;
		canvas_bar(c, x, y, 1, parts, i + 1, 1);
		x = canvas_text(c, x + 2, y, CANVAS_BAR, words[i]) + 2;
	}
}

static unsigned int put_title(struct canvas *c, const struct top_view *v, unsigned int x,
			      unsigned int y, const char *title, const char *key)
{
	bool sorted = !v->batch && !strcmp(v->key->name, key);

	return canvas_text(c, x, y, sorted ? CANVAS_SORTED : CANVAS_BAR, title);
}

static void draw_head(struct canvas *c, const struct top_model *m, const struct top_view *v,
		      const struct layout *l, unsigned int y)
{
	bool packed = get_bool(get(m->status, "memory"), "swap_is_compressed");
	unsigned int x = l->name;

	canvas_paint(c, 0, c->width, y, CANVAS_BAR);
	put_title(c, v, 0, y, "NAME", "name");
	for (size_t i = 0; i < nr_columns(l); i++) {
		const struct column *column = column_at(v, l, i);
		const char *title = packed && !strcmp(column->key, "swap") ? "COMPR"
									   : column->title;

		x += 6;
		put_title(c, v, x - (unsigned int)strlen(title), y, title, column->key);
	}
	if (l->bar)
		canvas_text(c, x + 1, y, CANVAS_BAR, "MEMORY");
	if (l->bar > 32)
		draw_legend(c, x + 9, y);
	x += l->bar;
	if (l->spark)
		canvas_text(c, x + 1, y, CANVAS_BAR, "HISTORY");
	x += l->spark;
	if (l->state)
		put_title(c, v, x + 2, y, "STATE", "state");
	x += l->state;
	if (l->reason)
		put_title(c, v, x + 2, y, "REASON", "reason");
}

static void draw_row(struct canvas *c, const struct top_model *m, const struct top_view *v,
		     const struct layout *l, const json_t *o, uint64_t most, unsigned int y)
{
	const char *state = get_text(o, "state");
	uint64_t bytes = get_number(o, "bytes"), cold = get_number(o, "cold");
	const struct top_series *s = top_series_find(m, get_text(o, "id"));
	unsigned int x = l->name;
	char name[1024];

	cold = cold < bytes ? cold : bytes;
	canvas_fit(c, 0, l->name, y, CANVAS_PLAIN, row_name(name, sizeof(name), o));
	for (size_t i = 0; i < nr_columns(l); i++)
		x = put_number(c, x, y, column_at(v, l, i), o);
	if (l->bar)
		canvas_bar(c, x + 1, y, l->bar - 1,
			   (uint64_t[]){ bytes - cold, cold, get_number(o, "swap") }, 3, most);
	x += l->bar;
	if (l->spark && s)
		canvas_spark(c, x + 1, y, l->spark - 1, CANVAS_HOT, s->bytes, s->nr, 0);
	x += l->spark;
	if (l->state)
		canvas_fit(c, x + 2, x + l->state, y, state_style(state), state);
	x += l->state;
	if (l->reason)
		canvas_fit(c, x + 2, x + l->reason, y, l->state ? CANVAS_PLAIN : state_style(state),
			   get_text(o, "reason_text"));
}

/* Not the bars and the curve: a blank would look like a full block. */
static void draw_cursor(struct canvas *c, const struct layout *l, unsigned int y)
{
	unsigned int bar = l->name + 6 * (unsigned int)nr_columns(l);

	canvas_paint(c, 0, l->bar ? bar : c->width, y, CANVAS_CHOSEN);
	canvas_paint(c, bar + l->bar + l->spark + 1, c->width, y, CANVAS_CHOSEN);
}

void top_draw_table(struct canvas *c, const struct top_model *m, const struct top_view *v,
		    const struct row *rows, size_t n, size_t chosen, unsigned int y,
		    unsigned int height)
{
	unsigned int longest = 0;
	uint64_t most = 0;
	struct layout l;

	/* Of all rows, not of those in sight: nothing jumps when the table is scrolled. */
	for (size_t i = 0; i < n; i++) {
		const json_t *o = rows[i].object;
		uint64_t all = get_number(o, "bytes") + get_number(o, "swap");
		char name[NAME_LONGEST + 2];

		most = all > most ? all : most;
		row_name(name, sizeof(name), o);
		longest = strlen(name) > longest ? (unsigned int)strlen(name) : longest;
	}
	l = lay_out(c->width, longest < NAME_LONGEST ? longest : NAME_LONGEST);
	draw_head(c, m, v, &l, y);
	for (size_t i = v->first; i < n && i - v->first + 1 < height; i++) {
		draw_row(c, m, v, &l, rows[i].object, most, ++y);
		if (i == chosen && !v->batch)
			draw_cursor(c, &l, y);
	}
}
