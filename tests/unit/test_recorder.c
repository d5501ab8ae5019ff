// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings over ebbd's socket, with readers that are slow, have enough, or die; a server in a
 * thread of its own whose command `turn` takes the place of the census.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "ebb/wire.h"
#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "live_server.h"
#include "report/replay.h"

#define CONTAINERS 2000
#define MIB (UINT64_C(1) << 20)

static char dir[] = "/tmp/ebb-recorder-XXXXXX";
static char path[64];

/* --- an ebbd without a kernel: all of it in the server's thread ---------------------- */

static struct daemon d;
static struct ebb_snap_container containers[CONTAINERS];
static struct policy_container slots[CONTAINERS];
static struct ebb_plan_item items[CONTAINERS + 1];
static struct ebb_verdict verdicts[CONTAINERS];

static int record(void *arg, const struct server_peer *peer, const json_t *request,
		  json_t **ret_data, char *errbuf)
{
	return recorder_answer(&d, peer, request, ret_data, errbuf);
}

/* One turn, in which everything has changed; the answer is how many recordings are under way. */
static int turn(void *arg, const struct server_peer *peer, const json_t *request, json_t **ret_data,
		char *errbuf)
{
	size_t n = (size_t)json_integer_value(json_object_get(request, "containers"));

	d.snap.now_ms += 1000;
	d.snap.nr_containers = n;
	for (size_t i = 0; i < n; i++) {
		struct ebb_snap_container *c = &containers[i];

		*c = (struct ebb_snap_container){ .id = 1 + i,
						  .populated = true,
						  .bytes = d.snap.now_ms * 64 + i * MIB,
						  .anon = d.snap.now_ms * 32,
						  .file = d.snap.now_ms * 32,
						  .faults = d.snap.now_ms,
						  .steal = d.snap.now_ms + i };
	}
	if (policy_step(&d.snap, &d.config, &d.policy, &d.plan)) {
		snprintf(errbuf, SERVER_ERROR_MAX, "no plan");
		return EBB_EXIT_FAILED;
	}
	recorders_turn(&d);
	*ret_data = json_boolean(d.recorders != NULL);
	return 0;
}

static int stop(void *arg, const struct server_peer *peer, const json_t *request, json_t **ret_data,
		char *errbuf)
{
	recorders_close(&d);
	*ret_data = json_boolean(d.recorders != NULL);
	return 0;
}

static const struct server_command commands[] = {
	{ "record", false, record },
	{ "turn", false, turn },
	{ "stop", false, stop },
};
static const struct server_ops ops = { commands, ARRAY_SIZE(commands) };

static int start(void **state)
{
	struct tree_options tree = { .cgroup_root = dir };

	memset(&d, 0, sizeof(d));
	d.config = (struct ebb_config){ .cold_after_ms = 10000, .stall_budget_ppm = 1000 };
	d.snap.now_ms = 1000000;
	d.snap.containers = containers;
	d.policy.slots = slots;
	d.policy.max = CONTAINERS;
	d.plan = (struct ebb_plan){ .items = items,
				    .max_items = CONTAINERS + 1,
				    .verdicts = verdicts,
				    .max_verdicts = CONTAINERS };
	snprintf(path, sizeof(path), "%s/run/ebbd.sock", dir);
	if (tree_open(&d.tree, &tree))
		return -1;
	return live_start(path, &ops);
}

static int finish(void **state)
{
	int r = live_stop();

	/* What was under way went with the server; what it held goes here. */
	recorders_close(&d);
	tree_close(d.tree);
	return r || d.recorders ? -1 : 0;
}

/* --- its clients --------------------------------------------------------------------- */

static int dial(const char *request)
{
	struct timeval patience = { .tv_sec = 60 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(to.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

/* With a timeout, a signal ends it however that one is handled. */
static ssize_t receive(int fd, void *buf, size_t size, int flags)
{
	ssize_t n;

	do {
		n = recv(fd, buf, size, flags);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* A line with its newline cut off, into buf. */
static void hear(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (receive(fd, buf + len, 1, 0) == 1 && buf[len] != '\n')
		assert_true(++len < size);
	buf[len] = '\0';
}

static int dial_good(const char *request)
{
	char line[256];
	int fd = dial(request);

	hear(fd, line, sizeof(line));
	assert_string_equal(line, "{\"ok\":true,\"data\":{\"format\":1}}");
	return fd;
}

struct heard {
	char *text;
	size_t len, room;
};

/* What is there now, or (wait) until the stream ends. */
static void take(int fd, struct heard *h, bool wait)
{
	ssize_t n;

	do {
		if (h->room - h->len < 65536) {
			h->room += 1 << 20;
			h->text = realloc(h->text, h->room);
			assert_non_null(h->text);
		}
		n = receive(fd, h->text + h->len, h->room - h->len - 1, wait ? 0 : MSG_DONTWAIT);
		h->len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	h->text[h->len] = '\0';
	assert_true(n == 0 || (!wait && errno == EAGAIN));
}

static void take_all(int fd, struct heard *h)
{
	take(fd, h, true);
	close(fd);
}

/* Some turns of n containers; true: something is being recorded after the last of them. */
static bool turns(unsigned int nr, unsigned int n)
{
	char request[64], line[256] = "";

	snprintf(request, sizeof(request), "{\"cmd\":\"turn\",\"containers\":%u}\n", n);
	for (unsigned int i = 0; i < nr; i++) {
		_cleanup_close_ int fd = dial(request);

		hear(fd, line, sizeof(line));
		assert_non_null(strstr(line, "\"ok\":true"));
	}
	return strstr(line, "true}") != NULL;
}

/* It is a whole one, and replays to the same. Frees what was heard. */
static void check_recording(struct heard *h, uint64_t least, uint64_t most, uint64_t missed,
			    const char *end)
{
	char *text = h->text;
	size_t len = h->len;
	struct replay *r;
	json_t *json, *about;
	int err = 0;
	char *stop;

	assert_int_equal(replay_open(&r, NULL, NULL), 0);
	for (char *at = text; !err && (stop = memchr(at, '\n', (size_t)(text + len - at)));
	     at = stop + 1)
		err = replay_line(r, at, (size_t)(stop - at));
	if (err || replay_finish(r, false))
		fail_msg("%s", replay_error(r));
	assert_true(replay_same(r));
	json = replay_json(r);
	about = json_object_get(json, "recording");
	assert_in_range(json_integer_value(json_object_get(about, "turns")), least, most);
	if (missed != UINT64_MAX)
		assert_int_equal(json_integer_value(json_object_get(about, "missed")), missed);
	else
		assert_true(json_integer_value(json_object_get(about, "missed")) > 0);
	assert_string_equal(json_string_value(json_object_get(about, "end")), end);
	json_decref(json);
	replay_close(r);
	free(text);
}

/* --- tests --------------------------------------------------------------------------- */

static void test_so_many_turns(void **state)
{
	struct heard h = { 0 };
	int fd;

	turns(3, 5);
	fd = dial_good("{\"cmd\":\"record\",\"turns\":4}\n");
	assert_true(turns(3, 6));
	assert_false(turns(1, 4));
	turns(2, 4);
	take_all(fd, &h);
	check_recording(&h, 4, 4, 0, "count");
}

static void test_a_reader_that_has_enough(void **state)
{
	int fd = dial_good("{\"cmd\":\"record\"}\n");
	struct heard h = { 0 };

	assert_true(turns(70, 2));
	shutdown(fd, SHUT_WR);
	take_all(fd, &h);
	check_recording(&h, 70, 70, 0, "stopped");
	assert_false(turns(1, 2));
}

/* It misses turns, and is told; everybody else goes on; memory stays within bounds. */
static void test_a_reader_that_is_slow(void **state)
{
	int fd = dial_good("{\"cmd\":\"record\"}\n");
	struct heard h = { 0 };

	/* A third of a megabyte each. */
	assert_true(turns(40, CONTAINERS));
	shutdown(fd, SHUT_WR);
	take_all(fd, &h);
	assert_true(h.len > EBB_WIRE_STREAM_MAX / 2 && h.len < EBB_WIRE_STREAM_MAX + (1 << 20));
	check_recording(&h, 3, 30, UINT64_MAX, "stopped");
}

/* It goes on when it has caught up, from the state as it is then. */
static void test_a_reader_that_catches_up(void **state)
{
	int fd = dial_good("{\"cmd\":\"record\"}\n");
	struct heard h = { 0 };

	assert_true(turns(40, CONTAINERS));
	for (int tries = 0; !h.text || !strstr(h.text, "\n{\"gap\":"); tries++) {
		assert_true(tries < 2000);
		take(fd, &h, false);
		assert_true(turns(1, 10));
	}
	assert_true(turns(5, 10));
	shutdown(fd, SHUT_WR);
	take_all(fd, &h);
	check_recording(&h, 8, 2000, UINT64_MAX, "stopped");
}

static void test_two_readers(void **state)
{
	int first = dial_good("{\"cmd\":\"record\"}\n"), second;
	struct heard h = { 0 }, g = { 0 };

	turns(5, 3);
	second = dial_good("{\"cmd\":\"record\",\"turns\":2}\n");
	turns(5, 3);
	shutdown(first, SHUT_WR);
	take_all(first, &h);
	take_all(second, &g);
	check_recording(&h, 10, 10, 0, "stopped");
	check_recording(&g, 2, 2, 0, "count");
}

static void test_a_reader_that_dies(void **state)
{
	int fd = dial_good("{\"cmd\":\"record\"}\n");

	assert_true(turns(3, 50));
	close(fd);
	/* The first write after that may still go well. */
	for (int tries = 0; turns(1, 50); tries++)
		assert_true(tries < 2000);
}

static void test_not_too_many(void **state)
{
	struct heard h = { 0 };
	char line[256];
	int fd[5];

	for (int i = 0; i < 4; i++)
		fd[i] = dial_good("{\"cmd\":\"record\"}\n");
	fd[4] = dial("{\"cmd\":\"record\"}\n");
	hear(fd[4], line, sizeof(line));
	assert_non_null(strstr(line, "4 recordings are under way"));
	close(fd[4]);
	fd[4] = dial("{\"cmd\":\"record\",\"turns\":-1}\n");
	hear(fd[4], line, sizeof(line));
	assert_non_null(strstr(line, "turns below 0"));
	close(fd[4]);
	/* One that has ended makes room. */
	shutdown(fd[0], SHUT_WR);
	take_all(fd[0], &h);
	free(h.text);
	fd[0] = dial_good("{\"cmd\":\"record\"}\n");
	for (int i = 0; i < 4; i++)
		close(fd[i]);
}

/* Who is sent a stream has nothing more to say. */
static void test_a_reader_that_talks(void **state)
{
	int fd = dial_good("{\"cmd\":\"record\"}\n");
	struct heard h = { 0 };

	assert_int_equal(send(fd, "{\"cmd\":\"turn\"}\n", 15, MSG_NOSIGNAL), 15);
	take_all(fd, &h);
	assert_null(strstr(h.text, "{\"end\":"));
	free(h.text);
	assert_false(turns(1, 2));
}

/* ebbd ends: what it recorded has its end, too. */
static void test_the_end_of_ebbd(void **state)
{
	int fd = dial_good("{\"cmd\":\"record\"}\n"), other;
	struct heard h = { 0 };
	char line[64];

	turns(3, 2);
	other = dial("{\"cmd\":\"stop\"}\n");
	hear(other, line, sizeof(line));
	close(other);
	assert_non_null(strstr(line, "false"));
	take_all(fd, &h);
	check_recording(&h, 3, 3, 0, "shutdown");
}

static int make_dir(void **state)
{
	signal(SIGPIPE, SIG_IGN); /* as ebbd does */
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char run[64];

	snprintf(run, sizeof(run), "%s/run", dir);
	rmdir(run);
	return rmdir(dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
	const struct CMUnitTest tests[] = {
		TEST(test_so_many_turns),         TEST(test_a_reader_that_has_enough),
		TEST(test_a_reader_that_is_slow), TEST(test_a_reader_that_catches_up),
		TEST(test_two_readers),           TEST(test_a_reader_that_dies),
		TEST(test_not_too_many),          TEST(test_a_reader_that_talks),
		TEST(test_the_end_of_ebbd),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
