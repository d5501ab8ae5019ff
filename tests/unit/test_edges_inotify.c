// SPDX-License-Identifier: GPL-2.0-only
/* Edges out of inotify, on real directories and, as root, on real cgroups. */
#include "act_root.h"

#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include "sense/edges_inotify.h"
#include "skip.h"

#define MAX 8

struct fixture {
	struct root root;
	struct edges_inotify *e;
	struct ebb_census recs[MAX];
	char paths[MAX][300];
	size_t n;
};

static int open_dir(void *arg, uint64_t id)
{
	struct fixture *f = arg;

	for (size_t i = 0; i < f->n; i++)
		if (f->recs[i].cgroup == id)
			return open(f->paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return -ESTALE;
}

/* A group that the next census has. */
static void group_at(struct fixture *f, const char *path)
{
	struct stat st;

	assert_true(f->n < MAX);
	assert_int_equal(stat(path, &st), 0);
	snprintf(f->paths[f->n], sizeof(f->paths[0]), "%s", path);
	f->recs[f->n++] = (struct ebb_census){ .cgroup = st.st_ino };
}

static void group(struct fixture *f, const char *name)
{
	char path[512], events[600];

	snprintf(events, sizeof(events), "%s/cgroup.events", name);
	root_put(&f->root, events, "populated 0\n");
	root_path(&f->root, name, path);
	group_at(f, path);
}

static int follow(struct fixture *f)
{
	return edges_inotify_follow(f->e, f->recs, f->n, open_dir, f);
}

/* Within a second: kernfs notifies from a work queue. */
static int edges(struct fixture *f)
{
	struct pollfd p = { .fd = edges_inotify_fd(f->e), .events = POLLIN };

	return poll(&p, 1, 1000) == 1 ? edges_inotify_read(f->e) : 0;
}

static int edges_now(struct fixture *f)
{
	return edges_inotify_read(f->e);
}

static unsigned int watches(const struct fixture *f)
{
	char path[64], line[256];
	unsigned int n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", edges_inotify_fd(f->e));
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		n += !strncmp(line, "inotify wd:", 11);
	fclose(file);
	return n;
}

static int setup_with(void **state, size_t max)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return root_make(&f->root) || edges_inotify_open(&f->e, max) ? -1 : 0;
}

static int setup(void **state)
{
	return setup_with(state, 0);
}

static int setup_two(void **state)
{
	return setup_with(state, 2);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	edges_inotify_close(f->e);
	root_remove(&f->root);
	free(f);
	return 0;
}

static void make(struct fixture *f, const char *name)
{
	char path[512];

	root_path(&f->root, name, path);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void unmake(struct fixture *f, const char *name)
{
	char path[512];

	root_path(&f->root, name, path);
	assert_int_equal(rmdir(path), 0);
}

static void test_births_exits_and_ends(void **state)
{
	struct fixture *f = *state;

	group(f, "/a");
	assert_int_equal(follow(f), 1);
	assert_int_equal(edges_now(f), 0);
	make(f, "/a/child");
	assert_int_equal(edges(f), 1);
	root_put(&f->root, "/a/cgroup.events", "populated 1\n");
	assert_true(edges(f) >= 1);
	unmake(f, "/a/child");
	assert_int_equal(edges(f), 1);
	/* A file is no group. */
	root_put(&f->root, "/a/file", "1\n");
	assert_int_equal(edges_now(f), 0);
	/* Nor is what happens in one that no census had. */
	make(f, "/b");
	make(f, "/b/child");
	assert_int_equal(edges_now(f), 0);
}

static void test_follows_the_census(void **state)
{
	struct fixture *f = *state;

	group(f, "/a");
	group(f, "/b");
	group(f, "/c");
	assert_int_equal(follow(f), 3);
	assert_int_equal(follow(f), 0);
	assert_int_equal(watches(f), 6);
	/* A further node's record is no further group. */
	f->recs[f->n] = f->recs[0];
	f->recs[f->n++].node = 1;
	assert_int_equal(follow(f), 0);
	assert_int_equal(watches(f), 6);
	/* The census has it no more, though its directory is still there. */
	f->recs[0] = f->recs[2];
	memcpy(f->paths[0], f->paths[2], sizeof(f->paths[0]));
	f->n = 2;
	assert_int_equal(follow(f), 0);
	assert_int_equal(watches(f), 4);
	assert_int_equal(edges_now(f), 0);
	make(f, "/a/child");
	assert_int_equal(edges_now(f), 0);
	make(f, "/c/child");
	assert_int_equal(edges(f), 1);
}

static void test_gone_before_it_is_watched(void **state)
{
	struct fixture *f = *state;

	group(f, "/a");
	f->recs[f->n].cgroup = 12345;
	strcpy(f->paths[f->n++], "/nonexistent");
	assert_int_equal(follow(f), 1);
	assert_int_equal(edges_inotify_unwatched(f->e), 0);
}

static void test_no_more_than_the_limit(void **state)
{
	struct fixture *f = *state;

	group(f, "/a");
	group(f, "/b");
	group(f, "/c");
	assert_int_equal(follow(f), 2);
	assert_int_equal(edges_inotify_unwatched(f->e), 1);
	assert_int_equal(watches(f), 4);
	/* The room of one that went is another's. */
	f->recs[0] = f->recs[2];
	memcpy(f->paths[0], f->paths[2], sizeof(f->paths[0]));
	f->n = 2;
	assert_int_equal(follow(f), 1);
	assert_int_equal(edges_inotify_unwatched(f->e), 0);
	assert_int_equal(watches(f), 4);
}

static size_t put_event(char *buf, size_t at, uint32_t mask, uint32_t len)
{
	struct inotify_event event = { .wd = 1, .mask = mask, .len = len };

	memcpy(buf + at, &event, sizeof(event));
	memset(buf + at + sizeof(event), 'x', len);
	return at + sizeof(event) + len;
}

static void test_what_counts(void **state)
{
	char buf[512];
	size_t len = 0;

	len = put_event(buf, len, IN_CREATE | IN_ISDIR, 16);
	len = put_event(buf, len, IN_CREATE, 16);
	len = put_event(buf, len, IN_IGNORED, 0);
	len = put_event(buf, len, IN_MODIFY, 0);
	assert_int_equal(edges_inotify_count(buf, len), 2);
	/* The queue was full: who knows. */
	len = put_event(buf, len, IN_Q_OVERFLOW, 0);
	len = put_event(buf, len, IN_DELETE | IN_ISDIR, 32);
	assert_int_equal(edges_inotify_count(buf, len), 4);
	/* Cut anywhere, it counts what is whole. */
	assert_int_equal(edges_inotify_count(buf, len - 1), 3);
	for (size_t i = 0; i < len; i++) {
		char *cut = malloc(i ? i : 1);

		memcpy(cut, buf, i);
		assert_true(edges_inotify_count(cut, i) <= 4);
		free(cut);
	}
	put_event(buf, 0, IN_MODIFY, 1);
	memset(buf + 12, 0xff, 4); /* a length beyond everything */
	assert_int_equal(edges_inotify_count(buf, len), 0);
}

/* --- the kernel's own groups --- */

static bool find_cgroup2(char *ret, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	bool found = false;

	while (mounts && !found && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2")) {
			snprintf(ret, size, "%s/ebb-edges-%d", m->mnt_dir, getpid());
			found = true;
		}
	if (mounts)
		endmntent(mounts);
	return found && !mkdir(ret, 0755);
}

static void check_group(struct fixture *f, const char *top)
{
	char path[300], procs[320];
	int status;
	pid_t pid;

	group_at(f, top);
	assert_int_equal(follow(f), 1);
	snprintf(path, sizeof(path), "%s/child", top);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(edges(f), 1);
	group_at(f, path);
	assert_int_equal(follow(f), 1);
	assert_int_equal(watches(f), 4);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		pause();
		_exit(0);
	}
	snprintf(procs, sizeof(procs), "%d", pid);
	strcat(path, "/cgroup.procs");
	status = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(write(status, procs, strlen(procs)) > 0);
	close(status);
	assert_true(edges(f) >= 1); /* its first process */
	while (edges_now(f))
		;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(edges(f) >= 1); /* its last one left */
	while (edges_now(f))
		;
	path[strlen(path) - strlen("/cgroup.procs")] = '\0';
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(edges(f), 1);
	f->n--;
	assert_int_equal(follow(f), 0);
	/* kernfs would have kept it. */
	assert_int_equal(watches(f), 2);
}

static void test_real_groups(void **state)
{
	struct fixture *f = *state;
	char top[256];

	if (!find_cgroup2(top, sizeof(top)))
		skip_because("needs root and cgroup v2");
	check_group(f, top);
	assert_int_equal(rmdir(top), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_births_exits_and_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_follows_the_census, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone_before_it_is_watched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_more_than_the_limit, setup_two, teardown),
		cmocka_unit_test(test_what_counts),
		cmocka_unit_test_setup_teardown(test_real_groups, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
