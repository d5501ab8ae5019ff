// SPDX-License-Identifier: GPL-2.0-only
/*
 * shortage - when free memory ran short, and how long the balloon then took to open.
 *
 * usage: shortage --status FILE [--interval MS]
 * Reads /proc/vmstat every 10 ms, locked in memory and ahead of all others. Short is: kswapd began
 * a round or an allocation stalled. The clock of what follows begins there, or with SIGUSR1 where
 * that comes later. SIGUSR2 has it write the status file, SIGTERM too, before it ends: short,
 * first_ms, half_ms, open_ms   whether it was short; to the first page that came back, to half of
 * what the balloon had, and to no more than 8 MiB in it (-1: not yet) held, least_free       pages
 * in the balloon when the clock began; the fewest that were free since the start stalls allocations
 * that stalled since the start The status file also appears by itself when memory gets short.
 */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

#include "work.h"

#define OPEN_PAGES (8 * MIB / PAGE)

struct figures {
	long inflated, deflated, rounds, stalls, free;
};

static struct {
	const char *path;
	struct figures first;
	double begin; /* ms; 0: not short yet */
	long held, least_free, stalls;
	double first_ms, half_ms, open_ms;
} s = { .first_ms = -1, .half_ms = -1, .open_ms = -1 };

static long figure(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? atol(at + strlen(key)) : 0;
}

static long sum(const char *text, const char *prefix)
{
	long total = 0;

	while ((text = strstr(text, prefix))) {
		text += 1 + strcspn(text + 1, " \n");
		total += atol(text);
	}
	return total;
}

static struct figures look(int fd)
{
	static char text[32768];
	ssize_t n = pread(fd, text + 1, sizeof(text) - 2, 0);

	if (n <= 0) {
		perror("shortage: /proc/vmstat");
		exit(1);
	}
	text[0] = '\n';
	text[n + 1] = '\0';
	return (struct figures){ .inflated = figure(text, "\nballoon_inflate "),
				 .deflated = figure(text, "\nballoon_deflate "),
				 .rounds = figure(text, "\npageoutrun "),
				 .stalls = sum(text, "\nallocstall_"),
				 .free = figure(text, "\nnr_free_pages ") };
}

static void report(void)
{
	status_write(
		s.path,
		"{\"short\":%d,\"first_ms\":%.0f,\"half_ms\":%.0f,\"open_ms\":%.0f,\"held\":%ld,"
		"\"least_free\":%ld,\"stalls\":%ld}\n",
		s.begin != 0, s.first_ms, s.half_ms, s.open_ms, s.held, s.least_free, s.stalls);
}

static void begin(const struct figures *f)
{
	s.begin = now_ms();
	s.held = f->inflated - f->deflated;
	s.first_ms = s.half_ms = s.open_ms = -1;
}

static void compare(const struct figures *f)
{
	long held = f->inflated - f->deflated;

	s.stalls = f->stalls - s.first.stalls;
	if (f->free < s.least_free)
		s.least_free = f->free;
	if (!s.begin) {
		if (f->rounds == s.first.rounds && !s.stalls)
			return;
		begin(f);
		report();
		return;
	}
	if (s.first_ms < 0 && held < s.held)
		s.first_ms = now_ms() - s.begin;
	if (s.half_ms < 0 && held <= s.held / 2)
		s.half_ms = now_ms() - s.begin;
	if (s.open_ms < 0 && held <= (long)OPEN_PAGES)
		s.open_ms = now_ms() - s.begin;
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "status", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct sched_param first = { .sched_priority = 1 };
	struct pollfd p = { .events = POLLIN };
	struct signalfd_siginfo info;
	struct figures f;
	int opt, interval = 10, fd;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'i')
			interval = (int)number_or_die(optarg, 1);
		else if (opt == 's')
			s.path = optarg;
		else
			return 2;
	}
	fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	p.fd = signals();
	if (!s.path || fd < 0 || p.fd < 0) {
		fprintf(stderr, "usage: shortage --status FILE [--interval MS]\n");
		return 2;
	}
	if (mlockall(MCL_CURRENT | MCL_FUTURE) || sched_setscheduler(0, SCHED_FIFO, &first))
		perror("shortage: it may be late itself");
	f = s.first = look(fd);
	s.least_free = f.free;
	for (;;) {
		if (poll(&p, 1, interval) > 0 && read(p.fd, &info, sizeof(info)) > 0) {
			if (info.ssi_signo == SIGUSR1)
				begin(&f);
			else
				report();
			if (info.ssi_signo == SIGTERM)
				return 0;
		}
		f = look(fd);
		compare(&f);
	}
}
