// SPDX-License-Identifier: GPL-2.0-only
#include "act/cpu_lists.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>

#include "act/journal.h"
#include "lib/files.h"

#define LENGTH "/proc/sys/vm/percpu_pagelist_high_fraction"
#define SHORTEST "2147483647" /* 1/n of the zone, but four batches at least */
/*
 * A list that is too long is cut when its CPU frees the next page. On a CPU that is idle a refresh
 * does it (decay_pcp_high(), 6.7 on), which takes an eighth off the length that it may have, and
 * then what is beyond: from an eighth of 16 GiB to four batches in 57 rounds.
 */
#define REFRESH "/proc/sys/vm/stat_refresh"
#define ROUNDS 60

void cpu_lists_drain(struct journal *journal, const char *root)
{
	char path[256], none[8];
	uint64_t seq;

	if (journal_set_file(journal, LENGTH, SHORTEST, &seq) || !seq)
		return;
	snprintf(path, sizeof(path), "%s" REFRESH, root);
	for (int i = 0; i < ROUNDS && read_file_at(AT_FDCWD, path, none, sizeof(none)) >= 0; i++)
		;
	journal_undo(journal, seq, NULL);
}
