// SPDX-License-Identifier: GPL-2.0-only
/* `ebb record` against the real server, whose streams are made up; `ebb replay` of what is no file.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ebb/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "live_server.h"

static char dir[] = "/tmp/ebb-record-XXXXXX";
static char path[64], file[64];
static struct cli cli;
static char *out, *err;
static size_t out_len, err_len;

/* --- what is streamed ---------------------------------------------------------------- */

static const char head[] = "{\"ebb_recording\":1}\n{\"turn\":1,\"snapshot\":{\"turn\":5}}\n"
			   "{\"turn\":2}\n{\"gap\":12}\n{\"state\":{}}\n{\"turn\":15}\n";
static const char tail[] = "{\"end\":\"stopped\",\"turns\":3,\"missed\":12}\n";
static struct client *under_way;

static void on_enough(void *arg)
{
	server_stream_put(under_way, tail, strlen(tail), true);
	server_stream_close(TAKE_PTR(under_way));
}

static void on_gone(void *arg)
{
	under_way = NULL;
}

static const struct server_stream stream = { .enough = on_enough, .gone = on_gone };

/* turns: 1, it ends by itself; 2, it ends without an end; 3, it is refused; 0, it goes on. */
static int answer_record(void *arg, const struct server_peer *peer, const json_t *request,
			 json_t **ret_data, char *errbuf)
{
	json_int_t how = json_integer_value(json_object_get(request, "turns"));

	if (how == 3) {
		snprintf(errbuf, SERVER_ERROR_MAX, "too many recordings");
		return EBB_EXIT_FAILED;
	}
	under_way = peer->client;
	if (server_stream_open(under_way, &stream, NULL))
		return EBB_EXIT_FAILED;
	/* In pieces, as a busy socket would have it. */
	for (size_t i = 0; i < sizeof(head) - 1; i += 7)
		server_stream_put(under_way, head + i,
				  sizeof(head) - 1 - i < 7 ? sizeof(head) - 1 - i : 7, false);
	if (how == 1)
		on_enough(NULL);
	else if (how == 2)
		server_stream_close(TAKE_PTR(under_way));
	return 0;
}

static const struct server_command commands[] = { { "record", false, answer_record } };
static const struct server_ops ops = { commands, ARRAY_SIZE(commands) };

/* --- around a test ------------------------------------------------------------------- */

static int open_cli(void **state)
{
	memset(&cli, 0, sizeof(cli));
	cli.socket = path;
	cli.width = 80;
	cli.out = open_memstream(&out, &out_len);
	cli.err = open_memstream(&err, &err_len);
	return cli.out && cli.err ? live_start(path, &ops) : -1;
}

static int close_cli(void **state)
{
	fclose(cli.out);
	fclose(cli.err);
	free(TAKE_PTR(out));
	free(TAKE_PTR(err));
	unlink(file);
	return live_stop();
}

static void says(FILE *to, char **text, const char *what)
{
	fflush(to);
	if (!strstr(*text, what))
		fail_msg("'%s' is not in '%s'", what, *text);
}

static void holds(const char *a, const char *b)
{
	char text[512] = "", wanted[512];
	_cleanup_fclose_ FILE *in = fopen(file, "re");

	assert_non_null(in);
	assert_true(fread(text, 1, sizeof(text) - 1, in) > 0);
	snprintf(wanted, sizeof(wanted), "%s%s", a, b);
	assert_string_equal(text, wanted);
}

/* --- tests --------------------------------------------------------------------------- */

static void test_it_ends_by_itself(void **state)
{
	cli.count = 1;
	assert_int_equal(run_record(&cli, file), EBB_EXIT_OK);
	says(cli.out, &out, ": 3 turns in ");
	says(cli.out, &out, "12 more are missing");
	holds(head, tail);
}

static void test_after_so_many_seconds(void **state)
{
	cli.seconds_ms = 100;
	cli.json = true;
	assert_int_equal(run_record(&cli, file), EBB_EXIT_OK);
	says(cli.out, &out, "\"turns\": 3");
	says(cli.out, &out, "\"missed\": 12");
	says(cli.out, &out, "\"complete\": true");
	holds(head, tail);
}

static void test_ebbd_goes_away(void **state)
{
	cli.count = 2;
	assert_int_equal(run_record(&cli, file), EBB_EXIT_FAILED);
	says(cli.err, &err, "ebbd hung up");
	holds(head, "");
}

/* What is there stays, unless there is something to put in its place. */
static void test_a_refusal_empties_nothing(void **state)
{
	_cleanup_fclose_ FILE *before = fopen(file, "we");

	fputs("precious", before);
	fflush(before);
	cli.count = 3;
	assert_int_equal(run_record(&cli, file), EBB_EXIT_FAILED);
	says(cli.err, &err, "too many recordings");
	holds("precious", "");
}

static void test_nowhere_to_write(void **state)
{
	cli.count = 1;
	assert_int_equal(run_record(&cli, "/nowhere/at/all"), EBB_EXIT_FAILED);
	says(cli.err, &err, "cannot write /nowhere/at/all: No such file or directory");
	assert_int_equal(run_record(&cli, "/dev/full"), EBB_EXIT_FAILED);
	says(cli.err, &err, "cannot write the recording: No space left on device");
}

static void test_nothing_to_replay(void **state)
{
	assert_int_equal(run_replay(&cli, "/nowhere/at/all"), EBB_EXIT_FAILED);
	says(cli.err, &err, "cannot read /nowhere/at/all: No such file or directory");
	assert_int_equal(run_replay(&cli, dir), EBB_EXIT_FAILED);
	says(cli.err, &err, "Is a directory");
	assert_int_equal(run_replay(&cli, "/dev/null"), EBB_EXIT_FAILED);
	says(cli.err, &err, "the file is empty");
	/* It has no end, and its first line neither. */
	assert_int_equal(run_replay(&cli, "/dev/zero"), EBB_EXIT_FAILED);
	says(cli.err, &err, "a line is longer than 8 MiB: no recording of ebb");
	assert_int_equal(run_replay(&cli, "docs/demo.svg"), EBB_EXIT_FAILED);
	says(cli.err, &err, "docs/demo.svg: line 1: this is no recording of ebb");
	assert_int_equal(out_len, 0);
}

static int make_dir(void **state)
{
	signal(SIGPIPE, SIG_IGN); /* as ebbd does */
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/run/ebbd.sock", dir);
	snprintf(file, sizeof(file), "%s/recording", dir);
	return 0;
}

static int remove_dir(void **state)
{
	char run[64];

	snprintf(run, sizeof(run), "%s/run", dir);
	rmdir(run);
	return rmdir(dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cli, close_cli)
	const struct CMUnitTest tests[] = {
		TEST(test_it_ends_by_itself), TEST(test_after_so_many_seconds),
		TEST(test_ebbd_goes_away),    TEST(test_a_refusal_empties_nothing),
		TEST(test_nowhere_to_write),  TEST(test_nothing_to_replay),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
