// SPDX-License-Identifier: GPL-2.0-only
/* The commands of `ebb` against the real server: what is asked, what is printed, the exit code. */
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "ebb/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "live_server.h"
#include "report/model.h"
#include "skip.h"

static char dir[] = "/tmp/ebb-cli-XXXXXX";
static char path[64];
static char last_name[64]; /* of the last pause or resume; "*": all */
static struct cli cli;
static char *out, *err;
static size_t out_len, err_len;

static int answer_list(void *arg, const struct server_peer *peer, const json_t *request,
		       json_t **ret_data, char *errbuf)
{
	const struct report_container c = { .id = 5, .name = "db", .bytes = 1 << 20 };

	*ret_data = json_pack("[o]", report_container_json(&c));
	return 0;
}

static int answer_version(void *arg, const struct server_peer *peer, const json_t *request,
			  json_t **ret_data, char *errbuf)
{
	*ret_data = json_pack("{s:s}", "version", "9.8.7");
	return 0;
}

static int answer_doctor(void *arg, const struct server_peer *peer, const json_t *request,
			 json_t **ret_data, char *errbuf)
{
	*ret_data = json_pack("{s:b,s:s,s:[],s:[]}", "able", 1, "verdict", "", "checks", "rungs");
	return 0;
}

static int answer_pause(void *arg, const struct server_peer *peer, const json_t *request,
			json_t **ret_data, char *errbuf)
{
	const char *name = json_string_value(json_object_get(request, "name"));

	if (name && !strcmp(name, "nobody")) {
		snprintf(errbuf, SERVER_ERROR_MAX, "no container of that name or id");
		return EBB_EXIT_FAILED;
	}
	snprintf(last_name, sizeof(last_name), "%s", name ? name : "*");
	*ret_data = json_pack("{s:b,s:i}", "paused", 1, "containers", name ? 1 : 7);
	return 0;
}

static int answer_status(void *arg, const struct server_peer *peer, const json_t *request,
			 json_t **ret_data, char *errbuf)
{
	snprintf(errbuf, SERVER_ERROR_MAX, "this kernel cannot");
	return EBB_EXIT_KERNEL;
}

static const struct server_command commands[] = {
	{ "list", false, answer_list },     { "version", false, answer_version },
	{ "doctor", false, answer_doctor }, { "pause", true, answer_pause },
	{ "resume", true, answer_pause },   { "status", false, answer_status },
};
static const struct server_ops ops = { commands, ARRAY_SIZE(commands) };

static int open_cli(void **state)
{
	memset(&cli, 0, sizeof(cli));
	last_name[0] = '\0';
	cli.socket = path;
	cli.width = 80;
	cli.out = open_memstream(&out, &out_len);
	cli.err = open_memstream(&err, &err_len);
	return cli.out && cli.err ? 0 : -1;
}

static int close_cli(void **state)
{
	fclose(cli.out);
	fclose(cli.err);
	free(TAKE_PTR(out));
	free(TAKE_PTR(err));
	return 0;
}

static int start(void **state)
{
	return live_start(path, &ops) < 0 ? -1 : open_cli(state);
}

static int finish(void **state)
{
	close_cli(state);
	return live_stop();
}

/* Runs `ebb NAME ARGUMENT` and compares what it printed. NULL: anything but nothing. */
static void expect(int code, const char *name, const char *argument, const char *expected_out,
		   const char *expected_err)
{
	const struct cli_command *command = NULL;

	for (size_t i = 0; i < cli_nr_commands; i++)
		if (!strcmp(cli_commands[i].name, name))
			command = &cli_commands[i];
	if (!command) {
		fail_msg("no command %s", name);
		return;
	}
	close_cli(NULL);
	cli.out = open_memstream(&out, &out_len);
	cli.err = open_memstream(&err, &err_len);
	assert_int_equal(command->run(&cli, argument), code);
	fflush(cli.out);
	fflush(cli.err);
	if (expected_out)
		assert_string_equal(out, expected_out);
	else
		assert_true(out_len > 0);
	if (expected_err)
		assert_string_equal(err, expected_err);
	else
		assert_true(err_len > 0);
}

static void test_reading(void **state)
{
	json_t *list;

	expect(0, "list", NULL,
	       "NAME                SIZE  COLD TAKEN  BACK  STATE       REASON\n"
	       "db                  1.0M     -     -     -  starting    nothing to report\n",
	       "");
	expect(0, "version", NULL, "ebb " EBB_VERSION "\nebbd 9.8.7\n", "");
	expect(0, "doctor", NULL, "This machine\n\nebb can work here.\n", "");
	expect(EBB_EXIT_KERNEL, "status", NULL, "", "ebb: this kernel cannot\n");

	cli.json = true;
	expect(0, "list", NULL, NULL, "");
	list = json_loads(out, 0, NULL);
	assert_string_equal(get_text(json_array_get(list, 0), "id"), "5");
	json_decref(list);
	expect(0, "version", NULL, "{\n  \"ebb\": \"" EBB_VERSION "\",\n  \"ebbd\": \"9.8.7\"\n}\n",
	       "");
	expect(EBB_EXIT_KERNEL, "status", NULL, "", "ebb: this kernel cannot\n");
}

static void check_pausing(void)
{
	expect(0, "pause", NULL, "Paused: nothing is taken from any container.\n", "");
	assert_string_equal(last_name, "*");
	expect(0, "pause", "db", "paused: db (1 container)\n", "");
	assert_string_equal(last_name, "db");
	expect(0, "resume", "d\xc3\xa9", "resumed: d\\xc3\\xa9 (1 container)\n", "");
	assert_string_equal(last_name, "d\xc3\xa9");
	expect(EBB_EXIT_FAILED, "pause", "nobody", "", "ebb: no container of that name or id\n");
	expect(EBB_EXIT_USAGE, "pause", "\xff", "", "ebb: a name that is not UTF-8\n");
}

static void test_pausing(void **state)
{
	char name[EBB_WIRE_REQUEST_MAX + 1];

	if (getuid() == 0)
		check_pausing();
	else
		skip_because("pausing needs root");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	expect(EBB_EXIT_FAILED, "pause", name, "", "ebb: the name is too long\n");
}

/* As a user who is in the group, then as one who is not. */
static void test_not_root(void **state)
{
	int status;
	pid_t pid;

	if (getuid() != 0)
		skip_because("giving up root needs root");
	assert_int_equal(chmod(dir, 0755), 0);
	for (int member = 1; member >= 0; member--) {
		assert_int_equal(chmod(path, member ? 0666 : 0600), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			char error[CLI_ERROR_MAX] = "";
			json_t *request = json_pack("{s:s}", "cmd", "pause"), *data = NULL;
			int r;

			if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
				_exit(10);
			r = client_call(path, request, &data, NULL, error);
			json_decref(request);
			if (r != EBB_EXIT_FAILED)
				_exit(11);
			_exit(strstr(error, member ? "only root may pause"
						   : "is for root and the members of group ebb")
				      ? 0
				      : 12);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_string_equal(last_name, "");
}

static void test_not_running(void **state)
{
	expect(EBB_EXIT_FAILED, "list", NULL, "", NULL);
	assert_non_null(strstr(err, "ebbd is not running"));
	expect(0, "version", NULL, "ebb " EBB_VERSION "\nebbd is not running, or not to be asked\n",
	       "");
	/* The doctor looks for itself; what it finds depends on the machine. */
	cli.json = true;
	{
		static struct doctor_report here;
		json_t *data;

		assert_int_equal(doctor_requirements(&here, NULL), 0);
		expect(here.able ? EBB_EXIT_OK : EBB_EXIT_KERNEL, "doctor", NULL, NULL, "");
		data = json_loads(out, 0, NULL);
		assert_true(get_bool(data, "able") == here.able);
		assert_true(json_is_false(get(data, "ebbd")));
		assert_true(json_array_size(get(data, "checks")) > 5);
		assert_true(json_array_size(get(data, "rungs")) > 3);
		json_decref(data);
	}
}

static int make_dir(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/ebbd.sock", dir);
	return 0;
}

static int remove_dir(void **state)
{
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reading, start, finish),
		cmocka_unit_test_setup_teardown(test_pausing, start, finish),
		cmocka_unit_test_setup_teardown(test_not_root, start, finish),
		cmocka_unit_test_setup_teardown(test_not_running, open_cli, close_cli),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
