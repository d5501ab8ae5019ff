// SPDX-License-Identifier: GPL-2.0-only
/* What is said to the host: hello, and a lease that is renewed for as long as it answers. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "act/balloon_int.h"

#define ANSWER_MS 5000 /* a host that says nothing for so long is taken for gone */
#define SPACING_MS 100 /* between two leases, whatever the caller wants */

/* Puts one line after what is not sent yet; false: no room. */
static bool say(struct balloon *b, const struct channel_message *m)
{
	int n = channel_format(b->out + b->out_len, sizeof(b->out) - b->out_len, m);

	if (n < 0)
		return false;
	b->out_len += (size_t)n;
	if (!b->talk.asked_ns)
		b->talk.asked_ns = uv_hrtime();
	return true;
}

void balloon_make_lease(struct balloon *b)
{
	struct balloon_state *s = &b->talk.state;
	struct channel_message m = { .type = CHANNEL_LEASE,
				     .seq = s->seq + 1,
				     .want = b->want,
				     .idle = b->idle,
				     .ttl_ms = b->ttl_ms };

	b->due = false;
	if (!b->want)
		m = (struct channel_message){ .type = CHANNEL_BYE };
	if (!say(b, &m))
		return;
	s->want = b->want;
	if (!b->want) {
		b->talk.asked_ns = 0; /* nothing is said to it */
		s->applied = s->actual = 0;
		return;
	}
	s->seq++;
	s->sent++;
	b->talk.lease_ns = uv_hrtime();
}

static void on_renew(uv_timer_t *timer);

void balloon_lease(struct balloon *b)
{
	const struct balloon_state *s = &b->talk.state;
	uint64_t every = (s->ttl_ms && s->ttl_ms < b->ttl_ms ? s->ttl_ms : b->ttl_ms) / 3;
	uint64_t since = (uv_hrtime() - b->talk.lease_ns) / 1000000;

	if (s->link != BALLOON_TALKING)
		return;
	if (s->seq && b->want && since < SPACING_MS) {
		uv_timer_start(&b->renew, on_renew, SPACING_MS - since, 0);
		return;
	}
	if (b->out_len)
		b->due = true;
	else
		balloon_make_lease(b);
	if (b->want)
		uv_timer_start(&b->renew, on_renew, every, 0);
	else
		uv_timer_stop(&b->renew);
	balloon_flush(b);
}

static void on_renew(uv_timer_t *timer)
{
	struct balloon *b = timer->data;
	uint64_t asked = b->talk.asked_ns;

	if (asked && uv_hrtime() - asked > ANSWER_MS * 1000000ull) {
		b->backoff_ms = BALLOON_RETRY_MIN_MS;
		balloon_hang_up(b, "the host does not answer");
		return;
	}
	if (b->talk.state.link == BALLOON_TALKING)
		balloon_lease(b);
	else
		uv_timer_start(&b->renew, on_renew, ANSWER_MS / 4, 0);
}

static void make_session(char session[EBB_CHANNEL_SESSION_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[EBB_CHANNEL_SESSION_LEN / 2];

	/* Early in boot there may be no randomness; a clock is session enough. */
	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != (ssize_t)sizeof(bytes)) {
		uint64_t now = uv_hrtime();

		memcpy(bytes, &now, sizeof(bytes));
	}
	for (size_t i = 0; i < sizeof(bytes); i++) {
		session[2 * i] = hex[bytes[i] >> 4];
		session[2 * i + 1] = hex[bytes[i] & 15];
	}
	session[2 * sizeof(bytes)] = '\0';
}

void balloon_greet(struct balloon *b)
{
	struct channel_message m = { .type = CHANNEL_HELLO,
				     .version = EBB_CHANNEL_VERSION,
				     .agent = "ebbd " EBB_VERSION,
				     .ram = b->ram };

	balloon_forget_lines(b);
	b->talk.state.connects++;
	make_session(b->talk.session);
	strcpy(m.session, b->talk.session);
	strcpy(m.boot, b->boot);
	strcpy(m.name, b->name);
	say(b, &m);
	/* Looks whether an answer came. */
	uv_timer_start(&b->renew, on_renew, ANSWER_MS / 4, 0);
	balloon_flush(b);
}

void balloon_want(struct balloon *b, uint64_t bytes, uint64_t idle)
{
	bool changed = bytes != b->want || (bytes && !b->talk.state.seq);

	b->want = bytes;
	b->idle = idle < bytes ? idle : bytes;
	if (changed)
		balloon_lease(b);
}
