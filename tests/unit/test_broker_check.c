// SPDX-License-Identifier: GPL-2.0-only
/* `ebb-broker check`: the rules, and a real QEMU with settings that are right and wrong. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../broker/fake_host.h"
#include "broker/check.h"
#include "broker/cli.h"
#include "lib/cleanup.h"
#include "scratch.h"
#include "skip.h"

#define QEMU "qemu-system-x86_64"
#define BALLOON "virtio-balloon-pci,free-page-reporting=on,deflate-on-oom=on"

static char dir[] = "/tmp/ebb-check-XXXXXX", socket_path[64];
static struct findings f;

static int start(void **state)
{
	f.n = 0;
	return 0;
}

static const struct finding *find(const char *setting)
{
	for (size_t i = 0; i < f.n; i++)
		if (!strcmp(f.all[i].setting, setting))
			return &f.all[i];
	return NULL;
}

#define is(setting, wanted)                                                                        \
	do {                                                                                       \
		const struct finding *found_ = find(setting);                                      \
		assert_non_null(found_);                                                           \
		if (found_->level != (wanted))                                                     \
			print_error("%s: %s\n", setting, found_->text);                            \
		assert_string_equal(finding_level_name(found_->level),                             \
				    finding_level_name(wanted));                                   \
	} while (0)

static bool says(const char *setting, const char *text)
{
	const struct finding *found = find(setting);

	return found && strstr(found->text, text);
}

/* --- a real QEMU: it stands still at its first instruction ---------------------------- */

static pid_t qemu;

static int stop_qemu(void **state)
{
	if (qemu > 0) {
		kill(qemu, SIGKILL);
		waitpid(qemu, NULL, 0);
	}
	qemu = 0;
	unlink(socket_path);
	return 0;
}

static bool answers(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(to.sun_path, socket_path);
	return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* The words of args, up to NULL, after those that all have. */
static void start_qemu(const char *const args[])
{
	struct timespec pause = { .tv_nsec = 20000000 };
	char qmp[128];
	const char *argv[32] = { QEMU,       "-S",   "-nodefaults", "-no-user-config",
				 "-display", "none", "-accel",      "tcg,tb-size=16",
				 "-m",       "64M",  "-qmp",        qmp };
	size_t n = 12;

	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", socket_path);
	for (; *args && n < ARRAY_SIZE(argv) - 1; args++)
		argv[n++] = *args;
	qemu = fork();
	if (qemu == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(QEMU, (char *const *)argv);
		_exit(127);
	}
	/* There is a moment between bind() and listen(). */
	for (int i = 0; i < 500 && !answers(); i++) {
		int status;

		if (waitpid(qemu, &status, WNOHANG) == qemu) {
			qemu = 0;
			if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
				skip_because("%s is not installed", QEMU);
			fail_msg("QEMU did not start");
		}
		nanosleep(&pause, NULL);
	}
}

static int run_check(const char *channel, const char *broker, FILE *out)
{
	struct vm_config vm = { .name = "vm", .kind = VMM_QMP };
	struct broker_config c = { .nr_vms = 1, .vms = &vm };

	strcpy(c.socket, broker);
	strcpy(vm.vmm, socket_path);
	strcpy(vm.channel, channel);
	return check_run(&c, true, out);
}

static void read_findings(const char *text)
{
	static char settings[FINDINGS_MAX][32];
	json_t *all = json_loads(text, 0, NULL);
	const json_t *list = json_object_get(json_array_get(all, 0), "findings"), *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *name = json_string_value(json_object_get(one, "level"));
		enum finding_level level = FINDING_GOOD;

		snprintf(settings[i], sizeof(settings[i]), "%s",
			 json_string_value(json_object_get(one, "setting")));
		while (strcmp(name, finding_level_name(level)) != 0)
			assert_true(++level <= FINDING_UNKNOWN);
		finding_add(&f, level, settings[i], "%s",
			    json_string_value(json_object_get(one, "text")));
	}
	json_decref(all);
}

/* All of check_run(), as a person has it; the findings are read from its JSON. */
static int check_it(const char *channel)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r = run_check(channel, "/nonexistent/broker", out);

	fclose(out);
	read_findings(text);
	return r;
}

static void test_qemu_as_it_should_be(void **state)
{
	start_qemu((const char *const[]){
		"-device", BALLOON, "-device", "virtio-serial-pci", "-chardev", "null,id=ebb",
		"-device", "virtserialport,chardev=ebb,name=ebb.channel,id=ebb0", NULL });
	assert_int_equal(check_it("/run/vm/channel"), 0);
	is("balloon", FINDING_GOOD);
	is("free-page-reporting", FINDING_GOOD);
	is("deflate-on-oom", FINDING_GOOD);
	is("port", FINDING_GOOD);
	is("prealloc", FINDING_GOOD);
	is("mlock", FINDING_GOOD);
	is("page-size", FINDING_GOOD);
	assert_non_null(find("resident"));
	assert_null(find("channel"));
}

static void test_qemu_with_everything_wrong(void **state)
{
	start_qemu((const char *const[]){ "-device", "virtio-balloon-pci", "-object",
					  "memory-backend-ram,id=m,size=64M,prealloc=on",
					  "-machine", "pc,memory-backend=m", "-device",
					  "virtio-serial-pci", "-chardev", "null,id=ebb", "-device",
					  "virtserialport,chardev=ebb,name=ebb.channel", NULL });
	assert_int_equal(check_it(""), 1);
	is("balloon", FINDING_GOOD);
	is("free-page-reporting", FINDING_WRONG);
	is("deflate-on-oom", FINDING_WRONG);
	is("port", FINDING_WRONG);
	assert_true(says("port", "no id"));
	is("prealloc", FINDING_WRONG);
	is("resident", FINDING_ADVICE); /* all of its RAM, at its first instruction */
	is("channel", FINDING_WRONG);
}

static void test_qemu_without_a_balloon(void **state)
{
	start_qemu((const char *const[]){ "-mem-prealloc", NULL });
	assert_int_equal(check_it("/run/vm/channel"), 1);
	is("balloon", FINDING_WRONG);
	is("port", FINDING_WRONG);
	is("prealloc", FINDING_WRONG);
	assert_null(find("free-page-reporting"));
}

static void test_qemu_with_locked_memory(void **state)
{
	if (geteuid() != 0)
		skip_because("locking memory needs root");
	start_qemu((const char *const[]){ "-overcommit", "mem-lock=on", "-device", BALLOON, NULL });
	assert_int_equal(check_it("/run/vm/channel"), 1);
	is("mlock", FINDING_WRONG);
	is("free-page-reporting", FINDING_GOOD);
	is("prealloc", FINDING_GOOD);
}

/* Nothing is reserved, and nothing touched, so no pool of huge pages is needed. */
static void test_qemu_on_huge_pages(void **state)
{
	if (access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK))
		skip_because("this kernel has no huge pages of 2M");
	start_qemu((const char *const[]){
		"-object",
		"memory-backend-memfd,id=m,size=64M,hugetlb=on,hugetlbsize=2M,reserve=off",
		"-machine", "pc,memory-backend=m", "-device", BALLOON, NULL });
	assert_int_equal(check_it("/run/vm/channel"), 1);
	is("page-size", FINDING_WRONG);
	assert_true(says("page-size", "2.0M"));
	is("mlock", FINDING_GOOD);
}

/* The broker's own connection: QEMU answers one client. */
static void test_qemu_that_is_busy(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char greeting[512];

	start_qemu((const char *const[]){ "-device", BALLOON, NULL });
	strcpy(to.sun_path, socket_path);
	assert_return_code(connect(fd, (struct sockaddr *)&to, sizeof(to)), errno);
	assert_true(read(fd, greeting, sizeof(greeting)) > 0);
	assert_int_equal(check_it("/run/vm/channel"), 1);
	is("vmm", FINDING_UNKNOWN);
	assert_true(says("vmm", "-qmp unix:PATH"));
	/* What its process tells, is told. */
	is("mlock", FINDING_GOOD);
	is("page-size", FINDING_GOOD);
}

/* Where that first client is the broker, it has asked the same questions, and says what it heard.
 */
static void test_qemu_that_the_broker_has(void **state)
{
	struct vm_config vm = { .name = "vm", .kind = VMM_QMP };
	_cleanup_free_ char *text = NULL;
	static struct fake_host h;
	bool ended = false;
	int status = 0;
	size_t len = 0;
	char path[64];
	pid_t pid;
	FILE *out;

	start_qemu((const char *const[]){ "-device", "virtio-balloon-pci,deflate-on-oom=on",
					  "-object", "memory-backend-ram,id=m,size=64M,prealloc=on",
					  "-machine", "pc,memory-backend=m", NULL });
	assert_int_equal(fake_host_setup(&h), 0);
	strcpy(vm.vmm, socket_path);
	assert_int_equal(broker_config_add(&h.broker.config, &vm), 0);
	fake_host_run(&h);
	assert_true(until(&h, 10000, h.broker.vms->settings_known));
	snprintf(path, sizeof(path), "%s/found", dir);
	pid = fork();
	if (pid == 0) {
		out = fopen(path, "we");
		status = out ? run_check("/run/vm/channel", h.broker.config.socket, out) : 99;
		fclose(out);
		_exit(status);
	}
	assert_true(until(&h, 20000, (ended |= waitpid(pid, &status, WNOHANG) == pid)));
	assert_int_equal(WEXITSTATUS(status), 1);
	out = fopen(path, "re");
	assert_true(getdelim(&text, &len, '\0', out) > 0);
	fclose(out);
	read_findings(text);
	is("balloon", FINDING_GOOD);
	is("free-page-reporting", FINDING_WRONG);
	is("deflate-on-oom", FINDING_GOOD);
	is("port", FINDING_WRONG);
	is("prealloc", FINDING_WRONG);
	is("resident", FINDING_ADVICE);
	assert_null(find("vmm"));
	fake_host_teardown(&h);
}

static void test_nobody_there(void **state)
{
	assert_false(answers());
	assert_int_equal(check_it("/run/vm/channel"), 1);
	is("vmm", FINDING_UNKNOWN);
	assert_null(find("process"));
}

/* --- the rules ------------------------------------------------------------------------- */

static void test_a_qemu_that_does_not_answer(void **state)
{
	struct qemu_settings q = {
		.reporting = -1, .deflate_on_oom = -1, .prealloc = -1, .incomplete = true
	};

	check_qemu(&f, &q);
	is("balloon", FINDING_UNKNOWN);
	is("port", FINDING_UNKNOWN);
	is("prealloc", FINDING_UNKNOWN);
}

static json_t *json(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);

	assert_non_null(o);
	return o;
}

static void test_firecracker(void **state)
{
	json_t *balloon = json("{\"amount_mib\":0,\"deflate_on_oom\":true,"
			       "\"stats_polling_interval_s\":1,\"free_page_reporting\":true}");
	json_t *machine = json("{\"vcpu_count\":1,\"mem_size_mib\":2048,\"huge_pages\":\"None\"}");

	check_firecracker(&f, balloon, machine);
	for (size_t i = 0; i < f.n; i++)
		assert_int_equal(f.all[i].level, FINDING_GOOD);
	assert_non_null(find("free-page-reporting"));
	json_decref(balloon);
	json_decref(machine);
	f.n = 0;
	/* As releases before 1.14 have it. */
	balloon =
		json("{\"amount_mib\":0,\"deflate_on_oom\":false,\"stats_polling_interval_s\":0}");
	machine = json("{\"vcpu_count\":1,\"mem_size_mib\":2048,\"huge_pages\":\"2M\"}");
	check_firecracker(&f, balloon, machine);
	is("free-page-reporting", FINDING_WRONG);
	is("deflate-on-oom", FINDING_WRONG);
	is("stats_polling_interval_s", FINDING_ADVICE);
	is("page-size", FINDING_WRONG);
	f.n = 0;
	check_firecracker(&f, NULL, machine);
	is("balloon", FINDING_WRONG);
	json_decref(balloon);
	json_decref(machine);
}

static void test_cloud_hypervisor(void **state)
{
	json_t *info = json("{\"config\":{\"memory\":{\"size\":2147483648,\"prefault\":false,"
			    "\"hugepages\":false},\"balloon\":{\"size\":0,\"deflate_on_oom\":true,"
			    "\"free_page_reporting\":true}}}");

	check_cloud_hypervisor(&f, info);
	for (size_t i = 0; i < f.n; i++)
		assert_int_equal(f.all[i].level, FINDING_GOOD);
	json_decref(info);
	f.n = 0;
	info = json("{\"config\":{\"memory\":{\"size\":0,\"zones\":[{\"id\":\"a\",\"size\":1,"
		    "\"prefault\":true},{\"id\":\"b\",\"size\":1,\"hugepages\":true}]}}}");
	check_cloud_hypervisor(&f, info);
	is("balloon", FINDING_WRONG);
	is("prealloc", FINDING_WRONG);
	is("page-size", FINDING_WRONG);
	json_decref(info);
}

static const char quiet[] = "VmRSS:\t  300000 kB\nVmLck:\t       0 kB\nVmPin:\t       0 kB\n";

static void test_process(void **state)
{
	static const char smaps[] = "Size:            2097152 kB\nKernelPageSize:        4 kB\n"
				    "Rss:              280000 kB\nAnonHugePages:     20480 kB\n"
				    "Size:               1024 kB\nKernelPageSize:     2048 kB\n";

	check_process(&f, quiet, smaps, 2048 * MiB);
	is("mlock", FINDING_GOOD);
	is("page-size", FINDING_GOOD);
	is("resident", FINDING_GOOD);
	assert_true(says("resident", "292M of the 2.0G"));
	f.n = 0;
	check_process(&f, "VmRSS: 2200000 kB\nVmLck: 2100000 kB\nVmPin: 2100000 kB\n", smaps,
		      2048 * MiB);
	is("mlock", FINDING_WRONG);
	is("pinned", FINDING_WRONG);
	is("resident", FINDING_ADVICE);
	f.n = 0;
	check_process(&f, quiet, NULL, 2048 * MiB);
	is("page-size", FINDING_UNKNOWN);
}

static void test_transparent_huge_pages(void **state)
{
	static const char smaps[] = "Size:            2097152 kB\nKernelPageSize:        4 kB\n"
				    "Rss:              280000 kB\nAnonHugePages:    204800 kB\n";

	check_process(&f, quiet, smaps, 2048 * MiB);
	is("page-size", FINDING_ADVICE);
	assert_true(says("page-size", "200M"));
}

int main(void)
{
#define test(t) cmocka_unit_test_setup(t, start)
#define with_qemu(t) cmocka_unit_test_setup_teardown(t, start, stop_qemu)
	const struct CMUnitTest tests[] = {
		with_qemu(test_qemu_as_it_should_be),
		with_qemu(test_qemu_with_everything_wrong),
		with_qemu(test_qemu_without_a_balloon),
		with_qemu(test_qemu_with_locked_memory),
		with_qemu(test_qemu_on_huge_pages),
		with_qemu(test_qemu_that_is_busy),
		with_qemu(test_qemu_that_the_broker_has),
		test(test_nobody_there),
		test(test_a_qemu_that_does_not_answer),
		test(test_firecracker),
		test(test_cloud_hypervisor),
		test(test_process),
		test(test_transparent_huge_pages),
	};

	if (scratch_make(dir))
		return 1;
	snprintf(socket_path, sizeof(socket_path), "%s/qmp", dir);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
