// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/sample.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/sample_int.h"
#include "exporter/span.h"
#include "lib/cleanup.h"
#include "lib/text.h"

static int compare(const void *a, const void *b)
{
	const struct sample_container *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* A label twice would spoil the whole scrape. */
static void sort_unique(struct sample *s)
{
	size_t kept = 0;

	if (s->nr)
		qsort(s->containers, s->nr, sizeof(s->containers[0]), compare);
	for (size_t i = 0; i < s->nr; i++) {
		if (kept && s->containers[kept - 1].id == s->containers[i].id) {
			sample_release_container(&s->containers[i]);
			s->dropped++;
		} else {
			s->containers[kept++] = s->containers[i];
		}
	}
	s->nr = kept;
}

/* 0, also where it is left out; -EPROTO: it is broken. */
static int add_container(struct sample *s, size_t *room, struct span object)
{
	struct sample_container c;
	int r = sample_read_container(&c, object);

	if (r)
		return r;
	if (!c.id || s->nr >= SAMPLE_MAX_CONTAINERS) {
		sample_release_container(&c);
		s->dropped++;
		return 0;
	}
	if (s->nr == *room) {
		size_t more = *room ? *room * 2 : 64;
		void *p = reallocarray(s->containers, more, sizeof(s->containers[0]));

		if (!p) {
			sample_release_container(&c);
			return -ENOMEM;
		}
		s->containers = p;
		*room = more;
	}
	s->containers[s->nr++] = c;
	return 0;
}

static int bad(char *error, const char *what, const json_error_t *e)
{
	char raw[SAMPLE_ERROR_MAX];

	snprintf(raw, sizeof(raw), "ebbd's answer to %s cannot be read%s%s", what, e ? ": " : "",
		 e ? e->text : "");
	text_printable(error, SAMPLE_ERROR_MAX, raw);
	return -EPROTO;
}

static int read_list(struct sample *s, struct span data, char *error)
{
	struct span element;
	size_t room = 0;

	if (!span_is_array(data))
		return bad(error, "list", NULL);
	while (span_next(&data, &element)) {
		int r = add_container(s, &room, element);

		if (r == -EPROTO)
			return bad(error, "list", NULL);
		if (r)
			return r;
	}
	sort_unique(s);
	return 0;
}

/* 0 with the data, or the refusal. */
static int open_answer(struct span line, const char *what, struct span *ret_data, char *error)
{
	struct span ok = { 0 }, text;
	json_t *message;

	if (!span_member(line, "ok", &ok))
		return bad(error, what, NULL);
	if (span_is(ok, "true"))
		return span_member(line, "data", ret_data) ? 0 : bad(error, what, NULL);
	if (!span_member(line, "error", &text))
		return bad(error, what, NULL);
	message = json_loadb(text.text, text.len, JSON_DECODE_ANY, NULL);
	text_printable(error, SAMPLE_ERROR_MAX,
		       json_is_string(message) ? json_string_value(message) : "ebbd refused");
	json_decref(message);
	return -EREMOTEIO;
}

static int read_status(struct sample *s, struct span data, char *error)
{
	json_error_t e;
	json_t *o = json_loadb(data.text, data.len, 0, &e);
	int r = 0;

	if (json_is_object(o))
		sample_read_machine(&s->machine, o);
	else
		r = bad(error, "status", o ? NULL : &e);
	json_decref(o);
	return r;
}

int sample_parse(struct sample **ret, const char *list, size_t list_len, const char *status,
		 size_t status_len, char *error)
{
	struct span list_data, status_data;
	struct sample *s;
	int r;

	snprintf(error, SAMPLE_ERROR_MAX, "no memory for ebbd's answer");
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	r = open_answer((struct span){ list, list_len }, "list", &list_data, error);
	if (!r)
		r = open_answer((struct span){ status, status_len }, "status", &status_data, error);
	if (!r)
		r = read_list(s, list_data, error);
	if (!r)
		r = read_status(s, status_data, error);
	if (!r) {
		s->list = strndup(list_data.text, list_data.len);
		s->list_len = list_data.len;
		s->status = strndup(status_data.text, status_data.len);
		s->status_len = status_data.len;
		if (!s->list || !s->status)
			r = -ENOMEM;
	}
	if (r) {
		sample_free(s);
		return r;
	}
	error[0] = '\0';
	*ret = s;
	return 0;
}

void sample_free(struct sample *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr; i++)
		sample_release_container(&s->containers[i]);
	free(s->containers);
	free(s->list);
	free(s->status);
	free(s);
}

const struct sample_container *sample_find(const struct sample *s, uint64_t id)
{
	const struct sample_container key = { .id = id };

	return s && s->nr ? bsearch(&key, s->containers, s->nr, sizeof(key), compare) : NULL;
}
