// SPDX-License-Identifier: GPL-2.0-only
/* The texts that the census on files is made of. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sense/census.h"

static bool total_of(const char *line, const char *end, __u64 *ret)
{
	static const char key[] = " total=";
	const char *at = memmem(line, end - line, key, sizeof(key) - 1);
	char *stop;
	uint64_t v;

	if (!at)
		return false;
	at += sizeof(key) - 1;
	if (*at < '0' || *at > '9')
		return false;
	errno = 0;
	v = strtoull(at, &stop, 10);
	if (errno || (stop != end && *stop != ' '))
		return false;
	*ret = v;
	return true;
}

void parse_pressure(const char *text, __u64 *some, __u64 *full)
{
	while (*text) {
		const char *end = strchrnul(text, '\n');

		if (!strncmp(text, "some ", 5))
			total_of(text, end, some);
		else if (!strncmp(text, "full ", 5))
			total_of(text, end, full);
		text = *end ? end + 1 : end;
	}
}

/* An unsigned number after blanks; where it ends, NULL if there is none. */
static const char *number(const char *p, const char *end, uint64_t *ret)
{
	uint64_t v = 0;

	while (p < end && *p == ' ')
		p++;
	if (p == end || *p < '0' || *p > '9')
		return NULL;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (v > (UINT64_MAX - (*p - '0')) / 10)
			return NULL;
		v = v * 10 + (*p - '0');
	}
	*ret = v;
	return p;
}

/* Pages of one type. lru_gen_full marks with an x what is below the type's oldest generation. */
static const char *pages(const char *p, const char *end, uint64_t *ret, bool *gone)
{
	p = number(p, end, ret);
	*gone = p && p < end && *p == 'x';
	return p && *gone ? p + 1 : p;
}

struct lru_gen_parser {
	uint32_t page_size;
	lru_gen_fn fn;
	void *arg;
	char path[PATH_MAX];
	bool in_memcg, in_node;
	uint32_t memcg;
	struct ebb_census lru;
	bool has_anon, has_file; /* a generation of this node has been read */
};

static void end_node(struct lru_gen_parser *s)
{
	if (s->in_node && s->has_anon && s->has_file) {
		s->lru.flags = EBB_CENSUS_LRU_GEN;
		s->fn(s->arg, s->path, &s->lru);
	}
	s->in_node = false;
}

/* "memcg   123 /path with blanks": the number is private up to 6.12, the cgroup id on 7.2. */
static void on_memcg(struct lru_gen_parser *s, const char *p, const char *end)
{
	uint64_t id;

	end_node(s);
	s->in_memcg = false;
	p = number(p, end, &id);
	if (!p || p == end || *p != ' ')
		return;
	p++;
	/* Cut, it matches no group: better than matching another's. */
	snprintf(s->path, sizeof(s->path), "%.*s", (int)(end - p < PATH_MAX ? end - p : PATH_MAX),
		 p);
	s->memcg = id;
	s->in_memcg = true;
}

static void on_node(struct lru_gen_parser *s, const char *p, const char *end)
{
	uint64_t node;

	end_node(s);
	if (!s->in_memcg || !number(p, end, &node) || node > 1023)
		return;
	memset(&s->lru, 0, sizeof(s->lru));
	s->lru.memcg = s->memcg;
	s->lru.node = node;
	s->in_node = true;
	s->has_anon = s->has_file = false;
}

/* "        seq     age_ms anon_pages file_pages", the oldest first */
static void on_generation(struct lru_gen_parser *s, const char *p, const char *end)
{
	uint64_t seq, age, anon, file;
	bool no_anon, no_file;
	struct ebb_gen *gen;

	if (!s->in_node || !(p = number(p, end, &seq)) || !(p = number(p, end, &age)) ||
	    !(p = pages(p, end, &anon, &no_anon)) || !(p = pages(p, end, &file, &no_file)) ||
	    (no_anon && no_file))
		return;
	if (!s->has_anon && !no_anon)
		s->lru.min_seq_anon = seq;
	if (!s->has_file && !no_file)
		s->lru.min_seq_file = seq;
	s->has_anon |= !no_anon;
	s->has_file |= !no_file;
	s->lru.max_seq = seq;
	gen = &s->lru.gen[seq % EBB_MAX_GENS];
	gen->age_ms = age;
	gen->anon = no_anon ? 0 : anon * s->page_size;
	gen->file = no_file ? 0 : file * s->page_size;
}

/* What lru_gen_full has beyond the generations is indented further than any of them. */
#define DETAIL_INDENT 12

int parse_lru_gen(const char *text, size_t len, uint32_t page_size, lru_gen_fn fn, void *arg)
{
	const char *p = text, *stop = text + len;
	struct lru_gen_parser *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->page_size = page_size;
	s->fn = fn;
	s->arg = arg;
	while (p < stop) {
		const char *end = memchr(p, '\n', stop - p), *line = p;

		if (!end)
			end = stop;
		while (p < end && *p == ' ')
			p++;
		if (end - p > 6 && !strncmp(p, "memcg ", 6))
			on_memcg(s, p + 6, end);
		else if (end - p > 5 && !strncmp(p, "node ", 5))
			on_node(s, p + 5, end);
		else if (p - line < DETAIL_INDENT)
			on_generation(s, p, end);
		p = end + (end < stop);
	}
	end_node(s);
	free(s);
	return 0;
}
