// SPDX-License-Identifier: GPL-2.0-only
/* The lines between guest and host: what is read, what is refused, and why; and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/channel.h"
#include "lib/cleanup.h"

#define SESSION "0123456789abcdef"
#define BOOT "b3a7e1f0-1c2d-4e5f-8a9b-0c1d2e3f4a5b"

static int parse(const char *line, struct channel_message *m)
{
	return channel_parse(line, strlen(line), m);
}

static void test_reads_each_type(void **state)
{
	struct channel_message m;

	assert_int_equal(parse("{\"type\":\"hello\",\"version\":1,\"session\":\"" SESSION
			       "\",\"boot\":\"" BOOT "\",\"agent\":\"ebbd 0.1\",\"name\":\"web\","
			       "\"ram\":4294967296}",
			       &m),
			 0);
	assert_int_equal(m.type, CHANNEL_HELLO);
	assert_string_equal(m.session, SESSION);
	assert_string_equal(m.boot, BOOT);
	assert_string_equal(m.name, "web");
	assert_int_equal(m.ram, 4ull << 30);

	assert_int_equal(parse(" { \"ttl_ms\" : 9000 , \"want\":1073741824,\"seq\":7,"
			       "\"type\":\"lease\" } ",
			       &m),
			 0);
	assert_int_equal(m.type, CHANNEL_LEASE);
	assert_int_equal(m.seq, 7);
	assert_int_equal(m.want, 1 << 30);
	assert_int_equal(m.ttl_ms, 9000);
	assert_int_equal(m.idle, 0);
	assert_int_equal(parse("{\"type\":\"bye\"}", &m), 0);
	assert_int_equal(m.type, CHANNEL_BYE);
	assert_int_equal(parse("{\"type\":\"ack\",\"seq\":7,\"applied\":5,\"ttl_ms\":1000,"
			       "\"clamp\":\"rate\"}",
			       &m),
			 0);
	assert_int_equal(m.clamp, CHANNEL_CLAMP_RATE);
	assert_int_equal(parse("{\"type\":\"pressure\",\"level\":\"high\",\"need\":9}", &m), 0);
	assert_int_equal(m.level, CHANNEL_LEVEL_HIGH);
	assert_int_equal(m.need, 9);
}

static void test_numbers_are_whole_and_fit(void **state)
{
	static const struct {
		const char *want;
		int result;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
		{ "1e9", -EINVAL, 0 },
		{ "\"5\"", -EINVAL, 0 },
		{ "null", -EINVAL, 0 },
		{ "[5]", -EINVAL, 0 },
		{ "01", -EBADMSG, 0 },
		{ "0x5", -EBADMSG, 0 },
		{ "NaN", -EBADMSG, 0 },
		{ "", -EBADMSG, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct channel_message m = { .want = 42 };
		char line[128];

		snprintf(line, sizeof(line),
			 "{\"type\":\"lease\",\"seq\":1,\"ttl_ms\":1,\"want\":%s}", cases[i].want);
		if (parse(line, &m) != cases[i].result)
			fail_msg("%s", line);
		assert_int_equal(m.want, cases[i].result ? 42 : cases[i].value);
	}
}

static void test_refuses(void **state)
{
	static const struct {
		const char *line;
		int result;
	} cases[] = {
		{ "", -EBADMSG },
		{ "{", -EBADMSG },
		{ "{}", -EINVAL },
		{ "[]", -EBADMSG },
		{ "{\"type\":\"bye\"}x", -EBADMSG },
		{ "{\"type\":\"bye\",}", -EBADMSG },
		{ "{\"type\":\"bye\"\"x\":1}", -EBADMSG },
		{ "{'type':'bye'}", -EBADMSG },
		{ "{\"type\":\"bye\",\"type\":\"bye\"}", -EBADMSG },
		{ "{\"type\":\"b\\u0079e\"}", 0 },
		{ "{\"type\":\"b\\u007\"}", -EBADMSG },
		{ "{\"type\":\"b\\x\"}", -EBADMSG },
		{ "{\"type\":\"bye", -EBADMSG },
		{ "{\"type\":\"by\te\"}", -EBADMSG },
		{ "{\"type\":\"launch\"}", -EPROTO },
		{ "{\"type\":5}", -EPROTO },
		{ "{\"type\":\"lease\"}", -EINVAL },
		{ "{\"type\":\"hello\",\"version\":2}", -EPROTO },
		{ "{\"type\":\"hello\",\"version\":1,\"session\":\"" SESSION "\"}", -EINVAL },
		{ "{\"type\":\"hello\",\"version\":0,\"session\":\"" SESSION "\",\"boot\":\"b\"}",
		  -EPROTO },
		{ "{\"type\":\"hello\",\"version\":1,\"session\":\"0123\",\"boot\":\"b\"}",
		  -EINVAL },
		{ "{\"type\":\"hello\",\"version\":1,\"session\":\"0123456789ABCDEF\","
		  "\"boot\":\"b\"}",
		  -EINVAL },
		{ "{\"type\":\"hello\",\"version\":1,\"session\":\"" SESSION "\",\"boot\":\"" BOOT
		  "0\"}",
		  -EINVAL },
		{ "{\"type\":\"hello\",\"version\":1,\"session\":\"" SESSION
		  "\",\"boot\":\"b\",\"ram\":\"much\"}",
		  -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct channel_message m;

		if (parse(cases[i].line, &m) != cases[i].result)
			fail_msg("%s: %d", cases[i].line, parse(cases[i].line, &m));
	}
}

/* The stack as an earlier call may leave it: no byte of it is 0. */
static void __attribute__((noinline)) fill_stack(void)
{
	volatile char bytes[8192];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 'x';
}

/* Where a text is expected, what is none has none that could be measured. */
static void test_a_number_for_a_text(void **state)
{
	static const char *const lines[] = {
		"{\"session\":1}",
		"{\"boot\":null}",
		"{\"text\":[]}",
		"{\"name\":true,\"type\":\"hello\"}",
	};
	struct channel_message m;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		size_t len = strlen(lines[i]);

		fill_stack();
		assert_int_equal(channel_parse(lines[i], len, &m), -EINVAL);
	}
}

static void test_skips_what_it_does_not_know(void **state)
{
	struct channel_message m;

	assert_int_equal(parse("{\"x\":{\"a\":[1,{\"b\":[]},\"]\"],\"c\":-1.5e+3},\"type\":\"bye\","
			       "\"want\":\"a lease's, so not looked at\",\"y\":null}",
			       &m),
			 0);
	/* Deep nesting is an attack, not an extension. */
	assert_int_equal(parse("{\"x\":[[[[[[[[[[[[]]]]]]]]]]]],\"type\":\"bye\"}", &m), -EBADMSG);
}

static void test_texts_are_made_printable(void **state)
{
	struct channel_message m, again;
	char line[512];
	int len;

	assert_int_equal(
		parse("{\"type\":\"error\",\"text\":\"a\\u001b[31m\\\"\\\\\xc3\xa9\"}", &m), 0);
	assert_string_equal(m.text, "a?[31m\"\\??");
	len = channel_format(line, sizeof(line), &m);
	assert_true(len > 0);
	assert_int_equal(channel_parse(line, (size_t)len, &again), 0);
	assert_string_equal(again.text, m.text);
}

/* Every type as it is written reads the same again. */
static void test_round_trip(void **state)
{
	static const struct channel_message messages[] = {
		{ .type = CHANNEL_HELLO,
		  .version = 1,
		  .session = SESSION,
		  .boot = BOOT,
		  .agent = "ebbd 0.1",
		  .name = "a \"b\"",
		  .ram = UINT64_MAX },
		{ .type = CHANNEL_HELLO, .version = 1, .session = SESSION, .boot = BOOT },
		{ .type = CHANNEL_LEASE, .seq = 1, .want = UINT64_MAX, .ttl_ms = 10000, .idle = 5 },
		{ .type = CHANNEL_BYE },
		{ .type = CHANNEL_WELCOME, .version = 1, .session = SESSION, .min = 1, .max = 2 },
		{ .type = CHANNEL_ACK,
		  .seq = 3,
		  .applied = 4,
		  .actual = 5,
		  .ttl_ms = 6,
		  .clamp = CHANNEL_CLAMP_DRY_RUN },
		{ .type = CHANNEL_PRESSURE, .level = CHANNEL_LEVEL_LOW, .need = 7 },
		{ .type = CHANNEL_ERROR, .text = "no" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		struct channel_message m;
		char line[EBB_CHANNEL_LINE_MAX];
		int len = channel_format(line, sizeof(line), &messages[i]);
		char *text = line;

		assert_true(len > 0 && line[len - 1] == '\n');
		if ((unsigned char)*text == EBB_CHANNEL_RESYNC)
			text++, len--;
		assert_int_equal(channel_parse(text, (size_t)len - 1, &m), 0);
		assert_memory_equal(&m, &messages[i], sizeof(m));
		for (int n = 0; n < len; n++)
			assert_int_equal(channel_format(line, (size_t)n, &messages[i]), -EMSGSIZE);
	}
}

static void test_reader(void **state)
{
	static const char stream[] =
		"half a li\xff{\"a\":1}\n\nsecond\nmuch too long for it\nlast\n";
	char buf[10], seen[128] = "";

	/* However the stream is cut into pieces. */
	for (size_t step = 1; step < sizeof(stream); step++) {
		struct channel_reader r = { .buf = buf, .size = sizeof(buf) };

		seen[0] = '\0';
		for (size_t at = 0; at < sizeof(stream) - 1; at += step) {
			const char *data = stream + at;
			size_t left = sizeof(stream) - 1 - at < step ? sizeof(stream) - 1 - at
								     : step;
			size_t len;

			while (channel_read(&r, &data, &left, &len)) {
				strncat(seen, buf, len);
				strcat(seen, "|");
			}
			assert_int_equal(left, 0);
		}
		assert_string_equal(seen, "{\"a\":1}|second|last|");
		assert_int_equal(r.dropped, 1);
		assert_int_equal(r.resyncs, 1);
		assert_int_equal(r.len, 0);
	}
}

static void test_reader_never_holds_more_than_its_buffer(void **state)
{
	char buf[64], chunk[4096];
	struct channel_reader r = { .buf = buf, .size = sizeof(buf) };
	size_t len;

	memset(chunk, 'x', sizeof(chunk));
	for (int i = 0; i < 2560; i++) { /* 10 MiB without a newline */
		const char *data = chunk;
		size_t left = sizeof(chunk);

		assert_false(channel_read(&r, &data, &left, &len));
	}
	assert_int_equal(r.dropped, 1);
	for (const char *data = "\nok\n", *end = data + 4; data < end;) {
		size_t left = (size_t)(end - data);

		if (channel_read(&r, &data, &left, &len))
			assert_memory_equal(buf, "ok", 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_each_type),
		cmocka_unit_test(test_numbers_are_whole_and_fit),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_a_number_for_a_text),
		cmocka_unit_test(test_skips_what_it_does_not_know),
		cmocka_unit_test(test_texts_are_made_printable),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_reader_never_holds_more_than_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
