// SPDX-License-Identifier: GPL-2.0-only
/*
 * pipes - holds filled pipes: kernel memory that can be neither moved nor evicted.
 *
 * usage: pipes [--pages N] [--status FILE] COUNT
 * Each pipe is made N pages large (4) and filled to its last byte. The status file appears when all
 * of them are: how many there are, and what they hold. They stay until a signal ends the program.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sys/resource.h>

#include "work.h"

static char page[PAGE];

static void raise_files(size_t pipes)
{
	struct rlimit limit = { .rlim_cur = 2 * pipes + 64, .rlim_max = 2 * pipes + 64 };

	if (setrlimit(RLIMIT_NOFILE, &limit)) {
		perror("pipes: so many open files are not allowed");
		exit(1);
	}
}

/* Bytes that fit in. */
static uint64_t fill(unsigned long pages)
{
	uint64_t bytes = 0;
	ssize_t n;
	int fd[2];

	if (pipe2(fd, O_NONBLOCK | O_CLOEXEC) || fcntl(fd[1], F_SETPIPE_SZ, pages * PAGE) < 0) {
		perror("pipes");
		exit(1);
	}
	while ((n = write(fd[1], page, PAGE)) > 0)
		bytes += (uint64_t)n;
	return bytes;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pages", required_argument, NULL, 'p' },
		{ "status", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long pages = 4, pipes;
	const char *status = NULL;
	uint64_t bytes = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'p')
			pages = number_or_die(optarg, 1);
		else if (opt == 's')
			status = optarg;
		else
			return 2;
	}
	if (argc - optind != 1) {
		fprintf(stderr, "usage: pipes [--pages N] [--status FILE] COUNT\n");
		return 2;
	}
	pipes = number_or_die(argv[optind], 1);
	raise_files(pipes);
	for (size_t i = 0; i < pipes; i++)
		bytes += fill(pages);
	if (status_write(status, "{\"pipes\":%lu,\"bytes\":%llu}\n", pipes,
			 (unsigned long long)bytes) < 0)
		perror("pipes");
	pause();
	return 0;
}
