// SPDX-License-Identifier: GPL-2.0-only
/* The picture of the report: the VM, each container, the latencies, over one axis of time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "screen.h"
#include "summary.h"
#include "svg.h"
#include "words.h"

#define WIDTH 1200.0
#define LEFT 86.0
#define RIGHT 214.0
#define VM_TOP 190.0
#define VM_HEIGHT 300.0
#define BOX_HEIGHT 120.0
#define LAT_HEIGHT 120.0
#define GAP 58.0

static struct panel panel_at(FILE *out, const struct model *m, double y, double h, double top)
{
	return (struct panel){
		.out = out,
		.x = LEFT,
		.y = y,
		.w = WIDTH - LEFT - RIGHT,
		.h = h,
		.seconds = fmax(m->seconds, m->now),
		.top = top,
	};
}

static void grid_of_sizes(const struct panel *p, int most)
{
	int steps = axis_steps(p->top, most);
	char text[32];
	for (int i = 0; i <= steps; i++) {
		double v = p->top * i / steps;

		if (v >= GIB)
			snprintf(text, sizeof(text), "%.3g GiB", v / GIB);
		else
			snprintf(text, sizeof(text), "%.0f MiB", v / MIB);
		panel_grid(p, v, i ? text : "0");
	}
}

/* --- the VM ------------------------------------------------------------------ */

static void draw_moments(const struct panel *p, const struct model *m, double down_to)
{
	double free_from[3] = { 0, 0, 0 };

	for (size_t i = 0; i < m->nr_marks; i++) {
		const struct mark *k = &m->marks[i];
		bool start = k->kind == MARK_START;
		double x = panel_x(p, k->t), y;
		char text[NAME_MAX_LEN + 16];
		size_t level = 0;

		if (!start && k->kind != MARK_EXIT)
			continue;
		snprintf(text, sizeof(text), "%s %s", k->name, start ? "starts" : "ends");
		while (level < 2 && free_from[level] > x)
			level++;
		free_from[level] = x + 7.0 * (double)strlen(text) + 10;
		y = p->y - 12 - 16 * (double)level;
		panel_rule(p, x, y - 10, x, down_to, start ? "at-start" : "at-end");
		panel_text(p, x + 4, y, "start", start ? "moment starts" : "moment ends", text);
	}
}

static void draw_vm(FILE *out, const struct model *m, double down_to)
{
	struct summary s = summary_of(m);
	/* The size that it ends with fits in; that of the start, all of the RAM, may not. */
	struct panel p = panel_at(out, m, VM_TOP, VM_HEIGHT,
				  axis_top(fmax(s.peak, series_last(&m->actual, 0)) * 1.02));
	double y[2] = { panel_y(&p, s.peak), panel_y(&p, s.end) };
	double x = panel_x(&p, m->now) + 10;
	char size[32];

	panel_text(&p, LEFT, VM_TOP - 62, "start", "heading",
		   "The VM: what it holds of the host's memory");
	grid_of_sizes(&p, 4);
	panel_area(&p, &m->held, &m->resident, "back-area");
	panel_area(&p, &m->resident, NULL, "memory-area");
	if (!m->without)
		panel_line(&p, &m->held, "held");
	if (m->target.n)
		panel_line(&p, &m->target, "want");
	if (m->actual.n)
		panel_line(&p, &m->actual, "size");
	panel_line(&p, &m->resident, "memory");
	panel_time_axis(&p, true);
	draw_moments(&p, m, down_to);
	spread_labels(y, 2, 46, p.y + p.h - 18);
	if (!m->without) {
		panel_text(&p, x, y[0] + 4, "start", "soft",
			   size_words(s.peak, size, sizeof(size)));
		panel_text(&p, x, y[0] + 20, "start", "soft", "had nothing been given back");
	}
	panel_text(&p, x, y[1] + 4, "start", "figure memory-ink",
		   size_words(s.end, size, sizeof(size)));
	panel_text(&p, x, y[1] + 20, "start", "", "at the end");
	if (m->actual.n)
		panel_text(&p, LEFT, VM_TOP - 44, "start", "soft",
			   "thin line: the VM's size, which its balloon sets; dotted: what it asks "
			   "for, which is what is needed and headroom");
}

/* --- the VM that competes ------------------------------------------------------ */

static void draw_second(FILE *out, const struct model *m, double y)
{
	const struct second *s = &m->second;
	double most = fmax(series_max(&s->want, 0, m->now), series_max(&s->size, 0, m->now));
	struct panel p = panel_at(out, m, y, BOX_HEIGHT, axis_top(most));
	double x = p.x + p.w + 10;
	char a[32], line[96];

	fprintf(out,
		"<text x='%.1f' y='%.1f' class='heading'>A second VM, on the same host"
		"<tspan class='soft' dx='10'>",
		LEFT, y - 14);
	if (m->budget > 0)
		fprintf(out, "%s for both of them; who has idle memory gives first",
			size_words(m->budget, a, sizeof(a)));
	fputs("</tspan></text>\n", out);
	grid_of_sizes(&p, 2);
	panel_area(&p, &s->resident, NULL, "memory-area");
	panel_line(&p, &s->resident, "memory");
	panel_line(&p, &s->want, "want");
	panel_line(&p, &s->size, "size");
	panel_time_axis(&p, false);
	snprintf(line, sizeof(line), "%s held at most",
		 size_words(series_max(&s->resident, 0, m->now), a, sizeof(a)));
	panel_text(&p, x, p.y + 14, "start", "", line);
	snprintf(line, sizeof(line), "%s at the end",
		 size_words(series_last(&s->resident, 0), a, sizeof(a)));
	panel_text(&p, x, p.y + 32, "start", "", line);
	snprintf(line, sizeof(line), "its size then %s",
		 size_words(series_last(&s->size, 0), a, sizeof(a)));
	panel_text(&p, x, p.y + 50, "start", "soft", line);
}

/* --- a container ---------------------------------------------------------------- */

/* a + sign × b, at the points of a. Returns false where there is no memory. */
static bool combine(struct series *to, const struct series *a, const struct series *b, double sign)
{
	to->p = calloc(a->n ? a->n : 1, sizeof(*to->p));
	if (!to->p)
		return false;
	to->n = a->n;
	for (size_t i = 0; i < a->n; i++)
		to->p[i] = (struct point){ a->p[i].t,
					   fmax(0, a->p[i].v + sign * series_at(b, a->p[i].t, 0)) };
	return true;
}

static void box_facts(const struct panel *p, const struct model *m, const struct box *b)
{
	double x = p->x + p->w + 10;
	char a[32], line[96];

	if (m->without)
		return;
	snprintf(line, sizeof(line), "%s taken", size_words(box_taken(b), a, sizeof(a)));
	panel_text(p, x, p->y + 14, "start", "", line);
	snprintf(line, sizeof(line), "%s came back", size_words(box_refaulted(b), a, sizeof(a)));
	panel_text(p, x, p->y + 32, "start", "", line);
	if (b->running)
		snprintf(line, sizeof(line), "%s in memory at the end",
			 size_words(b->bytes, a, sizeof(a)));
	panel_text(p, x, p->y + 50, "start", "soft", b->running ? line : "gone at the end");
	if (b->running)
		panel_text(p, x, p->y + 68, "start", "soft", b->state);
}

static void draw_box(FILE *out, const struct model *m, const struct box *b, double y, double top)
{
	struct panel p = panel_at(out, m, y, BOX_HEIGHT, top);
	struct series hot = { 0 }, all = { 0 };

	fprintf(out, "<text x='%.1f' y='%.1f' class='heading'>", LEFT, y - 14);
	xml_text(out, b->name);
	fputs("<tspan class='soft' dx='10'>", out);
	xml_text(out, b->role);
	fputs("</tspan></text>\n", out);
	grid_of_sizes(&p, 2);
	if (combine(&hot, &b->bytes_s, &b->cold_s, -1) &&
	    combine(&all, &b->bytes_s, &b->swap_s, 1)) {
		panel_area(&p, &all, &b->bytes_s, "compressed");
		panel_area(&p, &b->bytes_s, &hot, "cold");
		panel_area(&p, &hot, NULL, "used");
	}
	panel_time_axis(&p, false);
	box_facts(&p, m, b);
	free(hot.p);
	free(all.p);
}

static void draw_legend(FILE *out, double x, double y)
{
	static const struct {
		const char *class, *text;
		double width;
	} items[] = {
		{ "used", "in memory, used", 132 },
		{ "cold", "in memory, cold", 132 },
		{ "compressed", "taken, kept compressed (its size before)", 0 },
	};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		fprintf(out,
			"<rect x='%.1f' y='%.1f' width='12' height='12' rx='2' class='%s'/>"
			"<text x='%.1f' y='%.1f'>%s</text>\n",
			x, y - 10, items[i].class, x + 18, y, items[i].text);
		x += items[i].width;
	}
}

/* --- latency -------------------------------------------------------------------- */

static bool quantile_series(const struct lat *l, bool p99, struct series *s)
{
	s->p = calloc(l->n ? l->n : 1, sizeof(*s->p));
	if (!s->p)
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (l->sec[i].n)
			s->p[s->n++] =
				(struct point){ l->sec[i].t, p99 ? l->sec[i].p99 : l->sec[i].p50 };
	return true;
}

static void dots(const struct panel *p, const struct series *s, const char *class)
{
	for (size_t i = 0; i < s->n; i++)
		fprintf(p->out, "<circle cx='%.1f' cy='%.1f' r='2.6' class='%s'/>\n",
			panel_x(p, s->p[i].t), panel_y(p, s->p[i].v), class);
}

static void latency_facts(const struct panel *p, const struct model *m, const struct lat *l)
{
	struct cost c = cost_of(m, l);
	const struct {
		const char *what;
		const struct quantiles *q;
	} rows[] = { { m->without ? "undisturbed" : "before", &c.before },
		     { "after", &c.after },
		     { "beside others", &c.beside } };
	double x = p->x + p->w + 10, y = p->y + 4;
	char a[32], b[32], text[96];

	for (size_t i = 0; i < 3; i++) {
		const struct quantiles *q = rows[i].q;

		if (m->without && !q->n)
			continue;
		panel_text(p, x, y + 4, "start", "soft", rows[i].what);
		if (q->n)
			snprintf(text, sizeof(text), "p50 %s, p99 %s",
				 latency_words(q->p50, a, sizeof(a)),
				 latency_words(q->p99, b, sizeof(b)));
		else
			snprintf(text, sizeof(text), "not measured");
		panel_text(p, x, y + 20, "start", "", text);
		y += 36;
	}
}

static void draw_latency(FILE *out, const struct model *m, const struct lat *l, double y)
{
	struct panel p = panel_at(out, m, y, LAT_HEIGHT, 0);
	struct series p50 = { 0 }, p99 = { 0 };
	bool dense = (double)l->n > m->now / 3;
	const struct box *b = NULL;
	double low, high;
	char text[64], a[32];

	for (size_t i = 0; i < m->nr_boxes; i++)
		if (!strcmp(m->boxes[i].name, l->name))
			b = &m->boxes[i];
	if (!quantile_series(l, false, &p50) || !quantile_series(l, true, &p99) || !p50.n)
		goto out;
	low = series_min(&p50, -INFINITY, INFINITY);
	high = series_max(&p99, -INFINITY, INFINITY);
	p.log_scale = true;
	p.bottom = floor(log10(fmax(low, 1)));
	p.top = fmax(ceil(log10(fmax(high, 10))), p.bottom + 1);
	snprintf(text, sizeof(text), "How fast %s answers", l->name);
	fprintf(out, "<text x='%.1f' y='%.1f' class='heading'>%s", LEFT, y - 14, text);
	if (dense)
		fputs("<tspan dx='12' class='memory-ink'>p50</tspan><tspan dx='8' "
		      "class='slow-ink'>p99</tspan><tspan dx='8' class='soft'>of each "
		      "second, logarithmic</tspan></text>\n",
		      out);
	else
		fputs("<tspan dx='12' class='soft'>a dot a request, logarithmic</tspan></text>\n",
		      out);
	for (double e = p.bottom; e <= p.top + 0.1; e++)
		panel_grid(&p, pow(10, e), latency_words(pow(10, e), a, sizeof(a)));
	if (dense) {
		panel_line(&p, &p99, "slow");
		panel_line(&p, &p50, "memory");
	} else {
		dots(&p, &p99, "memory-ink");
	}
	if (b && !isnan(b->first_taken_t)) {
		double x = panel_x(&p, b->first_taken_t);

		panel_rule(&p, x, y, x, y + p.h, "since");
		panel_text(&p, x + 5, y + 11, "start", "soft over",
			   "from here on memory was taken");
	}
	panel_time_axis(&p, true);
	latency_facts(&p, m, l);
out:
	free(p50.p);
	free(p99.p);
}

/* --- all of it ------------------------------------------------------------------- */

static void draw_title(FILE *out, const struct model *m)
{
	struct summary s = summary_of(m);
	const char *what = m->without ? "The same without ebb" : "What the VM held";
	char a[32], b[32], c[32];

	/* The heading says no more than the figures do. */
	if (!m->without && s.end < 0.8 * s.peak)
		what = "Memory that nobody used went back";
	fprintf(out, "<text x='%.1f' y='42' class='title'>%s: %s at most, %s at the end</text>\n",
		LEFT, what, size_words(s.peak, a, sizeof(a)), size_words(s.end, b, sizeof(b)));
	fprintf(out, "<text x='%.1f' y='66' class='soft'>%.2f GiB min held instead of %.2f. ", LEFT,
		s.area / GIB / 60, s.held_area / GIB / 60);
	if (s.taken > 0)
		fprintf(out, "%s taken from containers, of which %.2f%% came back.",
			size_words(s.taken, c, sizeof(c)), 100 * s.refaulted / s.taken);
	fprintf(out, "</text>\n<text x='%.1f' y='86' class='soft'>", LEFT);
	if (!m->without)
		fputs("ebb ", out);
	xml_text(out, m->without ? "No ebbd" : m->ebb);
	fputs(", Linux ", out);
	xml_text(out, m->kernel);
	fprintf(out, ", VM of %.3g GiB", m->ram / GIB);
	if (*m->accel)
		fprintf(out, " (%s)", m->accel);
	if (!m->without)
		fprintf(out, ", cold after %.0f s", m->cold_after);
	fputs("</text>\n", out);
}

void svg_write(FILE *out, const struct model *m)
{
	double y = VM_TOP + VM_HEIGHT + GAP + 62, most = 64 * MIB, bottom;
	double boxes = (double)m->nr_boxes, lats = (double)m->nr_lats;
	double second = m->second.size.n ? y - 46 : 0;
	double height = (y += second > 0 ? BOX_HEIGHT + GAP : 0) + boxes * (BOX_HEIGHT + GAP) +
			lats * (LAT_HEIGHT + GAP);

	for (size_t i = 0; i < m->nr_boxes; i++) {
		const struct box *b = &m->boxes[i];

		for (size_t k = 0; k < b->bytes_s.n; k++)
			most = fmax(most, b->bytes_s.p[k].v +
						  series_at(&b->swap_s, b->bytes_s.p[k].t, 0));
	}
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %.0f %.0f' width='%.0f' "
		"height='%.0f' font-family='Inter, \"Helvetica Neue\", Arial, \"Liberation Sans\", "
		"\"DejaVu Sans\", sans-serif'>\n",
		WIDTH, height, WIDTH, height);
	svg_style(out);
	fprintf(out, "<rect width='%.0f' height='%.0f' rx='10' class='paper'/>\n", WIDTH, height);
	draw_title(out, m);
	bottom = y + boxes * (BOX_HEIGHT + GAP) - GAP;
	draw_vm(out, m, bottom);
	if (second > 0)
		draw_second(out, m, second);
	draw_legend(out, LEFT, y - 46);
	for (size_t i = 0; i < m->nr_boxes; i++, y += BOX_HEIGHT + GAP)
		draw_box(out, m, &m->boxes[i], y, axis_top(most));
	for (size_t i = 0; i < m->nr_boxes; i++) {
		const struct lat *l = model_lat(m, m->boxes[i].name);

		if (!l)
			continue;
		draw_latency(out, m, l, y);
		y += LAT_HEIGHT + GAP;
	}
	fputs("</svg>\n", out);
}
