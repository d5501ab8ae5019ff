// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest may send to the host: bytes into lines into messages. Whatever
 * comes, the buffer holds, and what is taken for a message can be written and
 * reads the same again.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *line, size_t len)
{
	struct channel_message m, again;
	char out[EBB_CHANNEL_LINE_MAX], *text = out;
	int n = channel_parse(line, len, &m);

	assert(n == 0 || n == -EBADMSG || n == -EPROTO || n == -EINVAL);
	if (n)
		return;
	n = channel_format(out, sizeof(out), &m);
	assert(n > 0);
	if ((uint8_t)*text == EBB_CHANNEL_RESYNC)
		text++, n--;
	for (int i = 0; i < n - 1; i++)
		assert(text[i] >= 0x20 && text[i] < 0x7f);
	assert(channel_parse(text, (size_t)n - 1, &again) == 0);
	assert(m.type == again.type && m.want == again.want && m.seq == again.seq);
	assert(!strcmp(m.session, again.session) && !strcmp(m.boot, again.boot));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char buf[512];
	struct channel_reader r = { .buf = buf, .size = sizeof(buf) };
	const char *at = (const char *)data;
	size_t left = size, len;

	while (channel_read(&r, &at, &left, &len)) {
		assert(len && len <= sizeof(buf) && !memchr(buf, '\n', len));
		check_line(buf, len);
	}
	assert(!left && r.len <= sizeof(buf));
	/* And as one line, since most of what is tried has no newline. */
	check_line((const char *)data, size);
	return 0;
}
