// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is said to Firecracker and Cloud Hypervisor, and how their answers are read, against their
 * published OpenAPI documents (tests/broker/vmm_api.def); and `ebb-broker check` against a server
 * that is built from these.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "../broker/fake_vmm.h"
#include "../broker/vmm_api.h"
#include "broker/check.h"
#include "broker/cli.h"
#include "broker/rest.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "scratch.h"

#define GiB (1ull << 30)

static json_t *json(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);

	assert_non_null(o);
	return o;
}

static const struct rest_ops *const all_ops[] = { &rest_firecracker, &rest_cloud_hypervisor };
static const enum vmm_kind kinds[] = { VMM_FIRECRACKER, VMM_CLOUD_HYPERVISOR };

/* --- the table itself can refuse ------------------------------------------------------- */

static void test_the_table(void **state)
{
	static const struct {
		enum vmm_kind kind;
		const char *method, *path, *body;
		bool good;
	} cases[] = {
		{ VMM_FIRECRACKER, "PATCH", "/balloon", "{\"amount_mib\":1}", true },
		{ VMM_FIRECRACKER, "PATCH", "/balloon", "{}", false },
		{ VMM_FIRECRACKER, "PATCH", "/balloon", NULL, false },
		{ VMM_FIRECRACKER, "PATCH", "/balloon", "[1]", false },
		{ VMM_FIRECRACKER, "PATCH", "/balloon", "{\"amount_mib\":\"1\"}", false },
		{ VMM_FIRECRACKER, "PATCH", "/balloon", "{\"amount_mib\":1.5}", false },
		{ VMM_FIRECRACKER, "PATCH", "/balloon", "{\"amount_mib\":-1}", false },
		{ VMM_FIRECRACKER, "PATCH", "/balloon",
		  "{\"amount_mib\":1,\"deflate_on_oom\":true}", false },
		{ VMM_FIRECRACKER, "PATCH", "/balloon/statistics", "{\"amount_mib\":1}", false },
		{ VMM_FIRECRACKER, "POST", "/balloon", "{\"amount_mib\":1}", false },
		{ VMM_FIRECRACKER, "GET", "/balloon", NULL, true },
		{ VMM_FIRECRACKER, "GET", "/balloon", "{}", false },
		{ VMM_FIRECRACKER, "GET", "/balloon/", NULL, false },
		{ VMM_CLOUD_HYPERVISOR, "GET", "/balloon", NULL, false },
		{ VMM_CLOUD_HYPERVISOR, "GET", "/vm.info", NULL, false },
		{ VMM_CLOUD_HYPERVISOR, "GET", "/api/v1/vm.info", NULL, true },
		{ VMM_CLOUD_HYPERVISOR, "PUT", "/api/v1/vm.resize", "{\"desired_balloon\":4096}",
		  true },
		{ VMM_CLOUD_HYPERVISOR, "PUT", "/api/v1/vm.resize", "{\"desired_ballon\":4096}",
		  false },
		{ VMM_CLOUD_HYPERVISOR, "PATCH", "/api/v1/vm.resize", "{\"desired_balloon\":4096}",
		  false },
	};
	char why[VMM_API_WHY_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *body = cases[i].body ? json(cases[i].body) : NULL;

		why[0] = '\0';
		if (vmm_api_request(cases[i].kind, cases[i].method, cases[i].path, body, why) !=
		    cases[i].good)
			fail_msg("%s %s %s: %s", cases[i].method, cases[i].path,
				 cases[i].body ? cases[i].body : "", why);
		json_decref(body);
	}
}

static void test_answers_of_the_table(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool good;
	} cases[] = {
		{ 200, "{\"config\":{\"payload\":{}},\"state\":\"Running\"}", true },
		{ 404, NULL, true },
		{ 500, NULL, false },
		{ 200, NULL, false },
		{ 200, "{\"config\":{\"payload\":{}}}", false },
		{ 200, "{\"config\":{},\"state\":\"Running\"}", false },
		{ 200, "{\"config\":{\"payload\":{},\"memory\":{}},\"state\":\"Running\"}", false },
		{ 200,
		  "{\"config\":{\"payload\":{},\"memory\":{\"size\":0,\"zones\":[{\"id\":\"a\"}]}},"
		  "\"state\":\"Running\"}",
		  false },
	};
	char why[VMM_API_WHY_MAX];
	json_t *error;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *body = cases[i].body ? json(cases[i].body) : NULL;

		if (vmm_api_answer(VMM_CLOUD_HYPERVISOR, "GET", "/api/v1/vm.info", cases[i].status,
				   body, why) != cases[i].good)
			fail_msg("%d %s", cases[i].status, cases[i].body ? cases[i].body : "");
		json_decref(body);
	}
	/* "default": any status, with the body that errors have. */
	error = json("{\"fault_message\":\"no\"}");
	assert_true(vmm_api_answer(VMM_FIRECRACKER, "GET", "/balloon", 503, error, why));
	assert_false(vmm_api_answer(VMM_FIRECRACKER, "GET", "/balloon", 200, error, why));
	json_decref(error);
}

/* --- what is said ---------------------------------------------------------------------- */

static void test_requests(void **state)
{
	static const uint64_t balloons[] = {
		0, 1, 4095, 4096, 1 << 20, (1 << 20) + 1, 3 * GiB, (1ull << 50) - 1
	};
	struct rest_vm vms[] = { { 0 }, { .no_stats = true }, { .ask_config = true } };
	char text[64], why[VMM_API_WHY_MAX];

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct rest_ops *ops = all_ops[k];

		assert_true(vmm_api_request(kinds[k], "GET", ops->info, NULL, why));
		for (size_t i = 0; i < ARRAY_SIZE(vms); i++)
			assert_true(
				vmm_api_request(kinds[k], "GET", ops->actual(&vms[i]), NULL, why));
		for (size_t i = 0; i < ARRAY_SIZE(balloons); i++) {
			int n = ops->format_set(text, sizeof(text), balloons[i]);
			json_t *body;

			assert_in_range(n, 1, sizeof(text) - 1);
			body = json(text);
			if (!vmm_api_request(kinds[k], ops->set_method, ops->set_target, body, why))
				fail_msg("%s: %s", text, why);
			json_decref(body);
		}
	}
}

/* What a person is told to send is taken, too. */
static void test_the_remedy(void **state)
{
	const char *text = strchr(rest_firecracker.no_balloon, '{');
	char why[VMM_API_WHY_MAX] = "";
	json_t *body;

	assert_non_null(text);
	assert_non_null(strstr(rest_firecracker.no_balloon, "PUT /balloon"));
	body = json(text);
	if (!vmm_api_request(VMM_FIRECRACKER, "PUT", "/balloon", body, why))
		fail_msg("%s", why);
	assert_true(json_is_true(json_object_get(body, "free_page_reporting")));
	json_decref(body);
}

/* --- what is heard ----------------------------------------------------------------------- */

#define FC_MACHINE "{\"vcpu_count\":1,\"mem_size_mib\":4096}"
#define FC_STATISTICS                                                                              \
	"{\"target_pages\":256,\"actual_pages\":512,\"target_mib\":1,\"actual_mib\":2}"
#define FC_BALLOON "{\"amount_mib\":3,\"deflate_on_oom\":true,\"stats_polling_interval_s\":1}"
#define CH_INFO                                                                                    \
	"{\"config\":{\"payload\":{},\"memory\":{\"size\":4294967296},\"balloon\":{\"size\":0}},"  \
	"\"state\":\"Running\",\"memory_actual_size\":4292870144}"

static void test_answers(void **state)
{
	struct rest_vm vm = { 0 };
	json_t *body = json(FC_MACHINE);

	assert_int_equal(rest_firecracker.read_info(body, &vm), 0);
	assert_int_equal(vm.ram, 4 * GiB);
	json_decref(body);
	body = json(FC_STATISTICS);
	assert_int_equal(rest_firecracker.read_actual(body, &vm), 0);
	assert_int_equal(vm.balloon, 2 << 20);
	json_decref(body);
	/* Refused: the configuration says whether they are off, or only not there yet. */
	assert_int_equal(rest_firecracker.refused_actual(400, &vm), -EAGAIN);
	body = json(FC_BALLOON);
	assert_int_equal(rest_firecracker.read_actual(body, &vm), 0);
	assert_int_equal(vm.balloon, 3 << 20);
	assert_false(vm.no_stats || vm.ask_config);
	json_object_set_new(body, "stats_polling_interval_s", json_integer(0));
	assert_int_equal(rest_firecracker.refused_actual(400, &vm), -EAGAIN);
	assert_int_equal(rest_firecracker.read_actual(body, &vm), 0);
	assert_true(vm.no_stats);
	json_object_del(body, "stats_polling_interval_s"); /* 0 by the document */
	vm.no_stats = false;
	vm.ask_config = true;
	assert_int_equal(rest_firecracker.read_actual(body, &vm), 0);
	assert_true(vm.no_stats);
	assert_int_equal(rest_firecracker.refused_actual(400, &vm), -ENODEV);
	assert_int_equal(rest_firecracker.refused_actual(503, &vm), -EIO);
	json_decref(body);

	vm = (struct rest_vm){ 0 };
	body = json(CH_INFO);
	assert_int_equal(rest_cloud_hypervisor.read_info(body, &vm), 0);
	assert_int_equal(rest_cloud_hypervisor.read_actual(body, &vm), 0);
	assert_int_equal(vm.ram, 4 * GiB);
	assert_int_equal(vm.balloon, 2 << 20);
	json_object_del(json_object_get(body, "config"), "balloon");
	assert_int_equal(rest_cloud_hypervisor.read_info(body, &vm), -ENODEV);
	json_decref(body);
}

/* An answer without what the document requires, or of another type, is none; vm stays as it was. */
static void test_answers_that_are_none(void **state)
{
	static const char *const others[] = { "\"1\"", "-1", "1.5",  "null",
					      "[]",    "{}", "true", "18446744073709551616" };
	static const struct {
		const struct rest_ops *ops;
		bool info;
		const char *before, *after; /* the value */
	} cases[] = {
		{ &rest_firecracker, true, "{\"vcpu_count\":1,\"mem_size_mib\":", "}" },
		{ &rest_firecracker, false, "{\"target_mib\":1,\"actual_mib\":", "}" },
		{ &rest_cloud_hypervisor, true, "{\"config\":{\"memory\":{\"size\":", "}}}" },
		{ &rest_cloud_hypervisor, false,
		  "{\"config\":{\"memory\":{\"size\":4096},\"balloon\":{\"size\":0}},"
		  "\"memory_actual_size\":",
		  "}" },
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(others); k++) {
			struct rest_vm vm = { .balloon = 77 };
			json_t *body;
			int r;

			snprintf(text, sizeof(text), "%s%s%s", cases[i].before, others[k],
				 cases[i].after);
			body = json_loads(text, 0, NULL); /* a number too large is no JSON to it */
			r = cases[i].info ? cases[i].ops->read_info(body, &vm)
					  : cases[i].ops->read_actual(body, &vm);
			if (r != -EPROTO || vm.balloon != 77)
				fail_msg("%s: %d", text, r);
			json_decref(body);
		}
		assert_int_equal(cases[i].ops->read_info(NULL, &(struct rest_vm){ 0 }), -EPROTO);
		assert_int_equal(cases[i].ops->read_actual(NULL, &(struct rest_vm){ 0 }), -EPROTO);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const struct rest_ops *ops;
		int status;
		const char *body, *says;
	} cases[] = {
		{ &rest_firecracker, 400, "{\"fault_message\":\"Device not found\"}",
		  "HTTP 400: Device not found" },
		{ &rest_firecracker, 413, "{\"fault_message\":\"\\u001b[2Jx\"}", "HTTP 413: " },
		{ &rest_firecracker, 503, "{\"error\":\"Too many open connections\"}",
		  "HTTP 503: no reason given" },
		{ &rest_firecracker, 500, NULL, "HTTP 500: no reason given" },
		{ &rest_firecracker, 400, "{\"fault_message\":7}", "HTTP 400: no reason given" },
		{ &rest_cloud_hypervisor, 500, "[\"Error from API\",\"Missing virtio-balloon\"]",
		  "HTTP 500: Missing virtio-balloon" },
		{ &rest_cloud_hypervisor, 500, NULL, "balloon" },
		{ &rest_cloud_hypervisor, 404, NULL, "not created" },
		{ &rest_cloud_hypervisor, 429, "[]", "removal of CPUs" },
		{ &rest_cloud_hypervisor, 429, "{}", "removal of CPUs" },
	};
	char why[BACKEND_WHY_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *body = cases[i].body ? json(cases[i].body) : NULL;

		cases[i].ops->read_error(cases[i].status, body, why, sizeof(why));
		if (!strstr(why, cases[i].says) || strchr(why, '\033'))
			fail_msg("%d %s: %s", cases[i].status, cases[i].body, why);
		json_decref(body);
	}
}

/* --- `ebb-broker check` of such a server --------------------------------------------------- */

/* It waits for its answers, so the server has a thread of its own. */
static struct {
	char dir[64], path[96];
	uv_loop_t loop;
	uv_async_t end;
	uv_thread_t thread;
	struct fake_vmm vmm;
} s;

static void on_end(uv_async_t *async)
{
	fake_vmm_close(&s.vmm);
	uv_close((uv_handle_t *)&s.end, NULL);
}

static void serve(void *arg)
{
	uv_run(&s.loop, UV_RUN_DEFAULT);
}

/* What check says of the VMM that s.vmm is, as JSON: a new reference. */
static json_t *checked(int expected)
{
	struct broker_config c = { 0 };
	struct vm_config vm = { .kind = s.vmm.kind, .name = "vm", .channel = "/run/channel" };
	char text[8192] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");
	int r;

	broker_config_defaults(&c);
	snprintf(c.socket, sizeof(c.socket), "%s/status", s.dir);
	strcpy(vm.vmm, s.path);
	assert_int_equal(broker_config_add(&c, &vm), 0);
	assert_int_equal(uv_loop_init(&s.loop), 0);
	assert_int_equal(fake_vmm_open(&s.vmm, &s.loop, s.path, 4 * GiB), 0);
	assert_int_equal(uv_async_init(&s.loop, &s.end, on_end), 0);
	assert_int_equal(uv_thread_create(&s.thread, serve, NULL), 0);
	r = check_run(&c, true, out);
	uv_async_send(&s.end);
	uv_thread_join(&s.thread);
	assert_int_equal(uv_loop_close(&s.loop), 0);
	fclose(out);
	broker_config_free(&c);
	if (r != expected)
		fail_msg("exit %d where %d is right: %s", r, expected, text);
	assert_string_equal(s.vmm.bad_text, "");
	return json(text);
}

static const char *level_of(const json_t *all, const char *setting)
{
	const json_t *finding;
	size_t i;

	json_array_foreach (json_object_get(json_array_get(all, 0), "findings"), i, finding)
		if (!strcmp(json_string_value(json_object_get(finding, "setting")), setting))
			return json_string_value(json_object_get(finding, "level"));
	return "none";
}

static void as(enum vmm_kind kind)
{
	memset(&s.vmm, 0, sizeof(s.vmm));
	s.vmm.kind = kind;
}

static void test_check(void **state)
{
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		json_t *all;

		as(kinds[k]);
		all = checked(EBB_EXIT_OK);
		assert_string_equal(level_of(all, "balloon"), "good");
		assert_string_equal(level_of(all, "free-page-reporting"), "good");
		json_decref(all);

		as(kinds[k]);
		s.vmm.no_reporting = true;
		all = checked(EBB_EXIT_FAILED);
		assert_string_equal(level_of(all, "free-page-reporting"), "wrong");
		json_decref(all);

		as(kinds[k]);
		s.vmm.no_balloon = true;
		all = checked(EBB_EXIT_FAILED);
		assert_string_equal(level_of(all, "balloon"), "wrong");
		json_decref(all);
	}
}

static volatile sig_atomic_t nr_alarms;

static void on_alarm(int signal)
{
	nr_alarms++;
}

/* A signal, or an io_uring of the process, may end a call that waits: it waits on. */
static void test_check_is_interrupted(void **state)
{
	const struct sigaction alarm = { .sa_handler = on_alarm };
	const struct itimerval often = { { 0, 50 }, { 0, 50 } }, off = { 0 };

	assert_int_equal(sigaction(SIGALRM, &alarm, NULL), 0);
	nr_alarms = 0;
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (size_t i = 0; i < 20; i++) {
		as(kinds[i % ARRAY_SIZE(kinds)]);
		json_decref(checked(EBB_EXIT_OK));
	}
	assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
	assert_true(nr_alarms > 20);
}

static void test_check_before_there_is_a_vm(void **state)
{
	json_t *all;

	as(VMM_CLOUD_HYPERVISOR);
	s.vmm.not_booted = true;
	all = checked(EBB_EXIT_FAILED);
	assert_string_equal(level_of(all, "vmm"), "unknown");
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_answers_of_the_table),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_the_remedy),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_answers_that_are_none),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_is_interrupted),
		cmocka_unit_test(test_check_before_there_is_a_vm),
	};

	strcpy(s.dir, "/tmp/ebb-rest-XXXXXX");
	if (scratch_make(s.dir))
		return 1;
	snprintf(s.path, sizeof(s.path), "%s/api", s.dir);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
