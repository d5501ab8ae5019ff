// SPDX-License-Identifier: GPL-2.0-only
/* `ebb top` without a terminal: the canvas, the order of the rows, what keys do, hostile names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ebb/top.h"
#include "lib/cleanup.h"

static struct top_model model;
static struct top_view view;
static struct canvas canvas;
static char line[4 * 512 + 1];

/* n containers: c0 the smallest; names and ids of their own. */
static json_t *make_list(unsigned int n)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < n; i++) {
		char name[16], id[16];

		snprintf(name, sizeof(name), "c%u", i);
		snprintf(id, sizeof(id), "%u", 1000 - i);
		json_array_append_new(
			list, json_pack("{s:s,s:s,s:I,s:I,s:I,s:s,s:s}", "id", id, "name", name,
					"bytes", (json_int_t)(i + 1) << 20, "cold",
					(json_int_t)(n - i) << 10, "swap", (json_int_t)0, "state",
					"settled", "reason_text", "all of it is in use"));
	}
	return list;
}

static void feed(json_t *list)
{
	top_model_feed(&model, list,
		       json_pack("{s:s,s:{s:I,s:I}}", "version", "1", "memory", "total",
				 (json_int_t)1 << 30, "used", (json_int_t)1 << 29));
}

static int start(void **state)
{
	view = (struct top_view){ .key = row_key_size, .delay_ms = 2000 };
	canvas = (struct canvas){ 0 };
	return canvas_resize(&canvas, 80, 24);
}

static int finish(void **state)
{
	top_model_close(&model);
	canvas_free(&canvas);
	return 0;
}

static const char *draw_line(unsigned int y)
{
	assert_int_equal(canvas_resize(&canvas, canvas.width, canvas.height), 0);
	top_draw(&canvas, &model, &view);
	return canvas_line(&canvas, y, line);
}

static void assert_starts(unsigned int y, const char *expected)
{
	draw_line(y);
	if (strncmp(line, expected, strlen(expected)) != 0)
		fail_msg("line %u is '%s', not '%s'", y, line, expected);
}

static void test_bar(void **state)
{
	canvas_bar(&canvas, 0, 0, 10, (uint64_t[]){ 50, 30, 0 }, 3, 100);
	assert_string_equal(canvas_line(&canvas, 0, line), "#####===");
	/* What is there is seen, however little, and nothing goes beyond the end. */
	canvas_bar(&canvas, 0, 1, 10, (uint64_t[]){ 1, 1, 1 }, 3, 1000000);
	assert_string_equal(canvas_line(&canvas, 1, line), "#=.");
	canvas_bar(&canvas, 0, 2, 10, (uint64_t[]){ UINT64_MAX / 2, UINT64_MAX / 2, 0 }, 3,
		   UINT64_MAX / 4);
	assert_string_equal(canvas_line(&canvas, 2, line), "##########");
	canvas_bar(&canvas, 0, 3, 10, (uint64_t[]){ 1 }, 1, 0);
	assert_string_equal(canvas_line(&canvas, 3, line), "");
}

static void test_spark(void **state)
{
	const uint64_t values[] = { 9, 0, 1, 2, 3, 4, 5, 6, 7 };

	canvas_spark(&canvas, 0, 0, 8, CANVAS_PLAIN, values, 9, 0);
	assert_string_equal(canvas_line(&canvas, 0, line), "_.-~=+*#");
	canvas.utf8 = true;
	canvas_spark(&canvas, 0, 1, 8, CANVAS_PLAIN, values + 1, 8, 7);
	assert_string_equal(canvas_line(&canvas, 1, line), "▁▂▃▄▅▆▇█");
	canvas_spark(&canvas, 0, 2, 8, CANVAS_PLAIN, (uint64_t[]){ 0, 0 }, 2, 0);
	assert_string_equal(canvas_line(&canvas, 2, line), "▁▁");
}

static void test_order(void **state)
{
	feed(make_list(3));
	assert_starts(6, "c2 ");
	assert_starts(8, "c0 ");
	top_view_key(&view, &model, 's', 17);
	assert_string_equal(view.key->name, "cold");
	assert_starts(6, "c0 ");
	top_view_key(&view, &model, 'r', 17);
	assert_starts(6, "c2 ");
	/* Backwards around the end. */
	top_view_key(&view, &model, 'S', 17);
	top_view_key(&view, &model, 'S', 17);
	assert_string_equal(view.key->name, row_keys[nr_row_keys - 1].name);
}

static void type(const char *text)
{
	for (; *text; text++)
		top_view_key(&view, &model, (unsigned char)*text, 17);
}

static void test_filter(void **state)
{
	feed(make_list(12));
	type("/C1q");
	assert_true(view.typing);
	assert_starts(6, " No container matches.");
	top_view_key(&view, &model, TOP_KEY_ERASE, 17);
	top_view_key(&view, &model, TOP_KEY_ENTER, 17);
	assert_starts(6, "c11 ");
	assert_starts(8, "c1 ");
	assert_starts(9, "");
	assert_string_equal(line, "");
	top_view_key(&view, &model, TOP_KEY_ESCAPE, 17);
	assert_string_equal(view.filter, "");
	type("/c[34]");
	assert_starts(6, "c4 ");
	assert_starts(7, "c3 ");
	/* It has an end. */
	for (int i = 0; i < 1000; i++)
		type("x");
	assert_int_equal(strlen(view.filter), TOP_FILTER_MAX - 1);
}

static void test_cursor(void **state)
{
	feed(make_list(100));
	top_view_key(&view, &model, TOP_KEY_DOWN, 17);
	assert_string_equal(view.chosen, "902"); /* c98 */
	top_view_key(&view, &model, TOP_KEY_END, 17);
	assert_string_equal(view.chosen, "1000");
	assert_starts(22, "c0 ");
	/* The order turns, and the cursor stays on its container. */
	top_view_key(&view, &model, 'r', 17);
	assert_starts(6, "c0 ");
	assert_int_equal(view.first, 0);
	top_view_key(&view, &model, TOP_KEY_PAGE_DOWN, 17);
	assert_string_equal(view.chosen, "983");
	/* It goes: the cursor is at the top again. */
	feed(make_list(3));
	view.detail = true;
	assert_starts(6, "c0 ");
	top_view_key(&view, &model, TOP_KEY_UP, 17);
	assert_string_equal(view.chosen, "");
	assert_int_equal(top_view_key(&view, &model, 'q', 17), TOP_WISH_QUIT);
	assert_int_equal(top_view_key(&view, &model, ' ', 17), TOP_WISH_REFRESH);
	feed(json_array());
	assert_int_equal(top_view_key(&view, &model, TOP_KEY_DOWN, 17), TOP_WISH_NONE);
	assert_starts(6, " No containers are running.");
}

static void test_history(void **state)
{
	for (unsigned int i = 0; i < TOP_HISTORY + 5; i++)
		feed(make_list(2 + i % 2));
	assert_int_equal(model.nr_series, 2);
	assert_int_equal(top_series_find(&model, "1000")->nr, TOP_HISTORY);
	assert_null(top_series_find(&model, "998"));
	/* The same id twice is one. */
	feed(json_pack("[{s:s},{s:s}]", "id", "7", "id", "7"));
	feed(json_pack("[{s:s},{s:s}]", "id", "7", "id", "7"));
	assert_non_null(top_series_find(&model, "7"));
	assert_null(top_series_find(&model, "1000"));
}

/* Printable ASCII, and where there is UTF-8 the blocks that bars and curves are drawn with. */
static void assert_harmless(uint32_t c)
{
	bool block = canvas.utf8 && c >= 0x2581 && c <= 0x2593;

	if (c && (c < 0x20 || c >= 0x7f) && !block)
		fail_msg("U+%04X is on the screen", c);
}

/* On every size of screen: nothing that a terminal obeys, nothing beyond the grid. */
static void test_hostile(void **state)
{
	static const char name[] = "\x1b]0;owned\x07\x1b[2J<script>\"'\n\xc2\x9b";
	char *longer = malloc(10241);

	assert_non_null(longer);
	memset(longer, 'n', 10240);
	longer[10240] = '\0';
	feed(json_pack("[{s:s,s:s,s:s,s:s,s:s},{s:s,s:s,s:I},{s:i},s]", "id", "1", "name", name,
		       "image", name, "state", name, "reason_text", name, "id", "2", "name", longer,
		       "bytes", (json_int_t)INT64_MAX, "name", 5, "rubbish"));
	free(longer);
	view.detail = true;
	for (unsigned int width = 1; width < 210; width += 7) {
		for (unsigned int height = 1; height < 60; height += 5) {
			assert_int_equal(canvas_resize(&canvas, width, height), 0);
			view.help = height % 2;
			canvas.utf8 = height % 3;
			top_draw(&canvas, &model, &view);
			for (size_t i = 0; i < (size_t)width * height; i++)
				assert_harmless(canvas.cells[i].c);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bar, start, finish),
		cmocka_unit_test_setup_teardown(test_spark, start, finish),
		cmocka_unit_test_setup_teardown(test_order, start, finish),
		cmocka_unit_test_setup_teardown(test_filter, start, finish),
		cmocka_unit_test_setup_teardown(test_cursor, start, finish),
		cmocka_unit_test_setup_teardown(test_history, start, finish),
		cmocka_unit_test_setup_teardown(test_hostile, start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
