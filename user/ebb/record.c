// SPDX-License-Identifier: GPL-2.0-only
/* `ebb record`: what ebbd streams, into a file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "ebb/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/units.h"

#define PATIENCE_MS 10000 /* for the end, once it was asked for */
#define PROGRESS_MS 1000
#define REDRAW_MS 200
#define HEAD_MAX 32

struct recording {
	int from;
	int to;
	char head[HEAD_MAX]; /* how the line under way begins */
	size_t line_len; /* of it, so far */
	uint64_t turns;
	uint64_t missed;
	uint64_t bytes;
	uint64_t started_ms;
	uint64_t shown_ms; /* progress was, last */
	bool ended; /* its last line is there */
	bool asked; /* … and was asked for */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signum)
{
	interrupted = 1;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* They come while it waits, and at no other time. A second one ends the program. */
static void catch_signals(sigset_t *ret_waiting)
{
	const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction before;

		/* What nohup has switched off stays off. */
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
		sigaddset(&held, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &held, ret_waiting);
}

/* ebbd writes these lines, so that how they begin is known to the byte. */
static void count_line(struct recording *r)
{
	r->head[r->line_len < HEAD_MAX ? r->line_len : HEAD_MAX - 1] = '\0';
	if (!strncmp(r->head, "{\"turn\":", 8))
		r->turns++;
	else if (!strncmp(r->head, "{\"gap\":", 7))
		r->missed += strtoull(r->head + 7, NULL, 10);
	else if (!strncmp(r->head, "{\"end\":", 7))
		r->ended = true;
	r->line_len = 0;
}

static void count(struct recording *r, const char *data, size_t len)
{
	r->bytes += len;
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			count_line(r);
			continue;
		}
		if (r->line_len < HEAD_MAX - 1)
			r->head[r->line_len] = data[i];
		r->line_len++;
	}
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static void show_progress(const struct cli *cli, struct recording *r)
{
	char size[FORMAT_MAX], age[FORMAT_MAX], missing[48] = "";
	uint64_t now = now_ms();

	if (!isatty(fileno(cli->err)) || now < r->shown_ms + REDRAW_MS)
		return;
	r->shown_ms = now;
	if (r->missed)
		snprintf(missing, sizeof(missing), ", %" PRIu64 " missing", r->missed);
	fprintf(cli->err, "\r\x1b[K%" PRIu64 " turns%s, %s, %s (Ctrl-C ends it)", r->turns, missing,
		format_size(size, r->bytes), format_age(age, now - r->started_ms));
	fflush(cli->err);
}

static void end_progress(const struct cli *cli)
{
	if (isatty(fileno(cli->err)))
		fputs("\r\x1b[K", cli->err);
}

/* What there is to read now: 1; 0: the stream has ended; a negative errno: of the file. */
static int take(struct recording *r)
{
	static char data[65536];
	ssize_t n = recv(r->from, data, sizeof(data), MSG_DONTWAIT);
	int err;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n <= 0)
		return 0;
	err = write_all(r->to, data, (size_t)n);
	count(r, data, (size_t)n);
	return err ? err : 1;
}

/* Until ebbd has said the last line or hung up. 0, or a negative errno of the file. */
static int follow(const struct cli *cli, struct recording *r, const sigset_t *waiting)
{
	uint64_t end_ms = cli->seconds_ms ? r->started_ms + cli->seconds_ms : UINT64_MAX;

	for (;;) {
		struct pollfd p = { .fd = r->from, .events = POLLIN };
		uint64_t now = now_ms(), wait = PROGRESS_MS;
		struct timespec timeout;
		int n;

		if (!r->asked && (interrupted || now >= end_ms)) {
			shutdown(r->from, SHUT_WR);
			r->asked = true;
			end_ms = now + PATIENCE_MS;
		}
		if (r->asked && now >= end_ms)
			return 0;
		if (end_ms - now < wait)
			wait = end_ms - now;
		timeout = (struct timespec){ .tv_sec = (time_t)(wait / 1000),
					     .tv_nsec = (long)(wait % 1000) * 1000000 };
		n = ppoll(&p, 1, &timeout, waiting);
		if (n > 0)
			n = take(r);
		else
			n = 1;
		if (n <= 0)
			return n;
		show_progress(cli, r);
	}
}

static void report(const struct cli *cli, const struct recording *r, const char *file, FILE *out)
{
	char size[FORMAT_MAX], age[FORMAT_MAX], shown[256];
	uint64_t ms = now_ms() - r->started_ms;
	json_t *data;

	if (!cli->json) {
		fprintf(out, "%s: %" PRIu64 " turns in %s, %s\n",
			text_printable(shown, sizeof(shown), file), r->turns, format_age(age, ms),
			format_size(size, r->bytes));
		if (r->missed)
			fprintf(out,
				"%" PRIu64 " more are missing: they were not read fast enough\n",
				r->missed);
		return;
	}
	data = json_pack("{s:o,s:I,s:I,s:I,s:I,s:b}", "file",
			 json_string(text_printable(shown, sizeof(shown), file)), "turns",
			 (json_int_t)r->turns, "missed", (json_int_t)r->missed, "bytes",
			 (json_int_t)r->bytes, "ms", (json_int_t)ms, "complete", r->ended);
	json_dumpf(data, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	fputc('\n', out);
	json_decref(data);
}

static int record_to(const struct cli *cli, const char *file, struct recording *r)
{
	bool is_output = !strcmp(file, "-");
	char error[CLI_ERROR_MAX];
	sigset_t waiting;
	int err;

	catch_signals(&waiting);
	err = follow(cli, r, &waiting);
	end_progress(cli);
	if (!is_output && close(TAKE_FD(r->to)) < 0 && !err)
		err = -errno;
	if (err) {
		snprintf(error, sizeof(error), "cannot write the recording: %s", strerror(-err));
		return cli_complain(cli, EBB_EXIT_FAILED, error);
	}
	report(cli, r, file, is_output ? cli->err : cli->out);
	return r->ended ? EBB_EXIT_OK
			: cli_complain(cli, EBB_EXIT_FAILED,
				       "ebbd hung up: the recording is cut off there");
}

int run_record(const struct cli *cli, const char *argument)
{
	json_t *request = json_pack("{s:s,s:i}", "cmd", "record", "turns", (int)cli->count);
	struct recording r = { .from = -1, .to = -1 };
	_cleanup_close_ int from = -1;
	char error[CLI_ERROR_MAX], shown[256];
	int code;

	if (!request)
		return cli_complain(cli, EBB_EXIT_FAILED, "out of memory");
	/* First of all: a refusal must not empty a file. */
	code = client_stream(cli->socket, request, &from, error);
	json_decref(request);
	if (code)
		return cli_complain(cli, code, error);
	r.from = from;
	r.started_ms = now_ms();
	r.to = STDOUT_FILENO;
	if (strcmp(argument, "-") != 0)
		r.to = open(argument, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (r.to < 0) {
		snprintf(error, sizeof(error), "cannot write %s: %s",
			 text_printable(shown, sizeof(shown), argument), strerror(errno));
		return cli_complain(cli, EBB_EXIT_FAILED, error);
	}
	return record_to(cli, argument, &r);
}
