// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <string.h>

#include "screen.h"
#include "summary.h"
#include "words.h"

void plain_marks(FILE *out, const struct model *m, size_t *next)
{
	char when[16];

	for (; *next < m->nr_marks; (*next)++) {
		const struct mark *k = &m->marks[*next];

		fprintf(out, "%5s  * %s%s%s\n", clock_words(k->t, when, sizeof(when)), k->name,
			*k->name ? ": " : "", k->text);
	}
}

void plain_status(FILE *out, const struct model *m)
{
	double now = series_last(&m->resident, NAN), held = series_last(&m->held, NAN);
	char when[16], a[32], b[32], c[32], d[32], e[32];

	if (isnan(now))
		return;
	fprintf(out, "%5s  VM holds %s, given back %s", clock_words(m->now, when, sizeof(when)),
		size_words(now, a, sizeof(a)), size_words(held - now, b, sizeof(b)));
	if (m->target.n)
		fprintf(out, ", size %s, wanted %s",
			size_words(series_last(&m->actual, NAN), a, sizeof(a)),
			size_words(series_last(&m->target, NAN), b, sizeof(b)));
	if (m->second.size.n)
		fprintf(out, "; the second VM holds %s, size %s, wanted %s%s",
			size_words(series_last(&m->second.resident, 0), a, sizeof(a)),
			size_words(series_last(&m->second.size, 0), b, sizeof(b)),
			size_words(series_last(&m->second.want, 0), c, sizeof(c)),
			m->squeezed          ? " (the first gives)"
			: m->second.squeezed ? " (it gives)"
					     : "");
	for (size_t i = 0; i < m->nr_lats; i++) {
		struct cost cost = cost_of(m, &m->lats[i]);

		fprintf(out, "; %s p50 %s p99 %s", m->lats[i].name,
			latency_words(cost.now_p50, a, sizeof(a)),
			latency_words(cost.now_p99, b, sizeof(b)));
	}
	fputc('\n', out);
	for (size_t i = 0; i < m->nr_boxes; i++) {
		const struct box *x = &m->boxes[i];

		if (!x->running && x->bytes <= 0)
			continue;
		fprintf(out, "       %-8s memory %s, cold %s, compressed %s, taken %s, back %s",
			x->name, size_words(x->bytes, a, sizeof(a)),
			size_words(x->cold, b, sizeof(b)), size_words(x->swap, c, sizeof(c)),
			size_words(box_taken(x), d, sizeof(d)),
			size_words(box_refaulted(x), e, sizeof(e)));
		if (x->listed)
			fprintf(out, "; %s%s%s", x->state, *x->reason ? ": " : "", x->reason);
		fputc('\n', out);
	}
	fflush(out);
}
