// SPDX-License-Identifier: GPL-2.0-only
/* `ebb list`: a row a container, the largest first unless --sort says otherwise. */
#include <stdlib.h>
#include <string.h>

#include "ebb/cli.h"
#include "ebb/rows.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/units.h"

#define REASON_WIDTH 24 /* of the longest ebb_reason_text() */
#define FIXED_WIDTH (4 * 6 + 2 + 10 + 2 + REASON_WIDTH) /* all but the name */
#define NAME_MIN 18 /* FIXED_WIDTH beside it makes 80 */
#define NAME_MAX_WIDTH 64

static enum cli_style state_style(const char *state)
{
	static const struct {
		const char *state;
		enum cli_style style;
	} styles[] = {
		{ "settled", STYLE_GOOD }, { "reclaiming", STYLE_HEAD }, { "held", STYLE_WARN },
		{ "paused", STYLE_WARN },  { "off", STYLE_DIM },         { "empty", STYLE_DIM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(styles); i++)
		if (!strcmp(styles[i].state, state))
			return styles[i].style;
	return STYLE_PLAIN;
}

/* Nothing is a dash: a column of zeros hides the others. */
static void print_size(const struct cli *cli, uint64_t bytes)
{
	char buf[FORMAT_MAX];

	fprintf(cli->out, " %5s", bytes ? format_size(buf, bytes) : "-");
}

static void print_name(const struct cli *cli, const char *text, size_t width)
{
	char name[4 * NAME_MAX_WIDTH];

	text_printable(name, sizeof(name), text);
	if (strlen(name) > width)
		strcpy(name + width - 2, "..");
	fprintf(cli->out, "%-*s", (int)width, name);
}

static void print_row(const struct cli *cli, const json_t *c, size_t width)
{
	char state[16], reason[64];
	const char *name = get_text(c, "name");

	text_printable(state, sizeof(state), get_text(c, "state"));
	text_printable(reason, sizeof(reason), get_text(c, "reason_text"));
	print_name(cli, name[0] ? name : get_text(c, "id"), width);
	print_size(cli, get_number(c, "bytes"));
	print_size(cli, get_number(c, "cold"));
	print_size(cli, get_number(c, "reclaimed_total"));
	print_size(cli, get_number(c, "refaulted_total"));
	fprintf(cli->out, "  %s%-10s%s  %s\n", cli_style(cli, state_style(state)), state,
		cli_style(cli, STYLE_PLAIN), reason);
}

static void print_sums(const struct cli *cli, const struct row *rows, size_t n, size_t width)
{
	static const char *const keys[] = { "bytes", "cold", "reclaimed_total", "refaulted_total" };
	char label[32];

	snprintf(label, sizeof(label), "%zu containers", n);
	fprintf(cli->out, "%s%-*s", cli_style(cli, STYLE_HEAD), (int)width, label);
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += get_number(rows[i].object, keys[k]);
		print_size(cli, sum);
	}
	fprintf(cli->out, "%s\n", cli_style(cli, STYLE_PLAIN));
}

static size_t name_width(const struct cli *cli, const struct row *rows, size_t n)
{
	size_t longest = NAME_MIN, room = NAME_MAX_WIDTH;

	if (cli->width)
		room = cli->width > FIXED_WIDTH + NAME_MIN ? cli->width - FIXED_WIDTH : NAME_MIN;
	for (size_t i = 0; i < n; i++) {
		char name[4 * NAME_MAX_WIDTH];
		size_t len;

		len = strlen(text_printable(name, sizeof(name), get_text(rows[i].object, "name")));
		longest = len > longest ? len : longest;
	}
	if (longest > NAME_MAX_WIDTH)
		longest = NAME_MAX_WIDTH;
	return longest < room ? longest : room;
}

void print_list(const struct cli *cli, const json_t *data)
{
	const struct row_key *key = cli->sort ? cli->sort : row_key_size;
	size_t n = 0, width;
	_cleanup_free_ struct row *rows = rows_make(data, cli->filter, key, cli->reverse, &n);

	if (!n || !rows) {
		fputs(!rows                   ? "out of memory\n"
		      : json_array_size(data) ? "No container matches.\n"
					      : "No containers are running.\n",
		      cli->out);
		return;
	}
	width = name_width(cli, rows, n);
	fprintf(cli->out, "%s%-*s %5s %5s %5s %5s  %-10s  %s%s\n", cli_style(cli, STYLE_HEAD),
		(int)width, "NAME", "SIZE", "COLD", "TAKEN", "BACK", "STATE", "REASON",
		cli_style(cli, STYLE_PLAIN));
	for (size_t i = 0; i < n; i++)
		print_row(cli, rows[i].object, width);
	if (n > 1)
		print_sums(cli, rows, n, width);
}

void print_names(const struct cli *cli, const json_t *data)
{
	const struct row_key *key = cli->sort ? cli->sort : row_key_size;
	size_t n = 0;
	_cleanup_free_ struct row *rows = rows_make(data, cli->filter, key, cli->reverse, &n);

	for (size_t i = 0; rows && i < n; i++) {
		const char *name = get_text(rows[i].object, "name");
		size_t size = 4 * strlen(name) + 32;
		_cleanup_free_ char *text = malloc(size);

		if (text)
			fprintf(cli->out, "%s\n", row_name(text, size, rows[i].object));
	}
}

/* The same for a program. NULL: no memory. */
json_t *list_select(const struct cli *cli, const json_t *data)
{
	const struct row_key *key = cli->sort ? cli->sort : row_key_size;
	size_t n = 0;
	_cleanup_free_ struct row *rows = rows_make(data, cli->filter, key, cli->reverse, &n);
	json_t *list = rows ? json_array() : NULL;

	for (size_t i = 0; list && i < n; i++)
		json_array_append_new(list, json_incref(rows[i].object));
	return list;
}
