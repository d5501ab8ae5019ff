// SPDX-License-Identifier: GPL-2.0-only
/* What a main says: to stderr, and to the service manager. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/log.h"
#include "lib/notify.h"

static int saved = -1, pipe_end = -1;

/* stderr becomes a pipe. */
static int catch_stderr(void **state)
{
	int fds[2];

	if (pipe(fds) < 0)
		return -1;
	saved = dup(2);
	if (saved < 0 || dup2(fds[1], 2) < 0)
		return -1;
	close(fds[1]);
	pipe_end = fds[0];
	return fcntl(pipe_end, F_SETFL, O_NONBLOCK);
}

static int free_stderr(void **state)
{
	dup2(saved, 2);
	close(saved);
	close(pipe_end);
	unsetenv("JOURNAL_STREAM");
	return 0;
}

static void expect(const char *expected)
{
	char text[4096];
	ssize_t n = read(pipe_end, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text, expected);
}

static void test_plain(void **state)
{
	program_invocation_short_name = (char *)"ebbd";
	log_init(false);
	log_debug("not said");
	log_info("%s is %d", "one", 1);
	log_warn("w");
	log_err("name \x1b[2J\nnext");
	expect("ebbd: one is 1\nebbd: warning: w\nebbd: error: name \\x1b[2J\\x0anext\n");
	log_init(true);
	errno = ENOENT;
	log_debug("said");
	assert_int_equal(errno, ENOENT);
	expect("ebbd: debug: said\n");
}

static void test_long(void **state)
{
	static char name[8192];
	char text[4096];
	ssize_t n;

	memset(name, '\n', sizeof(name) - 1);
	log_init(false);
	log_info("%s", name);
	n = read(pipe_end, text, sizeof(text));
	/* Cut, and one line all the same. */
	assert_true(n > 1000 && n < 2100);
	assert_ptr_equal(memchr(text, '\n', (size_t)n), text + n - 1);
}

static void test_journal(void **state)
{
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(2, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init(true);
	log_info("i");
	log_warn("w");
	log_err("e");
	log_debug("d");
	expect("<6>i\n<4>w\n<3>e\n<7>d\n");

	/* The variable is inherited, but stderr is another file by now. */
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_init(false);
	log_info("i");
	expect("ebbd: i\n");
}

static void test_notify(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t len;
	char text[64];

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send("READY=1"), 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/ebb-notify-%d", (int)getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	assert_int_equal(notify_send("READY=1\nSTATUS=%d containers", 3), 1);
	memset(text, 0, sizeof(text));
	assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), 27);
	assert_string_equal(text, "READY=1\nSTATUS=3 containers");
	unlink(at.sun_path);
	assert_int_equal(notify_send("READY=1"), -ENOENT);
	close(fd);

	/* An abstract address, as containers get it. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	snprintf(text, sizeof(text), "@ebb-notify-%d", (int)getpid());
	memset(&at.sun_path, 0, sizeof(at.sun_path));
	memcpy(at.sun_path + 1, text + 1, strlen(text) - 1);
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	setenv("NOTIFY_SOCKET", text, 1);
	assert_int_equal(notify_send("WATCHDOG=1"), 1);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 10);
	/* A service manager that does not read does not stop us. */
	for (int i = 0; i < 10000 && notify_send("WATCHDOG=1") == 1; i++)
		;
	assert_int_equal(notify_send("WATCHDOG=1"), -EAGAIN);
	close(fd);

	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	unsetenv("NOTIFY_SOCKET");
}

static void test_watchdog(void **state)
{
	char pid[16];

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_ms(), 15000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "-5", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, catch_stderr, free_stderr),
		cmocka_unit_test_setup_teardown(test_long, catch_stderr, free_stderr),
		cmocka_unit_test_setup_teardown(test_journal, catch_stderr, free_stderr),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
