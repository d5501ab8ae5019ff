/* SPDX-License-Identifier: GPL-2.0-only */
/* Panels over one axis of time, and the primitives that svg.c draws them with. */
#ifndef DEMO_SVG_H
#define DEMO_SVG_H

#include <stdio.h>

#include "model.h"

/* After Okabe and Ito: told apart by colour-blind eyes, and in grey by lightness. */
#define COLOR_MEMORY "#0072B2"
#define COLOR_HOT "#D98200"
#define COLOR_COLD "#56B4E9"
#define COLOR_SWAP "#B07AA1"
#define COLOR_START "#00795A"
#define COLOR_EXIT "#C0392B"
#define COLOR_TEXT "#22272e"
#define COLOR_SOFT "#66707b"
#define COLOR_GRID "#e4e7eb"

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
		const char *fill, double opacity);
void panel_line(const struct panel *p, const struct series *s, const char *style);

/* Moves labels apart that are closer than `gap`, keeping their order; n is small. */
void spread_labels(double *y, size_t n, double gap, double lowest);

#endif /* DEMO_SVG_H */
