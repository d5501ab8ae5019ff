// SPDX-License-Identifier: GPL-2.0-only
/* On the real thing: groups of the cgroup v2 hierarchy, wherever it is mounted. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sense/pressure.h"
#include "skip.h"

#define GROUPS 3

struct fixture {
	uv_loop_t loop;
	struct pressure *p;
	char paths[GROUPS][PATH_MAX];
	int dirs[GROUPS];
	bool cgroups;
	unsigned int calls;
};

static void on_stall(void *arg, uint64_t id)
{
	struct fixture *f = arg;

	f->calls++;
}

static bool find_cgroup2(char ret[PATH_MAX / 2])
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	bool found = false;

	while (mounts && !found && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2") && strlen(m->mnt_dir) < PATH_MAX / 2) {
			strcpy(ret, m->mnt_dir);
			found = true;
		}
	if (mounts)
		endmntent(mounts);
	return found;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct pressure_options options = { .max = 2, .cb = on_stall, .arg = f };
	char root[PATH_MAX / 2];

	assert_non_null(f);
	f->cgroups = find_cgroup2(root);
	for (int i = 0; f->cgroups && i < GROUPS; i++) {
		snprintf(f->paths[i], sizeof(f->paths[i]), "%s/ebb-test-%d-%d", root, getpid(), i);
		f->dirs[i] = -1;
		if (mkdir(f->paths[i], 0755) < 0)
			f->cgroups = false;
		else
			f->dirs[i] = open(f->paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (f->cgroups && faccessat(f->dirs[0], "memory.pressure", W_OK, 0))
		f->cgroups = false;
	assert_int_equal(uv_loop_init(&f->loop), 0);
	options.loop = &f->loop;
	assert_int_equal(pressure_open(&f->p, &options), 0);
	*state = f;
	return 0;
}

static void remove_group(struct fixture *f, int i)
{
	if (!*f->paths[i])
		return;
	if (f->dirs[i] >= 0)
		close(f->dirs[i]);
	rmdir(f->paths[i]);
	f->dirs[i] = -1;
	*f->paths[i] = '\0';
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pressure_close(f->p);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	/* Every handle is closed, or this is EBUSY. */
	assert_int_equal(uv_loop_close(&f->loop), 0);
	for (int i = 0; i < GROUPS; i++)
		remove_group(f, i);
	free(f);
	return 0;
}

static void on_timer(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
	uv_stop(timer->loop);
}

/* Returns how often the loop came round in 300 ms. */
static unsigned int run_loop(struct fixture *f)
{
	uv_timer_t timer;
	unsigned int rounds = 0;

	assert_int_equal(uv_timer_init(&f->loop, &timer), 0);
	assert_int_equal(uv_timer_start(&timer, on_timer, 300, 0), 0);
	while (!uv_is_closing((uv_handle_t *)&timer)) {
		uv_run(&f->loop, UV_RUN_ONCE);
		rounds++;
	}
	uv_run(&f->loop, UV_RUN_NOWAIT);
	return rounds;
}

static void watches_groups(void **state)
{
	struct fixture *f = *state;

	if (!f->cgroups)
		skip_because("needs root, cgroup v2 and PSI");
	assert_int_equal(pressure_watch(f->p, 22, f->dirs[0]), 0);
	assert_int_equal(pressure_watch(f->p, 22, f->dirs[0]), 0);
	assert_int_equal(pressure_watched(f->p), 1);
	assert_int_equal(pressure_watch(f->p, 11, f->dirs[1]), 0);
	assert_int_equal(pressure_watch(f->p, 33, f->dirs[2]), -ENOSPC);
	assert_int_equal(pressure_watched(f->p), 2);
	pressure_forget(f->p, 22);
	pressure_forget(f->p, 22);
	pressure_forget(f->p, 99);
	assert_int_equal(pressure_watched(f->p), 1);
	assert_int_equal(pressure_watch(f->p, 33, f->dirs[2]), 0);
	assert_in_range(run_loop(f), 1, 10);
	assert_int_equal(f->calls, 0);
}

/* The descriptor of a removed group is readable for ever. */
static void ends_with_the_group(void **state)
{
	struct fixture *f = *state;

	if (!f->cgroups)
		skip_because("needs root, cgroup v2 and PSI");
	assert_int_equal(pressure_watch(f->p, 11, f->dirs[0]), 0);
	assert_int_equal(pressure_watch(f->p, 22, f->dirs[1]), 0);
	remove_group(f, 0);
	assert_in_range(run_loop(f), 1, 10);
	assert_int_equal(pressure_watched(f->p), 1);
	assert_int_equal(f->calls, 0);
	pressure_forget(f->p, 11);
	/* Closed while handles of forgotten ones are still on their way out: teardown. */
	pressure_forget(f->p, 22);
}

static void where_there_is_no_psi(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int dir = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[] = "/tmp/ebb-pressure-XXXXXX", file[64];
	int fd;

	assert_int_equal(pressure_watch(f->p, 1, dir), -ENOENT);
	/* A file in its place that cannot be polled. */
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/memory.pressure", path);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	close(dir);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(pressure_watch(f->p, 1, dir), -EPERM);
	assert_int_equal(pressure_watched(f->p), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(path), 0);
}

/* A terminal's master in packet mode: POLLPRI until what it has to say is read. */
static int make_terminal(const char *pts, const char *file)
{
	char ptmx[64];

	snprintf(ptmx, sizeof(ptmx), "%s/ptmx", pts);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("devpts", pts, "devpts", 0, "newinstance,ptmxmode=0666"))
		return -1;
	return mount(ptmx, file, NULL, MS_BIND, NULL);
}

static int find_open(const char *file)
{
	char path[64], target[PATH_MAX];

	for (int fd = 0; fd < 1024; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (!strcmp(target, file))
			return fd;
	}
	return -1;
}

static int open_slave(int master, const char *pts)
{
	unsigned int number;
	char path[64];
	int none = 0, on = 1;

	if (ioctl(master, TIOCSPTLCK, &none) || ioctl(master, TIOCGPTN, &number) ||
	    ioctl(master, TIOCPKT, &on))
		return -1;
	snprintf(path, sizeof(path), "%s/%u", pts, number);
	return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* It is read before the call: that is what brings the kernel's totals up to date. */
static void the_totals_are_fresh(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/ebb-pressure-XXXXXX", pts[48], file[64];
	_cleanup_close_ int dir_fd = -1, slave = -1;
	bool possible;
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(pts, sizeof(pts), "%s/pts", dir);
	snprintf(file, sizeof(file), "%s/memory.pressure", dir);
	assert_int_equal(mkdir(pts, 0700), 0);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	possible = !make_terminal(pts, file);
	if (possible) {
		dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(pressure_watch(f->p, 1, dir_fd), 0);
		slave = open_slave(find_open(file), pts);
		assert_true(slave >= 0);
		assert_int_equal(tcflush(slave, TCIFLUSH), 0);
		run_loop(f);
		assert_int_equal(f->calls, 1);
		pressure_forget(f->p, 1);
		run_loop(f);
		umount2(file, MNT_DETACH);
	}
	umount2(pts, MNT_DETACH);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(pts), 0);
	assert_int_equal(rmdir(dir), 0);
	if (!possible)
		skip_because("needs root, and a devpts of its own");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(watches_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_with_the_group, setup, teardown),
		cmocka_unit_test_setup_teardown(where_there_is_no_psi, setup, teardown),
		cmocka_unit_test_setup_teardown(the_totals_are_fresh, setup, teardown),
	};

	return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
