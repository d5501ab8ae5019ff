// SPDX-License-Identifier: GPL-2.0-only
#include "model_int.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void *grown(void *array, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap + *cap / 2 : 16;
	void *more;

	if (n < *cap)
		return array;
	more = realloc(array, want * size);
	if (more)
		*cap = want;
	return more;
}

int series_add(struct series *s, double t, double v)
{
	/* Lines of one run are in order of time; what is not would break every search. */
	if (s->n && t < s->p[s->n - 1].t)
		return -EINVAL;
	if (!GROW(s->p, s->n, s->cap))
		return -ENOMEM;
	s->p[s->n++] = (struct point){ t, v };
	return 0;
}

void copy_clean(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; from && *from && n + 1 < size; from++)
		to[n++] = isprint((unsigned char)*from) ? *from : '?';
	to[n] = '\0';
}

void model_init(struct model *m)
{
	*m = (struct model){ .seconds = 240, .other = { .name = "the rest" } };
}

void model_free(struct model *m)
{
	for (size_t i = 0; i < m->nr_boxes; i++) {
		free(m->boxes[i].bytes_s.p);
		free(m->boxes[i].cold_s.p);
		free(m->boxes[i].swap_s.p);
		free(m->boxes[i].taken_s.p);
		free(m->boxes[i].refaulted_s.p);
	}
	for (size_t i = 0; i < m->nr_lats; i++) {
		free(m->lats[i].sec);
		free(m->lats[i].slots);
	}
	free(m->boxes);
	free(m->lats);
	free(m->marks);
	free(m->resident.p);
	free(m->held.p);
	free(m->target.p);
	free(m->actual.p);
	free(m->second.resident.p);
	free(m->second.size.p);
	free(m->second.want.p);
	model_init(m);
}

struct box *model_box(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nr_boxes; i++)
		if (!strcmp(m->boxes[i].name, name))
			return &m->boxes[i];
	return NULL;
}

struct box *add_box(struct model *m, const char *name)
{
	char clean[NAME_MAX_LEN];
	struct box *b;

	copy_clean(clean, sizeof(clean), name);
	b = model_box(m, clean);
	if (b)
		return b;
	if (!GROW(m->boxes, m->nr_boxes, m->cap_boxes))
		return NULL;
	b = &m->boxes[m->nr_boxes++];
	*b = (struct box){ .first_taken_t = NAN };
	copy_clean(b->name, sizeof(b->name), clean);
	return b;
}

int add_mark(struct model *m, double t, enum mark_kind kind, const char *name, const char *text)
{
	struct mark *mark;

	if (!GROW(m->marks, m->nr_marks, m->cap_marks))
		return -ENOMEM;
	/* Files are read one after the other, so the lines of one moment come out of order. */
	mark = &m->marks[m->nr_marks++];
	for (; mark > m->marks && mark[-1].t > t; mark--)
		*mark = mark[-1];
	*mark = (struct mark){ .t = t, .kind = kind };
	copy_clean(mark->name, sizeof(mark->name), name);
	copy_clean(mark->text, sizeof(mark->text), text);
	return 0;
}

double box_taken(const struct box *b)
{
	double sum = 0;

	for (size_t i = 0; i < b->nr_ids; i++)
		sum += b->ids[i].taken;
	return sum;
}

double box_refaulted(const struct box *b)
{
	double sum = 0;

	for (size_t i = 0; i < b->nr_ids; i++)
		sum += b->ids[i].refaulted;
	return sum;
}

/* --- latency ---------------------------------------------------------------- */

const struct lat *model_lat(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nr_lats; i++)
		if (!strcmp(m->lats[i].name, name))
			return &m->lats[i];
	return NULL;
}

struct lat *add_lat(struct model *m, const char *name)
{
	struct lat *l = (struct lat *)model_lat(m, name);

	if (l || !GROW(m->lats, m->nr_lats, m->cap_lats))
		return l;
	l = &m->lats[m->nr_lats++];
	*l = (struct lat){ 0 };
	copy_clean(l->name, sizeof(l->name), name);
	return l;
}

void lat_sum(const struct lat *l, double from, double to, struct hist *h)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct latency_second *s = &l->sec[i];

		if (s->t < from || s->t >= to)
			continue;
		for (size_t k = 0; k < s->nr; k++)
			hist_add(h, l->slots[s->first + k].slot, l->slots[s->first + k].count);
	}
}

int model_resident(struct model *m, const char *line, size_t len)
{
	char buf[64], *comma, *end;
	double ms, kib = -1, t;
	int r;

	if (len >= 2 && !memcmp(line, "ms", 2))
		return 0;
	/* Only the numbers matter: the rest of the line is a mark. */
	len = len < sizeof(buf) - 1 ? len : sizeof(buf) - 1;
	memcpy(buf, line, len);
	buf[len] = '\0';
	ms = strtod(buf, &comma);
	if (comma != buf && *comma == ',') {
		kib = strtod(comma + 1, &end);
		if (end == comma + 1)
			kib = -1;
	}
	if (!(kib >= 0)) {
		m->bad_lines++;
		return -EINVAL;
	}
	t = (ms - m->begin_ms) / 1e3;
	if (!m->begun || t < 0 || (m->ended && t > m->end_t))
		return 0;
	m->now = fmax(m->now, t);
	r = series_add(&m->resident, t, kib * 1024);
	return r ? r : series_add(&m->held, t, fmax(kib * 1024, series_last(&m->held, 0)));
}
