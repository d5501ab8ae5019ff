// SPDX-License-Identifier: GPL-2.0-only
/* The text files behind machine.h. Each parser knows its lines and skips the others. */
#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sense/machine.h"

struct text {
	const char *p;
	const char *end;
};

static bool next_line(struct text *t, struct text *line)
{
	const char *nl;

	if (t->p == t->end)
		return false;
	nl = memchr(t->p, '\n', t->end - t->p);
	line->p = t->p;
	line->end = nl ? nl : t->end;
	t->p = nl ? nl + 1 : t->end;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool next_word(struct text *line, struct text *word)
{
	while (line->p < line->end && is_blank(*line->p))
		line->p++;
	word->p = line->p;
	while (line->p < line->end && !is_blank(*line->p))
		line->p++;
	word->end = line->p;
	return word->p < word->end;
}

static bool word_is(const struct text *word, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(word->end - word->p) == n && !memcmp(word->p, s, n);
}

static bool word_starts(const struct text *word, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(word->end - word->p) >= n && !memcmp(word->p, s, n);
}

static bool word_u64(const struct text *word, uint64_t *ret)
{
	uint64_t v = 0;

	if (word->p == word->end)
		return false;
	for (const char *p = word->p; p < word->end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
			return false;
	}
	*ret = v;
	return true;
}

static bool word_kib(const struct text *word, uint64_t *ret)
{
	uint64_t v;

	if (!word_u64(word, &v) || __builtin_mul_overflow(v, 1024, &v))
		return false;
	*ret = v;
	return true;
}

int machine_parse_meminfo(const char *text, size_t len, struct machine_meminfo *ret)
{
	struct machine_meminfo m = {};
	const struct {
		const char *key;
		uint64_t *value;
	} fields[] = {
		{ "MemTotal:", &m.total },         { "MemFree:", &m.free },
		{ "MemAvailable:", &m.available }, { "SwapTotal:", &m.swap_total },
		{ "SwapFree:", &m.swap_free },     { "Zswap:", &m.zswap },
		{ "Zswapped:", &m.zswapped },      { "Hugepagesize:", &m.hugepage },
	};
	struct text t = { text, text + len }, line, key, value;

	while (next_line(&t, &line)) {
		if (!next_word(&line, &key) || !next_word(&line, &value))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			if (word_is(&key, fields[i].key))
				word_kib(&value, fields[i].value);
	}
	if (!m.total)
		return -EBADMSG;
	*ret = m;
	return 0;
}

int machine_parse_vmstat(const char *text, size_t len, struct machine_vmstat *ret)
{
	struct text t = { text, text + len }, line, key, value;
	struct machine_vmstat m = {};
	uint64_t v, in = 0, out = 0;
	bool any = false;

	while (next_line(&t, &line)) {
		if (!next_word(&line, &key) || !next_word(&line, &value) || !word_u64(&value, &v))
			continue;
		any = true;
		if (word_starts(&key, "allocstall_"))
			m.alloc_stalls += v;
		else if (word_is(&key, "compact_fail"))
			m.compact_fails = v;
		else if (word_is(&key, "balloon_inflate"))
			in = v;
		else if (word_is(&key, "balloon_deflate"))
			out = v;
	}
	m.ballooned = in > out ? in - out : 0;
	if (!any)
		return -EBADMSG;
	*ret = m;
	return 0;
}

static bool word_int(struct text word, int *ret)
{
	bool minus = word.p < word.end && *word.p == '-';
	uint64_t v;

	if (minus)
		word.p++;
	if (!word_u64(&word, &v) || v > INT32_MAX)
		return false;
	*ret = minus ? -(int)v : (int)v;
	return true;
}

/* "/dev/zram0" → 0; anything else, a file of that name too, is no zram. */
static int zram_number(const struct text *name)
{
	struct text digits = { name->p, name->end };
	int n;

	if (!word_starts(name, "/dev/zram"))
		return -1;
	digits.p += strlen("/dev/zram");
	return digits.p < digits.end && *digits.p != '-' && word_int(digits, &n) ? n : -1;
}

size_t machine_parse_swaps(const char *text, size_t len, struct machine_swap *ret, size_t max)
{
	struct text t = { text, text + len }, line, name, type, size, used, priority;
	size_t n = 0;

	while (n < max && next_line(&t, &line)) {
		struct machine_swap s = {};
		size_t name_len;

		/* The heading fails on its third word. Blanks in names come as \040. */
		if (!next_word(&line, &name) || !next_word(&line, &type) ||
		    !next_word(&line, &size) || !word_kib(&size, &s.size) ||
		    !next_word(&line, &used) || !word_kib(&used, &s.used) ||
		    !next_word(&line, &priority) || !word_int(priority, &s.priority))
			continue;
		name_len = name.end - name.p;
		if (name_len > sizeof(s.name) - 1)
			name_len = sizeof(s.name) - 1;
		memcpy(s.name, name.p, name_len);
		s.zram = word_is(&type, "partition") ? zram_number(&name) : -1;
		ret[n++] = s;
	}
	return n;
}

int machine_parse_mm_stat(const char *text, size_t len, struct machine_zram *ret)
{
	struct text t = { text, text + len }, line, word;
	struct machine_zram z = {};
	uint64_t *fields[] = { &z.original, &z.compressed, &z.used };

	if (!next_line(&t, &line))
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!next_word(&line, &word) || !word_u64(&word, fields[i]))
			return -EBADMSG;
	*ret = z;
	return 0;
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* "Node 0, zone   Normal    148    451 …": the column of a count is its order. */
static uint64_t buddy_line(struct text *line, unsigned int order, uint64_t page_size)
{
	struct text word;
	uint64_t bytes = 0;
	int i;

	for (i = 0; i < 4; i++)
		if (!next_word(line, &word))
			return 0;
	for (i = 0; i < 32 && next_word(line, &word); i++) {
		uint64_t count, size;

		if (!word_u64(&word, &count))
			return 0;
		if (i >= (int)order && !__builtin_mul_overflow(count, page_size << i, &size))
			bytes = add_capped(bytes, size);
	}
	return bytes;
}

uint64_t machine_parse_buddyinfo(const char *text, size_t len, unsigned int order,
				 uint64_t page_size)
{
	struct text t = { text, text + len }, line;
	uint64_t bytes = 0;

	while (next_line(&t, &line))
		if (word_starts(&line, "Node "))
			bytes = add_capped(bytes, buddy_line(&line, order, page_size));
	return bytes;
}

bool machine_parse_feature(const char *text, size_t len, unsigned int bit)
{
	return bit < len && text[bit] == '1';
}
