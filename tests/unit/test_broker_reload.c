// SPDX-License-Identifier: GPL-2.0-only
/* VMs that come and go while the broker runs: a watched folder, and a configuration read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../broker/fake_host.h"
#include "lib/cleanup.h"

static struct fake_host h;
static char config_path[128];

static int start(void **state)
{
	char path[128];

	if (fake_host_setup(&h))
		return -1;
	snprintf(path, sizeof(path), "%s/watch", h.dir);
	snprintf(config_path, sizeof(config_path), "%s/broker.conf", h.dir);
	strcpy(h.broker.config.watch, path);
	return mkdir(path, 0700);
}

static int finish(void **state)
{
	fake_host_teardown(&h);
	return 0;
}

/* A VMM and a guest that nobody has told the broker of. */
static void exists(int i)
{
	h.vmm[i].kind = VMM_QMP;
	assert_int_equal(fake_vmm_open(&h.vmm[i], &h.loop, fake_host_path(&h, "vmm", i), 4 * GiB),
			 0);
	assert_int_equal(fake_guest_open(&h.guest[i], &h.loop, fake_host_path(&h, "channel", i)),
			 0);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* What says where VM i is; more are further lines. */
static void vm_lines(char *text, size_t size, int i, const char *more)
{
	snprintf(text, size, "vmm = qmp:%s\nchannel = %s\nshrink = 4G\n%s\n",
		 fake_host_path(&h, "vmm", i), fake_host_path(&h, "channel", i), more);
}

static const char *in_folder(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", h.broker.config.watch, name);
	return path;
}

static void put_file(const char *name, int i, const char *more)
{
	char text[512];

	vm_lines(text, sizeof(text), i, more);
	write_text(in_folder(name), text);
}

static struct vm *find(const char *name)
{
	return broker_find(&h.broker, name);
}

static void run(void)
{
	/* As main() does it. */
	h.broker.given = h.broker.config;
	h.broker.given.vms = NULL;
	h.broker.given.nr_vms = h.broker.given.max_vms = 0;
	for (size_t i = 0; i < h.broker.config.nr_vms; i++)
		assert_int_equal(broker_config_add(&h.broker.given, &h.broker.config.vms[i]), 0);
	fake_host_run(&h);
}

static void leased(int i, uint64_t size)
{
	assert_true(fake_host_lease(&h, i, size, 60000));
	assert_true(until(&h, 5000, h.vmm[i].size == size));
}

/* --- the folder ---------------------------------------------------------------------- */

static void test_a_file_is_a_vm(void **state)
{
	exists(0);
	exists(1);
	put_file("early.vm", 0, "min = 512M");
	run();
	assert_true(until(&h, 5000, find("early") && find("early")->target == 4 * GiB));
	assert_null(find("late"));
	put_file("late.vm", 1, "min = 512M");
	assert_true(until(&h, 5000, find("late") && find("late")->target == 4 * GiB));
	leased(1, GiB);
	leased(0, 2 * GiB);
	/* Gone: the full size first, and then it is nobody's; the other has not noticed. */
	assert_int_equal(unlink(in_folder("late.vm")), 0);
	assert_true(until(&h, 5000, !find("late")));
	assert_int_equal(h.vmm[1].size, 4 * GiB);
	assert_int_equal(h.vmm[0].size, 2 * GiB);
	assert_true(find("early")->lease.held);
}

static void test_only_such_files(void **state)
{
	exists(0);
	put_file("a.vm.new", 0, "");
	put_file(".hidden.vm", 0, "");
	put_file("a.conf", 0, "");
	put_file("a b.vm", 0, ""); /* no name that a VM may have */
	run();
	pass(&h, 300);
	assert_int_equal(h.broker.nr_vms, 0);
}

/* Other limits for the same VM are the guest's at once, and the lease holds. */
static void test_a_file_that_changes(void **state)
{
	unsigned int welcomes;

	exists(0);
	put_file("a.vm", 0, "min = 512M");
	run();
	assert_true(until(&h, 5000, find("a") && find("a")->target));
	leased(0, GiB);
	welcomes = h.guest[0].welcomes;
	put_file("a.vm", 0, "min = 2G\nmax = 3G");
	assert_true(until(&h, 5000, h.guest[0].welcomes > welcomes));
	assert_int_equal(h.guest[0].welcome.min, 2 * GiB);
	assert_int_equal(h.guest[0].welcome.max, 3 * GiB);
	assert_true(until(&h, 5000, h.vmm[0].size == 2 * GiB));
	assert_true(find("a")->lease.held);
}

/* One that is wrong is as it was, and so are the others, until it is right again. */
static void test_a_file_that_is_wrong(void **state)
{
	exists(0);
	exists(1);
	put_file("a.vm", 0, "min = 512M");
	put_file("b.vm", 1, "min = 512M");
	run();
	assert_true(until(&h, 5000, find("a") && find("a")->target && find("b")->target));
	leased(0, GiB);
	leased(1, GiB);
	put_file("a.vm", 0, "min = lots");
	write_text(in_folder("c.vm"), "[vm \"c\"]\nvmm = qmp:/run/c\n");
	pass(&h, 600);
	assert_null(find("c"));
	assert_int_equal(find("a")->limits.min, 512 * MiB);
	assert_true(find("a")->lease.held && find("b")->lease.held);
	assert_int_equal(h.vmm[0].size, GiB);
	put_file("a.vm", 0, "min = 1536M");
	assert_true(until(&h, 5000, h.vmm[0].size == 1536 * MiB));
}

/* Another VMM under the same name: the old one has its full size back before the new one is asked.
 */
static void test_a_file_that_becomes_another_vm(void **state)
{
	exists(0);
	exists(1);
	put_file("a.vm", 0, "min = 512M");
	run();
	assert_true(until(&h, 5000, find("a") && find("a")->target));
	leased(0, GiB);
	put_file("a.vm", 1, "min = 512M");
	assert_true(until(&h, 5000, h.vmm[0].size == 4 * GiB));
	assert_true(until(&h, 5000,
			  find("a") && !find("a")->releasing &&
				  !strcmp(find("a")->config.vmm, fake_host_path(&h, "vmm", 1))));
	leased(1, 2 * GiB);
	assert_int_equal(h.vmm[0].size, 4 * GiB);
}

/* --- the configuration, read again --------------------------------------------------- */

static void configure(const char *head, int i, const char *more)
{
	char text[1024], lines[512];

	vm_lines(lines, sizeof(lines), i, more);
	snprintf(text, sizeof(text), "%s[vm \"filed\"]\n%s", head, lines);
	write_text(config_path, text);
}

/* VM 0 is of the command line, VM 1 of the file, VM 2 of the folder. */
static void run_three(void)
{
	struct conf_error err;

	fake_host_vm(&h, 0, VMM_QMP, 4 * GiB, 512 * MiB, 0);
	exists(1);
	exists(2);
	put_file("folder.vm", 2, "min = 512M");
	configure("", 1, "min = 512M");
	h.broker.config_path = config_path;
	h.broker.given = h.broker.config;
	h.broker.given.vms = NULL;
	h.broker.given.nr_vms = h.broker.given.max_vms = 0;
	assert_int_equal(broker_config_add(&h.broker.given, &h.broker.config.vms[0]), 0);
	assert_int_equal(broker_config_load(config_path, &h.broker.config, &err), 0);
	fake_host_run(&h);
	assert_true(until(&h, 5000,
			  find("vm0")->target && find("filed")->target && find("folder")->target));
	for (int i = 0; i < 3; i++)
		leased(i, GiB);
}

static void all_hold(void)
{
	static const char *const names[] = { "vm0", "filed", "folder" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_non_null(find(names[i]));
		assert_true(find(names[i])->lease.held);
		assert_int_equal(h.vmm[i].size, GiB);
	}
}

static void test_nothing_changed(void **state)
{
	unsigned int sets;

	run_three();
	sets = h.vmm[0].sets + h.vmm[1].sets + h.vmm[2].sets;
	broker_reload(&h.broker);
	pass(&h, 500);
	all_hold();
	assert_int_equal(h.vmm[0].sets + h.vmm[1].sets + h.vmm[2].sets, sets);
}

static void test_limits_that_changed(void **state)
{
	run_three();
	configure("[broker]\nreserve = 3G\n", 1, "min = 1536M");
	broker_reload(&h.broker);
	assert_true(until(&h, 5000, h.vmm[1].size == 1536 * MiB));
	assert_int_equal(h.broker.config.reserve, 3 * GiB);
	assert_int_equal(h.vmm[0].size, GiB);
	assert_int_equal(h.vmm[2].size, GiB);
}

/* --budget was given: whatever the file has, now or later. */
static void test_options_hold(void **state)
{
	char why[CONF_ERROR_MAX];

	assert_int_equal(broker_config_set(&h.broker.config, "budget", "20G", why), 0);
	run_three();
	configure("[broker]\nreserve = 3G\nbudget = 1G\n", 1, "min = 512M");
	broker_reload(&h.broker);
	pass(&h, 500);
	all_hold();
	assert_int_equal(h.broker.config.reserve, 3 * GiB);
	assert_int_equal(h.broker.config.budget, 20 * GiB);
}

static void test_a_configuration_that_is_wrong(void **state)
{
	run_three();
	configure("[broker]\nreserve = 3G\nnonsense = 1\n", 1, "min = 1536M");
	broker_reload(&h.broker);
	pass(&h, 500);
	all_hold();
	assert_int_equal(h.broker.config.reserve, 0);
	assert_int_equal(unlink(config_path), 0);
	broker_reload(&h.broker);
	pass(&h, 500);
	all_hold();
}

static void test_a_vm_that_was_taken_out(void **state)
{
	run_three();
	write_text(config_path, "[broker]\nbudget = 6G\n");
	broker_reload(&h.broker);
	assert_true(until(&h, 5000, !find("filed")));
	assert_int_equal(h.vmm[1].size, 4 * GiB);
	/* What the command line and the folder have is not the file's. */
	assert_non_null(find("vm0"));
	assert_non_null(find("folder"));
	/* And it may come back. */
	configure("", 1, "min = 512M");
	broker_reload(&h.broker);
	assert_true(until(&h, 5000, find("filed") && find("filed")->target && h.guest[1].up));
	h.guest[1].welcomes = 0; /* a new connection: it says hello again */
	leased(1, GiB);
}

/* A stop that is under way is not undone by a SIGHUP: no VM comes back, and it ends. */
static void on_stopped(struct broker *b)
{
	h.stopped = true;
}

static void test_reloaded_while_stopping(void **state)
{
	run_three();
	h.vmm[0].hang = true; /* so that the stop takes its time */
	broker_stop(&h.broker, on_stopped);
	assert_true(until(&h, 2000, !find("filed") && !find("folder")));
	broker_reload(&h.broker);
	pass(&h, 500);
	assert_int_equal(h.broker.nr_vms, 1);
	assert_true(until(&h, BROKER_STOP_MS + 4000, h.stopped));
	pass(&h, 20);
	h.running = false;
	memset(&h.broker, 0, sizeof(h.broker));
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, start, finish)
	const struct CMUnitTest tests[] = {
		test(test_a_file_is_a_vm),
		test(test_only_such_files),
		test(test_a_file_that_changes),
		test(test_a_file_that_is_wrong),
		test(test_a_file_that_becomes_another_vm),
		test(test_nothing_changed),
		test(test_limits_that_changed),
		test(test_options_hold),
		test(test_a_configuration_that_is_wrong),
		test(test_a_vm_that_was_taken_out),
		test(test_reloaded_while_stopping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
