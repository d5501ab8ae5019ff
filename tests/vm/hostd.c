// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostd - the host's side of a test VM.
 *
 * Starts QEMU, gives it its RAM as a memfd whose allocated blocks ARE the VM's resident memory,
 * samples that, answers the guest's questions over a virtio-serial port, prints what the
 * scenarios print, and ends the VM: when the guest says bye, at the timeout, or on a signal. The
 * RAM has no name in any file system and QEMU dies with us, so nothing is left behind.
 *
 * QEMU inherits: fd 3 the RAM, fd 4 the control port, fd 5 the guest's standard output.
 *
 * Requests, one a line (at most LINE_LIMIT bytes), each with one line of answer:
 *   rss               -> resident KiB
 *   time              -> host's CLOCK_REALTIME, ns
 *   mark TEXT         -> ok; TEXT lands in the time series
 *   begin NAME        -> ok; a scenario starts
 *   result pass|fail|skip NAME TEXT -> ok
 *   data NAME JSON    -> ok; {"ms":host ms,"data":JSON} is appended to NAME.jsonl
 *   bye               -> ok; the VM is ended
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_LIMIT (64 * 1024 + 256)
#define SAMPLE_MS 200
#define NAMES_MAX 256

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_VM_DIED = 3, EXIT_SIGNAL = 130 };

struct scenario {
	char *name;
	bool started, done;
};

struct host {
	int ram_fd, control_fd, output_fd, timer_fd, signal_fd;
	pid_t qemu;
	FILE *csv;
	const char *out_dir;
	const char *commands; /* what "do" runs; NULL: nothing */
	int64_t start_ms, begin_ms, deadline_ms, boot_deadline_ms;
	bool greeted, said_bye, interactive, mid_line;
	int failed, signal;
	struct scenario scenarios[NAMES_MAX];
	size_t nr_scenarios;
	char line[LINE_LIMIT + 1];
	size_t fill;
	bool overlong;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* Blocks that the guest never touched, or that it gave back, are holes: they do not count. */
static long resident_kib(const struct host *h)
{
	struct stat st;

	if (fstat(h->ram_fd, &st) < 0)
		return -1;
	return (long)(st.st_blocks / 2);
}

static void csv_row(struct host *h, const char *mark)
{
	if (!h->csv)
		return;
	fprintf(h->csv, "%" PRId64 ",%ld,", now_ms() - h->start_ms, resident_kib(h));
	for (; mark && *mark; mark++)
		fputc(*mark == ',' || iscntrl((unsigned char)*mark) ? ' ' : *mark, h->csv);
	fputc('\n', h->csv);
	fflush(h->csv);
}

static struct scenario *find_scenario(struct host *h, const char *name)
{
	for (size_t i = 0; i < h->nr_scenarios; i++)
		if (!strcmp(h->scenarios[i].name, name))
			return &h->scenarios[i];
	return NULL;
}

static void print_result(struct host *h, const char *verdict, const char *name, const char *text)
{
	bool pass = !strcmp(verdict, "pass");

	if (!pass && strcmp(verdict, "skip"))
		h->failed++;
	/* A verdict starts a line, whatever the scenario left unfinished. */
	if (h->mid_line)
		putchar('\n');
	h->mid_line = false;
	printf("%s %s%s%s",
	       pass                       ? "PASS"
	       : !strcmp(verdict, "skip") ? "SKIP"
					  : "FAIL",
	       name, *text ? ": " : "", text);
	if (pass)
		printf(" (%.1f s)", (double)(now_ms() - h->begin_ms) / 1e3);
	putchar('\n');
	fflush(stdout);
}

static void forward_output(struct host *h)
{
	char buf[4096];
	ssize_t n;

	while ((n = recv(h->output_fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] == '\r')
				continue;
			putchar(buf[i]);
			h->mid_line = buf[i] != '\n';
		}
	fflush(stdout);
}

static const char *handle_result(struct host *h, char *args)
{
	char *verdict = strsep(&args, " "), *name = strsep(&args, " ");
	struct scenario *s;

	if (!name || !*name)
		return "error result needs a verdict and a name";
	/* What it printed before it ended belongs above the verdict. */
	forward_output(h);
	s = find_scenario(h, name);
	if (s)
		s->done = true;
	print_result(h, verdict, name, args ? args : "");
	return "ok";
}

static const char *handle_data(struct host *h, char *args)
{
	char *name = strsep(&args, " "), path[4096];
	FILE *f;

	if (!args || !*args || !*name ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")])
		return "error data needs a name of a-z0-9_- and a value";
	if (!h->out_dir)
		return "ok";
	snprintf(path, sizeof(path), "%s/%s.jsonl", h->out_dir, name);
	f = fopen(path, "ae");
	if (!f)
		return "error cannot write";
	fprintf(f, "{\"ms\":%" PRId64 ",\"data\":%s}\n", now_ms() - h->start_ms, args);
	fclose(f);
	return "ok";
}

/* "do WORDS": the program of --commands with the words as one argument; what it prints first. */
static const char *handle_do(struct host *h, const char *args)
{
	static char text[LINE_LIMIT];
	size_t len = 0;
	int out[2], status;
	ssize_t n;
	pid_t pid;

	if (!h->commands || pipe2(out, O_CLOEXEC) < 0)
		return "error no commands";
	pid = fork();
	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(out[1], STDOUT_FILENO);
		execl(h->commands, h->commands, args, NULL);
		_exit(127);
	}
	close(out[1]);
	while (pid > 0 && len < sizeof(text) - 1 &&
	       (n = read(out[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(out[0]);
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		return "error it failed";
	return text[0] ? text : "ok";
}

/* What the process has had of the CPUs; 0: it is gone. */
static int64_t cpu_ns(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) ? 0 : clock_ns(clock);
}

/* How long its busiest thread, the one that emulates, waited for a CPU; 0: not known. */
static int64_t starved_ns(pid_t pid)
{
	unsigned long long ran, waited, busiest = 0;
	int64_t ns = 0;
	char path[64 + NAME_MAX];
	struct dirent *e;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while (tasks && (e = readdir(tasks))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, e->d_name);
		f = fopen(path, "re");
		if (f && fscanf(f, "%llu %llu", &ran, &waited) == 2 && ran > busiest) {
			busiest = ran;
			ns = (int64_t)waited;
		}
		if (f)
			fclose(f);
	}
	if (tasks)
		closedir(tasks);
	return ns;
}

static void handle_request(struct host *h, char *line)
{
	char *args = line, *verb = strsep(&args, " "), number[32];
	const char *answer = "error unknown request";
	struct scenario *s;

	if (!args)
		args = verb + strlen(verb);
	if (!h->greeted) {
		h->greeted = true;
		csv_row(h, "booted");
	}
	if (!strcmp(verb, "rss")) {
		snprintf(number, sizeof(number), "%ld", resident_kib(h));
		answer = number;
	} else if (!strcmp(verb, "time")) {
		snprintf(number, sizeof(number), "%" PRId64, clock_ns(CLOCK_REALTIME));
		answer = number;
	} else if (!strcmp(verb, "cpu")) {
		snprintf(number, sizeof(number), "%" PRId64, cpu_ns(h->qemu));
		answer = number;
	} else if (!strcmp(verb, "starved")) {
		snprintf(number, sizeof(number), "%" PRId64, starved_ns(h->qemu));
		answer = number;
	} else if (!strcmp(verb, "mark")) {
		csv_row(h, args);
		answer = "ok";
	} else if (!strcmp(verb, "begin")) {
		h->begin_ms = now_ms();
		s = find_scenario(h, args);
		if (s)
			s->started = true;
		csv_row(h, args);
		answer = "ok";
	} else if (!strcmp(verb, "result")) {
		answer = handle_result(h, args);
	} else if (!strcmp(verb, "data")) {
		answer = handle_data(h, args);
	} else if (!strcmp(verb, "do")) {
		answer = handle_do(h, args);
	} else if (!strcmp(verb, "bye")) {
		h->said_bye = true;
		answer = "ok";
	}
	dprintf(h->control_fd, "%s\n", answer);
}

static void read_control(struct host *h)
{
	ssize_t n = recv(h->control_fd, h->line + h->fill, LINE_LIMIT - h->fill, MSG_DONTWAIT);
	char *end, *rest = h->line;

	if (n <= 0)
		return;
	h->fill += (size_t)n;
	h->line[h->fill] = '\0';
	while ((end = memchr(rest, '\n', h->fill - (size_t)(rest - h->line)))) {
		*end = '\0';
		if (h->overlong)
			dprintf(h->control_fd, "error line too long\n");
		else
			handle_request(h, rest);
		h->overlong = false;
		rest = end + 1;
	}
	h->fill -= (size_t)(rest - h->line);
	memmove(h->line, rest, h->fill);
	if (h->fill == LINE_LIMIT) {
		h->overlong = true;
		h->fill = 0;
	}
}

static int spawn_qemu(struct host *h, char **argv)
{
	int control[2], output[2];

	/* QEMU's ends are duplicated to 3, 4 and 5 in the child only. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, output) < 0)
		return -errno;
	h->qemu = fork();
	if (h->qemu < 0)
		return -errno;
	if (h->qemu == 0) {
		sigset_t none;
		int from[3] = { fcntl(h->ram_fd, F_DUPFD, 20), fcntl(control[1], F_DUPFD, 20),
				fcntl(output[1], F_DUPFD, 20) };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < 3; i++) {
			dup2(from[i], 3 + i);
			close(from[i]);
		}
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		/* Out of the terminal's group, so that Ctrl-C is ours to answer. */
		if (!h->interactive)
			setsid();
		execvp(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(control[1]);
	close(output[1]);
	h->control_fd = control[0];
	h->output_fd = output[0];
	return 0;
}

static void read_signal(struct host *h)
{
	struct signalfd_siginfo info;

	while (read(h->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			h->signal = (int)info.ssi_signo;
		else if (waitpid(h->qemu, NULL, WNOHANG) == h->qemu)
			h->qemu = 0;
	}
}

/* Returns why the VM is over; NULL where it ended as it should. */
static const char *serve(struct host *h)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = h->control_fd, .events = POLLIN },
			{ .fd = h->output_fd, .events = POLLIN },
			{ .fd = h->timer_fd, .events = POLLIN },
			{ .fd = h->signal_fd, .events = POLLIN },
		};
		uint64_t ticks;

		if (poll(fds, 4, 1000) < 0 && errno != EINTR)
			return "poll failed";
		if (fds[1].revents & POLLIN)
			forward_output(h);
		if (fds[0].revents & POLLIN)
			read_control(h);
		if ((fds[2].revents & POLLIN) && read(h->timer_fd, &ticks, sizeof(ticks)) > 0)
			csv_row(h, NULL);
		if (fds[3].revents & POLLIN)
			read_signal(h);
		if (h->said_bye)
			return NULL;
		if (!h->qemu)
			return h->interactive ? NULL : "the VM ended by itself";
		if (h->signal)
			return "interrupted";
		if (h->deadline_ms && now_ms() >= h->deadline_ms)
			return "timeout: the VM was ended";
		if (!h->greeted && h->boot_deadline_ms && now_ms() >= h->boot_deadline_ms)
			return "the guest did not boot in time";
	}
}

static void end_qemu(struct host *h)
{
	if (!h->qemu)
		return;
	kill(h->qemu, SIGKILL);
	waitpid(h->qemu, NULL, 0);
	h->qemu = 0;
}

static int finish(struct host *h, const char *why)
{
	if (why && !h->nr_scenarios)
		fprintf(stderr, "hostd: %s\n", why);
	h->begin_ms = now_ms();
	for (size_t i = 0; i < h->nr_scenarios; i++) {
		char text[256];

		if (h->scenarios[i].done)
			continue;
		snprintf(text, sizeof(text), "%s%s", why ? why : "it gave no result",
			 h->scenarios[i].started ? "" : " before it started");
		print_result(h, "fail", h->scenarios[i].name, text);
	}
	if (h->signal)
		return EXIT_SIGNAL;
	return why ? EXIT_VM_DIED : h->failed ? EXIT_FAILED : 0;
}

static int prepare(struct host *h, long ram_mib)
{
	struct itimerspec every = { { 0, SAMPLE_MS * 1000000 }, { 0, SAMPLE_MS * 1000000 } };
	sigset_t set;

	/* Whoever kills the script that started us outright still leaves no VM behind. */
	if (!h->interactive)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	h->ram_fd = memfd_create("ebb-guest-ram", MFD_CLOEXEC);
	if (h->ram_fd < 0 || ftruncate(h->ram_fd, (off_t)ram_mib << 20) < 0)
		return -errno;
	sigemptyset(&set);
	for (const int *s = (const int[]){ SIGINT, SIGTERM, SIGHUP, SIGCHLD, 0 }; *s; s++)
		sigaddset(&set, *s);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	h->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	h->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (h->signal_fd < 0 || h->timer_fd < 0 || timerfd_settime(h->timer_fd, 0, &every, NULL))
		return -errno;
	return 0;
}

struct options {
	long ram_mib, timeout, boot;
	const char *csv;
};

static int parse(struct host *h, int argc, char **argv, struct options *ret_o)
{
	static const struct option options[] = {
		{ "ram", required_argument, NULL, 'r' },
		{ "csv", required_argument, NULL, 'c' },
		{ "out", required_argument, NULL, 'o' },
		{ "timeout", required_argument, NULL, 't' },
		{ "boot", required_argument, NULL, 'b' },
		{ "expect", required_argument, NULL, 'e' },
		{ "commands", required_argument, NULL, 'x' },
		{ "interactive", no_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { 0 };
	int opt;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 'r')
			o.ram_mib = atol(optarg);
		else if (opt == 'c')
			o.csv = optarg;
		else if (opt == 'o')
			h->out_dir = optarg;
		else if (opt == 't')
			o.timeout = atol(optarg);
		else if (opt == 'b')
			o.boot = atol(optarg);
		else if (opt == 'e' && h->nr_scenarios < NAMES_MAX)
			h->scenarios[h->nr_scenarios++].name = optarg;
		else if (opt == 'x')
			h->commands = optarg;
		else if (opt == 'i')
			h->interactive = true;
		else
			return -EINVAL;
	}
	if (o.ram_mib <= 0 || optind >= argc)
		return -EINVAL;
	*ret_o = o;
	return 0;
}

int main(int argc, char **argv)
{
	static struct host h;
	struct options o;
	const char *why;
	int r;

	if (parse(&h, argc, argv, &o) < 0) {
		fprintf(stderr, "usage: hostd --ram MIB [--csv F] [--out DIR] [--timeout S] "
				"[--boot S] [--expect NAME]... [--commands PROGRAM] "
				"[--interactive] -- qemu...\n");
		return EXIT_USAGE;
	}
	r = prepare(&h, o.ram_mib);
	h.start_ms = h.begin_ms = now_ms();
	h.deadline_ms = o.timeout ? h.start_ms + o.timeout * 1000 : 0;
	h.boot_deadline_ms = o.boot ? h.start_ms + o.boot * 1000 : 0;
	if (o.csv && r == 0) {
		h.csv = fopen(o.csv, "we");
		if (h.csv)
			fputs("ms,kib,mark\n", h.csv);
		else
			r = -errno;
	}
	if (r == 0)
		r = spawn_qemu(&h, argv + optind);
	if (r < 0) {
		fprintf(stderr, "hostd: %s\n", strerror(-r));
		return EXIT_VM_DIED;
	}
	why = serve(&h);
	end_qemu(&h);
	forward_output(&h);
	return finish(&h, why);
}
