// SPDX-License-Identifier: GPL-2.0-only
/* `ebb explain`: from the decisions that ebbd keeps to sentences in any width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ebb/cli.h"
#include "lib/cleanup.h"
#include "report/decisions.h"
#include "report/model.h"

#define MiB (1ull << 20)

static struct cli cli;
static char *text;
static size_t text_len;

static int open_cli(void **state)
{
	memset(&cli, 0, sizeof(cli));
	cli.width = 80;
	cli.out = cli.err = open_memstream(&text, &text_len);
	return cli.out ? 0 : -1;
}

static int close_cli(void **state)
{
	fclose(cli.out);
	free(TAKE_PTR(text));
	return 0;
}

/* Takes decisions. */
static json_t *explained(const struct report_container *c, json_t *decisions)
{
	json_t *data = json_pack("{s:o,s:i,s:i,s:b,s:o}", "container", report_container_json(c),
				 "cold_after_ms", 60000, "stall_budget_ppm", 1000, "dry_run", 0,
				 "decisions", decisions);

	assert_non_null(data);
	return data;
}

static json_t *two_decisions(void)
{
	struct ebb_snap_container c = { .id = 7, .bytes = 300 * MiB };
	struct ebb_verdict v = { .state = EBB_STATE_RECLAIMING,
				 .reason = EBB_REASON_COLD,
				 .cold = 100 * MiB };
	struct policy_container p = { .scale_ppm = 500000, .stall_io_ppm = 20000 };
	struct decision_log log = { 0 };

	decisions_note(&log, 1000, 60000, &c, &v, &p);
	c.last = (struct ebb_outcome){ .seq = 1, .asked = 64 * MiB, .got = 60 * MiB };
	v.refaulted = 3 * MiB;
	v.state = EBB_STATE_HELD;
	v.reason = EBB_REASON_REFAULTS;
	decisions_note(&log, 61000, 60000, &c, &v, &p);
	return decisions_json(&log, 66000);
}

static const struct report_container db = {
	.id = 7,
	.name = "db",
	.bytes = 300 * MiB,
	.anon = 200 * MiB,
	.file = 100 * MiB,
	.cold = 100 * MiB,
	.nr_ages = 1,
	.age = { { .idle_ms = 60000, .anon = 100 * MiB } },
	.reclaimed_total = 60 * MiB,
	.refaulted_total = 3 * MiB,
	.state = EBB_STATE_HELD,
	.reason = EBB_REASON_REFAULTS,
};

static void test_a_person_reads(void **state)
{
	json_t *data = explained(&db, two_decisions());

	print_explain(&cli, data);
	fflush(cli.out);
	assert_string_equal(
		text,
		"db: held, too much of it came back\n"
		"It holds 300M: 200M that programs allocated, 100M of page cache; 0B more is in\n"
		"  swap.\n"
		"Of that, 100M was not used for 60s or longer: that is cold here.\n"
		"60.0M was taken from it so far; 3.0M of that came back (5.0%).\n"
		"It waits for memory 0% of the time (0.1% may be), for the disk 2%; up to 50% of\n"
		"  what is cold may be asked for.\n"
		"More than 1% of what was taken came back, so it rests; each time that this\n"
		"  happens again the rest is twice as long and the share that is taken smaller.\n"
		"\n"
		"The last decisions\n"
		"  5s ago: held, too much of it came back (100M cold)\n"
		"  65s ago: reclaiming, taking what is cold (100M cold); asked for 64.0M, got\n"
		"    60.0M, 3.0M came back\n");
	json_decref(data);
}

static void test_every_reason_has_a_sentence(void **state)
{
	for (int i = 0; i < EBB_NR_REASONS; i++)
		assert_true(strlen(explain_sentence(ebb_reason_name((enum ebb_reason)i))) > 20);
	assert_string_equal(explain_sentence("of-a-later-version"), "");
}

/* No line is wider than the terminal, and no byte does anything to it. */
static void test_narrow_and_hostile(void **state)
{
	struct report_container c = db;
	json_t *data;

	c.name = "\x1b]0;owned\x07\x1b[2J \xe2\x80\xae <script> \xff\n";
	cli.width = 40;
	data = explained(&c, two_decisions());
	print_explain(&cli, data);
	fflush(cli.out);
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(end - line <= 40);
		for (const char *p = line; p < end; p++)
			assert_true(*p >= 0x20 && *p < 0x7f);
	}
	json_decref(data);
}

static void test_nothing_yet(void **state)
{
	static const struct report_container c = { .id = 9, .state = EBB_STATE_STARTING };
	json_t *data = explained(&c, json_array());

	print_explain(&cli, data);
	fflush(cli.out);
	assert_non_null(strstr(text, "9: starting"));
	assert_non_null(strstr(text, "is not known"));
	assert_null(strstr(text, "The last decisions"));
	json_decref(data);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, open_cli, close_cli)
	const struct CMUnitTest tests[] = {
		test(test_a_person_reads),
		test(test_every_reason_has_a_sentence),
		test(test_narrow_and_hostile),
		test(test_nothing_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
