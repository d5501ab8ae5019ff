/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the work programs share: page contents that can be verified, status files, the counters of
 * this process. Header only: each program is one file.
 */
#ifndef WORK_H
#define WORK_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGE_WORDS (PAGE / sizeof(uint64_t))
#define MIB (1024UL * 1024)
#define HUGE (2 * MIB)

/* Word 0 names the page, word 1 is the owner's to write; the rest is contents. */
#define TAG_WORD 0
#define USER_WORD 1
#define CONTENT_WORD 2

static inline double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static inline uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

/*
 * `random` percent of the page do not compress, the rest repeats one word that differs from page to
 * page: never a page of one value, which zram would store as that value alone.
 */
static inline uint64_t page_word(uint64_t page, size_t word, unsigned int random)
{
	return word < PAGE_WORDS * random / 100 ? mix(page << 9 | word) : mix(page);
}

static inline void page_fill(uint64_t *p, uint64_t page, unsigned int random)
{
	p[TAG_WORD] = mix(~page);
	p[USER_WORD] = 0;
	for (size_t w = CONTENT_WORD; w < PAGE_WORDS; w++)
		p[w] = page_word(page, w, random);
}

static inline bool page_intact(const uint64_t *p, uint64_t page, uint64_t user, unsigned int random)
{
	if (p[TAG_WORD] != mix(~page) || p[USER_WORD] != user)
		return false;
	for (size_t w = CONTENT_WORD; w < PAGE_WORDS; w++)
		if (p[w] != page_word(page, w, random))
			return false;
	return true;
}

/* Anonymous memory that huge pages can cover whole. NULL where there is none. */
static inline uint64_t *anon_alloc(size_t bytes)
{
	char *p = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	return (uint64_t *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
}

static inline long major_faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_majflt;
}

static inline long minor_faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_minflt;
}

/* A figure "KEY: N" of a file in /proc; 0 where it is not there. */
static inline unsigned long proc_figure(const char *path, const char *key)
{
	char line[256];
	unsigned long value = 0;
	size_t len = strlen(key);
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && line[len] == ':')
			value = strtoul(line + len + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

/* Whoever waits for the file sees all of it or nothing. */
__attribute__((format(printf, 2, 3))) static inline int status_write(const char *path,
								     const char *format, ...)
{
	char tmp[4096];
	va_list args;
	FILE *f;

	if (!path)
		return 0;
	snprintf(tmp, sizeof(tmp), "%s.new", path);
	f = fopen(tmp, "we");
	if (!f)
		return -errno;
	va_start(args, format);
	vfprintf(f, format, args);
	va_end(args);
	if (fclose(f) || rename(tmp, path))
		return -errno;
	return 0;
}

/* How long things took: the last DURATIONS_KEPT of `count`. */
#define DURATIONS_KEPT 65536

struct durations {
	size_t count;
	float ms[DURATIONS_KEPT];
};

static inline void durations_add(struct durations *d, double ms)
{
	d->ms[d->count++ % DURATIONS_KEPT] = (float)ms;
}

static inline int durations_compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* In place: which one is the oldest is not known from then on. */
static inline double durations_quantile(struct durations *d, double q)
{
	size_t n = d->count < DURATIONS_KEPT ? d->count : DURATIONS_KEPT;

	if (!n)
		return 0;
	qsort(d->ms, n, sizeof(d->ms[0]), durations_compare);
	return (double)d->ms[(size_t)(q * (double)(n - 1) + 0.5)];
}

/* A whole number of at least `min`; ends the program otherwise, for a wrong size tests nothing. */
static inline unsigned long number_or_die(const char *text, unsigned long min)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || n < min) {
		fprintf(stderr, "'%s' is not a number of at least %lu\n", text, min);
		exit(2);
	}
	return n;
}

#endif
