// SPDX-License-Identifier: GPL-2.0-only
/* The commands: ask, then print. */
#include <fcntl.h>
#include <stdlib.h>

#include "ebb/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "report/model.h"
#include "sense/doctor.h"
#include "sense/hooks.h"

int cli_complain(const struct cli *cli, int code, const char *error)
{
	fprintf(cli->err, "ebb: %s\n", error);
	return code;
}

static json_t *make_request(const char *cmd, const char *name)
{
	return name ? json_pack("{s:s,s:s}", "cmd", cmd, "name", name)
		    : json_pack("{s:s}", "cmd", cmd);
}

int cli_call(const struct cli *cli, const char *cmd, const char *name, json_t **ret_data,
	     bool *ret_running, char *error)
{
	json_t *request = make_request(cmd, name);
	int r;

	if (!request) {
		snprintf(error, CLI_ERROR_MAX, "a name that is not UTF-8");
		return EBB_EXIT_USAGE;
	}
	r = client_call(cli->socket, request, ret_data, ret_running, error);
	json_decref(request);
	return r;
}

static int ask_and_print(const struct cli *cli, const char *cmd,
			 void (*print)(const struct cli *, const json_t *))
{
	char error[CLI_ERROR_MAX];
	json_t *data;
	int r = cli_call(cli, cmd, NULL, &data, NULL, error);

	if (r)
		return cli_complain(cli, r, error);
	(cli->json ? print_json : print)(cli, data);
	json_decref(data);
	return EBB_EXIT_OK;
}

static int run_list(const struct cli *cli, const char *argument)
{
	char error[CLI_ERROR_MAX];
	json_t *data = NULL, *some;
	int r = cli_call(cli, "list", NULL, &data, NULL, error);

	if (r)
		return cli_complain(cli, r, error);
	/* In ebbd's order, whole, unless a person asks for another. */
	some = cli->json && (cli->sort || cli->filter || cli->reverse) ? list_select(cli, data)
								       : json_incref(data);
	if (some)
		(cli->json ? print_json : cli->names ? print_names : print_list)(cli, some);
	json_decref(some);
	json_decref(data);
	return some ? EBB_EXIT_OK : cli_complain(cli, EBB_EXIT_FAILED, "out of memory");
}

static int run_status(const struct cli *cli, const char *argument)
{
	return ask_and_print(cli, "status", print_status);
}

/* The ladder of this kernel, without ebbd; NULL: no memory. */
static json_t *probe(void)
{
	_cleanup_free_ struct doctor_report *report = calloc(1, sizeof(*report));
	const struct hook_rung *rungs = NULL;
	struct hooks_opts opts = { .cgroup_fd = -1 };
	_cleanup_close_ int fd = -1;
	struct hooks *hooks = NULL;
	json_t *data = NULL;
	size_t n = 0;

	if (!report || doctor_probe(report, "", NULL) < 0)
		return NULL;
	fd = open(report->memory_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	opts.cgroup_fd = fd;
	if (fd >= 0 && hooks_probe(&hooks, &opts) == 0)
		rungs = hooks_rungs(hooks, &n);
	data = report_doctor_json(report, rungs, n);
	/* What the kernel shows to a user who may not load BPF is less than what ebbd gets. */
	if (data && json_object_set_new(data, "root", json_boolean(geteuid() == 0)) < 0)
		json_decref(TAKE_PTR(data));
	hooks_close(hooks);
	return data;
}

static int run_doctor(const struct cli *cli, const char *argument)
{
	char error[CLI_ERROR_MAX];
	bool running = false, able;
	json_t *data = NULL;
	int r = cli_call(cli, "doctor", NULL, &data, &running, error);

	if (r && running)
		return cli_complain(cli, r, error);
	if (r)
		data = probe();
	if (!data)
		return cli_complain(cli, EBB_EXIT_FAILED, "this machine cannot be looked at");
	able = get_bool(data, "able");
	if (cli->json) {
		json_object_set_new(data, "ebbd", json_boolean(running));
		print_json(cli, data);
	} else {
		print_doctor(cli, data);
		if (!running)
			fprintf(cli->out, "ebbd was not asked (%s).\n", error);
	}
	json_decref(data);
	return able ? EBB_EXIT_OK : EBB_EXIT_KERNEL;
}

static int switch_pause(const struct cli *cli, const char *cmd, const char *name, const char *all)
{
	char error[CLI_ERROR_MAX], shown[256];
	json_t *data;
	int r = cli_call(cli, cmd, name, &data, NULL, error);
	uint64_t n;

	if (r)
		return cli_complain(cli, r, error);
	n = get_number(data, "containers");
	if (cli->json)
		print_json(cli, data);
	else if (!name)
		fprintf(cli->out, "%s\n", all);
	else
		fprintf(cli->out, "%sd: %s (%llu container%s)\n", cmd,
			text_printable(shown, sizeof(shown), name), (unsigned long long)n,
			n == 1 ? "" : "s");
	json_decref(data);
	return EBB_EXIT_OK;
}

static int run_pause(const struct cli *cli, const char *argument)
{
	return switch_pause(cli, "pause", argument, "Paused: nothing is taken from any container.");
}

static int run_resume(const struct cli *cli, const char *argument)
{
	return switch_pause(cli, "resume", argument, "Resumed: every container is looked after.");
}

/* Works without ebbd too: one of the two is here in any case. */
static int run_version(const struct cli *cli, const char *argument)
{
	char error[CLI_ERROR_MAX], version[64];
	json_t *data = NULL, *both;
	bool running = false;

	cli_call(cli, "version", NULL, &data, &running, error);
	if (cli->json) {
		both = json_pack("{s:s,s:O?}", "ebb", EBB_VERSION, "ebbd",
				 json_object_get(data, "version"));
		print_json(cli, both);
		json_decref(both);
	} else {
		fprintf(cli->out, "ebb %s\n", EBB_VERSION);
		text_printable(version, sizeof(version), get_text(data, "version"));
		if (version[0])
			fprintf(cli->out, "ebbd %s\n", version);
		else
			fputs("ebbd is not running, or not to be asked\n", cli->out);
	}
	json_decref(data);
	return EBB_EXIT_OK;
}

const struct cli_command cli_commands[] = {
	{ "list", NULL, CLI_TAKES_ORDER | CLI_TAKES_NAMES,
	  "the containers: size, cold, taken, and why",
	  "A row a container, the largest first:\n"
	  "  SIZE    memory that it holds now\n"
	  "  COLD    of it, not used for longer than cold_after\n"
	  "  TAKEN   what ebb took from it so far\n"
	  "  BACK    of that, what it needed again\n"
	  "  STATE, REASON   what ebb does with it now, and why\n",
	  run_list },
	{ "top", NULL, CLI_TAKES_ORDER | CLI_TAKES_BATCH | CLI_TAKES_COUNT | CLI_TAKES_DELAY,
	  "the containers live: bars, detail, history",
	  "h or ? lists the keys. Where the terminal cannot place text (TERM=dumb), or the output "
	  "is\n"
	  "none, it prints one screen after the other, as -b does.\n",
	  run_top },
	{ "status", NULL, 0, "the machine, what was taken, what it cost",
	  "Memory, swap, what was taken and came back, what ebbd itself costs, the options.\n",
	  run_status },
	{ "explain", "NAME", CLI_TAKES_WATCH | CLI_TAKES_DELAY,
	  "why one container is treated as it is",
	  "What is known of it, what follows from that, and the last decisions with what came of "
	  "them.\n"
	  "NAME: a name, an id, or a glob that means one container. Exit code 1 where it means "
	  "none "
	  "or\n"
	  "several: then those are named.\n",
	  run_explain },
	{ "doctor", NULL, 0, "what this machine offers, and what would help",
	  "Works without a running ebbd too. Exit code 3: ebb cannot work here.\n", run_doctor },
	{ "pause", "[NAME]", 0, "take nothing, from all containers or from those named",
	  "NAME: a name, an id, or a glob such as 'db-*'. Only root may pause.\n", run_pause },
	{ "resume", "[NAME]", 0, "end a pause",
	  "Without NAME, the pauses of single containers end too. Only root may resume.\n",
	  run_resume },
	{ "record", "FILE", CLI_TAKES_SECONDS | CLI_TAKES_COUNT,
	  "write down what is decided, and on what",
	  "Each turn of ebbd with all that its policy was given and what it decided, until "
	  "Ctrl-C.\n"
	  "FILE: overwritten; '-' is the output. What FILE cannot take in time is left out, and it "
	  "says so.\n",
	  run_record },
	{ "replay", "FILE", CLI_TAKES_CONFIG, "decide again on what was recorded",
	  "The plans have to come out as they were recorded; exit code 1 where they do not.\n"
	  "With --config, what that configuration would have decided on the same: memory that it "
	  "would\n"
	  "have taken is still there in the recorded run, and asked for again.\n"
	  "FILE: '-' is the input. Needs no ebbd.\n",
	  run_replay },
	{ "version", NULL, 0, "the versions of ebb and of ebbd", "", run_version },
};
const size_t cli_nr_commands = ARRAY_SIZE(cli_commands);
