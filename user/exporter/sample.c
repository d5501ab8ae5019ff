// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/sample.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/sample_int.h"
#include "exporter/span.h"
#include "exporter/utf8.h"
#include "lib/cleanup.h"
#include "lib/text.h"

static uint64_t get_number(const json_t *o, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(o, key));

	return value > 0 ? (uint64_t)value : 0;
}

static const char *get_text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value ? value : "";
}

/* A code of ours: what is none becomes one. */
static void get_code(char *dst, size_t size, const json_t *o, const char *key)
{
	const char *value = get_text(o, key);
	size_t n = 0;

	for (; *value && n < size - 1; value++)
		dst[n++] = strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *value) ? *value : '-';
	dst[n] = '\0';
}

/* At most SAMPLE_TEXT_MAX bytes, whole characters. */
static char *copy_text(const char *text)
{
	const char *p = text;

	while (*p) {
		const char *next = p;

		utf8_next(&next);
		if (next - text > SAMPLE_TEXT_MAX)
			break;
		p = next;
	}
	return strndup(text, (size_t)(p - text));
}

static void container_release(struct sample_container *c)
{
	free(c->name);
	free(c->image);
	free(c->runtime);
	free(c->pod);
	free(c->namespace);
}

static void read_last(struct sample_container *c, const json_t *last)
{
	get_code(c->last_action, sizeof(c->last_action), last, "action");
	c->last_ended_ms = get_number(last, "ended_ms");
	c->last_asked = get_number(last, "asked");
	c->last_got = get_number(last, "got");
}

static int read_container(struct sample_container *c, uint64_t id, const json_t *o)
{
	const json_t *faults = json_object_get(o, "faults");
	const json_t *latency = json_object_get(o, "major_fault_us");

	*c = (struct sample_container){ .id = id };
	c->name = copy_text(get_text(o, "name"));
	c->image = copy_text(get_text(o, "image"));
	c->runtime = copy_text(get_text(o, "runtime"));
	c->pod = copy_text(get_text(o, "pod"));
	c->namespace = copy_text(get_text(o, "namespace"));
	if (!c->name || !c->image || !c->runtime || !c->pod || !c->namespace) {
		container_release(c);
		return -ENOMEM;
	}
	get_code(c->state, sizeof(c->state), o, "state");
	get_code(c->reason, sizeof(c->reason), o, "reason");
	c->bytes = get_number(o, "bytes");
	c->anon = get_number(o, "anon");
	c->file = get_number(o, "file");
	c->swap = get_number(o, "swap");
	c->cold = get_number(o, "cold");
	c->working_set = get_number(o, "working_set");
	c->protect = get_number(o, "protect");
	c->reclaimed_total = get_number(o, "reclaimed_total");
	c->refaulted_total = get_number(o, "refaulted_total");
	c->faults_minor = get_number(faults, "minor");
	c->faults_major = get_number(faults, "major");
	c->stall_us = get_number(o, "stall_us");
	c->has_major_us = json_is_object(latency);
	c->major_p50_us = get_number(latency, "p50");
	c->major_p99_us = get_number(latency, "p99");
	read_last(c, json_object_get(o, "last"));
	return 0;
}

/* 0: not one. */
static uint64_t read_id(const json_t *o)
{
	const char *text = get_text(o, "id");
	char *end;
	unsigned long long id;

	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	id = strtoull(text, &end, 10);
	return *end || errno ? 0 : id;
}

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
			container_release(&s->containers[i]);
			s->dropped++;
		} else {
			s->containers[kept++] = s->containers[i];
		}
	}
	s->nr = kept;
}

static int add_container(struct sample *s, size_t *room, const json_t *o)
{
	uint64_t id = read_id(o);
	int r;

	if (!id || s->nr >= SAMPLE_MAX_CONTAINERS) {
		s->dropped++;
		return 0;
	}
	if (s->nr == *room) {
		size_t more = *room ? *room * 2 : 64;
		void *p = reallocarray(s->containers, more, sizeof(s->containers[0]));

		if (!p)
			return -ENOMEM;
		s->containers = p;
		*room = more;
	}
	r = read_container(&s->containers[s->nr], id, o);
	if (!r)
		s->nr++;
	return r;
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
		json_error_t e;
		json_t *o = json_loadb(element.text, element.len, 0, &e);
		int r = json_is_object(o) ? add_container(s, &room, o)
					  : bad(error, "list", o ? NULL : &e);

		json_decref(o);
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
	if (ok.len == 4 && !memcmp(ok.text, "true", 4))
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
		container_release(&s->containers[i]);
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
