// SPDX-License-Identifier: GPL-2.0-only
/*
 * burn - takes memory and holds it until a signal ends it.
 *
 * usage: burn [--random PERCENT] [--wait] [--keep N] [--status FILE] MIB
 * The status file appears when all of it is allocated, and says how long that took; with --wait it
 * begins at SIGUSR1. With --keep it then gives back all but one page in N: what is free lies in
 * pieces.
 */
#include <getopt.h>
#include <signal.h>

#include "work.h"

static void keep_one_in(size_t keep, uint64_t *mem, size_t pages)
{
	for (size_t page = 0; page < pages; page++)
		if (page % keep)
			madvise(mem + page * PAGE_WORDS, PAGE, MADV_DONTNEED);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "keep", required_argument, NULL, 'k' },
		{ "random", required_argument, NULL, 'r' },
		{ "status", required_argument, NULL, 's' },
		{ "wait", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned int random = 25;
	const char *status = NULL;
	size_t pages, keep = 1;
	bool wait = false;
	sigset_t signals;
	uint64_t *mem;
	double start, took;
	int opt, sig;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'r')
			random = (unsigned int)number_or_die(optarg, 0);
		else if (opt == 'k')
			keep = number_or_die(optarg, 1);
		else if (opt == 's')
			status = optarg;
		else if (opt == 'w')
			wait = true;
		else
			return 2;
	}
	if (argc - optind != 1) {
		fprintf(stderr,
			"usage: burn [--random PERCENT] [--wait] [--keep N] [--status FILE] MIB\n");
		return 2;
	}
	pages = number_or_die(argv[optind], 1) * MIB / PAGE;
	mem = anon_alloc(pages * PAGE);
	if (!mem) {
		perror("burn");
		return 1;
	}
	if (wait) {
		sigemptyset(&signals);
		sigaddset(&signals, SIGUSR1);
		sigprocmask(SIG_BLOCK, &signals, NULL);
		sigwait(&signals, &sig);
	}
	start = now_ms();
	for (size_t page = 0; page < pages; page++)
		page_fill(mem + page * PAGE_WORDS, page, random);
	took = now_ms() - start;
	keep_one_in(keep, mem, pages);
	if (status_write(status, "{\"pages\":%zu,\"fill_ms\":%.0f}\n", pages, took) < 0)
		perror("burn");
	pause();
	return 0;
}
