// SPDX-License-Identifier: GPL-2.0-only
/*
 * The duty cycle of the fault hooks.
 *
 * An account in nanoseconds of CPU fills at the rate of the budget, up to a minute's worth, and is
 * charged with what the hooks cost: events times the cost of one, plus the CPU time of attaching
 * and detaching. While something grows the hooks stay as long as the account lasts. Otherwise a
 * window opens now and then, and the next waits until this one's cost is paid at a part of the
 * budget, which leaves the rest for the next growth.
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
#define WINDOW_SHARE 60 /* percent of the budget that windows alone may use */
#define TIMED_WINDOWS 16 /* one in so many is timed by the kernel */

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

static void spend(struct sampling *s, uint64_t ns, uint64_t now)
{
	uint64_t second = now / NSEC;

	/* Seconds in which nobody looked. */
	for (int i = 0; i < 60 && s->minute_at < second; i++, s->minute_at++)
		s->minute[(s->minute_at + 1) % 60] = 0;
	s->minute_at = second;
	s->minute[second % 60] += ns;
	s->spent_ns += ns;
	s->balance_ns -= ns;
}

/* Brings the account up to date. */
static void settle(struct hooks *h, uint64_t now)
{
	struct sampling *s = &h->sampling;
	int64_t cap = 60 * (int64_t)h->opts.overhead_ppm * 1000;
	uint64_t events, cost;

	s->balance_ns += (now - s->last_ns) * h->opts.overhead_ppm / 1000000;
	if (s->balance_ns > cap)
		s->balance_ns = cap;
	if (s->attached) {
		events = events_seen(h) - s->window_events;
		cost = events * (s->event_ns + (s->timing ? TIMING_NS : 0));
		s->window_events += events;
		s->events += events;
		s->window_cost += cost;
		s->attached_ns += now - s->last_ns;
		spend(s, cost, now);
	} else {
		spend(s, 0, now);
	}
	s->last_ns = now;
}

static void begin_timing(struct hooks *h)
{
	struct sampling *s = &h->sampling;

	s->timing = false;
	if (s->windows % TIMED_WINDOWS)
		return;
	s->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (s->stats_fd < 0)
		return;
	s->timing = true;
	timed_runs(h, &s->timed_ns, &s->timed_runs);
	s->timed_events = events_seen(h);
}

static void end_timing(struct hooks *h)
{
	struct sampling *s = &h->sampling;
	uint64_t ns, runs, events;

	if (!s->timing)
		return;
	timed_runs(h, &ns, &runs);
	events = events_seen(h) - s->timed_events;
	close(s->stats_fd);
	s->stats_fd = -1;
	s->timing = false;
	/* Of a few events the first, cold ones would decide. */
	if (events >= 1000)
		s->event_ns = ((ns - s->timed_ns) + (runs - s->timed_runs) * ENTRY_NS) / events;
}

static int open_window(struct hooks *h)
{
	struct sampling *s = &h->sampling;
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int r;

	h->skel->bss->window_ns = clock_ns(CLOCK_MONOTONIC);
	s->window_events = events_seen(h);
	s->window_cost = 0;
	r = hooks_attach_windowed(h);
	if (r)
		return r;
	begin_timing(h);
	s->attached = true;
	s->windows++;
	s->last_ns = s->window_start_ns = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	s->window_cost += cpu;
	spend(s, cpu, s->last_ns);
	return 0;
}

static void close_window(struct hooks *h, uint64_t now)
{
	struct sampling *s = &h->sampling;
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	end_timing(h);
	hooks_detach_windowed(h);
	settle(h, now); /* with the cost just measured */
	s->attached = false;
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	s->window_cost += cpu;
	spend(s, cpu, now);
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
	s->minute_at = s->opened_ns / NSEC;
	/* Half a minute's worth: what starts together with ebbd is to be seen starting. */
	s->balance_ns = 30 * (int64_t)h->opts.overhead_ppm * 1000;
	return 0;
}

void sampling_stop(struct hooks *h)
{
	if (h->sampling.attached)
		close_window(h, clock_ns(CLOCK_MONOTONIC));
	free(h->sampling.percpu);
	h->sampling.percpu = NULL;
}

/* When a window costs this much, how long until it is paid for. */
static uint64_t pay_ms(const struct hooks *h, uint64_t cost)
{
	return cost * 1000000 / h->opts.overhead_ppm * 100 / WINDOW_SHARE / MSEC;
}

/* How long the account lasts at the rate of this window so far. */
static uint64_t lasts_ms(const struct sampling *s, uint64_t now)
{
	uint64_t ms = (now - s->window_start_ns) / MSEC;
	uint64_t per_ms = s->window_cost / (ms ? ms : 1);

	if (s->balance_ns <= 0)
		return 0;
	return per_ms ? s->balance_ns / per_ms : GROW_CHECK_MS;
}

static uint64_t while_attached(struct hooks *h, uint64_t now, bool growing)
{
	struct sampling *s = &h->sampling;
	uint64_t now_ms = now / MSEC, end_ms = s->window_start_ns / MSEC + WINDOW_MS, wait;

	if (growing && s->balance_ns > 0) {
		wait = lasts_ms(s, now);
		if (wait > GROW_CHECK_MS)
			wait = GROW_CHECK_MS;
		return now_ms + (wait < 10 ? 10 : wait);
	}
	/* The first window is worth its length even where the account is empty. */
	if (now_ms < end_ms)
		return end_ms;
	close_window(h, now);
	wait = pay_ms(h, s->window_cost);
	if (wait < PERIOD_MS)
		wait = PERIOD_MS;
	return now_ms + wait;
}

uint64_t hooks_sampling(struct hooks *h, uint64_t now_ms, bool growing)
{
	struct sampling *s = &h->sampling;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int64_t worth = (int64_t)h->opts.overhead_ppm * 2000; /* two seconds of the budget */

	if (!s->usable)
		return 0;
	settle(h, now);
	if (!s->attached) {
		bool grow_now = growing && s->balance_ns > worth;

		if (!grow_now && (now_ms < s->next_ms || s->balance_ns <= 0)) {
			uint64_t at = s->next_ms > now_ms ? s->next_ms : now_ms + PERIOD_MS;

			return growing && at > now_ms + 1000 ? now_ms + 1000 : at;
		}
		if (open_window(h)) {
			s->usable = false; /* attached once at the start, so this is for good */
			return 0;
		}
		s->next_ms = now_ms + (growing ? GROW_CHECK_MS : WINDOW_MS);
		return s->next_ms;
	}
	s->next_ms = while_attached(h, now, growing);
	return s->next_ms;
}

void hooks_cost(const struct hooks *h, struct hooks_cost *ret)
{
	const struct sampling *s = &h->sampling;
	uint64_t now = clock_ns(CLOCK_MONOTONIC), wall = now - s->opened_ns, minute = 0;

	for (uint64_t at = s->minute_at; at + 60 > now / NSEC; at--)
		minute += s->minute[at % 60];
	*ret = (struct hooks_cost){
		.attached = s->attached,
		.windows = s->windows,
		.events = s->events,
		.event_ns = s->event_ns,
		.ns = s->spent_ns,
		.attached_ns = s->attached_ns,
		.wall_ns = wall,
		.budget_ppm = h->opts.overhead_ppm,
		.census_passes = h->census_passes,
		.census_ns = h->census_ns,
	};
	if (wall > 60 * NSEC)
		wall = 60 * NSEC;
	if (wall)
		ret->share_ppm = minute * 1000000 / wall;
}
