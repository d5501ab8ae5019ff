// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that means harm, beside one that does not: what it says is clamped, counted and dropped,
 * the other one has its size and its answers as before, and who looks can see who it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../broker/fake_host.h"
#include "broker/cli.h"
#include "lib/cleanup.h"

#define PROMPT_NS 500000000ull /* under sanitizers, on a busy machine */

static struct fake_host h;
static struct vm *good, *bad;
static unsigned int good_sets;

/* vm0 is the good one and has 1 GiB; vm1 is the other. */
static int start(void **state)
{
	if (fake_host_setup(&h))
		return -1;
	for (int i = 0; i < 2; i++)
		fake_host_vm(&h, i, VMM_QMP, 4 * GiB, 512 * MiB, 3 * GiB);
	fake_host_run(&h);
	good = broker_find(&h.broker, "vm0");
	bad = broker_find(&h.broker, "vm1");
	if (!until(&h, 5000, good->target && bad->target && h.guest[1].up) ||
	    !fake_host_lease(&h, 0, GiB, 60000) ||
	    !until(&h, 5000, h.vmm[0].size == GiB && good->actual == GiB))
		return -1;
	good_sets = h.vmm[0].sets;
	return 0;
}

static int finish(void **state)
{
	fake_host_teardown(&h);
	return 0;
}

/* The good one: as it was, and answered at once. */
static void is_unharmed(void)
{
	uint64_t start_ns = uv_hrtime();

	assert_true(fake_host_lease(&h, 0, GiB, 60000));
	assert_true(uv_hrtime() - start_ns < PROMPT_NS);
	assert_int_equal(h.guest[0].ack.applied, GiB);
	assert_int_equal(h.guest[0].ack.clamp, CHANNEL_CLAMP_NONE);
	assert_int_equal(h.vmm[0].size, GiB);
	assert_int_equal(h.vmm[0].sets, good_sets);
	assert_int_equal(h.guest[0].errors, 0);
	assert_int_equal(h.guest[0].pressures, 0);
}

static void says(const char *text)
{
	fake_guest_raw(&h.guest[1], text, strlen(text));
}

static void test_another_name(void **state)
{
	fake_guest_hello(&h.guest[1], "fedcba9876543210", "boot-1", "vm0");
	assert_true(until(&h, 2000, h.guest[1].welcomes));
	/* The session of the other one helps as little as its name. */
	fake_guest_hello(&h.guest[1], "0123456789abcdef", "boot-1", "vm0");
	fake_guest_lease(&h.guest[1], 1000, 512 * MiB, 60000);
	assert_true(until(&h, 5000, h.vmm[1].size == 512 * MiB));
	fake_guest_say(&h.guest[1], &(struct channel_message){ .type = CHANNEL_BYE });
	assert_true(until(&h, 5000, h.vmm[1].size == 3 * GiB));
	is_unharmed();
	assert_int_equal(bad->guest.counts.claims, 2);
	assert_int_equal(good->guest.counts.claims, 0);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *want;
		uint64_t size;
	} cases[] = {
		{ "18446744073709551615", 3 * GiB },
		{ "0", 512 * MiB },
		{ "3221225473", 3 * GiB }, /* a byte above its ceiling */
		{ "1", 512 * MiB },
	};
	char line[256];
	unsigned int seq = 1;

	fake_guest_hello(&h.guest[1], "fedcba9876543210", "boot-1", "");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(line, sizeof(line),
			 "{\"type\":\"lease\",\"seq\":%u,\"want\":%s,\"idle\":18446744073709551615,"
			 "\"ttl_ms\":18446744073709551615}\n",
			 seq++, cases[i].want);
		says(line);
		assert_true(until(&h, 10000,
				  h.guest[1].ack.applied == cases[i].size &&
					  h.vmm[1].size == cases[i].size));
		assert_int_equal(h.guest[1].ack.ttl_ms, EBB_CHANNEL_TTL_MAX_MS);
		is_unharmed();
	}
	/* What is no such number is no lease. */
	says("{\"type\":\"lease\",\"seq\":99,\"want\":18446744073709551616,\"ttl_ms\":1000}\n"
	     "{\"type\":\"lease\",\"seq\":99,\"want\":-1,\"ttl_ms\":1000}\n"
	     "{\"type\":\"lease\",\"seq\":99,\"want\":1e9,\"ttl_ms\":1000}\n"
	     "{\"type\":\"lease\",\"seq\":99,\"want\":\"4G\",\"ttl_ms\":1000}\n");
	assert_true(until(&h, 2000, bad->guest.counts.bad == 4));
	assert_true(bad->lease.seq < 99);
	is_unharmed();
	/* The last sequence there is: it can renew nothing any more, and the lease ends by itself.
	 */
	says("{\"type\":\"lease\",\"seq\":18446744073709551615,\"want\":1,\"ttl_ms\":1000}\n");
	assert_true(until(&h, 2000, bad->lease.seq == UINT64_MAX));
	says("{\"type\":\"lease\",\"seq\":1,\"want\":1,\"ttl_ms\":60000}\n");
	assert_true(until(&h, 5000, h.vmm[1].size == 3 * GiB));
	is_unharmed();
}

static void test_floods(void **state)
{
	static char block[8192];
	unsigned int sets = h.vmm[1].sets;

	/* Each under another's name: two lines of the log, were there no end to that. */
	for (int i = 0; i < VM_LINES; i++)
		fake_guest_hello(&h.guest[1], "fedcba9876543210", "boot-2", "vm0");
	assert_true(until(&h, 2000, bad->guest.counts.claims == VM_LINES));
	assert_true(bad->unlogged > 0);
	is_unharmed();
	for (int i = 0; i < 300; i++) {
		switch (i % 4) {
		case 0:
			fake_guest_hello(&h.guest[1], "fedcba9876543210", "boot-2", "vm0");
			break;
		case 1:
			fake_guest_lease(&h.guest[1], 1 + (uint64_t)i, GiB + (uint64_t)i * MiB,
					 1000);
			break;
		case 2:
			says("{\"type\":\"bye\"}\n");
			break;
		case 3:
			says("{\"type\":\"ack\",\"seq\":1}\n\xff\n{{{{{{{{{{[[[[[[[[\n");
			break;
		}
		pass(&h, 2);
		if (i % 100 == 99)
			is_unharmed();
	}
	assert_true(bad->guest.counts.over_rate > 100);
	assert_true(h.vmm[1].sets - sets <= EBB_CHANNEL_BURST + 20 * EBB_CHANNEL_RATE);
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 40; i++) {
		fake_guest_raw(&h.guest[1], block, sizeof(block));
		pass(&h, 5);
	}
	is_unharmed();
	assert_true(bad->guest.counts.throttled > 0);
	assert_true(bad->guest.counts.overlong > 0);
	assert_int_equal(good->guest.counts.over_rate + good->guest.counts.throttled +
				 good->guest.counts.overlong + good->guest.counts.bad,
			 0);
	assert_true(good->lines > 0);
}

/* Lines that come just when something is looked at again: no more of them than is documented. */
static void test_the_rate_of_lines(void **state)
{
	uint64_t start_ns = uv_hrtime(), seen, ms;

	for (int i = 0; i < 40; i++) {
		for (int k = 0; k < (i ? 4 : 70); k++)
			fake_guest_hello(&h.guest[1], "fedcba9876543210", "boot-2", "");
		pass(&h, 51);
	}
	seen = bad->guest.counts.messages;
	ms = (uv_hrtime() - start_ns) / 1000000;
	assert_true(bad->guest.counts.over_rate > 0);
	if (seen > EBB_CHANNEL_BURST + ms * EBB_CHANNEL_RATE / 1000 + 1)
		fail_msg("%lu lines in %lu ms", (unsigned long)seen, (unsigned long)ms);
	assert_true(seen > EBB_CHANNEL_BURST);
	is_unharmed();
}

/* One that reads nothing of what it is told loses that, and holds up nobody. */
static void test_one_that_does_not_read(void **state)
{
	fake_guest_hello(&h.guest[1], "fedcba9876543210", "boot-1", "");
	assert_true(until(&h, 2000, h.guest[1].welcomes));
	stream_pause(&h.guest[1].stream);
	for (int i = 0; i < 60; i++) {
		fake_guest_lease(&h.guest[1], 2 + (uint64_t)i, GiB, 60000);
		pass(&h, 5);
	}
	is_unharmed();
	assert_true(bad->guest.stream.pending <= STREAM_PENDING_MAX);
	assert_true(bad->lease.held);
	stream_resume(&h.guest[1].stream);
}

/* --- who looks can see it ------------------------------------------------------------- */

static bool metric_is(const char *text, const char *sample)
{
	const char *at = strstr(text, sample);

	return at && (at == text || at[-1] == '\n');
}

static void test_it_is_seen(void **state)
{
	json_t *report, *vm, *counts = NULL;
	char plain[4096] = "";
	FILE *out = fmemopen(plain, sizeof(plain), "w");
	_cleanup_free_ char *metrics = NULL;
	size_t len, i;

	fake_guest_hello(&h.guest[1], "fedcba9876543210", "boot-1", "vm0");
	fake_guest_lease(&h.guest[1], 7, UINT64_MAX, 60000);
	fake_guest_lease(&h.guest[1], 3, 0, 60000);
	says("nonsense\n");
	assert_true(until(&h, 2000, bad->guest.counts.bad == 1 && bad->counts.stale == 1));
	report = report_json(&h.broker);
	json_array_foreach (json_object_get(report, "vms"), i, vm)
		if (!strcmp(json_string_value(json_object_get(vm, "name")), "vm1"))
			counts = json_object_get(vm, "guest");
	assert_non_null(counts);
	assert_int_equal(json_integer_value(json_object_get(counts, "claims")), 1);
	assert_int_equal(json_integer_value(json_object_get(counts, "bad")), 1);
	assert_string_equal(json_string_value(json_object_get(counts, "calls_itself")), "vm0");
	status_print(out, report);
	fclose(out);
	json_decref(report);
	if (!strstr(plain, "vm0              leased            -    1.0G    1.0G    1.0G"))
		fail_msg("%s", plain);
	assert_non_null(strstr(plain, "vm1              leased            -"));
	assert_non_null(strstr(plain, "ceiling"));

	metrics = metrics_text(&h.broker, &len);
	assert_non_null(metrics);
	assert_int_equal(len, strlen(metrics));
	assert_true(
		metric_is(metrics, "ebb_broker_vm_dropped_total{vm=\"vm1\",reason=\"claim\"} 1\n"));
	assert_true(
		metric_is(metrics, "ebb_broker_vm_dropped_total{vm=\"vm1\",reason=\"bad\"} 1\n"));
	assert_true(
		metric_is(metrics, "ebb_broker_vm_dropped_total{vm=\"vm1\",reason=\"stale\"} 1\n"));
	assert_true(
		metric_is(metrics, "ebb_broker_vm_dropped_total{vm=\"vm0\",reason=\"bad\"} 0\n"));
	assert_true(metric_is(metrics, "ebb_broker_vm_acks_total{vm=\"vm1\",clamp=\"ceiling\"} "));
	assert_true(metric_is(metrics, "ebb_broker_vm_size_bytes{vm=\"vm0\"} 1073741824\n"));
	assert_true(metric_is(metrics, "ebb_broker_vm_leased{vm=\"vm0\"} 1\n"));
	assert_true(metric_is(metrics, "ebb_broker_host_memory_total_bytes 68719476736\n"));
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, start, finish)
	const struct CMUnitTest tests[] = {
		test(test_another_name),
		test(test_numbers),
		test(test_floods),
		test(test_the_rate_of_lines),
		test(test_one_that_does_not_read),
		test(test_it_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
