/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the BPF side share: cgroups of their own on whichever
 * hierarchy has memory, children inside them, verdicts. The programs run as
 * root on the running kernel, with nothing but /sys/fs/cgroup.
 */
#ifndef EBB_TESTS_BPFTEST_H
#define EBB_TESTS_BPFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct groups {
	int root; /* of the hierarchy with memory */
	int base; /* our own group, all others are beneath it */
	bool v1;
	char path[64]; /* of root */
	char name[32]; /* of base, below root */
};

/* Prints SKIP and exits where the test cannot run at all. */
void need_root(void);

/* A group for this test, with memory control passed on; exits on failure. */
void groups_open(struct groups *g, const char *test);
/* Kills what still runs in there and removes everything. */
void groups_close(struct groups *g);
/* A group beneath base; an fd on its directory. */
int group_make(struct groups *g, const char *name);
void group_remove(struct groups *g, const char *name);
uint64_t group_id(int dir);
/* Moves a process (0: the caller) into the group behind dir. */
void group_enter(int dir, pid_t pid);
uint64_t group_stat(const struct groups *g, int dir, const char *key);

/* A verdict: prints PASS or FAIL and what; remembers that something failed. */
bool verdict(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
void skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
int verdicts_status(void);

/* A child that waits for go_child(), runs fn(arg) in the group, and reports what it returned. */
struct child {
	pid_t pid;
	int go, back;
};

void child_start(struct child *c, int group, int64_t (*fn)(void *arg), void *arg);
/* The same, born in the group where that is possible: quicker, and no edge of being moved. */
void child_start_in(struct child *c, const struct groups *g, int group, int64_t (*fn)(void *arg),
		    void *arg);
void child_go(struct child *c);
/* Waits for the answer; the child then stays until child_end(). */
int64_t child_answer(struct child *c);
void child_end(struct child *c);

uint64_t now_ns(void);
int compare_double(const void *a, const void *b);

/* Prints the line of libbpf where EBB_VERBOSE is set. */
void print_log(void *arg, const char *line);

#endif /* EBB_TESTS_BPFTEST_H */
