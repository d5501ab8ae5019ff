// SPDX-License-Identifier: GPL-2.0-only
/* What a host may send to a guest: whatever comes, the state stays one that can be. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "act/balloon_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct balloon_talk t = { .session = "0123456789abcdef", .lease_ns = 1000 };
	struct balloon_state *s = &t.state;
	char buf[512];
	struct channel_reader r = { .buf = buf, .size = sizeof(buf) };
	const char *at = (const char *)data;
	size_t left = size, len;

	s->link = BALLOON_WAITING;
	s->seq = 5;
	s->means = "";
	while (channel_read(&r, &at, &left, &len)) {
		unsigned int heard = balloon_hear(&t, buf, len, 5000);

		assert(!(heard &
			 ~(HEARD(BALLOON_LINK) | HEARD(BALLOON_ACK) | HEARD(BALLOON_PRESSURE))));
		assert(s->link == BALLOON_TALKING || !(heard & HEARD(BALLOON_ACK)));
		assert(s->ack_seq <= s->seq && s->seq == 5);
		assert((size_t)s->clamp < CHANNEL_NR_CLAMPS);
		assert((size_t)s->level < CHANNEL_NR_LEVELS);
		assert(memchr(s->reason, '\0', sizeof(s->reason)));
	}
	balloon_lose(&t, BALLOON_WAITING, "over");
	assert(s->level == CHANNEL_LEVEL_NONE && !s->applied && !s->seq);
	return 0;
}
