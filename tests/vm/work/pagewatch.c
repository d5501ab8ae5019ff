// SPDX-License-Identifier: GPL-2.0-only
/*
 * pagewatch - what of some files is in the page cache, and how often pages left it and came back.
 *
 * usage: pagewatch [--period MS] --status FILE PATH...
 *
 * Looks with mincore() every MS (100), which touches nothing. A page that is found again after it
 * was gone came back: a refault, of whoever needed it. What goes and comes between two looks is not
 * seen. SIGUSR1: write the status file (JSON), all files together. SIGUSR2: begins anew: what is
 * not in memory then was never there.
 */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "work.h"

#define FILES_MAX 64
#define IN 1
#define SEEN 2

struct file {
	void *map;
	size_t pages;
	unsigned char *now; /* mincore's */
	unsigned char *state;
};

static struct file files[FILES_MAX];
static size_t nr_files;
static size_t left, back; /* pages, since SIGUSR2 */

static int watch(const char *path)
{
	struct file *f = &files[nr_files];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (nr_files == FILES_MAX || fd < 0 || fstat(fd, &st) < 0 || !st.st_size)
		return -1;
	f->pages = ((size_t)st.st_size + PAGE - 1) / PAGE;
	f->map = mmap(NULL, f->pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	f->now = calloc(f->pages, 1);
	f->state = calloc(f->pages, 1);
	close(fd);
	if (f->map == MAP_FAILED || !f->now || !f->state)
		return -1;
	nr_files++;
	return 0;
}

static void look(void)
{
	for (size_t i = 0; i < nr_files; i++) {
		struct file *f = &files[i];

		if (mincore(f->map, f->pages * PAGE, f->now))
			continue;
		for (size_t page = 0; page < f->pages; page++) {
			bool in = f->now[page] & 1;

			if (in && !(f->state[page] & IN) && f->state[page] & SEEN)
				back++;
			else if (!in && f->state[page] & IN)
				left++;
			f->state[page] = in ? IN | SEEN : f->state[page] & SEEN;
		}
	}
}

static void begin(void)
{
	left = back = 0;
	for (size_t i = 0; i < nr_files; i++)
		memset(files[i].state, 0, files[i].pages);
	look();
}

static void report(const char *status)
{
	size_t pages = 0, in = 0, seen = 0;

	for (size_t i = 0; i < nr_files; i++) {
		pages += files[i].pages;
		for (size_t page = 0; page < files[i].pages; page++) {
			in += files[i].state[page] & IN;
			seen += files[i].state[page] >> 1;
		}
	}
	status_write(status, "{\"pages\":%zu,\"seen\":%zu,\"in\":%zu,\"left\":%zu,\"back\":%zu}\n",
		     pages, seen, in, left, back);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "period", required_argument, NULL, 'p' },
		{ "status", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	const char *status = NULL;
	int opt, fd, period_ms = 100;
	sigset_t set;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'p')
			period_ms = (int)number_or_die(optarg, 1);
		else if (opt == 's')
			status = optarg;
		else
			return 2;
	}
	if (optind == argc || !status) {
		fprintf(stderr, "usage: pagewatch [--period MS] --status FILE PATH...\n");
		return 2;
	}
	for (; optind < argc; optind++)
		if (watch(argv[optind]) < 0) {
			perror(argv[optind]);
			return 1;
		}
	sigemptyset(&set);
	for (const int *s = (const int[]){ SIGUSR1, SIGUSR2, SIGTERM, SIGINT, 0 }; *s; s++)
		sigaddset(&set, *s);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	look();
	report(status);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct signalfd_siginfo info;

		if (poll(&p, 1, period_ms) <= 0 || read(fd, &info, sizeof(info)) != sizeof(info)) {
			look();
			continue;
		}
		look();
		if (info.ssi_signo == SIGUSR1)
			report(status);
		else if (info.ssi_signo == SIGUSR2)
			begin();
		else
			return 0;
	}
}
