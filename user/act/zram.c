// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/pool.h"
#include "act/swap.h"
#include "act/zram.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define MAX_DEVICES 32
#define MODPROBE_MS 10000

static void attribute(char *buf, size_t size, const char *root, unsigned int number,
		      const char *name)
{
	snprintf(buf, size, "%s/sys/block/zram%u/%s", root, number, name);
}

static int write_attribute(const char *root, unsigned int number, const char *name,
			   const char *value)
{
	char path[256];

	attribute(path, sizeof(path), root, number, name);
	return write_file_at(AT_FDCWD, path, value);
}

static int write_bytes(const char *root, unsigned int number, const char *name, uint64_t bytes)
{
	char value[24];

	snprintf(value, sizeof(value), "%" PRIu64, bytes);
	return write_attribute(root, number, name, value);
}

bool zram_number(const char *device, unsigned int *ret)
{
	uint64_t n;

	if (strncmp(device, "/dev/zram", 9) || device[9] < '0' || device[9] > '9' ||
	    parse_u64(device + 9, &n) || n >= UINT32_MAX)
		return false;
	*ret = n;
	return true;
}

static int read_size(const char *root, unsigned int number, uint64_t *ret)
{
	char path[256];

	attribute(path, sizeof(path), root, number, "disksize");
	return read_u64_at(AT_FDCWD, path, ret);
}

bool zram_is_set_up(const char *root, unsigned int number)
{
	uint64_t size;

	return !read_size(root, number, &size) && size;
}

/* --- finding one ----------------------------------------------------------------------- */

static void pause_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){ 0, ms * 1000000l }, NULL);
}

/* It is the kernel's own path to modprobe, so also where a distribution has moved it. */
static int load_module(const char *root)
{
	char path[256], program[256];
	char *argv[] = { program, (char *)"-q", (char *)"zram", NULL };
	char *envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	uint64_t end = pool_now_us() + MODPROBE_MS * 1000ull;
	posix_spawnattr_t attr;
	sigset_t none;
	int status;
	pid_t pid;
	int r;

	snprintf(path, sizeof(path), "%s/proc/sys/kernel/modprobe", root);
	if (*root || read_line_at(AT_FDCWD, path, program, sizeof(program)) <= 0)
		return -ENODEV;
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(&pid, program, NULL, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	if (r)
		return -r;
	while ((r = waitpid(pid, &status, WNOHANG)) == 0 || (r < 0 && errno == EINTR)) {
		if (pool_now_us() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return -ETIMEDOUT;
		}
		pause_ms(5);
	}
	return r == pid && WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ENODEV;
}

/* Reading hot_add makes a device and answers its number. */
static int hot_add(const char *root, unsigned int *ret)
{
	char path[256];
	uint64_t n;
	int r;

	snprintf(path, sizeof(path), "%s/sys/class/zram-control/hot_add", root);
	r = read_u64_at(AT_FDCWD, path, &n);
	if (r)
		return r;
	*ret = n;
	return 0;
}

int zram_find_free(const char *root, unsigned int skip_below, unsigned int *ret_number)
{
	char path[256];
	uint64_t size;
	int r;

	snprintf(path, sizeof(path), "%s/sys/class/zram-control", root);
	if (access(path, F_OK)) {
		r = load_module(root);
		if (r)
			return r;
	}
	for (unsigned int n = skip_below; n < MAX_DEVICES; n++) {
		if (!read_size(root, n, &size) && !size) {
			*ret_number = n;
			return 0;
		}
	}
	r = skip_below < MAX_DEVICES ? hot_add(root, ret_number) : -ENODEV;
	return r == -ENOENT ? -ENODEV : r;
}

/* --- one device -------------------------------------------------------------------------- */

void zram_algorithm(const char *root, unsigned int number, char *ret, size_t size)
{
	char path[256], text[256], *open, *close;

	*ret = '\0';
	attribute(path, sizeof(path), root, number, "comp_algorithm");
	if (read_line_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return;
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close)
		snprintf(ret, size, "%.*s", (int)(close - open - 1), open + 1);
}

int zram_reset(const char *root, unsigned int number)
{
	int r = -EBUSY;

	/* udev looks into a device that was just let go of. */
	for (int i = 0; i < 20 && r == -EBUSY; i++) {
		if (i)
			pause_ms(25);
		r = write_attribute(root, number, "reset", "1");
	}
	return r;
}

static int open_device(const char *root, unsigned int number, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/dev/zram%u", root, number);
	/* devtmpfs makes the node a moment after the device. */
	for (int i = 0; i < 20; i++) {
		fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			break;
		pause_ms(25);
	}
	return -errno;
}

int zram_read_page(const char *root, unsigned int number, unsigned char *buf, size_t page)
{
	_cleanup_close_ int fd = open_device(root, number, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, buf, page, 0);
	return n < 0 ? -errno : (size_t)n == page ? 0 : -EIO;
}

int zram_write_page(const char *root, unsigned int number, const unsigned char *buf, size_t page)
{
	_cleanup_close_ int fd = open_device(root, number, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pwrite(fd, buf, page, 0);
	if (n < 0 || fsync(fd))
		return -errno;
	return (size_t)n == page ? 0 : -EIO;
}

/* --- setting up ---------------------------------------------------------------------------- */

#define SAMPLE_PAGES 64
/*
 * 66 MB/s. A container's memory would go to where nobody needs it for minutes,
 * and the CPU be taken for as long. zstd takes 25 us natively, and 205 in a guest
 * under emulation, where lz4 is the better one.
 */
#define SLOW_US 60

/* CPU time to compress a page, of our own program's text, past the page of the header. */
static int measure(const char *root, unsigned int number, uint64_t *ret_us)
{
	_cleanup_close_ int fd = open_device(root, number, O_WRONLY | O_DIRECT);
	_cleanup_close_ int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	size_t page = sysconf(_SC_PAGESIZE), len = SAMPLE_PAGES * page;
	_cleanup_free_ void *buf = NULL;
	struct timespec from, to;
	ssize_t n;

	if (fd < 0 || exe < 0)
		return fd < 0 ? fd : -errno;
	if (posix_memalign(&buf, page, len))
		return -ENOMEM;
	n = pread(exe, buf, len, page) / (ssize_t)page * (ssize_t)page;
	if (n <= 0)
		return -ENODATA;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	n = pwrite(fd, buf, n, page) / (ssize_t)page;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	if (n <= 0)
		return -EIO;
	*ret_us =
		((to.tv_sec - from.tv_sec) * 1000000ull + to.tv_nsec / 1000 - from.tv_nsec / 1000) /
		n;
	return 0;
}

int zram_limit(const char *root, unsigned int number, uint64_t limit)
{
	return write_bytes(root, number, "mem_limit", limit);
}

/* The size is what claims the device: EBUSY where somebody else has set one. */
static int claim(const char *root, unsigned int number, uint64_t size, uint64_t limit, bool fast)
{
	char path[256], text[256], algorithm[16];
	int r;

	attribute(path, sizeof(path), root, number, "comp_algorithm");
	/* Refused or not there: the kernel's own choice is a good one too. */
	if (read_line_at(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	    swap_choose_algorithm(text, fast, algorithm, sizeof(algorithm)))
		write_attribute(root, number, "comp_algorithm", algorithm);
	r = write_bytes(root, number, "disksize", size);
	if (!r)
		zram_limit(root, number, limit);
	return r;
}

int zram_set_up(const char *root, unsigned int number, uint64_t size, uint64_t limit,
		char *ret_algorithm, size_t len)
{
	uint64_t us = 0;
	int r = claim(root, number, size, limit, false);

	if (r)
		return r;
	/* The sample does not stay: a reset, and again, with what the machine is fit for. */
	if (!measure(root, number, &us) && !zram_reset(root, number)) {
		r = claim(root, number, size, limit, us > SLOW_US);
		if (r)
			return r;
	}
	zram_algorithm(root, number, ret_algorithm, len);
	return 0;
}
