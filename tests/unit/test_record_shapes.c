// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of a recording: every member of the structs is in them, and what is written is what is
 * read, whole or over a base. A member that is forgotten would make a replay differ, some day.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ebb/config.h"
#include "ebb/plan.h"
#include "ebb/snapshot.h"
#include "lib/cleanup.h"
#include "policy/policy.h"
#include "report/record_shapes.h"

/* --- all members --------------------------------------------------------------------- */

static char *read_file(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re"); /* tests are run from the top folder */
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_in_range(fread(text, 1, 65535, file), 100, 65534);
	return text;
}

static void blank_comments(char *text)
{
	char *from, *to;

	while ((from = strstr(text, "/*"))) {
		to = strstr(from, "*/");
		assert_non_null(to);
		memset(from, ' ', (size_t)(to + 2 - from));
	}
}

static bool is_member(const struct shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->nr; i++)
		if (!strcmp(shape->fields[i].name, name))
			return true;
	return false;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* The last word of a declarator, before any [N]. */
static void check_declarator(const struct shape *shape, const char *text, size_t len,
			     const char *apart)
{
	const char *bracket = memchr(text, '[', len);
	char name[64], listed[66];
	size_t start;

	if (bracket)
		len = (size_t)(bracket - text);
	while (len && !is_word(text[len - 1]))
		len--;
	for (start = len; start && is_word(text[start - 1]);)
		start--;
	if (start == len)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(len - start), text + start);
	snprintf(listed, sizeof(listed), " %s ", name);
	if (!is_member(shape, name) && !strstr(apart, listed))
		fail_msg("%s of %s is in no table: it would not be recorded", name, shape->name);
}

/* Of the declaration of `struct NAME` in a header; apart: the names of members that need not be. */
static size_t check_struct(const char *header, const char *name, const struct shape *shape,
			   const char *apart)
{
	_cleanup_free_ char *text = read_file(header);
	char begin[64];
	const char *at, *end;
	size_t n = 0;

	blank_comments(text);
	snprintf(begin, sizeof(begin), "struct %s {", name);
	at = strstr(text, begin);
	assert_non_null(at);
	at += strlen(begin);
	end = strstr(at, "};");
	assert_non_null(end);
	while (at < end) {
		size_t len = strcspn(at, ",;");

		check_declarator(shape, at, len, apart);
		at += len + 1;
		n++;
	}
	return n;
}

/* The shape of a member, by its name. */
static const struct shape *within(const struct shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->nr; i++)
		if (!strcmp(shape->fields[i].name, name))
			return shape->fields[i].of;
	fail_msg("%s has no %s", shape->name, name);
	return NULL;
}

#define SNAPSHOT "include/ebb/snapshot.h"
#define PLAN "include/ebb/plan.h"
#define POLICY "user/policy/policy.h"

static void test_all_members(void **state)
{
	const struct shape *snap = &shape_snapshot, *plan = &shape_plan, *st = &shape_state;
	const struct shape *container = within(snap, "containers"), *slot = within(st, "slots");

	check_struct(SNAPSHOT, "ebb_snapshot", snap,
		     " nr_containers nr_orphans nr_holders nr_others ");
	assert_in_range(check_struct(SNAPSHOT, "ebb_snap_container", container, " nr_ages "), 28,
			100);
	check_struct(SNAPSHOT, "ebb_age", within(container, "age"), "");
	check_struct(SNAPSHOT, "ebb_outcome", within(container, "last"), "");
	check_struct(SNAPSHOT, "ebb_orphans", within(snap, "orphans"), "");
	check_struct(SNAPSHOT, "ebb_holder", within(snap, "holders"), "");
	check_struct(SNAPSHOT, "ebb_other", within(snap, "others"), "");
	check_struct(SNAPSHOT, "ebb_snap_machine", within(snap, "machine"), "");
	assert_in_range(check_struct(SNAPSHOT, "ebb_snap_host", within(snap, "host"), ""), 8, 100);
	check_struct(PLAN, "ebb_plan", plan, " nr_items max_items nr_verdicts max_verdicts ");
	check_struct(PLAN, "ebb_plan_item", within(plan, "items"), "");
	check_struct(PLAN, "ebb_verdict", within(plan, "verdicts"), "");
	check_struct(PLAN, "ebb_footprint", within(plan, "footprint"), "");
	check_struct(PLAN, "ebb_room", within(plan, "cap"), "");
	check_struct(PLAN, "ebb_means_verdict", within(plan, "means"), "");
	check_struct(POLICY, "policy_state", st, " nr max ");
	assert_in_range(check_struct(POLICY, "policy_container", slot, " nr_file "), 45, 100);
	check_struct(POLICY, "policy_file_sample", within(slot, "file"), "");
	check_struct(POLICY, "policy_orphans", within(st, "orphans"), "");
	check_struct(POLICY, "policy_other", within(st, "others"), "");
	check_struct(POLICY, "policy_compact", within(st, "compact"), "");
	check_struct(POLICY, "policy_footprint", within(st, "footprint"), "");
	check_struct(POLICY, "policy_cap", within(st, "cap"), "");
	check_struct(POLICY, "policy_pool", within(within(st, "cap"), "pool"), "");
	check_struct(POLICY, "policy_means", within(st, "means"), "");
	check_struct(POLICY, "policy_look", within(st, "look"), "");
	/* Rules work through the snapshot; listen is ebb-exporter's; cap_line is for messages. */
	check_struct("include/ebb/config.h", "ebb_config", &shape_config,
		     " listen cap_line nr_rules rules ");
}

/* --- there and back ------------------------------------------------------------------ */

static uint64_t seed;

static uint64_t rnd(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return seed >> 20;
}

static void fill(const struct shape *shape, void *object, unsigned int change_of);

static void fill_list(const struct field *f, void *object)
{
	size_t n = rnd() % 5;
	char *list = calloc(n ? n : 1, f->of->size);
	uint64_t key = 1000;

	free(*(void **)((char *)object + f->offset));
	for (size_t i = 0; i < n; i++) {
		fill(f->of, list + i * f->of->size, 1);
		key += 1 + rnd() % 3;
		if (f->of->keyed)
			memcpy(list + i * f->of->size, &key, sizeof(key));
	}
	*(void **)((char *)object + f->offset) = list;
	*(size_t *)((char *)object + f->count) = n;
}

/* Each member gets another value with a chance of one in change_of. */
static void fill(const struct shape *shape, void *object, unsigned int change_of)
{
	for (size_t i = 0; i < shape->nr; i++) {
		const struct field *f = &shape->fields[i];
		char *at = (char *)object + f->offset;
		uint64_t value = rnd() % (f->max ? f->max + 1 : 1000000);
		unsigned int code = rnd() % (f->max + 1);
		size_t n = f->room;

		if (rnd() % change_of)
			continue;
		switch (f->type) {
		case FIELD_BOOL:
			*(bool *)at = rnd() & 1;
			break;
		case FIELD_U32:
		case FIELD_I32:
			*(uint32_t *)at = (uint32_t)value;
			break;
		case FIELD_U64:
		case FIELD_I64:
			*(uint64_t *)at = f->max ? value : rnd() % 4 ? value : UINT64_MAX - value;
			break;
		case FIELD_CODE:
			/* An action is never 0. */
			*(unsigned int *)at = strcmp(f->name, "action") ? code : code + !code;
			break;
		case FIELD_PART:
			fill(f->of, at, change_of);
			break;
		case FIELD_ROW:
			if (f->count)
				n = *(unsigned int *)((char *)object + f->count) =
					rnd() % (f->room + 1);
			for (size_t k = 0; k < n; k++)
				fill(f->of, at + k * f->of->size, 1 + k % 3);
			break;
		case FIELD_LIST:
			fill_list(f, object);
			break;
		}
	}
}

static json_t *written(const struct shape *shape, const void *object, const void *base)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *json;

	fields_write(out, shape, object, base);
	assert_int_equal(fclose(out), 0);
	assert_null(memchr(text, '\n', len));
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

static void there_and_back(const struct shape *shape)
{
	_cleanup_free_ char *now = calloc(1, shape->size), *there = calloc(1, shape->size),
			    *before = calloc(1, shape->size);
	struct fields_difference found;
	char error[FIELDS_ERROR] = "";

	for (int round = 0; round < 200; round++) {
		bool based = round % 20;
		json_t *json;

		fill(shape, now, based ? 1 + round % 5 : 1);
		json = written(shape, now, based ? before : NULL);
		if (!based)
			fields_free(shape, there);
		assert_int_equal(fields_read(json, shape, there, NULL, error), 0);
		if (fields_differ(shape, now, there, NULL, &found))
			fail_msg("%s: %s, read as %s", found.path, found.a, found.b);
		assert_true(fields_same(shape, there, now));
		json_decref(json);
		fields_free(shape, before);
		assert_int_equal(fields_copy(shape, before, now), 0);
		assert_true(fields_same(shape, before, now));
	}
	/* Nothing new is nothing to write. */
	json_t *json = written(shape, now, before);

	assert_int_equal(json_object_size(json), 0);
	json_decref(json);
	fields_free(shape, now);
	fields_free(shape, there);
	fields_free(shape, before);
}

static void test_there_and_back(void **state)
{
	seed = 42;
	there_and_back(&shape_snapshot);
	there_and_back(&shape_plan);
	there_and_back(&shape_state);
	there_and_back(&shape_config);
}

/* Whatever single member changes, it is found. */
static void test_each_member_is_compared(void **state)
{
	const struct shape *shapes[] = { &shape_snapshot, &shape_plan, &shape_state,
					 &shape_config };

	seed = 7;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		_cleanup_free_ char *a = calloc(1, shapes[i]->size),
				    *b = calloc(1, shapes[i]->size);

		for (size_t k = 0; k < shapes[i]->nr; k++) {
			const struct shape one = { .name = shapes[i]->name,
						   .size = shapes[i]->size,
						   .fields = &shapes[i]->fields[k],
						   .nr = 1 };
			struct fields_difference found = { 0 };

			while (fields_same(&one, a, b))
				fill(&one, a, 1);
			assert_false(fields_same(shapes[i], a, b));
			assert_true(fields_differ(shapes[i], a, b, NULL, &found));
			assert_int_equal(strncmp(found.path, shapes[i]->fields[k].name,
						 strlen(shapes[i]->fields[k].name)),
					 0);
			assert_string_not_equal(found.a, found.b);
			fields_free(shapes[i], a);
			assert_false(fields_differ(shapes[i], a, b, NULL, &found));
		}
	}
}

/* --- what is not read ---------------------------------------------------------------- */

static void refused(const char *text, const char *why)
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct ebb_snapshot snap = { 0 };
	char error[FIELDS_ERROR] = "";

	assert_non_null(json);
	assert_int_equal(fields_read(json, &shape_snapshot, &snap, NULL, error), -EINVAL);
	if (strcmp(error, why) != 0)
		fail_msg("%s: '%s', expected '%s'", text, error, why);
	json_decref(json);
	fields_free(&shape_snapshot, &snap);
}

static void test_what_is_refused(void **state)
{
	refused("[]", "snapshot is no object");
	refused("{\"now_ms\":\"1\"}", "snapshot.now_ms is no integer");
	refused("{\"now_ms\":1.5}", "snapshot.now_ms is no integer");
	refused("{\"now_ms\":-1}", "snapshot.now_ms cannot be -1");
	refused("{\"paused\":1}", "snapshot.paused is neither true nor false");
	refused("{\"machine\":[]}", "machine is no object");
	refused("{\"machine\":{\"x\\u001b\":1}}", "machine has no member 'x\\x1b'");
	refused("{\"host\":{\"level\":\"extreme\"}}",
		"host.level: this version knows no 'extreme'");
	refused("{\"host\":{\"level\":2}}", "host.level is no string");
	refused("{\"containers\":{}}", "snapshot.containers is no array");
	refused("{\"containers\":[{}]}", "container without id");
	refused("{\"containers\":[{\"id\":2},{\"id\":1}]}",
		"containers are not in the order of id");
	refused("{\"containers\":[{\"id\":2},{\"id\":2}]}",
		"containers are not in the order of id");
	refused("{\"containers\":[{\"id\":1,\"last\":{\"error\":3000000000}}]}",
		"outcome.error cannot be 3000000000");
	refused("{\"containers\":[{\"id\":1,\"age\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},"
		"{},{}]}]}",
		"container.age has 17 elements, and 16 are the most");
}

/* What the writer had and we have not is skipped, and nothing else is. */
static void test_what_is_skipped(void **state)
{
	json_t *known = json_pack("{s:[s,i,s]}", "machine", "mem_total", 7, "moons");
	json_t *json = json_loads("{\"machine\":{\"moons\":{\"io\":1},\"mem_total\":5}}", 0, NULL);
	struct ebb_snapshot snap = { 0 };
	char error[FIELDS_ERROR];

	assert_int_equal(fields_read(json, &shape_snapshot, &snap, known, error), 0);
	assert_int_equal(snap.machine.mem_total, 5);
	assert_int_equal(fields_read(json, &shape_snapshot, &snap, NULL, error), -EINVAL);
	json_decref(json);
	json_decref(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_members),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_each_member_is_compared),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_what_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
