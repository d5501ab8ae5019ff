// SPDX-License-Identifier: GPL-2.0-only
/* The text of debugfs lru_gen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/age.h"

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
static bool row_generation(const char *p, unsigned long long *ret_seq, unsigned long long *ret_file)
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
	*ret_seq = v[0];
	*ret_file = v[3];
	return true;
}

#define MAX_GENS 8 /* MAX_NR_GENS is 4 */

int age_find_rows(const char *text, uint64_t memcg, uint32_t node, struct age_rows *ret)
{
	unsigned long long seq[MAX_GENS], file[MAX_GENS], v;
	bool ours = false, in_node = false;
	struct age_rows rows = {};
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
		} else if (ours && in_node && n < MAX_GENS &&
			   row_generation(p, &seq[n], &file[n])) {
			if (seq[n] > rows.max_seq || !n)
				rows.max_seq = seq[n];
			n++;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (rows.max_seq < 2 || seq[i] > rows.max_seq - 2)
			continue;
		rows.old_file += file[i];
		if (seq[i] > rows.old_seq)
			rows.old_seq = seq[i];
	}
	if (!n)
		return -ENOENT;
	*ret = rows;
	return 0;
}
