// SPDX-License-Identifier: GPL-2.0-only
#include "svg.h"

#include <math.h>
#include <string.h>

#include "report.h"
#include "screen.h"
#include "words.h"

#define STEP_PX 1.0 /* finer than that no curve is drawn */

void xml_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else if (*text == '\'')
			fputs("&#39;", out);
		else
			fputc(*text, out);
	}
}

double panel_x(const struct panel *p, double t)
{
	return p->x + fmax(0, fmin(1, t / p->seconds)) * p->w;
}

double panel_y(const struct panel *p, double v)
{
	double at = p->log_scale ? log10(fmax(v, 1e-3)) : v;
	double share = (at - p->bottom) / (p->top - p->bottom);

	return p->y + p->h - fmax(0, fmin(1, share)) * p->h;
}

void panel_text(const struct panel *p, double x, double y, const char *anchor, const char *class,
		const char *text)
{
	fprintf(p->out, "<text x='%.1f' y='%.1f' text-anchor='%s' class='%s'>", x, y, anchor,
		class);
	xml_text(p->out, text);
	fputs("</text>\n", p->out);
}

void panel_grid(const struct panel *p, double v, const char *label)
{
	double y = panel_y(p, v);

	fprintf(p->out, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s'/>\n", p->x, y,
		p->x + p->w, y, COLOR_GRID);
	panel_text(p, p->x - 8, y + 4, "end", "tick", label);
}

void panel_time_axis(const struct panel *p, bool labels)
{
	double tick = axis_tick(p->seconds), y = p->y + p->h;
	char text[16];

	fprintf(p->out, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s'/>\n", p->x, y,
		p->x + p->w, y, COLOR_SOFT);
	for (double t = 0; t <= p->seconds + 0.5; t += tick) {
		double x = panel_x(p, t);

		fprintf(p->out, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s'/>\n", x,
			y, x, y + 4, COLOR_SOFT);
		if (labels)
			panel_text(p, x, y + 18, "middle", "tick",
				   clock_words(t, text, sizeof(text)));
	}
}

/* The points as steps "x,y x,y …" from `first` on, one a pixel at most. */
static void path_forward(const struct panel *p, const struct series *s)
{
	double last_x = -INFINITY, y = 0;

	for (size_t i = 0; i < s->n; i++) {
		double x = panel_x(p, s->p[i].t);

		if (x - last_x < STEP_PX && i + 1 < s->n)
			continue;
		if (isfinite(last_x))
			fprintf(p->out, "L%.1f,%.1f", x, y);
		y = panel_y(p, s->p[i].v);
		fprintf(p->out, "%c%.1f,%.1f", isfinite(last_x) ? 'L' : 'M', x, y);
		last_x = x;
	}
}

static void path_backward(const struct panel *p, const struct series *s)
{
	double last_x = INFINITY;

	for (size_t i = s->n; i-- > 0;) {
		double x = panel_x(p, s->p[i].t), y = panel_y(p, s->p[i].v);

		if (last_x - x < STEP_PX && i)
			continue;
		fprintf(p->out, "L%.1f,%.1f", isfinite(last_x) ? last_x : x, y);
		fprintf(p->out, "L%.1f,%.1f", x, y);
		last_x = x;
	}
}

void panel_area(const struct panel *p, const struct series *s, const struct series *below,
		const char *fill, double opacity)
{
	if (!s->n)
		return;
	fputs("<path d='", p->out);
	path_forward(p, s);
	if (below && below->n)
		path_backward(p, below);
	else
		fprintf(p->out, "L%.1f,%.1fL%.1f,%.1f", panel_x(p, s->p[s->n - 1].t), p->y + p->h,
			panel_x(p, s->p[0].t), p->y + p->h);
	fprintf(p->out, "Z' fill='%s' fill-opacity='%.2f'/>\n", fill, opacity);
}

void panel_line(const struct panel *p, const struct series *s, const char *style)
{
	if (!s->n)
		return;
	fputs("<path d='", p->out);
	path_forward(p, s);
	fprintf(p->out, "' fill='none' %s/>\n", style);
}

void spread_labels(double *y, size_t n, double gap, double lowest)
{
	for (size_t round = 0; round < 8; round++) {
		for (size_t i = 0; i + 1 < n; i++) {
			double lack = gap - (y[i + 1] - y[i]);

			if (lack <= 0)
				continue;
			y[i] -= lack / 2;
			y[i + 1] += lack / 2;
		}
		if (n && y[n - 1] > lowest)
			y[n - 1] = lowest;
	}
}
