// SPDX-License-Identifier: GPL-2.0-only
/* Leases through the whole broker: what a guest asks, what the VMM gets, and how it ends. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "../broker/fake_host.h"
#include "broker/broker_int.h"
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

static void one_vm(void)
{
	fake_host_vm(&h, 0, VMM_QMP, 4 * GiB, 512 * MiB, 4 * GiB);
	fake_host_run(&h);
	assert_true(until(&h, 5000, h.broker.vms->vmm_up && h.broker.vms->target));
	/* Whatever its size, the VMM is told it once. */
	assert_true(until(&h, 1000, h.vmm[0].sets == 1 || h.broker.config.dry_run));
}

static void two_vms(void)
{
	fake_host_vm(&h, 1, VMM_QMP, 4 * GiB, 512 * MiB, 4 * GiB);
	one_vm();
	assert_true(until(&h, 5000, h.broker.vms->target && h.broker.vms->next->target));
}

/* The VM at size for a while, in as many steps as the rate asks for. */
static void shrunk(int i, uint64_t size)
{
	assert_true(fake_host_lease(&h, i, size, 60000));
	assert_true(until(&h, 20000, h.vmm[i].size == size));
	assert_true(until(&h, 5000, h.guest[i].ack.applied == size));
	assert_int_equal(h.guest[i].ack.clamp, CHANNEL_CLAMP_NONE);
}

static void test_a_lease_becomes_the_size(void **state)
{
	unsigned int sets;

	h.shrink = 0;
	one_vm();
	assert_true(fake_host_lease(&h, 0, 3 * GiB, 60000));
	assert_int_equal(h.guest[0].welcome.min, 512 * MiB);
	assert_int_equal(h.guest[0].welcome.max, 4 * GiB);
	/* Down an eighth of max a second, and the guest is told of every step. */
	assert_int_equal(h.guest[0].ack.applied, 4 * GiB - 512 * MiB);
	assert_int_equal(h.guest[0].ack.clamp, CHANNEL_CLAMP_RATE);
	assert_true(until(&h, 5000, h.vmm[0].size == 3 * GiB));
	assert_true(until(&h, 5000, h.guest[0].ack.clamp == CHANNEL_CLAMP_NONE));
	assert_int_equal(h.guest[0].ack.seq, 1);
	sets = h.vmm[0].sets;
	assert_true(sets == 3 || sets == 4); /* a tick may come a millisecond early */
	/* What the VMM says it is, the guest hears too. */
	assert_true(fake_host_lease(&h, 0, 3 * GiB, 60000));
	assert_true(until(&h, 5000, h.broker.vms->actual == 3 * GiB));
	assert_true(fake_host_lease(&h, 0, 3 * GiB, 60000));
	assert_int_equal(h.guest[0].ack.actual, 3 * GiB);
	assert_int_equal(h.vmm[0].sets, sets);
	assert_int_equal(h.vmm[0].bad, 0);
}

static void test_growing_is_one_step(void **state)
{
	unsigned int sets;

	one_vm();
	shrunk(0, GiB);
	sets = h.vmm[0].sets;
	assert_true(fake_host_lease(&h, 0, 4 * GiB, 60000));
	assert_int_equal(h.guest[0].ack.applied, 4 * GiB);
	assert_true(until(&h, 1000, h.vmm[0].size == 4 * GiB));
	assert_int_equal(h.vmm[0].sets, sets + 1);
}

static void test_small_steps_down_are_not_taken(void **state)
{
	unsigned int sets;

	one_vm();
	shrunk(0, GiB);
	sets = h.vmm[0].sets;
	assert_true(fake_host_lease(&h, 0, GiB - 5 * MiB, 60000));
	assert_int_equal(h.guest[0].ack.applied, GiB);
	assert_true(fake_host_lease(&h, 0, GiB + MiB, 60000)); /* up, they are */
	assert_int_equal(h.guest[0].ack.applied, GiB + MiB);
	assert_true(until(&h, 1000, h.vmm[0].sets == sets + 1));
}

static void test_clamps(void **state)
{
	static const struct {
		uint64_t want;
		uint64_t size;
		enum channel_clamp clamp;
	} cases[] = {
		{ UINT64_MAX, 4 * GiB, CHANNEL_CLAMP_CEILING },
		{ 4 * GiB + 1, 4 * GiB, CHANNEL_CLAMP_CEILING },
		{ 0, 512 * MiB, CHANNEL_CLAMP_FLOOR },
		{ 1, 512 * MiB, CHANNEL_CLAMP_FLOOR },
	};

	one_vm();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(fake_host_lease(&h, 0, cases[i].want, 60000));
		assert_true(until(&h, 20000, h.guest[0].ack.clamp == cases[i].clamp));
		assert_int_equal(h.guest[0].ack.applied, cases[i].size);
		assert_true(until(&h, 1000, h.vmm[0].size == cases[i].size));
	}
}

/* Full size in one step: one request, whatever the rate. */
static void released(unsigned int sets_before, unsigned int ms)
{
	assert_true(until(&h, ms, h.vmm[0].size == 4 * GiB));
	assert_int_equal(h.vmm[0].sets, sets_before + 1);
}

static void test_a_lease_that_is_not_renewed(void **state)
{
	one_vm();
	shrunk(0, GiB);
	assert_true(fake_host_lease(&h, 0, GiB, 1)); /* taken as 1 s */
	assert_int_equal(h.guest[0].ack.ttl_ms, EBB_CHANNEL_TTL_MIN_MS);
	pass(&h, 700);
	assert_int_equal(h.vmm[0].size, GiB);
	released(h.vmm[0].sets, 1000);
	assert_int_equal(h.broker.vms->counts.lost[VM_LOSS_TTL], 1);
}

static void test_a_channel_that_closes(void **state)
{
	one_vm();
	shrunk(0, GiB);
	stream_end(&h.guest[0].stream, 0);
	released(h.vmm[0].sets, 1000);
	assert_int_equal(h.broker.vms->counts.lost[VM_LOSS_CHANNEL], 1);
	/* And the broker is back by itself. */
	assert_true(until(&h, 5000, h.guest[0].up));
}

static void test_bye(void **state)
{
	one_vm();
	shrunk(0, GiB);
	fake_guest_say(&h.guest[0], &(struct channel_message){ .type = CHANNEL_BYE });
	released(h.vmm[0].sets, 1000);
}

static void test_a_reset_deflates_at_once(void **state)
{
	unsigned int bad;

	one_vm();
	shrunk(0, GiB);
	fake_vmm_event(&h.vmm[0], "RESET", "{\"guest\":true,\"reason\":\"guest-reset\"}");
	released(h.vmm[0].sets, 500);
	/* What the old system had in the port counts for nothing. */
	bad = h.broker.vms->guest.counts.bad;
	fake_guest_lease(&h.guest[0], 50, GiB, 60000);
	assert_true(until(&h, 1000, h.guest[0].errors == 1));
	assert_int_equal(h.broker.vms->guest.counts.bad, bad + 1);
	assert_false(h.broker.vms->lease.held);
	assert_int_equal(h.vmm[0].size, 4 * GiB);
}

static void test_a_port_that_the_guest_closes(void **state)
{
	h.vmm[0].port_id = "serial7";
	one_vm();
	shrunk(0, GiB);
	/* Another agent's port is not ours. */
	fake_vmm_event(&h.vmm[0], "VSERPORT_CHANGE", "{\"open\":false,\"id\":\"qga0\"}");
	pass(&h, 200);
	assert_true(h.broker.vms->lease.held);
	fake_vmm_event(&h.vmm[0], "VSERPORT_CHANGE", "{\"open\":false,\"id\":\"serial7\"}");
	released(h.vmm[0].sets, 1000);
	assert_int_equal(h.broker.vms->counts.lost[VM_LOSS_CHANNEL], 1);
}

/* Another VM at the same socket has another's port under that id. */
static void test_a_port_of_another_vm(void **state)
{
	h.vmm[0].port_id = "serial7";
	one_vm();
	shrunk(0, GiB);
	fake_vmm_event(&h.vmm[0], "VSERPORT_CHANGE", "{\"open\":false,\"id\":\"serial7\"}");
	released(h.vmm[0].sets, 1000);
	fake_vmm_hang_up(&h.vmm[0]);
	assert_true(until(&h, 1000, !h.broker.vms->vmm_up));
	h.vmm[0].port_id = "serial8";
	assert_true(until(&h, 5000, h.broker.vms->vmm_up && h.broker.vms->target));
	h.guest[0].welcomes = 0;
	shrunk(0, GiB);
	fake_vmm_event(&h.vmm[0], "VSERPORT_CHANGE", "{\"open\":false,\"id\":\"serial7\"}");
	pass(&h, 200);
	assert_true(h.broker.vms->lease.held);
	fake_vmm_event(&h.vmm[0], "VSERPORT_CHANGE", "{\"open\":false,\"id\":\"serial8\"}");
	released(h.vmm[0].sets, 1000);
}

/*
 * QEMU tells of a port that closes once, and nobody heard it: a lease that is there when the VMM is
 * found again stands only when the guest says so.
 */
static void test_a_guest_that_went_while_qmp_was_gone(void **state)
{
	unsigned int welcomes;

	one_vm();
	shrunk(0, GiB);
	welcomes = h.guest[0].welcomes;
	fake_vmm_hang_up(&h.vmm[0]);
	assert_true(until(&h, 1000, !h.broker.vms->vmm_up));
	assert_true(until(&h, 3000, h.broker.vms->vmm_up));
	assert_true(until(&h, 1000, h.guest[0].welcomes > welcomes));
	assert_true(h.broker.vms->lease.held);
	assert_true(until(&h, 1000, h.broker.vms->asked == GiB && !h.broker.vms->setting));
	released(h.vmm[0].sets, VM_PROVE_MS + 1000);
	/* And one that is there renews: nothing changes. */
	shrunk(0, GiB);
	welcomes = h.guest[0].welcomes;
	fake_vmm_hang_up(&h.vmm[0]);
	assert_true(until(&h, 4000, h.guest[0].welcomes > welcomes));
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	pass(&h, VM_PROVE_MS + 500);
	assert_int_equal(h.vmm[0].size, GiB);
	/* A lease that ended meanwhile: nothing is to be waited for. */
	fake_vmm_hang_up(&h.vmm[0]);
	assert_true(until(&h, 1000, !h.broker.vms->vmm_up));
	stream_end(&h.guest[0].stream, 0);
	assert_true(until(&h, 1000, !h.broker.vms->lease.held));
	assert_true(until(&h, 4000, h.broker.vms->vmm_up));
	released(h.vmm[0].sets, 500);
}

/* What the VMM's process holds is looked up, and told to the guest with its acks. */
static void test_what_the_host_holds(void **state)
{
	json_t *report;

	one_vm();
	shrunk(0, GiB);
	assert_int_equal(h.guest[0].ack.resident, 0); /* no such process in this /proc */
	fake_host_process(&h, getpid(), 8 * GiB, 3 * GiB, 512 * MiB);
	assert_true(fake_host_lease(&h, 0, 2 * GiB, 60000));
	assert_true(until(&h, 5000, h.broker.vms->resident == 3 * GiB + 512 * MiB));
	assert_true(fake_host_lease(&h, 0, 2 * GiB, 60000));
	assert_int_equal(h.guest[0].ack.resident, 3 * GiB + 512 * MiB);
	report = report_json(&h.broker);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(report, "vms"), 0), "resident")),
			 3 * GiB + 512 * MiB);
	json_decref(report);
	/* A process that is too small for the VM only passes the socket on. */
	fake_host_process(&h, getpid(), GiB, 20 * MiB, 0);
	assert_true(fake_host_lease(&h, 0, 3 * GiB, 60000));
	assert_true(until(&h, 5000, !h.broker.vms->resident));
}

static void test_a_guest_that_reboots_without_a_reset_event(void **state)
{
	one_vm();
	shrunk(0, GiB);
	/* A new session: the old lease holds for as long as an ebbd needs to start, no longer. */
	fake_guest_hello(&h.guest[0], "fedcba9876543210", "boot-2", "");
	assert_true(until(&h, 1000, !h.broker.vms->lease.held));
	assert_int_equal(h.vmm[0].size, GiB);
	released(h.vmm[0].sets, VM_ADOPT_MS + 1000);
}

static void test_old_sequences_count_for_nothing(void **state)
{
	one_vm();
	shrunk(0, GiB);
	fake_guest_lease(&h.guest[0], 1, 4 * GiB, 60000);
	assert_true(until(&h, 1000, h.broker.vms->counts.stale == 1));
	assert_int_equal(h.broker.vms->lease.want, GiB);
}

static void test_another_vms_name(void **state)
{
	two_vms();
	assert_true(until(&h, 5000, h.guest[1].up));
	fake_guest_hello(&h.guest[1], "0123456789abcdef", "boot-1", "vm0");
	assert_true(until(&h, 1000, h.guest[1].welcomes));
	assert_true(fake_host_lease(&h, 1, 512 * MiB, 60000));
	assert_true(until(&h, 20000, h.vmm[1].size == 512 * MiB));
	/* It is what its socket is. */
	assert_int_equal(h.vmm[0].size, 4 * GiB);
	assert_int_equal(h.vmm[0].sets, 1); /* when it was found */
	assert_int_equal(broker_find(&h.broker, "vm1")->guest.counts.claims, 1);
}

static void test_ten_megabytes_without_a_newline(void **state)
{
	static char block[16384];
	struct vm *vm;
	size_t sent = 0;
	uint64_t start_ns, worst = 0;

	two_vms();
	vm = broker_find(&h.broker, "vm1");
	assert_true(fake_host_lease(&h, 0, 2 * GiB, 60000));
	assert_true(fake_host_lease(&h, 1, 2 * GiB, 60000));
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 100; i++) {
		while (sent < (10u << 20) && !h.guest[1].stream.pending) {
			fake_guest_raw(&h.guest[1], block, sizeof(block));
			sent += sizeof(block);
		}
		start_ns = uv_hrtime();
		assert_true(fake_host_lease(&h, 0, 2 * GiB + (uint64_t)i * MiB, 60000));
		if (uv_hrtime() - start_ns > worst)
			worst = uv_hrtime() - start_ns;
		pass(&h, 60);
	}
	/* What it may send in a second is read; the rest waits at its end. */
	assert_true(sent < (1u << 20) + 6 * GUEST_BYTES_PER_S * 2);
	assert_true(vm->guest.counts.throttled > 0);
	assert_int_equal(vm->guest.counts.overlong, 1);
	assert_true(vm->guest.reader.len <= EBB_CHANNEL_LINE_MAX);
	assert_true(vm->lease.held);
	assert_true(worst < 200000000); /* under sanitizers, on a busy machine */
}

static void test_a_flood_of_leases(void **state)
{
	struct vm *vm;

	one_vm();
	vm = h.broker.vms;
	assert_true(fake_host_lease(&h, 0, 2 * GiB, 60000));
	for (int i = 0; i < 300; i++) {
		fake_guest_lease(&h.guest[0], 2 + (uint64_t)i, 2 * GiB, 60000);
		pass(&h, 1);
	}
	assert_true(until(&h, 5000, vm->guest.counts.over_rate > 100));
	assert_true(vm->counts.leases <= EBB_CHANNEL_BURST + 10 * EBB_CHANNEL_RATE);
	assert_true(vm->lease.held);
}

static void test_nonsense_is_answered_once_and_counted(void **state)
{
	static const char text[] = "{\"type\":\"lease\"\n[]\n{\"type\":\"ack\"}\n\xff\n";

	one_vm();
	assert_true(fake_host_lease(&h, 0, 2 * GiB, 60000));
	for (int i = 0; i < 3; i++)
		fake_guest_raw(&h.guest[0], text, sizeof(text) - 1);
	assert_true(until(&h, 2000, h.broker.vms->guest.counts.bad == 9));
	assert_true(until(&h, 1000, h.guest[0].errors));
	assert_true(h.guest[0].errors <= 2); /* the second may have turned */
	assert_true(h.broker.vms->lease.held);
	/* And it may go on as if nothing had been. */
	assert_true(fake_host_lease(&h, 0, 3 * GiB, 60000));
}

static void test_a_broker_that_starts_finds_the_vms_as_they_are(void **state)
{
	fake_host_vm(&h, 0, VMM_QMP, 4 * GiB, 512 * MiB, 4 * GiB);
	fake_host_vm(&h, 1, VMM_QMP, 4 * GiB, 512 * MiB, 4 * GiB);
	h.vmm[0].size = h.vmm[0].actual = GiB;
	h.vmm[1].size = h.vmm[1].actual = GiB;
	fake_host_run(&h);
	assert_true(until(&h, 5000, h.broker.vms->target && h.broker.vms->next->target));
	/* One guest renews in time and stays as it is; the other has nobody to speak for it. */
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_int_equal(h.guest[0].ack.applied, GiB);
	assert_int_equal(h.vmm[1].sets, 0);
	assert_true(until(&h, VM_ADOPT_MS + 2000, h.vmm[1].size == 4 * GiB));
	assert_int_equal(h.vmm[1].sets, 1);
	assert_int_equal(h.vmm[0].sets, 1); /* what it has: its target was not known */
	assert_int_equal(h.vmm[0].size, GiB);
}

/*
 * A target that the guest has not inflated to yet is of a broker that was killed: the VM looks full
 * and is not to be.
 */
static void test_a_vm_that_only_looks_full(void **state)
{
	fake_host_vm(&h, 0, VMM_QMP, 4 * GiB, 512 * MiB, 4 * GiB);
	h.vmm[0].size = GiB;
	fake_host_run(&h);
	assert_true(until(&h, 5000, h.vmm[0].size == 4 * GiB));
	assert_int_equal(h.vmm[0].sets, 1);
	pass(&h, 1500);
	assert_int_equal(h.vmm[0].sets, 1);
}

/* Somebody else asks the VMM for less: a VM that nobody leased out has its full size all the same.
 */
static void test_a_vm_that_somebody_else_shrinks(void **state)
{
	one_vm();
	assert_true(until(&h, 5000, h.broker.vms->asked == 4 * GiB));
	h.vmm[0].size = h.vmm[0].actual = 2 * GiB;
	fake_vmm_event(&h.vmm[0], "BALLOON_CHANGE", "{\"actual\":2147483648}");
	assert_true(until(&h, VM_POLL_MS + 3000, h.vmm[0].size == 4 * GiB));
}

static void test_stopping_gives_everything_back(void **state)
{
	two_vms();
	shrunk(0, GiB);
	shrunk(1, GiB);
	fake_host_stop(&h);
	assert_int_equal(h.vmm[0].size, 4 * GiB);
	assert_int_equal(h.vmm[1].size, 4 * GiB);
}

static void test_stopping_does_not_wait_for_a_vmm_that_hangs(void **state)
{
	uint64_t start_ns;

	two_vms();
	shrunk(0, GiB);
	shrunk(1, GiB);
	h.vmm[1].hang = true;
	start_ns = uv_hrtime();
	fake_host_stop(&h);
	assert_int_equal(h.vmm[0].size, 4 * GiB);
	assert_int_equal(h.vmm[1].size, GiB);
	assert_true(uv_hrtime() - start_ns < (BROKER_STOP_MS + 2000) * 1000000ull);
}

/* Nobody asks a VMM that is lost for the moment: it is waited for, it has its VM's memory. */
static void test_stopping_while_a_vmm_is_lost(void **state)
{
	two_vms();
	shrunk(0, GiB);
	shrunk(1, GiB);
	fake_vmm_hang_up(&h.vmm[1]);
	assert_true(until(&h, 1000, !broker_find(&h.broker, "vm1")->vmm_up));
	fake_host_stop(&h);
	assert_int_equal(h.vmm[0].size, 4 * GiB);
	assert_int_equal(h.vmm[1].size, 4 * GiB);
}

/* And one that is gone has none. */
static void test_stopping_does_not_wait_for_a_vmm_that_ended(void **state)
{
	uint64_t start_ns;

	two_vms();
	shrunk(0, GiB);
	shrunk(1, GiB);
	fake_vmm_die(&h.vmm[1]);
	assert_true(until(&h, 1000, !broker_find(&h.broker, "vm1")->vmm_up));
	start_ns = uv_hrtime();
	fake_host_stop(&h);
	assert_int_equal(h.vmm[0].size, 4 * GiB);
	assert_true(uv_hrtime() - start_ns < (BROKER_STOP_MS - 1000) * 1000000ull);
}

static void test_killed_and_started_again(void **state)
{
	struct fake_host *host = &h;

	one_vm();
	shrunk(0, GiB);
	fake_host_kill(host);
	assert_int_equal(h.vmm[0].size, GiB); /* nobody did anything */
	broker_config_defaults(&h.broker.config);
	snprintf(h.broker.config.socket, sizeof(h.broker.config.socket), "%s/run/status", h.dir);
	assert_int_equal(broker_config_add(&h.broker.config,
					   &(struct vm_config){ .name = "vm0", .kind = VMM_QMP }),
			 0);
	strcpy(h.broker.config.vms[0].vmm, fake_host_path(&h, "vmm", 0));
	strcpy(h.broker.config.vms[0].channel, fake_host_path(&h, "channel", 0));
	fake_host_run(host);
	released(h.vmm[0].sets, VM_ADOPT_MS + 3000);
}

static char *sample_of(const char *name)
{
	static char line[128], start[64];
	_cleanup_free_ char *text = NULL;
	size_t len;
	char *at;

	text = metrics_text(&h.broker, &len);
	assert_non_null(text);
	snprintf(start, sizeof(start), "\nebb_broker_vm_%s{vm=\"vm0\"} ", name);
	at = strstr(text, start);
	if (!at)
		return NULL;
	at += strlen(start);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

/* What is not known has no sample: a 0 would be a VM that holds nothing. */
static void test_metrics_of_what_is_not_known(void **state)
{
	static const char *const unknown[] = { "actual_bytes", "resident_bytes", "want_bytes" };

	one_vm();
	assert_null(sample_of("want_bytes")); /* no lease */
	assert_null(sample_of("resident_bytes")); /* no such process in this /proc */
	fake_host_process(&h, getpid(), 8 * GiB, 3 * GiB, 0);
	shrunk(0, GiB);
	assert_true(until(&h, 5000, h.broker.vms->actual == GiB && h.broker.vms->resident));
	assert_string_equal(sample_of("want_bytes"), "1073741824");
	assert_string_equal(sample_of("actual_bytes"), "1073741824");
	assert_string_equal(sample_of("resident_bytes"), "3221225472");
	fake_vmm_die(&h.vmm[0]);
	assert_true(until(&h, 1000, !h.broker.vms->vmm_up));
	stream_end(&h.guest[0].stream, 0);
	assert_true(until(&h, 1000, !h.broker.vms->lease.held));
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		assert_null(sample_of(unknown[i]));
	assert_string_equal(sample_of("vmm_up"), "0");
	assert_string_equal(sample_of("leased"), "0");
}

/* Three files a VM: the limit is raised as far as it goes, and said when that is not enough. */
static void test_files(void **state)
{
	struct rlimit limit, few;
	rlim_t wanted = 3 * BROKER_VMS_MAX;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = 128;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	one_vm();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &few), 0);
	assert_true(few.rlim_cur >= (limit.rlim_max < wanted ? limit.rlim_max : wanted));
	assert_int_equal(h.broker.files, few.rlim_cur);
	assert_false(h.broker.files_told);
	h.broker.files = 64;
	assert_int_equal(broker_add(&h.broker,
				    &(struct vm_config){ .name = "more",
							 .kind = VMM_QMP,
							 .vmm = "/nonexistent/vmm" },
				    false),
			 0);
	assert_true(h.broker.files_told);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_dry_run_changes_nothing(void **state)
{
	h.broker.config.dry_run = true;
	one_vm();
	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_int_equal(h.guest[0].ack.clamp, CHANNEL_CLAMP_DRY_RUN);
	assert_int_equal(h.guest[0].ack.applied, 4 * GiB);
	pass(&h, 3000);
	fake_host_stop(&h);
	assert_int_equal(h.vmm[0].sets, 0);
}

static void test_a_host_that_is_short(void **state)
{
	struct channel_message m = {
		.type = CHANNEL_LEASE, .seq = 2, .want = 4 * GiB, .idle = 3 * GiB, .ttl_ms = 60000
	};

	two_vms();
	fake_host_memory(&h, 64 * GiB, 32 * GiB, "0.00");
	assert_true(fake_host_lease(&h, 0, 4 * GiB, 60000));
	assert_true(fake_host_lease(&h, 1, 4 * GiB, 60000));
	fake_guest_say(&h.guest[0], &m);
	/* A tenth is 6.4G: guests are asked, balloons are not. */
	fake_host_memory(&h, 64 * GiB, 5 * GiB, "0.00");
	assert_true(until(&h, 3000, h.guest[0].pressure.level == CHANNEL_LEVEL_LOW));
	/* Who has idle memory gives it. */
	assert_true(h.guest[0].pressure.need > GiB);
	assert_int_equal(h.guest[1].pressure.need, 0);
	pass(&h, 1200);
	assert_int_equal(h.vmm[0].size, 4 * GiB);
	/* Half of that, and it is taken: from the idle first, at the rate, down to its share. */
	fake_host_memory(&h, 64 * GiB, GiB, "0.00");
	assert_true(until(&h, 5000, h.guest[0].pressure.level == CHANNEL_LEVEL_HIGH));
	assert_true(until(&h, 10000, h.guest[0].ack.clamp == CHANNEL_CLAMP_HOST));
	assert_true(h.vmm[0].size >= 512 * MiB);
	assert_true(h.vmm[0].size < h.vmm[1].size);
	/* The floor holds however short it gets. */
	assert_true(until(&h, 20000, h.vmm[0].size == 512 * MiB && h.vmm[1].size == 512 * MiB));
	pass(&h, 1500);
	assert_int_equal(h.vmm[0].size, 512 * MiB);
	/* It is over: everybody has what he wants, at once, and nobody need give. */
	fake_host_memory(&h, 64 * GiB, 32 * GiB, "0.00");
	assert_true(until(&h, 3000, h.vmm[0].size == 4 * GiB && h.vmm[1].size == 4 * GiB));
	assert_true(until(&h, 3000, h.guest[0].pressure.level == CHANNEL_LEVEL_NONE));
	assert_int_equal(h.guest[0].pressure.need, 0);
}

/* Two VMs of 4G that may have 6 in sum, on a host that has plenty. */
static void test_a_budget_for_all(void **state)
{
	struct channel_message m = {
		.type = CHANNEL_LEASE, .seq = 2, .want = 4 * GiB, .idle = 3 * GiB, .ttl_ms = 60000
	};

	h.broker.config.budget = 6 * GiB;
	two_vms();
	assert_true(fake_host_lease(&h, 0, 4 * GiB, 60000));
	fake_guest_say(&h.guest[0], &m);
	/* The other one has no lease, and so its full size: all that is missing is of the first. */
	assert_true(until(&h, 5000, h.vmm[0].size <= 2 * GiB));
	assert_true(fake_host_lease(&h, 1, 2 * GiB, 60000));
	assert_true(until(&h, 5000, h.vmm[1].size == 2 * GiB && h.vmm[0].size == 4 * GiB));
	/* It grows: at once, and the idle gives. */
	assert_true(fake_host_lease(&h, 1, 4 * GiB, 60000));
	assert_true(until(&h, 10000,
			  h.vmm[0].size + h.vmm[1].size <= 6 * GiB && h.vmm[1].size > 3 * GiB));
	assert_int_equal(h.guest[0].pressure.level, CHANNEL_LEVEL_HIGH);
}

static void test_stalls_on_the_host_count_too(void **state)
{
	one_vm();
	assert_true(fake_host_lease(&h, 0, 4 * GiB, 60000));
	fake_host_memory(&h, 64 * GiB, 32 * GiB, "25.00");
	assert_true(until(&h, 3000, h.guest[0].pressure.level == CHANNEL_LEVEL_HIGH));
	fake_host_memory(&h, 64 * GiB, 32 * GiB, "0.00");
	assert_true(until(&h, 3000, h.guest[0].pressure.level == CHANNEL_LEVEL_NONE));
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, start, finish)
	const struct CMUnitTest tests[] = {
		test(test_a_lease_becomes_the_size),
		test(test_growing_is_one_step),
		test(test_small_steps_down_are_not_taken),
		test(test_clamps),
		test(test_a_lease_that_is_not_renewed),
		test(test_a_channel_that_closes),
		test(test_bye),
		test(test_a_reset_deflates_at_once),
		test(test_a_port_that_the_guest_closes),
		test(test_a_port_of_another_vm),
		test(test_a_guest_that_went_while_qmp_was_gone),
		test(test_what_the_host_holds),
		test(test_a_guest_that_reboots_without_a_reset_event),
		test(test_old_sequences_count_for_nothing),
		test(test_another_vms_name),
		test(test_ten_megabytes_without_a_newline),
		test(test_a_flood_of_leases),
		test(test_nonsense_is_answered_once_and_counted),
		test(test_a_broker_that_starts_finds_the_vms_as_they_are),
		test(test_a_vm_that_only_looks_full),
		test(test_a_vm_that_somebody_else_shrinks),
		test(test_stopping_gives_everything_back),
		test(test_stopping_does_not_wait_for_a_vmm_that_hangs),
		test(test_stopping_while_a_vmm_is_lost),
		test(test_stopping_does_not_wait_for_a_vmm_that_ended),
		test(test_killed_and_started_again),
		test(test_metrics_of_what_is_not_known),
		test(test_files),
		test(test_dry_run_changes_nothing),
		test(test_a_host_that_is_short),
		test(test_a_budget_for_all),
		test(test_stalls_on_the_host_count_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
