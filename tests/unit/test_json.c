// SPDX-License-Identifier: GPL-2.0-only
/* What ebbd publishes, from struct to text: the names of the members are a contract. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "report/model.h"

static void check(json_t *json, const char *expected)
{
	_cleanup_free_ char *text = NULL;

	assert_non_null(json);
	text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	json_decref(json);
	assert_string_equal(text, expected);
}

static void test_container(void **state)
{
	static const uint64_t lat[EBB_LAT_SLOTS] = { [6] = 98, [10] = 2 };
	const struct report_container c = {
		.id = 18446744073709551615ull,
		.name = "db \"1\"",
		.runtime = "podman",
		.image = "localhost/redis:8",
		.path = "machine.slice/libpod-1.scope",
		.pod = "p",
		.bytes = 1000,
		.anon = 600,
		.file = 300,
		.swap = 50,
		.cold = 200,
		.working_set = 800,
		.reclaimed_total = 400,
		.refaulted_total = 4,
		.protect = 512,
		.state = EBB_STATE_HELD,
		.reason = EBB_REASON_PSI_MEMORY,
		.age_ms = 5000,
		.nr_ages = 2,
		.age = { { 60000, 100, 100 }, { 0, 500, 200 } },
		.faults_minor = 7,
		.faults_major = 8,
		.major_lat = lat,
		.stall_us = 9,
		.last_action = EBB_ACT_RECLAIM,
		.last = { .asked = 100,
			  .got = 90,
			  .error = -ENOENT,
			  .timed_out = true,
			  .ended_ms = 1 },
	};

	check(report_container_json(&c),
	      "{\"id\":\"18446744073709551615\",\"name\":\"db \\\"1\\\"\",\"runtime\":\"podman\","
	      "\"image\":\"localhost/redis:8\",\"path\":\"machine.slice/libpod-1.scope\","
	      "\"pod\":\"p\",\"namespace\":null,\"bytes\":1000,\"anon\":600,\"file\":300,\"swap\":"
	      "50,"
	      "\"cold\":200,\"working_set\":800,\"reclaimed_total\":400,\"refaulted_total\":4,"
	      "\"protect\":512,\"state\":\"held\",\"reason\":\"psi-memory\","
	      "\"reason_text\":\"it waits for memory\",\"age_ms\":5000,"
	      "\"ages\":[{\"idle_ms\":60000,\"anon\":100,\"file\":100},"
	      "{\"idle_ms\":0,\"anon\":500,\"file\":200}],\"faults\":{\"minor\":7,\"major\":8},"
	      "\"major_fault_us\":{\"p50\":96,\"p99\":1536},\"stall_us\":9,"
	      "\"last\":{\"action\":\"reclaim\",\"asked\":100,\"got\":90,"
	      "\"error\":\"No such file or directory\",\"timed_out\":true,\"ended_ms\":1}}");
}

static void test_empty_container(void **state)
{
	const struct report_container c = { .id = 1 };

	check(report_container_json(&c),
	      "{\"id\":\"1\",\"name\":\"\",\"runtime\":\"\",\"image\":\"\",\"path\":\"\",\"pod\":"
	      "null,"
	      "\"namespace\":null,\"bytes\":0,\"anon\":0,\"file\":0,\"swap\":0,\"cold\":0,"
	      "\"working_set\":0,\"reclaimed_total\":0,\"refaulted_total\":0,\"protect\":0,"
	      "\"state\":\"starting\",\"reason\":\"none\",\"reason_text\":\"nothing to report\","
	      "\"age_ms\":0,\"ages\":[],\"faults\":{\"minor\":0,\"major\":0},"
	      "\"major_fault_us\":null,\"stall_us\":0,\"last\":null}");
}

static void test_hostile_text(void **state)
{
	check(report_text_json(NULL), "null");
	check(report_text_json("a\x1b[2J\nb"), "\"a\\u001B[2J\\nb\"");
	check(report_text_json("caf\xc3\xa9"), "\"caf\\u00E9\"");
	check(report_text_json("a\xff\xc3z"), "\"a??z\"");
	check(report_text_json("\xc2\x9b"), "\"\\u009B\"");
}

static void test_status(void **state)
{
	const struct ebb_config config = {
		.cap = 2ull << 30,
		.stall_budget_ppm = 1000,
		.compress = EBB_COMPRESS_ZRAM,
		.listen = "127.0.0.1:9465",
		.nr_rules = 2,
	};
	const struct hook_rung rungs[] = {
		{ "ages", "lru_gen_full", "lockdown", "no ageing", "boot without lockdown", false },
	};
	const struct report_status s = {
		.version = "1.2.3",
		.kernel = "6.12.1",
		.uptime_ms = 1000,
		.dry_run = true,
		.config = &config,
		.config_path = "/etc/ebb/ebb.conf",
		.nr_containers = 3,
		.machine = {
			.mem_total = 100,
			.ram = 100,
			.ballooned = 20,
			.mem_free = 50,
			.mem_available = 60,
			.swap_total = 40,
			.swap_free = 30,
			.compressed = 3,
			.compressed_original = 10,
			.free_reportable = 45,
			.reporting = true,
			.swap_is_compressed = true,
			.compact_cpu_us = 77,
		},
		.host = { .talking = true, .min = 10, .max = 110, .applied = 90, .actual = 95, .resident = 88,
			  .level = EBB_HOST_LOW, .need = 4 },
		.footprint = { .want = 90, .idle = 5, .need = 40, .headroom = 12,
			       .reason = EBB_SIZE_FOLLOW },
		.means = { [EBB_MEANS_REPORTING] = { .on = true },
			   [EBB_MEANS_COMPACTION] = { .reason = EBB_MEANS_GATHERS_NOTHING,
						      .tries = 5,
						      .again_ms = 5000 },
			   [EBB_MEANS_BALLOON] = { .on = true, .tries = 1 } },
		.now_ms = 2000,
		.host_means = "vsock",
		.host_reason = "",
		.host_rtt_us = 700,
		.returned = { 5, 4, 3, 2, 1 },
		.hook_us = 8,
		.reporting_order = 9,
		.reclaimed_total = 11,
		.refaulted_total = 1,
		.exit_reclaimed_total = 5,
		.compactions = 2,
		.cpu_us = 123,
		.rss = 456,
		.hook_ppm = 12,
		.hook_budget_ppm = 5000,
		.edges_lost = 1,
		.acts_failed = 2,
		.rungs = rungs,
		.nr_rungs = 1,
	};

	check(report_status_json(&s),
	      "{\"version\":\"1.2.3\",\"kernel\":\"6.12.1\",\"uptime_ms\":1000,\"dry_run\":true,"
	      "\"paused\":false,\"containers\":3,"
	      "\"config\":{\"path\":\"/etc/ebb/"
	      "ebb.conf\",\"cap\":2147483648,\"cold_after_ms\":null,"
	      "\"stall_budget_ppm\":1000,\"compress\":\"zram\",\"listen\":\"127.0.0.1:9465\","
	      "\"rules\":2},"
	      "\"memory\":{\"total\":100,\"used\":30,\"free\":50,\"available\":60,\"swap_total\":"
	      "40,"
	      "\"swap_free\":30,\"swap_is_compressed\":true,\"compressed\":3,"
	      "\"compressed_original\":10,\"free_reportable\":45,\"reporting\":true,"
	      "\"reporting_order\":9},"
	      "\"balloon\":{\"broker\":true,\"means\":\"vsock\",\"why_not\":null,\"held\":20,"
	      "\"target\":90,\"reason\":\"follow\",\"reason_text\":\"what is needed, and "
	      "headroom\","
	      "\"need\":40,\"headroom\":12,\"idle\":5,\"applied\":90,\"actual\":95,\"resident\":88,"
	      "\"min\":10,"
	      "\"max\":110,\"rtt_us\":700,\"host_level\":\"low\",\"host_need\":4},"
	      "\"means\":[{\"name\":\"reporting\",\"on\":true,\"reason\":\"works\",\"reason_text\":"
	      "\"on\","
	      "\"tries\":0,\"again_ms\":null},{\"name\":\"compaction\",\"on\":false,\"reason\":"
	      "\"gathers-nothing\",\"reason_text\":\"several passes gathered nothing\",\"tries\":5,"
	      "\"again_ms\":3000},{\"name\":\"balloon\",\"on\":true,\"reason\":\"works\",\"reason_"
	      "text\":"
	      "\"on\",\"tries\":1,\"again_ms\":null}],"
	      "\"totals\":{\"reclaimed\":11,\"refaulted\":1,\"exit_reclaimed\":5,\"returned\":15,"
	      "\"returned_by\":{\"reclaim\":5,\"exit\":4,\"compaction\":3,\"balloon\":2,\"guest\":"
	      "1},"
	      "\"compactions\":2,"
	      "\"compact_cpu_us\":77},"
	      "\"overhead\":{\"cpu_us\":123,\"rss\":456,\"hook_us\":8,\"hook_ppm\":12,\"hook_"
	      "budget_ppm\":5000},"
	      "\"errors\":{\"edges_lost\":1,\"acts_failed\":2,\"last\":null},"
	      "\"rungs\":[{\"data\":\"ages\",\"rung\":\"lru_gen_full\",\"best\":false,"
	      "\"reason\":\"lockdown\",\"without\":\"no ageing\","
	      "\"remedy\":\"boot without lockdown\"}]}");
}

static void test_doctor(void **state)
{
	const struct doctor_report d = {
		.able = false,
		.nr_checks = 1,
		.checks = { { "cgroup", DOCTOR_NO, true, "v1", "cgroup_no_v1=all" } },
		.verdict = "no",
	};

	check(report_doctor_json(&d, NULL, 0), "{\"able\":false,\"verdict\":\"no\",\"checks\":[{"
					       "\"what\":\"cgroup\",\"state\":\"no\","
					       "\"required\":true,\"detail\":\"v1\",\"remedy\":"
					       "\"cgroup_no_v1=all\"}],\"rungs\":[]}");
}

static void test_percentile(void **state)
{
	uint64_t slots[EBB_LAT_SLOTS] = { 0 };

	assert_int_equal(report_percentile_us(slots, 99), 0);
	slots[0] = 1;
	assert_int_equal(report_percentile_us(slots, 50), 2);
	slots[0] = 4;
	assert_int_equal(report_percentile_us(slots, 50), 1);
	slots[3] = 96; /* [8, 16) */
	assert_int_equal(report_percentile_us(slots, 4), 2);
	assert_int_equal(report_percentile_us(slots, 52), 12);
	assert_int_equal(report_percentile_us(slots, 100), 16);
	slots[EBB_LAT_SLOTS - 1] = UINT64_MAX / 2;
	assert_int_equal(report_percentile_us(slots, 50), 1 << (EBB_LAT_SLOTS - 1));
}

/* No state, reason or action without a name of its own, and no clause too wide for a column. */
static void test_names(void **state)
{
	for (int i = 0; i < EBB_NR_STATES; i++) {
		assert_string_not_equal(ebb_state_name((enum ebb_state)i), "unknown");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(ebb_state_name((enum ebb_state)i),
						ebb_state_name((enum ebb_state)j));
	}
	for (int i = 0; i < EBB_NR_REASONS; i++) {
		assert_string_not_equal(ebb_reason_name((enum ebb_reason)i), "unknown");
		assert_string_not_equal(ebb_reason_text((enum ebb_reason)i), "unknown");
		assert_true(strlen(ebb_reason_text((enum ebb_reason)i)) <= 24);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(ebb_reason_name((enum ebb_reason)i),
						ebb_reason_name((enum ebb_reason)j));
	}
	for (int i = EBB_ACT_AGE; i <= EBB_ACT_SWAP_LIMIT; i++)
		assert_string_not_equal(ebb_action_name((enum ebb_action)i), "unknown");
	assert_string_equal(ebb_state_name((enum ebb_state)99), "unknown");
	assert_string_equal(ebb_reason_text((enum ebb_reason) - 1), "unknown");
	assert_string_equal(ebb_action_name((enum ebb_action)0), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_container),    cmocka_unit_test(test_empty_container),
		cmocka_unit_test(test_hostile_text), cmocka_unit_test(test_status),
		cmocka_unit_test(test_doctor),       cmocka_unit_test(test_percentile),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
