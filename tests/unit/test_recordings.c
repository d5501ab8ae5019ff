// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of real VMs (tests/unit/recordings/, made by tests/vm): this version decides as was decided
 * there, and writes down what it sees as was written there. Where a change of the policy means to
 * decide otherwise, EBB_DECIDE_ANEW=1 build/unit/recordings puts its plans into the files, and git
 * shows what has become of them.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "report/record.h"
#include "report/record_shapes.h"
#include "report/recording.h"
#include "report/replay.h"

#define FOLDER "tests/unit/recordings" /* tests are run from the top folder */
#define TEXT_MAX (4u << 20)

struct run {
	struct recording rec;
	struct record *record;
	struct policy_state state;
	struct ebb_plan plan;
	char *text;
	size_t len;
};

static char *read_file(const char *path, size_t *ret_len)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char *text = malloc(TEXT_MAX);

	assert_non_null(file);
	assert_non_null(text);
	*ret_len = fread(text, 1, TEXT_MAX, file);
	assert_in_range(*ret_len, 1, TEXT_MAX - 1);
	text[*ret_len] = '\0';
	return text;
}

/* --- replaying ----------------------------------------------------------------------- */

static json_t *replay_text(const char *path, const char *text, size_t len)
{
	const char *end = text + len, *stop;
	struct replay *r;
	json_t *json;
	int err = 0;

	assert_int_equal(replay_open(&r, NULL, NULL), 0);
	for (; !err && (stop = memchr(text, '\n', (size_t)(end - text))); text = stop + 1)
		err = replay_line(r, text, (size_t)(stop - text));
	if (err || replay_finish(r, text < end))
		fail_msg("%s: %s", path, replay_error(r));
	json = replay_json(r);
	assert_non_null(json);
	replay_close(r);
	return json;
}

static void say_first(const char *path, json_t *json, const char *what)
{
	json_t *first = json_object_get(json_object_get(json, what), "first");

	if (json_is_object(first))
		print_message("%s: %s after turn %lld: %s was %s, is %s\n", path, what,
			      (long long)json_integer_value(json_object_get(first, "turn")),
			      json_string_value(json_object_get(first, "member")),
			      json_string_value(json_object_get(first, "was")),
			      json_string_value(json_object_get(first, "is")));
}

/* --- writing it once more ------------------------------------------------------------ */

static void name_of(void *arg, uint64_t id, struct record_name *ret)
{
	const struct run *run = arg;
	const struct recording_name *name = recording_name(&run->rec, id);

	assert_non_null(name);
	*ret = (struct record_name){ name->name, name->runtime, name->image, name->path };
}

static int put(void *arg, char *data, size_t len, bool last)
{
	struct run *run = arg;

	assert_true(run->len + len < TEXT_MAX);
	memcpy(run->text + run->len, data, len);
	run->len += len;
	free(data);
	return 0;
}

static bool ready(void *arg)
{
	return true;
}

static void take_state(struct run *run)
{
	bool first = !run->record;
	struct tm tm = { 0 };

	fields_free(&shape_state, &run->state);
	assert_int_equal(fields_copy(&shape_state, &run->state, &run->rec.state), 0);
	run->state.max = run->state.nr;
	if (first) {
		const struct record_sink sink = { name_of, put, ready, run };
		struct record_about about = { .version = run->rec.version,
					      .kernel = run->rec.kernel };

		assert_non_null(strptime(run->rec.started, "%Y-%m-%dT%H:%M:%SZ", &tm));
		about.started = (uint64_t)timegm(&tm);
		assert_int_equal(record_open(&run->record, &about, &sink), 0);
		assert_int_equal(record_begin(run->record, &run->rec.config, &run->state), 0);
	} else {
		record_state(run->record, &run->state);
	}
}

static void take_turn(struct run *run)
{
	size_t n = run->rec.snap.nr_containers, items = 4096;

	run->state.slots = reallocarray(run->state.slots, n + 1, sizeof(run->state.slots[0]));
	run->plan.verdicts = reallocarray(run->plan.verdicts, n + 1, sizeof(run->plan.verdicts[0]));
	run->plan.items = reallocarray(run->plan.items, items, sizeof(run->plan.items[0]));
	run->state.max = run->plan.max_verdicts = n + 1;
	run->plan.max_items = items;
	assert_int_equal(policy_step(&run->rec.snap, &run->rec.config, &run->state, &run->plan), 0);
	record_turn(run->record, &run->rec.config, &run->rec.snap, &run->plan, &run->state);
}

static char *write_again(const char *path, const char *text, size_t len, size_t *ret_len)
{
	const char *end = text + len, *stop;
	struct run run = { .text = malloc(TEXT_MAX) };
	enum recording_kind kind;

	assert_non_null(run.text);
	for (; (stop = memchr(text, '\n', (size_t)(end - text))); text = stop + 1) {
		assert_int_equal(recording_line(&run.rec, text, (size_t)(stop - text), &kind), 0);
		if (kind == RECORDING_STATE)
			take_state(&run);
		else if (kind == RECORDING_TURN)
			take_turn(&run);
		else if (kind == RECORDING_GAP)
			fail_msg("%s has a gap: it is no good example", path);
	}
	record_end(run.record, run.rec.end, &run.state);
	record_close(run.record);
	recording_close(&run.rec);
	fields_free(&shape_state, &run.state);
	fields_free(&shape_plan, &run.plan);
	*ret_len = run.len;
	return run.text;
}

/* --- one recording ------------------------------------------------------------------- */

/* Of a version with other members the plans are compared, and not the text. */
static bool has_drift(json_t *json)
{
	json_t *about = json_object_get(json, "recording");

	return json_array_size(json_object_get(about, "unknown")) ||
	       json_array_size(json_object_get(about, "lacking"));
}

static void check_recording(const char *path, json_t *acts)
{
	size_t len, again_len;
	_cleanup_free_ char *text = read_file(path, &len);
	_cleanup_free_ char *again = write_again(path, text, len, &again_len);
	json_t *json, *part, *value;
	const char *name;

	if (getenv("EBB_DECIDE_ANEW")) {
		_cleanup_fclose_ FILE *file = fopen(path, "we");

		assert_non_null(file);
		assert_int_equal(fwrite(again, 1, again_len, file), again_len);
		memcpy(text, again, again_len + 1);
		len = again_len;
	}
	json = replay_text(path, text, len);
	say_first(path, json, "plans");
	say_first(path, json, "states");
	if (!json_is_true(json_object_get(json, "same")))
		fail_msg("%s: other plans than were recorded. If the policy is meant to decide "
			 "otherwise now: EBB_DECIDE_ANEW=1 build/unit/recordings, and look at git "
			 "diff",
			 path);
	if (!has_drift(json)) {
		assert_int_equal(again_len, len);
		assert_memory_equal(again, text, len);
	}
	part = json_object_get(json_object_get(json, "totals"), "acts");
	json_object_foreach (part, name, value) {
		json_int_t sum =
			json_integer_value(json_object_get(acts, name)) + json_integer_value(value);

		json_object_set_new(acts, name, json_integer(sum));
	}
	json_decref(json);
}

static void test_all_replay(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir(FOLDER);
	static const char *const kinds[] = { "age", "reclaim", "reclaim-exit", "compact", "limit" };
	json_t *acts = json_object();
	struct dirent *entry;
	int n = 0;

	assert_non_null(dir);
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((entry = readdir(dir))) {
		char path[512];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), FOLDER "/%s", entry->d_name);
		check_recording(path, acts);
		n++;
	}
	assert_true(n >= 2);
	/* Between them they have some of these. */
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!json_integer_value(json_object_get(acts, kinds[i])))
			fail_msg("no recording has an item '%s'", kinds[i]);
	json_decref(acts);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_replay) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
