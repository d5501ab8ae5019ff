/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run gave back and what it cost, computed from the model alone. */
#ifndef DEMO_SUMMARY_H
#define DEMO_SUMMARY_H

#include <stdio.h>

#include "model.h"

struct quantiles {
	uint64_t n; /* 0: not measured */
	double p50, p99; /* microseconds */
};

/*
 * Request latency of one container. Only like is compared with like: `before` and `after` leave
 * out the times in which another container started or ran a build on the same two CPUs; those
 * are `beside`.
 */
struct cost {
	double now_p50, now_p99; /* of the last ten seconds */
	struct quantiles before; /* until the first of its memory was taken */
	struct quantiles after; /* since then */
	struct quantiles beside; /* since then, while other containers started or ran */
};

struct summary {
	double start, peak, peak_t, end; /* bytes resident, seconds */
	double area, held_area; /* byte seconds: resident, and had nothing been given back */
	double taken, refaulted; /* bytes, of the containers that the demo started */
	double compressed, compressed_original;
};

struct cost cost_of(const struct model *m, const struct lat *l);
struct summary summary_of(const struct model *m);

/* For a person, at most 78 columns wide. */
void summary_print(FILE *out, const struct model *m);

#endif /* DEMO_SUMMARY_H */
