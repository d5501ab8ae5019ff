// SPDX-License-Identifier: GPL-2.0-only
/* The screen of `ebb top`: the machine at the top, the table, the detail, the foot. */
#include <stdlib.h>
#include <string.h>

#include "ebb/top.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/units.h"

#define HEAD_LINES 5u
#define LABEL 9u /* columns of the labels in the head */
#define USE_BAR 28u
#define DETAIL_LINES 11u /* with the four generations that the kernel keeps */
#define LOW_SCREEN 16u /* lines: below, the head is one line and there is no detail */

static unsigned int head_lines(unsigned int height)
{
	return height >= LOW_SCREEN ? HEAD_LINES : 1;
}

static unsigned int detail_lines(const struct top_view *v, unsigned int height)
{
	if (!v->detail || v->batch || height < LOW_SCREEN)
		return 0;
	return height * 2 / 5 > DETAIL_LINES ? height * 2 / 5 : DETAIL_LINES;
}

unsigned int top_page(const struct top_view *v, unsigned int height)
{
	unsigned int taken = head_lines(height) + 1 + detail_lines(v, height) + !v->batch;

	return height > taken ? height - taken : 0;
}

unsigned int top_batch_height(size_t n)
{
	return HEAD_LINES + 1 + (n ? (unsigned int)n : 1);
}

static void draw_title(struct canvas *c, const struct top_model *m)
{
	const json_t *s = m->status;
	const char *flag = get_bool(s, "paused")    ? "PAUSED"
			   : get_bool(s, "dry_run") ? "DRY RUN"
						    : "";
	char version[32], kernel[64], up[FORMAT_MAX];
	size_t n = json_array_size(m->list);

	if (!s) {
		canvas_text(c, 0, 0, CANVAS_HEAD, "ebb top");
		return;
	}
	text_printable(version, sizeof(version), get_text(s, "version"));
	text_printable(kernel, sizeof(kernel), get_text(s, "kernel"));
	canvas_printf(c, 0, 0, CANVAS_HEAD, "ebbd %s, up %s, %zu container%s, Linux %s", version,
		      format_age(up, get_number(s, "uptime_ms")), n, n == 1 ? "" : "s", kernel);
	if (*flag && c->width > strlen(flag))
		canvas_printf(c, c->width - (unsigned int)strlen(flag) - 1, 0, CANVAS_WARN, " %s",
			      flag);
}

static void draw_use(struct canvas *c, const struct top_model *m, unsigned int y)
{
	const json_t *memory = get(m->status, "memory");
	uint64_t used = top_used(memory), pool = get_number(memory, "compressed"), cold = 0;
	unsigned int x = LABEL;
	char a[FORMAT_MAX], b[FORMAT_MAX], e[FORMAT_MAX], f[FORMAT_MAX];

	for (size_t i = 0; i < json_array_size(m->list); i++)
		cold += get_number(json_array_get(m->list, i), "cold");
	pool = pool < used ? pool : used;
	cold = cold < used - pool ? cold : used - pool;
	canvas_text(c, 0, y, CANVAS_HEAD, "In use");
	canvas_cell(c, x, y, CANVAS_DIM, '[');
	canvas_bar(c, x + 1, y, USE_BAR, (uint64_t[]){ used - cold - pool, cold, pool }, 3,
		   get_number(memory, "total"));
	canvas_cell(c, x + 1 + USE_BAR, y, CANVAS_DIM, ']');
	canvas_printf(c, x + USE_BAR + 3, y, CANVAS_PLAIN, "%s of %s, %s cold, %s available",
		      format_size(a, used), format_size(b, get_number(memory, "total")),
		      format_size(e, cold), format_size(f, get_number(memory, "available")));
}

static void draw_swap(struct canvas *c, const struct top_model *m, unsigned int y)
{
	const json_t *memory = get(m->status, "memory"), *balloon = get(m->status, "balloon");
	uint64_t total = get_number(memory, "swap_total"), left = get_number(memory, "swap_free");
	uint64_t packed = get_number(memory, "compressed_original");
	unsigned int x = LABEL;
	char a[FORMAT_MAX], b[FORMAT_MAX];

	canvas_text(c, 0, y, CANVAS_HEAD, "Swap");
	if (!total)
		x = canvas_text(c, x, y, CANVAS_WARN, "none: anonymous memory cannot be taken");
	else
		x = canvas_printf(c, x, y, CANVAS_PLAIN, "%s of %s",
				  format_size(a, total > left ? total - left : 0),
				  format_size(b, total));
	if (packed)
		x = canvas_printf(c, x, y, CANVAS_PLAIN, ", %s packed into %s",
				  format_size(a, packed),
				  format_size(b, get_number(memory, "compressed")));
	if (get_bool(balloon, "broker"))
		canvas_printf(c, x, y, CANVAS_PLAIN, "; the VM has %s and asks for %s",
			      format_size(a, get_number(balloon, "actual")),
			      format_size(b, get_number(balloon, "target")));
}

static void draw_totals(struct canvas *c, const struct top_model *m, unsigned int y)
{
	const json_t *t = get(m->status, "totals");
	uint64_t taken = get_number(t, "reclaimed"), back = get_number(t, "refaulted");
	char a[FORMAT_MAX], b[FORMAT_MAX], e[FORMAT_MAX];

	canvas_text(c, 0, y, CANVAS_HEAD, "Taken");
	canvas_printf(c, LABEL, y, CANVAS_PLAIN,
		      "%s, %s came back (%.1f%%); %s returned to the host", format_size(a, taken),
		      format_size(b, back), taken ? 100.0 * (double)back / (double)taken : 0,
		      format_size(e, get_number(t, "returned")));
}

static void draw_history(struct canvas *c, const struct top_model *m, const struct top_view *v,
			 unsigned int y)
{
	unsigned int room = c->width > LABEL + 12 ? c->width - LABEL - 12 : 0;
	const struct top_series *s = &m->machine;
	unsigned int n = s->nr < room ? s->nr : room;
	char span[FORMAT_MAX];

	if (m->error[0]) {
		canvas_fit(c, 0, c->width, y, CANVAS_BAD, m->error);
		return;
	}
	canvas_text(c, 0, y, CANVAS_HEAD, "History");
	canvas_spark(c, LABEL, y, room, CANVAS_HOT, s->bytes, s->nr,
		     get_number(get(m->status, "memory"), "total"));
	if (n > 1)
		canvas_printf(c, LABEL + n + 1, y, CANVAS_DIM, "last %s",
			      format_age(span, (uint64_t)(n - 1) * v->delay_ms));
}

static unsigned int put_key(struct canvas *c, unsigned int x, unsigned int y, const char *key,
			    const char *what)
{
	x = canvas_text(c, x, y, CANVAS_HEAD, key);
	return canvas_text(c, x + 1, y, CANVAS_PLAIN, what) + 2;
}

static void draw_foot(struct canvas *c, const struct top_view *v, size_t n, unsigned int page)
{
	unsigned int y = c->height - 1, x;
	char place[64], label[TOP_FILTER_MAX + 16];

	if (v->typing) {
		x = canvas_printf(c, 0, y, CANVAS_HEAD, "Filter: %s", v->filter);
		canvas_cell(c, x, y, CANVAS_CHOSEN, '_');
		return;
	}
	x = put_key(c, 0, y, "q", "quit");
	x = put_key(c, x, y, "Enter", v->detail ? "no detail" : "detail");
	x = put_key(c, x, y, "?", v->help ? "no help" : "help");
	snprintf(label, sizeof(label), "sort: %s%s", v->key->name, v->reverse ? ", reversed" : "");
	x = put_key(c, x, y, "s", label);
	snprintf(label, sizeof(label), "%s%s", v->filter[0] ? "filter: " : "filter", v->filter);
	put_key(c, x, y, "/", label);
	if (n <= page)
		return;
	snprintf(place, sizeof(place), " %zu-%zu of %zu", v->first + 1,
		 v->first + page < n ? v->first + page : n, n);
	if (c->width > strlen(place))
		canvas_text(c, c->width - (unsigned int)strlen(place), y, CANVAS_PLAIN, place);
}

void top_draw_help(struct canvas *c, unsigned int y)
{
	static const char *const lines[] = {
		"up, down, j, k, PgUp, PgDn, Home, End   choose a container",
		"Enter, d   its detail: ages, faults, why, its size over time",
		"s, S       sort by the next or previous key (also > and <); r reverses",
		"/          filter: part of a name, image, pod or path, or a glob (db-*)",
		"Esc        close the detail or the help, or clear the filter",
		"space      ask now; Ctrl-L draws anew; q or Ctrl-C quits",
		"",
		"SIZE   memory that it holds now       COLD   of it, not used for cold_after",
		"COMPR  swapped out, compressed        TAKEN  what ebb took from it so far",
		"BACK   of that, what it needed again",
		"Sorted by hot, back, stall or age, the table has that instead of TAKEN.",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		canvas_text(c, 1, y++, CANVAS_PLAIN, lines[i]);
	y++;
	canvas_text(c, 1, y, CANVAS_PLAIN, "Bars:");
	canvas_bar(c, 8, y, 6, (uint64_t[]){ 6 }, 1, 6);
	canvas_text(c, 15, y, CANVAS_PLAIN, "in use");
	canvas_bar(c, 24, y, 6, (uint64_t[]){ 0, 6 }, 2, 6);
	canvas_text(c, 31, y, CANVAS_PLAIN, "cold");
	canvas_bar(c, 38, y, 6, (uint64_t[]){ 0, 0, 6 }, 3, 6);
	canvas_text(c, 45, y, CANVAS_PLAIN, "swapped out, at its old size");
}

static void draw_none(struct canvas *c, const struct top_model *m, unsigned int y)
{
	if (!m->list)
		canvas_text(c, 1, y, CANVAS_PLAIN, m->error[0] ? "" : "ebbd is being asked.");
	else if (json_array_size(m->list))
		canvas_text(c, 1, y, CANVAS_PLAIN, "No container matches.");
	else
		canvas_text(c, 1, y, CANVAS_PLAIN, "No containers are running.");
}

void top_draw(struct canvas *c, const struct top_model *m, struct top_view *v)
{
	unsigned int head = v->batch ? HEAD_LINES : head_lines(c->height), page;
	size_t n = 0, chosen;
	_cleanup_free_ struct row *rows = top_rows(m, v, &n);

	page = v->batch ? (unsigned int)n : top_page(v, c->height);
	chosen = top_view_place(v, rows, n, page);
	draw_title(c, m);
	if (head > 1 && m->status) {
		draw_use(c, m, 1);
		draw_swap(c, m, 2);
		draw_totals(c, m, 3);
		draw_history(c, m, v, 4);
	} else if (m->error[0]) {
		canvas_fit(c, 0, c->width, head > 1 ? 2 : 0, CANVAS_BAD, m->error);
	}
	if (v->help)
		top_draw_help(c, head + 1);
	else if (!n || !rows)
		draw_none(c, m, head + 1);
	else
		top_draw_table(c, m, v, rows, n, chosen, head, page + 1);
	if (n && rows && detail_lines(v, c->height) && !v->help)
		top_draw_detail(c, m, v, rows[chosen].object, head + 1 + page);
	if (!v->batch && c->height > head + 1)
		draw_foot(c, v, n, page);
}
