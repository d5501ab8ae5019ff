// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake_ebbd SOCKET LIST STATUS [COUNT] - the real server of ebbd's socket before recorded answers.
 *
 * The files hold the data of the answers, and are read again for each question: a test changes them
 * and has another machine. With COUNT, the containers of LIST are repeated until there are so many,
 * each with an id and a name of its own. Prints a line when it listens, and one for each question.
 * What LIST.explain holds is explained of any container. {"cmd":"turns"} tells how often a timer of
 * 5 ms in the loop has turned since it was asked last, and by how much it was late at most; it runs
 * from the first such question on.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "report/server.h"

static size_t count;

struct answer {
	const char *path;
	struct timespec written;
	json_t *data; /* of the file as it was then */
};

static struct answer list, status, explain;

/* *ret_new: *a holds the file as it is now, and did not before. */
static int load(struct answer *a, bool *ret_new, char *errbuf)
{
	json_error_t error = { .text = "not there" };
	struct stat st;
	json_t *data;

	*ret_new = false;
	if (stat(a->path, &st) == 0 && a->data && a->written.tv_sec == st.st_mtim.tv_sec &&
	    a->written.tv_nsec == st.st_mtim.tv_nsec)
		return 0;
	data = json_load_file(a->path, 0, &error);
	if (!data) {
		snprintf(errbuf, SERVER_ERROR_MAX, "%s: %s", a->path, error.text);
		return EBB_EXIT_FAILED;
	}
	json_decref(a->data);
	a->data = data;
	a->written = st.st_mtim;
	*ret_new = true;
	return 0;
}

/* Sizes of their own too, so that an order by size means something. */
static int repeat(json_t *all)
{
	size_t n = json_array_size(all);

	for (size_t i = n; n && i < count; i++) {
		json_t *copy = json_deep_copy(json_array_get(all, i % n));
		json_int_t bytes = json_integer_value(json_object_get(copy, "bytes"));
		char name[32], id[32];

		snprintf(name, sizeof(name), "container-%04zu", i);
		snprintf(id, sizeof(id), "%zu", 100000 + i);
		json_object_set_new(copy, "name", json_string(name));
		json_object_set_new(copy, "id", json_string(id));
		json_object_set_new(copy, "bytes", json_integer(bytes + (json_int_t)i * 4096));
		if (json_array_append_new(all, copy))
			return -ENOMEM;
	}
	return 0;
}

static int answer_list(void *arg, const struct server_peer *peer, const json_t *request,
		       json_t **ret_data, char *errbuf)
{
	bool is_new;
	int r = load(&list, &is_new, errbuf);

	puts("list");
	if (!r && is_new && count)
		r = repeat(list.data);
	if (!r)
		*ret_data = json_incref(list.data);
	return r;
}

static int answer_status(void *arg, const struct server_peer *peer, const json_t *request,
			 json_t **ret_data, char *errbuf)
{
	bool is_new;
	int r = load(&status, &is_new, errbuf);

	puts("status");
	if (!r)
		*ret_data = json_incref(status.data);
	return r;
}

static int answer_explain(void *arg, const struct server_peer *peer, const json_t *request,
			  json_t **ret_data, char *errbuf)
{
	bool is_new;
	int r = load(&explain, &is_new, errbuf);

	if (!r)
		*ret_data = json_incref(explain.data);
	return r;
}

#define TURN_MS 5

static struct {
	uv_timer_t timer;
	bool runs;
	json_int_t count;
	uint64_t since, last, worst; /* ns */
} turns;

static void on_turn(uv_timer_t *timer)
{
	uint64_t now = uv_hrtime(), late = now - turns.last;

	late = late > TURN_MS * 1000000ull ? late - TURN_MS * 1000000ull : 0;
	if (late > turns.worst)
		turns.worst = late;
	turns.last = now;
	turns.count++;
}

static int answer_turns(void *arg, const struct server_peer *peer, const json_t *request,
			json_t **ret_data, char *errbuf)
{
	uint64_t now = uv_hrtime();

	if (!turns.runs) {
		turns.runs = true;
		uv_timer_start(&turns.timer, on_turn, TURN_MS, TURN_MS);
		turns.last = now;
		turns.since = now;
	}
	*ret_data = json_pack("{s:I,s:I,s:I}", "count", turns.count, "us",
			      (json_int_t)((now - turns.since) / 1000), "worst_us",
			      (json_int_t)(turns.worst / 1000));
	turns.count = 0;
	turns.since = now;
	turns.worst = 0;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct server_command commands[] = {
		{ "list", false, answer_list },
		{ "status", false, answer_status },
		{ "turns", false, answer_turns },
		{ "explain", false, answer_explain },
	};
	static const struct server_ops ops = { commands, ARRAY_SIZE(commands) };
	char explain_path[4096];
	struct server *server;
	uv_loop_t loop;
	int r;

	if (argc < 4 || argc > 5) {
		fputs("usage: fake_ebbd SOCKET LIST STATUS [COUNT]\n", stderr);
		return EBB_EXIT_USAGE;
	}
	snprintf(explain_path, sizeof(explain_path), "%s.explain", argv[2]);
	explain.path = explain_path;
	list.path = argv[2];
	status.path = argv[3];
	count = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN); /* as ebbd does: a client may go while it is answered */
	uv_loop_init(&loop);
	uv_timer_init(&loop, &turns.timer);
	r = server_open(&server, &loop, argv[1], &ops, NULL);
	if (r) {
		fprintf(stderr, "fake_ebbd: %s: %s\n", argv[1], strerror(-r));
		return EBB_EXIT_FAILED;
	}
	puts("listening");
	uv_run(&loop, UV_RUN_DEFAULT);
	return 0;
}
