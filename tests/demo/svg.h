/* SPDX-License-Identifier: GPL-2.0-only */
/* Panels over one axis of time, and the primitives that svg.c draws them with. */
#ifndef DEMO_SVG_H
#define DEMO_SVG_H

#include <stdio.h>

#include "model.h"

/* How things look is in classes: svg_style() gives each its colours, on light and on dark. */
struct panel {
	FILE *out;
	double x, y, w, h; /* the area of the plot */
	double seconds; /* of its whole width */
	double bottom, top; /* values at its edges; with log_scale their logarithms */
	bool log_scale;
};

double panel_x(const struct panel *p, double t);
double panel_y(const struct panel *p, double v);

void panel_text(const struct panel *p, double x, double y, const char *anchor, const char *class,
		const char *text);
/* A line of the grid at v, with its label at the left. */
void panel_grid(const struct panel *p, double v, const char *label);
void panel_time_axis(const struct panel *p, bool labels);

/* Steps, as the series are: filled down to `below` (NULL: the axis), or as a line. */
void panel_area(const struct panel *p, const struct series *s, const struct series *below,
		const char *class);
void panel_line(const struct panel *p, const struct series *s, const char *class);
void panel_rule(const struct panel *p, double x1, double y1, double x2, double y2,
		const char *class);

void svg_style(FILE *out);

/* Moves labels apart that are closer than `gap`, keeping their order; n is small. */
void spread_labels(double *y, size_t n, double gap, double lowest);

#endif /* DEMO_SVG_H */
