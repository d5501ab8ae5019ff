// SPDX-License-Identifier: GPL-2.0-only
#include "bpftest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/files.h"

static unsigned int failures;

static void die(const char *what)
{
	printf("FAIL set-up: %s: %s\n", what, strerror(errno));
	exit(1);
}

void need_root(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!geteuid())
		return;
	printf("SKIP loading BPF needs root\n");
	exit(0);
}

bool verdict(bool ok, const char *format, ...)
{
	va_list args;

	printf("%s ", ok ? "PASS" : "FAIL");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	failures += !ok;
	return ok;
}

void skip(const char *format, ...)
{
	va_list args;

	printf("SKIP ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

int verdicts_status(void)
{
	return failures ? 1 : 0;
}

static int find_hierarchy(struct groups *g)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/memory" };
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct statfs fs;
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			continue;
		snprintf(g->path, sizeof(g->path), "%s", places[i]);
		if (!fstatfs(fd, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC &&
		    read_file_at(fd, "cgroup.controllers", text, sizeof(text)) > 0 &&
		    strstr(text, "memory"))
			return fd;
		if (!faccessat(fd, "memory.usage_in_bytes", F_OK, 0)) {
			g->v1 = true;
			return fd;
		}
		close(fd);
	}
	return -1;
}

void groups_open(struct groups *g, const char *test)
{
	memset(g, 0, sizeof(*g));
	g->root = find_hierarchy(g);
	if (g->root < 0) {
		printf("SKIP no cgroup hierarchy with memory is mounted\n");
		exit(0);
	}
	snprintf(g->name, sizeof(g->name), "ebbtest-%.10s-%d", test, getpid());
	if (!g->v1)
		write_file_at(g->root, "cgroup.subtree_control", "+memory");
	g->base = group_make(&(struct groups){ .base = g->root }, g->name);
	if (!g->v1 && write_file_at(g->base, "cgroup.subtree_control", "+memory"))
		die("passing memory on");
}

int group_make(struct groups *g, const char *name)
{
	int dir;

	if (mkdirat(g->base, name, 0755) && errno != EEXIST)
		die(name);
	dir = openat(g->base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die(name);
	return dir;
}

static void kill_all(int base, const char *name)
{
	_cleanup_close_ int dir = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[4096], *save = NULL;

	if (dir < 0 || read_file_at(dir, "cgroup.procs", text, sizeof(text)) <= 0)
		return;
	for (char *p = strtok_r(text, "\n", &save); p; p = strtok_r(NULL, "\n", &save))
		if (atoi(p) > 1 && atoi(p) != getpid())
			kill(atoi(p), SIGKILL);
}

void group_remove(struct groups *g, const char *name)
{
	/* A process that was just killed leaves a moment later. */
	for (int i = 0; i < 200; i++) {
		if (!unlinkat(g->base, name, AT_REMOVEDIR) || errno == ENOENT)
			return;
		kill_all(g->base, name);
		usleep(10000);
	}
}

void groups_close(struct groups *g)
{
	DIR *dir = fdopendir(dup(g->base));
	struct dirent *e;

	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while (dir && (e = readdir(dir)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			group_remove(g, e->d_name);
	if (dir)
		closedir(dir);
	group_remove(&(struct groups){ .base = g->root }, g->name);
	close(g->base);
	close(g->root);
}

uint64_t group_id(int dir)
{
	struct stat st;

	return fstat(dir, &st) ? 0 : st.st_ino;
}

void group_enter(int dir, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	if (write_file_at(dir, "cgroup.procs", text))
		die("entering a group");
}

uint64_t group_stat(const struct groups *g, int dir, const char *key)
{
	char text[16384];
	uint64_t v = 0;

	if (read_file_at(dir, "memory.stat", text, sizeof(text)) > 0)
		find_key(text, key, &v);
	return v;
}

/* A process born in a group, which saves moving it there: that waits for a grace period. v2 only.
 */
static pid_t fork_into(int group)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = group,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

static void start(struct child *c, pid_t (*make)(int group), int group, int64_t (*fn)(void *arg),
		  void *arg)
{
	int go[2], back[2];
	int64_t answer;
	char byte;

	if (pipe2(go, O_CLOEXEC) || pipe2(back, O_CLOEXEC))
		die("pipe");
	c->pid = make(group);
	if (c->pid < 0)
		die("fork");
	c->go = go[1];
	c->back = back[0];
	if (c->pid) {
		close(go[0]);
		close(back[1]);
		return;
	}
	close(go[1]);
	close(back[0]);
	answer = 0;
	if (write(back[1], &answer, sizeof(answer)) != sizeof(answer) || read(go[0], &byte, 1) != 1)
		_exit(1);
	answer = fn(arg);
	if (write(back[1], &answer, sizeof(answer)) != sizeof(answer))
		_exit(1);
	while (read(go[0], &byte, 1) > 0)
		;
	_exit(0);
}

static pid_t fork_and_move(int group)
{
	pid_t pid = fork();

	if (!pid && group >= 0)
		group_enter(group, 0);
	return pid;
}

void child_start(struct child *c, int group, int64_t (*fn)(void *arg), void *arg)
{
	start(c, fork_and_move, group, fn, arg);
}

void child_start_in(struct child *c, const struct groups *g, int group, int64_t (*fn)(void *arg),
		    void *arg)
{
	start(c, g->v1 ? fork_and_move : fork_into, group, fn, arg);
}

void child_go(struct child *c)
{
	child_answer(c); /* it is in its group */
	if (write(c->go, "g", 1) != 1)
		die("child");
}

int64_t child_answer(struct child *c)
{
	int64_t answer = -1;

	if (read(c->back, &answer, sizeof(answer)) != sizeof(answer))
		die("a child gave no answer");
	return answer;
}

void child_end(struct child *c)
{
	close(c->go);
	close(c->back);
	kill(c->pid, SIGKILL); /* later children hold copies of its pipe: no end of file */
	waitpid(c->pid, NULL, 0);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void print_log(void *arg, const char *line)
{
	if (getenv("EBB_VERBOSE"))
		printf("  | %s\n", line);
}
