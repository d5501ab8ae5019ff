// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the page-fault hooks cost a program that does nothing but fault: paired runs, with the
 * sampling at its default budget and without, in random order within each pair. Prints the figure
 * and its spread.
 *
 * usage: overhead_check [PAIRS [SECONDS]]   (20 pairs of 2 x 5 s: more than three minutes)
 *        overhead_check attached [PAIRS]    the hooks attached all the time, for comparison
 */
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bpftest.h"
#include "sense/hooks.h"

#define ARENA (16UL << 20)
#define GOAL_PERCENT 0.5
#define MAX_PAIRS 200

#define MAX_BATCHES (1 << 18)

/* The loop's account: what each batch of faults took, and whether the hooks were there. */
static volatile struct {
	bool run, attached;
	uint32_t batches;
	struct {
		float ns; /* of CPU, for one fault: what others on the machine take does not count
			   */
		char attached; /* 0, 1, or 2: came or went meanwhile */
	} batch[MAX_BATCHES];
} * shared;

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* The page-fault-bound loop: fresh zeroed pages, again and again. */
static int64_t fault_loop(void *arg)
{
	volatile char *p =
		mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	madvise((void *)p, ARENA, MADV_NOHUGEPAGE);
	while (shared->run) {
		uint64_t begin = thread_cpu_ns();
		bool attached = shared->attached;
		uint32_t at = shared->batches % MAX_BATCHES;

		for (size_t i = 0; i < ARENA; i += 4096)
			p[i] = 1;
		madvise((void *)p, ARENA, MADV_DONTNEED);
		shared->batch[at].ns = (double)(thread_cpu_ns() - begin) / ((double)ARENA / 4096);
		shared->batch[at].attached = attached == shared->attached ? attached : 2;
		shared->batches++;
	}
	return 0;
}

/* What ebbd does with the hooks, and no more: calls when it is told to. */
static void sample_until(struct hooks *h, uint64_t end_ms, bool growing)
{
	struct hooks_cost cost;

	for (;;) {
		uint64_t now = now_ns() / 1000000, next;

		if (now >= end_ms)
			return;
		next = hooks_sampling(h, now, growing);
		hooks_cost(h, &cost);
		shared->attached = cost.attached;
		if (!next || next > end_ms)
			next = end_ms;
		usleep((next > now ? next - now : 1) * 1000);
	}
}

/* Batches of a run; by median and clipped mean, since a batch that was disturbed takes a multiple.
 */
struct sample {
	uint32_t from, to;
	double ns;
};

static void run_for(struct hooks *h, double seconds, bool growing, struct sample *ret)
{
	uint64_t end = now_ns() / 1000000 + (uint64_t)(seconds * 1000);

	usleep(50000);
	ret->from = shared->batches;
	if (h)
		sample_until(h, end, growing);
	else
		usleep(seconds * 1e6);
	ret->to = shared->batches;
}

static double median_ns(uint32_t from, uint32_t to)
{
	static double v[MAX_BATCHES];
	uint32_t n = 0;

	for (uint32_t i = from; i != to && n < MAX_BATCHES; i++)
		v[n++] = shared->batch[i % MAX_BATCHES].ns;
	qsort(v, n, sizeof(*v), compare_double);
	return n ? v[n / 2] : 0;
}

static double clipped_mean(const struct sample *s, double limit, int only)
{
	double sum = 0;
	uint32_t n = 0;

	for (uint32_t i = s->from; i != s->to; i++) {
		double ns = shared->batch[i % MAX_BATCHES].ns;

		if (only >= 0 && shared->batch[i % MAX_BATCHES].attached != only)
			continue;
		sum += ns < limit ? ns : limit;
		n++;
	}
	return n ? sum / n : 0;
}

/* Attached from the first moment to the last: a budget of all of a CPU. */
static int open_hooks(struct hooks **ret, const struct groups *g, uint64_t id, uint32_t ppm)
{
	struct hooks_opts opts = {
		.cgroup_fd = g->root, .pin_dir = "", .overhead_ppm = ppm, .log = print_log
	};
	int r = hooks_open(ret, &opts);

	return r ? r : hooks_track(*ret, id, id, "overhead");
}

struct spread {
	double mean, error, median, low, high; /* error: of the mean; low, high: quartiles */
};

static struct spread spread_of(double *v, int n)
{
	struct spread s = { 0 };
	double var = 0;

	for (int i = 0; i < n; i++)
		s.mean += v[i] / n;
	for (int i = 0; i < n; i++)
		var += (v[i] - s.mean) * (v[i] - s.mean);
	s.error = n > 1 ? sqrt(var / (n - 1) / n) : 0;
	qsort(v, n, sizeof(*v), compare_double);
	s.median = v[n / 2];
	s.low = v[n / 4];
	s.high = v[3 * n / 4];
	return s;
}

static struct spread print_spread(const char *what, double *v, int n)
{
	struct spread s = spread_of(v, n);

	printf("    %-34s mean %+.2f%% +- %.2f, median %+.2f%%, quartiles %+.2f%% to %+.2f%%\n",
	       what, s.mean, s.error, s.median, s.low, s.high);
	return s;
}

static void judge(double *whole, double *windows, double *inside, int n,
		  const struct hooks_cost *cost, bool attached)
{
	struct spread a, b;

	print_spread("a fault while the hooks are there:", inside, n);
	a = print_spread("runs with against runs without:", whole, n);
	printf("    its own account: %lu events of %lu ns in %lu windows, attached %.1f%% of the "
	       "time, %.2f%% of one CPU (budget %.2f%%)\n",
	       (unsigned long)cost->events, (unsigned long)cost->event_ns,
	       (unsigned long)cost->windows, 100.0 * cost->attached_ns / cost->wall_ns,
	       100.0 * cost->ns / cost->wall_ns, cost->budget_ppm / 1e4);
	if (attached)
		return;
	b = print_spread("the windows within their runs:", windows, n);
	verdict(cost->share_ppm <= cost->budget_ppm && cost->windows > 1,
		"overhead: by its own account within the budget");
	verdict(b.mean <= GOAL_PERCENT, "overhead: %+.2f%% +- %.2f by the windows (goal %.1f%%)",
		b.mean, b.error, GOAL_PERCENT);
	/* A noisy machine spreads by several percent: what fails is a figure that noise does not
	 * explain. */
	verdict(a.mean - 2 * a.error <= GOAL_PERCENT,
		"overhead: %+.2f%% +- %.2f by the pairs (goal %.1f%%)%s", a.mean, a.error,
		GOAL_PERCENT,
		a.mean + 2 * a.error <= GOAL_PERCENT ? "" : "; the spread reaches beyond the goal");
}

/*
 * What the windows alone added to a run: the excess of the batches in them over those around them,
 * as a share of the whole run. The noise of a run cancels out but for the windows' few percent of
 * it.
 */
static double windows_excess(const struct sample *s, double limit)
{
	double out = clipped_mean(s, limit, 0), excess = 0;

	for (uint32_t i = s->from; i != s->to; i++) {
		double ns = shared->batch[i % MAX_BATCHES].ns;

		if (shared->batch[i % MAX_BATCHES].attached)
			excess += (ns < limit ? ns : limit) - out;
	}
	return out ? 100 * excess / (out * (s->to - s->from)) : 0;
}

struct pair {
	double whole; /* with against without, percent */
	double windows; /* by the windows alone, of the run with */
	double inside; /* a fault in a window against one outside */
};

static void one_pair(struct hooks *h, double seconds, bool attached, struct pair *ret)
{
	struct sample s[2];
	bool first = random() & 1;
	double limit, in, out;

	for (int half = 0; half < 2; half++) {
		bool with = (half == 0) == first;

		run_for(with ? h : NULL, seconds, attached, &s[with]);
		if (!with)
			continue;
		/* Let the window close: between the runs the hooks are away for sure. */
		for (int i = 0; shared->attached && i < 20; i++)
			sample_until(h, now_ns() / 1000000 + 50, false);
	}
	limit = 2 * median_ns(s[0].from, s[0].to);
	s[0].ns = clipped_mean(&s[0], limit, -1);
	s[1].ns = clipped_mean(&s[1], limit, -1);
	in = clipped_mean(&s[1], limit, 1);
	out = clipped_mean(attached ? &s[0] : &s[1], limit, 0);
	ret->inside = in && out ? 100 * (in - out) / out : 0;
	ret->windows = windows_excess(&s[1], limit);
	ret->whole = 100 * (s[1].ns - s[0].ns) / s[0].ns;
}

static int run_pairs(struct groups *g, uint64_t id, int pairs, double seconds, bool attached)
{
	double whole[MAX_PAIRS], windows[MAX_PAIRS], inside[MAX_PAIRS];
	struct hooks_cost cost;
	struct sample warm;
	struct hooks *h;
	int r = open_hooks(&h, g, id, attached ? 1000000 : 0);

	if (r)
		return r;
	run_for(NULL, 1, false, &warm);
	for (int i = 0; i < pairs; i++) {
		struct pair p;

		one_pair(h, seconds, attached, &p);
		whole[i] = p.whole;
		windows[i] = p.windows;
		inside[i] = p.inside;
	}
	hooks_cost(h, &cost);
	printf("    %d pairs of %.0f s, %.0f ns a fault without\n", pairs, seconds,
	       median_ns(warm.from, warm.to));
	judge(whole, windows, inside, pairs, &cost, attached);
	hooks_close(h);
	return 0;
}

int main(int argc, char **argv)
{
	bool attached = argc > 1 && !strcmp(argv[1], "attached");
	int arg = attached ? 2 : 1;
	int pairs = argc > arg ? atoi(argv[arg]) : 20;
	double seconds = argc > arg + 1 ? atof(argv[arg + 1]) : attached ? 1 : 5;
	struct groups g;
	struct child c;
	int dir, r;

	need_root();
	if (pairs < 1 || pairs > MAX_PAIRS)
		return 2;
	srandom(now_ns());
	groups_open(&g, "overhead");
	dir = group_make(&g, "loop");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	shared->run = true;
	child_start(&c, dir, fault_loop, NULL);
	child_go(&c);
	r = run_pairs(&g, group_id(dir), pairs, seconds, attached);
	if (r)
		verdict(false, "the ladder does not open: %s", strerror(-r));
	shared->run = false;
	child_end(&c);
	close(dir);
	groups_close(&g);
	return verdicts_status();
}
