// SPDX-License-Identifier: GPL-2.0-only
#include "sense/hooks.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sense/census.h"

#include "ebb.skel.h"

#define DEFAULT_CGROUPS 2048
/* An entry takes memory when it is made, the map itself 16 bytes for each: 256 KiB. */
#define DEFAULT_TRACKED 16384
#define DEFAULT_OVERHEAD_PPM 5000 /* 0.5% of one CPU */

static int hooks_new(struct hooks **ret, const struct hooks_opts *opts)
{
	struct hooks *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->opts = *opts;
	h->log.fn = opts->log;
	h->log.arg = opts->log_arg;
	if (!h->opts.max_cgroups)
		h->opts.max_cgroups = DEFAULT_CGROUPS;
	if (!h->opts.max_tracked)
		h->opts.max_tracked = DEFAULT_TRACKED;
	if (!h->opts.overhead_ppm)
		h->opts.overhead_ppm = DEFAULT_OVERHEAD_PPM;
	h->sampling.stats_fd = -1;
	r = kernel_facts_get(&h->kernel, opts->cgroup_fd, opts->no_bpf);
	if (r) {
		free(h);
		return r;
	}
	*ret = h;
	return 0;
}

/* How the figures are found is known only after looking. */
static void describe_index(struct hooks *h)
{
	const struct census_terms *t = census_terms(h->census);
	struct hook_rung *rung = &h->ladder.rungs[DATA_SIZES];
	char *text = h->ladder.text[DATA_SIZES];

	snprintf(text, HOOKS_TEXT,
		 "all groups in one pass; figures found by %s (state), %s (events)%s%.200s",
		 index_method_name(t->state), index_method_name(t->events),
		 t->missing[0] ? "; not found: " : "", t->missing);
	rung->reason = text;
	if (!t->missing[0])
		return;
	rung->without = "the figures that were not found read 0";
	rung->remedy = "a kernel with CONFIG_KALLSYMS_ALL";
}

static int open_bpf_census(struct hooks *h)
{
	int fd = h->skel ? bpf_map__fd(h->skel->maps.containers) : -1;
	int r = census_open(&h->census, &h->kernel, fd, h->opts.max_cgroups, &h->log);

	if (r)
		return r;
	r = census_calibrate(h->census, &h->kernel);
	if (r) {
		census_close(h->census);
		h->census = NULL;
		snprintf(h->log.last, sizeof(h->log.last),
			 "the figures of memory.stat are nowhere in the kernel's arrays");
	}
	return r;
}

/* By the iterator, or else by files. */
static int open_census(struct hooks *h)
{
	int r;

	if (h->ladder.progs & PROG(CENSUS)) {
		r = open_bpf_census(h);
		if (!r) {
			describe_index(h);
			return 0;
		}
		if (r == -ENOMEM)
			return r;
		snprintf(h->ladder.failed[PROG_CENSUS], HOOKS_TEXT, "%s",
			 h->log.last[0] ? h->log.last : strerror(-r));
		ladder_choose(&h->ladder, &h->kernel);
	}
	return census_files_open(&h->files, &h->kernel);
}

/* Loads, and attaches if so asked, until what is chosen is what works. */
static int load_and_attach(struct hooks *h, bool attach)
{
	int r;

	for (int tries = 0; tries < NR_PROGS; tries++) {
		r = hooks_load(h);
		if (r || !attach || !h->skel)
			return r;
		r = hooks_attach_stable(h);
		if (!r)
			r = hooks_attach_windowed(h);
		if (!r) {
			hooks_detach_windowed(h);
			return 0;
		}
		if (r == -ENOMEM)
			return r;
		hooks_unload(h);
	}
	return r;
}

static void say_no_pins(struct hooks *h, int error)
{
	struct ladder *l = &h->ladder;

	snprintf(l->text[NR_DATA], HOOKS_TEXT, "%s cannot be used: %s",
		 h->opts.pin_dir ? h->opts.pin_dir : EBB_PIN_DIR, strerror(-error));
	l->rungs[NR_DATA] = (struct hook_rung){
		.data = "pins",
		.rung = "none",
		.reason = l->text[NR_DATA],
		.without = "nothing to look at with bpftool or cat",
		.remedy = "mount bpffs on /sys/fs/bpf",
	};
	l->nr_rungs = NR_DATA + 1;
}

static int hooks_start(struct hooks *h, bool attach)
{
	int r = load_and_attach(h, attach);

	if (!r)
		r = open_census(h);
	if (!r && attach)
		r = hooks_open_ring(h);
	if (!r && attach)
		r = sampling_init(h);
	kernel_facts_drop_btf(&h->kernel);
	/* libbpf and the BTF needed 30 MB for a moment; glibc would keep much of it. */
	malloc_trim(0);
	if (r || !attach)
		return r;
	r = hooks_pin(h);
	if (r == -ENOMEM)
		return r;
	if (r)
		say_no_pins(h, r);
	return 0;
}

static int hooks_make(struct hooks **ret, const struct hooks_opts *opts, bool attach)
{
	struct hooks *h;
	int r = hooks_new(&h, opts);

	if (r)
		return r;
	r = hooks_start(h, attach);
	if (r) {
		hooks_close(h);
		return r;
	}
	*ret = h;
	return 0;
}

int hooks_open(struct hooks **ret, const struct hooks_opts *opts)
{
	return hooks_make(ret, opts, true);
}

int hooks_probe(struct hooks **ret, const struct hooks_opts *opts)
{
	return hooks_make(ret, opts, false);
}

void hooks_close(struct hooks *h)
{
	if (!h)
		return;
	hooks_unpin(h);
	sampling_stop(h);
	ring_buffer__free(h->ring);
	census_close(h->census);
	census_files_close(h->files);
	hooks_unload(h);
	kernel_facts_put(&h->kernel);
	free(h);
}

const struct hook_rung *hooks_rungs(const struct hooks *h, size_t *ret_n)
{
	*ret_n = h->ladder.nr_rungs;
	return h->ladder.rungs;
}

int hooks_debugfs_fd(const struct hooks *h)
{
	return h->kernel.debugfs_fd;
}

/* The array cannot grow: a new one, with room to spare, takes its place. */
static int census_grow(struct hooks *h, size_t need)
{
	int fd = h->skel ? bpf_map__fd(h->skel->maps.containers) : -1;
	struct census *bigger;
	int r;

	r = census_open(&bigger, &h->kernel, fd, need + need / 2, &h->log);
	if (r)
		return r;
	census_adopt(bigger, census_terms(h->census));
	census_close(h->census);
	h->census = bigger;
	malloc_trim(0);
	r = hooks_pin_census(h);
	return r == -ENOMEM ? r : 0;
}

static int census_once(struct hooks *h, const struct ebb_census **ret, size_t *ret_n)
{
	int r;

	if (h->files)
		return census_files_pass(h->files, ret, ret_n);
	r = census_pass(h->census, ret, ret_n);
	if (r != -ENOSPC)
		return r;
	r = census_grow(h, *ret_n);
	return r ? r : census_pass(h->census, ret, ret_n);
}

int hooks_census(struct hooks *h, const struct ebb_census **ret, size_t *ret_n)
{
	const struct ebb_census *records = NULL;
	struct timespec a, b;
	size_t n = 0;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &a);
	r = census_once(h, &records, &n);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (r)
		return r;
	h->census_passes++;
	h->census_ns += (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec;
	*ret = records;
	*ret_n = n;
	return 0;
}
