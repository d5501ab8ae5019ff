// SPDX-License-Identifier: GPL-2.0-only
/*
 * channel_guest MIB:SECONDS...: the guest's end of the channel, as ebbd has it, in a real guest.
 * Asks for each size for so many seconds, and prints what it hears. `die` as the last ends it
 * without a bye.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/balloon.h"

static struct {
	uv_loop_t loop;
	uv_timer_t timer;
	struct balloon *balloon;
	char **steps;
} g;

static void on_event(void *arg, enum balloon_event event, const struct balloon_state *s)
{
	if (event == BALLOON_LINK)
		printf("link %d means %s reason '%s' min %" PRIu64 " max %" PRIu64 "\n",
		       (int)s->link, s->means, s->reason, s->min >> 20, s->max >> 20);
	else if (event == BALLOON_ACK)
		printf("ack seq %" PRIu64 " want %" PRIu64 " applied %" PRIu64 " actual %" PRIu64
		       " clamp %s rtt_us %" PRIu64 "\n",
		       s->ack_seq, s->want >> 20, s->applied >> 20, s->actual >> 20,
		       channel_clamp_name(s->clamp), s->rtt_ns / 1000);
	else
		printf("pressure %s need %" PRIu64 "\n", channel_level_name(s->level),
		       s->need >> 20);
}

static void next_step(uv_timer_t *timer)
{
	unsigned long mib = 0, seconds = 0;

	if (!*g.steps) {
		balloon_close(g.balloon);
		uv_close((uv_handle_t *)timer, NULL);
		return;
	}
	if (!strcmp(*g.steps, "die"))
		_exit(0);
	if (sscanf(*g.steps++, "%lu:%lu", &mib, &seconds) != 2)
		exit(2);
	printf("step %lu\n", mib);
	balloon_want(g.balloon, (uint64_t)mib << 20, 0);
	uv_timer_start(timer, next_step, seconds * 1000, 0);
}

int main(int argc, char **argv)
{
	struct balloon_options opts = { .vsock_cid = UINT32_MAX, .ttl_ms = 6000 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	g.steps = argv + 1;
	uv_loop_init(&g.loop);
	uv_timer_init(&g.loop, &g.timer);
	if (balloon_open(&g.balloon, &g.loop, &opts, on_event, NULL))
		return 1;
	uv_timer_start(&g.timer, next_step, 0, 0);
	uv_run(&g.loop, UV_RUN_DEFAULT);
	return 0;
}
