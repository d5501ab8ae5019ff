// SPDX-License-Identifier: GPL-2.0-only
/* The journal, line by line: what is accepted is formatted to the same again, and harmless. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "act/age.h"
#include "act/journal.h"
#include "act/swap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(const char *line, size_t len)
{
	struct journal_entry e;
	char again[JOURNAL_LINE_LEN];
	bool removed;
	int n;

	memset(&e, 0x5a, sizeof(e));
	if (journal_parse_line(line, len, &e, &removed)) {
		assert(e.seq == 0x5a5a5a5a5a5a5a5a);
		return;
	}
	assert(e.seq);
	n = journal_format_line(again, &e, removed);
	assert(n > 0 && again[n - 1] == '\n');
	/* Escapes have one spelling when written, several that are read. */
	assert((size_t)n - 1 <= 3 * len);
	if (removed)
		return;
	assert(!strstr(e.target, "..") || e.kind == JOURNAL_CGROUP || !strstr(e.target, "/../"));
	assert(e.kind != JOURNAL_CGROUP || (e.cgroup && !strchr(e.target, '/')));
	assert(e.kind != JOURNAL_FILE || !strncmp(e.target, "/sys/", 5) ||
	       !strncmp(e.target, "/proc/sys/", 10));
	journal_same_value(e.old, e.set);
}

static void check_text(const char *text)
{
	struct swap_entry swaps[4];
	char word[16];
	struct age_rows rows;
	size_t n = swap_parse(text, swaps, 4);

	assert(n <= 4);
	for (size_t i = 0; i < n; i++)
		assert(swaps[i].used <= swaps[i].size && swaps[i].device[0] == '/');
	if (!age_find_rows(text, 25, 0, 1000, &rows))
		assert(!rows.old_file || rows.old_seq + 2 <= rows.max_seq);
	swap_choose_algorithm(text, false, word, sizeof(word));
	journal_same_value(text, "7");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[1 << 16];
	const char *line = text, *stop;
	char boot_id[40];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	journal_parse_header(text, strcspn(text, "\n"), boot_id, sizeof(boot_id));
	for (; (stop = memchr(line, '\n', text + size - line)); line = stop + 1)
		check_entry(line, stop - line);
	check_entry(line, text + size - line);
	check_text(text);
	return 0;
}
