// SPDX-License-Identifier: GPL-2.0-only
/* The text of debugfs lru_gen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/age.h"
#include "ebb/snapshot.h"

/* Whether the line at p is "WORD NUMBER", after blanks. Not sscanf: it takes strlen of it all. */
static bool row_number(const char *p, const char *word, unsigned long long *ret)
{
	size_t len = strlen(word);
	char *end;

	p += strspn(p, " ");
	if (strncmp(p, word, len))
		return false;
	p += len;
	p += strspn(p, " ");
	if (*p < '0' || *p > '9')
		return false;
	*ret = strtoull(p, &end, 10);
	return *end == ' ' || *end == '\n' || !*end;
}

/* "SEQ AGE ANON FILE" */
struct row {
	unsigned long long seq, age_ms, anon, file;
};

static bool row_generation(const char *p, struct row *ret)
{
	unsigned long long v[4];
	char *end;

	for (int i = 0; i < 4; i++) {
		p += strspn(p, " ");
		if (*p < '0' || *p > '9')
			return false;
		v[i] = strtoull(p, &end, 10);
		p = end;
	}
	*ret = (struct row){ v[0], v[1], v[2], v[3] };
	return true;
}

#define MAX_GENS 8 /* MAX_NR_GENS is 4 */

/*
 * What of the anon goes before page cache does. The kernel takes the anon of a generation first and
 * goes on to the next one, but for page cache: of that the older generation is emptied before
 * (try_to_inc_min_seq(), up to 6.13: the oldest anon is never younger than the oldest file).
 */
static void idle_part(const struct row *row, size_t n, uint64_t idle_ms, struct age_rows *ret)
{
	bool before_file = true;

	for (size_t i = 0; i + 2 < n; i++) {
		if (row[i + 1].age_ms < idle_ms ||
		    row[i + 1].age_ms <= row[n - 1].age_ms + EBB_SAME_BIRTH_MS)
			break;
		ret->idle_any += row[i].anon;
		if (!before_file)
			continue;
		ret->idle_seq = row[i].seq;
		ret->idle_anon += row[i].anon;
		before_file = !row[i].file;
	}
}

int age_find_rows(const char *text, uint64_t memcg, uint32_t node, uint64_t idle_ms,
		  struct age_rows *ret)
{
	bool ours = false, in_node = false;
	struct age_rows rows = {};
	struct row row[MAX_GENS];
	unsigned long long v;
	size_t n = 0;

	for (const char *p = text; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (row_number(p, "memcg ", &v)) {
			if (n)
				break;
			ours = v == memcg;
			in_node = false;
		} else if (ours && row_number(p, "node ", &v)) {
			in_node = v == node;
		} else if (ours && in_node && n < MAX_GENS && row_generation(p, &row[n])) {
			if (row[n].seq > rows.max_seq || !n)
				rows.max_seq = row[n].seq;
			n++;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (rows.max_seq < 2 || row[i].seq > rows.max_seq - 2)
			continue;
		rows.old_file += row[i].file;
		if (row[i].seq > rows.old_seq)
			rows.old_seq = row[i].seq;
	}
	if (!n)
		return -ENOENT;
	idle_part(row, n, idle_ms, &rows);
	*ret = rows;
	return 0;
}
