// SPDX-License-Identifier: GPL-2.0-only
/* The host's end: what it says goes into the snapshot, what the plan wants goes to it. */
#include <string.h>

#include "act/balloon.h"
#include "ebbd/daemon.h"
#include "lib/log.h"
#include "lib/units.h"

static void say_link(const struct balloon_state *state)
{
	char max[FORMAT_MAX];

	if (state->link == BALLOON_TALKING)
		log_info("ebb-broker answers over %s: up to %s", state->means,
			 format_size(max, state->max));
	else
		log_info("no ebb-broker: %s", state->reason);
}

static void on_host(void *arg, enum balloon_event event, const struct balloon_state *state)
{
	struct daemon *d = arg;

	if (d->stopping)
		return;
	if (event == BALLOON_LINK)
		say_link(state);
	if (event == BALLOON_ACK)
		log_debug("balloon: asked %llu MiB, applied %llu, actual %llu, clamp %d",
			  (unsigned long long)state->want >> 20,
			  (unsigned long long)state->applied >> 20,
			  (unsigned long long)state->actual >> 20, state->clamp);
	/* An ack is looked at with the next turn: it comes with every renewal. */
	if (event != BALLOON_ACK)
		tick_soon(d, 0);
}

int host_open(struct daemon *d)
{
	struct balloon_options opts = { .ram = d->ram };

	return d->opts.dry_run ? 0 : balloon_open(&d->balloon, &d->loop, &opts, on_host, d);
}

static enum ebb_host_level level_of(enum channel_level level)
{
	switch (level) {
	case CHANNEL_LEVEL_LOW:
		return EBB_HOST_LOW;
	case CHANNEL_LEVEL_HIGH:
		return EBB_HOST_HIGH;
	default:
		return EBB_HOST_EASE;
	}
}

void host_snapshot(struct daemon *d)
{
	const struct balloon_state *state = d->balloon ? balloon_state(d->balloon) : NULL;

	memset(&d->snap.host, 0, sizeof(d->snap.host));
	if (!state || state->link != BALLOON_TALKING)
		return;
	d->snap.host = (struct ebb_snap_host){ .talking = true,
					       .min = state->min,
					       .max = state->max,
					       .applied = state->ack_seq ? state->applied : 0,
					       .actual = state->ack_seq ? state->actual : 0,
					       .resident = state->ack_seq ? state->resident : 0,
					       .level = level_of(state->level),
					       .need = state->need };
}

void host_ask(struct daemon *d)
{
	const struct ebb_footprint *f = &d->plan.footprint;

	d->snap.low_memory = false;
	if (d->balloon)
		balloon_want(d->balloon, f->want, f->idle);
}

/* The next turn that sees finds the VM as it is then, and shrinks it in steps. */
void host_let_go(struct daemon *d)
{
	if (d->balloon)
		balloon_want(d->balloon, 0, 0);
	if (!d->policy.footprint.want)
		return;
	d->policy.footprint.want = 0;
	recorders_state(d);
}

/*
 * Is an edge of short memory worth a turn? Not while there is no balloon that could open: page
 * cache that fills all of RAM wakes kswapd many times a second.
 */
bool host_may_open(const struct daemon *d)
{
	const struct ebb_footprint *f = &d->plan.footprint;

	return d->have_plan && f->want && f->reason != EBB_SIZE_SHORT &&
	       (d->snap.machine.ballooned || f->want < d->snap.host.max);
}

void host_close(struct daemon *d)
{
	balloon_close(d->balloon);
	d->balloon = NULL;
}
