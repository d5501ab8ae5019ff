// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench HOST:PORT PID [SCRAPES [READERS]] - what a scrape costs: time to the last byte, and
 * processor time and memory of the exporter, PID, while READERS have asked for the same and read
 * nothing. Each scrape wants a fresh sample, so the exporter asks ebbd, reads and renders. Prints
 * PASS or FAIL: the median, or the processor time of one, is 50 ms at most, and the resident memory
 * 24 MiB at most. With other work on the machine the clock says nothing; then the processor time is
 * what is held to the bound.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "exporter/address.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define MAX_SCRAPES 100
#define SCRAPE_MS 50
#define RSS_KIB (24 * 1024)

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1000 + (double)ts.tv_nsec / 1e6;
}

/* A connection that has asked; -1: it could not. */
static int ask(const struct address *to, int receive_bytes)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n"
				      "Connection: close\r\n\r\n";
	_cleanup_close_ int fd = socket(to->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* Before it connects: the window is agreed on then. */
	if (receive_bytes)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
	if (connect(fd, (const struct sockaddr *)&to->addr, to->len) < 0 ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* Bytes of the answer; -1: none. */
static ssize_t scrape(const struct address *to)
{
	static char buf[1 << 20];
	_cleanup_close_ int fd = ask(to, 0);
	ssize_t n, all = 0;

	if (fd < 0)
		return -1;
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		if (!all && (n < 12 || strncmp(buf, "HTTP/1.1 200", 12) != 0))
			return -1;
		all += n;
	}
	return n < 0 ? -1 : all;
}

/* User and system time of all threads, in milliseconds. */
static double cpu_ms(const char *pid)
{
	unsigned long long user = 0, system = 0;
	char path[64], text[1024] = "";
	const char *after;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	read_file_at(AT_FDCWD, path, text, sizeof(text));
	after = strrchr(text, ')');
	if (!after || sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
			     &user, &system) != 2)
		return 0;
	return (double)(user + system) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static uint64_t rss_kib(const char *pid)
{
	char path[64], text[4096] = "";
	const char *line;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	read_file_at(AT_FDCWD, path, text, sizeof(text));
	line = strstr(text, "\nVmRSS:");
	return line ? strtoull(line + 7, NULL, 10) : UINT64_MAX;
}

static int by_time(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void verdict(bool good, const char *what)
{
	printf("%s bench: %s\n", good ? "PASS" : "FAIL", what);
}

int main(int argc, char **argv)
{
	double took[MAX_SCRAPES], cpu, median;
	char what[160];
	struct address to;
	int n = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 20;
	long readers = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
	ssize_t bytes = 0;
	uint64_t rss;

	if (argc < 3 || n < 1 || n > MAX_SCRAPES || address_parse(argv[1], &to)) {
		fputs("usage: bench HOST:PORT PID [SCRAPES [READERS]]\n", stderr);
		return 2;
	}
	for (long i = 0; i < readers; i++)
		if (ask(&to, 4096) < 0)
			printf("    a reader was not let in\n");
	scrape(&to); /* the first one finds nothing warm */
	cpu = cpu_ms(argv[2]);
	for (int i = 0; i < n; i++) {
		double begun;

		usleep(999999); /* until the sample is old */
		begun = now_ms();
		bytes = scrape(&to);
		took[i] = now_ms() - begun;
		if (bytes < 0) {
			printf("FAIL bench: no answer from %s\n", argv[1]);
			return 1;
		}
	}
	cpu = (cpu_ms(argv[2]) - cpu) / n;
	qsort(took, (size_t)n, sizeof(took[0]), by_time);
	median = took[n / 2];
	rss = rss_kib(argv[2]);
	snprintf(
		what, sizeof(what),
		"a scrape of %zd KiB%s: %.1f ms (best %.1f, worst %.1f), %.1f ms of processor time",
		bytes / 1024, readers ? " beside others that do not read" : "", median, took[0],
		took[n - 1], cpu);
	verdict(median <= SCRAPE_MS || cpu <= SCRAPE_MS, what);
	snprintf(what, sizeof(what), "%" PRIu64 " KiB resident", rss);
	verdict(rss <= RSS_KIB, what);
	return rss <= RSS_KIB && (median <= SCRAPE_MS || cpu <= SCRAPE_MS) ? 0 : 1;
}
