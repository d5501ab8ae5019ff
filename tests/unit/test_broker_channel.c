// SPDX-License-Identifier: GPL-2.0-only
/* Channels by hybrid vsock, as Firecracker and Cloud Hypervisor have it: either end may begin. */
#include <errno.h>
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

#include "../broker/fake_host.h"
#include "lib/cleanup.h"

static struct fake_host h;

static int start(void **state)
{
	return fake_host_setup(&h);
}

static int finish(void **state)
{
	fake_host_teardown(&h);
	return 0;
}

/* A Firecracker whose guests connect to the host: the broker listens beside the VMM's socket. */
static void listening(void)
{
	struct vm_config c = { .kind = VMM_FIRECRACKER, .min = 512 * MiB, .shrink = 4 * GiB };

	strcpy(c.name, "vm0");
	strcpy(c.vmm, fake_host_path(&h, "vmm", 0));
	strcpy(c.channel, fake_host_path(&h, "vsock", 0));
	h.vmm[0].kind = c.kind;
	assert_int_equal(fake_vmm_open(&h.vmm[0], &h.loop, c.vmm, 4 * GiB), 0);
	assert_int_equal(broker_config_add(&h.broker.config, &c), 0);
	fake_host_run(&h);
	assert_true(until(&h, 5000, h.broker.vms->target));
}

static const char *port_path(void)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s_%d", fake_host_path(&h, "vsock", 0),
		 EBB_CHANNEL_VSOCK_PORT);
	return path;
}

static void connects(int i)
{
	assert_int_equal(fake_guest_connect(&h.guest[i], &h.loop, port_path()), 0);
	assert_true(until(&h, 2000, h.guest[i].up));
}

static void test_a_guest_that_connects(void **state)
{
	listening();
	connects(0);
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[0].size == GiB));
	/* It goes, and the VM is whole; and it may come again. */
	stream_end(&h.guest[0].stream, 0);
	assert_true(until(&h, 2000, h.vmm[0].size == 4 * GiB));
	memset(&h.guest[0], 0, sizeof(h.guest[0]));
	connects(0);
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
}

/* A container that is let near vsock gets nothing beside the daemon that is there. */
static void test_a_second_one_is_turned_away(void **state)
{
	struct vm *vm;

	listening();
	vm = h.broker.vms;
	connects(0);
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[0].size == GiB));
	for (int i = 1; i < 4; i++)
		assert_int_equal(fake_guest_connect(&h.guest[i], &h.loop, port_path()), 0);
	assert_true(until(&h, 2000, vm->guest.counts.second == 3));
	for (int i = 1; i < 4; i++)
		assert_true(until(&h, 2000, !h.guest[i].up));
	assert_true(fake_host_lease(&h, 0, 2 * GiB, 60000));
	assert_true(vm->lease.held);
	assert_int_equal(vm->counts.lost[VM_LOSS_CHANNEL], 0);
}

/* One that only holds the place loses it to whoever says hello. */
static void test_one_that_says_nothing(void **state)
{
	listening();
	connects(0);
	fake_guest_raw(&h.guest[0], "{\"type\":\"lease\"", 15);
	assert_true(until(&h, GUEST_HELLO_MS + 2000, !h.guest[0].up));
	connects(1);
	assert_true(fake_host_lease(&h, 1, GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[0].size == GiB));
}

/* What a killed broker left in the way is taken away; what somebody answers, or is no socket, not.
 */
static void test_a_socket_in_the_way(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", port_path());
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	listening();
	assert_true(until(&h, 1000, h.broker.vms->guest.why));
	assert_false(h.broker.vms->guest.listening);
	assert_int_equal(access(at.sun_path, F_OK), 0);
	/* Its owner dies, and leaves it. */
	close(fd);
	assert_true(until(&h, 5000, h.broker.vms->guest.listening));
	connects(0);
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
}

/*
 * A jailed VMM runs as a user of its own, which the broker's socket is for, and for nobody else.
 */
static void test_whose_socket_it_is(void **state)
{
	struct stat st;

	listening();
	assert_int_equal(lstat(port_path(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_uid, geteuid());
	if (geteuid() != 0)
		return; /* nobody else's to give it to */
	/* As Firecracker has it: its own socket is there later than ours. */
	assert_int_equal(lchown(fake_host_path(&h, "vmm", 0), 12345, 12346), 0);
	assert_true(
		until(&h, VM_POLL_MS + 3000, lstat(port_path(), &st) == 0 && st.st_uid == 12345));
	assert_int_equal(st.st_gid, 12346);
	assert_int_equal(st.st_mode & 07777, 0660);
	connects(0);
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
}

/* What else is under that name is given to nobody: its folder is the VMM's, who may do as it likes.
 */
static void test_what_is_not_our_socket(void **state)
{
	char other[128];
	struct stat st;

	if (geteuid() != 0)
		skip();
	listening();
	snprintf(other, sizeof(other), "%s/other", h.dir);
	assert_int_equal(link(port_path(), other), 0); /* two names: whose is the other? */
	assert_int_equal(lchown(fake_host_path(&h, "vmm", 0), 12345, 12346), 0);
	guest_look_at_socket(&h.broker.vms->guest);
	assert_int_equal(lstat(port_path(), &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(unlink(other), 0);
	guest_look_at_socket(&h.broker.vms->guest);
	assert_int_equal(lstat(port_path(), &st), 0);
	assert_int_equal(st.st_uid, 12345);
}

/* The VM was made anew, and its folder with it: nobody can reach the socket that we have. */
static void test_a_folder_made_anew(void **state)
{
	listening();
	assert_int_equal(unlink(port_path()), 0);
	assert_true(until(&h, VM_POLL_MS + 3000, access(port_path(), F_OK) == 0));
	assert_true(until(&h, 1000, h.broker.vms->guest.listening));
	connects(0);
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[0].size == GiB));
}

/* --- the host begins ------------------------------------------------------------------ */

/* The VMM's end: what came before the guest's own bytes, and the answer to it. */
static char first[64];
static const char *answer;

static void on_raw(struct stream *s, const char *data, size_t len)
{
	size_t n = strlen(first);

	if (n + len < sizeof(first))
		memcpy(first + n, data, len);
	if (memchr(data, '\n', len))
		stream_write(s, answer, strlen(answer));
}

static void on_raw_opened(struct stream *s)
{
}

static void on_raw_ended(struct stream *s, int error)
{
}

static const struct stream_ops raw = { on_raw_opened, on_raw, on_raw_ended };

static void dialled(const char *ok)
{
	struct vm_config c = { .kind = VMM_CLOUD_HYPERVISOR,
			       .mode = CHANNEL_MODE_CONNECT,
			       .min = 512 * MiB,
			       .shrink = 4 * GiB };

	answer = ok;
	memset(first, 0, sizeof(first));
	strcpy(c.name, "vm0");
	strcpy(c.vmm, fake_host_path(&h, "vmm", 0));
	strcpy(c.channel, fake_host_path(&h, "vsock", 0));
	h.vmm[0].kind = c.kind;
	assert_int_equal(fake_vmm_open(&h.vmm[0], &h.loop, c.vmm, 4 * GiB), 0);
	assert_int_equal(fake_guest_open(&h.guest[0], &h.loop, c.channel), 0);
	h.guest[0].stream.ops = &raw;
	assert_int_equal(broker_config_add(&h.broker.config, &c), 0);
	fake_host_run(&h);
	assert_true(until(&h, 5000, strchr(first, '\n')));
	assert_string_equal(first, "CONNECT 983\n");
}

static void test_the_host_connects(void **state)
{
	static const char hello[] =
		"\377{\"type\":\"hello\",\"version\":1,\"session\":\"0123456789abcdef\",\"boot\":"
		"\"b\"}\n"
		"{\"type\":\"lease\",\"seq\":1,\"want\":1073741824,\"ttl_ms\":60000}\n";

	dialled("OK 1073741824\n");
	assert_true(until(&h, 5000, h.broker.vms->target));
	fake_guest_raw(&h.guest[0], hello, sizeof(hello) - 1);
	assert_true(until(&h, 5000, h.vmm[0].size == GiB));
}

static void test_nobody_at_that_port(void **state)
{
	dialled("nothing of the kind\n");
	assert_true(until(&h, 5000,
			  h.broker.vms->guest.why &&
				  strstr(h.broker.vms->guest.why, "no vsock answers")));
	assert_false(h.broker.vms->lease.held);
	/* It is asked again, as a guest that has not booted yet would be. */
	memset(first, 0, sizeof(first));
	assert_true(until(&h, 5000, strchr(first, '\n')));
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, start, finish)
	const struct CMUnitTest tests[] = {
		test(test_a_guest_that_connects), test(test_a_second_one_is_turned_away),
		test(test_one_that_says_nothing), test(test_a_socket_in_the_way),
		test(test_one_that_says_nothing), test(test_whose_socket_it_is),
		test(test_one_that_says_nothing), test(test_what_is_not_our_socket),
		test(test_one_that_says_nothing), test(test_a_folder_made_anew),
		test(test_the_host_connects),     test(test_nobody_at_that_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
