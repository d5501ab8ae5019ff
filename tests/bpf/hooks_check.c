// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks on the running kernel: loads all rungs that fit, prints them, provokes edges, faults
 * and refaults of known number, and holds what was counted against what the kernel itself counted
 * for the process (getrusage) and the group (memory.stat).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpftest.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "sense/hooks.h"

#define PIN_DIR "/sys/fs/bpf/ebbtest"

static const struct hook_rung *rung_of(const struct hooks *h, const char *data)
{
	size_t n;
	const struct hook_rung *rungs = hooks_rungs(h, &n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(rungs[i].data, data))
			return &rungs[i];
	return NULL;
}

static void print_rungs(const struct hooks *h)
{
	size_t n;
	const struct hook_rung *rungs = hooks_rungs(h, &n);

	for (size_t i = 0; i < n; i++) {
		printf("    %-20s %s%s: %s\n", rungs[i].data, rungs[i].rung,
		       rungs[i].best ? " (best)" : "", rungs[i].reason);
		if (!rungs[i].best)
			printf("    %-20s   without: %s; remedy: %s\n", "", rungs[i].without,
			       rungs[i].remedy);
	}
}

/* The highest id of a program so far: what is loaded later has a higher one. */
static uint32_t last_program(void)
{
	uint32_t id = 0, last = 0;

	while (!bpf_prog_get_next_id(id, &id))
		last = id;
	return last;
}

#define MAX_INSNS 1000000 /* the verifier gives up beyond (BPF_COMPLEXITY_LIMIT_INSNS) */

/* What the verifier went through for each of our programs, and what became of it. */
static void check_programs(uint32_t after)
{
	uint32_t id = after, worst = 0, n = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		/* libbpf's own probes of what this kernel can are gone by now. */
		if (!bpf_obj_get_info_by_fd(fd, &info, &len)) {
			printf("    program %-16s verified %6u instructions, translated %5u, "
			       "machine code %5u bytes\n",
			       info.name, info.verified_insns, info.xlated_prog_len / 8,
			       info.jited_prog_len);
			worst = info.verified_insns > worst ? info.verified_insns : worst;
			n++;
		}
		close(fd);
	}
	verdict(n && worst < MAX_INSNS / 10,
		"%u programs, the largest at %u verified instructions (at most a tenth of the "
		"limit)",
		n, worst);
}

/* Every rung but the best says what is lost and how to mend it. */
static void check_rungs(const struct hooks *h)
{
	size_t n, bad = 0;
	const struct hook_rung *rungs = hooks_rungs(h, &n);

	for (size_t i = 0; i < n; i++)
		if (!rungs[i].rung || !rungs[i].reason[0] ||
		    (!rungs[i].best && (!rungs[i].without[0] || !rungs[i].remedy[0])))
			bad++;
	verdict(n >= 8 && !bad, "%zu kinds of data have a rung with a reason", n);
}

/* --- edges --- */

struct edges {
	uint64_t group;
	unsigned int nr, kinds[16];
	uint64_t parent, all;
	unsigned int level;
};

static void on_edge(void *arg, const struct ebb_edge *e)
{
	struct edges *seen = arg;

	seen->all++;
	if (e->cgroup != seen->group || seen->nr == ARRAY_SIZE(seen->kinds))
		return;
	seen->kinds[seen->nr++] = e->kind;
	seen->parent = e->parent;
	seen->level = e->level;
}

/* As a loop does: while it is readable. */
static void read_edges(struct hooks *h, struct edges *seen)
{
	struct pollfd p = { .fd = hooks_edges_fd(h), .events = POLLIN };
	int n = 0, most = 0;

	while (poll(&p, 1, 0) == 1 && n >= 0) {
		n = hooks_edges_read(h, on_edge, seen);
		most = n > most ? n : most;
	}
	verdict(n >= 0 && most <= 1024, "edges: %d at once at most", most);
}

static bool seen_once(const struct edges *seen)
{
	unsigned int mask = 0;

	for (unsigned int i = 0; i < seen->nr; i++)
		mask |= 1u << seen->kinds[i];
	return mask == (1u << EBB_EDGE_BORN | 1u << EBB_EDGE_ATTACHED | 1u << EBB_EDGE_POPULATED |
			1u << EBB_EDGE_EMPTIED | 1u << EBB_EDGE_GONE);
}

static int64_t nothing(void *arg)
{
	return 0;
}

static void check_edges(struct hooks *h, struct groups *g)
{
	struct edges seen = { 0 };
	struct child c;
	int dir;

	if (hooks_edges_fd(h) < 0) {
		skip("edges: this kernel has no hooks for them");
		return;
	}
	read_edges(h, &seen);
	dir = group_make(g, "edges");
	seen.group = group_id(dir);
	child_start(&c, dir, nothing, NULL);
	child_go(&c);
	child_answer(&c);
	child_end(&c);
	close(dir);
	usleep(200000); /* a cgroup is empty a little after its process was waited for */
	group_remove(g, "edges");
	read_edges(h, &seen);
	printf("    edges:");
	for (unsigned int i = 0; i < seen.nr; i++)
		printf(" %u", seen.kinds[i]);
	printf(" (1 born, 2 attached, 3 populated, 4 emptied, 5 gone), level %u\n", seen.level);
	verdict(seen.nr == 5 && seen_once(&seen),
		"edges: born, populated, attached, emptied, gone (%u)", seen.nr);
	verdict(seen.nr && seen.kinds[0] == EBB_EDGE_BORN &&
			seen.kinds[seen.nr - 1] == EBB_EDGE_GONE &&
			seen.kinds[seen.nr > 1 ? seen.nr - 2 : 0] == EBB_EDGE_EMPTIED,
		"edges: in order");
	verdict(seen.parent == group_id(g->base) && seen.level == 2,
		"edges: parent and level are right");
}

/* More than the ring holds: what is lost is counted, to the last one. */
static void check_lost_edges(struct hooks *h, struct groups *g)
{
	struct edges seen = { 0 };
	uint64_t lost = hooks_edges_lost(h), made = 0;
	int dir;

	if (hooks_edges_fd(h) < 0)
		return;
	dir = group_make(g, "lost"); /* groups in there have no controller, and are made quickly */
	read_edges(h, &seen);
	seen.all = 0;
	for (int i = 0; i < 3500; i++) {
		if (mkdirat(dir, "x", 0755) || unlinkat(dir, "x", AT_REMOVEDIR))
			break;
		made += 2;
	}
	read_edges(h, &seen);
	lost = hooks_edges_lost(h) - lost;
	close(dir);
	group_remove(g, "lost");
	/* Others on this machine make and remove groups as well. */
	verdict(lost && seen.all + lost >= made && seen.all + lost < made + 200,
		"edges: %lu made, %lu read, %lu counted as lost", (unsigned long)made,
		(unsigned long)seen.all, (unsigned long)lost);
}

/* --- faults --- */

struct faults {
	int64_t minor, major; /* by getrusage */
	int64_t write, cow;
};

#define PAGES 1024
#define COW_PAGES 256
#define MAJOR_PAGES 128

static struct faults *shared; /* the child's account of itself */

static void *pages(size_t n)
{
	char *p = mmap(NULL, n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		madvise(p, n * 4096, MADV_NOHUGEPAGE);
	return p;
}

static int64_t make_faults(void *arg)
{
	const char *file = arg;
	volatile char *fresh = pages(PAGES), *zero = pages(COW_PAGES), *mapped = NULL;
	struct rusage before, after;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char sink = 0;

	if (fd >= 0) {
		mapped = mmap(NULL, MAJOR_PAGES * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
		madvise((void *)mapped, MAJOR_PAGES * 4096, MADV_RANDOM);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	getrusage(RUSAGE_SELF, &before);
	for (size_t i = 0; i < PAGES; i++)
		fresh[i * 4096] = 1;
	for (size_t i = 0; i < COW_PAGES; i++)
		sink += zero[i * 4096]; /* maps the zero page */
	for (size_t i = 0; i < COW_PAGES; i++)
		zero[i * 4096] = 1; /* a write to a present page */
	for (size_t i = 0; mapped && i < MAJOR_PAGES; i++)
		sink += mapped[i * 4096];
	getrusage(RUSAGE_SELF, &after);
	shared->minor = after.ru_minflt - before.ru_minflt;
	shared->major = after.ru_majflt - before.ru_majflt;
	return sink;
}

static int make_file(char *path, size_t size)
{
	static char block[65536];
	int fd;

	strcpy(path, "/var/tmp/ebbtest.XXXXXX");
	fd = mkstemp(path);
	memset(block, 'x', sizeof(block));
	for (size_t done = 0; fd >= 0 && done < size; done += sizeof(block))
		if (write(fd, block, sizeof(block)) != sizeof(block))
			return -1;
	if (fd >= 0) {
		fsync(fd);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	return 0;
}

static bool near(uint64_t got, int64_t wanted, int64_t slack)
{
	int64_t d = (int64_t)got - wanted;

	return d >= -slack && d <= slack;
}

static uint64_t sum_latencies(const struct ebb_container *c)
{
	uint64_t n = 0;

	for (int i = 0; i < EBB_LAT_SLOTS; i++)
		n += c->major_lat[i];
	return n;
}

static void judge_faults(const struct hooks *h, const struct ebb_container *c)
{
	printf("    counted: minor %llu, major %llu, write %llu, cow %llu; by getrusage minor %ld, "
	       "major %ld\n",
	       c->minor, c->major, c->write, c->cow, (long)shared->minor, (long)shared->major);
	/* Slack: the child's stack and its own way out of read(2). */
	verdict(near(c->minor, shared->minor, 24), "faults: minor");
	verdict(near(c->major, shared->major, 2), "faults: major");
	verdict(near(c->write, PAGES + COW_PAGES, 24), "faults: writes");
	if (rung_of(h, "faults")->best)
		verdict(near(c->cow, COW_PAGES, 12), "faults: COW breaks");
	if (!shared->major) {
		skip("latency: the file system here makes no major faults");
		return;
	}
	verdict(sum_latencies(c) == c->major && c->major_ns / (c->major ? c->major : 1) > 100 &&
			c->major_ns < 60000000000ULL,
		"latency: %llu major faults in the histogram, %.0f us on average",
		(unsigned long long)sum_latencies(c),
		c->major ? c->major_ns / 1e3 / c->major : 0.0);
}

static void check_faults(struct hooks *h, struct groups *g)
{
	struct ebb_container counts, after;
	struct hooks_cost cost;
	char file[64];
	struct child c;
	uint64_t id;
	int dir;

	if (strstr(rung_of(h, "faults")->rung, "census")) {
		skip("faults: this kernel has no hooks for them");
		return;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	make_file(file, MAJOR_PAGES * 4096);
	dir = group_make(g, "faults");
	id = group_id(dir);
	verdict(!hooks_track(h, id, id, "a name\nwith \033[31mcolour"), "track");
	child_start(&c, dir, make_faults, file);
	hooks_sampling(h, now_ns() / 1000000, true);
	hooks_cost(h, &cost);
	verdict(cost.attached, "sampling: attached while something grows");
	child_go(&c);
	child_answer(&c);
	verdict(!hooks_counts(h, id, &counts), "counts are there");
	judge_faults(h, &counts);
	verdict(!strchr(counts.name, '\n') && !strchr(counts.name, '\033') &&
			counts.container == id,
		"a hostile name is printable: %s", counts.name);
	hooks_track(h, id, id, "renamed");
	verdict(!hooks_counts(h, id, &after) && after.minor >= counts.minor &&
			!strcmp(after.name, "renamed"),
		"a new name keeps the counts");
	hooks_untrack(h, id);
	verdict(hooks_counts(h, id, &after) == -ENOENT, "untracked");
	child_end(&c);
	close(dir);
	group_remove(g, "faults");
	unlink(file);
}

/* --- the budget --- */

static volatile bool *fault_on;

static int64_t fault_loop(void *arg)
{
	volatile char *p = pages(PAGES);

	while (*fault_on) {
		for (size_t i = 0; i < PAGES; i++)
			p[i * 4096] = 1;
		madvise((void *)p, PAGES * 4096, MADV_DONTNEED);
	}
	return 0;
}

#define BUDGET_SECONDS 12

/*
 * Something grows without end, beside a loop that does nothing but fault: attached all that time
 * the hooks would cost a multiple of what they may in a minute. By the kernel's own count of their
 * runs.
 */
static void check_budget(struct hooks *h)
{
	uint64_t begin = now_ns(), now = begin, end = begin + BUDGET_SECONDS * 1000000000ULL, next;
	struct hooks_cost before, cost;
	double would;
	struct child c;

	hooks_cost(h, &before);
	fault_on = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*fault_on = true;
	child_start(&c, -1, fault_loop, NULL);
	child_go(&c);
	while (now < end) {
		next = hooks_sampling(h, now / 1000000, true) * 1000000;
		now = now_ns();
		usleep((next > now && next < end ? next - now : 10000000) / 1000);
		now = now_ns();
	}
	*fault_on = false;
	child_answer(&c);
	child_end(&c);
	hooks_cost(h, &cost);
	would = (cost.ns - before.ns) * 1e6 / (cost.attached_ns - before.attached_ns);
	printf("    %lu events of %lu ns in %lu windows, attached %.1f of %d s\n",
	       (unsigned long)(cost.events - before.events), (unsigned long)cost.event_ns,
	       (unsigned long)(cost.windows - before.windows),
	       (cost.attached_ns - before.attached_ns) / 1e9, BUDGET_SECONDS);
	printf("    while attached %.0f ppm of a CPU, over the minute %u of %u\n", would,
	       cost.share_ppm, cost.budget_ppm);
	verdict(would > cost.budget_ppm && cost.attached_ns > before.attached_ns,
		"budget: what it is held against would exceed it");
	verdict(cost.share_ppm <= cost.budget_ppm * 11 / 10, "budget: %u ppm of at most %u",
		cost.share_ppm, cost.budget_ppm);
}

/* --- refaults --- */

#define CACHE_SIZE (8 << 20)

static int64_t read_file(void *arg)
{
	static char block[65536];
	int fd = open(arg, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	do
		n = read(fd, block, sizeof(block));
	while (n > 0);
	return n;
}

/* Not all of it: with the last page go the file's shadows, by the shrinker of their nodes. */
static int evict(const struct groups *g, int dir)
{
	int r = g->v1 ? write_file_at(dir, "memory.force_empty", "0")
		      : write_file_at(dir, "memory.reclaim", "6M");

	return r == -EAGAIN ? 0 : r;
}

static void read_in(int dir, char *file)
{
	struct child c;

	child_start(&c, dir, read_file, file);
	child_go(&c);
	child_answer(&c);
	child_end(&c);
}

static uint64_t census_refaults(struct hooks *h, uint64_t id)
{
	const struct ebb_census *recs;
	size_t n;

	if (hooks_census(h, &recs, &n))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (recs[i].cgroup == id && !recs[i].node)
			return recs[i].refault_file;
	return 0;
}

struct refaults {
	uint64_t hook, census, stat;
};

static void get_refaults(struct hooks *h, struct groups *g, int dir, struct refaults *r)
{
	struct ebb_container counts = { 0 };

	sleep(3); /* statistics lag */
	hooks_counts(h, group_id(dir), &counts);
	r->hook = counts.refault_file;
	r->census = census_refaults(h, group_id(dir));
	r->stat = group_stat(g, dir, "workingset_refault_file");
}

static void judge_refaults(const char *rung, const struct refaults *a, const struct refaults *b,
			   uint64_t evicted)
{
	uint64_t hook = b->hook - a->hook, census = b->census - a->census, stat = b->stat - a->stat;

	printf("    refaults by %s: hook %lu, census %lu, memory.stat %lu; the file has %d pages\n",
	       rung, (unsigned long)hook, (unsigned long)census, (unsigned long)stat,
	       CACHE_SIZE / 4096);
	if (!evicted) {
		skip("refaults: nothing could be evicted here");
		return;
	}
	verdict(stat || hook, "refaults: some of the %lu pages evicted came back",
		(unsigned long)evicted);
	verdict(census == stat, "refaults: the census has %lu, as memory.stat has",
		(unsigned long)census);
	/* MGLRU 6.1 counts only some of them in memory.stat. */
	if (strstr(rung, "fentry"))
		verdict(hook >= stat && hook <= CACHE_SIZE / 4096 + 64,
			"refaults: the hook counted %lu", (unsigned long)hook);
}

static void check_refaults(struct hooks *h, struct groups *g)
{
	const char *rung = rung_of(h, "refaults")->rung;
	struct refaults before, after;
	uint64_t cached, left;
	char file[64];
	int dir, r, held;

	make_file(file, CACHE_SIZE);
	held = open(file, O_RDONLY | O_CLOEXEC); /* an inode that goes takes its shadows with it */
	dir = group_make(g, "refaults");
	hooks_track(h, group_id(dir), group_id(dir), "refaults");
	read_in(dir, file);
	read_in(dir, file); /* twice, so that it is worth remembering */
	/* Reclaim goes by the statistics too: it finds nothing where they are not yet flushed. */
	get_refaults(h, g, dir, &before);
	cached = group_stat(g, dir, g->v1 ? "cache" : "file");
	r = evict(g, dir);
	get_refaults(h, g, dir, &before);
	left = group_stat(g, dir, g->v1 ? "cache" : "file");
	printf("    evicting: %s; of %lu KiB of page cache %lu are left\n", strerror(-r),
	       (unsigned long)cached / 1024, (unsigned long)left / 1024);
	read_in(dir, file);
	get_refaults(h, g, dir, &after);
	judge_refaults(rung, &before, &after, cached > left ? (cached - left) / 4096 : 0);
	hooks_untrack(h, group_id(dir));
	close(held);
	close(dir);
	group_remove(g, "refaults");
	unlink(file);
}

/* --- pins, and what a death leaves --- */

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

static void check_pins(struct hooks *h, struct groups *g)
{
	const struct ebb_census *recs;
	_cleanup_fclose_ FILE *f = NULL;
	char line[512];
	unsigned int lines = 0, ours = 0;
	struct stat st;
	size_t n = 0;

	verdict(exists(PIN_DIR "/containers") && exists(PIN_DIR "/edges") &&
			exists(PIN_DIR "/census_records"),
		"pins: the maps are there");
	verdict(!stat(PIN_DIR, &st) && (st.st_mode & 07777) == 02750 &&
			!stat(PIN_DIR "/containers", &st) && (st.st_mode & 07777) == 0640,
		"pins: for root and the group only");
	if (hooks_census(h, &recs, &n))
		n = 0;
	for (size_t i = 0; i < n; i++)
		if (recs[i].cgroup != group_id(g->root))
			hooks_track(h, recs[i].cgroup, recs[i].cgroup, "one line each");
	f = fopen(PIN_DIR "/census", "r");
	while (f && fgets(line, sizeof(line), f)) {
		lines++;
		ours += strstr(line, "one line each") != NULL;
	}
	for (size_t i = 0; i < n; i++)
		hooks_untrack(h, recs[i].cgroup);
	verdict(f && lines == n && ours == n - 1,
		"pins: cat census prints a heading and a line for each of %zu containers (%u)",
		n - 1, ours);
}

/* More than the 32 KB of an iterator over cgroups would hold. */
static void check_many_lines(struct hooks *h, struct groups *g)
{
	_cleanup_fclose_ FILE *f = NULL;
	char name[16], line[512];
	const struct ebb_census *recs;
	unsigned int ours = 0;
	size_t n = 0;

	for (int i = 0; i < 600; i++) {
		int dir;

		snprintf(name, sizeof(name), "m%d", i);
		dir = group_make(g, name);
		hooks_track(h, group_id(dir), group_id(dir), "many");
		close(dir);
	}
	hooks_census(h, &recs, &n);
	f = fopen(PIN_DIR "/census", "r");
	while (f && fgets(line, sizeof(line), f))
		ours += strstr(line, "| many\n") != NULL;
	verdict(ours == 600, "pins: 600 containers are 600 lines (%u)", ours);
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		group_remove(g, name);
	}
}

/* Programs of ours that are loaded: hooks stay loaded as long as they are attached. */
/* No room is said, to the caller and in the ladder, and harms none of those that are in. */
static void check_full(struct hooks_opts *opts)
{
	struct hooks_opts few = *opts;
	struct ebb_container c;
	struct hooks *h;

	few.max_tracked = 2;
	few.pin_dir = "";
	if (!verdict(!hooks_open(&h, &few), "it opens for two groups"))
		return;
	verdict(!hooks_track(h, 1, 1, "one") && !hooks_track(h, 2, 1, "one") &&
			rung_of(h, "faults")->without[0] == '\0',
		"two groups have room");
	verdict(hooks_track(h, 3, 3, "three") == -E2BIG && hooks_counts(h, 3, &c) == -ENOENT,
		"the third has none");
	verdict(strstr(rung_of(h, "faults")->without, "there are more than 2") &&
			!rung_of(h, "faults")->best,
		"and the ladder says so: %s", rung_of(h, "faults")->without);
	verdict(!hooks_track(h, 2, 1, "renamed") && !hooks_counts(h, 2, &c) &&
			!strcmp(c.name, "renamed"),
		"one that is in can be renamed");
	verdict(!hooks_untrack(h, 1) && !hooks_track(h, 3, 3, "three"),
		"the room of one that went is another's");
	hooks_close(h);
}

static unsigned int our_programs(void)
{
	static const char *const names[] = { "cgroup_mkdir",    "cgroup_rmdir", "page_fault_user",
					     "page_fault_kern", "major_fault",  "refault" };
	unsigned int n = 0;
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len))
			for (size_t i = 0; i < ARRAY_SIZE(names); i++)
				n += !strcmp(info.name, names[i]);
		close(fd);
	}
	return n;
}

/* What was just closed is freed after a grace period; what remains is somebody else's. */
static unsigned int settled_programs(void)
{
	unsigned int n = our_programs();

	for (int i = 0; i < 30 && n; i++) {
		usleep(100000);
		n = our_programs();
	}
	return n;
}

static void check_death(struct hooks_opts *opts)
{
	unsigned int before = settled_programs(), alive, after = 0;
	struct hooks *h;
	int pipefd[2];
	char byte;
	pid_t pid;
	int r;

	if (pipe2(pipefd, O_CLOEXEC))
		return;
	pid = fork();
	if (!pid) {
		r = hooks_open(&h, opts);
		if (!r)
			hooks_sampling(h, now_ns() / 1000000, true);
		if (write(pipefd[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	if (read(pipefd[0], &byte, 1) != 1)
		return;
	alive = our_programs();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 50; i++) {
		after = our_programs();
		if (after <= before)
			break;
		usleep(100000); /* freed after an RCU grace period */
	}
	verdict(alive > before && after <= before,
		"kill -9: no hook stays (%u programs before, %u alive, %u after)", before, alive,
		after);
	verdict(exists(PIN_DIR "/containers"), "kill -9: pins stay");
	r = hooks_open(&h, opts);
	verdict(!r, "and the next start replaces them");
	if (!r)
		hooks_close(h);
	verdict(!exists(PIN_DIR), "closing removes the pins and their folder");
	close(pipefd[0]);
	close(pipefd[1]);
}

static void check_probe(struct hooks_opts *opts, const struct hooks *opened)
{
	unsigned int before = our_programs();
	struct hooks *h;
	size_t n;
	int r = hooks_probe(&h, opts);

	if (!verdict(!r, "probe"))
		return;
	for (size_t i = 0; i < 8; i++) {
		const struct hook_rung *a = &hooks_rungs(h, &n)[i];
		const struct hook_rung *b = &hooks_rungs(opened, &n)[i];

		if (strcmp(a->rung, b->rung))
			verdict(false, "probe says %s for %s, opened %s", a->rung, a->data,
				b->rung);
	}
	hooks_close(h);
	verdict(settled_programs() <= before && !exists(PIN_DIR), "probe leaves nothing");
}

int main(void)
{
	struct hooks_opts opts = { .pin_dir = PIN_DIR, .log = print_log, .max_cgroups = 2500 };
	struct groups g;
	struct hooks *h;
	uint32_t last;
	int r;

	need_root();
	groups_open(&g, "hooks");
	last = last_program();
	opts.cgroup_fd = g.root;
	r = hooks_open(&h, &opts);
	if (verdict(!r, "the ladder opens (%s)", strerror(-r))) {
		print_rungs(h);
		check_rungs(h);
		check_programs(last);
		check_edges(h, &g);
		check_faults(h, &g);
		check_budget(h);
		check_refaults(h, &g);
		check_pins(h, &g);
		check_many_lines(h, &g);
		check_lost_edges(h, &g);
		hooks_close(h);
		verdict(!exists(PIN_DIR), "closing removes the pins");
		check_full(&opts);
		check_death(&opts);
		r = hooks_open(&h, &(struct hooks_opts){ .cgroup_fd = g.root, .pin_dir = "" });
		if (!r) {
			check_probe(&opts, h);
			hooks_close(h);
		}
	}
	groups_close(&g);
	return verdicts_status();
}
