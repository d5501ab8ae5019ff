// SPDX-License-Identifier: GPL-2.0-only
/* The server on a real socket, in a thread of its own, against several real clients. */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "report/request.h"
#include "report/server.h"
#include "live_server.h"

static char dir[] = "/tmp/ebb-server-XXXXXX";
static char path[64];
static int paused; /* times that pause ran; read after the thread ended a request */

static int echo(void *arg, const struct server_peer *peer, const json_t *request, json_t **ret_data,
		char *errbuf)
{
	*ret_data = json_pack("{s:O,s:i,s:i}", "request", request, "uid", (int)peer->uid, "pid",
			      (int)peer->pid);
	return 0;
}

static int big(void *arg, const struct server_peer *peer, const json_t *request, json_t **ret_data,
	       char *errbuf)
{
	size_t n = (size_t)json_integer_value(json_object_get(request, "size"));
	_cleanup_free_ char *text = malloc(n);

	memset(text, 'x', n);
	*ret_data = json_stringn(text, n);
	return 0;
}

static int pause_all(void *arg, const struct server_peer *peer, const json_t *request,
		     json_t **ret_data, char *errbuf)
{
	paused++;
	return 0;
}

static int broken(void *arg, const struct server_peer *peer, const json_t *request,
		  json_t **ret_data, char *errbuf)
{
	snprintf(errbuf, SERVER_ERROR_MAX, "no container \x1b[31m");
	return EBB_EXIT_FAILED;
}

/* Takes its time; the data is the loop's, which stands still within one turn. */
static int slow(void *arg, const struct server_peer *peer, const json_t *request, json_t **ret_data,
		char *errbuf)
{
	*ret_data = json_integer((json_int_t)uv_now(live_loop()));
	usleep((useconds_t)json_integer_value(json_object_get(request, "ms")) * 1000);
	return 0;
}

static const struct server_command commands[] = {
	{ "echo", false, echo },     { "big", false, big },   { "pause", true, pause_all },
	{ "broken", false, broken }, { "slow", false, slow },
};
static const struct server_ops ops = { commands, ARRAY_SIZE(commands) };

static int start(void **state)
{
	snprintf(path, sizeof(path), "%s/run/ebbd.sock", dir);
	paused = 0;
	return live_start(path, &ops);
}

static int finish(void **state)
{
	return live_stop() < 0 || access(path, F_OK) == 0 ? -1 : 0;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int try_dial(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(to.sun_path, path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int dial(void)
{
	int fd = try_dial();

	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One line, or NULL when the server hung up; waits at most 20 s. */
static char *hear(int fd)
{
	static char line[65536];
	size_t n = 0;

	while (n < sizeof(line) - 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		assert_int_equal(poll(&p, 1, 20000), 1);
		if (read(fd, line + n, 1) <= 0)
			return NULL;
		if (line[n] == '\n') {
			line[n] = '\0';
			return line;
		}
		n++;
	}
	fail_msg("a line without an end");
	return NULL;
}

static void check_alive(void)
{
	_cleanup_close_ int fd = dial();

	say(fd, "{\"cmd\":\"echo\"}\n");
	assert_non_null(hear(fd));
}

static void test_answers(void **state)
{
	_cleanup_close_ int fd = dial(), other = dial();
	char expected[128];

	/* Two requests at once, a third in pieces, and somebody else in between. */
	say(fd, "{\"cmd\":\"echo\"}\n{\"cmd\":\"broken\"}\n{\"cmd\":");
	snprintf(expected, sizeof(expected),
		 "{\"ok\":true,\"data\":{\"request\":{\"cmd\":\"echo\"},\"uid\":%d,\"pid\":%d}}",
		 (int)getuid(), (int)getpid());
	assert_string_equal(hear(fd), expected);
	say(other, "{\"cmd\":\"nonsense\"}\n");
	assert_string_equal(hear(other),
			    "{\"ok\":false,\"error\":\"unknown command 'nonsense'\",\"code\":2}");
	assert_string_equal(hear(fd),
			    "{\"ok\":false,\"error\":\"no container \\\\x1b[31m\",\"code\":1}");
	say(fd, "\"pa");
	say(fd, "use\"}\n");
	if (getuid() == 0)
		assert_string_equal(hear(fd), "{\"ok\":true,\"data\":null}");
}

static void test_in_pieces(void **state)
{
	static const char *const pieces[] = { "{\"cmd\"", ":\"ec", "ho\"}", "\n" };
	_cleanup_close_ int fd = dial();

	/* Each is read for itself. */
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		usleep(50000);
		say(fd, pieces[i]);
	}
	assert_non_null(hear(fd));
}

static void test_half_closed(void **state)
{
	_cleanup_close_ int fd = dial();

	/* As `echo … | nc -U` does. */
	say(fd, "{\"cmd\":\"echo\"}\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_non_null(hear(fd));
	assert_null(hear(fd));
}

static void test_rubbish(void **state)
{
	static const char *const all[] = {
		"\n",
		"hello\n",
		"[]\n",
		"{}\n",
		"{\"cmd\":1}\n",
		"{\"cmd\":\"echo\",\"cmd\":\"echo\"}\n",
		"{\"cmd\":\"ec\\u0000ho\"}\n",
		"{\"cmd\":\"echo\"} x\n",
		"GET / HTTP/1.1\r\n",
		"\xff\xfe\x01\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		_cleanup_close_ int fd = dial();
		const char *answer;

		say(fd, all[i]);
		answer = hear(fd);
		if (!answer || !strstr(answer, "\"ok\":false") || !strstr(answer, "\"code\":2"))
			fail_msg("%s: %s", all[i], answer ? answer : "hung up");
		assert_null(hear(fd));
	}
	check_alive();
}

static void test_limit(void **state)
{
	char line[EBB_WIRE_REQUEST_MAX + 2];
	_cleanup_close_ int fd = dial(), over = dial();

	/* The longest request is answered, … */
	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"cmd\":\"echo\"}", 14);
	line[EBB_WIRE_REQUEST_MAX - 1] = '\n';
	line[EBB_WIRE_REQUEST_MAX] = '\0';
	say(fd, line);
	assert_non_null(hear(fd));
	/* … one byte more is not. */
	line[EBB_WIRE_REQUEST_MAX - 1] = ' ';
	line[EBB_WIRE_REQUEST_MAX] = '\n';
	line[EBB_WIRE_REQUEST_MAX + 1] = '\0';
	say(over, line);
	assert_null(hear(over));
}

static void test_endless_line(void **state)
{
	_cleanup_close_ int fd = dial();
	static char block[65536];
	size_t sent = 0;

	memset(block, '{', sizeof(block));
	while (sent < 10 << 20) {
		ssize_t n = send(fd, block, sizeof(block), MSG_NOSIGNAL);

		if (n < 0)
			break;
		sent += (size_t)n;
	}
	/* Dropped long before the end: what a socket holds, and no more. */
	assert_true(sent < 2 << 20);
	check_alive();
}

static void test_stalled(void **state)
{
	_cleanup_close_ int fd = dial();
	_cleanup_free_ char *sink = malloc(1 << 20);
	uint64_t start_ms = now_ms();
	size_t got = 0;
	ssize_t n;

	say(fd, "{\"cmd\":\"big\",\"size\":8000000}\n");
	/* Others are served all the while, */
	while (now_ms() - start_ms < EBB_WIRE_STALL_MS - 1000) {
		check_alive();
		usleep(100000);
	}
	sleep(2);
	/* and then it is gone: what is left is what the socket held. */
	while ((n = read(fd, sink, 1 << 20)) > 0)
		got += (size_t)n;
	assert_true(got < 8000000);
	check_alive();
}

static void test_slow_but_steady(void **state)
{
	_cleanup_close_ int fd = dial();
	_cleanup_free_ char *sink = malloc(1 << 20);
	size_t got = 0;
	ssize_t n = 1;

	say(fd, "{\"cmd\":\"big\",\"size\":8000000}\n");
	for (; got < 8000000 && n > 0; got += (size_t)n) {
		usleep(10000);
		n = read(fd, sink, 1 << 20);
	}
	assert_true(got >= 8000000);
}

/* Answers that nobody reads are bounded in sum: the oldest one pays. */
static void test_many_stalled(void **state)
{
	static char sink[1 << 20];
	int fd[3];
	size_t got[3] = { 0 };

	for (int i = 0; i < 3; i++) {
		fd[i] = dial();
		say(fd[i], "{\"cmd\":\"big\",\"size\":15000000}\n");
		usleep(300000);
	}
	for (int i = 2; i >= 0; i--) {
		ssize_t n = 1;

		for (; got[i] < 15000000 && n > 0; got[i] += (size_t)n)
			n = read(fd[i], sink, sizeof(sink));
		close(fd[i]);
	}
	assert_true(got[0] < 15000000);
	assert_true(got[1] >= 15000000);
	assert_true(got[2] >= 15000000);
}

static void test_too_large(void **state)
{
	_cleanup_close_ int fd = dial();

	say(fd, "{\"cmd\":\"big\",\"size\":17000000}\n");
	assert_string_equal(hear(fd),
			    "{\"ok\":false,\"error\":\"the answer is too large\",\"code\":1}");
}

static void test_crowd(void **state)
{
	int fd[EBB_WIRE_CLIENTS_MAX + 1];

	for (int i = 0; i < EBB_WIRE_CLIENTS_MAX; i++) {
		fd[i] = dial();
		say(fd[i], "{\"cmd\":\"echo\"}\n");
		assert_non_null(hear(fd[i]));
	}
	usleep(20000);
	say(fd[0], "{\"cmd\":\"echo\"}\n");
	assert_non_null(hear(fd[0]));
	/* One more gets in, in place of the one that was silent longest: not of fd[0]. */
	fd[EBB_WIRE_CLIENTS_MAX] = dial();
	say(fd[EBB_WIRE_CLIENTS_MAX], "{\"cmd\":\"echo\"}\n");
	assert_non_null(hear(fd[EBB_WIRE_CLIENTS_MAX]));
	assert_null(hear(fd[1]));
	say(fd[0], "{\"cmd\":\"echo\"}\n");
	assert_non_null(hear(fd[0]));
	for (int i = 0; i <= EBB_WIRE_CLIENTS_MAX; i++)
		close(fd[i]);
	check_alive();
}

/* However many ask at once, the loop comes to its other work after each of them. */
static void test_one_a_turn(void **state)
{
	_cleanup_close_ int first = dial();
	int fd[8];
	long long before = 0, now;

	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		fd[i] = dial();
	check_alive(); /* all are accepted */
	say(first, "{\"cmd\":\"slow\",\"ms\":300}\n");
	usleep(100000);
	/* They find the loop busy, so that it finds all of them in one turn. */
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		say(fd[i], "{\"cmd\":\"slow\",\"ms\":20}\n");
	assert_non_null(hear(first));
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++) {
		assert_int_equal(sscanf(hear(fd[i]), "{\"ok\":true,\"data\":%lld}", &now), 1);
		if (now < before + 10)
			fail_msg("%zu is answered in the turn of another", i);
		before = now;
		close(fd[i]);
	}
}

/* A process without root gets what may be read, and nothing else. */
static void test_not_root(void **state)
{
	int status;
	pid_t pid;

	/* Members of the group get in; here, anybody. */
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(path, 0666), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd, n;
		char answer[512];

		if (getuid() == 0 &&
		    (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
			_exit(10);
		fd = try_dial();
		if (fd < 0)
			_exit(11);
		if (write(fd, "{\"cmd\":\"pause\"}\n", 16) != 16)
			_exit(12);
		n = (int)read(fd, answer, sizeof(answer) - 1);
		if (n <= 0)
			_exit(13);
		answer[n] = '\0';
		if (strcmp(answer, "{\"ok\":false,\"error\":\"not permitted: only root may pause; "
				   "members of group ebb may read\",\"code\":1}\n"))
			_exit(14);
		if (write(fd, "{\"cmd\":\"echo\"}\n", 15) != 15)
			_exit(15);
		n = (int)read(fd, answer, sizeof(answer) - 1);
		if (n <= 0)
			_exit(16);
		answer[n] = '\0';
		_exit(strstr(answer, "\"uid\":0,") ? 17 : !strstr(answer, "\"ok\":true"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(paused, 0);
}

static void test_socket_file(void **state)
{
	struct group storage, *group = NULL;
	char names[4096];
	struct server *second;
	uv_loop_t other;
	char wrong[128];
	struct stat st;

	assert_int_equal(getgrnam_r(EBB_GROUP, &storage, names, sizeof(names), &group), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, group ? 0660 : 0600);
	assert_int_equal(st.st_gid, group ? group->gr_gid : getgid());

	/* Another server does not take the socket of one that lives. */
	assert_int_equal(uv_loop_init(&other), 0);
	assert_int_equal(server_open(&second, &other, path, &ops, NULL), -EADDRINUSE);
	/* Nor does it remove what is no socket. */
	snprintf(wrong, sizeof(wrong), "%s/file", dir);
	fclose(fopen(wrong, "w"));
	assert_int_equal(server_open(&second, &other, wrong, &ops, NULL), -EEXIST);
	assert_int_equal(unlink(wrong), 0);
	memset(wrong, 'x', sizeof(wrong) - 1);
	wrong[sizeof(wrong) - 1] = '\0';
	assert_int_equal(server_open(&second, &other, wrong, &ops, NULL), -ENAMETOOLONG);
	uv_run(&other, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&other), 0);
	check_alive();
}

/* What a killed ebbd leaves is replaced. */
static void test_stale(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "%s/run/ebbd.sock", dir);
	strcpy(at.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	assert_int_equal(try_dial(), -ECONNREFUSED);
	assert_int_equal(start(NULL), 0);
	check_alive();
	assert_int_equal(finish(NULL), 0);
}

static int make_dir(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	snprintf(path, sizeof(path), "%s/run", dir);
	return rmdir(path) < 0 || rmdir(dir) < 0 ? -1 : 0;
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(test_answers),      WITH_SERVER(test_in_pieces),
		WITH_SERVER(test_half_closed),  WITH_SERVER(test_rubbish),
		WITH_SERVER(test_limit),        WITH_SERVER(test_endless_line),
		WITH_SERVER(test_stalled),      WITH_SERVER(test_slow_but_steady),
		WITH_SERVER(test_many_stalled), WITH_SERVER(test_too_large),
		WITH_SERVER(test_crowd),        WITH_SERVER(test_not_root),
		WITH_SERVER(test_one_a_turn),   WITH_SERVER(test_socket_file),
		cmocka_unit_test(test_stale),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
