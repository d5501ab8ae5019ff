// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backends. Firecracker and Cloud Hypervisor are stand-ins built from their published OpenAPI
 * documents (tests/broker/fake_rest.c, test_broker_rest.c): that a request passes them says that it
 * is what the document allows, and not that the VMM does what the document says.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../broker/fake_host.h"
#include "broker/rest_http.h"
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

static void run_one(enum vmm_kind kind)
{
	fake_host_vm(&h, 0, kind, 4 * GiB, 512 * MiB, 4 * GiB);
	fake_host_run(&h);
}

static void sizes_go_there_and_back(enum vmm_kind kind)
{
	run_one(kind);
	assert_true(until(&h, 5000, h.broker.vms->target));
	assert_int_equal(h.broker.vms->ram, 4 * GiB);
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[0].size == GiB));
	assert_true(until(&h, 5000, h.broker.vms->actual == GiB));
	fake_host_stop(&h);
	assert_int_equal(h.vmm[0].size, 4 * GiB);
	assert_string_equal(h.vmm[0].bad_text, "");
	assert_int_equal(h.vmm[0].bad, 0);
}

static void test_firecracker(void **state)
{
	sizes_go_there_and_back(VMM_FIRECRACKER);
}

static void test_cloud_hypervisor(void **state)
{
	sizes_go_there_and_back(VMM_CLOUD_HYPERVISOR);
}

static void test_firecracker_without_statistics(void **state)
{
	struct backend_caps caps;

	h.vmm[0].no_stats = true;
	run_one(VMM_FIRECRACKER);
	assert_true(until(&h, 5000, h.broker.vms->target));
	caps = h.broker.vms->ops->caps(h.broker.vms->backend);
	assert_true(caps.set && !caps.actual && !caps.stats);
	assert_int_equal(h.vmm[0].bad, 0);
}

/*
 * A broker that is there first: before the boot Firecracker refuses statistics and sizes, which
 * says nothing of what it has afterwards.
 */
static void test_firecracker_before_its_boot(void **state)
{
	struct vm *vm;

	h.vmm[0].not_booted = true;
	run_one(VMM_FIRECRACKER);
	vm = h.broker.vms;
	assert_true(until(&h, 5000, vm->target));
	assert_int_equal(vm->target, 4 * GiB);
	assert_false(vm->unable);
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_true(until(&h, 5000, h.guest[0].ack.clamp == CHANNEL_CLAMP_VMM));
	assert_non_null(strstr(vm->why, "before starting"));
	assert_int_equal(h.vmm[0].sets, 0);
	h.vmm[0].not_booted = false;
	assert_true(until(&h, 5000, h.vmm[0].size == GiB));
	/* What the guest gave, and not what was asked of it. */
	h.vmm[0].lazy = true;
	assert_true(fake_host_lease(&h, 0, 2 * GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[0].size == 2 * GiB));
	pass(&h, 1500); /* asked each second while it differs */
	assert_int_equal(vm->actual, GiB);
	assert_true(vm->ops->caps(vm->backend).actual);
	assert_int_equal(vm->counts.vmm_lost, 0);
	assert_string_equal(h.vmm[0].bad_text, "");
}

/* Before it is configured, Firecracker answers with the RAM that it would have by itself. */
static void test_firecracker_before_its_configuration(void **state)
{
	struct vm *vm;

	h.vmm[0].not_booted = true;
	fake_host_vm(&h, 0, VMM_FIRECRACKER, 128 * MiB, 64 * MiB, 4 * GiB);
	fake_host_run(&h);
	vm = h.broker.vms;
	assert_true(until(&h, 5000, vm->target == 128 * MiB && vm->refused));
	h.vmm[0].ram = h.vmm[0].size = h.vmm[0].actual = 4 * GiB;
	h.vmm[0].not_booted = false;
	assert_true(until(&h, 5000, vm->ram == 4 * GiB && vm->target == 4 * GiB));
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[0].size == GiB));
	assert_true(until(&h, 5000, h.guest[0].ack.clamp == CHANNEL_CLAMP_NONE));
	/* Another one at the same socket, while nothing changes. */
	pass(&h, 1200);
	h.vmm[0].ram = h.vmm[0].size = h.vmm[0].actual = 8 * GiB;
	assert_true(until(&h, VM_POLL_MS + 3000, vm->ram == 8 * GiB));
	/* No guest renews, so it is of its max, in the balloon of a VM of 8 GiB. */
	assert_true(until(&h, 10000, h.vmm[0].size == 4 * GiB));
	assert_int_equal(h.vmm[0].bad, 0);
}

/*
 * How much the balloon holds is what the guest writes into its device. One that claims more than
 * there is, before the broker finds it, is of the least size that it may have, and of no other.
 */
static void lies_about_its_balloon(enum vmm_kind kind, uint64_t claim)
{
	struct vm *good, *bad;

	h.broker.config.budget = 12 * GiB;
	fake_host_vm(&h, 0, VMM_QMP, 4 * GiB, 512 * MiB, 4 * GiB);
	fake_host_vm(&h, 1, kind, 4 * GiB, 512 * MiB, 4 * GiB);
	h.vmm[1].claim = claim;
	fake_host_run(&h);
	good = broker_find(&h.broker, "vm0");
	bad = broker_find(&h.broker, "vm1");
	assert_true(until(&h, 5000, good->target && bad->target));
	assert_in_range(bad->target, 512 * MiB, 4 * GiB);
	assert_true(bad->actual <= 4 * GiB);
	assert_true(fake_host_lease(&h, 0, 4 * GiB, 60000));
	assert_true(fake_host_lease(&h, 1, GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[1].size == GiB));
	pass(&h, 1200);
	assert_int_equal(good->grant, UINT64_MAX);
	assert_int_equal(good->need, 0);
	assert_int_equal(h.broker.host.level, CHANNEL_LEVEL_NONE);
	/* And the budget still counts: 4 GiB that the other one takes are as many that this has
	 * not. */
	h.broker.config.budget = 6 * GiB;
	assert_true(fake_host_lease(&h, 1, 4 * GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[0].size + h.vmm[1].size <= 6 * GiB));
	assert_int_equal(h.vmm[1].bad, 0);
}

static void test_firecrackers_guest_lies(void **state)
{
	lies_about_its_balloon(VMM_FIRECRACKER, UINT32_MAX);
}

static void test_qemus_guest_lies(void **state)
{
	lies_about_its_balloon(VMM_QMP, UINT32_MAX);
}

static void test_a_guest_that_claims_all(void **state)
{
	lies_about_its_balloon(VMM_FIRECRACKER, 4 * GiB / 4096);
}

static void test_cloud_hypervisor_before_its_vm(void **state)
{
	h.vmm[0].not_booted = true;
	run_one(VMM_CLOUD_HYPERVISOR);
	assert_true(until(&h, 5000, strstr(h.broker.vms->why, "VM is not created")));
	assert_false(h.broker.vms->vmm_up);
	h.vmm[0].not_booted = false;
	assert_true(until(&h, 5000, h.broker.vms->target == 4 * GiB));
	assert_string_equal(h.vmm[0].bad_text, "");
}

/* RAM in zones is RAM; what was plugged in later is none of the balloon's. */
static void test_cloud_hypervisor_in_zones(void **state)
{
	for (int zones = 0; zones < 2; zones++) {
		h.vmm[zones].zones = zones;
		h.vmm[zones].plugged = 3 * GiB;
		fake_host_vm(&h, zones, VMM_CLOUD_HYPERVISOR, 4 * GiB, 512 * MiB, 0);
	}
	fake_host_run(&h);
	for (int zones = 0; zones < 2; zones++) {
		struct vm *vm = broker_find(&h.broker, zones ? "vm1" : "vm0");

		assert_true(until(&h, 5000, vm->target));
		assert_int_equal(vm->ram, 4 * GiB);
		assert_int_equal(vm->actual, 4 * GiB);
		assert_true(fake_host_lease(&h, zones, GiB, 60000));
		assert_true(until(&h, 5000, h.vmm[zones].size == GiB));
		assert_true(until(&h, 5000, vm->actual == GiB));
		assert_string_equal(h.vmm[zones].bad_text, "");
	}
}

static void test_without_a_balloon(void **state)
{
	static const enum vmm_kind kinds[] = { VMM_QMP, VMM_FIRECRACKER, VMM_CLOUD_HYPERVISOR };

	for (int i = 0; i < 3; i++) {
		h.vmm[i].no_balloon = true;
		fake_host_vm(&h, i, kinds[i], 4 * GiB, 0, 0);
	}
	fake_host_run(&h);
	for (int i = 0; i < 3; i++) {
		char name[8];
		struct vm *vm;

		snprintf(name, sizeof(name), "vm%d", i);
		vm = broker_find(&h.broker, name);
		assert_true(until(&h, 5000, vm->unable));
		assert_non_null(strstr(vm->why, "no balloon"));
		assert_false(vm->ops->caps(vm->backend).set);
		assert_true(fake_host_lease(&h, i, GiB, 60000));
		assert_int_equal(h.guest[i].ack.clamp, CHANNEL_CLAMP_VMM);
		assert_int_equal(h.vmm[i].sets, 0);
		assert_string_equal(h.vmm[i].bad_text, "");
	}
	pass(&h, 2 * BACKEND_RETRY_MIN_MS + 500);
	for (int i = 0; i < 3; i++) {
		char name[8];

		/* It is there, and is not looked for again and again. */
		snprintf(name, sizeof(name), "vm%d", i);
		assert_true(broker_find(&h.broker, name)->vmm_up);
		assert_int_equal(broker_find(&h.broker, name)->counts.vmm_lost, 0);
	}
}

/* The reason is shown, the size is asked again, and the guest is told that it is not in force. */
static void test_refusals(void **state)
{
	static const enum vmm_kind kinds[] = { VMM_QMP, VMM_FIRECRACKER, VMM_CLOUD_HYPERVISOR };

	for (int i = 0; i < 3; i++)
		fake_host_vm(&h, i, kinds[i], 4 * GiB, 512 * MiB, 4 * GiB);
	fake_host_run(&h);
	for (int i = 0; i < 3; i++) {
		char name[8];
		struct vm *vm;

		snprintf(name, sizeof(name), "vm%d", i);
		vm = broker_find(&h.broker, name);
		assert_true(until(&h, 5000, vm->target));
		h.vmm[i].refuse = true;
		assert_true(fake_host_lease(&h, i, GiB, 60000));
		assert_true(until(&h, 5000, h.guest[i].ack.clamp == CHANNEL_CLAMP_VMM));
		assert_non_null(strstr(vm->why, "refused by the test"));
		h.vmm[i].refuse = false;
		assert_true(until(&h, 5000, h.vmm[i].size == GiB));
		assert_true(until(&h, 5000, h.guest[i].ack.clamp == CHANNEL_CLAMP_NONE));
	}
}

/* One that hangs delays nobody else, and is found again when it answers. */
static void test_a_vmm_that_hangs(void **state)
{
	struct vm *vm;
	uint64_t start_ns;

	for (int i = 0; i < 3; i++)
		fake_host_vm(&h, i, VMM_QMP + i, 4 * GiB, 512 * MiB, 4 * GiB);
	fake_host_run(&h);
	vm = broker_find(&h.broker, "vm1");
	assert_true(until(&h, 5000, vm->target && broker_find(&h.broker, "vm0")->target));
	h.vmm[1].hang = true;
	assert_true(fake_host_lease(&h, 1, GiB, 60000));
	start_ns = uv_hrtime();
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_true(until(&h, 1000, h.vmm[0].size == GiB));
	assert_true(uv_hrtime() - start_ns < 1000000000);
	assert_true(until(&h, BACKEND_TIMEOUT_MS + 2000, !vm->vmm_up));
	assert_non_null(strstr(vm->why, "does not answer"));
	h.vmm[1].hang = false;
	assert_true(until(&h, 2 * BACKEND_TIMEOUT_MS, vm->vmm_up));
	assert_true(until(&h, 5000, h.vmm[1].size == GiB)); /* the lease still holds */
}

static void test_not_what_it_is_said_to_be(void **state)
{
	h.vmm[0].chunked = true;
	run_one(VMM_CLOUD_HYPERVISOR);
	assert_true(until(&h, 5000, strstr(h.broker.vms->why, "is not Cloud Hypervisor")));
	assert_false(h.broker.vms->vmm_up);
}

static void test_http(void **state)
{
	static const struct {
		const char *text;
		int result;
		int status;
		size_t len;
	} cases[] = {
		{ "", 0, 0, 0 },
		{ "HTTP/1.1 2", 0, 0, 0 },
		{ "HTTP/1.1 204 \r\n\r\n", 1, 204, 0 },
		{ "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", 1, 204, 0 },
		{ "HTTP/1.1 200 OK\r\ncontent-length:  2\r\n\r\n{}", 1, 200, 2 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", 0, 0, 0 },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 1, 200, 0 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -EPROTO, 0, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", -EPROTO, 0, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", -EMSGSIZE, 0,
		  0 },
		{ "{\"QMP\": {\"version\": 1}}\r\n", -EPROTO, 0, 0 },
		{ "HTTP/1.1 xyz \r\n\r\n", -EPROTO, 0, 0 },
		{ "\r\n\r\n", -EPROTO, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rest_http_reply reply = { 0 };
		int r = rest_http_parse(cases[i].text, strlen(cases[i].text), &reply);

		if (r != cases[i].result || reply.status != cases[i].status ||
		    reply.len != cases[i].len)
			fail_msg("%s: %d, %d, %zu", cases[i].text, r, reply.status, reply.len);
	}
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, start, finish)
	const struct CMUnitTest tests[] = {
		test(test_firecracker),
		test(test_cloud_hypervisor),
		test(test_firecracker_without_statistics),
		test(test_firecracker_before_its_boot),
		test(test_firecracker_before_its_configuration),
		test(test_firecrackers_guest_lies),
		test(test_qemus_guest_lies),
		test(test_a_guest_that_claims_all),
		test(test_cloud_hypervisor_before_its_vm),
		test(test_cloud_hypervisor_in_zones),
		test(test_without_a_balloon),
		test(test_refusals),
		test(test_a_vmm_that_hangs),
		test(test_not_what_it_is_said_to_be),
		cmocka_unit_test(test_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
