// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exporter as it runs: the dialer, the store and HTTP, before ebbd's own server; and what its
 * processes can no longer do from inside the sandbox.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "exporter/address.h"
#include "exporter/dial.h"
#include "exporter/http.h"
#include "exporter/sandbox.h"
#include "exporter/store.h"
#include "lib/cleanup.h"
#include "live_server.h"
#include "scratch.h"

static char dir[] = "/tmp/ebb-exporter-XXXXXX";
static char path[64];
static unsigned int lists; /* questions; changed by the server's thread, read when it rests */
static size_t padding; /* bytes of one more member, for large answers */
static bool loopback;
static bool hung; /* ebbd does not answer; changed while the server's thread runs */

static int list(void *arg, const struct server_peer *peer, const json_t *request, json_t **ret_data,
		char *errbuf)
{
	_cleanup_free_ char *text = calloc(1, padding + 1);

	__atomic_add_fetch(&lists, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&hung, __ATOMIC_SEQ_CST))
		usleep(10000);
	memset(text, 'x', padding);
	*ret_data = json_pack("[{s:s,s:s,s:I,s:s}]", "id", "7", "name", "web", "bytes",
			      (json_int_t)5, "more", text);
	return 0;
}

static int status(void *arg, const struct server_peer *peer, const json_t *request,
		  json_t **ret_data, char *errbuf)
{
	*ret_data = json_pack("{s:{s:i}}", "memory", "total", 1000);
	return 0;
}

static const struct server_command commands[] = {
	{ "list", false, list },
	{ "status", false, status },
};
static const struct server_ops ops = { commands, ARRAY_SIZE(commands) };

struct exporter {
	struct dialer dialer;
	struct store *store;
	struct http *http;
	int listen_fd;
	struct sockaddr_in where;
};

/* Where it stands, since the store keeps a pointer into it. */
static void up(struct exporter *e, const char *users)
{
	struct http_options options = {
		.loopback = loopback, .users = users, .max_containers = 100, .statm_fd = -1
	};
	socklen_t len = sizeof(e->where);
	char text[ADDRESS_TEXT_MAX];
	struct address a;

	assert_int_equal(address_parse("127.0.0.1:0", &a), 0);
	e->listen_fd = address_listen(&a, text);
	assert_true(e->listen_fd >= 0);
	getsockname(e->listen_fd, (struct sockaddr *)&e->where, &len);
	assert_int_equal(dialer_start(&e->dialer, path), 0);
	assert_int_equal(store_open(&e->store, &e->dialer, path), 0);
	options.listen_fd = e->listen_fd;
	assert_int_equal(http_open(&e->http, &options, e->store), 0);
}

static void down(struct exporter *e)
{
	store_stop(e->store);
	http_close(e->http);
	store_free(e->store);
	dialer_stop(&e->dialer);
	close(e->listen_fd);
}

static int start(void **state)
{
	lists = 0;
	padding = 0;
	loopback = true;
	hung = false;
	return live_start(path, &ops);
}

static int finish(void **state)
{
	__atomic_store_n(&hung, false, __ATOMIC_SEQ_CST);
	return live_stop();
}

static int send_request(const struct exporter *e, const char *request)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&e->where, sizeof(e->where)), 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

/* The whole answer, until the other side closes; the caller's. */
static char *ask(const struct exporter *e, const char *request)
{
	_cleanup_close_ int fd = send_request(e, request);
	_cleanup_free_ char *text = calloc(1, 1 << 20);
	size_t len = 0;
	ssize_t n;

	do {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		assert_int_equal(poll(&p, 1, 20000), 1);
		n = recv(fd, text + len, (1 << 20) - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return TAKE_PTR(text);
}

#define GET(what) "GET " what " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
#define GET_WITH(what, more)                                                                       \
	"GET " what " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" more "\r\n\r\n"

static void check(const struct exporter *e, const char *request, const char *begins,
		  const char *has)
{
	_cleanup_free_ char *answer = ask(e, request);

	if (strncmp(answer, begins, strlen(begins)) != 0 || !strstr(answer, has))
		fail_msg("%s gave:\n%.2000s", request, answer);
}

static void test_routes(void **state)
{
	struct exporter e;

	up(&e, NULL);

	check(&e, GET("/metrics"), "HTTP/1.1 200", "\nebb_up 1\n");
	check(&e, GET_WITH("/metrics", "Accept: application/openmetrics-text; version=1.0.0"),
	      "HTTP/1.1 200", "\n# EOF\n");
	check(&e, GET("/api/list"), "HTTP/1.1 200", "\"name\":\"web\"");
	check(&e, GET("/api/status"), "HTTP/1.1 200", "\"total\":1000");
	check(&e, GET("/api/history"), "HTTP/1.1 200", "\"machine\":{\"total\":[");
	check(&e, GET("/api/history?id=7&span=day"), "HTTP/1.1 200", "\"containers\":{\"7\":{");
	check(&e, GET("/api/history?id=x"), "HTTP/1.1 400", "\"error\":");
	check(&e, GET("/api/history?span=year"), "HTTP/1.1 400", "\"error\":");
	check(&e, GET("/healthz"), "HTTP/1.1 200", "\nok\n");
	check(&e, GET("/readyz"), "HTTP/1.1 200", "\nok\n");
	check(&e, GET("/"), "HTTP/1.1 200", "<title>ebb");
	check(&e, GET("/"), "HTTP/1.1 200", "Content-Security-Policy: default-src 'none'");
	check(&e, GET("/../etc/passwd"), "HTTP/1.1 404", "there are:");
	check(&e,
	      "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: "
	      "close\r\n\r\nhi",
	      "HTTP/1.1 405", "Allow: GET, HEAD");
	/* A page of elsewhere whose name was made to point here. */
	check(&e, "GET /api/list HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
	      "HTTP/1.1 403", "by address");
	down(&e);
}

static void test_password(void **state)
{
	struct exporter e;

	up(&e, "ann:s3cret\n");

	check(&e, GET("/metrics"), "HTTP/1.1 401", "WWW-Authenticate: Basic");
	check(&e, GET("/"), "HTTP/1.1 401", "password");
	check(&e, GET_WITH("/metrics", "Authorization: Basic YW5uOnMzY3JldA=="), "HTTP/1.1 200",
	      "ebb_up 1");
	check(&e, GET_WITH("/metrics", "Authorization: Basic YW5uOnMzY3JldDE="), "HTTP/1.1 401",
	      "password");
	check(&e, GET("/healthz"), "HTTP/1.1 200", "ok");
	down(&e);
}

/* However many ask, ebbd is asked once a second at most. */
static void test_bounded(void **state)
{
	struct timespec begun, now;
	struct exporter e;
	double seconds;

	up(&e, NULL);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (unsigned int i = 0; i < 40; i++)
		check(&e, GET("/metrics"), "HTTP/1.1 200", "ebb_up 1");
	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = (double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) / 1e9;
	assert_true(__atomic_load_n(&lists, __ATOMIC_SEQ_CST) <= 2 + (unsigned int)seconds);
	down(&e);
}

static void test_away(void **state)
{
	struct exporter e;

	up(&e, NULL);

	check(&e, GET("/metrics"), "HTTP/1.1 200", "ebb_up 1");
	assert_int_equal(live_stop(), 0);
	sleep(1);
	usleep(100000);
	check(&e, GET("/metrics"), "HTTP/1.1 200", "\nebb_up 0\n");
	check(&e, GET("/api/list"), "HTTP/1.1 503", "ebbd is not running");
	check(&e, GET("/healthz"), "HTTP/1.1 200", "ebbd is away");
	check(&e, GET("/readyz"), "HTTP/1.1 503", "ebbd is not running");
	assert_int_equal(live_start(path, &ops), 0);
	sleep(1);
	usleep(100000);
	check(&e, GET("/metrics"), "HTTP/1.1 200", "\nebb_up 1\n");
	down(&e);
}

/* Starting the exporter again would not help: who watches it must not think so. */
static void test_hung(void **state)
{
	struct store_view view;
	struct exporter e;

	hung = true;
	up(&e, NULL);
	check(&e, GET("/healthz"), "HTTP/1.1 200", "\nok\n");
	/* Nobody waited until ebbd was given up. */
	store_get(e.store, &view);
	store_put(e.store, &view);
	__atomic_store_n(&hung, false, __ATOMIC_SEQ_CST);
	assert_int_equal(view.requests, 0);
	down(&e);
}

/* Clients that ask and do not read hold up neither ebbd nor anybody else. */
static void test_slow_readers(void **state)
{
	struct exporter e;
	int slow[20];
	bool served_again = false;

	padding = 8 << 20;
	up(&e, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		slow[i] = send_request(&e, GET("/api/list"));
	/* Whoever watches the exporter hears that it lives, whatever the slow ones hold by then. */
	for (unsigned int tries = 0; tries < 20; tries++) {
		usleep(50000);
		check(&e, GET("/healthz"), "HTTP/1.1 200", "ok");
	}
	/* What they hold is over the bound: the oldest lose their answer, and all is served again.
	 */
	for (unsigned int tries = 0; !served_again && tries < 30; tries++) {
		_cleanup_free_ char *answer = NULL;

		sleep(1);
		answer = ask(&e, GET("/metrics"));
		served_again = !strncmp(answer, "HTTP/1.1 200", 12);
	}
	assert_true(served_again);
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		close(slow[i]);
	down(&e);
}

static int connect_from(const struct exporter *e, const char *address, const char *request)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&e->where, sizeof(e->where)), 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

/* Requests that never end, a byte at a time: who comes with a whole one has the place of such. */
static void test_slow_writers(void **state)
{
	struct exporter e;
	int slow[HTTP_CONNECTIONS + 60], fd;
	char answer[64] = "";

	up(&e, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		slow[i] = send_request(&e, "GET /healthz HTTP/1.1\r\nX: ");
	fd = send_request(&e, GET("/healthz"));
	for (unsigned int tries = 0; !readable(fd, 1000) && tries < 30; tries++)
		for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
			send(slow[i], "x", 1, MSG_NOSIGNAL);
	assert_true(recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT) > 0);
	assert_memory_equal(answer, "HTTP/1.1 200", 12);
	close(fd);
	/* The last of them are still there: no more went than had to. */
	assert_false(readable(slow[ARRAY_SIZE(slow) - 1], 0));
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		close(slow[i]);
	down(&e);
}

/* Of a network, one address cannot have all places. */
static void test_one_address(void **state)
{
	struct exporter e;
	int many[HTTP_CONNECTIONS / 2 + 1], other;

	loopback = false;
	up(&e, NULL);
	other = connect_from(&e, "127.0.0.2", "GET /healthz HTTP/1.1\r\nX: ");
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = send_request(&e, "G");
	assert_true(readable(many[ARRAY_SIZE(many) - 1], 10000));
	assert_false(readable(many[ARRAY_SIZE(many) - 2], 0));
	assert_false(readable(other, 0));
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		close(many[i]);
	close(other);
	down(&e);
}

/* Nobody waits for a body: it is refused before it comes. */
static void test_bodies(void **state)
{
	struct exporter e;

	up(&e, NULL);
	check(&e, "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n",
	      "HTTP/1.1 405", "Allow: GET, HEAD");
	check(&e, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n",
	      "HTTP/1.1 400", "no body is wanted");
	check(&e, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
	      "HTTP/1.1 400", "no body is wanted");
	check(&e, GET_WITH("/metrics", "Content-Length: 0"), "HTTP/1.1 200", "ebb_up 1");
	down(&e);
}

/* --- from inside ---------------------------------------------------------------- */

static int first_allowed(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	char *const argv[] = { "/bin/true", NULL };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0)
		return 1;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
		return 2;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM)
		return 3;
	if (open("/proc/self/status", O_RDONLY) >= 0)
		return 4;
	if (open("/tmp/ebb-exporter-was-here", O_WRONLY | O_CREAT, 0600) >= 0)
		return 5;
	if (execv(argv[0], argv) == 0 || errno != EPERM)
		return 6;
	if (fork() >= 0)
		return 7;
	if (kill(getppid(), 0) == 0)
		return 8;
	if (connect(0, (struct sockaddr *)&to, sizeof(to)) == 0 || errno != EPERM)
		return 9;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	    MAP_FAILED)
		return 10;
	if (unlink(path) == 0 || chdir("/") == 0 || setuid(0) == 0)
		return 11;
	return 0;
}

static int in_child(int (*body)(void))
{
	pid_t pid = fork();
	int code = -1;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &code, 0), pid);
	return WIFEXITED(code) ? WEXITSTATUS(code) : 1000 + code;
}

static int server_child(void)
{
	return sandbox_enter_server() ? 100 : first_allowed();
}

static int landlock_child(void)
{
	bool landlock;

	if (sandbox_fence_files(&landlock))
		return 100;
	if (!landlock)
		return 77;
	return open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES ? 1 : 0;
}

static int dialer_child(void)
{
	if (sandbox_enter_dialer())
		return 100;
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 1; /* that it is for */
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 2;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM)
		return 3;
	return 0;
}

static void test_sandbox(void **state)
{
	int r;

	assert_int_equal(in_child(server_child), 0);
	assert_int_equal(in_child(dialer_child), 0);
	r = in_child(landlock_child);
	if (r == 77)
		print_message("no Landlock in this kernel\n");
	else
		assert_int_equal(r, 0);
}

static int drop_child(void)
{
	char who[160];

	if (sandbox_drop_privileges(who, sizeof(who)))
		return 100;
	return geteuid() == 0 || setuid(0) == 0 || open("/etc/shadow", O_RDONLY) >= 0;
}

static void test_privileges(void **state)
{
	assert_int_equal(in_child(drop_child), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test_setup_teardown(test_routes, start, finish),
		cmocka_unit_test_setup_teardown(test_password, start, finish),
		cmocka_unit_test_setup_teardown(test_bounded, start, finish),
		cmocka_unit_test_setup_teardown(test_away, start, finish),
		cmocka_unit_test_setup_teardown(test_hung, start, finish),
		cmocka_unit_test_setup_teardown(test_slow_readers, start, finish),
		cmocka_unit_test_setup_teardown(test_slow_writers, start, finish),
		cmocka_unit_test_setup_teardown(test_one_address, start, finish),
		cmocka_unit_test_setup_teardown(test_bodies, start, finish),
	};
	int r;

	if (scratch_make(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/ebbd.sock", dir);
	r = cmocka_run_group_tests_name("exporter http", tests, NULL, NULL);
	rmdir(dir);
	return r;
}
