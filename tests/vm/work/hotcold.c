// SPDX-License-Identifier: GPL-2.0-only
/*
 * hotcold - memory of which a part is used all the time and the rest never again.
 *
 * usage: hotcold [--layout contiguous|spread] [--random PERCENT] [--period MS] [--cold-after MS]
 *                [--status FILE] TOTAL_MIB HOT_MIB
 *
 * contiguous: the hot part is the first HOT_MIB; spread: one hot 4K page in every TOTAL/HOT. Each
 * round touches every hot page once and checks its tag. It knows to the page which of its own
 * memory was swapped out, hot and cold apart (/proc/self/pagemap), and can read everything back.
 *
 * A page that could not be touched for --cold-after MS (the machine stood still) was not in use:
 * what it faults is counted apart, as late_majflt.
 *
 * SIGUSR1: write the status file (JSON). SIGUSR2: faults and the worst round count from here.
 * SIGHUP: verify every byte, then write the status. SIGTERM: end, 0 only if nothing was corrupt.
 */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "work.h"

/* Hot pages whose last touch is timed together: asking for the faults after each would cost more.
 */
#define TIMED_PAGES 512

struct work {
	uint64_t *mem;
	size_t pages, hot_pages, stride;
	bool spread;
	unsigned int random;
	const char *status;
	uint64_t round;
	long hot_majflt, hot_minflt, late_majflt;
	double *touched_ms; /* when each TIMED_PAGES of the hot part were touched last */
	double cold_after_ms, worst_gap_ms;
	double worst_ms, last_ms;
	size_t corrupt;
	bool verified;
};

struct residence {
	size_t hot_present, hot_swapped, cold_present, cold_swapped;
};

static bool is_hot(const struct work *w, size_t page)
{
	return w->spread ? page % w->stride == 0 && page / w->stride < w->hot_pages
			 : page < w->hot_pages;
}

static uint64_t *page_at(const struct work *w, size_t page)
{
	return w->mem + page * PAGE_WORDS;
}

static void touch_pages(struct work *w, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t page = w->spread ? i * w->stride : i;
		volatile uint64_t *p = page_at(w, page);

		if (p[TAG_WORD] != mix(~(uint64_t)page))
			w->corrupt++;
		p[USER_WORD] = w->round;
	}
}

static void touch_timed(struct work *w, size_t from)
{
	size_t to = from + TIMED_PAGES < w->hot_pages ? from + TIMED_PAGES : w->hot_pages;
	double *touched = &w->touched_ms[from / TIMED_PAGES];
	double gap = *touched > 0 ? now_ms() - *touched : 0;
	long major = major_faults();

	touch_pages(w, from, to);
	*touched = now_ms();
	if (gap > w->worst_gap_ms)
		w->worst_gap_ms = gap;
	*(gap >= w->cold_after_ms ? &w->late_majflt : &w->hot_majflt) += major_faults() - major;
}

static void touch_hot(struct work *w)
{
	long minor = minor_faults();
	double begun = now_ms();

	w->round++;
	for (size_t from = 0; from < w->hot_pages; from += TIMED_PAGES)
		touch_timed(w, from);
	w->last_ms = now_ms() - begun;
	if (w->last_ms > w->worst_ms)
		w->worst_ms = w->last_ms;
	w->hot_minflt += minor_faults() - minor;
}

static void verify(struct work *w)
{
	size_t corrupt = 0;

	for (size_t page = 0; page < w->pages; page++)
		if (!page_intact(page_at(w, page), page, is_hot(w, page) ? w->round : 0, w->random))
			corrupt++;
	w->corrupt += corrupt;
	w->verified = true;
}

static int count_residence(const struct work *w, struct residence *ret_r)
{
	static uint64_t entries[8192];
	struct residence r = { 0 };
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t page = 0; page < w->pages;) {
		size_t want = w->pages - page;
		ssize_t n;

		if (want > 8192)
			want = 8192;
		n = pread(fd, entries, want * sizeof(entries[0]),
			  (off_t)(((uintptr_t)w->mem / PAGE + page) * sizeof(entries[0])));
		if (n <= 0) {
			close(fd);
			return n < 0 ? -errno : -EIO;
		}
		for (size_t i = 0; i < (size_t)n / sizeof(entries[0]); i++, page++) {
			bool hot = is_hot(w, page);

			if (entries[i] >> 63 & 1)
				*(hot ? &r.hot_present : &r.cold_present) += 1;
			else if (entries[i] >> 62 & 1)
				*(hot ? &r.hot_swapped : &r.cold_swapped) += 1;
		}
	}
	close(fd);
	*ret_r = r;
	return 0;
}

static void report(const struct work *w)
{
	struct residence r = { 0 };

	if (count_residence(w, &r) < 0) {
		status_write(w->status, "{\"error\":\"pagemap\"}\n");
		return;
	}
	status_write(w->status,
		     "{\"pages\":%zu,\"hot_pages\":%zu,\"cold_pages\":%zu,"
		     "\"hot_present\":%zu,\"hot_swapped\":%zu,"
		     "\"cold_present\":%zu,\"cold_swapped\":%zu,"
		     "\"rounds\":%llu,\"hot_majflt\":%ld,\"hot_minflt\":%ld,"
		     "\"late_majflt\":%ld,\"worst_gap_ms\":%.2f,"
		     "\"worst_ms\":%.2f,\"last_ms\":%.2f,\"huge_kib\":%lu,"
		     "\"verified\":%s,\"corrupt\":%zu}\n",
		     w->pages, w->hot_pages, w->pages - w->hot_pages, r.hot_present, r.hot_swapped,
		     r.cold_present, r.cold_swapped, (unsigned long long)w->round, w->hot_majflt,
		     w->hot_minflt, w->late_majflt, w->worst_gap_ms, w->worst_ms, w->last_ms,
		     proc_figure("/proc/self/smaps_rollup", "AnonHugePages"),
		     w->verified ? "true" : "false", w->corrupt);
}

/* Returns true when it is time to end. */
static bool handle_signal(struct work *w, uint32_t signo)
{
	switch (signo) {
	case SIGUSR1:
		report(w);
		return false;
	case SIGUSR2:
		w->hot_majflt = w->hot_minflt = w->late_majflt = 0;
		w->worst_ms = w->worst_gap_ms = 0;
		return false;
	case SIGHUP:
		verify(w);
		report(w);
		return false;
	default:
		return true;
	}
}

static void work_loop(struct work *w, int fd, int period_ms)
{
	double next = now_ms();

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct signalfd_siginfo info;
		double left = next - now_ms();

		if (poll(&p, 1, left > 0 ? (int)left + 1 : 0) > 0) {
			if (read(fd, &info, sizeof(info)) == sizeof(info) &&
			    handle_signal(w, info.ssi_signo))
				return;
			continue;
		}
		touch_hot(w);
		next = now_ms() + period_ms;
	}
}

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int usage(void)
{
	fprintf(stderr, "usage: hotcold [--layout contiguous|spread] [--random PERCENT] "
			"[--period MS] [--cold-after MS] [--status FILE] TOTAL_MIB HOT_MIB\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "layout", required_argument, NULL, 'l' },
		{ "random", required_argument, NULL, 'r' },
		{ "period", required_argument, NULL, 'p' },
		{ "cold-after", required_argument, NULL, 'c' },
		{ "status", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct work w = { .random = 25, .cold_after_ms = 1e9 };
	int opt, fd, period_ms = 300;
	size_t total, hot;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'l' && (!strcmp(optarg, "spread") || !strcmp(optarg, "contiguous")))
			w.spread = *optarg == 's';
		else if (opt == 'r')
			w.random = (unsigned int)number_or_die(optarg, 0);
		else if (opt == 'p')
			period_ms = (int)number_or_die(optarg, 1);
		else if (opt == 'c')
			w.cold_after_ms = (double)number_or_die(optarg, 1);
		else if (opt == 's')
			w.status = optarg;
		else
			return usage();
	}
	if (argc - optind != 2 || w.random > 100)
		return usage();
	total = number_or_die(argv[optind], 1);
	hot = number_or_die(argv[optind + 1], 0);
	if (hot > total)
		return usage();
	w.pages = total * MIB / PAGE;
	w.hot_pages = hot * MIB / PAGE;
	w.stride = hot ? total / hot : 1;
	fd = catch_signals();
	w.mem = anon_alloc(w.pages * PAGE);
	w.touched_ms = calloc(w.hot_pages / TIMED_PAGES + 1, sizeof(*w.touched_ms));
	if (fd < 0 || !w.mem || !w.touched_ms) {
		perror("hotcold");
		return 1;
	}
	for (size_t page = 0; page < w.pages; page++)
		page_fill(page_at(&w, page), page, w.random);
	touch_hot(&w);
	w.worst_ms = 0;
	report(&w);
	work_loop(&w, fd, period_ms);
	return w.corrupt ? 1 : 0;
}
