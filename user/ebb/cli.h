/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line: what its files share. */
#ifndef EBB_EBB_CLI_H
#define EBB_EBB_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#define CLI_ERROR_MAX 512

struct row_key;

struct cli {
	const char *socket; /* path */
	bool json; /* -o json */
	bool names; /* -o name */
	const struct row_key *sort; /* --sort; NULL: the command's own order */
	bool reverse;
	const char *filter; /* --filter; NULL: all */
	bool batch; /* -b */
	unsigned int count; /* -n; 0: until interrupted */
	unsigned int delay_ms; /* -d; 0: the command's own */
	unsigned int seconds_ms; /* --seconds; 0: until interrupted */
	const char *config; /* --config; NULL: none */
	bool watch; /* -w */
	bool color;
	unsigned int width; /* columns; 0: as wide as it gets (not a terminal) */
	FILE *out;
	FILE *err;
};

/* The options that a command takes beyond those that all take. */
#define CLI_TAKES_ORDER 1u /* --sort, --reverse, --filter */
#define CLI_TAKES_BATCH 2u /* -b; it takes -n, too */
#define CLI_TAKES_DELAY 4u /* -d */
#define CLI_TAKES_NAMES 8u /* -o name */
#define CLI_TAKES_SECONDS 16u /* --seconds; it takes -n, too */
#define CLI_TAKES_CONFIG 32u /* --config */
#define CLI_TAKES_COUNT 64u /* -n */
#define CLI_TAKES_WATCH 128u /* -w */

struct cli_command {
	const char *name;
	const char *argument; /* for the usage: "[NAME]", needed without brackets; NULL: none */
	unsigned int takes; /* CLI_TAKES_* */
	const char *summary;
	const char *help; /* more, for `ebb COMMAND --help` */
	int (*run)(const struct cli *cli, const char *argument); /* returns an EBB_EXIT_* */
};

extern const struct cli_command cli_commands[];
extern const size_t cli_nr_commands;

/*
 * One request. Returns 0 with *ret_data (a new reference), or an EBB_EXIT_*
 * other than 0 with a message for a person in error (CLI_ERROR_MAX bytes).
 * *ret_running, where not NULL: somebody listens there.
 */
int client_call(const char *socket, json_t *request, json_t **ret_data, bool *ret_running,
		char *error);

/*
 * One request, whose good answer is followed by a stream: that is what comes from *ret_fd, which is
 * the caller's to close. Returns as client_call().
 */
int client_stream(const char *socket, json_t *request, int *ret_fd, char *error);

/* Of an answer's line, and of connect()'s errno: as client_call(). */
int client_open_answer(const char *text, size_t len, json_t **ret_data, char *error);
int client_refused(const char *path, int err, char *error);

/* The same by words; name: NULL, or the member of that name. */
int cli_call(const struct cli *cli, const char *cmd, const char *name, json_t **ret_data,
	     bool *ret_running, char *error);

/* Says what went wrong; returns code. */
int cli_complain(const struct cli *cli, int code, const char *error);

/* top.c, watch.c */
int run_top(const struct cli *cli, const char *argument);
int run_explain(const struct cli *cli, const char *argument);

/* record.c, replay.c */
int run_record(const struct cli *cli, const char *argument);
int run_replay(const struct cli *cli, const char *argument);
void print_replay(const struct cli *cli, const json_t *data);

/* Each prints the data of the command of that name for a person. */
void print_list(const struct cli *cli, const json_t *data);
void print_status(const struct cli *cli, const json_t *data);
void print_doctor(const struct cli *cli, const json_t *data);
void print_explain(const struct cli *cli, const json_t *data);

/* Of `ebb explain`: what a reason's code means; "" where it is not known. */
const char *explain_sentence(const char *reason);

/* A name a line, whole, for scripts; what has none is its id. */
void print_names(const struct cli *cli, const json_t *data);

/* What --sort and --filter leave of ebbd's list, a new reference; NULL: no memory. */
json_t *list_select(const struct cli *cli, const json_t *data);

/* The data as ebbd gave it. */
void print_json(const struct cli *cli, const json_t *data);

/* --- for the printing ---------------------------------------------------- */

enum cli_style { STYLE_PLAIN, STYLE_HEAD, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_DIM };

/* What switches a style on (and STYLE_PLAIN: off) on this output; "" without colours. */
const char *cli_style(const struct cli *cli, enum cli_style style);

/* Members of an object; what is missing or of another type reads as 0, false, "". */
uint64_t get_number(const json_t *object, const char *key);
bool get_bool(const json_t *object, const char *key);
const char *get_text(const json_t *object, const char *key);
json_t *get(const json_t *object, const char *key); /* borrowed; NULL: missing or null */

/*
 * Prints text, made printable, wrapped to the width: the first line goes on at
 * column `at`, the others begin at column `indent`. Ends the line.
 */
void print_wrapped(const struct cli *cli, unsigned int at, unsigned int indent, const char *text);

#endif /* EBB_EBB_CLI_H */
