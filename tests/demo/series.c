// SPDX-License-Identifier: GPL-2.0-only
/* Values over time: steps, each holding until the next. */
#include <math.h>

#include "model.h"

/* The last point at or before t, as an index; n where there is none. */
static size_t series_find(const struct series *s, double t)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->p[mid].t <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : s->n;
}

double series_last(const struct series *s, double fallback)
{
	return s->n ? s->p[s->n - 1].v : fallback;
}

double series_at(const struct series *s, double t, double fallback)
{
	size_t i = series_find(s, t);

	return i < s->n ? s->p[i].v : fallback;
}

static double series_extreme(const struct series *s, double from, double to, double sign)
{
	double best = NAN;
	size_t i = series_find(s, from);

	if (i == s->n)
		i = 0;
	for (; i < s->n && s->p[i].t <= to; i++)
		if (isnan(best) || s->p[i].v * sign > best * sign)
			best = s->p[i].v;
	return best;
}

double series_max(const struct series *s, double from, double to)
{
	return series_extreme(s, from, to, 1);
}

double series_min(const struct series *s, double from, double to)
{
	return series_extreme(s, from, to, -1);
}

double series_area(const struct series *s, double from, double to)
{
	double area = 0;

	for (size_t i = 0; i < s->n; i++) {
		double a = fmax(s->p[i].t, from);
		double b = fmin(i + 1 < s->n ? s->p[i + 1].t : to, to);

		if (b > a)
			area += s->p[i].v * (b - a);
	}
	return area;
}
