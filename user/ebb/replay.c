// SPDX-License-Identifier: GPL-2.0-only
/* `ebb replay`: a recording through the policy once more. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ebb/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "lib/conf.h"
#include "lib/text.h"
#include "report/record.h"
#include "report/replay.h"

struct lines {
	FILE *file;
	char *line;
	size_t room;
};

/*
 * A line without its newline: 1; 0: there is none any more, and *ret_len is what there is of one;
 * -EFBIG: it is longer than any; another negative errno.
 */
static int next_line(struct lines *l, size_t *ret_len)
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(l->file)) != EOF && c != '\n') {
		if (len == RECORD_LINE_MAX)
			return -EFBIG;
		if (len == l->room) {
			size_t room = l->room ? 2 * l->room : 65536;
			char *more = realloc(l->line, room);

			if (!more)
				return -ENOMEM;
			l->line = more;
			l->room = room;
		}
		l->line[len++] = (char)c;
	}
	*ret_len = len;
	if (c == EOF)
		return ferror(l->file) ? -(errno ?: EIO) : 0;
	return 1;
}

/* 0, or a negative errno; of -EINVAL and -ERANGE replay_error() tells. */
static int read_all(FILE *file, struct replay *r)
{
	struct lines l = { .file = file };
	size_t len = 0;
	int err;

	while ((err = next_line(&l, &len)) > 0) {
		err = replay_line(r, l.line ? l.line : "", len);
		if (err)
			break;
	}
	if (!err)
		err = replay_finish(r, len > 0);
	free(l.line);
	return err;
}

/* wrong: what replay_error() says. */
static int say_error(const struct cli *cli, const char *file, const char *wrong, int err)
{
	char shown[256], text[CLI_ERROR_MAX + 384];

	text_printable(shown, sizeof(shown), file);
	switch (err) {
	case -ERANGE:
		return cli_complain(cli, EBB_EXIT_USAGE, wrong);
	case -EINVAL:
		snprintf(text, sizeof(text), "%s: %s", shown, wrong);
		break;
	case -EFBIG:
		snprintf(text, sizeof(text),
			 "%s: a line is longer than %u MiB: no recording of ebb", shown,
			 RECORD_LINE_MAX >> 20);
		break;
	default:
		snprintf(text, sizeof(text), "cannot read %s: %s", shown, strerror(-err));
		break;
	}
	return cli_complain(cli, EBB_EXIT_FAILED, text);
}

/* What was whole before an error is worth a look, too. */
static int show(const struct cli *cli, const struct replay *r)
{
	json_t *data = replay_json(r);

	if (!data)
		return cli_complain(cli, EBB_EXIT_FAILED, "out of memory");
	(cli->json ? print_json : print_replay)(cli, data);
	json_decref(data);
	return replay_same(r) ? EBB_EXIT_OK : EBB_EXIT_FAILED;
}

static int replay_file(const struct cli *cli, const char *path, const struct ebb_config *other)
{
	bool is_input = !strcmp(path, "-");
	_cleanup_fclose_ FILE *opened = is_input ? NULL : fopen(path, "re");
	struct replay *r = NULL;
	int err, code = EBB_EXIT_FAILED;

	if (!is_input && !opened)
		return say_error(cli, path, "", -errno);
	err = replay_open(&r, other, cli->config);
	if (err)
		return say_error(cli, path, "", err);
	err = read_all(is_input ? stdin : opened, r);
	if (err != -ERANGE && (!err || replay_turns(r)))
		code = show(cli, r);
	if (err)
		code = say_error(cli, path, replay_error(r), err);
	replay_close(r);
	return code;
}

int run_replay(const struct cli *cli, const char *argument)
{
	_cleanup_free_ struct ebb_config *other = NULL;
	struct conf_error err;
	char text[CONF_ERROR_MAX];

	if (!cli->config)
		return replay_file(cli, argument, NULL);
	other = malloc(sizeof(*other));
	if (!other)
		return cli_complain(cli, EBB_EXIT_FAILED, "out of memory");
	if (conf_load(cli->config, other, &err))
		return cli_complain(cli, EBB_EXIT_USAGE, conf_error_text(&err, text));
	return replay_file(cli, argument, other);
}
