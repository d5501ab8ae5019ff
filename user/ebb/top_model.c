// SPDX-License-Identifier: GPL-2.0-only
/* What ebbd said, and how sizes went since we look. */
#include <stdlib.h>
#include <string.h>

#include "ebb/top.h"
#include "lib/cleanup.h"

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct top_series *)a)->id, ((const struct top_series *)b)->id);
}

const struct top_series *top_series_find(const struct top_model *m, const char *id)
{
	struct top_series key;

	snprintf(key.id, sizeof(key.id), "%s", id);
	return m->nr_series ? bsearch(&key, m->series, m->nr_series, sizeof(key), by_id) : NULL;
}

static void append(struct top_series *s, uint64_t bytes)
{
	if (s->nr == TOP_HISTORY)
		memmove(s->bytes, s->bytes + 1, --s->nr * sizeof(s->bytes[0]));
	s->bytes[s->nr++] = bytes;
	s->seen = true;
}

static void drop_unseen(struct top_model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nr_series; i++) {
		if (!m->series[i].seen)
			continue;
		if (n != i)
			m->series[n] = m->series[i];
		m->series[n++].seen = false;
	}
	m->nr_series = n;
}

/* New ones go to the end, and are put into their places together. */
static void follow(struct top_model *m, const json_t *list)
{
	size_t all = json_array_size(list), sorted = m->nr_series;
	struct top_series *series = reallocarray(m->series, sorted + all + 1, sizeof(*series));

	if (!series)
		return;
	m->series = series;
	for (size_t i = 0; i < all; i++) {
		const json_t *c = json_array_get(list, i);
		const char *id = get_text(c, "id");
		struct top_series key, *s;

		snprintf(key.id, sizeof(key.id), "%s", id);
		s = sorted ? bsearch(&key, series, sorted, sizeof(key), by_id) : NULL;
		if (s && s->seen)
			continue; /* an id is there once */
		if (!s) {
			s = &series[m->nr_series++];
			s->nr = 0;
			snprintf(s->id, sizeof(s->id), "%s", id);
		}
		append(s, get_number(c, "bytes"));
	}
	drop_unseen(m);
	qsort(series, m->nr_series, sizeof(*series), by_id);
}

uint64_t top_used(const json_t *memory)
{
	uint64_t total = get_number(memory, "total"), free = get_number(memory, "free");

	if (get(memory, "used"))
		return get_number(memory, "used");
	return total > free ? total - free : 0;
}

void top_model_feed(struct top_model *m, json_t *list, json_t *status)
{
	json_decref(m->list);
	json_decref(m->status);
	m->list = list;
	m->status = status;
	m->error[0] = '\0';
	append(&m->machine, top_used(get(status, "memory")));
	follow(m, list);
}

void top_model_close(struct top_model *m)
{
	json_decref(m->list);
	json_decref(m->status);
	free(m->series);
	*m = (struct top_model){ 0 };
}

struct row *top_rows(const struct top_model *m, const struct top_view *v, size_t *ret_n)
{
	return rows_make(m->list, v->filter, v->key, v->reverse, ret_n);
}
