// SPDX-License-Identifier: GPL-2.0-only
/* ebb: options, the table of commands, exit codes. */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ebb/cli.h"
#include "ebb/rows.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "lib/text.h"

enum {
	OPT_SOCKET = 256,
	OPT_RUNTIME_DIR,
	OPT_SORT,
	OPT_FILTER,
	OPT_REVERSE,
	OPT_SECONDS,
	OPT_CONFIG
};

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "filter", required_argument, NULL, OPT_FILTER },
	{ "reverse", no_argument, NULL, OPT_REVERSE },
	{ "batch", no_argument, NULL, 'b' },
	{ "count", required_argument, NULL, 'n' },
	{ "delay", required_argument, NULL, 'd' },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "watch", no_argument, NULL, 'w' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static const char options_help[] = "  -o, --output FORM    plain (the default) or json\n"
				   "  --socket PATH        where ebbd listens\n"
				   "  --runtime-dir DIR    the same, as DIR/" EBB_SOCKET_NAME
				   " (default " EBB_RUNTIME_DIR ")\n"
				   "  -h, --help\n";

static const char exit_help[] =
	"Exit: 0 good; 1 failed, such as no ebbd, not permitted, no container of that name;\n"
	"2 usage; 3 ebb cannot work on this kernel (doctor).\n";

/* Those of some commands; struct cli_command's takes says which. */
static const struct {
	unsigned int takes;
	const char *help;
} more_help[] = {
	{ CLI_TAKES_ORDER,
	  "  --sort KEY           size, cold, hot, swap, taken, back, stall, age, name,\n"
	  "                       state, reason: the largest first, or from A to Z\n"
	  "  --reverse            the other way round\n"
	  "  --filter GLOB        part of a name, image, pod or path, or a glob such as 'db-*'\n" },
	{ CLI_TAKES_NAMES, "  -o name              names alone, a line each\n" },
	{ CLI_TAKES_BATCH, "  -b, --batch          plain text, one screen after the other\n"
			   "  -n, --count N        end after N screens\n" },
	{ CLI_TAKES_SECONDS, "  -n, --count N        end after N turns\n"
			     "  --seconds S          end after S seconds\n" },
	{ CLI_TAKES_CONFIG, "  --config FILE        what this configuration would have decided\n" },
	{ CLI_TAKES_WATCH,
	  "  -w, --watch          look again and again; say it anew when it changes\n" },
	{ CLI_TAKES_DELAY, "  -d, --delay SECONDS  from one look to the next (default 2)\n" },
};

static int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int usage_error(const char *format, ...)
{
	char raw[512], shown[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	fprintf(stderr, "ebb: %s\nTry: ebb help\n", text_printable(shown, sizeof(shown), raw));
	return EBB_EXIT_USAGE;
}

static void help(FILE *out)
{
	fputs("Usage: ebb COMMAND [OPTION]...\n"
	      "What ebb does with the memory of this machine's containers, and why.\n\n",
	      out);
	for (size_t i = 0; i < cli_nr_commands; i++) {
		const struct cli_command *c = &cli_commands[i];
		char left[32];

		snprintf(left, sizeof(left), "%s %s", c->name, c->argument ? c->argument : "");
		fprintf(out, "  %-20s %s\n", left, c->summary);
	}
	fprintf(out, "  %-20s %s\n\n%s  -V, --version\n\n", "help [COMMAND]",
		"this, or more on one command", options_help);
	fprintf(out, "%sMembers of group " EBB_GROUP " may look; only root may change.\n",
		exit_help);
}

static void help_command(FILE *out, const struct cli_command *c)
{
	fprintf(out, "Usage: ebb %s%s%s [OPTION]...\n%s.\n\n%s%s", c->name, c->argument ? " " : "",
		c->argument ? c->argument : "", c->summary, c->help, c->help[0] ? "\n" : "");
	for (size_t i = 0; i < ARRAY_SIZE(more_help); i++)
		if (c->takes & more_help[i].takes)
			fputs(more_help[i].help, out);
	fprintf(out, "%s\n%s", options_help, exit_help);
}

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < cli_nr_commands; i++)
		if (!strcmp(cli_commands[i].name, name))
			return &cli_commands[i];
	return NULL;
}

static void look_at_terminal(struct cli *cli)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return;
	cli->color = !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
	cli->width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static int parse_number(const char *text, double max, double *ret)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value > 0) || value > max)
		return -1;
	*ret = value;
	return 0;
}

/* Those of some commands. Returns 0, or the exit code; *used collects CLI_TAKES_*. */
static int parse_more(int c, struct cli *cli, unsigned int *used)
{
	double number;

	switch (c) {
	case OPT_SORT:
		cli->sort = row_key_find(optarg);
		*used |= CLI_TAKES_ORDER;
		return cli->sort
			       ? 0
			       : usage_error(
					 "--sort %s: expected size, cold, hot, swap, taken, back, "
					 "stall, age, name, state or reason",
					 optarg);
	case OPT_FILTER:
		cli->filter = optarg;
		*used |= CLI_TAKES_ORDER;
		return 0;
	case OPT_REVERSE:
		cli->reverse = true;
		*used |= CLI_TAKES_ORDER;
		return 0;
	case 'b':
		cli->batch = true;
		*used |= CLI_TAKES_BATCH;
		return 0;
	case 'n':
		*used |= CLI_TAKES_COUNT;
		if (parse_number(optarg, 1e9, &number) || number != (unsigned int)number)
			return usage_error("-n %s: expected a whole number, from 1", optarg);
		cli->count = (unsigned int)number;
		return 0;
	case 'w':
		cli->watch = true;
		*used |= CLI_TAKES_WATCH;
		return 0;
	case 'd':
		*used |= CLI_TAKES_DELAY;
		if (parse_number(optarg, 86400, &number) || number < 0.1)
			return usage_error("-d %s: expected seconds, from 0.1 to 86400", optarg);
		cli->delay_ms = (unsigned int)(number * 1000);
		return 0;
	case OPT_SECONDS:
		*used |= CLI_TAKES_SECONDS;
		if (parse_number(optarg, 86400 * 31.0, &number) || number < 0.1)
			return usage_error("--seconds %s: expected seconds, from 0.1 to 2678400",
					   optarg);
		cli->seconds_ms = (unsigned int)(number * 1000);
		return 0;
	case OPT_CONFIG:
		cli->config = optarg;
		*used |= CLI_TAKES_CONFIG;
		return 0;
	}
	fputs("Try: ebb help\n", stderr);
	return EBB_EXIT_USAGE;
}

/* Returns -1 to go on, or the exit code. */
static int parse_options(int argc, char **argv, struct cli *cli, bool *ret_help,
			 unsigned int *ret_used)
{
	static char path[256];
	int c, r;

	while ((c = getopt_long(argc, argv, "o:hVbn:d:w", long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			cli->json = !strcmp(optarg, "json");
			cli->names = !strcmp(optarg, "name");
			if (!cli->json && !cli->names && strcmp(optarg, "plain"))
				return usage_error("-o %s: expected plain or json", optarg);
			*ret_used |= cli->names ? CLI_TAKES_NAMES : 0;
			break;
		case OPT_SOCKET:
			cli->socket = optarg;
			break;
		case OPT_RUNTIME_DIR:
			if (snprintf(path, sizeof(path), "%s/%s", optarg, EBB_SOCKET_NAME) >=
			    (int)sizeof(path))
				return usage_error("the path is too long: %s", optarg);
			cli->socket = path;
			break;
		case 'h':
			*ret_help = true;
			break;
		case 'V':
			printf("ebb %s\n", EBB_VERSION);
			return EBB_EXIT_OK;
		default:
			r = parse_more(c, cli, ret_used);
			if (r)
				return r;
		}
	}
	return -1;
}

static int run(const struct cli *cli, int argc, char **argv, bool wants_help, unsigned int used)
{
	const struct cli_command *command;

	if (argc && !strcmp(argv[0], "help")) {
		wants_help = true;
		argc--;
		argv++;
	}
	if (!argc) {
		help(wants_help ? stdout : stderr);
		return wants_help ? EBB_EXIT_OK : EBB_EXIT_USAGE;
	}
	command = find_command(argv[0]);
	if (!command)
		return usage_error("unknown command '%s'", argv[0]);
	if (wants_help) {
		help_command(stdout, command);
		return EBB_EXIT_OK;
	}
	if (argc > (command->argument ? 2 : 1))
		return usage_error("one argument too many: '%s'", argv[command->argument ? 2 : 1]);
	if (argc < 2 && command->argument && command->argument[0] != '[')
		return usage_error("ebb %s needs a %s", command->name, command->argument);
	if (used & ~command->takes)
		return usage_error("ebb %s takes no such option (ebb %s --help)", command->name,
				   command->name);
	return command->run(cli, argc > 1 ? argv[1] : NULL);
}

int main(int argc, char **argv)
{
	struct cli cli = {
		.socket = EBB_RUNTIME_DIR "/" EBB_SOCKET_NAME,
		.out = stdout,
		.err = stderr,
	};
	bool wants_help = false;
	unsigned int used = 0;
	int r;

	look_at_terminal(&cli);
	r = parse_options(argc, argv, &cli, &wants_help, &used);
	if (r < 0)
		r = run(&cli, argc - optind, argv + optind, wants_help, used);
	/* A full disk must not look like an empty list. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("ebb: output");
		return r ? r : EBB_EXIT_FAILED;
	}
	return r;
}
