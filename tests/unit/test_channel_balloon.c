// SPDX-License-Identifier: GPL-2.0-only
/* The guest's end on a real loop; a pseudo terminal stands in for the port, this test for the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/balloon_int.h"
#include "lib/cleanup.h"
#include "skip.h"

#define GiB (1ull << 30)

static struct {
	uv_loop_t loop;
	struct balloon *b;
	int master;
	int slave; /* held, so that the master survives the balloon's closing */
	char buf[EBB_CHANNEL_LINE_MAX];
	struct channel_reader reader;
	unsigned int heard;
	int no_terminal; /* negative errno */
	char pts[32]; /* where a devpts of our own is mounted; "": it is not */
} t;

static void need_terminal(void)
{
	if (t.no_terminal)
		skip_because("no pseudo terminal here: %s", strerror(-t.no_terminal));
}

static void on_event(void *arg, enum balloon_event event, const struct balloon_state *state)
{
	assert_ptr_equal(state, balloon_state(t.b));
	t.heard |= HEARD(event);
}

static int open_master(const char *ptmx, const char *folder, char *path, size_t size)
{
	int fd = open(ptmx, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), none = 0;
	unsigned int number;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, TIOCSPTLCK, &none) || ioctl(fd, TIOCGPTN, &number)) {
		close(fd);
		return -errno;
	}
	snprintf(path, size, "%s/%u", folder, number);
	return fd;
}

/* Where /dev/pts is missing or is not ours to use, root has one of its own, unseen by others. */
static int own_devpts(char *path, size_t size)
{
	char folder[] = "/tmp/ebb-pts-XXXXXX", ptmx[64];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    !mkdtemp(folder))
		return -errno;
	if (mount("devpts", folder, "devpts", 0, "newinstance,ptmxmode=0666")) {
		int r = -errno;

		rmdir(folder);
		return r;
	}
	strcpy(t.pts, folder);
	snprintf(ptmx, sizeof(ptmx), "%s/ptmx", folder);
	return open_master(ptmx, folder, path, size);
}

static int pseudo_terminal(int *master, int *slave, char *path, size_t size)
{
	struct termios raw;

	*slave = -1;
	*master = open_master("/dev/ptmx", "/dev/pts", path, size);
	if (*master >= 0)
		*slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0) {
		if (*master >= 0)
			close(*master);
		*master = own_devpts(path, size);
		if (*master < 0)
			return *master;
		*slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	}
	if (*slave < 0 || tcgetattr(*slave, &raw))
		return -errno;
	cfmakeraw(&raw);
	return tcsetattr(*slave, TCSANOW, &raw) ? -errno : 0;
}

static int start(void **state)
{
	struct balloon_options opts = {
		.vsock_cid = UINT32_MAX, .ttl_ms = 3000, .name = "guest", .ram = 4 * GiB
	};
	char path[128] = "/nonexistent";

	memset(&t, 0, sizeof(t));
	t.reader = (struct channel_reader){ .buf = t.buf, .size = sizeof(t.buf) };
	t.no_terminal = pseudo_terminal(&t.master, &t.slave, path, sizeof(path));
	opts.port = path;
	uv_loop_init(&t.loop);
	return balloon_open(&t.b, &t.loop, &opts, on_event, NULL);
}

static int finish(void **state)
{
	balloon_close(t.b);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	close(t.master);
	close(t.slave);
	if (t.pts[0] && (umount2(t.pts, MNT_DETACH) || rmdir(t.pts)))
		return -1;
	return uv_loop_close(&t.loop);
}

/* The next line of the guest, within 5 s. */
static struct channel_message next(void)
{
	uint64_t end = uv_hrtime() + 5000000000ull;

	need_terminal();
	while (uv_hrtime() < end) {
		struct pollfd p = { .fd = t.master, .events = POLLIN };
		struct channel_message m;
		char c;
		size_t line;

		uv_run(&t.loop, UV_RUN_NOWAIT);
		if (poll(&p, 1, 5) <= 0)
			continue;
		while (read(t.master, &c, 1) == 1) {
			const char *data = &c;
			size_t left = 1;

			if (!channel_read(&t.reader, &data, &left, &line))
				continue;
			assert_int_equal(channel_parse(t.buf, line, &m), 0);
			return m;
		}
	}
	fail_msg("the guest said nothing");
	return (struct channel_message){ 0 };
}

static void answer(const struct channel_message *m)
{
	char line[EBB_CHANNEL_LINE_MAX];
	int n = channel_format(line, sizeof(line), m);
	unsigned int before = t.heard = 0;

	assert_true(n > 0 && write(t.master, line, (size_t)n) == n);
	for (int i = 0; i < 200 && t.heard == before; i++) {
		uv_run(&t.loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
}

static struct channel_message greeting(void)
{
	struct channel_message hello = next();
	struct channel_message m = {
		.type = CHANNEL_WELCOME, .version = 1, .min = GiB, .max = 4 * GiB
	};

	assert_int_equal(hello.type, CHANNEL_HELLO);
	strcpy(m.session, hello.session);
	answer(&m);
	assert_int_equal(balloon_state(t.b)->link, BALLOON_TALKING);
	return hello;
}

static void test_hello_lease_ack(void **state)
{
	const struct balloon_state *s = balloon_state(t.b);
	struct channel_message hello = greeting(), m;

	assert_string_equal(hello.name, "guest");
	assert_int_equal(hello.ram, 4 * GiB);
	assert_int_equal(strlen(hello.boot), EBB_CHANNEL_BOOT_LEN);
	assert_int_equal(s->min, GiB);
	assert_int_equal(s->max, 4 * GiB);

	balloon_want(t.b, 2 * GiB, 100);
	m = next();
	assert_int_equal(m.type, CHANNEL_LEASE);
	assert_int_equal(m.seq, 1);
	assert_int_equal(m.want, 2 * GiB);
	assert_int_equal(m.idle, 100);
	assert_int_equal(m.ttl_ms, 3000);
	answer(&(struct channel_message){ .type = CHANNEL_ACK,
					  .seq = 1,
					  .applied = 3 * GiB,
					  .actual = 4 * GiB,
					  .ttl_ms = 3000,
					  .clamp = CHANNEL_CLAMP_RATE });
	assert_true(t.heard & HEARD(BALLOON_ACK));
	assert_int_equal(s->applied, 3 * GiB);
	assert_int_equal(s->actual, 4 * GiB);
	assert_int_equal(s->clamp, CHANNEL_CLAMP_RATE);
	assert_true(s->rtt_ns > 0 && s->rtt_ns < 5000000000ull);
	assert_int_equal(s->acked, 1);

	/* Renewed at a third of the ttl, with the next number. */
	m = next();
	assert_int_equal(m.type, CHANNEL_LEASE);
	assert_int_equal(m.seq, 2);
	assert_int_equal(m.want, 2 * GiB);
}

static void test_growing_does_not_wait_for_a_renewal(void **state)
{
	struct channel_message m;
	uint64_t start_ns;

	greeting();
	balloon_want(t.b, GiB, 0);
	assert_int_equal(next().want, GiB);
	start_ns = uv_hrtime();
	balloon_want(t.b, 4 * GiB, 0);
	m = next();
	assert_int_equal(m.want, 4 * GiB);
	assert_true(uv_hrtime() - start_ns < 900000000ull);
}

/* Of ASan, whose header not every compiler brings. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));

static unsigned long allocations;

static void on_malloc(const volatile void *p, size_t size)
{
	allocations++;
}

static void on_free(const volatile void *p)
{
}

/* When memory is short is when a lease has to get through: asked, sent, answered, renewed. */
static void test_a_lease_allocates_nothing(void **state)
{
	struct channel_message ack = { .type = CHANNEL_ACK, .ttl_ms = 1500 };
	const struct balloon_state *s = balloon_state(t.b);
	void *volatile counted;

	assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
	counted = malloc(1);
	free(counted);
	assert_int_equal(allocations, 1);
	greeting();
	allocations = 0;
	for (unsigned int i = 1; i <= 4; i++) {
		/* Every other one is a renewal. */
		balloon_want(t.b, (1 + i / 2) * GiB, i);
		assert_int_equal(next().type, CHANNEL_LEASE);
		ack.seq = s->seq;
		ack.applied = ack.actual = s->want;
		answer(&ack);
		assert_int_equal(s->acked, i);
	}
	/* A host that forgot us: the way back to it, too. */
	answer(&(struct channel_message){ .type = CHANNEL_ERROR, .text = "say hello first" });
	greeting();
	assert_int_equal(next().type, CHANNEL_LEASE);
	assert_int_equal(allocations, 0);
}

static void test_pressure(void **state)
{
	const struct balloon_state *s = balloon_state(t.b);

	greeting();
	answer(&(struct channel_message){
		.type = CHANNEL_PRESSURE, .level = CHANNEL_LEVEL_LOW, .need = 123 });
	assert_int_equal(t.heard, HEARD(BALLOON_PRESSURE));
	assert_int_equal(s->level, CHANNEL_LEVEL_LOW);
	assert_int_equal(s->need, 123);
}

static void test_what_is_left_of_another_connection(void **state)
{
	const struct balloon_state *s = balloon_state(t.b);
	struct channel_message hello = next(), m = { .type = CHANNEL_WELCOME, .version = 1 };

	/* Half a line, somebody's ack, somebody's welcome: none of them is for us. */
	assert_int_equal(write(t.master, "ied\":5}\n", 8), 8);
	answer(&(struct channel_message){ .type = CHANNEL_ACK, .seq = 1 });
	strcpy(m.session, "ffffffffffffffff");
	answer(&m);
	assert_int_equal(s->link, BALLOON_WAITING);
	assert_int_equal(s->ack_seq, 0);
	strcpy(m.session, hello.session);
	answer(&m);
	assert_int_equal(s->link, BALLOON_TALKING);
	assert_int_equal(s->bad, 1);
}

static void test_a_host_that_forgot_us_gets_another_hello(void **state)
{
	const struct balloon_state *s = balloon_state(t.b);
	struct channel_message first = greeting(), second;

	balloon_want(t.b, GiB, 0);
	next();
	answer(&(struct channel_message){ .type = CHANNEL_ERROR, .text = "say hello first" });
	assert_int_equal(s->link, BALLOON_WAITING);
	assert_int_equal(s->level, CHANNEL_LEVEL_NONE);
	assert_non_null(strstr(s->reason, "say hello first"));
	second = greeting();
	assert_string_not_equal(first.session, second.session);
	/* And the lease is there again by itself, counted from one. */
	assert_int_equal(next().seq, 1);
	assert_int_equal(s->lost, 1);
}

static void test_says_bye(void **state)
{
	const struct balloon_state *s = balloon_state(t.b);

	greeting();
	balloon_want(t.b, GiB, 0);
	assert_int_equal(next().type, CHANNEL_LEASE);
	answer(&(struct channel_message){
		.type = CHANNEL_ACK, .seq = 1, .applied = GiB, .actual = GiB, .ttl_ms = 10000 });
	assert_int_equal(s->applied, GiB);
	balloon_want(t.b, 0, 0);
	assert_int_equal(next().type, CHANNEL_BYE);
	/* What was asked for is not in force any more. */
	assert_int_equal(s->applied, 0);
	assert_int_equal(s->actual, 0);
	balloon_want(t.b, GiB, 0);
	assert_int_equal(next().type, CHANNEL_LEASE);
	balloon_close(t.b);
	t.b = NULL;
	assert_int_equal(next().type, CHANNEL_BYE);
}

static void test_without_a_port(void **state)
{
	struct balloon_options opts = { .port = "/nowhere/ebb.channel", .vsock_cid = UINT32_MAX };
	struct balloon *b;

	assert_int_equal(balloon_open(&b, &t.loop, &opts, NULL, NULL), 0);
	balloon_want(b, GiB, 0);
	for (int i = 0; i < 50; i++) {
		uv_run(&t.loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_int_equal(balloon_state(b)->link, BALLOON_ABSENT);
	assert_non_null(strstr(balloon_state(b)->reason, EBB_CHANNEL_NAME));
	assert_int_equal(balloon_state(b)->sent, 0);
	balloon_close(b);
}

/* A connection that is refused says so, and not what poll() makes of it. */
static void test_nobody_on_vsock(void **state)
{
	struct balloon_options opts = { .port = "/nowhere/ebb.channel",
					.vsock_cid = 1, /* this machine itself */
					.vsock_port = 3145729 };
	char reason[sizeof(((struct balloon_state *)NULL)->reason)];
	struct balloon *b;

	assert_int_equal(balloon_open(&b, &t.loop, &opts, NULL, NULL), 0);
	/* A host that is not there at all is waited for 2 s. */
	for (int i = 0; i < 1000; i++) {
		uv_run(&t.loop, UV_RUN_NOWAIT);
		strcpy(reason, balloon_state(b)->reason);
		if (*reason && !strstr(reason, "yet"))
			break;
		usleep(5000);
	}
	/* First: what stays open keeps the loop of the next test from ending. */
	balloon_close(b);
	assert_non_null(strstr(reason, "no port " EBB_CHANNEL_NAME));
	/* Without vsock there is nothing to be refused by. */
	assert_non_null(strstr(reason, "ebb-broker"));
	assert_null(strcasestr(reason, "descriptor"));
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, start, finish)
	const struct CMUnitTest tests[] = {
		test(test_hello_lease_ack),
		test(test_growing_does_not_wait_for_a_renewal),
		test(test_a_lease_allocates_nothing),
		test(test_pressure),
		test(test_what_is_left_of_another_connection),
		test(test_a_host_that_forgot_us_gets_another_hello),
		test(test_says_bye),
		test(test_without_a_port),
		test(test_nobody_on_vsock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
