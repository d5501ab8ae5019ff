// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the page-fault hooks cost a program that does nothing but fault: paired runs, with the
 * sampling at its default budget and without, in random order within each pair. Prints the figure
 * and its spread.
 *
 * usage: overhead_check [attached|each] [anon|file|cow] [threads] [PAIRS [SECONDS]]
 *
 * 20 pairs of 2 x 5 s (more than three minutes) of fresh anonymous pages by one thread, unless told
 * otherwise. threads: by two of them. attached: the hooks are there all the time, for comparison;
 * each: each program alone, all the time.
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
#include "fault_loops.h"
#include "one_hook.h"
#include "sense/hooks.h"

#define GOAL_PERCENT 0.5
#define MAX_PAIRS 200

static struct loops *loops;

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
		loops->attached = cost.attached;
		if (!next || next > end_ms)
			next = end_ms;
		usleep((next > now ? next - now : 1) * 1000);
	}
}

/* Batches of a run; by median and clipped mean, since a batch that was disturbed takes a multiple.
 */
struct sample {
	uint32_t from[LOOP_THREADS_MAX], to[LOOP_THREADS_MAX];
	double ns;
};

typedef void (*on_batch)(const struct loop_batch *b, void *arg);

static void each_batch(const struct sample *s, on_batch fn, void *arg)
{
	for (unsigned int t = 0; t < loops->threads; t++)
		for (uint32_t i = s->from[t]; i != s->to[t]; i++)
			fn(&loops->lane[t].batch[i % LOOP_BATCHES], arg);
}

static void mark(uint32_t *at)
{
	for (unsigned int t = 0; t < loops->threads; t++)
		at[t] = loops->lane[t].batches;
}

static void run_for(struct hooks *h, double seconds, bool growing, struct sample *ret)
{
	uint64_t end = now_ns() / 1000000 + (uint64_t)(seconds * 1000);

	usleep(50000);
	mark(ret->from);
	if (h)
		sample_until(h, end, growing);
	else
		usleep(seconds * 1e6);
	mark(ret->to);
}

struct values {
	double v[LOOP_THREADS_MAX * LOOP_BATCHES];
	uint32_t n;
};

static void collect(const struct loop_batch *b, void *arg)
{
	struct values *v = arg;

	v->v[v->n++] = b->ns;
}

static double median_ns(const struct sample *s)
{
	static struct values v;

	v.n = 0;
	each_batch(s, collect, &v);
	qsort(v.v, v.n, sizeof(v.v[0]), compare_double);
	return v.n ? v.v[v.n / 2] : 0;
}

struct clipped {
	double limit, sum;
	int only; /* that state of the hooks; -1: any */
	uint32_t n;
};

static void clip(const struct loop_batch *b, void *arg)
{
	struct clipped *c = arg;

	if (c->only >= 0 && b->attached != c->only)
		return;
	c->sum += b->ns < c->limit ? b->ns : c->limit;
	c->n++;
}

static double clipped_mean(const struct sample *s, double limit, int only)
{
	struct clipped c = { .limit = limit, .only = only };

	each_batch(s, clip, &c);
	return c.n ? c.sum / c.n : 0;
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

struct excess {
	double limit, out, sum;
	uint32_t n;
};

static void add_excess(const struct loop_batch *b, void *arg)
{
	struct excess *e = arg;

	e->n++;
	if (b->attached)
		e->sum += (b->ns < e->limit ? b->ns : e->limit) - e->out;
}

/*
 * What the windows alone added to a run: the excess of the batches in them over those around them,
 * as a share of the whole run. The noise of a run cancels out but for the windows' few percent of
 * it.
 */
static double windows_excess(const struct sample *s, double limit)
{
	struct excess e = { .limit = limit, .out = clipped_mean(s, limit, 0) };

	each_batch(s, add_excess, &e);
	return e.out && e.n ? 100 * e.sum / (e.out * e.n) : 0;
}

struct pair {
	double whole; /* with against without, percent */
	double windows; /* by the windows alone, of the run with */
	double inside; /* a fault in a window against one outside */
};

static void one_pair(struct hooks *h, double seconds, bool attached, struct pair *ret)
{
	struct sample s[2] = { 0 };
	bool first = random() & 1;
	double limit, in, out;

	for (int half = 0; half < 2; half++) {
		bool with = (half == 0) == first;

		run_for(with ? h : NULL, seconds, attached, &s[with]);
		if (!with)
			continue;
		/* Let the window close: between the runs the hooks are away for sure. */
		for (int i = 0; loops->attached && i < 20; i++)
			sample_until(h, now_ns() / 1000000 + 50, false);
	}
	limit = 2 * median_ns(&s[0]);
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
	printf("    %s, %u thread%s: %d pairs of %.0f s, %.0f ns a fault without\n",
	       loop_names[loops->kind], loops->threads, loops->threads > 1 ? "s" : "", pairs,
	       seconds, median_ns(&warm));
	judge(whole, windows, inside, pairs, &cost, attached);
	hooks_close(h);
	return 0;
}

/* One of the programs alone, attached for good in one half of each pair. */
static void run_one(const struct groups *g, uint64_t id, const char *name, int pairs,
		    double seconds)
{
	const char *why;
	struct one_hook *o = one_hook_open(name, g, id, &why);
	double whole[MAX_PAIRS];

	if (!o) {
		printf("    %s: not here (%s)\n", name, why);
		return;
	}
	for (int i = 0; i < pairs; i++) {
		struct sample s[2] = { 0 };
		bool first = random() & 1;
		double limit;

		for (int half = 0; half < 2; half++) {
			bool with = (half == 0) == first;

			if (with && one_hook_attach(o))
				verdict(false, "%s does not attach", name);
			run_for(NULL, seconds, false, &s[with]);
			one_hook_detach(o);
		}
		limit = 2 * median_ns(&s[0]);
		whole[i] =
			100 * (clipped_mean(&s[1], limit, -1) / clipped_mean(&s[0], limit, -1) - 1);
	}
	print_spread(name, whole, pairs);
	one_hook_close(o);
}

struct args {
	enum { BUDGET, ATTACHED, EACH } mode;
	enum loop_kind kind;
	unsigned int threads;
	int pairs;
	double seconds;
};

/* false: usage. */
static bool parse(int argc, char **argv, struct args *ret)
{
	bool numbers = false;

	*ret = (struct args){ .threads = 1, .pairs = 20 };
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "attached")) {
			ret->mode = ATTACHED;
		} else if (!strcmp(argv[i], "each")) {
			ret->mode = EACH;
		} else if (!strcmp(argv[i], "threads")) {
			ret->threads = 2;
		} else if (atof(argv[i]) > 0) {
			if (numbers)
				ret->seconds = atof(argv[i]);
			else
				ret->pairs = atoi(argv[i]);
			numbers = true;
		} else {
			while (ret->kind < NR_LOOPS && strcmp(argv[i], loop_names[ret->kind]))
				ret->kind++;
			if (ret->kind == NR_LOOPS)
				return false;
		}
	}
	if (!ret->seconds)
		ret->seconds = ret->mode == BUDGET ? 5 : 1;
	return ret->pairs >= 1 && ret->pairs <= MAX_PAIRS;
}

int main(int argc, char **argv)
{
	struct groups g;
	struct child c;
	struct args a;
	int dir, r = 0;

	if (!parse(argc, argv, &a)) {
		fprintf(stderr, "usage: overhead_check [attached|each] [anon|file|cow] [threads] "
				"[PAIRS [SECONDS]]\n");
		return 2;
	}
	need_root();
	srandom(now_ns());
	groups_open(&g, "overhead");
	dir = group_make(&g, "loop");
	loops = loops_new(a.kind, a.threads);
	child_start(&c, dir, loops_run, loops);
	child_go(&c);
	if (a.mode == EACH)
		for (unsigned int i = 0; one_hook_name(i); i++)
			run_one(&g, group_id(dir), one_hook_name(i), a.pairs, a.seconds);
	else
		r = run_pairs(&g, group_id(dir), a.pairs, a.seconds, a.mode == ATTACHED);
	if (r)
		verdict(false, "the ladder does not open: %s", strerror(-r));
	loops->run = false;
	child_end(&c);
	close(dir);
	groups_close(&g);
	return verdicts_status();
}
