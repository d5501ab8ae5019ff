// SPDX-License-Identifier: GPL-2.0-only
/* What is read of swap and written for it. Devices of the kernel's own are for tests/vm. */
#include "act_root.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#include "act/swap.h"
#include "act/zram.h"
#include "skip.h"

#define GIB (1ull << 30)

static void test_parse(void **state)
{
	struct swap_entry e[4];
	static const char text[] =
		"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		"/dev/vda2                               partition\t1048572\t\t16\t\t-2\n"
		"/swap\\040file\\011x                      file\t\t2048\t\t0\t\t-3\n"
		"/dev/zram0                              partition\t4096\t\t4096\t\t100\n"
		"rubbish partition 1 2\n"
		"/dev/over partition 10 11 1\n"
		"/dev/huge partition 99999999999999999999 0 1\n";

	assert_int_equal(swap_parse(text, e, 4), 3);
	assert_string_equal(e[0].device, "/dev/zram0");
	assert_int_equal(e[0].size, 4096 * 1024);
	assert_int_equal(e[0].used, 4096 * 1024);
	assert_string_equal(e[1].device, "/dev/vda2");
	assert_int_equal(e[1].priority, -2);
	assert_string_equal(e[2].device, "/swap file\tx");
	assert_int_equal(swap_parse(text, e, 1), 1);
	assert_int_equal(swap_parse("", e, 4), 0);
}

/* A name that is longer than we keep is a swap all the same, and no device of ours. */
static void test_parse_long_name(void **state)
{
	struct swap_entry e[2];
	char text[400], name[201];
	unsigned int number;

	memset(name, 'x', sizeof(name) - 1);
	memcpy(name, "/dev/zram0", 10);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text), "Filename Type Size Used Priority\n%s file 2048 16 -2\n",
		 name);
	assert_int_equal(swap_parse(text, e, 2), 1);
	assert_int_equal(e[0].size, 2048 * 1024);
	assert_int_equal(e[0].used, 16 * 1024);
	assert_int_equal(e[0].priority, -2);
	assert_int_equal(strlen(e[0].device), sizeof(e[0].device) - 1);
	assert_false(zram_number(e[0].device, &number));
	/* Cut behind a whole escape or before it, never within. */
	memset(name, 'x', sizeof(name) - 1);
	memcpy(name, "/", 1);
	memcpy(name + 61, "\\040", 4);
	snprintf(text, sizeof(text), "%s file 2048 16 -2\n", name);
	assert_int_equal(swap_parse(text, e, 2), 1);
	assert_null(strchr(e[0].device, '\\'));
}

static void test_size(void **state)
{
	uint64_t size, limit;

	swap_size_rule(2 * GIB + 12345, 0, &size, &limit);
	assert_int_equal(size, 2 * GIB);
	assert_int_equal(limit, GIB);
	swap_size_rule(12 * GIB, 0, &size, &limit);
	assert_int_equal(size, 8 * GIB);
	assert_int_equal(limit, 6 * GIB);
	swap_size_rule(64 * GIB, 64 * GIB, &size, &limit);
	assert_int_equal(size, 32 * GIB);
	assert_int_equal(limit, 32 * GIB);
	swap_size_rule(2 * GIB, GIB, &size, &limit);
	assert_int_equal(size, 2 * GIB);
	assert_int_equal(limit, GIB / 2);
}

static void test_algorithm(void **state)
{
	char a[16] = "";

	assert_true(swap_choose_algorithm("lzo-rle lzo [lz4] lz4hc zstd deflate", false, a, 16));
	assert_string_equal(a, "zstd");
	assert_true(swap_choose_algorithm("lzo-rle lzo [lz4] lz4hc zstd deflate", true, a, 16));
	assert_string_equal(a, "lz4");
	assert_true(swap_choose_algorithm("[lzo-rle] lzo lz4hc\n", true, a, 16));
	assert_string_equal(a, "lzo-rle");
	assert_true(swap_choose_algorithm("lzo", false, a, 16));
	assert_string_equal(a, "lzo");
	assert_false(swap_choose_algorithm("lz4hc 842 xzstd zstdx", false, a, 16));
	assert_false(swap_choose_algorithm("", false, a, 16));
}

static void test_zram_number(void **state)
{
	unsigned int n;

	assert_true(zram_number("/dev/zram12", &n));
	assert_int_equal(n, 12);
	assert_false(zram_number("/dev/zram", &n));
	assert_false(zram_number("/dev/zram1p1", &n));
	assert_false(zram_number("/dev/zrammax", &n));
	assert_false(zram_number("/dev/vda2", &n));
}

static void test_header(void **state)
{
	static unsigned char page[4096];
	char uuid[SWAP_UUID_LEN];
	unsigned char bytes[16];

	for (int i = 0; i < 16; i++)
		bytes[i] = i * 17;
	assert_int_equal(swap_read_header(page, sizeof(page), uuid), -ENODATA);
	swap_make_header(page, sizeof(page), 1000, bytes);
	assert_int_equal(swap_read_header(page, sizeof(page), uuid), 0);
	assert_string_equal(uuid, "00112233-4455-6677-8899-aabbccddeeff");
	page[4090] = 'x';
	assert_int_equal(swap_read_header(page, sizeof(page), uuid), -EINVAL);
}

/* Byte by byte what mkswap writes, where there is one. */
static void test_header_as_mkswap(void **state)
{
	static unsigned char theirs[4096], ours[4096];
	const unsigned char uuid[16] = { 0xaa, 1, 2,  3,  4,  5,  0x46, 7,
					 0x88, 9, 10, 11, 12, 13, 14,   15 };
	char path[] = "/tmp/ebb-swap.XXXXXX";
	char *argv[] = { (char *)"mkswap",
			 (char *)"-L",
			 (char *)"ebb",
			 (char *)"-U",
			 (char *)"aa010203-0405-4607-8809-0a0b0c0d0e0f",
			 path,
			 NULL };
	char *envp[] = { (char *)"PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL };
	posix_spawn_file_actions_t quiet;
	int fd = mkstemp(path), status = -1;
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1000 * 4096), 0);
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	if (!access("/usr/sbin/mkswap", X_OK) &&
	    !posix_spawn(&pid, "/usr/sbin/mkswap", &quiet, NULL, argv, envp))
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&quiet);
	assert_int_equal(pread(fd, theirs, sizeof(theirs), 0), sizeof(theirs));
	close(fd);
	unlink(path);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		skip_because("there is no mkswap");
	swap_make_header(ours, sizeof(ours), 1000, uuid);
	assert_memory_equal(ours, theirs, sizeof(ours));
}

/* --- over a root of files ------------------------------------------------------------- */

static int setup(void **state)
{
	struct root *r = calloc(1, sizeof(*r));

	*state = r;
	return root_make(r);
}

static int teardown(void **state)
{
	root_remove(*state);
	free(*state);
	return 0;
}

static struct journal *open_journal(const struct root *r)
{
	struct journal_opts o = { .state_dir = r->state, .root = r->path, .cgroup_root = -1 };
	struct journal *j = NULL;

	assert_int_equal(journal_open(&j, &o), 0);
	return j;
}

static void put_swaps(const struct root *r, const char *rows)
{
	char text[512];

	snprintf(text, sizeof(text), "Filename Type Size Used Priority\n%s", rows);
	root_put(r, "/proc/swaps", text);
	root_put(r, "/proc/meminfo", "MemTotal:  4096000 kB\nMemAvailable:  1000 kB\n");
}

static void test_respected(void **state)
{
	struct root *r = *state;
	struct journal *j = open_journal(r);
	struct swap_ctx s = { .root = r->path, .journal = j };
	struct act_swap_info info;
	char reason[128];

	put_swaps(r, "/dev/vda2 partition 1048572 0 -2\n");
	swap_open(&s, EBB_COMPRESS_AUTO, false, &info);
	assert_int_equal(info.kind, ACT_SWAP_DISK);
	assert_false(info.ours);
	assert_string_equal(info.device, "/dev/vda2");
	root_put(r, "/sys/module/zswap/parameters/enabled", "Y\n");
	swap_open(&s, EBB_COMPRESS_ZRAM, false, &info);
	assert_int_equal(info.kind, ACT_SWAP_ZSWAP);
	put_swaps(r, "/dev/vda2 partition 1048572 0 -2\n/dev/zram0 partition 999 0 5\n");
	root_put(r, "/sys/block/zram0/comp_algorithm", "lzo lzo-rle [zstd]\n");
	swap_open(&s, EBB_COMPRESS_AUTO, false, &info);
	assert_int_equal(info.kind, ACT_SWAP_ZRAM);
	assert_false(info.ours);
	assert_string_equal(info.algorithm, "zstd");
	assert_int_equal(swap_close(&s, 100, reason, sizeof(reason)), 0);
	journal_close(j);
}

static void test_zswap(void **state)
{
	struct root *r = *state;
	struct journal *j = open_journal(r);
	struct swap_ctx s = { .root = r->path, .journal = j };
	struct journal_report report = {};
	struct act_swap_info info;

	put_swaps(r, "/dev/vda2 partition 1048572 0 -2\n");
	root_put(r, "/sys/module/zswap/parameters/enabled", "N\n");
	swap_open(&s, EBB_COMPRESS_ZSWAP, true, &info); /* a dry run looks */
	assert_int_equal(info.kind, ACT_SWAP_DISK);
	assert_string_equal(root_get(r, "/sys/module/zswap/parameters/enabled"), "N\n");
	swap_open(&s, EBB_COMPRESS_ZSWAP, false, &info);
	assert_int_equal(info.kind, ACT_SWAP_ZSWAP);
	assert_string_equal(root_get(r, "/sys/module/zswap/parameters/enabled"), "Y\n");
	journal_undo_all(j, &report);
	assert_string_equal(root_get(r, "/sys/module/zswap/parameters/enabled"), "N\n");
	put_swaps(r, "");
	swap_open(&s, EBB_COMPRESS_ZSWAP, false, &info);
	assert_int_equal(info.kind, ACT_SWAP_NONE);
	assert_non_null(strstr(info.reason, "needs a disk"));
	journal_close(j);
}

/* After a crash: ours by its UUID, and only then. */
static void test_crashed(void **state)
{
	struct root *r = *state;
	struct journal *j = open_journal(r);
	struct swap_ctx s = { .root = r->path, .journal = j };
	struct act_swap_info info;
	struct journal_entry e;
	const unsigned char bytes[16] = { 1, 2, 3 };
	static unsigned char page[4096];
	char uuid[SWAP_UUID_LEN], path[512], reason[200];
	uint64_t seq;
	int fd;

	swap_make_header(page, sizeof(page), 1000, bytes);
	swap_read_header(page, sizeof(page), uuid);
	assert_int_equal(journal_add_device(j, "/dev/zram0", uuid, &seq), 0);
	root_put(r, "/sys/block/zram0/disksize", "4096000\n");
	root_put(r, "/sys/block/zram0/comp_algorithm", "[lz4]\n");
	root_put(r, "/sys/block/zram0/reset", "");
	root_put(r, "/dev/zram0", "");
	root_path(r, "/dev/zram0", path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
	put_swaps(r, "/dev/zram0 partition 3996 2000 100\n");
	swap_open(&s, EBB_COMPRESS_AUTO, false, &info);
	assert_true(info.ours);
	assert_int_equal(s.seq, seq);
	/* Nor taken away when what is in it would not fit: 2000 of 1000 kB. */
	assert_int_equal(swap_close(&s, 100, reason, sizeof(reason)), -ENOMEM);
	assert_non_null(strstr(reason, "stays"));
	assert_int_equal(journal_next_device(j, 0, &e), 0);
	/* Somebody has made another swap of it. */
	page[1036] ^= 1;
	assert_int_equal(pwrite(fd, page, sizeof(page), 0), sizeof(page));
	assert_int_equal(swap_close(&s, 100, reason, sizeof(reason)), 0);
	assert_int_equal(journal_add_device(j, "/dev/zram0", uuid, &seq), 0);
	s.seq = 0;
	swap_open(&s, EBB_COMPRESS_AUTO, false, &info);
	assert_false(info.ours);
	assert_int_equal(journal_next_device(j, 0, &e), -ENOENT);
	assert_string_equal(root_get(r, "/sys/block/zram0/reset"), "");
	/* Not on, and ours: we died before swapon. It is given back. */
	page[1036] ^= 1;
	assert_int_equal(pwrite(fd, page, sizeof(page), 0), sizeof(page));
	put_swaps(r, "/dev/vda2 partition 1048572 0 -2\n");
	assert_int_equal(journal_add_device(j, "/dev/zram0", uuid, &seq), 0);
	swap_open(&s, EBB_COMPRESS_AUTO, false, &info);
	assert_string_equal(root_get(r, "/sys/block/zram0/reset"), "1");
	assert_int_equal(journal_next_device(j, 0, &e), -ENOENT);
	close(fd);
	journal_close(j);
}

/* A device of ours, on, with 2,000 KiB in it; fd of what stands for it. */
static int put_ours(const struct root *r, struct swap_ctx *s)
{
	const unsigned char bytes[16] = { 1, 2, 3 };
	static unsigned char page[4096];
	char uuid[SWAP_UUID_LEN], path[512];
	int fd;

	swap_make_header(page, sizeof(page), 1000, bytes);
	swap_read_header(page, sizeof(page), uuid);
	assert_int_equal(journal_add_device(s->journal, "/dev/zram0", uuid, &s->seq), 0);
	root_put(r, "/sys/block/zram0/disksize", "4096000\n");
	root_put(r, "/sys/block/zram0/comp_algorithm", "[lz4]\n");
	root_put(r, "/sys/block/zram0/mem_limit", "");
	root_put(r, "/sys/block/zram0/reset", "");
	root_put(r, "/dev/zram0", "");
	root_path(r, "/dev/zram0", path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
	put_swaps(r, "/dev/zram0 partition 3996 2000 100\n");
	return fd;
}

/* Whole at every moment, as what the kernel shows is. */
static void put_whole(const struct root *r, const char *path, const char *text)
{
	char fresh[512], from[512], to[512];

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	root_put(r, fresh, text);
	root_path(r, fresh, from);
	root_path(r, path, to);
	assert_int_equal(rename(from, to), 0);
}

static void put_balloon(const struct root *r, unsigned int available_kb, unsigned int pages)
{
	char text[128];

	snprintf(text, sizeof(text), "balloon_inflate %u\nballoon_deflate 1000\n", pages + 1000);
	put_whole(r, "/proc/vmstat", text);
	snprintf(text, sizeof(text), "MemTotal: 4096000 kB\nMemAvailable: %u kB\n", available_kb);
	put_whole(r, "/proc/meminfo", text);
}

static void *deflate(void *arg)
{
	const struct root *r = arg;

	for (unsigned int pages = 40000; pages; pages -= 10000) {
		root_sleep_ms(100);
		put_balloon(r, 160000 - 4 * (pages - 10000), pages - 10000);
	}
	return NULL;
}

/* The host was told a moment ago that this VM wants its full size: what comes is waited for. */
static void test_close_waits_for_the_balloon(void **state)
{
	struct root *r = *state;
	struct swap_ctx s = { .root = r->path, .journal = open_journal(r) };
	int fd = put_ours(r, &s);
	char reason[200];
	pthread_t thread;

	put_balloon(r, 1000, 40000);
	assert_int_equal(pthread_create(&thread, NULL, deflate, r), 0);
	/* What stands for the device is no swap: swapoff finds that somebody was first. */
	assert_int_equal(swap_close(&s, 20000, reason, sizeof(reason)), 0);
	assert_string_equal(reason, "");
	assert_string_equal(root_get(r, "/sys/block/zram0/reset"), "1");
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(fd);
	journal_close(s.journal);
}

/* One that does not move is somebody else's: a second, and the swap stays. */
static void test_close_waits_for_no_other(void **state)
{
	struct root *r = *state;
	struct swap_ctx s = { .root = r->path, .journal = open_journal(r) };
	int fd = put_ours(r, &s);
	char reason[200];
	struct timespec from, to;

	put_balloon(r, 1000, 40000);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(swap_close(&s, 20000, reason, sizeof(reason)), -ENOMEM);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_in_range(to.tv_sec - from.tv_sec, 0, 5);
	assert_non_null(strstr(reason, "/dev/zram0 stays: 1 MiB of containers' pages"));
	close(fd);
	journal_close(s.journal);
}

/* Somebody has swapped it off: it is ours to give back, as long as it is what we made. */
static void test_close_of_one_that_is_off(void **state)
{
	struct root *r = *state;
	struct swap_ctx s = { .root = r->path, .journal = open_journal(r) };
	int fd = put_ours(r, &s);
	struct journal_entry e;
	char reason[200], byte = 0x55;

	put_swaps(r, "");
	assert_int_equal(swap_close(&s, 100, reason, sizeof(reason)), 0);
	assert_string_equal(root_get(r, "/sys/block/zram0/reset"), "1");
	assert_int_equal(journal_next_device(s.journal, 0, &e), -ENOENT);
	close(fd);
	fd = put_ours(r, &s);
	put_swaps(r, "");
	assert_int_equal(pwrite(fd, &byte, 1, 1040), 1); /* in its UUID */
	assert_int_equal(swap_close(&s, 100, reason, sizeof(reason)), 0);
	assert_string_equal(root_get(r, "/sys/block/zram0/reset"), "");
	assert_int_equal(journal_next_device(s.journal, 0, &e), -ENOENT);
	close(fd);
	journal_close(s.journal);
}

/* Claimed is claimed: where the sample cannot be given back (udev looks), it stays in there. */
static void test_claimed_whatever_the_sample(void **state)
{
	struct root *r = *state;
	char algorithm[16];

	root_put(r, "/sys/block/zram0/disksize", "0");
	root_put(r, "/sys/block/zram0/mem_limit", "");
	root_put(r, "/sys/block/zram0/comp_algorithm", "lzo [zstd]");
	root_put(r, "/dev/zram0", "");
	assert_int_equal(zram_set_up(r->path, 0, GIB, GIB / 2, algorithm, sizeof(algorithm)), 0);
	assert_string_equal(root_get(r, "/sys/block/zram0/disksize"), "1073741824");
	assert_string_equal(root_get(r, "/sys/block/zram0/mem_limit"), "536870912");
}

/* What the device may take follows the cap: beyond it writes fail, and the policy counts on half.
 */
static void test_limit_follows_the_cap(void **state)
{
	struct root *r = *state;
	struct swap_ctx s = { .root = r->path, .journal = open_journal(r), .cap = GIB };
	int fd = put_ours(r, &s);
	struct act_swap_info info;

	/* Of a run that crashed, which may have had another cap. */
	s.seq = 0;
	swap_open(&s, EBB_COMPRESS_AUTO, true, &info); /* a dry run looks */
	assert_string_equal(root_get(r, "/sys/block/zram0/mem_limit"), "");
	swap_open(&s, EBB_COMPRESS_AUTO, false, &info);
	assert_true(info.ours);
	assert_string_equal(root_get(r, "/sys/block/zram0/mem_limit"), "536870912");
	/* It is read again, while a balloon has half of RAM, of which half is the limit without a
	 * cap. */
	root_put(r, "/proc/meminfo", "MemTotal:  2048000 kB\nMemAvailable:  1000 kB\n");
	swap_set_cap(&s, GIB / 2);
	assert_memory_equal(root_get(r, "/sys/block/zram0/mem_limit"), "268435456", 9);
	swap_set_cap(&s, 0);
	assert_memory_equal(root_get(r, "/sys/block/zram0/mem_limit"), "2097152000", 10);
	/* Not somebody else's. */
	root_put(r, "/sys/block/zram0/mem_limit", "");
	s.seq = 0;
	swap_set_cap(&s, GIB);
	assert_string_equal(root_get(r, "/sys/block/zram0/mem_limit"), "");
	close(fd);
	journal_close(s.journal);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_long_name),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_algorithm),
		cmocka_unit_test(test_zram_number),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_header_as_mkswap),
		T(test_respected),
		T(test_zswap),
		T(test_crashed),
		T(test_close_waits_for_the_balloon),
		T(test_close_waits_for_no_other),
		T(test_close_of_one_that_is_off),
		T(test_claimed_whatever_the_sample),
		T(test_limit_follows_the_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
