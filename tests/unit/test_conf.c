// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "lib/conf.h"

static struct ebb_config config;
static struct conf_error err;

static int parse(const char *text)
{
	memset(&err, 0, sizeof(err));
	return conf_parse("ebb.conf", text, strlen(text), &config, &err);
}

static void test_defaults(void **state)
{
	assert_int_equal(parse(""), 0);
	assert_int_equal(config.cap, 0);
	assert_int_equal(config.cap_line, 0);
	assert_int_equal(config.cold_after_ms, 0);
	assert_int_equal(config.stall_budget_ppm, 1000);
	assert_int_equal(config.compress, EBB_COMPRESS_AUTO);
	assert_string_equal(config.listen, "127.0.0.1:9465");
	assert_int_equal(config.nr_rules, 0);
}

static void test_everything(void **state)
{
	assert_int_equal(parse("\xef\xbb\xbf# a comment\r\n"
			       "; another\n"
			       "\n"
			       "[ebb] ; main\n"
			       "cap = 2G                  ; memory never above this\n"
			       "  cold_after = 30s\n"
			       "\tstall_budget=0.5%\n"
			       "compress = zswap\n"
			       "[container \"postgres*\"]   ; a glob\n"
			       "protect = 512M\n"
			       "\n"
			       "reclaim = on\n"
			       "[container \"[ab;]*\"] # brackets and a semicolon\n"
			       "reclaim = off\n"
			       "[container\"empty\"]\n"
			       "[ebb]\n"
			       "listen = [::1]:80"),
			 0);
	assert_int_equal(config.cap, 2ull << 30);
	assert_int_equal(config.cap_line, 5);
	assert_int_equal(config.cold_after_ms, 30000);
	assert_int_equal(config.stall_budget_ppm, 5000);
	assert_int_equal(config.compress, EBB_COMPRESS_ZSWAP);
	assert_string_equal(config.listen, "[::1]:80");
	assert_int_equal(config.nr_rules, 3);
	assert_string_equal(config.rules[0].glob, "postgres*");
	assert_true(config.rules[0].has_protect);
	assert_int_equal(config.rules[0].protect, 512ull << 20);
	assert_true(config.rules[0].has_reclaim);
	assert_true(config.rules[0].reclaim);
	assert_string_equal(config.rules[1].glob, "[ab;]*");
	assert_false(config.rules[1].has_protect);
	assert_true(config.rules[1].has_reclaim);
	assert_false(config.rules[1].reclaim);
	assert_string_equal(config.rules[2].glob, "empty");
	assert_false(config.rules[2].has_protect || config.rules[2].has_reclaim);
}

static const struct {
	const char *text;
	unsigned int line;
	const char *says; /* part of the message */
} wrong[] = {
	{ "[ebb]\n\ncapp = 2G\n", 3,
	  "unknown key 'capp' in [ebb]: expected one of cap, cold_after" },
	{ "[ebb]\nprotect = 1G\n", 2, "unknown key 'protect'" },
	{ "[container \"a\"]\ncap = 1G\n", 2, "expected one of protect, reclaim" },
	{ "[ebbd]\n", 1, "unknown section [ebbd]: expected [ebb] or [container \"GLOB\"]" },
	{ "[ebb\ncap = 1G\n", 1, "unknown section [ebb" },
	{ "[ebb] x\n", 1, "unknown section" },
	{ "[]\n", 1, "unknown section []" },
	{ "\n[container]\n", 2, "unknown section" },
	{ "[container postgres]\n", 1, "expected [container \"GLOB\"]" },
	{ "[container \"a]\n", 1, "expected [container \"GLOB\"]" },
	{ "[container \"a\"\n", 1, "expected [container \"GLOB\"]" },
	{ "[container \"\"]\n", 1, "0 characters: expected 1 to 255" },
	{ "[container \"a\"] b\n", 1, "after the section" },
	{ "cap = 2G\n", 1, "before any section: expected [ebb]" },
	{ "[ebb]\ncap = 2G\ncap = 3G\n", 3, "'cap' is given twice" },
	{ "[ebb]\ncap = 2G\n[container \"a\"]\n[ebb]\ncap = 3G\n", 5, "'cap' is given twice" },
	{ "[container \"a\"]\nreclaim = on\nreclaim = on\n", 3, "'reclaim' is given twice" },
	{ "[ebb]\ncap\n", 2, "expected KEY = VALUE" },
	{ "[ebb]\ncap\ncap = 1x\n", 2, "expected KEY = VALUE" },
	{ "[ebb]\ncap =\n", 2, "expected a size such as 512M" },
	{ "[ebb]\ncap = 30s\n", 2, "cap = 30s: expected a size such as 512M" },
	{ "[ebb]\ncap = 2GB\n", 2, "expected a size" },
	{ "[ebb]\ncap = 2G # all\n", 2, "expected a size" },
	{ "[ebb]\ncap = auto\n", 2, "expected a size" },
	{ "[ebb]\ncap = 0\n", 2, "out of range: expected 64.0M to 1.0P" },
	{ "[ebb]\ncap = 2P\n", 2, "out of range" },
	{ "[ebb]\ncap = 99999999999999999999\n", 2, "out of range" },
	{ "[ebb]\ncold_after = 30\n", 2, "expected auto, or a time with its unit" },
	{ "[ebb]\ncold_after = 2G\n", 2, "expected auto, or a time" },
	{ "[ebb]\ncold_after = 10ms\n", 2, "out of range: expected 1s to 7d" },
	{ "[ebb]\nstall_budget = 0.1\n", 2, "expected a share such as 0.1%" },
	{ "[ebb]\nstall_budget = 50%\n", 2, "out of range: expected 0.001% to 10%" },
	{ "[ebb]\ncompress = lz4\n", 2, "expected auto, zram, zswap or off" },
	{ "[ebb]\nlisten = localhost:1\n", 2, "expected ADDRESS:PORT" },
	{ "[ebb]\nlisten = 127.0.0.1\n", 2, "expected ADDRESS:PORT" },
	{ "[ebb]\nlisten = 127.0.0.1:\n", 2, "expected ADDRESS:PORT" },
	{ "[ebb]\nlisten = 127.0.0.1:+1\n", 2, "expected ADDRESS:PORT" },
	{ "[ebb]\nlisten = ::1:80\n", 2, "expected ADDRESS:PORT" },
	{ "[ebb]\nlisten = [::1:80\n", 2, "expected ADDRESS:PORT" },
	{ "[ebb]\nlisten = [127.0.0.1]:80\n", 2, "expected ADDRESS:PORT" },
	{ "[ebb]\nlisten = 127.0.0.1:0\n", 2, "port out of range" },
	{ "[ebb]\nlisten = 127.0.0.1:99999999999999999999\n", 2, "port out of range" },
	{ "[container \"a\"]\nprotect = lots\n", 2, "expected a size" },
	{ "[container \"a\"]\nreclaim = yes\n", 2, "expected on or off" },
	{ "[ebb]\n\x1b[2J = 1\n", 2, "byte 0x1b: expected text" },
	{ "[ebb]\ncap = \xc3\xa9\n", 2, "cap = \\xc3\\xa9:" },
};

static void test_wrong(void **state)
{
	static struct ebb_config before;

	memset(&config, 0x5a, sizeof(config));
	before = config;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		int r = parse(wrong[i].text);

		if (r != -EINVAL || err.line != wrong[i].line ||
		    !strstr(err.message, wrong[i].says))
			fail_msg("%s: gave %d, %s:%u: %s", wrong[i].text, r, err.file, err.line,
				 err.message);
		assert_string_equal(err.file, "ebb.conf");
		assert_memory_equal(&config, &before, sizeof(config));
	}
}

static void test_nul(void **state)
{
	static const char text[] = "[ebb]\ncap = 2\0G\n";

	assert_int_equal(conf_parse("f", text, sizeof(text) - 1, &config, &err), -EINVAL);
	assert_int_equal(err.line, 2);
	assert_non_null(strstr(err.message, "byte 0x00"));
}

static void test_long_lines(void **state)
{
	char text[2048];

	/* The longest line that inih takes whole, then one more. */
	snprintf(text, sizeof(text), "[ebb]\ncap = 2G ;%0*d\n", 198 - 10, 0);
	assert_int_equal(parse(text), 0);
	assert_int_equal(config.cap, 2ull << 30);
	snprintf(text, sizeof(text), "[ebb]\ncap = 2G ;%0*d\n", 199 - 10, 0);
	assert_int_equal(parse(text), -EINVAL);
	assert_int_equal(err.line, 2);
	assert_non_null(strstr(err.message, "199 characters: expected at most 198"));

	snprintf(text, sizeof(text), "#%01000d\n[container \"%0255d\"]\n", 0, 0);
	assert_int_equal(parse(text), 0);
	assert_int_equal(strlen(config.rules[0].glob), 255);
	snprintf(text, sizeof(text), "[container \"%0256d\"]\n", 0);
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(err.message, "256 characters: expected 1 to 255"));
	snprintf(text, sizeof(text), "[container \"%0600d\"]\n", 0);
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(err.message, "expected at most 512"));
}

static void test_too_many_rules(void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	for (unsigned int i = 0; i < EBB_MAX_RULES; i++)
		fprintf(f, "[container \"c%u\"]\n", i);
	fflush(f);
	assert_int_equal(parse(text), 0);
	assert_int_equal(config.nr_rules, EBB_MAX_RULES);
	assert_string_equal(config.rules[EBB_MAX_RULES - 1].glob, "c255");
	fprintf(f, "[container \"one more\"]\n");
	fclose(f);
	assert_int_equal(parse(text), -EINVAL);
	assert_int_equal(err.line, EBB_MAX_RULES + 1);
	assert_non_null(strstr(err.message, "at most 256"));
}

static void test_files(void **state)
{
	char dir[] = "/tmp/ebb-conf-XXXXXX", path[64], text[CONF_ERROR_MAX];
	char self[160];
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/ebb.conf", dir);
	assert_int_equal(conf_load(path, &config, &err), -ENOENT);
	assert_int_equal(err.line, 0);
	assert_string_equal(err.file, path);

	/* The units name the default, and a configuration is not needed. */
	if (access(EBB_CONFIG_PATH, F_OK)) {
		config.cap = 1;
		assert_int_equal(conf_load(EBB_CONFIG_PATH, &config, &err), 0);
		assert_int_equal(config.cap, 0);
	}
	assert_int_equal(conf_load(dir, &config, &err), -EINVAL);
	assert_non_null(strstr(err.message, "not a regular file"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(conf_load(path, &config, &err), -EINVAL);
	assert_int_equal(unlink(path), 0);

	f = fopen(path, "w");
	assert_non_null(f);
	fputs("[ebb]\ncap = 3x\n", f);
	fclose(f);
	assert_int_equal(conf_load(path, &config, &err), -EINVAL);
	snprintf(self, sizeof(self), "%s:2: cap = 3x: expected a size such as 512M, 1.5G or 64KiB",
		 path);
	assert_string_equal(conf_error_text(&err, text), self);

	/* A large program has its line, too. */
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("[ebb]\ncap = 3G\n", f);
	fclose(f);
	assert_int_equal(truncate(path, (1 << 20) + 1), 0);
	assert_int_equal(conf_load(path, &config, &err), -EINVAL);
	assert_int_equal(err.line, 3);
	f = fopen(path, "w");
	assert_non_null(f);
	for (int i = 0; i < (1 << 20) / 64 + 1; i++)
		fprintf(f, ";%62s\n", "");
	fclose(f);
	assert_int_equal(conf_load(path, &config, &err), -EINVAL);
	assert_int_equal(err.line, (1 << 20) / 64 + 1);
	assert_non_null(strstr(err.message, "beyond 1M"));
	unlink(path);
	rmdir(dir);

	/* No options, and endless ones. */
	assert_int_equal(conf_load("/dev/null", &config, &err), 0);
	assert_int_equal(config.stall_budget_ppm, 1000);
	assert_int_equal(conf_load("/dev/zero", &config, &err), -EINVAL);
	assert_int_equal(err.line, 1);

	/* A real binary. */
	assert_int_equal(conf_load("/bin/true", &config, &err), -EINVAL);
	assert_int_equal(err.line, 1);
	assert_non_null(strstr(err.message, "binary"));
}

static void test_machine(void **state)
{
	const uint64_t MiB = 1 << 20;

	conf_defaults(&config);
	assert_int_equal(conf_check_machine(&config, "f", 100 * MiB, 90 * MiB, &err), 0);

	assert_int_equal(parse("[ebb]\n\ncap = 2G\n"), 0);
	/* What Debian 13 shows of 2 GiB. */
	assert_int_equal(conf_check_machine(&config, "f", 1967 * MiB, 300 * MiB, &err), 0);
	assert_int_equal(conf_check_machine(&config, "f", 1024 * MiB, 300 * MiB, &err), -EINVAL);
	assert_string_equal(err.file, "f");
	assert_int_equal(err.line, 3);
	assert_non_null(strstr(err.message, "cap = 2.0G is above the RAM of this machine"));
	assert_int_equal(conf_check_machine(&config, NULL, 8192 * MiB, 2049 * MiB, &err), -EINVAL);
	assert_string_equal(err.file, EBB_CONFIG_PATH);
	assert_int_equal(err.line, 3);
	assert_non_null(strstr(err.message, "below what runs now"));
	assert_int_equal(conf_check_machine(&config, "f", 8192 * MiB, 2048 * MiB, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),   cmocka_unit_test(test_everything),
		cmocka_unit_test(test_wrong),      cmocka_unit_test(test_nul),
		cmocka_unit_test(test_long_lines), cmocka_unit_test(test_too_many_rules),
		cmocka_unit_test(test_files),      cmocka_unit_test(test_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
