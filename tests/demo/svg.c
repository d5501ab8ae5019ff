// SPDX-License-Identifier: GPL-2.0-only
#include "svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "screen.h"
#include "words.h"

#define STEP_PX 1.0 /* finer than that no curve is drawn */

/*
 * Hues after Okabe and Ito: told apart by colour-blind eyes, and in grey by lightness. A picture
 * inside a page follows the reader's scheme; one that is turned into pixels is light.
 */
static const struct {
	const char *rule, *light, *dark; /* a rule that ends with a colour */
} styles[] = {
	{ ".paper{fill:", "#ffffff", "#0d1117" },
	{ "text{font-size:13px;fill:", "#22272e", "#e6edf3" },
	{ ".soft,.tick{fill:", "#5f6975", "#9aa4af" },
	{ ".grid{stroke:", "#e6e9ed", "#21262d" },
	{ ".axis,.since{stroke:", "#8c959f", "#6e7681" },
	{ ".moment,.heading,.over{paint-order:stroke;stroke-width:4px;stroke:", "#ffffff",
	  "#0d1117" },
	{ ".starts{fill:", "#00795a", "#3fb68b" },
	{ ".ends{fill:", "#c0392b", "#f0776a" },
	{ ".at-start{stroke-opacity:.5;stroke-dasharray:2 3;stroke:", "#00795a", "#3fb68b" },
	{ ".at-end{stroke-opacity:.6;stroke-dasharray:2 3;stroke:", "#c0392b", "#f0776a" },
	{ ".memory{fill:none;stroke-width:2.2;stroke:", "#0072b2", "#4aa8e8" },
	{ ".memory-area{fill-opacity:.2;fill:", "#0072b2", "#4aa8e8" },
	{ ".memory-ink{fill:", "#0072b2", "#58b0f0" },
	{ ".size{fill:none;stroke-width:1.5;stroke:", "#a2602a", "#e0a15f" },
	{ ".want{fill:none;stroke-width:1.5;stroke-dasharray:2 3;stroke:", "#a2602a", "#e0a15f" },
	{ ".held{fill:none;stroke-width:1.5;stroke-dasharray:6 4;stroke:", "#5f6975", "#9aa4af" },
	{ ".back-area{fill-opacity:.11;fill:", "#00795a", "#3fb68b" },
	{ ".back-ink{fill:", "#00795a", "#3fb68b" },
	{ ".used{fill:", "#e08e1b", "#e0952c" },
	{ ".cold{fill:", "#6fbfe9", "#4b9fce" },
	{ ".compressed{fill:", "#d3b6cb", "#6f5470" },
	{ ".slow{fill:none;stroke-width:1.5;stroke:", "#d98200", "#e0952c" },
	{ ".slow-ink{fill:", "#b56a00", "#e0952c" },
};

void svg_style(FILE *out)
{
	fputs("<style>.title{font-size:25px;font-weight:600}.heading{font-size:15px;"
	      "font-weight:600}.soft{font-weight:400;font-size:13px}.tick{font-size:12px}"
	      ".moment{font-size:12px}.figure{font-size:20px;font-weight:600}\n",
	      out);
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
		fprintf(out, "%s%s}", styles[i].rule, styles[i].light);
	fputs("\n@media (prefers-color-scheme:dark){", out);
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
		fprintf(out, "%s%s}", styles[i].rule, styles[i].dark);
	fputs("}</style>\n", out);
}

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

void panel_rule(const struct panel *p, double x1, double y1, double x2, double y2,
		const char *class)
{
	fprintf(p->out, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' class='%s'/>\n", x1, y1, x2,
		y2, class);
}

void panel_grid(const struct panel *p, double v, const char *label)
{
	double y = panel_y(p, v);

	panel_rule(p, p->x, y, p->x + p->w, y, "grid");
	panel_text(p, p->x - 8, y + 4, "end", "tick", label);
}

void panel_time_axis(const struct panel *p, bool labels)
{
	double tick = axis_tick(p->seconds), y = p->y + p->h;
	char text[16];

	panel_rule(p, p->x, y, p->x + p->w, y, "axis");
	for (double t = 0; t <= p->seconds + 0.5; t += tick) {
		double x = panel_x(p, t);

		panel_rule(p, x, y, x, y + 4, "axis");
		if (labels)
			panel_text(p, x, y + 18, "middle", "tick",
				   clock_words(t, text, sizeof(text)));
	}
}

/* The points that show: one a pixel at most, and none that changes nothing. NULL: no memory. */
static struct point *steps_of(const struct panel *p, const struct series *s, size_t *n)
{
	struct point *steps = calloc(s->n ? s->n : 1, sizeof(*steps));

	*n = 0;
	for (size_t i = 0; steps && i < s->n; i++) {
		struct point at = { panel_x(p, s->p[i].t), panel_y(p, s->p[i].v) };
		bool must = !*n || i + 1 == s->n;

		if (must ||
		    (at.t - steps[*n - 1].t >= STEP_PX && fabs(at.v - steps[*n - 1].v) >= 0.05))
			steps[(*n)++] = at;
	}
	return steps;
}

static void path_forward(const struct panel *p, const struct series *s)
{
	size_t n;
	struct point *steps = steps_of(p, s, &n);

	for (size_t i = 0; i < n; i++)
		fprintf(p->out, i ? "H%.1fV%.1f" : "M%.1f,%.1f", steps[i].t, steps[i].v);
	free(steps);
}

/* From the last point to the first. */
static void path_backward(const struct panel *p, const struct series *s)
{
	size_t n;
	struct point *steps = steps_of(p, s, &n);

	for (size_t i = n; i-- > 0;)
		if (i + 1 == n)
			fprintf(p->out, "L%.1f,%.1f", steps[i].t, steps[i].v);
		else
			fprintf(p->out, "V%.1fH%.1f", steps[i].v, steps[i].t);
	free(steps);
}

void panel_area(const struct panel *p, const struct series *s, const struct series *below,
		const char *class)
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
	fprintf(p->out, "Z' class='%s'/>\n", class);
}

void panel_line(const struct panel *p, const struct series *s, const char *class)
{
	if (!s->n)
		return;
	fputs("<path d='", p->out);
	path_forward(p, s);
	fprintf(p->out, "' class='%s'/>\n", class);
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
