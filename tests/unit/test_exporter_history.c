// SPDX-License-Identifier: GPL-2.0-only
/* The rings: what is kept, for how long, in how much room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "exporter/history_int.h"
#include "lib/cleanup.h"

#define STEP_MS (HISTORY_STEP_S * 1000ull)
#define START_MS (100000 * STEP_MS)
#define MiB (1ull << 20)

static struct sample_container containers[HISTORY_MAX_CONTAINERS + 64];
static struct sample sample = { .containers = containers };

static void one_container(uint64_t bytes)
{
	memset(&sample.machine, 0, sizeof(sample.machine));
	containers[0] = (struct sample_container){ .id = 7, .bytes = bytes };
	strcpy(containers[0].state, "settled");
	strcpy(containers[0].reason, "nothing-cold");
	sample.nr = 1;
}

static json_t *curves(const struct history *h, enum history_span span, uint64_t id)
{
	struct buf b = { 0 };
	json_t *json;
	char *text;

	if (id)
		history_containers_json(h, span, 1700000000000, &id, 1, &b);
	else
		history_machine_json(h, span, 1700000000000, &b);
	text = buf_take(&b, NULL);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	free(text);
	return json;
}

/* The value, counted from the newest; -1: null. */
static json_int_t at(json_t *all, const char *curve, size_t back)
{
	const json_t *c = json_object_get(json_object_get(all, "containers"), "7");
	const json_t *values = json_object_get(c, curve), *value;

	assert_int_equal(json_array_size(values),
			 json_integer_value(json_object_get(all, "points")));
	value = json_array_get(values, json_array_size(values) - 1 - back);
	return json_is_null(value) ? -1 : json_integer_value(value);
}

static void test_packing(void **state)
{
	for (uint64_t v = 0; v < 5000; v++)
		assert_in_range(history_unpack(history_pack(v)), v - v / 2048, v + v / 2048);
	for (uint64_t v = 1; v < 1ull << 40; v = v * 3 + 1) {
		uint64_t back = history_unpack(history_pack(v));

		assert_in_range(back, v - v / 2000, v + v / 2000);
	}
	assert_true(history_pack(UINT64_MAX) != PACKED_NONE);
	assert_true(history_pack((1ull << 42) - 1) != PACKED_NONE);
	assert_true(history_unpack(history_pack(UINT64_MAX)) >= 1ull << 40);
}

static void test_curves(void **state)
{
	struct history *h = history_new();
	json_t *all;

	one_container(100 * MiB);
	assert_int_equal(history_add(h, &sample, START_MS), 0);
	/* A second and third look in a step: the last counts, and what grew is not lost. */
	containers[0].reclaimed_total = 8 * MiB;
	containers[0].faults_major = 30;
	history_add(h, &sample, START_MS + STEP_MS);
	containers[0].reclaimed_total = 10 * MiB;
	containers[0].faults_major = 50;
	containers[0].bytes = 90 * MiB;
	history_add(h, &sample, START_MS + STEP_MS + 3000);
	/* ebbd is away for a step, then starts again with its totals at 0. */
	history_add(h, NULL, START_MS + 2 * STEP_MS);
	containers[0].reclaimed_total = 1 * MiB;
	history_add(h, &sample, START_MS + 3 * STEP_MS);
	all = curves(h, HISTORY_SPAN_RECENT, 7);
	assert_int_equal(at(all, "bytes", 0), 90 * MiB);
	assert_int_equal(at(all, "bytes", 1), -1);
	assert_int_equal(at(all, "bytes", 2), 90 * MiB);
	assert_int_equal(at(all, "bytes", 3), 100 * MiB);
	assert_int_equal(at(all, "bytes", 4), -1);
	assert_int_equal(at(all, "reclaimed", 0), 0);
	assert_int_equal(at(all, "reclaimed", 2), 10 * MiB);
	assert_int_equal(at(all, "reclaimed", 3), 0);
	assert_int_equal(at(all, "major_faults", 2), 50);
	assert_int_equal(json_integer_value(json_object_get(all, "points")), HISTORY_RECENT);
	json_decref(all);
	history_free(h);
}

static void test_day(void **state)
{
	struct history *h = history_new();
	uint64_t now = START_MS;
	json_t *all;

	one_container(0);
	/* Two days: the first is forgotten. In the last five minutes of it size and totals grow. */
	for (unsigned int i = 0; i < 2 * HISTORY_DAY * HISTORY_FOLD; i++, now += STEP_MS) {
		containers[0].bytes = (i / HISTORY_FOLD + 1) * MiB;
		containers[0].refaulted_total += MiB;
		history_add(h, &sample, now);
	}
	all = curves(h, HISTORY_SPAN_DAY, 7);
	assert_int_equal(json_integer_value(json_object_get(all, "points")), HISTORY_DAY);
	assert_int_equal(json_integer_value(json_object_get(all, "step_s")), 300);
	for (size_t back = 1; back < HISTORY_DAY - 1; back++) {
		uint64_t expected = (2 * HISTORY_DAY - 1 - back) * MiB;

		assert_in_range(at(all, "bytes", back), expected - MiB, expected + MiB);
		assert_in_range(at(all, "refaulted", back), 30 * MiB - 65536, 30 * MiB + 65536);
	}
	json_decref(all);

	/* A week asleep: all of it is gone, and it takes no time. */
	history_add(h, &sample, now + 7 * 86400000ull);
	all = curves(h, HISTORY_SPAN_DAY, 7);
	for (size_t back = 0; back < HISTORY_DAY; back++)
		assert_int_equal(at(all, "bytes", back), -1);
	json_decref(all);
	history_free(h);
}

static void test_gone(void **state)
{
	struct history *h = history_new();
	json_t *all;

	one_container(MiB);
	history_add(h, &sample, START_MS);
	assert_int_equal(history_containers(h), 1);
	sample.nr = 0;
	history_add(h, &sample, START_MS + STEP_MS);
	assert_int_equal(history_containers(h), 0);
	all = curves(h, HISTORY_SPAN_RECENT, 7);
	assert_int_equal(json_object_size(json_object_get(all, "containers")), 0);
	json_decref(all);
	history_free(h);
}

static void test_decisions(void **state)
{
	struct history *h = history_new();
	const json_t *list, *d;
	json_t *all;

	one_container(MiB);
	history_add(h, &sample, START_MS);
	history_add(h, &sample, START_MS + 1000); /* nothing new */
	strcpy(containers[0].state, "reclaiming");
	strcpy(containers[0].reason, "cold");
	strcpy(containers[0].last_action, "reclaim");
	containers[0].last_ended_ms = 5;
	containers[0].last_asked = 4 * MiB;
	containers[0].last_got = 3 * MiB;
	history_add(h, &sample, START_MS + 2000);
	all = curves(h, HISTORY_SPAN_RECENT, 7);
	list = json_object_get(json_object_get(json_object_get(all, "containers"), "7"),
			       "decisions");
	assert_int_equal(json_array_size(list), 2);
	d = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(d, "reason")), "cold");
	assert_string_equal(json_string_value(json_object_get(d, "action")), "reclaim");
	assert_int_equal(json_integer_value(json_object_get(d, "got")), 3 * MiB);
	assert_int_equal(json_integer_value(json_object_get(d, "at_ms")), 1700000000000);
	json_decref(all);

	for (unsigned int i = 0; i < 100; i++) {
		strcpy(containers[0].reason, i % 2 ? "cold" : "busy");
		history_add(h, &sample, START_MS + 3000 + i);
	}
	all = curves(h, HISTORY_SPAN_RECENT, 7);
	list = json_object_get(json_object_get(json_object_get(all, "containers"), "7"),
			       "decisions");
	assert_int_equal(json_array_size(list), HISTORY_DECISIONS);
	json_decref(all);
	history_free(h);
}

static void test_bound(void **state)
{
	struct history *h = history_new();
	size_t n = ARRAY_SIZE(containers);

	for (size_t i = 0; i < n; i++)
		containers[i] = (struct sample_container){ .id = i + 1, .bytes = MiB };
	sample.nr = n;
	assert_int_equal(history_add(h, &sample, START_MS), 0);
	assert_int_equal(history_containers(h), HISTORY_MAX_CONTAINERS);
	assert_true(history_bytes(h) <= HISTORY_MAX_BYTES);
	assert_null(history_find(h, n));
	/* One that is clearly larger gets a place; one of the same size does not push. */
	containers[n - 1].bytes = 3 * MiB;
	history_add(h, &sample, START_MS + STEP_MS);
	assert_int_equal(history_containers(h), HISTORY_MAX_CONTAINERS);
	assert_non_null(history_find(h, n));
	assert_null(history_find(h, n - 1));
	for (size_t i = 1; i < h->nr; i++)
		assert_true(h->rings[i - 1]->id < h->rings[i]->id);
	history_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packing),   cmocka_unit_test(test_curves),
		cmocka_unit_test(test_day),       cmocka_unit_test(test_gone),
		cmocka_unit_test(test_decisions), cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests_name("exporter history", tests, NULL, NULL);
}
