// SPDX-License-Identifier: GPL-2.0-only
/* The demo's viewer, its parts without a terminal: lines to series, percentiles, sums, words. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ebb/plan.h"

/* Not part of libebb, and small: compiled into this test. NOLINTBEGIN(bugprone-suspicious-include)
 */
#include "../demo/lines.c"
#include "../demo/model.c"
#include "../demo/series.c"
#include "../demo/summary.c"
#include "../demo/words.c"
/* NOLINTEND(bugprone-suspicious-include) */

static void feed(struct model *m, const char *name, const char *line)
{
	assert_int_equal(model_line(m, name, line, strlen(line)), 0);
}

static void resident(struct model *m, const char *line)
{
	assert_int_equal(model_resident(m, line, strlen(line)), 0);
}

static void begin(struct model *m)
{
	model_init(m);
	feed(m, "event",
	     "{\"ms\":1000,\"data\":{\"event\":\"begin\",\"seconds\":100,\"kernel\":\"6.12\","
	     "\"ebb\":\"0.1.0\",\"cold_after\":10,\"without\":false}}");
}

static void start(struct model *m, int ms, const char *name)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"ms\":%d,\"data\":{\"event\":\"start\",\"name\":\"%s\",\"text\":\"starts\"}}",
		 ms, name);
	feed(m, "event", line);
}

static void list(struct model *m, int ms, const char *name, const char *id, long bytes, long taken,
		 long back)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "{\"ms\":%d,\"data\":[{\"id\":\"%s\",\"name\":\"%s\",\"bytes\":%ld,\"cold\":50,"
		 "\"swap\":7,\"reclaimed_total\":%ld,\"refaulted_total\":%ld,\"state\":\"settled\","
		 "\"reason\":\"nothing-cold\"}]}",
		 ms, id, name, bytes, taken, back);
	feed(m, "list", line);
}

static void slots_are_three_percent_wide(void **state)
{
	unsigned int last = 0;

	for (uint64_t us = 0; us < 4000000000u; us += 1 + us / 50) {
		unsigned int slot = hist_slot(us);
		double v = hist_value(slot);

		assert_true(slot < HIST_SLOTS);
		assert_true(slot >= last);
		assert_true(fabs(v - (double)us) <= 0.035 * (double)us);
		last = slot;
	}
	assert_int_equal(hist_slot(UINT64_MAX), HIST_SLOTS - 1);
}

static void quantiles_of_a_known_set(void **state)
{
	struct hist h = { 0 };

	assert_true(hist_quantile(&h, 0.5) == 0);
	for (uint64_t us = 1; us <= 1000; us++)
		hist_add(&h, hist_slot(us), 1);
	assert_true(fabs(hist_quantile(&h, 0.5) - 500) < 20);
	assert_true(fabs(hist_quantile(&h, 0.99) - 990) < 35);
	assert_true(fabs(hist_quantile(&h, 1) - 1000) < 35);
	hist_add(&h, HIST_SLOTS + 5, 1);
	assert_int_equal(h.count[HIST_SLOTS - 1], 1);
}

static void series_are_steps(void **state)
{
	struct series s = { 0 };

	assert_int_equal(series_add(&s, 10, 100), 0);
	assert_int_equal(series_add(&s, 20, 50), 0);
	assert_int_equal(series_add(&s, 15, 1), -EINVAL);
	assert_true(series_at(&s, 9, -1) == -1);
	assert_true(series_at(&s, 19.9, -1) == 100);
	assert_true(series_at(&s, 25, -1) == 50);
	/* 100 for ten seconds, 50 for ten more. */
	assert_true(series_area(&s, 0, 30) == 1500);
	assert_true(series_area(&s, 15, 25) == 750);
	assert_true(series_max(&s, 0, 30) == 100);
	assert_true(series_min(&s, 20, 30) == 50);
	assert_true(isnan(series_max(&s, 0, 5)));
	free(s.p);
}

static void a_container_that_comes_back_adds_up(void **state)
{
	struct model m;
	struct box *b;

	begin(&m);
	start(&m, 2000, "build");
	list(&m, 3000, "build", "11", 1000, 400, 4);
	feed(&m, "list", "{\"ms\":4000,\"data\":[]}");
	b = model_box(&m, "build");
	assert_non_null(b);
	assert_true(b->bytes == 0);
	assert_true(box_taken(b) == 400);
	list(&m, 5000, "build", "12", 2000, 100, 1);
	/* Its counter seen lower than before: of a group whose files went first. */
	list(&m, 6000, "build", "11", 0, 0, 0);
	assert_true(box_taken(b) == 500);
	assert_true(box_refaulted(b) == 5);
	assert_true(series_max(&b->bytes_s, 0, 10) == 2000);
	assert_string_equal(b->reason, reason_words("nothing-cold"));
	model_free(&m);
}

static void what_the_demo_did_not_start_counts_apart(void **state)
{
	struct model m;

	begin(&m);
	list(&m, 3000, "conmon", "99", 1000, 300, 100);
	assert_int_equal(m.nr_boxes, 0);
	assert_true(box_taken(&m.other) == 300);
	assert_true(box_refaulted(&m.other) == 100);
	assert_true(summary_of(&m).taken == 0);
	model_free(&m);
}

static void what_is_held_only_grows(void **state)
{
	struct model m;
	struct summary s;

	begin(&m);
	resident(&m, "ms,kib,mark");
	resident(&m, "500,9999999,booted"); /* before the beginning */
	resident(&m, "1000,1024,");
	resident(&m, "11000,3072,a mark with 1,2");
	resident(&m, "21000,2048,");
	feed(&m, "event", "{\"ms\":31000,\"data\":{\"event\":\"end\"}}");
	resident(&m, "32000,9999999,"); /* after the end */
	s = summary_of(&m);
	assert_true(s.start == MIB);
	assert_true(s.peak == 3 * MIB && s.peak_t == 10);
	assert_true(s.end == 2 * MIB);
	assert_true(s.area == (1 + 3 + 2) * 10 * MIB);
	assert_true(s.held_area == (1 + 3 + 3) * 10 * MIB);
	model_free(&m);
}

static void second_of_latency(struct model *m, int ms, unsigned int us)
{
	char line[128];

	snprintf(line, sizeof(line), "{\"ms\":%d,\"data\":{\"name\":\"redis\",\"hist\":[[%u,10]]}}",
		 ms, hist_slot(us));
	feed(m, "latency", line);
}

static void latency_compares_like_with_like(void **state)
{
	struct model m;
	struct cost c;

	begin(&m);
	start(&m, 1000, "redis");
	second_of_latency(&m, 2000, 9000); /* before it is ready: counts nowhere */
	feed(&m, "event", "{\"ms\":5000,\"data\":{\"event\":\"ready\",\"name\":\"redis\"}}");
	second_of_latency(&m, 6000, 100);
	list(&m, 10000, "redis", "1", 1000, 500, 0);
	second_of_latency(&m, 12000, 200);
	start(&m, 20000, "build");
	second_of_latency(&m, 25000, 800);
	feed(&m, "event", "{\"ms\":30000,\"data\":{\"event\":\"exit\",\"name\":\"build\"}}");
	second_of_latency(&m, 31000, 800); /* within the grace after it */
	second_of_latency(&m, 35000, 200);
	assert_non_null(model_lat(&m, "redis"));
	c = cost_of(&m, model_lat(&m, "redis"));
	assert_int_equal(c.before.n, 10);
	assert_int_equal(c.after.n, 20);
	assert_int_equal(c.beside.n, 20);
	assert_true(fabs(c.before.p50 - 100) < 4);
	assert_true(fabs(c.after.p99 - 200) < 7);
	assert_true(fabs(c.beside.p50 - 800) < 26);
	model_free(&m);
}

static void bad_lines_are_counted_and_skipped(void **state)
{
	static const char *const bad[][2] = {
		{ "list", "{\"ms\":1,\"data\":" },
		{ "list", "[]" },
		{ "list", "{\"ms\":\"1\",\"data\":[]}" },
		{ "list", "{\"ms\":2000,\"data\":{}}" },
		{ "event", "{\"ms\":2000,\"data\":{\"event\":\"what\"}}" },
		{ "event", "{\"ms\":2000,\"data\":{\"event\":\"start\"}}" },
		{ "latency", "{\"ms\":2000,\"data\":{\"name\":\"x\",\"hist\":[[99999,1]]}}" },
		{ "latency", "{\"ms\":2000,\"data\":{\"name\":\"x\",\"hist\":[[1,-1]]}}" },
		{ "latency", "{\"ms\":2000,\"data\":{\"hist\":[]}}" },
		{ "status", "{\"ms\":2000,\"data\":[]}" },
		{ "else", "{\"ms\":2000,\"data\":[]}" },
	};
	struct model m;

	begin(&m);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(model_line(&m, bad[i][0], bad[i][1], strlen(bad[i][1])), -EINVAL);
		assert_int_equal(m.bad_lines, i + 1);
	}
	assert_int_equal(model_resident(&m, "x", 1), -EINVAL);
	assert_int_equal(model_resident(&m, "5,", 2), -EINVAL);
	assert_int_equal(model_resident(&m, ",5", 2), -EINVAL);
	model_free(&m);
}

static void names_reach_the_terminal_clean(void **state)
{
	struct model m;

	begin(&m);
	feed(&m, "event",
	     "{\"ms\":2000,\"data\":{\"event\":\"start\",\"name\":\"a\\u001b[2Jb\",\"text\":"
	     "\"\\u0007\"}}");
	assert_non_null(model_box(&m, "a?[2Jb"));
	assert_string_equal(m.marks[0].text, "?");
	model_free(&m);
}

static void words_for_people(void **state)
{
	char buf[32];

	assert_string_equal(size_words(0, buf, sizeof(buf)), "0 MiB");
	assert_string_equal(size_words(1.5 * MIB, buf, sizeof(buf)), "1.5 MiB");
	assert_string_equal(size_words(812 * MIB, buf, sizeof(buf)), "812 MiB");
	assert_string_equal(size_words(1.5 * GIB, buf, sizeof(buf)), "1.50 GiB");
	assert_string_equal(latency_words(340, buf, sizeof(buf)), "340 us");
	assert_string_equal(latency_words(1840, buf, sizeof(buf)), "1.8 ms");
	assert_string_equal(latency_words(84000, buf, sizeof(buf)), "84 ms");
	assert_string_equal(latency_words(2.25e6, buf, sizeof(buf)), "2.2 s");
	assert_string_equal(clock_words(187.4, buf, sizeof(buf)), "3:07");
	assert_string_equal(reason_words("some-new-code"), "some new code");
}

static void every_reason_has_words(void **state)
{
	/* Those that are shown beside a container; a code without words of its own is shown as is.
	 */
	for (int i = 0; i < EBB_NR_REASONS; i++) {
		const char *code = ebb_reason_name((enum ebb_reason)i);
		bool known = false;

		for (size_t k = 0; k < sizeof(reasons) / sizeof(reasons[0]); k++)
			known |= !strcmp(reasons[k].code, code);
		if (!known)
			fail_msg("words.c has no words for the reason \"%s\"", code);
	}
}

static void size_of_the_vm(void **state)
{
	static const char with[] =
		"{\"ms\":3000,\"data\":{\"memory\":{},\"balloon\":{\"target\":900,"
		"\"actual\":1000,\"reason_text\":\"shrinking\"}}}";
	static const char without[] = "{\"ms\":4000,\"data\":{\"memory\":{},\"balloon\":{"
				      "\"target\":null}}}";
	struct model m;

	begin(&m);
	assert_int_equal(model_line(&m, "status", with, strlen(with)), 0);
	assert_int_equal(model_line(&m, "status", without, strlen(without)), 0);
	assert_int_equal(m.target.n, 1);
	assert_true(series_last(&m.target, 0) == 900);
	assert_true(series_last(&m.actual, 0) == 1000);
	assert_string_equal(m.size_reason, "shrinking");
	model_free(&m);
}

/* The two VMs as the broker has them: the second appears when it runs, and who gives is said. */
static void the_vm_that_competes(void **state)
{
	static const char off[] =
		"{\"ms\":3000,\"data\":{\"second_kib\":0,\"status\":{\"host\":{\"budget\":2048,"
		"\"pressure\":\"none\"},\"vms\":[{\"name\":\"second\",\"state\":\"no-vmm\","
		"\"actual\":null,"
		"\"lease\":null,\"clamp\":\"none\"},{\"name\":\"first\",\"clamp\":\"none\"}]}}}";
	static const char on[] =
		"{\"ms\":4000,\"data\":{\"second_kib\":100,\"status\":{\"host\":{\"budget\":2048,"
		"\"pressure\":\"high\"},\"vms\":[{\"name\":\"first\",\"clamp\":\"host\"},"
		"{\"name\":\"second\",\"state\":\"leased\",\"actual\":700,\"lease\":{\"want\":768},"
		"\"clamp\":\"rate\"}]}}}";
	static const char wrong[] = "{\"ms\":5000,\"data\":{\"status\":{\"vms\":7}}}";
	char *text = NULL;
	struct model m;
	size_t len;
	FILE *out;

	begin(&m);
	assert_int_equal(model_line(&m, "broker", off, strlen(off)), 0);
	assert_int_equal(m.second.size.n, 0);
	assert_string_equal(m.second.state, "no-vmm");
	assert_false(m.squeezed);
	assert_int_equal(model_line(&m, "broker", on, strlen(on)), 0);
	assert_true(m.squeezed && !m.second.squeezed);
	assert_true(m.budget == 2048);
	assert_true(series_last(&m.second.size, 0) == 700);
	assert_true(series_last(&m.second.want, 0) == 768);
	assert_true(series_last(&m.second.resident, 0) == 100 * 1024);
	assert_int_equal(model_line(&m, "broker", wrong, strlen(wrong)), -EINVAL);
	out = open_memstream(&text, &len);
	print_second(out, &m);
	fclose(out);
	assert_non_null(strstr(text, "A second VM beside it held 0.1 MiB at most"));
	free(text);
	model_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_three_percent_wide),
		cmocka_unit_test(quantiles_of_a_known_set),
		cmocka_unit_test(series_are_steps),
		cmocka_unit_test(a_container_that_comes_back_adds_up),
		cmocka_unit_test(what_the_demo_did_not_start_counts_apart),
		cmocka_unit_test(what_is_held_only_grows),
		cmocka_unit_test(latency_compares_like_with_like),
		cmocka_unit_test(bad_lines_are_counted_and_skipped),
		cmocka_unit_test(names_reach_the_terminal_clean),
		cmocka_unit_test(words_for_people),
		cmocka_unit_test(every_reason_has_words),
		cmocka_unit_test(size_of_the_vm),
		cmocka_unit_test(the_vm_that_competes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
