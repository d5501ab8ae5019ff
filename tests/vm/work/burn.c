// SPDX-License-Identifier: GPL-2.0-only
/*
 * burn - takes memory and holds it until a signal ends it.
 *
 * usage: burn [--random PERCENT] [--status FILE] MIB
 * The status file appears when all of it is allocated.
 */
#include <getopt.h>

#include "work.h"

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "random", required_argument, NULL, 'r' },
		{ "status", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned int random = 25;
	const char *status = NULL;
	size_t pages;
	uint64_t *mem;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'r')
			random = (unsigned int)number_or_die(optarg, 0);
		else if (opt == 's')
			status = optarg;
		else
			return 2;
	}
	if (argc - optind != 1) {
		fprintf(stderr, "usage: burn [--random PERCENT] [--status FILE] MIB\n");
		return 2;
	}
	pages = number_or_die(argv[optind], 1) * MIB / PAGE;
	mem = anon_alloc(pages * PAGE);
	if (!mem) {
		perror("burn");
		return 1;
	}
	for (size_t page = 0; page < pages; page++)
		page_fill(mem + page * PAGE_WORDS, page, random);
	if (status_write(status, "{\"pages\":%zu}\n", pages) < 0)
		perror("burn");
	pause();
	return 0;
}
