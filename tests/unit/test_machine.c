// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sense/machine.h"

#define KIB 1024ull

/* A root of its own, with files as the kernel has them. */
struct root {
	char path[64];
	struct machine *m;
};

static void put(const struct root *r, const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", r->path, path);
	for (char *p = full + strlen(r->path) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(!mkdir(full, 0755) || errno == EEXIST);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	struct root *r = calloc(1, sizeof(*r));

	strcpy(r->path, "/tmp/ebb-machine-XXXXXX");
	assert_non_null(mkdtemp(r->path));
	assert_int_equal(machine_open(&r->m, r->path), 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct root *r = *state;
	char command[128];

	machine_close(r->m);
	snprintf(command, sizeof(command), "rm -rf %s", r->path);
	assert_int_equal(system(command), 0);
	free(r);
	return 0;
}

static const char meminfo[] = "MemTotal:        2014948 kB\n"
			      "MemFree:         1496328 kB\n"
			      "MemAvailable:    1684200 kB\n"
			      "Buffers:            4320 kB\n"
			      "SwapCached:            0 kB\n"
			      "SwapTotal:       1048572 kB\n"
			      "SwapFree:         900000 kB\n"
			      "Zswap:               512 kB\n"
			      "Zswapped:           2048 kB\n"
			      "HugePages_Total:       0\n"
			      "Hugepagesize:       2048 kB\n";

static const char swaps[] =
	"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	"/dev/zram0                              partition\t1048572\t\t148572\t\t100\n"
	"/swap\\040file                           file\t\t2097148\t\t0\t\t-2\n"
	"/dev/zram1\\040(deleted)                 partition\t1024\t\t0\t\t-3\n";

static const char buddyinfo[] = "Node 0, zone      DMA      1      0      0      0      0      0   "
				"   0      0      1      1      3 \n"
				"Node 0, zone    DMA32      3      3      2      2      5      5   "
				"   4      3      4      1    752 \n"
				"Node 1, zone   Normal    148    451    235    213     99     60   "
				"  28     13     34     33    172 \n";

static void parses_meminfo(void **state)
{
	struct machine_meminfo m;

	assert_int_equal(machine_parse_meminfo(meminfo, strlen(meminfo), &m), 0);
	assert_int_equal(m.total, 2014948 * KIB);
	assert_int_equal(m.free, 1496328 * KIB);
	assert_int_equal(m.available, 1684200 * KIB);
	assert_int_equal(m.swap_total, 1048572 * KIB);
	assert_int_equal(m.swap_free, 900000 * KIB);
	assert_int_equal(m.zswap, 512 * KIB);
	assert_int_equal(m.zswapped, 2048 * KIB);
	assert_int_equal(m.hugepage, 2048 * KIB);
	m.total = 77;
	assert_int_equal(machine_parse_meminfo("", 0, &m), -EBADMSG);
	assert_int_equal(machine_parse_meminfo("MemTotal: 18446744073709551615 kB", 33, &m),
			 -EBADMSG);
	assert_int_equal(machine_parse_meminfo("MemTotal: -5 kB\n", 16, &m), -EBADMSG);
	assert_int_equal(machine_parse_meminfo("XMemTotal: 5 kB\n", 16, &m), -EBADMSG);
	assert_int_equal(m.total, 77);
}

static void parses_swaps(void **state)
{
	struct machine_swap s[4];

	assert_int_equal(machine_parse_swaps(swaps, strlen(swaps), s, 4), 3);
	assert_string_equal(s[0].name, "/dev/zram0");
	assert_int_equal(s[0].zram, 0);
	assert_int_equal(s[0].size, 1048572 * KIB);
	assert_int_equal(s[0].used, 148572 * KIB);
	assert_int_equal(s[0].priority, 100);
	assert_string_equal(s[1].name, "/swap\\040file");
	assert_int_equal(s[1].zram, -1);
	assert_int_equal(s[1].priority, -2);
	assert_int_equal(s[2].zram, -1); /* of a device that is gone no number is left */
	assert_int_equal(machine_parse_swaps(swaps, strlen(swaps), s, 1), 1);
	assert_int_equal(machine_parse_swaps(swaps, 60, s, 4), 0); /* the heading alone */
	/* A file by that name holds whatever its disk does. */
	assert_int_equal(machine_parse_swaps("/dev/zram7 file 8 0 1", 21, s, 4), 1);
	assert_int_equal(s[0].zram, -1);
	assert_int_equal(machine_parse_swaps("/dev/zram-7 partition 8 0 1", 27, s, 4), 1);
	assert_int_equal(s[0].zram, -1);
}

static void parses_the_rest(void **state)
{
	static const char vmstat[] = "nr_free_pages 374082\nallocstall_dma 1\nallocstall_dma32 2\n"
				     "allocstall_normal 30\nallocstall_movable 400\n"
				     "compact_fail 7\ncompact_success 5\n";
	static const char mm_stat[] =
		" 4096000   123456   131072        0   131072      12        0        0        0\n";
	static const char features[] = "0000010000000000000000000000000010000000";
	struct machine_vmstat v;
	struct machine_zram z;

	assert_int_equal(machine_parse_vmstat(vmstat, strlen(vmstat), &v), 0);
	assert_int_equal(v.alloc_stalls, 433);
	assert_int_equal(v.compact_fails, 7);
	assert_int_equal(machine_parse_vmstat("rubbish", 7, &v), -EBADMSG);

	assert_int_equal(machine_parse_mm_stat(mm_stat, strlen(mm_stat), &z), 0);
	assert_int_equal(z.original, 4096000);
	assert_int_equal(z.compressed, 123456);
	assert_int_equal(z.used, 131072);
	assert_int_equal(machine_parse_mm_stat("1 2\n", 4, &z), -EBADMSG);

	assert_int_equal(machine_parse_buddyinfo(buddyinfo, strlen(buddyinfo), 10, 4096),
			 (3ull + 752 + 172) << 22);
	assert_int_equal(machine_parse_buddyinfo(buddyinfo, strlen(buddyinfo), 9, 4096),
			 ((3ull + 752 + 172) << 22) + ((1ull + 1 + 33) << 21));
	assert_int_equal(machine_parse_buddyinfo(buddyinfo, strlen(buddyinfo), 11, 4096), 0);

	assert_true(machine_parse_feature(features, strlen(features), 5));
	assert_false(machine_parse_feature(features, strlen(features), 4));
	assert_false(machine_parse_feature(features, 5, 5));
}

static void reads_a_machine(void **state)
{
	struct root *r = *state;
	struct ebb_snap_machine s = { .reclaim_swappiness = true, .compact_cpu_us = 5 };

	assert_int_equal(machine_read(r->m, &s), -ENOENT);

	/* With meminfo alone: everything else is 0. */
	put(r, "/proc/meminfo", meminfo);
	assert_int_equal(machine_read(r->m, &s), 0);
	assert_int_equal(s.mem_total, 2014948 * KIB);
	assert_int_equal(s.free_reportable, 0);
	assert_int_equal(s.compressed, 512 * KIB);
	assert_false(s.reporting);
	assert_false(s.swap_is_compressed);
	assert_int_equal(machine_reporting_order(r->m), -1);
	assert_true(s.reclaim_swappiness);
	assert_int_equal(s.compact_cpu_us, 5);

	/* zram appears, and counts beside zswap. */
	put(r, "/proc/buddyinfo", buddyinfo);
	put(r, "/proc/swaps", swaps);
	put(r, "/sys/block/zram0/mm_stat", "4096000 123456 131072 0 0 0 0 0 0\n");
	assert_int_equal(machine_read(r->m, &s), 0);
	assert_int_equal(s.compressed, 512 * KIB + 131072);
	assert_int_equal(s.compressed_original, 2048 * KIB + 4096000);
	assert_true(s.swap_is_compressed);
	/* pageblock_order, from the size of a huge page */
	assert_int_equal(s.free_reportable, ((3ull + 752 + 172) << 22) + ((1ull + 1 + 33) << 21));

	/* zram is full: the next page goes to the file. */
	put(r, "/proc/swaps",
	    "Filename Type Size Used Priority\n/dev/zram0 partition 1000 1000 100\n/swap file 1000 "
	    "0 -2\n");
	assert_int_equal(machine_read(r->m, &s), 0);
	assert_false(s.swap_is_compressed);
	put(r, "/sys/module/zswap/parameters/enabled", "Y\n");
	assert_int_equal(machine_read(r->m, &s), 0);
	assert_true(s.swap_is_compressed);

	/* No swap at all. */
	put(r, "/proc/swaps", "Filename Type Size Used Priority\n");
	assert_int_equal(machine_read(r->m, &s), 0);
	assert_false(s.swap_is_compressed);
	assert_int_equal(s.compressed, 512 * KIB);
}

static uint64_t reportable(struct root *r, const char *order)
{
	struct ebb_snap_machine s;

	put(r, "/sys/module/page_reporting/parameters/page_reporting_order", order);
	assert_int_equal(machine_read(r->m, &s), 0);
	return s.free_reportable;
}

static void finds_the_balloon(void **state)
{
	struct root *r = *state;
	struct ebb_snap_machine s;
	bool found = false;

	put(r, "/proc/meminfo", meminfo);
	put(r, "/proc/buddyinfo", buddyinfo);
	assert_int_equal(machine_read(r->m, &s), 0);
	assert_false(s.reporting);
	put(r, "/sys/bus/virtio/drivers/virtio_balloon/bind", "");
	put(r, "/sys/bus/virtio/drivers/virtio_balloon/virtio3/features", "00000100001\n");
	/* Its driver was loaded after us: seen within a minute's reads. */
	for (int i = 0; i < 100 && !found; i++) {
		assert_int_equal(machine_read(r->m, &s), 0);
		found = s.reporting;
	}
	assert_true(found);
	assert_int_equal(machine_reporting_order(r->m), 9);
	assert_int_equal(reportable(r, "10\n"), (3ull + 752 + 172) << 22);
	assert_int_equal(machine_reporting_order(r->m), 10);
	/* Unset: -1, MAX_ORDER + 1 in older kernels as an unsigned. */
	assert_int_equal(reportable(r, "-1\n"), reportable(r, "9\n"));
	assert_int_equal(reportable(r, "4294967295\n"), reportable(r, "9\n"));
	assert_int_equal(reportable(r, "\n"), reportable(r, "9\n"));
	assert_true(reportable(r, "0\n") > reportable(r, "1\n"));
	assert_int_equal(machine_reporting_order(r->m), 1);
}

/* The real thing, against another way to the same figures. */
static void agrees_with_the_kernel(void **state)
{
	struct ebb_snap_machine s = {};
	struct machine *m;
	unsigned long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	assert_int_equal(machine_open(&m, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(machine_read(m, &s), 0);
	machine_close(m);
	assert_int_equal(s.mem_total, (uint64_t)pages * size);
	assert_true(s.mem_free > 0 && s.mem_free < s.mem_total);
	assert_true(s.free_reportable <= s.mem_total);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_meminfo),
		cmocka_unit_test(parses_swaps),
		cmocka_unit_test(parses_the_rest),
		cmocka_unit_test_setup_teardown(reads_a_machine, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_the_balloon, setup, teardown),
		cmocka_unit_test(agrees_with_the_kernel),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
