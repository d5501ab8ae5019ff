// SPDX-License-Identifier: GPL-2.0-only
#include "broker/lease.h"

#include <errno.h>

#define MIN_DEFAULT (256ull << 20)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct lease_limits lease_limits(uint64_t min, uint64_t max, uint64_t shrink, uint64_t ram)
{
	struct lease_limits l = { .min = min, .max = max, .shrink = shrink };

	if (!l.max || (ram && l.max > ram))
		l.max = ram;
	if (!l.min)
		l.min = l.max / 8 > MIN_DEFAULT ? l.max / 8 : MIN_DEFAULT;
	l.min = least(l.min, l.max);
	if (!l.shrink)
		l.shrink = l.max / 8;
	return l;
}

int lease_renew(struct lease *l, const struct channel_message *m, uint64_t now_ms)
{
	uint64_t ttl = m->ttl_ms;

	if (l->held && m->seq <= l->seq)
		return -EALREADY;
	if (ttl < EBB_CHANNEL_TTL_MIN_MS)
		ttl = EBB_CHANNEL_TTL_MIN_MS;
	ttl = least(ttl, EBB_CHANNEL_TTL_MAX_MS);
	*l = (struct lease){ .held = true,
			     .seq = m->seq,
			     .want = m->want,
			     .idle = least(m->idle, m->want),
			     .ttl_ms = ttl,
			     .until_ms = now_ms + ttl };
	return 0;
}

uint64_t lease_want(const struct lease_limits *limits, const struct lease *l,
		    enum channel_clamp *ret_clamp)
{
	*ret_clamp = CHANNEL_CLAMP_NONE;
	if (!l->held)
		return limits->max;
	if (l->want < limits->min) {
		*ret_clamp = CHANNEL_CLAMP_FLOOR;
		return limits->min;
	}
	if (l->want > limits->max) {
		*ret_clamp = CHANNEL_CLAMP_CEILING;
		return limits->max;
	}
	return l->want;
}

void lease_fill(struct lease_credit *c, const struct lease_limits *limits, uint64_t now_ms)
{
	uint64_t ms = c->seen_ms && now_ms >= c->seen_ms ? now_ms - c->seen_ms : 1000;

	ms = least(ms, 1000);
	c->bytes = least(c->bytes + limits->shrink / 1000 * ms + limits->shrink % 1000 * ms / 1000,
			 limits->shrink);
	c->seen_ms = now_ms;
}

struct lease_size lease_size(const struct lease_limits *limits, const struct lease *l,
			     uint64_t current, uint64_t grant, struct lease_credit *credit)
{
	struct lease_size s = { 0 };
	uint64_t step;

	s.bytes = lease_want(limits, l, &s.clamp);
	if (l->held && grant < s.bytes) {
		s.bytes = grant > limits->min ? grant : limits->min;
		s.clamp = CHANNEL_CLAMP_HOST;
	}
	if (s.bytes >= current) {
		credit->moving = false;
		return s;
	}
	step = current - s.bytes;
	if (!credit->moving && step < LEASE_STEP_MIN && step < limits->max / LEASE_STEP_PART) {
		s.bytes = current;
		return s;
	}
	if (step > credit->bytes) {
		s.bytes = current - credit->bytes;
		s.clamp = CHANNEL_CLAMP_RATE;
		s.more = true;
	}
	credit->moving = s.more;
	credit->bytes -= current - s.bytes;
	return s;
}
