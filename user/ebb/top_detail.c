// SPDX-License-Identifier: GPL-2.0-only
/* One container, below the table. */
#include <inttypes.h>
#include <string.h>

#include "ebb/top.h"
#include "lib/cleanup.h"
#include "lib/units.h"

#define LABEL 9u
#define AGE_BAR 60u
#define AGE_BAR_AT (LABEL + 41)

static void label(struct canvas *c, unsigned int y, const char *text)
{
	canvas_text(c, 1, y, CANVAS_HEAD, text);
}

static void draw_who(struct canvas *c, const json_t *o, unsigned int y)
{
	static const struct {
		const char *lead, *member;
	} parts[] = { { "", "runtime" },
		      { "image ", "image" },
		      { "pod ", "pod" },
		      { "namespace ", "namespace" },
		      { "", "path" } };
	unsigned int x = LABEL + 1;

	label(c, y, "Is");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!get_text(o, parts[i].member)[0])
			continue;
		if (x > LABEL + 1)
			x = canvas_text(c, x, y, CANVAS_PLAIN, ", ");
		x = canvas_text(c, x, y, CANVAS_PLAIN, parts[i].lead);
		x = canvas_text(c, x, y, CANVAS_PLAIN, get_text(o, parts[i].member));
	}
}

static void draw_sizes(struct canvas *c, const json_t *o, unsigned int y)
{
	char a[FORMAT_MAX], b[FORMAT_MAX], d[FORMAT_MAX], e[FORMAT_MAX];
	unsigned int x;

	label(c, y, "Has");
	x = canvas_printf(
		c, LABEL + 1, y, CANVAS_PLAIN, "%s: %s anon, %s file; %s swapped out",
		format_size(a, get_number(o, "bytes")), format_size(b, get_number(o, "anon")),
		format_size(d, get_number(o, "file")), format_size(e, get_number(o, "swap")));
	if (get_number(o, "protect"))
		canvas_printf(c, x, y, CANVAS_PLAIN, "; %s protected by a rule",
			      format_size(a, get_number(o, "protect")));
}

static void draw_cost(struct canvas *c, const json_t *o, unsigned int y)
{
	const json_t *faults = get(o, "faults"), *latency = get(o, "major_fault_us");
	unsigned int x;

	label(c, y, "Waited");
	x = canvas_printf(c, LABEL + 1, y, CANVAS_PLAIN,
			  "%.3f s; %" PRIu64 " faults, %" PRIu64 " major",
			  (double)get_number(o, "stall_us") / 1e6,
			  get_number(faults, "minor") + get_number(faults, "major"),
			  get_number(faults, "major"));
	if (latency)
		canvas_printf(c, x, y, CANVAS_PLAIN, " (half in %.1f ms, 99%% in %.1f ms)",
			      (double)get_number(latency, "p50") / 1e3,
			      (double)get_number(latency, "p99") / 1e3);
}

static unsigned int draw_last(struct canvas *c, const json_t *last, unsigned int x, unsigned int y)
{
	static const struct {
		const char *action, *words;
	} table[] = {
		{ "age", "its ages were read" },
		{ "reclaim", "taken from" },
		{ "reclaim-exit", "taken from what it left" },
		{ "reclaim-orphans", "taken from what removed groups left" },
		{ "limit", "its limit was set" },
	};
	const char *action = get_text(last, "action");
	char a[FORMAT_MAX], b[FORMAT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].action, action))
			action = table[i].words;
	x = canvas_text(c, x, y, CANVAS_PLAIN, action);
	if (get_number(last, "asked"))
		x = canvas_printf(c, x, y, CANVAS_PLAIN, ", %s of %s asked",
				  format_size(a, get_number(last, "got")),
				  format_size(b, get_number(last, "asked")));
	if (get_bool(last, "timed_out"))
		x = canvas_text(c, x, y, CANVAS_WARN, ", out of time");
	if (get(last, "error"))
		x = canvas_printf(c, x, y, CANVAS_BAD, ": %s", get_text(last, "error"));
	return x;
}

static void draw_why(struct canvas *c, const json_t *o, unsigned int y)
{
	const json_t *last = get(o, "last");
	unsigned int x = LABEL + 1;

	label(c, y, "Now");
	x = canvas_text(c, x, y, CANVAS_PLAIN, get_text(o, "state"));
	x = canvas_text(c, x, y, CANVAS_PLAIN, ": ");
	x = canvas_text(c, x, y, CANVAS_PLAIN, get_text(o, "reason_text"));
	if (last)
		draw_last(c, last, canvas_text(c, x, y, CANVAS_PLAIN, ". Last: "), y);
}

/* Oldest first; a bar a generation, all of them to one scale. What is cold is the oldest of it. */
static void draw_ages(struct canvas *c, const json_t *o, unsigned int y)
{
	const json_t *ages = get(o, "ages");
	unsigned int left = c->width > AGE_BAR_AT + 1 ? c->width - AGE_BAR_AT - 1 : 0;
	unsigned int width = left < AGE_BAR ? left : AGE_BAR;
	uint64_t most = 0, cold = get_number(o, "cold");

	label(c, y, "Idle");
	if (!json_array_size(ages)) {
		canvas_text(c, LABEL + 1, y, CANVAS_DIM, "its ages are not known");
		return;
	}
	for (size_t i = 0; i < json_array_size(ages); i++) {
		const json_t *age = json_array_get(ages, i);
		uint64_t all = get_number(age, "anon") + get_number(age, "file");

		most = all > most ? all : most;
	}
	for (size_t i = 0; i < json_array_size(ages) && y < c->height - 1; i++, y++) {
		const json_t *age = json_array_get(ages, i);
		uint64_t anon = get_number(age, "anon"), file = get_number(age, "file");
		uint64_t idle = get_number(age, "idle_ms"), all = anon + file;
		uint64_t part = cold < all ? cold : all;
		char a[FORMAT_MAX], b[FORMAT_MAX], when[FORMAT_MAX];

		canvas_printf(c, LABEL + 1, y, CANVAS_PLAIN, "%7s %s  %5s anon %5s file",
			      idle ? format_age(when, idle) : "in use",
			      idle ? "or more" : "       ", format_size(a, anon),
			      format_size(b, file));
		canvas_bar(c, AGE_BAR_AT, y, width, (uint64_t[]){ all - part, part }, 2, most);
		cold -= part;
	}
}

void top_draw_detail(struct canvas *c, const struct top_model *m, const struct top_view *v,
		     const json_t *o, unsigned int y)
{
	const struct top_series *s = top_series_find(m, get_text(o, "id"));
	char name[1024], span[FORMAT_MAX];

	canvas_paint(c, 0, c->width, y, CANVAS_BAR);
	canvas_fit(c, 1, c->width - 1, y, CANVAS_BAR, row_name(name, sizeof(name), o));
	draw_who(c, o, y + 1);
	draw_sizes(c, o, y + 2);
	draw_why(c, o, y + 3);
	draw_cost(c, o, y + 4);
	label(c, y + 5, "Size");
	if (s) {
		unsigned int room = c->width > LABEL + 13 ? c->width - LABEL - 13 : 0;
		unsigned int n = s->nr < room ? s->nr : room;

		canvas_spark(c, LABEL + 1, y + 5, room, CANVAS_HOT, s->bytes, s->nr, 0);
		if (n > 1)
			canvas_printf(c, LABEL + n + 2, y + 5, CANVAS_DIM, "last %s",
				      format_age(span, (uint64_t)(n - 1) * v->delay_ms));
	}
	draw_ages(c, o, y + 6);
}
