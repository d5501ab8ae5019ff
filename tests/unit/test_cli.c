// SPDX-License-Identifier: GPL-2.0-only
/* What `ebb` prints, from the structs that ebbd fills to the text in 80 columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ebb/cli.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "report/model.h"

#define MiB (1ull << 20)

static struct cli cli;
static char *text;
static size_t text_len;

static int open_cli(void **state)
{
	memset(&cli, 0, sizeof(cli));
	cli.width = 80;
	cli.out = open_memstream(&text, &text_len);
	cli.err = cli.out;
	return cli.out ? 0 : -1;
}

static int close_cli(void **state)
{
	fclose(cli.out);
	free(TAKE_PTR(text));
	return 0;
}

static void check(const char *expected)
{
	fflush(cli.out);
	assert_string_equal(text, expected);
}

/* No line is wider than the terminal, and no byte does anything to it. */
static void check_harmless(void)
{
	fflush(cli.out);
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		if (end - line > 80)
			fail_msg("%td columns: %.*s", end - line, (int)(end - line), line);
		for (const char *p = line; p < end; p++)
			assert_true(*p >= 0x20 && *p < 0x7f);
	}
}

static json_t *list_json(const struct report_container *all, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		assert_int_equal(json_array_append_new(list, report_container_json(&all[i])), 0);
	return list;
}

static void test_list(void **state)
{
	static const struct report_container all[] = {
		{ .id = 3,
		  .name = "build",
		  .bytes = 90 * MiB,
		  .state = EBB_STATE_STARTING,
		  .reason = EBB_REASON_STARTING },
		{ .id = 1,
		  .name = "redis",
		  .bytes = 812 * MiB,
		  .cold = 598 * MiB,
		  .reclaimed_total = 1230 * MiB,
		  .refaulted_total = 3 * MiB / 2,
		  .state = EBB_STATE_RECLAIMING,
		  .reason = EBB_REASON_COLD },
		{ .id = 9,
		  .name = "a-name-that-is-longer-than-its-column",
		  .bytes = 12 * 1024 * MiB,
		  .cold = 1,
		  .state = EBB_STATE_HELD,
		  .reason = EBB_REASON_REFAULTS },
		{ .id = 77, .state = EBB_STATE_EMPTY, .reason = EBB_REASON_EXIT },
	};
	json_t *list = list_json(all, ARRAY_SIZE(all));

	print_list(&cli, list);
	check("NAME                SIZE  COLD TAKEN  BACK  STATE       REASON\n"
	      "a-name-that-is-l.. 12.0G    1B     -     -  held        too much of it came back\n"
	      "redis               812M  598M  1.2G  1.5M  reclaiming  taking what is cold\n"
	      "build              90.0M     -     -     -  starting    still growing\n"
	      "77                     -     -     -     -  empty       its last process is gone\n"
	      "4 containers       12.8G  598M  1.2G  1.5M\n");
	check_harmless();
	json_decref(list);
}

static void test_list_wide(void **state)
{
	static const struct report_container c = {
		.name = "a-name-that-is-longer-than-its-column",
		.bytes = MiB,
		.state = EBB_STATE_SETTLED,
		.reason = EBB_REASON_NOTHING_COLD,
	};
	json_t *list = list_json(&c, 1);

	/* Not a terminal: names stay whole, for grep. One container: no sums. */
	cli.width = 0;
	print_list(&cli, list);
	check("NAME                                   SIZE  COLD TAKEN  BACK  STATE       REASON\n"
	      "a-name-that-is-longer-than-its-column  1.0M     -     -     -  settled     "
	      "all of it is in use\n");
	json_decref(list);
}

static void test_list_empty(void **state)
{
	json_t *list = json_array();

	print_list(&cli, list);
	check("No containers are running.\n");
	json_decref(list);
}

static void test_list_hostile(void **state)
{
	static const struct report_container all[] = {
		{ .id = 1, .name = "\x1b]0;owned\x07\x1b[2J", .bytes = 3 },
		{ .id = 2,
		  .name = "\xc2\x9b"
			  "31m\xff\xe2\x80\xae",
		  .bytes = 2 },
		{ .id = 3, .name = "a\nb\tc", .bytes = UINT64_MAX, .cold = UINT64_MAX },
	};
	json_t *list = list_json(all, ARRAY_SIZE(all));

	print_list(&cli, list);
	check_harmless();
	json_decref(list);
}

/* Every state and reason has room. */
static void test_list_columns(void **state)
{
	struct report_container all[EBB_NR_REASONS] = { 0 };
	json_t *list;

	for (int i = 0; i < EBB_NR_REASONS; i++) {
		all[i].name = "container-of-a-name";
		all[i].bytes = all[i].cold = all[i].reclaimed_total = 1023 * MiB;
		all[i].state = (enum ebb_state)(i % EBB_NR_STATES);
		all[i].reason = (enum ebb_reason)i;
	}
	list = list_json(all, ARRAY_SIZE(all));
	print_list(&cli, list);
	check_harmless();
	assert_null(strstr(text, "  unknown"));
	json_decref(list);
}

static void test_colors(void **state)
{
	static const struct report_container c = {
		.name = "db", .bytes = MiB, .state = EBB_STATE_HELD, .reason = EBB_REASON_PSI_IO
	};
	json_t *list = list_json(&c, 1);

	cli.color = true;
	print_list(&cli, list);
	check("\x1b[1mNAME                SIZE  COLD TAKEN  BACK  STATE       REASON\x1b[0m\n"
	      "db                  1.0M     -     -     -  \x1b[33mheld      \x1b[0m  "
	      "it waits for the disk\n");
	json_decref(list);
}

static const struct ebb_config config = {
	.cap = 2048 * MiB,
	.cold_after_ms = 60000,
	.stall_budget_ppm = 1000,
	.nr_rules = 2,
	.listen = "127.0.0.1:9465",
};

static void test_status(void **state)
{
	static const struct hook_rung rungs[] = {
		{ .data = "sizes", .best = true },
		{ .data = "ages", .best = false },
		{ .data = "refaults", .best = false },
	};
	const struct report_status s = {
		.version = "0.1.0",
		.kernel = "6.12.117+deb13-amd64",
		.uptime_ms = 7300000,
		.paused = true,
		.dry_run = true,
		.config = &config,
		.config_path = "/etc/ebb/ebb.conf",
		.nr_containers = 12,
		.machine = {
			.mem_total = 3911 * MiB,
			.ram = 3911 * MiB,
			.mem_free = 2355 * MiB,
			.mem_available = 2714 * MiB,
			.swap_total = 1955 * MiB,
			.swap_free = 1300 * MiB,
			.compressed = 42 * MiB,
			.compressed_original = 629 * MiB,
			.free_reportable = 1945 * MiB,
			.reporting = true,
			.compact_cpu_us = 3140000,
		},
		.host = { .talking = true,
			  .min = 512 * MiB,
			  .max = 4096 * MiB,
			  .applied = 3000 * MiB,
			  .actual = 3100 * MiB,
			  .resident = 2200 * MiB },
		.means = { [EBB_MEANS_COMPACTION] = { .reason = EBB_MEANS_GATHERS_NOTHING,
						      .tries = 5,
						      .again_ms = 3000000 },
			   [EBB_MEANS_BALLOON] = { .reason = EBB_MEANS_HOST_KEEPS,
						   .again_ms = 3600000 } },
		.footprint = { .want = 3000 * MiB,
			       .need = 1600 * MiB,
			       .headroom = 400 * MiB,
			       .reason = EBB_SIZE_SHRINK },
		.host_means = "virtio-serial",
		.host_reason = "",
		.returned = { 900 * MiB, 400 * MiB, 200 * MiB, 30 * MiB, 7 * MiB },
		.reporting_order = 9,
		.reclaimed_total = 2150 * MiB,
		.refaulted_total = 12 * MiB,
		.exit_reclaimed_total = 450 * MiB,
		.compactions = 12,
		.cpu_us = 12100000,
		.rss = 6500000,
		.hook_ppm = 210,
		.hook_budget_ppm = 5000,
		.edges_lost = 3,
		.acts_failed = 2,
		.last_error = "reclaim: Input/output error",
		.rungs = rungs,
		.nr_rungs = ARRAY_SIZE(rungs),
	};
	json_t *data = report_status_json(&s);

	print_status(&cli, data);
	check("ebbd 0.1.0, up 2h, 12 containers, Linux 6.12.117+deb13-amd64\n"
	      "Paused: nothing is taken. `ebb resume` ends it.\n"
	      "Dry run: decides, changes nothing.\n"
	      "\n"
	      "Memory        1.5G in use of 3.8G, 2.6G available\n"
	      "To the host   1.8G of 2.2G free is in blocks that go back by themselves\n"
	      "Swap          655M in use of 1.9G\n"
	      "Compressed    629M in 42.0M\n"
	      "VM size       3.0G of 4.0G; target 2.9G: shrinking in steps to what is needed\n"
	      "              the host holds 2.1G for it\n"
	      "              needed 1.5G and 400M of headroom; the balloon has 0B\n"
	      "Taken         2.0G; 12.0M came back (0.6%); 450M was left by exits\n"
	      "Returned      1.5G to the host: 900M by reclaim, 400M by exits, 200M by\n"
	      "              compaction, 30.0M by the balloon, 7.0M that others freed\n"
	      "Compaction    12 passes, 3.1 s of CPU\n"
	      "Switched off  compaction: several passes gathered nothing; tried again in 50min\n"
	      "              balloon: the VMM still held what it gave (see ebb-broker check);\n"
	      "              tried again in 60min\n"
	      "Cost          ebbd 12.1 s of CPU (0.17%), 6.1M of memory; hooks 0.021% of 0.5%\n"
	      "              allowed\n"
	      "Options       cap 2.0G, cold after 60s, stall budget 0.1%, compress auto\n"
	      "              from /etc/ebb/ebb.conf, 2 rules\n"
	      "Second best   ages, refaults (see ebb doctor)\n"
	      "Failed        2 steps; the last: reclaim: Input/output error\n"
	      "Lost          3 events of containers, made up for by a rescan\n");
	check_harmless();
	json_decref(data);
}

static void test_status_bare(void **state)
{
	struct ebb_config defaults = { .stall_budget_ppm = 1000 };
	const struct report_status s = {
		.version = "0.1.0",
		.kernel = "6.1.0",
		.uptime_ms = 500,
		.config = &defaults,
		.nr_containers = 1,
		.machine = { .mem_total = 1000 * MiB, .ram = 1000 * MiB, .mem_free = 400 * MiB },
		.host_reason = "neither a virtio port nor vsock",
		.reporting_order = -1,
	};
	json_t *data = report_status_json(&s);

	print_status(&cli, data);
	check("ebbd 0.1.0, up 500ms, 1 container, Linux 6.1.0\n"
	      "\n"
	      "Memory        600M in use of 1000M, 0B available\n"
	      "To the host   free memory stays here: no page reporting (see ebb doctor)\n"
	      "Swap          none\n"
	      "VM size       the VMM's: neither a virtio port nor vsock\n"
	      "Taken         0B; 0B came back (0.0%); 0B was left by exits\n"
	      "Returned      0B to the host: 0B by reclaim, 0B by exits, 0B by compaction, 0B\n"
	      "              by the balloon\n"
	      "Compaction    0 passes, 0.0 s of CPU\n"
	      "Cost          ebbd 0.0 s of CPU (0.00%), 0B of memory; hooks 0% of 0% allowed\n"
	      "Options       cap all RAM, cold after auto, stall budget 0.1%, compress auto\n");
	json_decref(data);
}

static void test_doctor(void **state)
{
	static const struct doctor_report d = {
		.able = true,
		.nr_checks = 2,
		.checks = {
			{ "cgroup v2 memory", DOCTOR_OK, true, "memory is held by cgroup v2", "" },
			{ "page ages", DOCTOR_LESS, false,
			  "the kernel has no multi-gen LRU: ages are not known, and memory is taken "
			  "in small steps under feedback",
			  "A kernel with CONFIG_LRU_GEN=y" },
		},
	};
	static const struct hook_rung rungs[] = {
		{ "sizes", "cgroup iterator", "the fastest", "", "", true },
		{ "ages", "none", "no lru_gen", "small steps \x1b[2J", "another kernel", false },
	};
	json_t *data = report_doctor_json(&d, rungs, ARRAY_SIZE(rungs));

	print_doctor(&cli, data);
	check("This machine\n"
	      "ok    cgroup v2 memory    memory is held by cgroup v2\n"
	      "less  page ages           the kernel has no multi-gen LRU: ages are not known,\n"
	      "                          and memory is taken in small steps under feedback\n"
	      "                          -> A kernel with CONFIG_LRU_GEN=y\n"
	      "\n"
	      "How each kind of data is had\n"
	      "ok    sizes               cgroup iterator: the fastest\n"
	      "less  ages                none: no lru_gen\n"
	      "                          without: small steps \\x1b[2J\n"
	      "                          -> another kernel\n"
	      "\n"
	      "ebb can work here.\n");
	check_harmless();
	json_decref(data);
}

static void test_doctor_unable(void **state)
{
	static const struct doctor_report d = {
		.nr_checks = 1,
		.checks = { { "cgroup v2 memory", DOCTOR_NO, true, "it is on v1",
			      "Boot otherwise" } },
		.verdict = "it is on v1. Boot otherwise. To see ebb at work without changing this "
			   "machine, run `make demo`: it starts a VM",
	};
	static const struct hook_rung rung = { "ages", "none", "", "", "", false };
	json_t *data = report_doctor_json(&d, &rung, 1);

	json_object_set_new(data, "root", json_false());
	print_doctor(&cli, data);
	check("This machine\n"
	      "no    cgroup v2 memory    it is on v1\n"
	      "                          -> Boot otherwise\n"
	      "\n"
	      "How each kind of data is had without root (ebbd, as root, has more)\n"
	      "less  ages                none\n"
	      "\n"
	      "ebb cannot work here. it is on v1. Boot otherwise. To see ebb at work without\n"
	      "changing this machine, run `make demo`: it starts a VM\n");
	json_decref(data);
}

/* Whatever answers on the socket, nothing breaks. */
static void test_odd_data(void **state)
{
	static const char *const all[] = {
		"null",
		"1",
		"\"x\"",
		"[]",
		"{}",
		"[1,null,{\"name\":5,\"bytes\":-1}]",
		"{\"memory\":[],\"totals\":1,\"config\":null,\"rungs\":[3],\"errors\":\"\"}",
		"{\"checks\":{},\"rungs\":[null],\"able\":1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		json_t *data = json_loads(all[i], JSON_DECODE_ANY, NULL);

		assert_non_null(data);
		print_list(&cli, data);
		print_status(&cli, data);
		print_doctor(&cli, data);
		json_decref(data);
	}
	check_harmless();
}

static void test_not_running(void **state)
{
	char error[CLI_ERROR_MAX], path[200];
	bool running = true;
	json_t *request = json_pack("{s:s}", "cmd", "list"), *data;

	assert_int_equal(client_call("/nonexistent/ebbd.sock", request, &data, &running, error),
			 EBB_EXIT_FAILED);
	assert_false(running);
	assert_non_null(strstr(error,
			       "ebbd is not running: nobody answers at /nonexistent/ebbd.sock."
			       " Start it with `systemctl start ebbd`"));
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(client_call(path, request, &data, &running, error), EBB_EXIT_USAGE);
	json_decref(request);
}

#define PRINTS(test) cmocka_unit_test_setup_teardown(test, open_cli, close_cli)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PRINTS(test_list),         PRINTS(test_list_wide),
		PRINTS(test_list_empty),   PRINTS(test_list_hostile),
		PRINTS(test_list_columns), PRINTS(test_colors),
		PRINTS(test_status),       PRINTS(test_status_bare),
		PRINTS(test_doctor),       PRINTS(test_doctor_unable),
		PRINTS(test_odd_data),     cmocka_unit_test(test_not_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
