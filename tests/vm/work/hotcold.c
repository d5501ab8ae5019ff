// SPDX-License-Identifier: GPL-2.0-only
/*
 * hotcold - memory of which a part is used all the time and the rest never again.
 *
 * usage: hotcold [--layout contiguous|spread] [--random PERCENT] [--period MS] [--cold-after MS]
 *                [--change move|shrink|scan --every SECONDS] [--oracle] [--status FILE]
 *                TOTAL_MIB HOT_MIB
 *
 * contiguous: the hot part is the first HOT_MIB; spread: one hot 4K page in every TOTAL/HOT. Each
 * round touches every hot page once and checks its tag. It knows to the page which of its own
 * memory was swapped out, hot and cold apart (/proc/self/pagemap), and can read everything back.
 *
 * A page that could not be touched for --cold-after MS (the machine stood still) was not in use:
 * what it faults is counted apart, as late_majflt.
 *
 * --change: every so often other pages become the hot part (move), half of it becomes cold, down to
 * an eighth (shrink), or all there is is read once (scan). What a change itself faults is counted
 * apart, as change_majflt: nobody could know.
 *
 * --oracle: it pages its cold part out itself, when it is there and after each change: the most
 * that anybody could save, for others to be measured against.
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

enum change { CHANGE_NONE, CHANGE_MOVE, CHANGE_SHRINK, CHANGE_SCAN };

struct work {
	uint64_t *mem;
	size_t pages, hot_pages, stride;
	size_t least_hot; /* CHANGE_SHRINK ends there */
	size_t offset; /* of the hot part: in pages; spread: within each stride */
	bool spread, oracle;
	enum change change;
	double every_ms, next_change_ms;
	bool changed; /* no round since */
	long change_majflt;
	uint32_t
		*touched_round; /* of each page; NULL where hot pages stay so and this is `round` */
	double cold_page_ms, cold_since_ms; /* of counting_since_ms to cold_since_ms */
	double counting_since_ms;
	unsigned int random;
	const char *status;
	uint64_t round;
	long hot_majflt, hot_minflt, late_majflt;
	double *touched_ms; /* when each TIMED_PAGES of the hot part were touched last */
	double cold_after_ms, worst_gap_ms;
	double worst_ms, last_ms;
	struct durations *rounds; /* since SIGUSR2 */
	size_t corrupt;
	bool verified;
};

struct residence {
	size_t hot_present, hot_swapped, cold_present, cold_swapped;
};

static bool is_hot(const struct work *w, size_t page)
{
	if (w->spread)
		return page % w->stride == w->offset && page / w->stride < w->hot_pages;
	return (page + w->pages - w->offset) % w->pages < w->hot_pages;
}

static size_t hot_page(const struct work *w, size_t i)
{
	size_t page = i + w->offset;

	if (w->spread)
		return i * w->stride + w->offset;
	return page < w->pages ? page : page - w->pages;
}

static uint64_t *page_at(const struct work *w, size_t page)
{
	return w->mem + page * PAGE_WORDS;
}

static void touch_pages(struct work *w, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t page = hot_page(w, i);
		volatile uint64_t *p = page_at(w, page);

		if (p[TAG_WORD] != mix(~(uint64_t)page))
			w->corrupt++;
		p[USER_WORD] = w->round;
		if (w->touched_round)
			w->touched_round[page] = (uint32_t)w->round;
	}
}

static void touch_timed(struct work *w, size_t from)
{
	size_t to = from + TIMED_PAGES < w->hot_pages ? from + TIMED_PAGES : w->hot_pages;
	double *touched = &w->touched_ms[from / TIMED_PAGES];
	double gap = *touched > 0 ? now_ms() - *touched : 0;
	long major = major_faults();
	long *count = w->changed                ? &w->change_majflt
		      : gap >= w->cold_after_ms ? &w->late_majflt
						: &w->hot_majflt;

	touch_pages(w, from, to);
	*touched = now_ms();
	if (gap > w->worst_gap_ms)
		w->worst_gap_ms = gap;
	*count += major_faults() - major;
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
	durations_add(w->rounds, w->last_ms);
	w->hot_minflt += minor_faults() - minor;
	w->changed = false;
}

static uint64_t user_word(const struct work *w, size_t page)
{
	if (w->touched_round)
		return w->touched_round[page];
	return is_hot(w, page) ? w->round : 0;
}

static void verify(struct work *w)
{
	size_t corrupt = 0;

	for (size_t page = 0; page < w->pages; page++)
		if (!page_intact(page_at(w, page), page, user_word(w, page), w->random))
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

/* In runs of neighbours. A page that has no room in swap stays; the status tells. */
static void page_out_cold(const struct work *w)
{
	for (size_t page = 0, end; page < w->pages; page = end + 1) {
		for (end = page; end < w->pages && !is_hot(w, end); end++)
			;
		if (end > page)
			madvise(page_at(w, page), (end - page) * PAGE, MADV_PAGEOUT);
	}
}

/* What is cold counts from the moment it began to be, so that its mean over time is exact. */
static double cold_until_now(struct work *w)
{
	double now = now_ms();

	if (w->cold_since_ms > 0)
		w->cold_page_ms += (double)(w->pages - w->hot_pages) * (now - w->cold_since_ms);
	w->cold_since_ms = now;
	return now;
}

static void scan(struct work *w)
{
	long major = major_faults();

	for (size_t page = 0; page < w->pages; page++)
		if (*(volatile uint64_t *)(page_at(w, page) + TAG_WORD) != mix(~(uint64_t)page))
			w->corrupt++;
	w->change_majflt += major_faults() - major;
}

static void change_now(struct work *w)
{
	w->next_change_ms = cold_until_now(w) + w->every_ms;
	if (w->change == CHANGE_SCAN)
		scan(w);
	else if (w->change == CHANGE_SHRINK && w->hot_pages / 2 >= w->least_hot)
		w->hot_pages /= 2;
	else if (w->change == CHANGE_MOVE)
		w->offset = w->spread ? (w->offset + 1) % w->stride
				      : (w->offset + w->hot_pages) % w->pages;
	w->changed = true;
	touch_hot(w);
	if (w->oracle)
		page_out_cold(w);
}

static void report(struct work *w)
{
	struct residence r = { 0 };
	double since = w->counting_since_ms, now = cold_until_now(w);

	if (count_residence(w, &r) < 0) {
		status_write(w->status, "{\"error\":\"pagemap\"}\n");
		return;
	}
	status_write(w->status,
		     "{\"pages\":%zu,\"hot_pages\":%zu,\"cold_pages\":%zu,"
		     "\"hot_present\":%zu,\"hot_swapped\":%zu,"
		     "\"cold_present\":%zu,\"cold_swapped\":%zu,"
		     "\"rounds\":%llu,\"hot_majflt\":%ld,\"hot_minflt\":%ld,"
		     "\"change_majflt\":%ld,\"cold_mean_pages\":%.0f,\"late_majflt\":%ld,\"worst_"
		     "gap_ms\":%.2f,"
		     "\"worst_ms\":%.2f,\"last_ms\":%.2f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
		     "\"huge_kib\":%lu,"
		     "\"verified\":%s,\"corrupt\":%zu}\n",
		     w->pages, w->hot_pages, w->pages - w->hot_pages, r.hot_present, r.hot_swapped,
		     r.cold_present, r.cold_swapped, (unsigned long long)w->round, w->hot_majflt,
		     w->hot_minflt, w->change_majflt,
		     now > since ? w->cold_page_ms / (now - since) : 0, w->late_majflt,
		     w->worst_gap_ms, w->worst_ms, w->last_ms, durations_quantile(w->rounds, 0.5),
		     durations_quantile(w->rounds, 0.99),
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
		w->hot_majflt = w->hot_minflt = w->late_majflt = w->change_majflt = 0;
		w->counting_since_ms = cold_until_now(w);
		w->cold_page_ms = 0;
		w->next_change_ms = w->counting_since_ms + w->every_ms;
		w->worst_ms = w->worst_gap_ms = 0;
		w->rounds->count = 0;
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
		if (w->change && now_ms() >= w->next_change_ms)
			change_now(w);
		else
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

static enum change change_of(const char *text)
{
	return !strcmp(text, "move")     ? CHANGE_MOVE
	       : !strcmp(text, "shrink") ? CHANGE_SHRINK
	       : !strcmp(text, "scan")   ? CHANGE_SCAN
					 : CHANGE_NONE;
}

static int usage(void)
{
	fprintf(stderr, "usage: hotcold [--layout contiguous|spread] [--random PERCENT] "
			"[--period MS] [--cold-after MS] [--change move|shrink|scan --every S] "
			"[--oracle] [--status FILE] TOTAL_MIB HOT_MIB\n");
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
		{ "oracle", no_argument, NULL, 'o' },
		{ "change", required_argument, NULL, 'C' },
		{ "every", required_argument, NULL, 'e' },
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
		else if (opt == 'o')
			w.oracle = true;
		else if (opt == 'C' && change_of(optarg))
			w.change = change_of(optarg);
		else if (opt == 'e')
			w.every_ms = 1e3 * (double)number_or_die(optarg, 1);
		else
			return usage();
	}
	if (argc - optind != 2 || w.random > 100)
		return usage();
	total = number_or_die(argv[optind], 1);
	hot = number_or_die(argv[optind + 1], 0);
	if (!total || hot > total || (w.change && (w.every_ms < 1 || !hot || total % hot)))
		return usage();
	w.pages = total * MIB / PAGE;
	w.hot_pages = hot * MIB / PAGE;
	w.stride = hot ? total / hot : 1;
	fd = catch_signals();
	w.mem = anon_alloc(w.pages * PAGE);
	w.touched_ms = calloc(w.hot_pages / TIMED_PAGES + 1, sizeof(*w.touched_ms));
	w.rounds = calloc(1, sizeof(*w.rounds));
	w.least_hot = w.hot_pages / 8;
	if (w.change)
		w.touched_round = calloc(w.pages, sizeof(*w.touched_round));
	if (fd < 0 || !w.mem || !w.touched_ms || !w.rounds || (w.change && !w.touched_round)) {
		perror("hotcold");
		return 1;
	}
	for (size_t page = 0; page < w.pages; page++)
		page_fill(page_at(&w, page), page, w.random);
	touch_hot(&w);
	w.worst_ms = 0;
	w.rounds->count = 0;
	if (w.oracle)
		page_out_cold(&w);
	w.counting_since_ms = cold_until_now(&w);
	w.next_change_ms = w.counting_since_ms + w.every_ms;
	report(&w);
	work_loop(&w, fd, period_ms);
	return w.corrupt ? 1 : 0;
}
