// SPDX-License-Identifier: GPL-2.0-only
/*
 * `ebb explain`, once or again and again. On a terminal that can place text the explanation stays
 * in its place and its figures move; elsewhere it is printed anew when what is decided, or came of
 * it, is not what it was.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ebb/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"

#define DELAY_MS 2000
#define HOME_AND_CLEAR "\x1b[H\x1b[J"

static bool can_place_text(const struct cli *cli)
{
	const char *term = getenv("TERM");

	return cli->width && !cli->json && term && *term && strcmp(term, "dumb") != 0;
}

/* What must differ for the explanation to be another one; a new reference, NULL: no memory. */
static json_t *gist(const json_t *data)
{
	const json_t *c = json_object_get(data, "container"),
		     *all = json_object_get(data, "decisions");
	json_t *gist = json_pack("[ssb]", get_text(c, "state"), get_text(c, "reason"),
				 get_bool(data, "dry_run"));

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *d = json_array_get(all, i);

		json_array_append_new(gist, json_pack("[ssIIIs]", get_text(d, "state"),
						      get_text(d, "reason"),
						      (json_int_t)get_number(d, "acts"),
						      (json_int_t)get_number(d, "got"),
						      (json_int_t)get_number(d, "refaulted"),
						      get_text(d, "error")));
	}
	return gist;
}

static void print_once(const struct cli *cli, const json_t *data)
{
	if (!cli->json) {
		print_explain(cli, data);
	} else if (cli->watch) {
		/* A line each, so that a program knows where one ends. */
		json_dumpf(data, cli->out, JSON_COMPACT | JSON_ENSURE_ASCII);
		fputc('\n', cli->out);
	} else {
		print_json(cli, data);
	}
}

/* Takes data. Nothing is printed that is there already. */
static void print_again(const struct cli *cli, json_t *data, json_t **last)
{
	bool place = can_place_text(cli);
	json_t *now = gist(data);

	if (place || !*last || !json_equal(now, *last)) {
		if (place)
			fputs(HOME_AND_CLEAR, cli->out);
		else if (*last && !cli->json)
			fputc('\n', cli->out);
		print_once(cli, data);
	}
	json_decref(*last);
	*last = now;
	json_decref(data);
}

static void rest(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

int run_explain(const struct cli *cli, const char *argument)
{
	char error[CLI_ERROR_MAX], id[24];
	json_t *data = NULL, *last = NULL;
	int r;

	if (!cli->watch && cli->delay_ms)
		return cli_complain(cli, EBB_EXIT_USAGE, "-d goes with --watch");
	r = cli_call(cli, "explain", argument, &data, NULL, error);
	if (r)
		return cli_complain(cli, r, error);
	if (!cli->watch) {
		print_once(cli, data);
		json_decref(data);
		return EBB_EXIT_OK;
	}
	/* The one that it is now, also when another comes that the name means. */
	snprintf(id, sizeof(id), "%s", get_text(json_object_get(data, "container"), "id"));
	while (!r) {
		print_again(cli, data, &last);
		if (fflush(cli->out) != 0 || ferror(cli->out))
			break; /* main() says so */
		rest(cli->delay_ms ? cli->delay_ms : DELAY_MS);
		data = NULL;
		r = cli_call(cli, "explain", id, &data, NULL, error);
	}
	json_decref(last);
	return r ? cli_complain(cli, r, error) : EBB_EXIT_OK;
}
