// SPDX-License-Identifier: GPL-2.0-only
#include "summary.h"

#include <math.h>
#include <string.h>

#include "words.h"

#define NOW_SECONDS 10

/*
 * Whether another container than `name` starts, or runs one that ends by itself (a build), at t:
 * then it competes for the CPUs, and what latency does has nothing to do with memory.
 */
static bool disturbed(const struct model *m, const char *name, double t)
{
	for (size_t i = 0; i < m->nr_marks; i++) {
		const struct mark *k = &m->marks[i], *until = NULL;
		double end = INFINITY;

		if (k->kind != MARK_START || k->t > t || !strcmp(k->name, name))
			continue;
		for (size_t j = i + 1; j < m->nr_marks && !until; j++)
			if (!strcmp(m->marks[j].name, k->name) &&
			    (m->marks[j].kind == MARK_EXIT || m->marks[j].kind == MARK_READY))
				until = &m->marks[j];
		if (until)
			end = until->t;
		/* A second of grace: the samples are of whole seconds. */
		if (t < end + 1.5)
			return true;
	}
	return false;
}

static double ready_t(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nr_marks; i++)
		if (m->marks[i].kind == MARK_READY && !strcmp(m->marks[i].name, name))
			return m->marks[i].t;
	return INFINITY;
}

static void add_second(struct hist *h, const struct lat *l, const struct latency_second *s)
{
	for (size_t k = 0; k < s->nr; k++)
		hist_add(h, l->slots[s->first + k].slot, l->slots[s->first + k].count);
}

static struct quantiles quantiles_of(const struct hist *h)
{
	return (struct quantiles){ h->total, hist_quantile(h, 0.5), hist_quantile(h, 0.99) };
}

struct cost cost_of(const struct model *m, const struct lat *l)
{
	struct hist now = { 0 }, before = { 0 }, after = { 0 }, beside = { 0 };
	double from = l ? ready_t(m, l->name) : 0, first = NAN;
	struct cost cost = { 0 };

	if (!l)
		return cost;
	for (size_t i = 0; i < m->nr_boxes; i++)
		if (!strcmp(m->boxes[i].name, l->name))
			first = m->boxes[i].first_taken_t;
	for (size_t i = 0; i < l->n; i++) {
		const struct latency_second *s = &l->sec[i];

		if (s->t > m->now - NOW_SECONDS)
			add_second(&now, l, s);
		if (s->t < from)
			continue;
		if (isnan(first) || s->t < first)
			add_second(disturbed(m, l->name, s->t) ? &beside : &before, l, s);
		else
			add_second(disturbed(m, l->name, s->t) ? &beside : &after, l, s);
	}
	cost.now_p50 = hist_quantile(&now, 0.5);
	cost.now_p99 = hist_quantile(&now, 0.99);
	cost.before = quantiles_of(&before);
	cost.after = quantiles_of(&after);
	cost.beside = quantiles_of(&beside);
	return cost;
}

struct summary summary_of(const struct model *m)
{
	struct summary s = { .start = NAN, .peak = NAN, .end = NAN };

	if (m->resident.n) {
		s.start = m->resident.p[0].v;
		s.end = series_last(&m->resident, NAN);
	}
	for (size_t i = 0; i < m->resident.n; i++)
		if (isnan(s.peak) || m->resident.p[i].v > s.peak) {
			s.peak = m->resident.p[i].v;
			s.peak_t = m->resident.p[i].t;
		}
	s.area = series_area(&m->resident, 0, m->now);
	s.held_area = series_area(&m->held, 0, m->now);
	for (size_t i = 0; i < m->nr_boxes; i++) {
		s.taken += box_taken(&m->boxes[i]);
		s.refaulted += box_refaulted(&m->boxes[i]);
	}
	s.compressed = m->compressed;
	s.compressed_original = m->compressed_original;
	return s;
}

static void print_quantiles(FILE *out, const struct model *m, const char *what,
			    const struct quantiles *q)
{
	char a[32], b[32];

	if (!q->n && m->without)
		return;
	if (!q->n) {
		fprintf(out, "    %-36s not measured in this run\n", what);
		return;
	}
	fprintf(out, "    %-36s p50 %-7s p99 %-7s of %llu\n", what,
		latency_words(q->p50, a, sizeof(a)), latency_words(q->p99, b, sizeof(b)),
		(unsigned long long)q->n);
}

static void print_box(FILE *out, const struct box *x, double most, const char *end)
{
	char a[32], b[32], c[32];

	fprintf(out, "    %-10.10s %10s %10s %10s %10s\n", x->name,
		most > 0 ? size_words(most, a, sizeof(a)) : "", end,
		size_words(box_taken(x), b, sizeof(b)), size_words(box_refaulted(x), c, sizeof(c)));
}

static void print_boxes(FILE *out, const struct model *m)
{
	char size[32];

	fprintf(out, "    %-10s %10s %10s %10s %10s\n", "", "at most", "at the end", "taken",
		"came back");
	for (size_t i = 0; i < m->nr_boxes; i++) {
		const struct box *x = &m->boxes[i];

		print_box(out, x, series_max(&x->bytes_s, -INFINITY, INFINITY),
			  x->bytes > 0 ? size_words(x->bytes, size, sizeof(size)) : "gone");
	}
	if (box_taken(&m->other) > 0)
		print_box(out, &m->other, 0, "");
}

static void print_cost(FILE *out, const struct model *m, const struct summary *s)
{
	char a[32], b[32];

	if (!m->without)
		fprintf(out, "\n  What it cost\n");
	if (s->taken > 0)
		fprintf(out, "    %s of the %s taken from containers came back: %.2f%%\n",
			size_words(s->refaulted, a, sizeof(a)), size_words(s->taken, b, sizeof(b)),
			100 * s->refaulted / s->taken);
	if (s->compressed > 0)
		fprintf(out, "    %s lie compressed in the VM, in %s of its memory\n",
			size_words(s->compressed_original, a, sizeof(a)),
			size_words(s->compressed, b, sizeof(b)));
	if (m->ebbd_memory > 0)
		fprintf(out, "    ebbd used %.1f s of %sCPU, with compression, and %s of memory\n",
			m->ebbd_cpu, strcmp(m->accel, "KVM") ? "emulated " : "",
			size_words(m->ebbd_memory, a, sizeof(a)));
	for (size_t i = 0; i < m->nr_boxes; i++) {
		const struct lat *l = model_lat(m, m->boxes[i].name);
		struct cost cost;

		if (!l)
			continue;
		cost = cost_of(m, l);
		fprintf(out, "\n  How fast %s answers\n", l->name);
		print_quantiles(out, m,
				m->without ? "undisturbed" : "before any of its memory was taken",
				&cost.before);
		print_quantiles(out, m, "since then", &cost.after);
		print_quantiles(out, m, "while others started or a build ran", &cost.beside);
	}
}

static void print_second(FILE *out, const struct model *m)
{
	const struct second *s = &m->second;
	char a[32], b[32], c[32];

	if (!s->size.n)
		return;
	fprintf(out, "    A second VM beside it held %s at most and %s at the end, its size %s.\n",
		size_words(series_max(&s->resident, 0, m->now), a, sizeof(a)),
		size_words(series_last(&s->resident, 0), b, sizeof(b)),
		size_words(series_last(&s->size, 0), c, sizeof(c)));
	if (m->budget > 0)
		fprintf(out, "    Both had %s of the host, in sum.\n",
			size_words(m->budget, a, sizeof(a)));
	fputc('\n', out);
}

void summary_print(FILE *out, const struct model *m)
{
	struct summary s = summary_of(m);
	char a[32], b[32], c[32];

	if (isnan(s.peak)) {
		fprintf(out, "  nothing was measured\n");
		return;
	}
	fprintf(out, "  What was given back\n");
	fprintf(out, "    The VM held at most %s of the host's memory, at %s, and %s\n",
		size_words(s.peak, a, sizeof(a)), clock_words(s.peak_t, b, sizeof(b)),
		size_words(s.end, c, sizeof(c)));
	if (m->without) {
		fprintf(out, "    at the end; over the run %.2f GiB min. No ebbd ran.\n\n",
			s.area / GIB / 60);
		print_boxes(out, m);
		print_cost(out, m, &s);
		return;
	}
	fprintf(out, "    at the end: %s went back. Over the run it held %.2f GiB min; a VM\n",
		size_words(s.peak - s.end, a, sizeof(a)), s.area / GIB / 60);
	fprintf(out, "    that keeps what it once touched would have held %.2f: %.0f%% less.\n\n",
		s.held_area / GIB / 60, 100 * (1 - s.area / fmax(s.held_area, 1)));
	if (m->actual.n)
		fprintf(out,
			"    Its size, set by the broker, was %s of %s at the end:\n    %s.\n\n",
			size_words(series_last(&m->actual, NAN), a, sizeof(a)),
			size_words(m->ram, b, sizeof(b)),
			m->squeezed ? "it asked for more, and the two VMs share what there is"
				    : m->size_reason);
	print_second(out, m);
	print_boxes(out, m);
	print_cost(out, m, &s);
}
