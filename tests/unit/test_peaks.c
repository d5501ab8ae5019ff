// SPDX-License-Identifier: GPL-2.0-only
/* What containers became, kept over restarts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/peaks.h"

static struct peaks p;
static char dir[] = "/tmp/ebb-peaks-XXXXXX";

static int start(void **state)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return mkdtemp(dir) ? peaks_open(&p, dir) : -1;
}

static void path_of(char *path, size_t size)
{
	snprintf(path, size, "%s/peaks.json", dir);
}

static int finish(void **state)
{
	char path[64];

	peaks_close(&p);
	path_of(path, sizeof(path));
	unlink(path);
	return rmdir(dir);
}

static void again(void)
{
	assert_int_equal(peaks_save(&p, dir, true), 0);
	peaks_close(&p);
	assert_int_equal(peaks_open(&p, dir), 0);
}

static void test_by_name_and_image(void **state)
{
	assert_int_equal(peaks_get(&p, "web", "nginx"), 0);
	peaks_note(&p, "web", "nginx", 100);
	peaks_note(&p, "web", "apache", 300);
	assert_int_equal(peaks_get(&p, "web", "nginx"), 100);
	assert_int_equal(peaks_get(&p, "web", "apache"), 300);
	assert_int_equal(peaks_get(&p, "web", NULL), 0);
}

static void test_an_unknown_name_of_a_known_image(void **state)
{
	peaks_note(&p, "brave_knuth", "node:20", 500);
	peaks_note(&p, "calm_euler", "node:20", 700);
	assert_int_equal(peaks_get(&p, "odd_turing", "node:20"), 700);
	assert_int_equal(peaks_get(&p, "brave_knuth", "node:20"), 500);
	/* Bare groups have no image: nothing follows from one for another. */
	peaks_note(&p, "job", "", 900);
	assert_int_equal(peaks_get(&p, "other", ""), 0);
}

static void test_grows_at_once_and_falls_slowly(void **state)
{
	peaks_note(&p, "a", "", 800);
	peaks_note(&p, "a", "", 1600);
	assert_int_equal(peaks_get(&p, "a", ""), 1600);
	peaks_note(&p, "a", "", 800);
	assert_int_equal(peaks_get(&p, "a", ""), 1500);
}

static void test_survives_a_restart(void **state)
{
	peaks_note(&p, "a\"\n\xff", "i\033[31m", 123456789012ull);
	again();
	assert_int_equal(peaks_get(&p, "a\"\n\xff", "i\033[31m"), 123456789012ull);
	assert_false(p.dirty);
}

static void test_the_oldest_makes_room(void **state)
{
	char name[16];

	for (int i = 0; i < PEAKS_MAX + 10; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		peaks_note(&p, name, "", 1000 + i);
		peaks_note(&p, "c0", "", 1000); /* in use all the time */
	}
	assert_int_equal(p.nr, PEAKS_MAX);
	assert_int_equal(peaks_get(&p, "c0", ""), 1000);
	assert_int_equal(peaks_get(&p, "c5", ""), 0);
	assert_int_equal(peaks_get(&p, "c521", ""), 1521);
	again();
	assert_int_equal(p.nr, PEAKS_MAX);
	peaks_note(&p, "new", "", 1);
	assert_int_equal(peaks_get(&p, "c0", ""), 1000);
}

static void test_a_damaged_file_is_an_empty_one(void **state)
{
	static const char *const bad[] = { "", "[", "{}", "[1,{\"name\":1},null]",
					   "[{\"name\":\"a\",\"image\":\"\",\"bytes\":-5}]" };
	char path[64];

	path_of(path, sizeof(path));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *f = fopen(path, "we");

		assert_non_null(f);
		fputs(bad[i], f);
		fclose(f);
		peaks_close(&p);
		assert_int_equal(peaks_open(&p, dir), 0);
		assert_int_equal(p.nr, 0);
	}
}

static void test_a_folder_that_is_not_there(void **state)
{
	peaks_note(&p, "a", "", 5);
	assert_int_equal(peaks_save(&p, "/nonexistent", false), -ENOENT);
	assert_true(p.dirty);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, start, finish)
	const struct CMUnitTest tests[] = {
		test(test_by_name_and_image),
		test(test_an_unknown_name_of_a_known_image),
		test(test_grows_at_once_and_falls_slowly),
		test(test_survives_a_restart),
		test(test_the_oldest_makes_room),
		test(test_a_damaged_file_is_an_empty_one),
		test(test_a_folder_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
