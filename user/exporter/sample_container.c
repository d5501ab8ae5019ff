// SPDX-License-Identifier: GPL-2.0-only
/*
 * One container of the answer to `list`, member by member. Read from the text:
 * jansson's trees of a thousand containers took 30 ms, four fifths of a scrape.
 */
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/sample_int.h"
#include "exporter/utf8.h"
#include "lib/cleanup.h"

enum kind { NUMBER, TEXT, CODE, ID, OBJECT };

struct place {
	const char *key;
	enum kind kind;
	size_t offset;
	const struct place *inner; /* of an OBJECT: its members; ended by a NULL key */
	size_t has; /* of an OBJECT: a bool, that it was there; 0: nobody asks */
};

#define AT(field) offsetof(struct sample_container, field)
#define CODE_LEN sizeof(((struct sample_container *)0)->state)

static const struct place faults[] = {
	{ "minor", NUMBER, AT(faults_minor), NULL, 0 },
	{ "major", NUMBER, AT(faults_major), NULL, 0 },
	{ 0 },
};
static const struct place latency[] = {
	{ "p50", NUMBER, AT(major_p50_us), NULL, 0 },
	{ "p99", NUMBER, AT(major_p99_us), NULL, 0 },
	{ 0 },
};
static const struct place last[] = {
	{ "action", CODE, AT(last_action), NULL, 0 },
	{ "ended_ms", NUMBER, AT(last_ended_ms), NULL, 0 },
	{ "asked", NUMBER, AT(last_asked), NULL, 0 },
	{ "got", NUMBER, AT(last_got), NULL, 0 },
	{ 0 },
};
static const struct place members[] = {
	{ "id", ID, AT(id), NULL, 0 },
	{ "name", TEXT, AT(name), NULL, 0 },
	{ "image", TEXT, AT(image), NULL, 0 },
	{ "runtime", TEXT, AT(runtime), NULL, 0 },
	{ "pod", TEXT, AT(pod), NULL, 0 },
	{ "namespace", TEXT, AT(namespace), NULL, 0 },
	{ "state", CODE, AT(state), NULL, 0 },
	{ "reason", CODE, AT(reason), NULL, 0 },
	{ "bytes", NUMBER, AT(bytes), NULL, 0 },
	{ "anon", NUMBER, AT(anon), NULL, 0 },
	{ "file", NUMBER, AT(file), NULL, 0 },
	{ "swap", NUMBER, AT(swap), NULL, 0 },
	{ "cold", NUMBER, AT(cold), NULL, 0 },
	{ "working_set", NUMBER, AT(working_set), NULL, 0 },
	{ "protect", NUMBER, AT(protect), NULL, 0 },
	{ "reclaimed_total", NUMBER, AT(reclaimed_total), NULL, 0 },
	{ "refaulted_total", NUMBER, AT(refaulted_total), NULL, 0 },
	{ "stall_us", NUMBER, AT(stall_us), NULL, 0 },
	{ "faults", OBJECT, 0, faults, 0 },
	{ "major_fault_us", OBJECT, 0, latency, AT(has_major_us) },
	{ "last", OBJECT, 0, last, 0 },
	{ 0 },
};

/* Digits and nothing else; anything else reads as 0, as does what does not fit. */
static uint64_t read_number(struct span value)
{
	uint64_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (value.text[i] < '0' || value.text[i] > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(value.text[i] - '0'), &n))
			return 0;
	}
	return n;
}

static struct span unquote(struct span value)
{
	if (value.len < 2 || *value.text != '"')
		return (struct span){ "", 0 };
	return (struct span){ value.text + 1, value.len - 2 };
}

/* A code of ours: what is none becomes one. */
static void read_code(char *dst, struct span value)
{
	struct span code = unquote(value);
	size_t n = 0;

	for (; n < code.len && n < CODE_LEN - 1; n++)
		dst[n] = memchr("abcdefghijklmnopqrstuvwxyz0123456789", code.text[n], 36)
				 ? code.text[n]
				 : '-';
	dst[n] = '\0';
}

/* At most SAMPLE_TEXT_MAX bytes, whole characters. */
static char *cut(const char *text)
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

static int read_text(char **dst, struct span value)
{
	json_t *json = json_loadb(value.text, value.len, JSON_DECODE_ANY, NULL);
	const char *text = json_string_value(json);
	char *copy = cut(text ? text : "");

	json_decref(json);
	if (!copy)
		return -ENOMEM;
	free(*dst); /* a member twice */
	*dst = copy;
	return 0;
}

static int read_members(struct sample_container *c, struct span object, const struct place *places);

static int read_place(struct sample_container *c, const struct place *p, struct span value)
{
	void *to = (char *)c + p->offset;

	switch (p->kind) {
	case NUMBER:
		*(uint64_t *)to = read_number(value);
		return 0;
	case ID:
		*(uint64_t *)to = read_number(unquote(value));
		return 0;
	case CODE:
		read_code(to, value);
		return 0;
	case TEXT:
		return read_text(to, value);
	case OBJECT:
		if (!value.len || *value.text != '{')
			return 0; /* null: not known */
		if (p->has)
			*((bool *)((char *)c + p->has)) = true;
		return read_members(c, value, p->inner);
	}
	return 0;
}

/* Two levels deep at most: the inner tables hold no objects. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static int read_members(struct sample_container *c, struct span object, const struct place *places)
{
	struct span key, value;
	int more;

	while ((more = span_next_member(&object, &key, &value)) > 0) {
		for (const struct place *p = places; p->key; p++) {
			int r;

			if (!span_is(key, p->key))
				continue;
			r = read_place(c, p, value);
			if (r)
				return r;
			break;
		}
	}
	return more < 0 ? -EPROTO : 0;
}

int sample_read_container(struct sample_container *ret, struct span object)
{
	struct sample_container c = { 0 };
	char **const texts[] = { &c.name, &c.image, &c.runtime, &c.pod, &c.namespace };
	int r = read_members(&c, object, members);

	for (size_t i = 0; !r && i < ARRAY_SIZE(texts); i++) {
		if (*texts[i])
			continue;
		*texts[i] = strdup("");
		if (!*texts[i])
			r = -ENOMEM;
	}
	if (r)
		sample_release_container(&c);
	else
		*ret = c;
	return r;
}

void sample_release_container(struct sample_container *c)
{
	free(c->name);
	free(c->image);
	free(c->runtime);
	free(c->pod);
	free(c->namespace);
}
