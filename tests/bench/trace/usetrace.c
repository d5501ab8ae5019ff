// SPDX-License-Identifier: GPL-2.0-only
/*
 * usetrace - records when each page of some cgroups is used, and takes nothing.
 *
 * usage: usetrace --group PATH [--period SECONDS] --out FILE
 *
 * PATH is below /sys/fs/cgroup; the groups inside it count. Every so often (5 s) it has the groups
 * aged, and looks which pages were used since. At the end (SIGTERM) FILE has, for what goes to swap
 * and for what does not, how many times a page was left alone for N periods and then used again
 * ("again"), and how many times for N periods until it was freed or the recording ended ("over"):
 * what can be saved by somebody who knows all of it. SIGUSR2: count from here.
 *
 * A page that is freed and given to the same groups again within one period looks like one that was
 * used.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "frames.h"
#include "usetrace.skel.h"

#define PERIODS_MAX 1024
#define FAILED_MAX 60 /* looks that could not be used */

struct trace {
	struct frames frames;
	struct lrus lrus;
	struct usetrace_bpf *bpf;
	uint64_t *read_bits; /* the map's, by the BPF program */
	uint64_t *bits; /* since the last look that could be used */
	size_t nr_words;
	uint8_t *state, *swap; /* of one look */
	uint16_t *used; /* the look at which a frame was last seen in use; 0: not of the groups */
	uint8_t *kind; /* of a frame that is */
	unsigned int looks, first_look, failed;
	double first_s, last_s;
	uint64_t again[2][PERIODS_MAX], over[2][PERIODS_MAX]; /* [goes to swap] */
	uint64_t resident; /* pages, over all looks */
};

static volatile sig_atomic_t told_end, told_reset;

static void on_end(int sig)
{
	told_end = 1;
}

static void on_reset(int sig)
{
	told_reset = 1;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int trace_open(struct trace *t)
{
	int r = frames_open(&t->frames);
	size_t n = t->frames.nr;

	if (r)
		return r;
	t->nr_words = (n + 63) / 64;
	t->bpf = usetrace_bpf__open();
	if (!t->bpf)
		return -errno;
	t->bpf->rodata->vmemmap = t->frames.vmemmap;
	t->bpf->rodata->nr_words = t->nr_words;
	bpf_map__set_max_entries(t->bpf->maps.read_frames, t->nr_words);
	r = usetrace_bpf__load(t->bpf);
	if (!r)
		r = usetrace_bpf__attach(t->bpf);
	if (r)
		return r;
	t->read_bits = mmap(NULL, t->nr_words * 8, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(t->bpf->maps.read_frames), 0);
	if (t->read_bits == MAP_FAILED)
		return -errno;
	t->bits = calloc(t->nr_words, 8);
	t->state = malloc(n);
	t->swap = malloc(n);
	t->kind = malloc(n);
	t->used = calloc(n, sizeof(*t->used));
	return t->bits && t->state && t->swap && t->kind && t->used ? 0 : -ENOMEM;
}

static void take_read_bits(struct trace *t)
{
	for (size_t i = 0; i < t->nr_words; i++)
		if (t->read_bits[i])
			t->bits[i] |= __atomic_exchange_n(&t->read_bits[i], 0, __ATOMIC_RELAXED);
}

static void count(uint64_t *histogram, unsigned int periods)
{
	if (periods > 1) /* in use at two looks in a row: never idle */
		histogram[periods < PERIODS_MAX ? periods : PERIODS_MAX - 1]++;
}

static void note_frame(struct trace *t, size_t i)
{
	if (t->state[i] == FRAME_OTHER) {
		if (t->used[i])
			count(t->over[t->kind[i]], t->looks - t->used[i]);
		t->used[i] = 0;
		return;
	}
	t->resident++;
	if (t->used[i] && t->state[i] == FRAME_IDLE)
		return;
	if (t->used[i])
		count(t->again[t->kind[i]], t->looks - t->used[i]);
	t->used[i] = (uint16_t)t->looks;
	t->kind[i] = t->swap[i];
}

/* What was idle before counts from now on, too. */
static void reset(struct trace *t)
{
	told_reset = 0;
	memset(t->again, 0, sizeof(t->again));
	memset(t->over, 0, sizeof(t->over));
	for (size_t i = 0; i < t->frames.nr; i++)
		if (t->used[i])
			t->used[i] = (uint16_t)t->looks;
	t->resident = 0;
	t->first_look = t->looks;
	t->first_s = t->last_s;
}

static int look(struct trace *t, const char *group)
{
	int r = lrus_read(&t->lrus, group);

	if (!r)
		r = lrus_age(&t->lrus);
	if (!r)
		r = lrus_read(&t->lrus, group);
	if (r || !t->lrus.nr)
		return r;
	take_read_bits(t);
	r = frames_look(&t->frames, &t->lrus, t->bits, t->state, t->swap);
	/*
	 * As long as they have next to nothing, there is nothing to tell the place by; and while
	 * much is freed, what was looked at last does not fit what was first.
	 */
	if (r == -EOPNOTSUPP && ++t->failed <= FAILED_MAX)
		return 0;
	if (r)
		return r;
	t->last_s = now_s();
	if (!t->looks++) {
		t->first_look = 1;
		t->first_s = t->last_s;
	}
	for (size_t i = 0; i < t->frames.nr; i++)
		note_frame(t, i);
	memset(t->bits, 0, t->nr_words * 8);
	return 0;
}

static void write_histogram(FILE *f, const char *name, const uint64_t *h)
{
	const char *comma = "";

	fprintf(f, "\"%s\":{", name);
	for (unsigned int i = 0; i < PERIODS_MAX; i++)
		if (h[i]) {
			fprintf(f, "%s\"%u\":%lu", comma, i, (unsigned long)h[i]);
			comma = ",";
		}
	fputc('}', f);
}

static int trace_write(struct trace *t, const char *path)
{
	unsigned int looks = t->looks - t->first_look;
	double period = looks ? (t->last_s - t->first_s) / looks : 0;
	FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	for (size_t i = 0; i < t->frames.nr; i++)
		if (t->used[i])
			count(t->over[t->kind[i]], t->looks - t->used[i]);
	fprintf(f, "{\"period_s\":%.3f,\"looks\":%u,\"resident_pages\":%.0f", period, looks,
		looks ? (double)t->resident / looks : 0);
	for (int swap = 0; swap < 2; swap++) {
		fprintf(f, ",\"%s\":{", swap ? "swap" : "file");
		write_histogram(f, "again", t->again[swap]);
		fputc(',', f);
		write_histogram(f, "over", t->over[swap]);
		fputc('}', f);
	}
	fputs("}\n", f);
	return fclose(f) ? -errno : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: usetrace --group PATH [--period SECONDS] --out FILE\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "group", required_argument, NULL, 'g' },
		{ "period", required_argument, NULL, 'p' },
		{ "out", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct sigaction end = { .sa_handler = on_end }, again = { .sa_handler = on_reset };
	const char *group = NULL, *out = NULL;
	static struct trace t;
	double period = 5, due;
	int opt, r;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'g')
			group = optarg;
		else if (opt == 'o')
			out = optarg;
		else if (opt == 'p' && atof(optarg) > 0)
			period = atof(optarg);
		else
			return usage();
	}
	if (!group || !out)
		return usage();
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGUSR2, &again, NULL);
	r = trace_open(&t);
	for (due = now_s(); !r && !told_end; due += period) {
		r = look(&t, group);
		if (told_reset)
			reset(&t);
		while (!r && !told_end && !told_reset && now_s() < due + period)
			usleep(50000);
	}
	if (!r)
		r = trace_write(&t, out);
	if (r)
		fprintf(stderr, "usetrace: %s\n", strerror(-r));
	return r ? 1 : 0;
}
