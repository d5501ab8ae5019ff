/* SPDX-License-Identifier: GPL-2.0-only */
/* The live view: the VM's curve above, the containers below. */
#ifndef DEMO_SCREEN_H
#define DEMO_SCREEN_H

#include <stdio.h>

#include "model.h"
#include "term.h"

/* Draws everything; the caller flushes. */
void screen_draw(struct term *t, const struct model *m);

/* The curve alone, in rows [row, row + height + 3): the graph, its axis, the moments. */
void graph_draw(struct term *t, const struct model *m, int row, int height);

/* For what is no terminal: one line on the machine and one a container. */
void plain_status(FILE *out, const struct model *m);
/* One line for each mark from *next on, which moves. */
void plain_marks(FILE *out, const struct model *m, size_t *next);

/* The next round size above, for the top of an axis. */
double axis_top(double bytes);
/* In how many steps, at most so many, its sizes are round. */
int axis_steps(double top, int most);
/* The distance of ticks on an axis of time, seconds. */
double axis_tick(double seconds);

#endif /* DEMO_SCREEN_H */
