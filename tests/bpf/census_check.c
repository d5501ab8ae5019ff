// SPDX-License-Identifier: GPL-2.0-only
/*
 * The census against the kernel's own files: every figure of every group equals what memory.stat,
 * memory.current, memory.pressure and debugfs lru_gen say at the same moment; and what it costs
 * against opening, reading and parsing these files.
 *
 * usage: census_check [GROUPS [RUNS]]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bpftest.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "sense/census.h"

#define LIVE_EVERY 20 /* one group in so many has a live process with memory of its own */
#define TEXT 16384
#define RATIO 20.0

static const struct figure {
	const char *name;
	size_t at;
} figures[] = {
#define FIGURE(f)                                                                                  \
	{                                                                                          \
#f, offsetof(struct ebb_census, f)                                                 \
	}
	FIGURE(usage),
	FIGURE(swap),
	FIGURE(anon),
	FIGURE(anon_thp),
	FIGURE(file),
	FIGURE(file_mapped),
	FIGURE(shmem),
	FIGURE(slab),
	FIGURE(zswap),
	FIGURE(refault_anon),
	FIGURE(refault_file),
	FIGURE(pgscan),
	FIGURE(pgsteal),
	FIGURE(pgfault),
	FIGURE(pgmajfault),
	FIGURE(psi_mem_some),
	FIGURE(psi_mem_full),
	FIGURE(psi_io_some),
	FIGURE(psi_io_full),
	/* the generations, where both sides have them */
	FIGURE(max_seq),
	FIGURE(min_seq_anon),
	FIGURE(gen[0].anon),
	FIGURE(gen[0].file),
	FIGURE(gen[1].anon),
	FIGURE(gen[1].file),
	FIGURE(gen[2].anon),
	FIGURE(gen[2].file),
	FIGURE(gen[3].anon),
	FIGURE(gen[3].file),
};
#define FIRST_LRU 19

static uint64_t value(const struct ebb_census *rec, const struct figure *f)
{
	return *(const __u64 *)((const char *)rec + f->at);
}

/* --- groups with something in them --- */

struct load {
	int index;
	bool live;
	char file[64];
};

static void touch(size_t size, bool huge)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	madvise(p, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
}

static int64_t fill(void *arg)
{
	const struct load *l = arg;
	size_t size = 4096 * (1 + l->index % 37);
	_cleanup_close_ int fd = open(l->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int shared = memfd_create("ebbtest", MFD_CLOEXEC);
	char *p;

	if (fd < 0 || ftruncate(fd, size))
		return -1;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	memset(p, l->index, size);
	if (!l->live)
		return 0;
	touch(4096 * 50 * (1 + l->index % 7), false);
	if (l->index % 3 == 0)
		touch(6 << 20, true);
	if (shared >= 0 && !ftruncate(shared, 3 * 4096) &&
	    write(shared, p, size < 8192 ? size : 8192) < 0)
		return -1;
	return 0;
}

static void group_name(char name[16], int i)
{
	snprintf(name, 16, "g%d", i);
}

struct world {
	struct groups g;
	int n;
	uint64_t *ids;
	struct child *live;
	int nr_live;
	char folder[64];
};

static void populate(struct world *w)
{
	snprintf(w->folder, sizeof(w->folder), "/var/tmp/ebbtest.XXXXXX");
	if (!mkdtemp(w->folder)) {
		printf("FAIL set-up: %s: %s\n", w->folder, strerror(errno));
		exit(1);
	}
	w->ids = calloc(w->n, sizeof(*w->ids));
	w->live = calloc(w->n / LIVE_EVERY + 1, sizeof(*w->live));
	for (int i = 0; i < w->n; i++) {
		struct load l = { .index = i, .live = i % LIVE_EVERY == 0 };
		struct child c;
		char name[16];
		int dir;

		snprintf(l.file, sizeof(l.file), "%.40s/%d", w->folder, i);
		group_name(name, i);
		dir = group_make(&w->g, name);
		w->ids[i] = group_id(dir);
		child_start_in(&c, &w->g, dir, fill, &l);
		child_go(&c);
		child_answer(&c);
		close(dir);
		if (l.live)
			w->live[w->nr_live++] = c;
		else
			child_end(&c);
	}
	sync(); /* dirty pages would be written, and cleaned, while we compare */
	sleep(3); /* the kernel flushes statistics every 2 s */
}

static void depopulate(struct world *w)
{
	char path[96], name[16];

	for (int i = 0; i < w->nr_live; i++)
		child_end(&w->live[i]);
	for (int i = 0; i < w->n; i++) {
		group_name(name, i);
		group_remove(&w->g, name);
		snprintf(path, sizeof(path), "%s/%d", w->folder, i);
		unlink(path);
	}
	rmdir(w->folder);
	groups_close(&w->g);
	free(w->ids);
	free(w->live);
}

/* --- the same figures by opening, reading and parsing --- */

static void parse_stat(const char *text, bool v1, struct ebb_census *rec)
{
	static const struct {
		const char *key, *key_v1;
		size_t at;
	} keys[] = {
#define KEY(f, v1key) { #f, v1key, offsetof(struct ebb_census, f) }
		KEY(anon, "total_rss"),
		KEY(anon_thp, "total_rss_huge"),
		KEY(file, "total_cache"),
		KEY(file_mapped, "total_mapped_file"),
		KEY(shmem, "total_shmem"),
		KEY(zswap, NULL),
		KEY(pgscan, NULL),
		KEY(pgsteal, NULL),
		KEY(pgfault, "total_pgfault"),
		KEY(pgmajfault, "total_pgmajfault"),
		{ "workingset_refault_anon", "total_workingset_refault_anon",
		  offsetof(struct ebb_census, refault_anon) },
		{ "workingset_refault_file", "total_workingset_refault_file",
		  offsetof(struct ebb_census, refault_file) },
		{ "slab", NULL, offsetof(struct ebb_census, slab) },
		{ NULL, "total_swap", offsetof(struct ebb_census, swap) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *key = v1 ? keys[i].key_v1 : keys[i].key;
		uint64_t v;

		if (key && find_key(text, key, &v))
			*(__u64 *)((char *)rec + keys[i].at) = v;
	}
}

static bool read_rel(const struct world *w, int i, const char *file, char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "g%d/%s", i, file);
	return read_file_at(w->g.base, path, text, TEXT) > 0;
}

static void read_files(const struct world *w, int i, bool psi, struct ebb_census *rec)
{
	static char text[TEXT];
	uint64_t v;

	memset(rec, 0, sizeof(*rec));
	rec->cgroup = w->ids[i];
	if (read_rel(w, i, w->g.v1 ? "memory.usage_in_bytes" : "memory.current", text) &&
	    !parse_u64(text, &v))
		rec->usage = v;
	if (!w->g.v1 && read_rel(w, i, "memory.swap.current", text) && !parse_u64(text, &v))
		rec->swap = v;
	if (read_rel(w, i, "memory.stat", text))
		parse_stat(text, w->g.v1, rec);
	if (psi && read_rel(w, i, "memory.pressure", text))
		parse_pressure(text, &rec->psi_mem_some, &rec->psi_mem_full);
	if (psi && read_rel(w, i, "io.pressure", text))
		parse_pressure(text, &rec->psi_io_some, &rec->psi_io_full);
}

static void read_all(const struct world *w, bool psi, struct ebb_census *recs)
{
	for (int i = 0; i < w->n; i++)
		read_files(w, i, psi, &recs[i]);
}

struct lru_arg {
	const struct world *w;
	struct ebb_census *recs;
	size_t found;
	char prefix[64];
};

static void on_lru(void *arg, const char *path, const struct ebb_census *lru)
{
	struct lru_arg *a = arg;
	size_t len = strlen(a->prefix);
	struct ebb_census *rec;
	char *end;
	long i;

	if (strncmp(path, a->prefix, len) || lru->node)
		return;
	i = strtol(path + len, &end, 10);
	if (*end || i < 0 || i >= a->w->n)
		return;
	rec = &a->recs[i];
	rec->flags |= EBB_CENSUS_LRU_GEN;
	rec->max_seq = lru->max_seq;
	rec->min_seq_anon = lru->min_seq_anon; /* the file has the smaller of the two */
	memcpy(rec->gen, lru->gen, sizeof(rec->gen));
	a->found++;
}

/* How many groups of ours lru_gen has; 0 where it cannot be read. */
static size_t read_lru(const struct world *w, int debugfs, struct ebb_census *recs)
{
	struct lru_arg a = { .w = w, .recs = recs };
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	ssize_t len;
	int fd = debugfs >= 0 ? openat(debugfs, "lru_gen", O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return 0;
	f = fdopen(fd, "r");
	len = getdelim(&text, &size, '\0', f);
	if (len <= 0)
		return 0;
	snprintf(a.prefix, sizeof(a.prefix), "/%s/g", w->g.name);
	parse_lru_gen(text, len, getpagesize(), on_lru, &a);
	return a.found;
}

/* --- the comparison --- */

static const struct ebb_census *find_record(const struct ebb_census *recs, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (recs[i].cgroup == id && !recs[i].node)
			return &recs[i];
	return NULL;
}

struct tally {
	unsigned int compared, nonzero, wrong, missing, ages, ages_wrong;
};

static bool between(uint64_t v, uint64_t a, uint64_t b)
{
	return v >= (a < b ? a : b) && v <= (a < b ? b : a);
}

static void compare_figure(struct tally *t, const struct figure *f, int group,
			   const struct ebb_census *rec, const struct ebb_census *before,
			   const struct ebb_census *after)
{
	uint64_t v = value(rec, f), a = value(before, f), b = value(after, f);

	if (f->at == offsetof(struct ebb_census, min_seq_anon) && rec->min_seq_file < v)
		v = rec->min_seq_file;
	t->compared++;
	t->nonzero += v > 0;
	if (between(v, a, b))
		return;
	if (t->wrong++ < 20)
		printf("    g%d %s: census %lu, files %lu before and %lu after\n", group, f->name,
		       (unsigned long)v, (unsigned long)a, (unsigned long)b);
}

static bool comparable(const struct figure *f, const struct world *w, const struct ebb_census *rec,
		       const struct ebb_census *before)
{
	size_t i = f - figures;

	if (i >= FIRST_LRU)
		return (rec->flags & before->flags & EBB_CENSUS_LRU_GEN) != 0;
	/* v1's memory.stat does not have these. */
	return !w->g.v1 || (strcmp(f->name, "slab") && strcmp(f->name, "zswap") &&
			    strcmp(f->name, "pgscan") && strcmp(f->name, "pgsteal"));
}

static void compare_group(struct tally *t, const struct world *w, int i,
			  const struct ebb_census *rec, const struct ebb_census *before,
			  const struct ebb_census *after)
{
	for (size_t f = 0; f < ARRAY_SIZE(figures); f++)
		if (comparable(&figures[f], w, rec, before))
			compare_figure(t, &figures[f], i, rec, before, after);
	if (!(rec->flags & before->flags & EBB_CENSUS_LRU_GEN))
		return;
	for (int gen = 0; gen < EBB_MAX_GENS; gen++) {
		t->ages++;
		t->ages_wrong += !between(rec->gen[gen].age_ms, before->gen[gen].age_ms,
					  after->gen[gen].age_ms);
	}
}

/*
 * The fewest misses of a few tries, since a group may move between two readings (writeback, a
 * flush of what was in flight); a figure that is wrong is wrong every time.
 */
static void check_figures(struct world *w, struct hooks *h, bool psi)
{
	struct ebb_census *before = calloc(w->n, sizeof(*before));
	struct ebb_census *after = calloc(w->n, sizeof(*after));
	struct tally best = { .wrong = -1 };
	const struct ebb_census *recs;
	size_t n, lru = 0;

	for (int try = 0; try < 3 && best.wrong + best.missing + best.ages_wrong; try++) {
		struct tally t = { 0 };

		read_all(w, psi, before);
		lru = read_lru(w, hooks_debugfs_fd(h), before);
		if (hooks_census(h, &recs, &n))
			break;
		read_all(w, psi, after);
		read_lru(w, hooks_debugfs_fd(h), after);
		for (int i = 0; i < w->n; i++) {
			const struct ebb_census *rec = find_record(recs, n, w->ids[i]);

			if (rec)
				compare_group(&t, w, i, rec, &before[i], &after[i]);
			else
				t.missing++;
		}
		if (t.wrong + t.missing < best.wrong + best.missing)
			best = t;
	}
	verdict(!best.wrong && !best.missing,
		"figures: %u compared over %d groups (%u of them not 0), %u differ, %u groups "
		"missing",
		best.compared, w->n, best.nonzero, best.wrong, best.missing);
	if (lru)
		verdict(!best.ages_wrong, "ages: %u compared with debugfs lru_gen, %u differ",
			best.ages, best.ages_wrong);
	else
		skip("ages: this kernel gives no lru_gen to compare with");
	free(before);
	free(after);
}

/* --- the cost --- */

/* Of this thread: what others on the machine take is nobody's price. */
static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

struct cost {
	double cpu[64], wall[64]; /* ms, of each run */
};

static void begin(struct cost *c, int i)
{
	c->cpu[i] = cpu_ms();
	c->wall[i] = now_ns() / 1e6;
}

static void end(struct cost *c, int i)
{
	c->cpu[i] = cpu_ms() - c->cpu[i];
	c->wall[i] = now_ns() / 1e6 - c->wall[i];
}

static void sort_runs(struct cost *c, int n)
{
	qsort(c->cpu, n, sizeof(*c->cpu), compare_double);
	qsort(c->wall, n, sizeof(*c->wall), compare_double);
}

#define ROUNDS 4

/* Both ways in turns; false where a pass failed. */
static bool measure(struct world *w, struct hooks *h, bool psi, int runs, struct ebb_census *recs,
		    struct cost *iter, struct cost *files)
{
	const struct ebb_census *all;
	size_t n = 0;

	for (int i = 0; i < runs; i++) {
		int r;

		begin(iter, i);
		r = hooks_census(h, &all, &n);
		end(iter, i);
		begin(files, i);
		read_all(w, psi, recs);
		end(files, i);
		if (r)
			return false;
	}
	sort_runs(iter, runs);
	sort_runs(files, runs);
	printf("    one pass over %zu groups: iterator %.2f ms of CPU (quickest %.2f; by the clock "
	       "%.2f), open-read-parse of %d groups %.2f (%.2f; %.2f); medians of %d: %.1f times, "
	       "by the clock %.1f\n",
	       n, iter->cpu[runs / 2], iter->cpu[0], iter->wall[runs / 2], w->n,
	       files->cpu[runs / 2], files->cpu[0], files->wall[runs / 2], runs,
	       files->cpu[runs / 2] / iter->cpu[runs / 2],
	       files->wall[runs / 2] / iter->wall[runs / 2]);
	return true;
}

/*
 * The quickest of each in the same run is judged: a neighbour on the machine that empties the
 * caches only ever adds time, and to a pass of a millisecond more than its share. One that stays
 * for a whole round is waited for.
 */
static void check_cost(struct world *w, struct hooks *h, bool psi, int runs)
{
	struct cost iter, files;
	struct ebb_census *recs = calloc(w->n, sizeof(*recs));
	double least_iter = 0, least_files = 0, ratio = 0;

	if (runs < 1 || runs > 64)
		runs = 15;
	for (int round = 0; round < ROUNDS && ratio < RATIO; round++) {
		if (!measure(w, h, psi, runs, recs, &iter, &files)) {
			verdict(false, "cost: a pass failed");
			free(recs);
			return;
		}
		if (!round || iter.cpu[0] < least_iter)
			least_iter = iter.cpu[0];
		if (!round || files.cpu[0] < least_files)
			least_files = files.cpu[0];
		ratio = least_files / least_iter;
	}
	verdict(ratio >= RATIO || w->n < 1000,
		"cost: the iterator is %.1f times as cheap (at least %.0f with 1000 groups)", ratio,
		RATIO);
	free(recs);
}

static bool uses_iterator(struct hooks *h)
{
	size_t n;
	const struct hook_rung *rungs = hooks_rungs(h, &n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(rungs[i].data, "sizes")) {
			printf("    sizes: %s (%s)\n", rungs[i].rung, rungs[i].reason);
			return rungs[i].best && !rungs[i].without[0];
		}
	return false;
}

/* The census on files has to agree as well, of course at its own price. */
static void check_files(struct world *w, bool psi)
{
	struct hooks_opts opts = { .cgroup_fd = w->g.root, .no_bpf = true };
	struct ebb_census before, after;
	const struct ebb_census *recs;
	struct tally t = { 0 };
	struct hooks *h;
	size_t n;

	if (hooks_open(&h, &opts)) {
		verdict(false, "files: the census without BPF does not open");
		return;
	}
	for (int i = 0; i < w->n; i += 50) {
		const struct ebb_census *rec = NULL;

		read_files(w, i, psi, &before);
		if (!hooks_census(h, &recs, &n))
			rec = find_record(recs, n, w->ids[i]);
		read_files(w, i, psi, &after);
		if (rec)
			compare_group(&t, w, i, rec, &before, &after);
		else
			t.missing++;
	}
	verdict(!t.wrong && !t.missing, "files: %u compared, %u differ, %u groups missing",
		t.compared, t.wrong, t.missing);
	hooks_close(h);
}

int main(int argc, char **argv)
{
	struct world w = { .n = argc > 1 ? atoi(argv[1]) : 1000 };
	int runs = argc > 2 ? atoi(argv[2]) : 15;
	struct hooks_opts opts = { .pin_dir = "", .log = print_log };
	char text[128];
	uint64_t begin;
	struct hooks *h;
	bool psi;
	int r;

	need_root();
	groups_open(&w.g, "census");
	begin = now_ns();
	populate(&w);
	printf("    %d groups with something in them, made in %.1f s\n", w.n,
	       (now_ns() - begin) / 1e9);
	psi = !w.g.v1 && read_rel(&w, 0, "memory.pressure", text);
	opts.cgroup_fd = w.g.root;
	/* Too small on purpose: it has to grow. */
	opts.max_cgroups = w.n / 2;
	r = hooks_open(&h, &opts);
	if (verdict(!r, "the ladder opens (%s)", strerror(-r))) {
		verdict(uses_iterator(h), "the census is by the iterator, with every figure");
		check_figures(&w, h, psi);
		check_cost(&w, h, psi, runs);
		hooks_close(h);
	}
	check_files(&w, psi);
	begin = now_ns();
	depopulate(&w);
	printf("    removed in %.1f s\n", (now_ns() - begin) / 1e9);
	return verdicts_status();
}
