// SPDX-License-Identifier: GPL-2.0-only
/* `ebb doctor`: what is there, what is missing, and how to get it. */
#include <string.h>

#include "ebb/cli.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define STATE_WIDTH 6
#define WHAT_WIDTH 20

static void mark(const struct cli *cli, const char *state)
{
	enum cli_style style = !strcmp(state, "ok")     ? STYLE_GOOD
			       : !strcmp(state, "less") ? STYLE_WARN
							: STYLE_BAD;
	char text[STATE_WIDTH];

	text_printable(text, sizeof(text), state);
	fprintf(cli->out, "%s%-*s%s", cli_style(cli, style), STATE_WIDTH, text,
		cli_style(cli, STYLE_PLAIN));
}

static void what(const struct cli *cli, const char *name)
{
	char text[WHAT_WIDTH];

	text_printable(text, sizeof(text), name);
	fprintf(cli->out, "%-*s", WHAT_WIDTH, text);
}

/* A further line below a row, in its third column. */
static void below(const struct cli *cli, const char *lead, const char *text)
{
	unsigned int column = STATE_WIDTH + WHAT_WIDTH;

	if (!text[0])
		return;
	fprintf(cli->out, "%*s%s", (int)column, "", lead);
	print_wrapped(cli, column + (unsigned int)strlen(lead), column + (unsigned int)strlen(lead),
		      text);
}

static void head(const struct cli *cli, const char *text)
{
	fprintf(cli->out, "%s%s%s\n", cli_style(cli, STYLE_HEAD), text,
		cli_style(cli, STYLE_PLAIN));
}

static void print_rung(const struct cli *cli, const json_t *r)
{
	char text[512];

	snprintf(text, sizeof(text), "%s%s%s", get_text(r, "rung"),
		 get_text(r, "reason")[0] ? ": " : "", get_text(r, "reason"));
	mark(cli, get_bool(r, "best") ? "ok" : "less");
	what(cli, get_text(r, "data"));
	print_wrapped(cli, STATE_WIDTH + WHAT_WIDTH, STATE_WIDTH + WHAT_WIDTH, text);
	below(cli, "without: ", get_text(r, "without"));
	below(cli, "-> ", get_text(r, "remedy"));
}

void print_doctor(const struct cli *cli, const json_t *data)
{
	const json_t *checks = get(data, "checks"), *rungs = get(data, "rungs");

	head(cli, "This machine");
	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *c = json_array_get(checks, i);

		mark(cli, get_text(c, "state"));
		what(cli, get_text(c, "what"));
		print_wrapped(cli, STATE_WIDTH + WHAT_WIDTH, STATE_WIDTH + WHAT_WIDTH,
			      get_text(c, "detail"));
		below(cli, "-> ", get_text(c, "remedy"));
	}
	if (json_array_size(rungs)) {
		fputc('\n', cli->out);
		head(cli,
		     json_is_false(get(data, "root"))
			     ? "How each kind of data is had without root (ebbd, as root, has more)"
			     : "How each kind of data is had");
		for (size_t i = 0; i < json_array_size(rungs); i++)
			print_rung(cli, json_array_get(rungs, i));
	}
	fputc('\n', cli->out);
	if (get_bool(data, "able")) {
		fprintf(cli->out, "%sebb can work here.%s\n", cli_style(cli, STYLE_GOOD),
			cli_style(cli, STYLE_PLAIN));
		return;
	}
	fprintf(cli->out, "%sebb cannot work here.%s ", cli_style(cli, STYLE_BAD),
		cli_style(cli, STYLE_PLAIN));
	print_wrapped(cli, 22, 0, get_text(data, "verdict"));
}
