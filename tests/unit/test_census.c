// SPDX-License-Identifier: GPL-2.0-only
/* What the census on files reads: lru_gen, lru_gen_full and the pressure files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sense/census.h"

struct seen {
	unsigned int n;
	char path[4][64];
	struct ebb_census lru[4];
};

static void on_node(void *arg, const char *path, const struct ebb_census *lru)
{
	struct seen *s = arg;

	assert_true(s->n < 4);
	strncpy(s->path[s->n], path, 63);
	s->lru[s->n++] = *lru;
}

static void lru_gen_of_two_groups(void **state)
{
	static const char text[] = "memcg     1 /\n"
				   " node     0\n"
				   "          5      43616         10        453 \n"
				   "          6       1616         47       2293 \n"
				   "memcg 4294967299 /a b\n"
				   " node     0\n"
				   "          0      17616          0          3 \n"
				   " node     1\n"
				   "          8         20          1          2 \n";
	struct seen s = { 0 };

	assert_int_equal(parse_lru_gen(text, sizeof(text) - 1, 4096, on_node, &s), 0);
	assert_int_equal(s.n, 3);
	assert_string_equal(s.path[0], "/");
	assert_int_equal(s.lru[0].max_seq, 6);
	assert_int_equal(s.lru[0].min_seq_anon, 5);
	assert_int_equal(s.lru[0].gen[5 % 4].age_ms, 43616);
	assert_int_equal(s.lru[0].gen[6 % 4].anon, 47 * 4096);
	assert_int_equal(s.lru[0].gen[6 % 4].file, 2293 * 4096);
	assert_string_equal(s.path[1], "/a b");
	assert_int_equal(s.lru[2].node, 1);
	assert_int_equal(s.lru[2].gen[0].file, 2 * 4096);
}

/* Generations that a type does not have any more are marked, and details follow each. */
static void lru_gen_full_has_marks_and_details(void **state)
{
	static const char text[] = "memcg     1 /x\n"
				   " node     0\n"
				   "          1       1000          7x          9x\n"
				   "                     0          0r          0e          0p     "
				   "     1r          2e          3p\n"
				   "          2        900          7x         12 \n"
				   "                     0          5r          6e          7p     "
				   "     8r          9e          3p\n"
				   "          3        500          5          8 \n"
				   "                     0          0R          0T          0x     "
				   "     1R          2T          0x\n";
	struct seen s = { 0 };

	assert_int_equal(parse_lru_gen(text, sizeof(text) - 1, 4096, on_node, &s), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.lru[0].min_seq_anon, 3);
	assert_int_equal(s.lru[0].min_seq_file, 2);
	assert_int_equal(s.lru[0].max_seq, 3);
	assert_int_equal(s.lru[0].gen[1].file, 0);
	assert_int_equal(s.lru[0].gen[2].anon, 0);
	assert_int_equal(s.lru[0].gen[2].file, 12 * 4096);
	assert_int_equal(s.lru[0].gen[3].anon, 5 * 4096);
}

static void pressure_totals(void **state)
{
	__u64 some = 1, full = 2;

	parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=123456\n"
		       "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
		       &some, &full);
	assert_int_equal(some, 123456);
	assert_int_equal(full, 7);
}

static void pressure_that_is_none_changes_nothing(void **state)
{
	__u64 some = 1, full = 2;

	parse_pressure("some total=5x\nfull total=\nsome avg10=3\nothers total=9\n", &some, &full);
	parse_pressure("full total=99999999999999999999999", &some, &full);
	assert_int_equal(some, 1);
	assert_int_equal(full, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lru_gen_of_two_groups),
		cmocka_unit_test(lru_gen_full_has_marks_and_details),
		cmocka_unit_test(pressure_totals),
		cmocka_unit_test(pressure_that_is_none_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
