// SPDX-License-Identifier: GPL-2.0-only
/*
 * filecold - page cache that is read once, beside page cache that is read again every second.
 *
 * usage: filecold [--period MS] [--map] [--oracle] [--status FILE] COLD_FILE COLD_MIB WARM_FILE
 * WARM_MIB
 *
 * Files that are not there, or are smaller, are written first (and dropped from the cache, so that
 * reading charges them). mincore() says how much of each is cached; what a re-reading had to fetch
 * from the disk again is in warm_refetched (bytes, /proc/self/io).
 *
 * --map: the warm file is mapped, and read there.
 *
 * --oracle: it drops what it read once itself: the most that anybody could save, for others to be
 * measured against.
 *
 * SIGUSR1: write the status file (JSON). SIGUSR2: rounds and refetches count from here. SIGHUP:
 * read the cold file again and verify both, then write the status. SIGTERM: end, 0 only if nothing
 * was corrupt.
 */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "work.h"

struct file {
	const char *path;
	size_t pages;
	int fd;
	const uint64_t *map; /* NULL: read through the descriptor */
};

struct work {
	struct file cold, warm;
	const char *status;
	uint64_t rounds, warm_refetched;
	double worst_ms;
	struct durations took;
	size_t corrupt;
	bool verified;
};

static int file_prepare(struct file *f)
{
	static uint64_t page[PAGE_WORDS];
	struct stat st;

	f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return -errno;
	if ((size_t)st.st_size < f->pages * PAGE) {
		for (size_t i = 0; i < f->pages; i++) {
			page_fill(page, i, 100);
			if (pwrite(f->fd, page, PAGE, (off_t)(i * PAGE)) != (ssize_t)PAGE)
				return errno ? -errno : -ENOSPC;
		}
		if (fsync(f->fd) < 0)
			return -errno;
	}
	if (posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED))
		return -EIO;
	return 0;
}

/* Returns the number of pages that do not hold what was written. */
static size_t file_read(const struct file *f)
{
	static uint64_t buf[16 * PAGE_WORDS];
	size_t wrong = 0;

	for (size_t i = 0; f->map && i < f->pages; i++)
		wrong += f->map[i * PAGE_WORDS + TAG_WORD] != mix(~(uint64_t)i);
	for (size_t i = f->map ? f->pages : 0; i < f->pages;) {
		ssize_t n = pread(f->fd, buf, sizeof(buf), (off_t)(i * PAGE));

		if (n < (ssize_t)PAGE)
			return wrong + f->pages - i;
		for (size_t k = 0; k < (size_t)n / PAGE && i < f->pages; k++, i++)
			if (buf[k * PAGE_WORDS + TAG_WORD] != mix(~(uint64_t)i))
				wrong++;
	}
	return wrong;
}

static long file_cached(const struct file *f)
{
	unsigned char *vec = malloc(f->pages);
	void *map = mmap(NULL, f->pages * PAGE, PROT_READ, MAP_SHARED, f->fd, 0);
	long cached = -1;

	if (vec && map != MAP_FAILED && mincore(map, f->pages * PAGE, vec) == 0) {
		cached = 0;
		for (size_t i = 0; i < f->pages; i++)
			cached += vec[i] & 1;
	}
	if (map != MAP_FAILED)
		munmap(map, f->pages * PAGE);
	free(vec);
	return cached;
}

static void read_warm(struct work *w)
{
	unsigned long before = proc_figure("/proc/self/io", "read_bytes");
	double begun = now_ms(), took;

	w->corrupt += file_read(&w->warm);
	took = now_ms() - begun;
	if (took > w->worst_ms)
		w->worst_ms = took;
	durations_add(&w->took, took);
	/* The first reading has to fetch everything; it is no refetch. */
	if (w->rounds++)
		w->warm_refetched += proc_figure("/proc/self/io", "read_bytes") - before;
	else
		w->worst_ms = 0;
}

static void report(struct work *w)
{
	status_write(w->status,
		     "{\"cold_pages\":%zu,\"cold_cached\":%ld,\"warm_pages\":%zu,"
		     "\"warm_cached\":%ld,\"rounds\":%llu,\"warm_refetched\":%llu,"
		     "\"worst_ms\":%.2f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"verified\":%s,"
		     "\"corrupt\":%zu}\n",
		     w->cold.pages, file_cached(&w->cold), w->warm.pages, file_cached(&w->warm),
		     (unsigned long long)w->rounds, (unsigned long long)w->warm_refetched,
		     w->worst_ms, durations_quantile(&w->took, 0.5),
		     durations_quantile(&w->took, 0.99), w->verified ? "true" : "false",
		     w->corrupt);
}

static void work_loop(struct work *w, int fd, int period_ms)
{
	double next = now_ms();

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct signalfd_siginfo info;
		double left = next - now_ms();

		if (poll(&p, 1, left > 0 ? (int)left + 1 : 0) <= 0) {
			read_warm(w);
			next = now_ms() + period_ms;
			continue;
		}
		if (read(fd, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo == SIGHUP) {
			w->corrupt += file_read(&w->cold) + file_read(&w->warm);
			w->verified = true;
		} else if (info.ssi_signo == SIGUSR2) {
			/* Not 0: the next round is no first reading. */
			w->rounds = 1;
			w->warm_refetched = w->took.count = 0;
			w->worst_ms = 0;
			continue;
		} else if (info.ssi_signo != SIGUSR1) {
			return;
		}
		report(w);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "period", required_argument, NULL, 'p' },
		{ "status", required_argument, NULL, 's' },
		{ "map", no_argument, NULL, 'm' },
		{ "oracle", no_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	static struct work w;
	int opt, fd, period_ms = 1000;
	bool oracle = false, map = false;
	sigset_t set;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'p')
			period_ms = (int)number_or_die(optarg, 1);
		else if (opt == 's')
			w.status = optarg;
		else if (opt == 'm')
			map = true;
		else if (opt == 'o')
			oracle = true;
		else
			return 2;
	}
	if (argc - optind != 4) {
		fprintf(stderr, "usage: filecold [--period MS] [--map] [--oracle] [--status FILE] "
				"COLD_FILE COLD_MIB WARM_FILE WARM_MIB\n");
		return 2;
	}
	w.cold.path = argv[optind];
	w.cold.pages = number_or_die(argv[optind + 1], 1) * MIB / PAGE;
	w.warm.path = argv[optind + 2];
	w.warm.pages = number_or_die(argv[optind + 3], 1) * MIB / PAGE;
	sigemptyset(&set);
	for (const int *s = (const int[]){ SIGUSR1, SIGUSR2, SIGHUP, SIGTERM, SIGINT, 0 }; *s; s++)
		sigaddset(&set, *s);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0 || file_prepare(&w.cold) < 0 || file_prepare(&w.warm) < 0) {
		perror("filecold");
		return 1;
	}
	if (map) {
		void *p = mmap(NULL, w.warm.pages * PAGE, PROT_READ, MAP_SHARED, w.warm.fd, 0);

		if (p == MAP_FAILED) {
			perror("filecold");
			return 1;
		}
		w.warm.map = p;
	}
	w.corrupt += file_read(&w.cold);
	if (oracle)
		posix_fadvise(w.cold.fd, 0, 0, POSIX_FADV_DONTNEED);
	read_warm(&w);
	report(&w);
	work_loop(&w, fd, period_ms);
	return w.corrupt ? 1 : 0;
}
