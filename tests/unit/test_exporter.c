// SPDX-License-Identifier: GPL-2.0-only
/* From ebbd's answers, recorded ones and hostile ones, to the lines that Prometheus reads. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "exporter/metrics.h"
#include "exporter/request.h"
#include "exporter/sample.h"
#include "lib/cleanup.h"

#define FIXTURES "tests/browser/fixtures/"
#define STATUS "{\"ok\":true,\"data\":{\"memory\":{\"total\":1000,\"free\":300,\"available\":500}}}"

static const struct metrics_limits all = { .max_containers = 1000 };
static const struct metrics_self self = { .requests = 7, .failures = 2, .request_us = 1500 };

/* Line n (from 0) of a fixture, as an answer. */
static char *recorded(const char *path, unsigned int n)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	char *answer;

	assert_non_null(f);
	for (unsigned int i = 0; i <= n; i++)
		assert_true(getline(&line, &room, f) > 0);
	assert_true(asprintf(&answer, "{\"ok\":true,\"data\":%s}", line) > 0);
	return answer;
}

static struct sample *parse(const char *list, const char *status)
{
	char error[SAMPLE_ERROR_MAX];
	struct sample *s = NULL;

	assert_int_equal(sample_parse(&s, list, strlen(list), status, strlen(status), error), 0);
	assert_string_equal(error, "");
	return s;
}

static char *render(enum metrics_format format, const char *list, const char *status)
{
	struct sample *s = parse(list, status);
	size_t len;
	char *text = metrics_render(format, s, &self, &all, &len);

	assert_int_equal(strlen(text), len);
	sample_free(s);
	return text;
}

static void check_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

static void check_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

static void test_recorded(void **state)
{
	_cleanup_free_ char *list = recorded(FIXTURES "list.jsonl", 2);
	_cleanup_free_ char *status = recorded(FIXTURES "status.jsonl", 2);
	_cleanup_free_ char *text = render(METRICS_TEXT, list, status);

	check_has(text, "\n# TYPE ebb_container_memory_bytes gauge\n");
	check_has(text, "\nebb_container_memory_bytes{container=\"web\",id=\"");
	check_has(text, "\nebb_container_swap_bytes{container=\"app\",id=\"272\"} 157442048\n");
	check_has(text, "\n# TYPE ebb_container_reclaimed_bytes_total counter\n");
	check_has(text, "\nebb_container_working_set_bytes{container=\"app\",id=\"272\"} ");
	check_has(
		text,
		"\nebb_container_page_faults_total{container=\"app\",id=\"272\",kind=\"major\"} ");
	check_has(text,
		  "\nebb_container_state_info{container=\"postgres\",id=\"351\",state=\"held\","
		  "reason=\"protected\"} 1\n");
	check_has(text, "\nebb_container_info{container=\"web\",id=\"");
	check_has(text, "runtime=\"podman\",pod=\"\",namespace=\"\"} 1\n");
	check_has(text, "\nebb_hook_info{data=\"ageing\",rung=\"debugfs lru_gen\"} 1\n");
	check_has(text, "\nebb_hook_best{data=\"ageing\"} 1\n");
	check_has(text, "\nebb_up 1\n");
	check_has(text, "\nebb_containers 5\n");
	check_has(text, "\nebb_exporter_dropped_containers 0\n");
	check_has(text, "\nebb_overhead_seconds_total{part=\"daemon\"} ");
	check_has(text, "\nebb_exporter_request_seconds_total 0.0015\n");
	/* What this ebbd does not publish is absent rather than 0. */
	check_has_not(text, "ebb_balloon_target_bytes");
	check_has_not(text, "ebb_returned_bytes_total");
	check_has_not(text, "ebb_memory_cap_bytes");
	check_has_not(text, "# EOF");
}

static void test_open_metrics(void **state)
{
	_cleanup_free_ char *list = recorded(FIXTURES "list.jsonl", 0);
	_cleanup_free_ char *status = recorded(FIXTURES "status.jsonl", 0);
	_cleanup_free_ char *text = render(METRICS_OPEN, list, status);

	check_has(text, "\n# TYPE ebb_container_reclaimed_bytes counter\n");
	check_has(text, "\n# TYPE ebb_container info\n");
	check_has(text, "\nebb_container_reclaimed_bytes_total{");
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
}

static void test_machine(void **state)
{
	_cleanup_free_ char *text = render(
		METRICS_TEXT, "{\"ok\":true,\"data\":[]}",
		"{\"ok\":true,\"data\":{\"config\":{\"cap\":5},\"balloon\":{\"target\":0},"
		"\"memory\":{\"total\":1000,\"free\":300,\"available\":500,\"free_reportable\":120,"
		"\"swap_total\":9,\"swap_free\":2},\"totals\":{\"returned\":77}}}");

	check_has(text, "ebb_guest_memory_bytes{state=\"used\"} 500\n");
	check_has(text, "ebb_guest_memory_bytes{state=\"cache\"} 200\n");
	check_has(text, "ebb_guest_memory_bytes{state=\"free_scattered\"} 180\n");
	check_has(text, "ebb_guest_memory_bytes{state=\"free_reportable\"} 120\n");
	check_has(text, "ebb_guest_swap_bytes{state=\"used\"} 7\n");
	check_has(text, "\nebb_memory_cap_bytes 5\n");
	check_has(text, "\nebb_balloon_target_bytes 0\n");
	check_has(text, "\nebb_returned_bytes_total 77\n");
}

static void test_away(void **state)
{
	size_t len;
	_cleanup_free_ char *text = metrics_render(METRICS_OPEN, NULL, &self, &all, &len);

	check_has(text, "\nebb_up 0\n");
	check_has(text, "\nebb_exporter_failures_total 2\n");
	check_has_not(text, "ebb_container");
	check_has_not(text, "ebb_guest");
}

static void test_hostile(void **state)
{
	_cleanup_free_ char *text = render(
		METRICS_TEXT,
		"{\"ok\":true,\"data\":[{\"id\":\"5\",\"name\":\"a\\\"} 1\\n#\\\\ "
		"<script>\\u001b[31m"
		"\\u202e\\u00e9\",\"image\":\"\\u0085x\",\"state\":\"a\\\"b\",\"bytes\":-3}]}",
		STATUS);

	check_has(text, "container=\"a\\\"} 1\\n#\\\\ "
			"<script>\\\\x1b[31m\\\\xe2\\\\x80\\\\xae\xc3\xa9\",id=\"5\"");
	check_has(text, ",image=\"\\\\xc2\\\\x85x\",");
	check_has(text, ",state=\"a--b\",");
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
}

static void test_long_name(void **state)
{
	_cleanup_free_ char *name = calloc(1, 10241), *list = NULL, *text = NULL;
	struct sample *s;

	/* The cut falls into a character of two bytes. */
	for (size_t i = 0; i < 10240; i += 2)
		memcpy(name + i, "\xc3\xa9", 2);
	name[0] = name[1] = 'x';
	memmove(name + 1, name + 2, 10239);
	assert_true(asprintf(&list, "{\"ok\":true,\"data\":[{\"id\":\"5\",\"name\":\"%s\"}]}",
			     name) > 0);
	s = parse(list, STATUS);
	assert_int_equal(s->nr, 1);
	assert_int_equal(strlen(s->containers[0].name), SAMPLE_TEXT_MAX - 1);
	sample_free(s);
	text = render(METRICS_OPEN, list, STATUS);
	assert_true(strlen(text) < 20000);
}

static void test_ids(void **state)
{
	struct sample *s =
		parse("{\"ok\":true,\"data\":[{\"id\":\"9\",\"name\":\"a\"},{\"id\":\"9\","
		      "\"name\":\"b\"},{\"id\":\"x\"},{\"id\":7},{},{\"id\":"
		      "\"99999999999999999999\"},{\"id\":\"3\",\"name\":\"c\",\"name\":"
		      "\"d\"}]}",
		      STATUS);

	assert_int_equal(s->nr, 2);
	assert_int_equal(s->dropped, 5);
	assert_int_equal(s->containers[0].id, 3);
	assert_string_equal(s->containers[0].name, "d");
	assert_non_null(sample_find(s, 9));
	assert_null(sample_find(s, 10));
	sample_free(s);
}

static void test_bound(void **state)
{
	const struct metrics_limits two = { .max_containers = 2 };
	struct sample *s =
		parse("{\"ok\":true,\"data\":[{\"id\":\"1\",\"name\":\"small\",\"bytes\":1},"
		      "{\"id\":\"2\",\"name\":\"big\",\"bytes\":30},"
		      "{\"id\":\"3\",\"name\":\"middle\",\"bytes\":20}]}",
		      STATUS);
	size_t len;
	_cleanup_free_ char *text = metrics_render(METRICS_TEXT, s, &self, &two, &len);

	check_has(text, "\nebb_containers 3\n");
	check_has(text, "\nebb_exporter_dropped_containers 1\n");
	check_has(text, "container=\"big\"");
	check_has(text, "container=\"middle\"");
	check_has_not(text, "container=\"small\"");
	sample_free(s);
}

static void check_refused(const char *list, const char *status, int expected, const char *why)
{
	char error[SAMPLE_ERROR_MAX] = "";
	struct sample *s = (struct sample *)error;
	int r = sample_parse(&s, list, strlen(list), status, strlen(status), error);

	assert_int_equal(r, expected);
	check_has(error, why);
	assert_ptr_equal(s, error); /* untouched */
}

static void test_refused(void **state)
{
	static const char *const broken[] = {
		"",
		"[]",
		"{\"ok\":true}",
		"{\"ok\":true,\"data\":7}",
		"{\"ok\":true,\"data\":[{\"id\":\"1\"}",
		"{\"ok\":true,\"data\":[7]}",
		"{\"ok\":true,\"data\":[{\"id\":}]}",
		"{\"ok\":maybe,\"data\":[]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		char error[SAMPLE_ERROR_MAX];
		struct sample *s;
		int r = sample_parse(&s, broken[i], strlen(broken[i]), STATUS, strlen(STATUS),
				     error);

		if (r != -EPROTO && r != -EREMOTEIO)
			fail_msg("'%s' gave %d", broken[i], r);
		assert_true(error[0] != '\0');
	}
	check_refused("{\"ok\":false,\"error\":\"paused \\u001b[1m\",\"code\":1}", STATUS,
		      -EREMOTEIO, "paused \\x1b[1m");
	check_refused("{\"ok\":true,\"data\":[]}", "{\"ok\":true,\"data\":{", -EPROTO, "status");
}

static void test_format(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} cases[] = {
		{ NULL, METRICS_TEXT },
		{ "", METRICS_TEXT },
		{ "*/*", METRICS_TEXT },
		{ "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", METRICS_TEXT },
		/* Prometheus 2.42, Prometheus 3 */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		  "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  METRICS_OPEN },
		{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
		  "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
		  "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
		  METRICS_OPEN },
		{ "text/plain;version=0.0.4;q=0.9, application/openmetrics-text; q=0.3",
		  METRICS_TEXT },
		{ "application/openmetrics-text;version=2.0.0", METRICS_TEXT },
		{ "application/openmetrics-text;q=0", METRICS_TEXT },
		{ ",;,;q=,", METRICS_TEXT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (request_format(cases[i].accept) != cases[i].format)
			fail_msg("Accept: %s", cases[i].accept);
}

static void test_request(void **state)
{
	static const char *const addresses[] = { "127.0.0.1:9465", "localhost", "LOCALHOST:1",
						 "[::1]:9465", "10.0.0.7" };
	static const char *const names[] = {
		"evil.example", "localhost.evil.example:9465", "", "[evil]:1",
		"[::1",         "127.0.0.1.evil.example"
	};
	const char *users = "# a comment:x\nann:s3cret\nbob:two words\r\n";
	uint64_t ids[3] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		assert_true(request_host_is_address(addresses[i]));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(request_host_is_address(names[i]));

	assert_true(request_authorized("Basic YW5uOnMzY3JldA==", users));
	assert_true(request_authorized("basic Ym9iOnR3byB3b3Jkcw==", users));
	assert_false(request_authorized("Basic YW5uOnMzY3JlVA==", users)); /* ann:s3creT */
	assert_false(request_authorized("Basic YW5uOnMzY3JldDE=", users)); /* ann:s3cret1 */
	assert_false(request_authorized("Basic IyBhIGNvbW1lbnQ6eA==", users)); /* # a comment:x */
	assert_false(request_authorized("Basic ", users));
	assert_false(request_authorized("Basic !!!!", users));
	assert_false(request_authorized("Bearer YW5uOnMzY3JldA==", users));
	assert_false(request_authorized(NULL, users));

	assert_int_equal(request_ids("12,34", ids, 3), 2);
	assert_int_equal(ids[1], 34);
	assert_int_equal(request_ids(NULL, ids, 3), 0);
	assert_int_equal(request_ids("1,2,3,4", ids, 3), -E2BIG);
	assert_int_equal(request_ids("1,", ids, 3), -EINVAL);
	assert_int_equal(request_ids("1 2", ids, 3), -EINVAL);
	assert_int_equal(request_ids("18446744073709551616", ids, 3), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded), cmocka_unit_test(test_open_metrics),
		cmocka_unit_test(test_machine),  cmocka_unit_test(test_away),
		cmocka_unit_test(test_hostile),  cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_ids),      cmocka_unit_test(test_bound),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_format),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests_name("exporter", tests, NULL, NULL);
}
