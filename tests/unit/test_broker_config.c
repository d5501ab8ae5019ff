// SPDX-License-Identifier: GPL-2.0-only
/* What the broker is told: --vm, its file, a VM's own file; and what is said of a wrong one. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "broker/config.h"
#include "lib/cleanup.h"
#include "scratch.h"

#define MiB (1ull << 20)
#define GiB (1ull << 30)

static char dir[] = "/tmp/ebb-broker-config-XXXXXX";

static const char *file_of(const char *name, const char *text)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

/* --- --vm ------------------------------------------------------------------------------- */

static void test_a_vm(void **state)
{
	char why[CONF_ERROR_MAX];
	struct vm_config vm;

	assert_int_equal(broker_vm_parse("name=web,vmm=qmp:/run/q,channel=/run/c,min=512M,max=4G,"
					 "shrink=1G,shares=200",
					 &vm, why),
			 0);
	assert_string_equal(vm.name, "web");
	assert_int_equal(vm.kind, VMM_QMP);
	assert_string_equal(vm.vmm, "/run/q");
	assert_string_equal(vm.channel, "/run/c");
	assert_int_equal(vm.mode, CHANNEL_MODE_AUTO);
	assert_int_equal(vm.min, 512 * MiB);
	assert_int_equal(vm.max, 4 * GiB);
	assert_int_equal(vm.shrink, GiB);
	assert_int_equal(vm.shares, 200);
	assert_int_equal(
		broker_vm_parse("name=a,vmm=cloud-hypervisor:/a,channel=connect:/v", &vm, why), 0);
	assert_int_equal(vm.kind, VMM_CLOUD_HYPERVISOR);
	assert_int_equal(vm.mode, CHANNEL_MODE_CONNECT);
	assert_int_equal(broker_vm_parse("name=a,vmm=firecracker:/a", &vm, why), 0);
	assert_string_equal(vm.channel, ""); /* it keeps its full size, and says so */
	assert_int_equal(vm.min, 0);
}

static void test_vms_that_are_none(void **state)
{
	static const struct {
		const char *spec, *says;
	} cases[] = {
		{ "", "expected KEY=VALUE" },
		{ "vmm=qmp:/q", "name is missing" },
		{ "name=a", "vmm is missing" },
		{ "name=a,vmm=/q", "expected qmp:SOCKET" },
		{ "name=a,vmm=xen:/q", "expected qmp:SOCKET" },
		{ "name=a,vmm=qmp:q", "from /" },
		{ "name=a,vmm=qmp:/q,channel=c", "from /" },
		{ "name=a,vmm=qmp:/q,min=1", "expected a size" },
		{ "name=a,vmm=qmp:/q,min=-1", "expected a size" },
		{ "name=a,vmm=qmp:/q,min=4G,max=1G", "min is above max" },
		{ "name=a,vmm=qmp:/q,max=9999999999999G", "expected a size" },
		{ "name=a,vmm=qmp:/q,shares=0", "expected a number" },
		{ "name=a,vmm=qmp:/q,shares=1x", "expected a number" },
		{ "name=a,name=b,vmm=qmp:/q", "given twice" },
		{ "name=../a,vmm=qmp:/q", "expected 1 to 63 letters" },
		{ "name=a b,vmm=qmp:/q", "expected 1 to 63 letters" },
		{ "name=,vmm=qmp:/q", "expected 1 to 63 letters" },
		{ "name=a,vmm=qmp:/q,nonsense=1", "one of name, vmm" },
		{ "name=a,vmm=qmp:/q,min", "expected KEY=VALUE" },
		{ "name=a,vmm=qmp:/q,\033[2J=1", "expected KEY=VALUE" },
	};
	char why[CONF_ERROR_MAX], spec[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vm_config vm = { .name = "untouched" };

		if (broker_vm_parse(cases[i].spec, &vm, why) != -EINVAL ||
		    !strstr(why, cases[i].says) || strchr(why, '\033'))
			fail_msg("%s: %s", cases[i].spec, why);
		assert_string_equal(vm.name, "untouched");
	}
	/* A path that does not fit a socket's address is no path that is cut short. */
	snprintf(spec, sizeof(spec), "name=a,vmm=qmp:/%0150d", 0);
	assert_int_equal(broker_vm_parse(spec, &(struct vm_config){ 0 }, why), -EINVAL);
	assert_non_null(strstr(why, "at most"));
}

/* --- the file ----------------------------------------------------------------------------- */

static void test_a_file(void **state)
{
	static const char text[] = "\xef\xbb\xbf; what this host has\r\n"
				   "[broker]\n"
				   "  reserve = 2G\n"
				   "budget=12G\n"
				   "listen = [::1]:9466\n"
				   "watch = /etc/ebb/vms\n"
				   "[vm \"a\"] # the first\n"
				   "vmm = qmp:/run/a/qmp\n"
				   "channel = unix:/run/a/channel\n"
				   "min = 1G\n"
				   "[vm \"b\"]\n"
				   "vmm = firecracker:/run/b/api\n"
				   "channel = /run/b/vsock\n";
	struct broker_config c;
	struct conf_error err;

	broker_config_defaults(&c);
	assert_string_equal(c.socket, BROKER_SOCKET_PATH);
	assert_int_equal(broker_config_parse("f", text, sizeof(text) - 1, &c, &err), 0);
	assert_int_equal(c.reserve, 2 * GiB);
	assert_int_equal(c.budget, 12 * GiB);
	assert_string_equal(c.listen, "[::1]:9466");
	assert_string_equal(c.watch, "/etc/ebb/vms");
	assert_int_equal(c.nr_vms, 2);
	assert_string_equal(c.vms[0].name, "a");
	assert_int_equal(c.vms[0].mode, CHANNEL_MODE_UNIX);
	assert_int_equal(c.vms[0].min, GiB);
	assert_string_equal(c.vms[1].name, "b");
	assert_int_equal(c.vms[1].min, 0);
	broker_config_free(&c);
}

/* The line that is wrong is named, and what was there stays. */
static void test_files_that_are_wrong(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *says;
	} cases[] = {
		{ "reserve = 1G\n", 1, "before any section" },
		{ "[broker]\nreserve = lots\n", 2, "expected a size" },
		{ "[broker]\nreserve = 1G\nreserve = 1G\n", 3, "given twice" },
		{ "[broker]\n\nnonsense = 1\n", 3, "expected one of socket" },
		{ "[broker]\nlisten = localhost:1\n", 2, "ADDRESS:PORT" },
		{ "[broker]\nlisten = 127.0.0.1:0\n", 2, "ADDRESS:PORT" },
		{ "[broker]\nlisten = 127.0.0.1:65536\n", 2, "ADDRESS:PORT" },
		{ "[broker]\nwatch = etc\n", 2, "from /" },
		{ "[nonsense]\n", 1, "expected [broker] or" },
		{ "[vm a]\n", 1, "expected [vm \"NAME\"]" },
		{ "[vm \"\"]\n", 1, "expected a name" },
		{ "[vm \"a/b\"]\n", 1, "expected a name" },
		{ "[vm \"a\"]\nmin = 1G\n", 1, "vmm is missing" },
		{ "[vm \"a\"]\nvmm = qmp:/q\nmin = 2G\nmax = 1G\n", 1, "min is above max" },
		{ "[vm \"a\"]\nname = b\n", 2, "unknown key 'name'" },
		{ "[vm \"a\"]\nvmm = qmp:/q\n[vm \"a\"]\nvmm = qmp:/r\n", 3, "there is a VM a" },
		{ "[vm \"known\"]\nvmm = qmp:/q\n", 1, "there is a VM known" },
		{ "[broker]\nreserve\n", 2, "expected KEY = VALUE" },
		{ "[broker]\nreserve = \001\n", 2, "byte 0x01" },
	};
	struct broker_config c;
	struct conf_error err;

	broker_config_defaults(&c);
	c.budget = 7 * GiB;
	assert_int_equal(broker_config_add(&c, &(struct vm_config){ .name = "known" }), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = broker_config_parse("f", cases[i].text, strlen(cases[i].text), &c, &err);

		if (r != -EINVAL || err.line != cases[i].line ||
		    !strstr(err.message, cases[i].says))
			fail_msg("%s: %d, line %u: %s", cases[i].text, r, err.line, err.message);
		assert_int_equal(c.nr_vms, 1);
		assert_int_equal(c.reserve, 0);
		assert_int_equal(c.budget, 7 * GiB);
	}
	broker_config_free(&c);
}

/* What an option said, the file does not change; it is looked at all the same. */
static void test_options_over_the_file(void **state)
{
	static const char text[] = "[broker]\nsocket = /run/file\nbudget = 12G\nreserve = 2G\n";
	static const char wrong[] = "[broker]\nbudget = lots\n";
	struct broker_config c;
	struct conf_error err;
	char why[CONF_ERROR_MAX];

	broker_config_defaults(&c);
	assert_int_equal(broker_config_set(&c, "socket", "/run/option", why), 0);
	assert_int_equal(broker_config_set(&c, "budget", "7G", why), 0);
	assert_int_equal(broker_config_set(&c, "budget", "8G", why), 0); /* the last one holds */
	assert_int_equal(broker_config_parse("f", text, sizeof(text) - 1, &c, &err), 0);
	assert_string_equal(c.socket, "/run/option");
	assert_int_equal(c.budget, 8 * GiB);
	assert_int_equal(c.reserve, 2 * GiB);
	assert_int_equal(broker_config_parse("f", wrong, sizeof(wrong) - 1, &c, &err), -EINVAL);
	assert_int_equal(err.line, 2);
	broker_config_free(&c);
}

static void test_files_that_are_none(void **state)
{
	struct broker_config c;
	struct conf_error err;
	char path[128];

	broker_config_defaults(&c);
	snprintf(path, sizeof(path), "%s/none", dir);
	assert_int_equal(broker_config_load(path, &c, &err), -ENOENT);
	assert_int_equal(broker_config_load(dir, &c, &err), -EINVAL);
	assert_non_null(strstr(err.message, "text file"));
	/* Nobody writes to it: it must not be waited for. */
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(broker_config_load(path, &c, &err), -EINVAL);
	assert_int_equal(broker_config_load("/dev/null", &c, &err), 0);
	assert_int_equal(c.nr_vms, 0);
	broker_config_free(&c);
}

/* --- a VM's own file ------------------------------------------------------------------------ */

static void test_a_vms_own_file(void **state)
{
	struct conf_error err;
	struct vm_config vm;

	assert_int_equal(broker_vm_load(file_of("web-1.vm", "vmm = qmp:/q\nmin = 1G\n"), &vm, &err),
			 0);
	assert_string_equal(vm.name, "web-1");
	assert_int_equal(vm.min, GiB);
	assert_int_equal(broker_vm_load(file_of("a.vm", "[vm \"a\"]\nvmm = qmp:/q\n"), &vm, &err),
			 -EINVAL);
	assert_int_equal(err.line, 1);
	assert_int_equal(broker_vm_load(file_of("a.vm", "name = b\nvmm = qmp:/q\n"), &vm, &err),
			 -EINVAL);
	assert_int_equal(broker_vm_load(file_of("a.vm", ""), &vm, &err), -EINVAL);
	assert_non_null(strstr(err.message, "vmm is missing"));
	assert_int_equal(broker_vm_load(file_of("a,b.vm", "vmm = qmp:/q\n"), &vm, &err), -EINVAL);
	assert_non_null(strstr(err.message, "the file's name"));
	assert_string_equal(vm.name, "web-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_vm),
		cmocka_unit_test(test_vms_that_are_none),
		cmocka_unit_test(test_a_file),
		cmocka_unit_test(test_files_that_are_wrong),
		cmocka_unit_test(test_options_over_the_file),
		cmocka_unit_test(test_files_that_are_none),
		cmocka_unit_test(test_a_vms_own_file),
	};

	if (scratch_make(dir))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
