// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal's text. A line is
 *
 *	+ SEQ KIND CGROUP TARGET OLD SET CRC	entered
 *	- SEQ CRC				taken out again
 *
 * with a CRC over what stands before it, since the last line may be torn.
 * Who can write the file is root already; the strictness about targets is for
 * a damaged file, which must not make us write somewhere else.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/journal.h"

#define HEADER "ebb-journal 1 "

static const char *const kind_names[] = {
	[JOURNAL_FILE] = "file",
	[JOURNAL_CGROUP] = "cgroup",
	[JOURNAL_DEVICE] = "device",
};

static uint32_t crc32_of(const char *p, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= (unsigned char)*p++;
		for (int i = 0; i < 8; i++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	}
	return ~crc;
}

static bool plain(unsigned char c)
{
	return isalnum(c) || (c && strchr("_./:=,+@-", c));
}

/* Appends " TOKEN"; what is not plain becomes %XX, and the empty string "%". */
static int put_token(char *buf, size_t *pos, const char *text)
{
	size_t p = *pos;

	if (p + 3 * strlen(text) + 16 > JOURNAL_LINE_LEN)
		return -EINVAL;
	buf[p++] = ' ';
	if (!*text)
		buf[p++] = '%';
	for (; *text; text++) {
		unsigned char c = *text;

		if (c < ' ' || c == 0x7f)
			return -EINVAL;
		if (plain(c))
			buf[p++] = c;
		else
			p += sprintf(buf + p, "%%%02x", c);
	}
	buf[p] = '\0';
	*pos = p;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int get_token(const char **p, const char *end, char *ret, size_t size)
{
	size_t n = 0;

	if (*p >= end || **p != ' ')
		return -EINVAL;
	(*p)++;
	if (*p < end && **p == '%' && (*p + 1 == end || (*p)[1] == ' ')) {
		(*p)++;
		ret[0] = '\0';
		return 0;
	}
	while (*p < end && **p != ' ') {
		unsigned char c = *(*p)++;

		if (c == '%') {
			int high = end - *p >= 2 ? hex_digit((*p)[0]) : -1;
			int low = end - *p >= 2 ? hex_digit((*p)[1]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			c = high << 4 | low;
			*p += 2;
			if (c < ' ' || c == 0x7f)
				return -EINVAL;
		} else if (!plain(c)) {
			return -EINVAL;
		}
		if (n + 1 >= size)
			return -EINVAL;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return n ? 0 : -EINVAL;
}

static int get_number(const char **p, const char *end, uint64_t *ret)
{
	char token[24], *stop;

	if (get_token(p, end, token, sizeof(token)) || !isdigit((unsigned char)token[0]))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(token, &stop, 10);
	return errno || *stop ? -EINVAL : 0;
}

static bool is_beneath(const char *path, const char *top)
{
	size_t len = strlen(top);

	if (strncmp(path, top, len) || !path[len])
		return false;
	for (const char *p = path; p; p = strchr(p + 1, '/')) {
		size_t n = strcspn(p + 1, "/");

		if (!n || (n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
			return false;
	}
	return true;
}

static bool target_is_good(const struct journal_entry *e)
{
	const char *t = e->target;

	switch (e->kind) {
	case JOURNAL_FILE:
		return is_beneath(t, "/sys/") || is_beneath(t, "/proc/sys/");
	case JOURNAL_CGROUP:
		return e->cgroup && islower((unsigned char)*t) &&
		       t[strspn(t, "abcdefghijklmnopqrstuvwxyz0123456789_.")] == '\0';
	case JOURNAL_DEVICE:
		return is_beneath(t, "/dev/");
	}
	return false;
}

static int parse_kind(const char *name, enum journal_kind *ret)
{
	for (int kind = JOURNAL_FILE; kind <= JOURNAL_DEVICE; kind++) {
		if (!strcmp(name, kind_names[kind])) {
			*ret = kind;
			return 0;
		}
	}
	return -EINVAL;
}

int journal_parse_line(const char *line, size_t len, struct journal_entry *ret, bool *ret_removed)
{
	const char *p = line + 1, *end = line + len;
	struct journal_entry e = {};
	char kind[16], crc[16], want[16];

	if (len < 12 || len >= JOURNAL_LINE_LEN || (line[0] != '+' && line[0] != '-'))
		return -EINVAL;
	if (get_number(&p, end, &e.seq) || !e.seq)
		return -EINVAL;
	if (line[0] == '+' &&
	    (get_token(&p, end, kind, sizeof(kind)) || parse_kind(kind, &e.kind) ||
	     get_number(&p, end, &e.cgroup) || get_token(&p, end, e.target, sizeof(e.target)) ||
	     get_token(&p, end, e.old, sizeof(e.old)) || get_token(&p, end, e.set, sizeof(e.set)) ||
	     !target_is_good(&e)))
		return -EINVAL;
	snprintf(want, sizeof(want), "%08" PRIx32, crc32_of(line, p - line));
	if (get_token(&p, end, crc, sizeof(crc)) || p != end || strcmp(crc, want))
		return -EINVAL;
	*ret = e;
	*ret_removed = line[0] == '-';
	return 0;
}

int journal_format_line(char buf[JOURNAL_LINE_LEN], const struct journal_entry *e, bool removed)
{
	size_t pos = 1;
	char number[24];
	int r = 0;

	buf[0] = removed ? '-' : '+';
	snprintf(number, sizeof(number), "%" PRIu64, e->seq);
	r = put_token(buf, &pos, number);
	if (!removed) {
		if (!target_is_good(e))
			return -EINVAL;
		snprintf(number, sizeof(number), "%" PRIu64, e->cgroup);
		r = r ?: put_token(buf, &pos, kind_names[e->kind]);
		r = r ?: put_token(buf, &pos, number);
		r = r ?: put_token(buf, &pos, e->target);
		r = r ?: put_token(buf, &pos, e->old);
		r = r ?: put_token(buf, &pos, e->set);
	}
	if (r)
		return r;
	pos += sprintf(buf + pos, " %08" PRIx32 "\n", crc32_of(buf, pos));
	return pos;
}

int journal_parse_header(const char *line, size_t len, char *ret_boot_id, size_t size)
{
	size_t n = strlen(HEADER);

	if (len <= n || len - n >= size || memcmp(line, HEADER, n))
		return -EINVAL;
	for (size_t i = n; i < len; i++)
		if (!isxdigit((unsigned char)line[i]) && line[i] != '-')
			return -EINVAL;
	memcpy(ret_boot_id, line + n, len - n);
	ret_boot_id[len - n] = '\0';
	return 0;
}

/* The chosen word of "lzo [lz4] zstd", else the whole without white space around it. */
static void value_core(const char *text, const char **ret, size_t *ret_len)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (close) {
		*ret = open + 1;
		*ret_len = close - open - 1;
		return;
	}
	while (isspace((unsigned char)*text))
		text++;
	*ret = text;
	*ret_len = strlen(text);
	while (*ret_len && isspace((unsigned char)text[*ret_len - 1]))
		(*ret_len)--;
}

static bool as_number(const char *p, size_t len, unsigned long long *ret)
{
	char buf[32], *stop;

	if (len == 1 && (*p == 'Y' || *p == 'N')) { /* a bool parameter of a module */
		*ret = *p == 'Y';
		return true;
	}
	if (!len || len >= sizeof(buf) || !isdigit((unsigned char)*p))
		return false;
	memcpy(buf, p, len);
	buf[len] = '\0';
	errno = 0;
	/* 0 is octal to strtoull as it is to the kernel, and 0x is hex to both. */
	*ret = strtoull(buf, &stop, 0);
	return !errno && !*stop;
}

bool journal_same_value(const char *a, const char *b)
{
	unsigned long long x, y;
	size_t na, nb;

	value_core(a, &a, &na);
	value_core(b, &b, &nb);
	if (na == nb && !memcmp(a, b, na))
		return true;
	return as_number(a, na, &x) && as_number(b, nb, &y) && x == y;
}
