// SPDX-License-Identifier: GPL-2.0-only
/*
 * The duty cycle of the fault hooks: opens and closes windows, and charges each to the account
 * (hooks_account.c) with events times the cost of one, plus the CPU time of attaching and
 * detaching. While something grows a window stays as long as its allowance lasts. Otherwise one
 * opens now and then, and the next waits until this one's cost is paid at a part of the budget,
 * which leaves the rest for the next growth.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sense/hooks_impl.h"

#include "ebb.skel.h"

#define NSEC 1000000000ULL
#define MSEC 1000000ULL

#define WINDOW_MS 100
#define PERIOD_MS 5000 /* at least, between two windows of a quiet machine */
#define GROW_CHECK_MS 250
#define AGAIN_MS 1000 /* while something grows that cannot be paid for */
#define TIMED_WINDOWS 16 /* one in so many is timed by the kernel */
#define TIMED_EVENTS 1000 /* of fewer events the first, cold ones would decide */

/*
 * Cost that the kernel's run time does not see: entering and leaving an empty
 * tp_btf program, 37 to 59 ns measured; and what timing itself adds.
 */
#define ENTRY_NS 60
#define TIMING_NS 50
#define FIRST_GUESS_NS 250 /* until measured */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

static uint64_t events_seen(const struct hooks *h)
{
	const struct sampling *s = &h->sampling;
	uint64_t sum = 0;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.fault_events), &zero, s->percpu))
		return 0;
	for (int i = 0; i < s->nr_cpus; i++)
		sum += s->percpu[i];
	return sum;
}

/* Run time and runs of our windowed programs, as far as the kernel has timed them. */
static void timed_runs(const struct hooks *h, uint64_t *ns, uint64_t *runs)
{
	*ns = *runs = 0;
	for (int i = 0; i < NR_PROGS; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		struct bpf_program *prog;

		if (!h->links[i] || !(PROGS_WINDOWED & (1u << i)))
			continue;
		prog = bpf_object__find_program_by_name(h->skel->obj, prog_names[i]);
		if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		*ns += info.run_time_ns;
		*runs += info.run_cnt;
	}
}

/* What the window that is open has cost so far, by what is known now of the cost of an event. */
static uint64_t price(const struct sampling *s, uint64_t events)
{
	uint64_t timed = s->timing ? events : s->timed_events;

	return s->window_toggle + events * s->event_ns + timed * TIMING_NS;
}

/* Brings the account up to date. An event that proves dearer is charged for the whole window. */
static void settle(struct hooks *h, uint64_t now)
{
	struct sampling *s = &h->sampling;
	uint64_t events, cost;

	if (s->attached) {
		events = events_seen(h) - s->window_events;
		cost = price(s, events);
		s->attached_ns += now - s->last_ns;
		s->events += events - s->window_seen;
		s->window_seen = events;
		if (cost > s->window_cost) {
			account_spend(&s->account, cost - s->window_cost, now);
			s->window_cost = cost;
		}
	}
	s->last_ns = now;
}

static void begin_timing(struct hooks *h)
{
	struct sampling *s = &h->sampling;

	s->timed_events = 0;
	if (s->windows % TIMED_WINDOWS)
		return;
	s->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (s->stats_fd < 0)
		return;
	s->timing = true;
	timed_runs(h, &s->timed_ns, &s->timed_runs);
}

static void end_timing(struct hooks *h)
{
	struct sampling *s = &h->sampling;
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID), ns, runs;

	timed_runs(h, &ns, &runs);
	s->timed_events = events_seen(h) - s->window_events;
	close(s->stats_fd);
	s->stats_fd = -1;
	s->timing = false;
	if (s->timed_events >= TIMED_EVENTS)
		s->event_ns =
			((ns - s->timed_ns) + (runs - s->timed_runs) * ENTRY_NS) / s->timed_events;
	s->window_toggle += clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

static int open_window(struct hooks *h, uint64_t allowance)
{
	struct sampling *s = &h->sampling;
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int r;

	h->skel->bss->window_ns = clock_ns(CLOCK_MONOTONIC);
	s->window_events = events_seen(h);
	s->window_seen = 0;
	s->window_cost = 0;
	s->window_allowance = allowance;
	r = hooks_attach_windowed(h);
	if (r)
		return r;
	begin_timing(h);
	s->attached = true;
	s->windows++;
	s->window_start_ns = clock_ns(CLOCK_MONOTONIC);
	s->last_ns = s->window_start_ns;
	s->window_toggle = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	settle(h, s->window_start_ns);
	return 0;
}

static void close_window(struct hooks *h, uint64_t now)
{
	struct sampling *s = &h->sampling;
	uint64_t cpu;

	if (s->timing)
		end_timing(h);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	hooks_detach_windowed(h);
	s->window_toggle += clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	settle(h, now); /* with the cost just measured */
	s->attached = false;
	account_toggled(&s->account, s->window_toggle);
}

int sampling_init(struct hooks *h)
{
	struct sampling *s = &h->sampling;

	s->nr_cpus = libbpf_num_possible_cpus();
	if (s->nr_cpus < 0)
		return s->nr_cpus;
	s->percpu = calloc(s->nr_cpus, sizeof(*s->percpu));
	if (!s->percpu)
		return -ENOMEM;
	s->usable = h->skel && (h->ladder.progs & PROGS_WINDOWED);
	s->stats_fd = -1;
	s->event_ns = FIRST_GUESS_NS;
	s->opened_ns = s->last_ns = clock_ns(CLOCK_MONOTONIC);
	account_init(&s->account, h->opts.overhead_ppm, s->opened_ns);
	return 0;
}

void sampling_stop(struct hooks *h)
{
	if (h->sampling.attached)
		close_window(h, clock_ns(CLOCK_MONOTONIC));
	free(h->sampling.percpu);
	h->sampling.percpu = NULL;
}

static uint64_t while_attached(struct hooks *h, uint64_t now, bool growing)
{
	struct sampling *s = &h->sampling;
	uint64_t now_ms = now / MSEC, passed = (now - s->window_start_ns) / MSEC;
	uint64_t cost, left, wait;

	/* The kernel's timing costs something itself: no longer than it takes to know. */
	if (s->timing && s->window_cost - s->window_toggle > TIMED_EVENTS * s->event_ns) {
		end_timing(h);
		settle(h, now);
	}
	/* It has to be detached, too. */
	cost = s->window_cost + s->account.toggle_ns / 2;
	left = s->window_allowance > cost ? s->window_allowance - cost : 0;
	wait = account_lasts_ms(left, s->window_cost - s->window_toggle, passed);
	if (wait && growing) {
		if (wait > GROW_CHECK_MS)
			wait = GROW_CHECK_MS;
		return now_ms + (wait < 10 ? 10 : wait);
	}
	if (wait && passed < WINDOW_MS)
		return now_ms + (wait < WINDOW_MS - passed ? wait : WINDOW_MS - passed);
	close_window(h, now);
	wait = account_pay_ms(&s->account, s->window_cost);
	s->next_ms = now_ms + (wait < PERIOD_MS ? PERIOD_MS : wait);
	return growing ? now_ms + AGAIN_MS : s->next_ms;
}

static uint64_t while_detached(struct hooks *h, uint64_t now, bool growing)
{
	struct sampling *s = &h->sampling;
	uint64_t now_ms = now / MSEC, allowance = 0, at;

	if (growing || now_ms >= s->next_ms)
		allowance = account_allows(&s->account, now, growing);
	if (!allowance) {
		at = s->next_ms > now_ms ? s->next_ms : now_ms + PERIOD_MS;
		return growing && at > now_ms + AGAIN_MS ? now_ms + AGAIN_MS : at;
	}
	if (open_window(h, allowance)) {
		s->usable = false; /* attached once at the start, so this is for good */
		return 0;
	}
	return now_ms + WINDOW_MS;
}

uint64_t hooks_sampling(struct hooks *h, uint64_t now_ms, bool growing)
{
	struct sampling *s = &h->sampling;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (!s->usable)
		return 0;
	settle(h, now);
	return s->attached ? while_attached(h, now, growing) : while_detached(h, now, growing);
}

void hooks_cost(const struct hooks *h, struct hooks_cost *ret)
{
	const struct sampling *s = &h->sampling;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	*ret = (struct hooks_cost){
		.attached = s->attached,
		.windows = s->windows,
		.events = s->events,
		.event_ns = s->event_ns,
		.ns = s->account.total_ns,
		.attached_ns = s->attached_ns,
		.wall_ns = now - s->opened_ns,
		.share_ppm = account_minute(&s->account, now) / 60000,
		.budget_ppm = h->opts.overhead_ppm,
		.census_passes = h->census_passes,
		.census_ns = h->census_ns,
	};
}
