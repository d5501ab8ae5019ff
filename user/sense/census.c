// SPDX-License-Identifier: GPL-2.0-only
/* The census by the cgroup iterator: loads it, finds the figures, makes the passes. */
#include "sense/census.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ebb.skel.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/kernel.h"

#define STAT_SIZE 16384
#define CALIBRATE_GROUPS 16

struct census {
	struct ebb_bpf *skel;
	struct bpf_link *iter;
	struct bpf_link *text; /* NULL: this kernel does not load it */
	const struct ebb_census *records; /* the array map, mapped */
	size_t records_size;
	int stat_fd; /* the root's memory.stat */
	struct census_terms terms;
};

static void set_rodata(struct ebb_bpf *skel, const struct kernel_facts *k, uint32_t max)
{
	skel->rodata->page_size = k->page_size;
	skel->rodata->nr_nodes = k->nr_nodes;
	skel->rodata->nr_state = k->nr_state;
	skel->rodata->nr_events = k->nr_events;
	skel->rodata->max_records = max;
	skel->rodata->psi_on = k->psi;
	skel->rodata->swap_is_memsw = k->v1;
}

static int configure(struct ebb_bpf *skel, const struct kernel_facts *k, int containers_fd,
		     uint32_t max, bool text)
{
	struct bpf_program *prog;
	int r = 0;

	bpf_object__for_each_program(prog, skel->obj) r |= bpf_program__set_autoload(
		prog, prog == skel->progs.census || (text && prog == skel->progs.census_text));
	r |= bpf_map__set_autocreate(skel->maps.edges, false);
	r |= bpf_map__set_autocreate(skel->maps.fault_start, false);
	r |= bpf_map__set_autocreate(skel->maps.fault_events, false);
	r |= bpf_map__set_max_entries(skel->maps.census_records, max);
	if (containers_fd >= 0)
		r |= bpf_map__reuse_fd(skel->maps.containers, containers_fd);
	set_rodata(skel, k, max);
	return r ? -EINVAL : 0;
}

static int load(struct census *c, const struct kernel_facts *k, int containers_fd, uint32_t max,
		bool text)
{
	int r;

	c->skel = ebb_bpf__open();
	if (!c->skel)
		return -errno;
	r = configure(c->skel, k, containers_fd, max, text);
	if (!r)
		r = ebb_bpf__load(c->skel);
	if (r) {
		ebb_bpf__destroy(c->skel);
		c->skel = NULL;
		return r;
	}
	c->skel->bss->hz = k->hz;
	return 0;
}

static int attach(struct census *c, int cgroup_fd)
{
	union bpf_iter_link_info cgroups = {
		.cgroup = { .order = BPF_CGROUP_ITER_DESCENDANTS_PRE, .cgroup_fd = cgroup_fd },
	};
	union bpf_iter_link_info map = {
		.map = { .map_fd = bpf_map__fd(c->skel->maps.census_records) },
	};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &cgroups,
		    .link_info_len = sizeof(cgroups));

	c->iter = bpf_program__attach_iter(c->skel->progs.census, &opts);
	if (!c->iter)
		return -errno;
	if (bpf_program__fd(c->skel->progs.census_text) < 0)
		return 0;
	opts.link_info = &map;
	c->text = bpf_program__attach_iter(c->skel->progs.census_text, &opts);
	return 0;
}

static int map_records(struct census *c, uint32_t max)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *at;

	/* The kernel rounds the size of elements up to 8: ours is a multiple of it. */
	c->records_size = (max * sizeof(struct ebb_census) + page - 1) / page * page;
	at = mmap(NULL, c->records_size, PROT_READ, MAP_SHARED,
		  bpf_map__fd(c->skel->maps.census_records), 0);
	if (at == MAP_FAILED)
		return -errno;
	c->records = at;
	return 0;
}

int census_open(struct census **ret, const struct kernel_facts *k, int containers_fd,
		uint32_t max_records, struct load_log *log)
{
	struct census *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->stat_fd = openat(k->cgroup_fd, "memory.stat", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	load_log_begin(log);
	r = load(c, k, containers_fd, max_records, true);
	/* The text is a convenience: the census goes on without. */
	if (r && !strcmp(log->prog, "census_text"))
		r = load(c, k, containers_fd, max_records, false);
	if (!r)
		r = attach(c, k->cgroup_fd);
	load_log_end();
	if (!r)
		r = map_records(c, max_records);
	if (r) {
		census_close(c);
		return r;
	}
	*ret = c;
	return 0;
}

void census_close(struct census *c)
{
	if (!c)
		return;
	if (c->records)
		munmap((void *)c->records, c->records_size);
	bpf_link__destroy(c->text);
	bpf_link__destroy(c->iter);
	ebb_bpf__destroy(c->skel);
	if (c->stat_fd >= 0)
		close(c->stat_fd);
	free(c);
}

/*
 * Statistics wait in per-CPU batches, up to 63 MB short in a measurement on 6.1. Reading
 * memory.stat flushes the group's whole subtree where it is due, by the same rule that it follows
 * for a child.
 */
static void flush(const struct census *c)
{
	char text[64];

	if (c->stat_fd >= 0 && pread(c->stat_fd, text, sizeof(text), 0) < 0)
		return; /* nothing is lost but freshness */
}

static int run(struct census *c)
{
	_cleanup_close_ int fd = -1;
	char none[8];
	ssize_t n;

	flush(c);
	fd = bpf_iter_create(bpf_link__fd(c->iter));
	if (fd < 0)
		return -errno;
	do
		n = read(fd, none, sizeof(none)); /* the program prints nothing */
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	return n < 0 ? -errno : 0;
}

int census_pass(struct census *c, const struct ebb_census **ret, size_t *ret_n)
{
	int r = run(c);

	if (r)
		return r;
	if (c->skel->bss->nr_missed) {
		*ret_n = (size_t)c->skel->bss->nr_records + c->skel->bss->nr_missed;
		return -ENOSPC;
	}
	*ret = c->records;
	*ret_n = c->skel->bss->nr_records;
	return 0;
}

static void free_samples(struct census_sample *samples, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(samples[i].before);
		free(samples[i].after);
	}
}

static char *read_stat(int cgroup_fd, uint64_t id)
{
	_cleanup_close_ int dir = kernel_open_cgroup(cgroup_fd, id, O_RDONLY);
	char *text;

	if (dir < 0)
		return NULL;
	text = malloc(STAT_SIZE);
	if (text && read_file_at(dir, "memory.stat", text, STAT_SIZE) <= 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Groups to look at, the root aside: its figures in memory.stat are made another way. */
static size_t pick_groups(const struct census *c, uint64_t *ids)
{
	size_t n = 0;

	for (uint32_t i = 0; i < c->skel->bss->nr_records && n < CALIBRATE_GROUPS; i++)
		if (!c->records[i].node && c->records[i].level)
			ids[n++] = c->records[i].cgroup;
	return n;
}

static const struct ebb_raw *find_raw(const struct ebb_raw *raw, uint32_t nr, uint64_t id)
{
	for (uint32_t i = 0; i < nr; i++)
		if (raw[i].cgroup == id)
			return &raw[i];
	return NULL;
}

/* Raw arrays of the first groups, with memory.stat read before and after; how many. */
static size_t sample(struct census *c, int cgroup_fd, struct census_sample *samples)
{
	uint64_t ids[CALIBRATE_GROUPS];
	const struct ebb_raw *raw, *at;
	size_t nr = 0, groups;

	raw = mmap(NULL, EBB_RAW_GROUPS * sizeof(*raw), PROT_READ, MAP_SHARED,
		   bpf_map__fd(c->skel->maps.census_raw), 0);
	if (raw == MAP_FAILED)
		return 0;
	groups = run(c) ? 0 : pick_groups(c, ids);
	for (size_t i = 0; i < groups; i++)
		samples[i].before = read_stat(cgroup_fd, ids[i]);
	c->skel->bss->raw_wanted = EBB_RAW_GROUPS;
	if (run(c))
		groups = 0;
	c->skel->bss->raw_wanted = 0;
	for (size_t i = 0; i < groups; i++) {
		struct census_sample s = { .before = TAKE_PTR(samples[i].before) };

		at = find_raw(raw, c->skel->bss->nr_raw, ids[i]);
		s.after = at ? read_stat(cgroup_fd, ids[i]) : NULL;
		if (s.before && s.after) {
			s.raw = *at;
			samples[nr++] = s;
		} else { /* it came or went meanwhile */
			free(s.before);
			free(s.after);
		}
	}
	munmap((void *)raw, EBB_RAW_GROUPS * sizeof(*raw));
	return nr;
}

int census_calibrate(struct census *c, const struct kernel_facts *k)
{
	_cleanup_free_ struct census_sample *samples = calloc(CALIBRATE_GROUPS, sizeof(*samples));
	struct census_terms terms;
	size_t nr;
	int r;

	if (!samples)
		return -ENOMEM;
	nr = sample(c, k->cgroup_fd, samples);
	r = census_terms_find(&terms, k, samples, nr, c->skel->bss->stats_index,
			      c->skel->bss->events_index);
	free_samples(samples, CALIBRATE_GROUPS);
	if (!r)
		census_adopt(c, &terms);
	return r;
}

void census_adopt(struct census *c, const struct census_terms *terms)
{
	c->terms = *terms;
	memcpy(c->skel->bss->terms, terms->terms, sizeof(terms->terms));
	c->skel->bss->nr_terms = terms->nr;
}

const struct census_terms *census_terms(const struct census *c)
{
	return &c->terms;
}

struct bpf_link *census_text_link(const struct census *c)
{
	return c->text;
}

int census_records_fd(const struct census *c)
{
	return bpf_map__fd(c->skel->maps.census_records);
}

int census_containers_fd(const struct census *c)
{
	return bpf_map__fd(c->skel->maps.containers);
}
