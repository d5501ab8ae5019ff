// SPDX-License-Identifier: GPL-2.0-only
#include "act/cpu_lists.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "act/journal.h"
#include "act/pool.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define ZONES "/proc/zoneinfo"
#define LENGTH "/proc/sys/vm/percpu_pagelist_high_fraction"
#define SHORTEST "2147483647" /* 1/n of the zone, but four batches at least */
/*
 * A list that is too long gives up to three batches with each page that its CPU frees. On one that
 * is idle a refresh does it (decay_pcp_high(), 6.7 on): an eighth off the length that it may have,
 * and of what is beyond 32 batches at most.
 */
#define REFRESH "/proc/sys/vm/stat_refresh"
#define ROUNDS_A_LOOK 8
#define DRAIN_US 200000

/* Sets what is the machine's, and so must not be undone beside another's work. */
static pthread_mutex_t draining = PTHREAD_MUTEX_INITIALIZER;

/* 0 where it cannot be read. */
static uint64_t bytes_in_lists(const char *root)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	uint64_t pages = 0, n;
	char path[256];
	size_t room = 0;

	snprintf(path, sizeof(path), "%s" ZONES, root);
	f = fopen(path, "re");
	while (f && getline(&line, &room, f) > 0)
		if (sscanf(line, " count: %" SCNu64, &n) == 1)
			pages += n;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool refresh(const char *root)
{
	char path[256], none[8];

	snprintf(path, sizeof(path), "%s" REFRESH, root);
	for (int i = 0; i < ROUNDS_A_LOOK; i++)
		if (read_file_at(AT_FDCWD, path, none, sizeof(none)) < 0)
			return false;
	return true;
}

/* Until they are short, or no shorter than before (up to 6.6, and while much is being freed). */
static void drain(const char *root, uint64_t held, const atomic_bool *stop)
{
	uint64_t end_us = pool_now_us() + DRAIN_US, before;

	do {
		before = held;
		if (!refresh(root))
			return;
		held = bytes_in_lists(root);
	} while (held >= CPU_LISTS_WORTH && held < before && !atomic_load(stop) &&
		 pool_now_us() < end_us);
}

void cpu_lists_drain(struct journal *journal, const char *root, const atomic_bool *stop)
{
	uint64_t held, seq;

	pthread_mutex_lock(&draining);
	held = atomic_load(stop) ? 0 : bytes_in_lists(root);
	if (held >= CPU_LISTS_WORTH && !journal_set_file_briefly(journal, LENGTH, SHORTEST, &seq) &&
	    seq) {
		drain(root, held, stop);
		journal_undo(journal, seq, NULL);
	}
	pthread_mutex_unlock(&draining);
}
