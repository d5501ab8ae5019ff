// SPDX-License-Identifier: GPL-2.0-only
/* One turn: census, snapshot, policy, plan, and when to come again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "lib/log.h"

/* Edges come in bursts, as a container starts: one look for all of them. */
#define TICK_MIN_GAP_MS 20
#define RESCAN_MS 1000
#define GROWING_MS 1000 /* between two looks while something starts or grows, … */
#define QUIET_MS 10000 /* … and otherwise at most: growth that no edge tells of */
#define FRESH_MS 1000

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void on_sample_timer(uv_timer_t *timer);

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int grow_arrays(struct daemon *d)
{
	size_t n = d->snap.nr_containers, items;

	items = n + d->snap.nr_orphans + 2 * d->snap.nr_holders + d->snap.nr_others + 1;

	if (d->policy.max < n) {
		void *p = reallocarray(d->policy.slots, n + n / 2, sizeof(d->policy.slots[0]));

		if (!p)
			return -ENOMEM;
		d->policy.slots = p;
		d->policy.max = n + n / 2;
	}
	if (d->plan.max_verdicts < n) {
		void *p = reallocarray(d->plan.verdicts, n + n / 2, sizeof(d->plan.verdicts[0]));

		if (!p)
			return -ENOMEM;
		d->plan.verdicts = p;
		d->plan.max_verdicts = n + n / 2;
	}
	if (d->plan.max_items < items) {
		void *p = reallocarray(d->plan.items, items + items / 2, sizeof(d->plan.items[0]));

		if (!p)
			return -ENOMEM;
		d->plan.items = p;
		d->plan.max_items = items + items / 2;
	}
	return 0;
}

/* What sense cannot know: what act is doing, what a person asked for. */
static void snapshot_add_own(struct daemon *d)
{
	const struct act_caps *caps = act_caps(d->act);
	struct act_stats stats;

	act_stats(d->act, &stats);
	host_snapshot(d);
	d->snap.paused = d->paused;
	d->snap.machine.reclaim_swappiness = caps->reclaim_swappiness;
	d->snap.machine.compact_busy = stats.compact_busy;
	d->snap.machine.compact_cpu_us = stats.compact_cpu_us;
	d->snap.machine.compact_ended_ms = stats.compact_ended_ms;
	d->snap.machine.limit_ms = stats.limit_us / 1000;
	d->snap.machine.orphans_got = d->totals.orphans;
	for (size_t i = 0; i < d->snap.nr_orphans; i++)
		d->snap.orphans[i].busy = act_busy(d->act, d->snap.orphans[i].parent);
	for (size_t i = 0; i < d->snap.nr_others; i++)
		d->snap.others[i].busy = act_busy(d->act, d->snap.others[i].id);
	for (size_t i = 0; i < d->snap.nr_holders; i++) {
		struct ebb_holder *h = &d->snap.holders[i];
		const struct act_limit *l = act_limit_find(d->act, EBB_ACT_LIMIT, h->id);

		h->busy = act_limiting(d->act, EBB_ACT_LIMIT, h->id);
		h->set = l ? l->bytes : UINT64_MAX;
		if (d->config.cap && !l && !h->busy)
			h->limit = tree_holder_limit(d->tree, h->id, d->snap.now_ms);
		l = act_limit_find(d->act, EBB_ACT_SWAP_LIMIT, h->id);
		h->swap_busy = act_limiting(d->act, EBB_ACT_SWAP_LIMIT, h->id);
		h->swap_set = l ? l->bytes : UINT64_MAX;
	}
	for (size_t i = 0; i < d->snap.nr_containers; i++) {
		struct ebb_snap_container *c = &d->snap.containers[i];
		const struct track *t = track_find(d, c->id);

		c->can_age = caps->can_age;
		c->busy = act_busy(d->act, c->id);
		if (t) {
			c->paused = t->paused;
			c->peak = t->expected;
			c->last = t->last;
		}
	}
}

static int sense(struct daemon *d, uint64_t now)
{
	const struct ebb_census *recs;
	size_t n;
	int r = hooks_census(d->hooks, &recs, &n);

	if (r)
		return r;
	r = tree_update(d->tree, recs, n, now);
	if (r)
		return r;
	watch_follow(d, recs, n, now);
	r = machine_read(d->machine, &d->snap.machine);
	if (r)
		return r;
	r = tree_snapshot(d->tree, recs, n, now, &d->snap);
	/* Its arrays may have moved before it failed: nobody looks at the old ones. */
	if (r)
		d->have_plan = false;
	return r;
}

/* On a timer of its own: opening a window needs no census. */
static void sample_faults(struct daemon *d)
{
	uint64_t now = now_ms(), next = hooks_sampling(d->hooks, now, d->growing);

	uv_update_time(&d->loop);
	if (next)
		uv_timer_start(&d->sample_timer, on_sample_timer, next > now ? next - now : 1, 0);
	else
		uv_timer_stop(&d->sample_timer);
}

static void on_sample_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	if (!d->stopping)
		sample_faults(d);
}

/* Who grows, and what the host has come to have. */
static void look_at_plan(struct daemon *d)
{
	struct account_work work = {
		.reclaimed = d->totals.reclaimed - d->totals.exit_reclaimed,
		.exited = d->totals.exit_reclaimed + d->policy.exit_bytes,
		.compactions = d->totals.compactions,
		.compacting = d->snap.machine.compact_busy,
	};

	struct ebb_snap_machine m = d->snap.machine;

	d->growing = false;
	for (size_t i = 0; i < d->plan.nr_verdicts; i++) {
		d->growing |= d->plan.verdicts[i].growing;
		work.reclaiming |= d->snap.containers[i].busy &&
				   d->plan.verdicts[i].state == EBB_STATE_RECLAIMING;
	}
	if (m.reporting && !d->reporting)
		act_set_reporting(d->act);
	d->reporting = m.reporting;
	m.reporting = m.reporting && d->plan.means[EBB_MEANS_REPORTING].on;
	account_step(&d->account, &m, &work);
}

void tick_run(struct daemon *d)
{
	uint64_t now = now_ms(), next;
	int r = sense(d, now);

	d->last_tick_ms = now;
	if (!r)
		r = grow_arrays(d);
	if (!r) {
		snapshot_add_own(d);
		r = policy_step(&d->snap, &d->config, &d->policy, &d->plan);
	}
	if (r) {
		log_warn("no census this time: %s; again in a second", strerror(-r));
		/* Most likely for want of memory; and a size that nobody looks after is none. */
		host_let_go(d);
		tick_soon(d, 1000);
		return;
	}
	recorders_turn(d);
	d->have_plan = true;
	look_at_plan(d);
	explain_note(d);
	learned_tick(d);
	next = d->plan.next_ms;
	if (d->again_ms && now >= d->again_ms)
		d->again_ms = 0;
	if (d->again_ms)
		next = earlier(next, d->again_ms);
	next = earlier(next, now + (d->growing ? GROWING_MS : QUIET_MS));
	/* Nobody tells of births and exits: look for them. */
	if (!d->edges_open)
		next = earlier(next, now + RESCAN_MS);
	host_ask(d);
	dispatch_plan(d);
	sample_faults(d);
	now = now_ms();
	tick_soon(d, next > now ? next - now : 0);
}

/* For people who look: figures that are a second old at most, however quiet it is. */
void tick_fresh(struct daemon *d)
{
	if (!d->stopping && now_ms() - d->last_tick_ms >= FRESH_MS)
		tick_run(d);
}

static void on_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	if (!d->stopping)
		tick_run(d);
}

/* Brings the next turn forward to delay_ms from now; never puts it off, but for the gap. */
void tick_soon(struct daemon *d, uint64_t delay_ms)
{
	uint64_t since = now_ms() - d->last_tick_ms;

	if (d->stopping)
		return;
	if (since + delay_ms < TICK_MIN_GAP_MS)
		delay_ms = TICK_MIN_GAP_MS - since;
	uv_update_time(&d->loop);
	if (uv_is_active((uv_handle_t *)&d->tick_timer) &&
	    uv_timer_get_due_in(&d->tick_timer) <= delay_ms)
		return;
	uv_timer_start(&d->tick_timer, on_timer, delay_ms, 0);
}
