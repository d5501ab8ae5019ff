// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording, whoever made it: it is replayed, with another configuration beside it, or there is a
 * sentence on what is wrong. The policy, too, gets to see what no machine would show it.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/conf.h"
#include "report/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const char *text)
{
	assert(*text);
	for (; *text; text++)
		assert((unsigned char)*text >= 0x20 && (unsigned char)*text < 0x7f);
}

/* Returns how many turns there were. */
static uint64_t replay_all(const char *text, size_t size, const struct ebb_config *other)
{
	const char *end = text + size, *stop;
	struct replay *r;
	uint64_t turns;
	json_t *json;
	int err = 0;

	assert(replay_open(&r, other, "other") == 0);
	for (; !err && (stop = memchr(text, '\n', (size_t)(end - text))); text = stop + 1)
		err = replay_line(r, text, (size_t)(stop - text));
	if (!err)
		err = replay_finish(r, text < end);
	assert(!err || err == -EINVAL || err == -ERANGE);
	if (err)
		check_error(replay_error(r));
	turns = replay_turns(r);
	json = turns ? replay_json(r) : NULL;
	assert(!turns || json_is_boolean(json_object_get(json, "same")));
	json_decref(json);
	replay_close(r);
	return turns;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char rules[] = "[ebb]\ncap = 1G\ncold_after = 5s\n[container \"a*\"]\n"
				    "protect = 64M\n[container \"b?\"]\nreclaim = off\n";
	static struct ebb_config other;
	struct conf_error err;

	if (!other.cap)
		assert(conf_parse("other", rules, sizeof(rules) - 1, &other, &err) == 0);
	if (replay_all((const char *)data, size, NULL))
		replay_all((const char *)data, size, &other);
	return 0;
}
