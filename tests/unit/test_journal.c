// SPDX-License-Identifier: GPL-2.0-only
/* What is set is undone, whatever happened in between; on real files and, as root, real cgroups. */
#include "act_root.h"

#include <mntent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "act/journal.h"
#include "lib/files.h"
#include "skip.h"

#define FILE_A "/sys/kernel/mm/a"
#define FILE_B "/proc/sys/vm/b"

static int setup(void **state)
{
	struct root *r = calloc(1, sizeof(*r));

	*state = r;
	if (root_make(r))
		return -1;
	root_put(r, FILE_A, "0x0000\n");
	root_put(r, FILE_B, "old [chosen] other\n");
	return 0;
}

static int teardown(void **state)
{
	root_remove(*state);
	free(*state);
	return 0;
}

static struct journal *open_with(const struct root *r, int cgroup_root)
{
	struct journal_opts o = { .state_dir = r->state,
				  .root = r->path,
				  .cgroup_root = cgroup_root };
	struct journal *j = NULL;

	assert_int_equal(journal_open(&j, &o), 0);
	return j;
}

static struct journal *open_it(const struct root *r)
{
	return open_with(r, -1);
}

static struct journal_report recover(struct journal *j)
{
	struct journal_report report;

	journal_loaded(j, &report);
	journal_recover(j, 0, &report);
	return report;
}

/* Runs fn in a process that dies at its end, without a word to anybody. */
static void crash(const struct root *r, void (*fn)(const struct root *r))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		fn(r);
		_exit(7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void set_both(const struct root *r)
{
	struct journal *j = open_it(r);

	assert_int_equal(journal_set_file(j, FILE_A, "7", NULL), 0);
	assert_int_equal(journal_set_file(j, FILE_B, "mine", NULL), 0);
}

static void test_set_and_undo(void **state)
{
	struct root *r = *state;
	struct journal *j = open_it(r);
	struct journal_report report = {};
	uint64_t a = 0, b = 0;

	assert_int_equal(journal_set_file(j, FILE_A, "7", &a), 0);
	assert_int_equal(journal_set_file(j, FILE_B, "mine", &b), 0);
	assert_true(a && b > a);
	assert_string_equal(root_get(r, FILE_A), "7x0000\n"); /* a file keeps what follows */
	root_put(r, FILE_A, "0x0007\n"); /* as the kernel prints it */
	root_put(r, FILE_B, "old chosen [mine]\n");
	journal_undo_all(j, &report);
	assert_int_equal(report.undone, 2);
	assert_memory_equal(root_get(r, FILE_A), "0x0000", 6);
	assert_memory_equal(root_get(r, FILE_B), "chosen", 6);
	journal_close(j);
	j = open_it(r);
	report = recover(j);
	assert_int_equal(report.undone + report.left_alone + report.failed, 0);
	journal_close(j);
}

static void test_crash(void **state)
{
	struct root *r = *state;
	struct journal_report report;
	struct journal *j;

	crash(r, set_both);
	root_put(r, FILE_A, "7");
	root_put(r, FILE_B, "mine");
	j = open_it(r);
	report = recover(j);
	assert_int_equal(report.undone, 2);
	assert_string_equal(root_get(r, FILE_A), "0x0000");
	assert_string_equal(root_get(r, FILE_B), "chosen");
	journal_close(j);
}

static void test_administrator(void **state)
{
	struct root *r = *state;
	struct journal_report report;
	struct journal *j;

	crash(r, set_both);
	root_put(r, FILE_A, "5\n");
	root_put(r, FILE_B, "mine\n");
	j = open_it(r);
	report = recover(j);
	assert_int_equal(report.undone, 1);
	assert_int_equal(report.left_alone, 1);
	assert_string_equal(root_get(r, FILE_A), "5\n");
	journal_close(j);
}

static void test_other_boot(void **state)
{
	struct root *r = *state;
	struct journal_report report;
	struct journal *j;

	crash(r, set_both);
	root_put(r, FILE_A, "7");
	root_put(r, BOOT_FILE, "99999999-2222-3333-4444-555555555555\n");
	j = open_it(r);
	report = recover(j);
	assert_int_equal(report.expired, 2);
	assert_int_equal(report.undone, 0);
	assert_string_equal(root_get(r, FILE_A), "7");
	journal_close(j);
}

static void test_adopted(void **state)
{
	struct root *r = *state;
	struct journal_report report = {};
	struct journal *j;

	crash(r, set_both);
	root_put(r, FILE_A, "7");
	root_put(r, FILE_B, "mine");
	j = open_it(r);
	assert_int_equal(journal_set_file(j, FILE_A, "0x7", NULL), 0);
	report = recover(j);
	assert_int_equal(report.undone, 1); /* b alone */
	assert_string_equal(root_get(r, FILE_A), "7");
	journal_undo_all(j, &report);
	assert_string_equal(root_get(r, FILE_A), "0x0000"); /* what was before the crash */
	journal_close(j);
}

static void test_chain(void **state)
{
	struct root *r = *state;
	struct journal_report report = {};
	struct journal *j = open_it(r);

	root_put(r, FILE_A, "1");
	assert_int_equal(journal_set_file(j, FILE_A, "2", NULL), 0);
	assert_int_equal(journal_set_file(j, FILE_A, "3", NULL), 0);
	journal_close(j); /* as if it had crashed */
	j = open_it(r);
	report = recover(j);
	assert_int_equal(report.undone, 2);
	assert_string_equal(root_get(r, FILE_A), "1");
	journal_close(j);
}

/*
 * A value that this run set over an entry of the run that crashed is this run's: recovery comes
 * after it and must not take it for what the former run had set.
 */
static void set_again(const struct root *r, const char *now, const char *want)
{
	struct journal_report report = {};
	struct journal *j = open_it(r);

	root_put(r, FILE_A, now);
	assert_int_equal(journal_set_file(j, FILE_A, want, NULL), 0);
	root_put(r, FILE_A, want); /* as the kernel has it, without the rest of the file */
	recover(j);
	assert_string_equal(root_get(r, FILE_A), want);
	root_put(r, FILE_A, want);
	journal_undo_all(j, &report);
	assert_string_equal(root_get(r, FILE_A), now);
	journal_close(j);
	j = open_it(r);
	assert_int_equal(recover(j).undone, 0); /* nothing is left of either */
	assert_string_equal(root_get(r, FILE_A), now);
	journal_close(j);
}

static void test_set_again_after_the_administrator(void **state)
{
	crash(*state, set_both);
	set_again(*state, "3", "7");
}

/* It died between the entry and the deed: what is there is the old value. */
static void test_set_again_after_an_entry_alone(void **state)
{
	crash(*state, set_both);
	set_again(*state, "0", "7");
}

/* And a former run's other value, on top of which this one sets its own: back to the first. */
static void test_set_another_after_a_crash(void **state)
{
	struct root *r = *state;
	struct journal_report report = {};
	struct journal *j;

	crash(r, set_both);
	root_put(r, FILE_A, "7");
	j = open_it(r);
	assert_int_equal(journal_set_file(j, FILE_A, "5", NULL), 0);
	recover(j);
	assert_string_equal(root_get(r, FILE_A), "5");
	journal_undo_all(j, &report);
	assert_memory_equal(root_get(r, FILE_A), "0x0000", 6);
	journal_close(j);
}

static void set_twice(const struct root *r)
{
	struct journal *j = open_it(r);

	assert_int_equal(journal_set_file(j, FILE_A, "5", NULL), 0);
	root_put(r, FILE_A, "5");
	assert_int_equal(journal_set_file(j, FILE_A, "7", NULL), 0);
}

/* Who adopts the last value of a former run adopts the way back to the first, too. */
static void test_adopted_chain(void **state)
{
	struct root *r = *state;
	struct journal_report report = {};
	struct journal *j;

	crash(r, set_twice);
	root_put(r, FILE_A, "7");
	j = open_it(r);
	assert_int_equal(journal_set_file(j, FILE_A, "7", NULL), 0);
	recover(j);
	assert_string_equal(root_get(r, FILE_A), "7");
	journal_undo_all(j, &report);
	assert_int_equal(report.undone, 2);
	assert_memory_equal(root_get(r, FILE_A), "0x0000", 6);
	journal_close(j);
}

static void test_nothing_to_set(void **state)
{
	struct root *r = *state;
	struct journal *j = open_it(r);
	struct journal_report report = {};
	uint64_t seq = 77;

	assert_int_equal(journal_set_file(j, FILE_A, "0", &seq), 0);
	assert_int_equal(seq, 0);
	assert_int_equal(journal_set_file(j, "/sys/none", "1", NULL), -ENOENT);
	assert_int_equal(journal_set_file(j, "/etc/passwd", "1", NULL), -ENOENT);
	root_put(r, "/etc/passwd", "x");
	assert_int_equal(journal_set_file(j, "/etc/passwd", "1", NULL), -EINVAL);
	assert_int_equal(journal_set_file(j, "/sys/../etc/passwd", "1", NULL), -EINVAL);
	assert_string_equal(root_get(r, "/etc/passwd"), "x");
	journal_undo_all(j, &report);
	assert_int_equal(report.undone, 0);
	journal_close(j);
}

/* The entry first: where it cannot be written, nothing is set. */
static void set_without_room(const struct root *r)
{
	struct rlimit none = { 0, 0 };
	struct journal *j = open_it(r);

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(journal_set_file(j, FILE_A, "7", NULL), -EFBIG);
}

static void test_entry_first(void **state)
{
	struct root *r = *state;
	struct journal *j;

	crash(r, set_without_room);
	assert_string_equal(root_get(r, FILE_A), "0x0000\n");
	j = open_it(r);
	assert_int_equal(recover(j).undone, 0);
	journal_close(j);
}

/* Room for nothing beyond the file as it is and five bytes. */
static void limit_journal(const struct root *r, const struct rlimit *old, bool on)
{
	struct rlimit limit = *old;
	char full[512];
	struct stat st;

	snprintf(full, sizeof(full), "%s/journal", r->state);
	assert_int_equal(stat(full, &st), 0);
	if (on)
		limit.rlim_cur = st.st_size + 5;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk is full as B is undone, and has room again as A is set. */
static void tear_a_removal(const struct root *r)
{
	struct journal *j = open_it(r);
	struct rlimit limit;
	uint64_t seq = 0;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(journal_set_file(j, FILE_B, "mine", &seq), 0);
	limit_journal(r, &limit, true);
	assert_int_equal(journal_undo(j, seq, NULL), 0);
	limit_journal(r, &limit, false);
	assert_int_equal(journal_set_file(j, FILE_A, "0x0007", NULL), 0);
}

static void test_a_torn_line_harms_no_other(void **state)
{
	struct root *r = *state;
	struct journal_report report;
	struct journal *j;

	crash(r, tear_a_removal);
	j = open_it(r);
	report = recover(j);
	assert_int_equal(report.damaged, 0);
	assert_string_equal(root_get(r, FILE_A), "0x0000\n");
	journal_close(j);
}

static void test_one_at_a_time(void **state)
{
	struct root *r = *state;
	struct journal_opts o = { .state_dir = r->state, .root = r->path, .cgroup_root = -1 };
	struct journal *j = open_it(r), *second = NULL;

	assert_int_equal(journal_open(&second, &o), -EBUSY);
	assert_null(second);
	o.read_only = true; /* a dry run beside the real one */
	assert_int_equal(journal_open(&second, &o), 0);
	assert_int_equal(journal_set_file(second, FILE_A, "7", NULL), -EROFS);
	journal_close(second);
	journal_close(j);
	assert_int_equal(chmod(r->state, 0777), 0);
	assert_int_equal(journal_open(&second, &(struct journal_opts){ .state_dir = r->state,
								       .root = r->path,
								       .cgroup_root = -1 }),
			 -EPERM);
}

static void append(const struct root *r, const char *text, size_t len)
{
	char full[512];
	int fd;

	root_path(r, "/state/journal", full);
	fd = open(full, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static void test_torn_and_damaged(void **state)
{
	static const char damage[] = "+ 9 file 0 /sys/x 1 2 00000000\n\0\xff\n+ 10 fi";
	struct root *r = *state;
	struct journal_report report;
	struct journal *j;

	crash(r, set_both);
	root_put(r, FILE_A, "7");
	root_put(r, FILE_B, "mine");
	append(r, damage, sizeof(damage) - 1);
	j = open_it(r);
	report = recover(j);
	assert_int_equal(report.damaged, 3);
	assert_int_equal(report.undone, 2);
	/* The torn line does not swallow the next entry. */
	assert_int_equal(journal_set_file(j, FILE_A, "9", NULL), 0);
	journal_close(j);
	root_put(r, FILE_A, "9");
	j = open_it(r);
	report = recover(j);
	assert_int_equal(report.damaged, 0);
	assert_int_equal(report.undone, 1);
	journal_close(j);
}

static void test_no_journal(void **state)
{
	struct root *r = *state;
	struct journal *j = open_it(r);
	struct journal_report report;

	journal_close(j);
	root_put(r, "/state/journal",
		 "\x7f"
		 "ELF rubbish\n+ 1 2 3\n");
	j = open_it(r);
	journal_loaded(j, &report);
	assert_int_equal(report.damaged, 1);
	assert_string_equal(root_get(r, "/state/journal.bad"), "\x7f"
							       "ELF rubbish\n+ 1 2 3\n");
	assert_int_equal(journal_set_file(j, FILE_A, "7", NULL), 0);
	journal_close(j);
}

static void test_devices(void **state)
{
	struct root *r = *state;
	struct journal *j = open_it(r);
	struct journal_report report = {};
	struct journal_entry e;
	uint64_t seq;

	assert_int_equal(journal_add_device(j, "/dev/zram3", "some-uuid", &seq), 0);
	assert_int_equal(journal_add_device(j, "/etc/zram3", "some-uuid", &seq), -EINVAL);
	journal_undo_all(j, &report); /* does not concern them */
	journal_close(j);
	j = open_it(r);
	assert_int_equal(journal_next_device(j, 0, &e), 0);
	assert_string_equal(e.target, "/dev/zram3");
	assert_string_equal(e.old, "some-uuid");
	assert_int_equal(journal_next_device(j, e.seq, &e), -ENOENT);
	assert_int_equal(journal_forget(j, e.seq), 0);
	assert_int_equal(journal_forget(j, e.seq), -ENOENT);
	journal_close(j);
	j = open_it(r);
	assert_int_equal(journal_next_device(j, 0, &e), -ENOENT);
	journal_close(j);
}

/* Thousands of entries come and go: the file is rewritten, not grown for ever. */
static void test_does_not_grow(void **state)
{
	struct root *r = *state;
	struct journal *j = open_it(r);
	char full[512];
	struct stat st;
	uint64_t seq;

	for (int i = 0; i < 6000; i++) {
		root_put(r, FILE_A, "0");
		assert_int_equal(journal_set_file(j, FILE_A, "7", &seq), 0);
		assert_int_equal(journal_undo(j, seq, NULL), 0);
	}
	root_path(r, "/state/journal", full);
	assert_int_equal(stat(full, &st), 0);
	assert_true(st.st_size < 300000);
	journal_close(j);
}

static void *set_many(void *arg)
{
	struct journal *j = arg;
	uint64_t seq;

	for (int i = 0; i < 200; i++) {
		assert_int_equal(journal_add_device(j, "/dev/zram0", "x", &seq), 0);
		assert_int_equal(journal_forget(j, seq), 0);
	}
	return NULL;
}

struct slow_update {
	struct journal *j;
	uint64_t seq;
	atomic_int result;
};

static void *update_slowly(void *arg)
{
	struct slow_update *u = arg;
	char found[JOURNAL_VALUE_LEN];

	u->result = journal_update(u->j, &u->seq, "9", found);
	return NULL;
}

static void *set_b(void *arg)
{
	assert_int_equal(journal_set_file(arg, FILE_B, "mine", NULL), 0);
	return NULL;
}

/*
 * memory.max evicts within the write, for seconds: nobody else waits for that, least of all the
 * limit of another's swap. Here a lease holds the write up.
 */
static void test_a_slow_update_holds_up_nobody(void **state)
{
	struct root *r = *state;
	struct slow_update u = { .j = open_it(r), .result = 1 };
	struct journal_report report = {};
	pthread_t slow, other;
	struct timespec until;
	char path[512];
	int fd;

	assert_int_equal(journal_set_file(u.j, FILE_A, "7", &u.seq), 0);
	root_put(r, FILE_A, "7");
	root_path(r, FILE_A, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	signal(SIGIO, SIG_IGN); /* by which it is asked for */
	assert_int_equal(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
	assert_int_equal(pthread_create(&slow, NULL, update_slowly, &u), 0);
	root_sleep_ms(200);
	assert_int_equal(pthread_create(&other, NULL, set_b, u.j), 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	assert_int_equal(pthread_timedjoin_np(other, NULL, &until), 0);
	assert_int_equal(u.result, 1); /* and it is at it still */
	assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	assert_int_equal(pthread_join(slow, NULL), 0);
	assert_int_equal(u.result, 0);
	assert_string_equal(root_get(r, FILE_A), "9");
	root_put(r, FILE_B, "mine");
	journal_undo_all(u.j, &report);
	assert_int_equal(report.undone, 2);
	assert_memory_equal(root_get(r, FILE_A), "0x0000", 6);
	close(fd);
	journal_close(u.j);
}

static void test_threads(void **state)
{
	struct root *r = *state;
	struct journal *j = open_it(r);
	struct journal_report report;
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, set_many, j), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	journal_close(j);
	j = open_it(r);
	journal_loaded(j, &report);
	assert_int_equal(report.damaged, 0);
	journal_close(j);
}

/* --- cgroups, the kernel's own ------------------------------------------------------ */

#define LIMIT "cgroup.max.descendants"

struct groups {
	int root;
	char path[512];
	uint64_t id;
};

static bool find_cgroup2(char *ret, size_t size)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (f && !found && (m = getmntent(f))) {
		found = !strcmp(m->mnt_type, "cgroup2") && !access(m->mnt_dir, W_OK);
		if (found)
			snprintf(ret, size, "%s", m->mnt_dir);
	}
	if (f)
		endmntent(f);
	return found;
}

static void make_group(struct groups *g)
{
	struct stat st;

	assert_int_equal(mkdir(g->path, 0755), 0);
	assert_int_equal(stat(g->path, &st), 0);
	g->id = st.st_ino;
}

static void open_groups(struct groups *g)
{
	char top[256];

	if (geteuid() || !find_cgroup2(top, sizeof(top)))
		skip_because("needs root and cgroup v2");
	g->root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(g->root >= 0);
	snprintf(g->path, sizeof(g->path), "%s/ebb-test-%d", top, getpid());
	make_group(g);
}

static void group_limit(const struct groups *g, char *ret, size_t size)
{
	char path[640];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" LIMIT, g->path);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(ret, size, f));
	fclose(f);
}

static void test_cgroup(void **state)
{
	struct root *r = *state;
	struct journal_report report = {};
	struct journal_cgroup set = { .value = "5" };
	struct groups g;
	struct journal *j;
	char text[32];

	open_groups(&g);
	j = open_with(r, g.root);
	set.id = g.id;
	assert_int_equal(journal_set_cgroups(j, LIMIT, &set, 1), 0);
	assert_true(set.seq);
	group_limit(&g, text, sizeof(text));
	assert_string_equal(text, "5\n");
	journal_close(j);
	j = open_with(r, g.root);
	journal_recover(j, JOURNAL_CGROUP, &report);
	assert_int_equal(report.undone, 1);
	group_limit(&g, text, sizeof(text));
	assert_string_equal(text, "max\n");
	journal_close(j);
	rmdir(g.path);
	close(g.root);
}

/* The path is there again, and is somebody else's. */
static void test_cgroup_reused(void **state)
{
	struct root *r = *state;
	struct journal_report report = {};
	struct journal_cgroup set = { .value = "5" };
	struct groups g;
	struct journal *j;
	char text[32];
	FILE *f;

	open_groups(&g);
	j = open_with(r, g.root);
	set.id = g.id;
	assert_int_equal(journal_set_cgroups(j, LIMIT, &set, 1), 0);
	assert_int_equal(rmdir(g.path), 0);
	make_group(&g);
	assert_true(g.id != set.id);
	snprintf(text, sizeof(text), "5");
	{
		char path[640];

		snprintf(path, sizeof(path), "%s/" LIMIT, g.path);
		f = fopen(path, "we");
		assert_non_null(f);
		fputs("5", f);
		fclose(f);
	}
	journal_recover(j, 0, &report);
	assert_int_equal(report.undone, 0);
	journal_undo_all(j, &report);
	assert_int_equal(report.undone, 0);
	assert_int_equal(report.gone, 1);
	group_limit(&g, text, sizeof(text));
	assert_string_equal(text, "5\n");
	journal_close(j);
	rmdir(g.path);
	close(g.root);
}

/* Whatever it was set to, and wherever we die: one entry, and the first value comes back. */
static void test_cgroup_updates(void **state)
{
	struct root *r = *state;
	struct journal_report report = {};
	struct journal_cgroup set = { .value = "5" };
	char text[32], found[JOURNAL_VALUE_LEN], path[512];
	struct groups g;
	struct journal *j;
	struct stat st;
	uint64_t first;

	open_groups(&g);
	j = open_with(r, g.root);
	set.id = g.id;
	assert_int_equal(journal_set_cgroups(j, LIMIT, &set, 1), 0);
	first = set.seq;
	assert_int_equal(journal_update(j, &set.seq, "5", found), 0);
	assert_int_equal(set.seq, first); /* there already */
	for (int i = 6; i < 20000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(journal_update(j, &set.seq, text, found), 0);
	}
	assert_true(set.seq > first);
	group_limit(&g, text, sizeof(text));
	assert_string_equal(text, "19999\n");
	snprintf(path, sizeof(path), "%s/journal", r->state);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 512 * 1024);
	/* What the kernel refuses changes nothing. */
	assert_int_equal(journal_update(j, &set.seq, "rubbish", found), -EINVAL);
	group_limit(&g, text, sizeof(text));
	assert_string_equal(text, "19999\n");
	journal_close(j); /* dies here */
	j = open_with(r, g.root);
	journal_recover(j, JOURNAL_CGROUP, &report);
	assert_int_equal(report.undone, 1);
	assert_int_equal(report.left_alone + report.gone + report.failed + report.damaged, 0);
	group_limit(&g, text, sizeof(text));
	assert_string_equal(text, "max\n");
	journal_close(j);
	rmdir(g.path);
	close(g.root);
}

static void test_cgroup_update_of_a_changed_one(void **state)
{
	struct root *r = *state;
	struct journal_report report = {};
	struct journal_cgroup set = { .value = "5" };
	char text[32], found[JOURNAL_VALUE_LEN];
	struct groups g;
	struct journal *j;
	int dir;

	open_groups(&g);
	j = open_with(r, g.root);
	set.id = g.id;
	assert_int_equal(journal_set_cgroups(j, LIMIT, &set, 1), 0);
	dir = open(g.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(write_file_at(dir, LIMIT, "77"), 0);
	close(dir);
	assert_int_equal(journal_update(j, &set.seq, "6", found), -ECANCELED);
	assert_string_equal(found, "77");
	assert_int_equal(set.seq, 0);
	assert_int_equal(journal_update(j, &set.seq, "6", found), -EINVAL);
	journal_undo_kind(j, JOURNAL_CGROUP, &report);
	assert_int_equal(report.undone + report.left_alone, 0);
	group_limit(&g, text, sizeof(text));
	assert_string_equal(text, "77\n");
	/* And one that is gone leaves nothing behind either. */
	strcpy(set.value, "8");
	assert_int_equal(journal_set_cgroups(j, LIMIT, &set, 1), 0);
	assert_true(set.seq);
	rmdir(g.path);
	assert_int_equal(journal_update(j, &set.seq, "9", found), -ESTALE);
	assert_int_equal(set.seq, 0);
	journal_undo_all(j, &report);
	assert_int_equal(report.undone + report.left_alone + report.gone, 0);
	journal_close(j);
	close(g.root);
}

/* One of three cannot be set: none is. One that is gone is passed over. */
static void test_cgroups_all_or_nothing(void **state)
{
	struct root *r = *state;
	struct journal_cgroup set[3] = { { .value = "5" },
					 { .value = "6" },
					 { .value = "rubbish" } };
	struct groups g;
	struct journal *j;
	char text[32];

	open_groups(&g);
	j = open_with(r, g.root);
	set[0].id = set[2].id = g.id;
	set[1].id = g.id + 1000000;
	assert_int_equal(journal_set_cgroups(j, LIMIT, set, 3), -EINVAL);
	group_limit(&g, text, sizeof(text));
	assert_string_equal(text, "max\n");
	assert_int_equal(journal_set_cgroups(j, LIMIT, set, 2), 0);
	assert_true(set[0].seq && !set[1].seq);
	assert_int_equal(journal_undo(j, set[0].seq, NULL), 0);
	group_limit(&g, text, sizeof(text));
	assert_string_equal(text, "max\n");
	journal_close(j);
	rmdir(g.path);
	close(g.root);
}

/* --- the text ------------------------------------------------------------------------- */

static void test_lines(void **state)
{
	struct journal_entry e = { .seq = 12, .kind = JOURNAL_FILE }, back;
	char line[JOURNAL_LINE_LEN];
	bool removed = true;
	int n;

	strcpy(e.target, "/sys/kernel/mm/with blank%and\xc3\xa4");
	strcpy(e.old, "");
	strcpy(e.set, "a b %41");
	n = journal_format_line(line, &e, false);
	assert_true(n > 0 && line[n - 1] == '\n' && strlen(line) == (size_t)n);
	assert_int_equal(journal_parse_line(line, n - 1, &back, &removed), 0);
	assert_false(removed);
	assert_memory_equal(&e, &back, sizeof(e));
	for (int i = 0; i < n - 1; i++) { /* each single damage is noticed */
		line[i] ^= 4;
		assert_int_equal(journal_parse_line(line, n - 1, &back, &removed), -EINVAL);
		line[i] ^= 4;
	}
	strcpy(e.set, "two\nlines");
	assert_int_equal(journal_format_line(line, &e, false), -EINVAL);
	strcpy(e.set, "1");
	strcpy(e.target, "/sys/../etc/passwd");
	assert_int_equal(journal_format_line(line, &e, false), -EINVAL);
	strcpy(e.target, "/sys//x");
	assert_int_equal(journal_format_line(line, &e, false), -EINVAL);
	e.kind = JOURNAL_CGROUP;
	e.cgroup = 4;
	strcpy(e.target, "../memory.low");
	assert_int_equal(journal_format_line(line, &e, false), -EINVAL);
	strcpy(e.target, "memory.low");
	assert_true(journal_format_line(line, &e, false) > 0);
}

static void test_values(void **state)
{
	assert_true(journal_same_value("7", "0x0007\n"));
	assert_true(journal_same_value("lzo [lz4] zstd", "lz4"));
	assert_true(journal_same_value("Y", "1"));
	assert_true(journal_same_value(" max\n", "max"));
	assert_false(journal_same_value("7", "70"));
	assert_false(journal_same_value("", "0"));
	assert_false(journal_same_value("max", "0"));
	assert_false(journal_same_value("lzo lz4", "lz4"));
	assert_false(journal_same_value("99999999999999999999999", "18446744073709551615"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_set_and_undo),
		T(test_crash),
		T(test_administrator),
		T(test_other_boot),
		T(test_adopted),
		T(test_chain),
		T(test_set_again_after_the_administrator),
		T(test_set_again_after_an_entry_alone),
		T(test_set_another_after_a_crash),
		T(test_adopted_chain),
		T(test_nothing_to_set),
		T(test_entry_first),
		T(test_a_torn_line_harms_no_other),
		T(test_one_at_a_time),
		T(test_torn_and_damaged),
		T(test_no_journal),
		T(test_devices),
		T(test_does_not_grow),
		T(test_a_slow_update_holds_up_nobody),
		T(test_threads),
		T(test_cgroup),
		T(test_cgroup_reused),
		T(test_cgroup_updates),
		T(test_cgroup_update_of_a_changed_one),
		T(test_cgroups_all_or_nothing),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
