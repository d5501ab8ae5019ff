// SPDX-License-Identifier: GPL-2.0-only
/*
 * docs/json.md says what `-o json` prints: each member that is printed is there with its type, and
 * each that is there is printed. tests/cli/run does the same with the programs themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "report/decisions.h"
#include "report/model.h"
#include "report/replay.h"

#define DOC "docs/json.md" /* tests are run from the top folder */
#define MEMBERS_MAX 256

static struct member {
	char path[96];
	char types[64]; /* "number or null" */
	bool printed;
} members[MEMBERS_MAX];
static size_t nr_members;

/* The table below "## `ebb COMMAND`". */
static void read_section(const char *command)
{
	_cleanup_fclose_ FILE *doc = fopen(DOC, "re");
	char line[1024], heading[64];
	bool in = false;

	assert_non_null(doc);
	nr_members = 0;
	snprintf(heading, sizeof(heading), "## `ebb %s`", command);
	while (fgets(line, sizeof(line), doc)) {
		struct member m = { 0 };

		if (!strncmp(line, "## ", 3))
			in = !strncmp(line, heading, strlen(heading));
		else if (in && sscanf(line, "| `%95[^`]` | %63[^|]|", m.path, m.types) == 2 &&
			 nr_members < MEMBERS_MAX)
			members[nr_members++] = m;
	}
	assert_true(nr_members > 0);
}

static const char *type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object",  [JSON_ARRAY] = "array", [JSON_STRING] = "string",
		[JSON_INTEGER] = "number", [JSON_REAL] = "number", [JSON_TRUE] = "boolean",
		[JSON_FALSE] = "boolean",  [JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}

static void check_member(const char *path, const json_t *value)
{
	for (size_t i = 0; i < nr_members; i++) {
		struct member *m = &members[i];

		if (strcmp(m->path, path) != 0)
			continue;
		if (!strstr(m->types, type_name(value)))
			fail_msg(DOC " has `%s` as %s, and it is %s", path, m->types,
				 type_name(value));
		m->printed = true;
		return;
	}
	fail_msg("`%s` (%s) is printed and not in " DOC, path, type_name(value));
}

static void walk(const char *path, json_t *value)
{
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_array(value)) {
		char inner[96];

		snprintf(inner, sizeof(inner), "%s%s", path, path[0] ? "[]" : "");
		for (i = 0; i < json_array_size(value); i++)
			walk(inner, json_array_get(value, i));
		return;
	}
	json_object_foreach (value, key, child) {
		char inner[96];

		snprintf(inner, sizeof(inner), "%s%s%s", path, path[0] ? "." : "", key);
		check_member(inner, child);
		walk(inner, child);
	}
}

static void walk_and_drop(json_t *value)
{
	assert_non_null(value);
	walk("", value);
	json_decref(value);
}

/* except: of another one than the data at hand; "|"-separated. */
static void all_were_printed(const char *except)
{
	for (size_t i = 0; i < nr_members; i++)
		if (!members[i].printed && !strstr(except, members[i].path))
			fail_msg(DOC " has `%s`, and nothing printed it", members[i].path);
}

static void test_list(void **state)
{
	static const uint64_t lat[EBB_LAT_SLOTS] = { [6] = 98 };
	const struct report_container full = { .id = 1,
					       .name = "n",
					       .pod = "p",
					       .namespace = "s",
					       .nr_ages = 1,
					       .major_lat = lat,
					       .last_action = EBB_ACT_RECLAIM,
					       .last = { .error = -1 } };
	const struct report_container bare = { .id = 2 };

	read_section("list");
	walk_and_drop(report_container_json(&bare));
	walk_and_drop(report_container_json(&full));
	all_were_printed("");
}

static const struct hook_rung rung = {
	.data = "sizes", .rung = "memory.stat", .reason = "", .without = "", .remedy = ""
};

static void test_status(void **state)
{
	static const struct ebb_config config = { .cap = 1, .cold_after_ms = 1 };
	const struct ebb_config defaults = { .cap = 0 };
	const struct report_status bare = { .reporting_order = -1 };
	struct report_status s = { .version = "1", .config = &defaults, .reporting_order = -1 };

	read_section("status");
	walk_and_drop(report_status_json(&bare));
	walk_and_drop(report_status_json(&s));
	s.config = &config;
	s.config_path = "/c";
	s.host.talking = true;
	s.host_means = "m";
	s.host_reason = "r";
	s.footprint.want = 1;
	s.reporting_order = 5;
	s.last_error = "e";
	s.rungs = &rung;
	s.nr_rungs = 1;
	walk_and_drop(report_status_json(&s));
	all_were_printed("");
}

static void test_doctor(void **state)
{
	const struct doctor_report d = { .nr_checks = 1, .checks = { { .detail = "d" } } };

	read_section("doctor");
	walk_and_drop(report_doctor_json(&d, &rung, 1));
	all_were_printed("ebbd|root"); /* `ebb` adds them */
}

static void test_explain(void **state)
{
	const struct decision_log log = { .nr = 1 };

	read_section("explain");
	walk_and_drop(json_pack("{s:i,s:i,s:b,s:o}", "cold_after_ms", 1, "stall_budget_ppm", 1,
				"dry_run", 0, "decisions", decisions_json(&log, 1)));
	all_were_printed("container"); /* as of list */
}

/* A recording of one turn; wrong: of another plan and state. */
static json_t *replay_of(bool wrong, const struct ebb_config *other)
{
	static const char *const lines[] = {
		"{\"ebb_recording\":1,\"members\":{\"plan\":[\"next_ms\"],\"state\":[\"freed\","
		"\"x\"]}}",
		"{\"config\":{\"cap\":1073741824,\"cold_after_ms\":1000}}",
		"{\"state\":{}}",
		"{\"name\":{\"id\":1,\"name\":\"n\",\"runtime\":\"\",\"image\":\"\",\"path\":\"/"
		"\"}}",
	};
	static const char turn[] = "{\"turn\":%d,\"snapshot\":{\"now_ms\":%d,\"machine\":{\"ram\":"
				   "4294967296,\"mem_available\":4294967296},\"host\":{\"talking\":"
				   "true,\"max\":4294967296},"
				   "\"containers\":[{\"id\":1,\"populated\":true}]},\"plan\":{%s}}";
	struct replay *r;
	char text[512];
	json_t *json;

	assert_int_equal(replay_open(&r, other, "/c"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(replay_line(r, lines[i], strlen(lines[i])), 0);
	for (int i = 1; i < 4; i++) {
		snprintf(text, sizeof(text), turn, i, 5000 * i, wrong ? "\"next_ms\":1" : "");
		assert_int_equal(replay_line(r, text, strlen(text)), 0);
	}
	if (wrong) {
		snprintf(text, sizeof(text), "{\"check\":{\"freed\":12345}}");
		assert_int_equal(replay_line(r, text, strlen(text)), 0);
		snprintf(text, sizeof(text), "{\"end\":\"count\",\"turns\":3,\"missed\":0}");
		assert_int_equal(replay_line(r, text, strlen(text)), 0);
	}
	json = replay_json(r);
	replay_close(r);
	return json;
}

static void test_replay(void **state)
{
	const struct ebb_config other = { .cap = UINT64_C(2) << 30, .cold_after_ms = 1 };
	const struct ebb_config plain = { .cap = 0 };

	read_section("replay");
	walk_and_drop(replay_of(false, NULL));
	walk_and_drop(replay_of(true, &plain));
	walk_and_drop(replay_of(true, &other));
	all_were_printed("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),   cmocka_unit_test(test_status),
		cmocka_unit_test(test_doctor), cmocka_unit_test(test_explain),
		cmocka_unit_test(test_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
