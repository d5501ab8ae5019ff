// SPDX-License-Identifier: GPL-2.0-only
/* `ebb top`: on the screen, or one text after the other. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ebb/top.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"

#define BATCH_WIDTH 120 /* where there is no terminal to tell */

static int ask(const struct cli *cli, struct top_model *m)
{
	json_t *questions[2] = { json_pack("{s:s}", "cmd", "list"),
				 json_pack("{s:s}", "cmd", "status") };
	json_t *answers[2] = { NULL, NULL };
	int r = 0;

	for (size_t i = 0; i < 2; i++) {
		if (!r)
			r = client_call(cli->socket, questions[i], &answers[i], NULL, m->error);
		json_decref(questions[i]);
	}
	if (r)
		json_decref(answers[0]);
	else
		top_model_feed(m, answers[0], answers[1]);
	return r;
}

static int print_screen(const struct cli *cli, const struct top_model *m, struct top_view *v)
{
	_cleanup_free_ struct row *rows = NULL;
	_cleanup_free_ char *line = NULL;
	struct canvas c = { 0 };
	size_t n = 0;

	rows = top_rows(m, v, &n);
	if (!rows || canvas_resize(&c, cli->width ? cli->width : BATCH_WIDTH, top_batch_height(n)))
		return -1;
	line = malloc(4 * (size_t)c.width + 1);
	if (line) {
		top_draw(&c, m, v);
		for (unsigned int y = 0; y < c.height; y++)
			fprintf(cli->out, "%s\n", canvas_line(&c, y, line));
	}
	canvas_free(&c);
	return line && fflush(cli->out) == 0 ? 0 : -1;
}

static void rest(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static int batch(const struct cli *cli, struct top_view *v)
{
	struct top_model m = { 0 };
	int r = 0;

	v->batch = true;
	for (unsigned int i = 0; !cli->count || i < cli->count; i++) {
		if (i) {
			rest(v->delay_ms);
			fputc('\n', cli->out);
		}
		r = ask(cli, &m);
		if (r) {
			fprintf(cli->err, "ebb: %s\n", m.error);
			break;
		}
		r = print_screen(cli, &m, v) ? EBB_EXIT_FAILED : 0;
		if (r)
			break;
	}
	top_model_close(&m);
	return r;
}

int run_top(const struct cli *cli, const char *argument)
{
	struct top_view v = {
		.key = cli->sort ? cli->sort : row_key_size,
		.reverse = cli->reverse,
		.delay_ms = cli->delay_ms ? cli->delay_ms : TOP_DELAY_MS,
	};
	int r = -1;

	snprintf(v.filter, sizeof(v.filter), "%s", cli->filter ? cli->filter : "");
	if (cli->json) {
		fputs("ebb: top has no JSON: ebb list -o json has\n", cli->err);
		return EBB_EXIT_USAGE;
	}
	if (!cli->batch && !cli->count)
		r = top_screen(cli, &v);
	return r < 0 ? batch(cli, &v) : r;
}
