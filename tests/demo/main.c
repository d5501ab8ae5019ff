// SPDX-License-Identifier: GPL-2.0-only
/*
 * view - shows a run of the demo while it goes on, and reports on one that is over.
 *
 *   view --live DIR [--pid PID] [--plain]   until the scenario ends; 3 where PID ended before it
 *   view --report DIR                       writes report.svg, report.html, summary.txt there
 *   view --screen DIR                       draws the screen as it was, once, to standard output
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "feed.h"
#include "report.h"
#include "screen.h"
#include "summary.h"

#define FRAME_MS 250
#define PLAIN_SECONDS 5

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_VM_ENDED = 3, EXIT_INTERRUPTED = 130 };

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

static void catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	/* Only to end the sleep early: the size is asked for with each frame. */
	act.sa_handler = SIG_DFL;
	sigaction(SIGPIPE, &act, NULL);
}

static bool vm_gone(long pid)
{
	return pid && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static int live_screen(struct term *t, struct feed *f, struct model *m, long pid)
{
	struct timespec frame = { 0, FRAME_MS * 1000000L };
	bool gone = false;
	int r;

	for (;;) {
		if (interrupted)
			return EXIT_INTERRUPTED;
		/* Asked before reading: what it wrote last is then surely read. */
		gone = vm_gone(pid);
		r = feed_read(f, m);
		if (r < 0 || (r = term_begin(t)) < 0)
			return r;
		screen_draw(t, m);
		r = term_flush(t);
		if (r < 0)
			return r;
		if (m->ended)
			return 0;
		if (gone)
			return EXIT_VM_ENDED;
		nanosleep(&frame, NULL);
	}
}

static int live_plain(struct feed *f, struct model *m, long pid)
{
	struct timespec frame = { 0, FRAME_MS * 1000000L };
	double next = 0;
	size_t marks = 0;
	bool gone;

	for (;;) {
		int r;

		if (interrupted)
			return EXIT_INTERRUPTED;
		gone = vm_gone(pid);
		r = feed_read(f, m);
		if (r < 0)
			return r;
		plain_marks(stdout, m, &marks);
		if (m->begun && (m->now >= next || m->ended)) {
			plain_status(stdout, m);
			next = m->now + PLAIN_SECONDS;
		}
		fflush(stdout);
		if (m->ended)
			return 0;
		if (gone)
			return EXIT_VM_ENDED;
		nanosleep(&frame, NULL);
	}
}

static int live(struct feed *f, struct model *m, long pid, bool plain)
{
	struct term t;
	int r;

	catch_signals();
	if (plain || !isatty(STDOUT_FILENO))
		return live_plain(f, m, pid);
	term_probe(&t, STDOUT_FILENO);
	r = term_open(&t);
	if (r == 0)
		r = live_screen(&t, f, m, pid);
	term_close(&t);
	return r;
}

static int write_file(const char *dir, const char *name,
		      void (*write)(FILE *, const struct model *), const struct model *m)
{
	char path[4096];
	FILE *out;
	int r;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "we");
	if (!out)
		return -errno;
	write(out, m);
	r = ferror(out) ? -EIO : 0;
	if (fclose(out) && r == 0)
		r = -errno;
	return r;
}

static int report(const char *dir, const struct model *m)
{
	int r;

	if (!m->begun || !m->resident.n)
		return -ENODATA;
	r = write_file(dir, "report.svg", svg_write, m);
	if (r == 0)
		r = write_file(dir, "report.html", html_write, m);
	return r ? r : write_file(dir, "summary.txt", summary_print, m);
}

static int one_screen(const struct model *m)
{
	struct term t;
	int r;

	term_probe(&t, STDOUT_FILENO);
	r = term_begin(&t);
	if (r < 0)
		return r;
	screen_draw(&t, m);
	r = term_flush(&t);
	term_close(&t);
	return r;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: view --live DIR [--pid PID] [--plain] | --report DIR | --screen DIR\n");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "live", required_argument, NULL, 'l' },   { "pid", required_argument, NULL, 'p' },
		{ "report", required_argument, NULL, 'r' }, { "plain", no_argument, NULL, 'n' },
		{ "screen", required_argument, NULL, 's' }, { NULL, 0, NULL, 0 },
	};
	const char *dir = NULL;
	struct model m;
	struct feed f;
	bool plain = false;
	int opt, mode = 0, r;
	long pid = 0;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'l' || opt == 'r' || opt == 's') {
			mode = opt;
			dir = optarg;
		} else if (opt == 'p') {
			pid = atol(optarg);
		} else if (opt == 'n') {
			plain = true;
		} else {
			return usage();
		}
	}
	if (!mode || optind != argc)
		return usage();
	model_init(&m);
	r = feed_open(&f, dir);
	if (r == 0) {
		if (mode == 'l')
			r = live(&f, &m, pid, plain);
		else if ((r = feed_read(&f, &m)) == 0)
			r = mode == 'r' ? report(dir, &m) : one_screen(&m);
	}
	if (r < 0)
		fprintf(stderr, "view: %s: %s\n", dir, strerror(-r));
	feed_close(&f);
	model_free(&m);
	return r < 0 ? EXIT_FAILED : r;
}
