// SPDX-License-Identifier: GPL-2.0-only
/* The doctor on machines that are trees of files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sense/doctor.h"

static char root[] = "/tmp/ebb-doctor-XXXXXX";
static struct doctor_report report;

static void put(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void drop(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "rm -rf '%s%s'", root, path);
	assert_int_equal(system(full), 0);
}

#define MOUNT(at, type, options) "30 20 0:26 / " at " rw,nosuid - " type " x " options "\n"

/* A machine that has everything. */
static int make_machine(void **state)
{
	if (mkdir(root, 0755) < 0 && errno != EEXIST)
		return -1;
	put("/proc/self/mountinfo", "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n" MOUNT(
					    "/sys/fs/cgroup", "cgroup2", "rw,nsdelegate"));
	put("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
	put("/sys/fs/cgroup/cgroup.subtree_control", "cpu memory pids\n");
	put("/sys/fs/cgroup/memory.reclaim", "");
	put("/proc/sys/kernel/osrelease", "6.12.117+deb13-amd64\n");
	put("/sys/kernel/mm/lru_gen/enabled", "0x0007\n");
	put("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	put("/sys/kernel/debug/lru_gen", "");
	put("/sys/kernel/btf/vmlinux", "");
	put("/sys/fs/bpf/x", "");
	put("/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	put("/proc/swaps", "Filename Type Size Used Priority\n"
			   "/dev/zram0 partition 1048576 0 100\n");
	put("/sys/bus/virtio/drivers/virtio_balloon/virtio1/features",
	    "0110010100000000000000000000000010000000000000000000000000000000"
	    "0000000000000000000000000000000000000000000000000000000000000000\n");
	put("/sys/module/page_reporting/parameters/page_reporting_order", "9\n");
	put("/proc/sys/vm/compact_memory", "");
	put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	return 0;
}

static int remove_machine(void **state)
{
	drop("");
	return 0;
}

static const struct doctor_check *probe(const char *what)
{
	memset(&report, 0x5a, sizeof(report));
	assert_int_equal(doctor_probe(&report, root, NULL), 0);
	for (size_t i = 0; i < report.nr_checks; i++)
		if (!strcmp(report.checks[i].what, what))
			return &report.checks[i];
	fail_msg("no check named %s", what);
	return NULL;
}

static void expect(const char *what, enum doctor_state state, const char *detail,
		   const char *remedy)
{
	const struct doctor_check *c = probe(what);

	if (c->state != state || !strstr(c->detail, detail) || !strstr(c->remedy, remedy) ||
	    (!remedy[0] && c->remedy[0]))
		fail_msg("%s: %s, %s, %s", what, doctor_state_name(c->state), c->detail, c->remedy);
}

static void test_everything(void **state)
{
	probe("kernel");
	assert_true(report.able);
	assert_string_equal(report.verdict, "");
	assert_string_equal(report.cgroup_root, "/sys/fs/cgroup");
	for (size_t i = 0; i < report.nr_checks; i++)
		if (report.checks[i].state != DOCTOR_OK || report.checks[i].remedy[0])
			fail_msg("%s: %s", report.checks[i].what, report.checks[i].detail);
	expect("page reporting", DOCTOR_OK, "blocks of 2.0M and larger", "");
	expect("swap", DOCTOR_OK, "/dev/zram0, 1.0G, compressed", "");
}

static void test_v1(void **state)
{
	/* A v1 machine as systemd makes it, with a second v2 mount. */
	put("/proc/self/mountinfo",
	    MOUNT("/sys/fs/cgroup/cpu", "cgroup", "rw,cpu")
		    MOUNT("/sys/fs/cgroup/unified", "cgroup2", "rw")
			    MOUNT("/mnt/with\\040blank", "cgroup2", "rw")
				    MOUNT("/sys/fs/cgroup/memory", "cgroup", "rw,memory"));
	put("/sys/fs/cgroup/unified/cgroup.controllers", "\n");
	expect("cgroup v2 memory", DOCTOR_NO, "v1 hierarchy at /sys/fs/cgroup/memory",
	       "cgroup_no_v1=all");
	assert_false(report.able);
	assert_string_equal(report.cgroup_root, "");
	assert_string_equal(report.memory_root, "/sys/fs/cgroup/memory");
	assert_non_null(strstr(report.verdict, "/sys/fs/cgroup/memory; ebb needs it on v2"));
	assert_non_null(strstr(report.verdict, "systemd.unified_cgroup_hierarchy=1"));
	assert_non_null(strstr(report.verdict, "make demo"));

	/* The hierarchy that has memory is found, whatever it is called and whichever is first. */
	put("/mnt/with blank/cgroup.controllers", "memory\n");
	put("/mnt/with blank/cgroup.subtree_control", "");
	put("/mnt/with blank/memory.reclaim", "");
	expect("cgroup v2 memory", DOCTOR_LESS, "does not pass memory on", "echo +memory");
	assert_true(report.able);
	assert_string_equal(report.cgroup_root, "/mnt/with blank");
}

static void test_no_memory_controller(void **state)
{
	put("/sys/fs/cgroup/cgroup.controllers", "cpu memoryx xmemory\n");
	expect("cgroup v2 memory", DOCTOR_NO, "has no memory controller", "CONFIG_MEMCG");
	put("/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
			     "cpu\t0\t1\t1\nmemory\t0\t1\t0\n");
	expect("cgroup v2 memory", DOCTOR_NO, "switched off", "cgroup_enable=memory");
	assert_false(report.able);
	put("/proc/self/mountinfo", "20 1 8:1 / / rw - ext4 /dev/sda1 rw\nrubbish\n - \n");
	drop("/proc/cgroups");
	expect("cgroup v2 memory", DOCTOR_NO, "no cgroup v2", "mount -t cgroup2");
	drop("/proc/self/mountinfo");
	assert_int_equal(doctor_probe(&report, root, NULL), -ENOENT);
}

static void test_given_root(void **state)
{
	put("/elsewhere/cgroup.controllers", "memory\n");
	put("/elsewhere/cgroup.subtree_control", "memory\n");
	assert_int_equal(doctor_probe(&report, root, "/elsewhere"), 0);
	assert_string_equal(report.cgroup_root, "/elsewhere");
	/* It has memory but no memory.reclaim: an old kernel. */
	assert_false(report.able);
	assert_non_null(
		strstr(report.verdict, "this kernel has no memory.reclaim. A kernel of 5.19"));
}

static void test_less(void **state)
{
	static const struct {
		const char *path;
		const char *text; /* NULL: removed */
		const char *what;
		enum doctor_state state;
		const char *detail;
		const char *remedy;
	} all[] = {
		{ "/proc/sys/kernel/osrelease", "5.15.0\n", "kernel", DOCTOR_LESS,
		  "5.15.0 is older", "6.1" },
		{ "/proc/sys/kernel/osrelease", "x\n", "kernel", DOCTOR_LESS, "cannot be read",
		  "" },
		{ "/sys/kernel/mm/lru_gen/enabled", "0x0000\n", "page ages", DOCTOR_LESS,
		  "switched off", "echo 7" },
		{ "/sys/kernel/mm/lru_gen/enabled", "0x0005\n", "page ages", DOCTOR_LESS,
		  "page tables", "7" },
		{ "/sys/kernel/mm/lru_gen/enabled", NULL, "page ages", DOCTOR_LESS,
		  "no multi-gen LRU", "CONFIG_LRU_GEN" },
		{ "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n", "debugfs",
		  DOCTOR_LESS, "lockdown=integrity", "lockdown=" },
		{ "/sys/kernel/security/lockdown", "rubbish\n", "debugfs", DOCTOR_OK, "mounted",
		  "" },
		{ "/sys/kernel/debug/lru_gen", NULL, "debugfs", DOCTOR_OK, "not mounted", "" },
		{ "/sys/kernel/debug", NULL, "debugfs", DOCTOR_LESS, "no debugfs",
		  "CONFIG_DEBUG_FS" },
		{ "/sys/kernel/btf/vmlinux", NULL, "BPF types", DOCTOR_LESS, "from files",
		  "CONFIG_DEBUG_INFO_BTF" },
		{ "/sys/fs/bpf", NULL, "BPF types", DOCTOR_LESS, "/sys/fs/bpf", "mount -t bpf" },
		{ "/proc/pressure", NULL, "pressure (PSI)", DOCTOR_LESS, "not known", "psi=1" },
		{ "/proc/swaps",
		  "Filename Type Size Used Priority\n/dev/vda2 partition 2048 0 -2\n", "swap",
		  DOCTOR_OK, "/dev/vda2, 2.0M", "zswap" },
		{ "/proc/swaps", "Filename\n", "swap", DOCTOR_LESS, "no zram", "zram module" },
		{ "/proc/swaps", NULL, "swap", DOCTOR_LESS, "cannot swap", "CONFIG_SWAP" },
		{ "/sys/bus/virtio/drivers/virtio_balloon/virtio1/features",
		  "0110000100000000000000000000000010000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000\n",
		  "page reporting", DOCTOR_LESS, "does not report", "free-page-reporting=on" },
		{ "/sys/bus/virtio/drivers/virtio_balloon", NULL, "page reporting", DOCTOR_LESS,
		  "no virtio balloon", "free-page-reporting=on" },
		{ "/proc/sys/vm/compact_memory", NULL, "compaction", DOCTOR_LESS, "scattered",
		  "CONFIG_COMPACTION" },
		{ "/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n",
		  "huge pages", DOCTOR_LESS, "hides beside hot", "echo madvise" },
		{ "/sys/kernel/mm/transparent_hugepage/enabled", NULL, "huge pages", DOCTOR_OK,
		  "none", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		remove_machine(NULL);
		assert_int_equal(make_machine(NULL), 0);
		if (all[i].text)
			put(all[i].path, all[i].text);
		else
			drop(all[i].path);
		expect(all[i].what, all[i].state, all[i].detail, all[i].remedy);
		assert_true(report.able);
	}
}

static void test_zram_module(void **state)
{
	put("/proc/swaps", "Filename\n");
	put("/lib/modules/6.12.117+deb13-amd64/kernel/drivers/block/zram/zram.ko.xz", "");
	expect("swap", DOCTOR_OK, "ebbd sets up zram", "");
	put("/proc/sys/kernel/osrelease", "6.13.0\n");
	expect("swap", DOCTOR_LESS, "no zram", "zram");
	put("/sys/module/zram/x", "");
	expect("swap", DOCTOR_OK, "ebbd sets up zram", "");
}

/* This very machine: whatever it is, the answer is whole. */
static void test_here(void **state)
{
	assert_int_equal(doctor_requirements(&report, NULL), 0);
	assert_int_equal(report.nr_checks, 2);
	assert_true(report.able == (report.verdict[0] == '\0'));
	assert_true(report.able == (report.cgroup_root[0] != '\0'));
	assert_int_equal(doctor_probe(&report, "", NULL), 0);
	for (size_t i = 0; i < report.nr_checks; i++) {
		assert_true(report.checks[i].what[0] && report.checks[i].detail[0]);
		assert_string_not_equal(doctor_state_name(report.checks[i].state), "unknown");
	}
}

#define ON_MACHINE(test) cmocka_unit_test_setup_teardown(test, make_machine, remove_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_MACHINE(test_everything),
		ON_MACHINE(test_v1),
		ON_MACHINE(test_no_memory_controller),
		ON_MACHINE(test_given_root),
		ON_MACHINE(test_less),
		ON_MACHINE(test_zram_module),
		cmocka_unit_test(test_here),
	};

	if (!mkdtemp(root))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
