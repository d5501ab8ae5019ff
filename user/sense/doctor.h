/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this machine has of what ebb uses, each with the way to get what is
 * missing. Reads files only; changes nothing, and needs neither BPF nor root
 * (without root a check that cannot look says so).
 */
#ifndef EBB_SENSE_DOCTOR_H
#define EBB_SENSE_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_LESS, /* ebb runs, with less */
	DOCTOR_NO, /* not there; ebb cannot run when the check is required */
};

#define DOCTOR_MAX_CHECKS 24

struct doctor_check {
	char what[32];
	enum doctor_state state;
	bool required; /* DOCTOR_NO here is the end: exit 3 */
	char detail[256]; /* what was found, printable */
	char remedy[256]; /* "" where nothing is to be done */
};

struct doctor_report {
	bool able; /* every required check is met */
	size_t nr_checks;
	struct doctor_check checks[DOCTOR_MAX_CHECKS];
	char memory_root[256]; /* where memory is held, on v2 or v1; "": nowhere */
	char cgroup_root[256]; /* where the v2 hierarchy that holds memory is mounted; "" : none */
	char verdict[1024]; /* not able: why, and the remedy; what a main logs before exit 3 */
};

/*
 * What ebbd cannot do without: cgroup v2 that holds memory, and
 * memory.reclaim. cgroup_root: where the v2 hierarchy is mounted, NULL: look it
 * up. 0 (see able), or -ENOMEM, or what reading /proc gave.
 */
int doctor_requirements(struct doctor_report *ret, const char *cgroup_root);

/*
 * Everything. sysroot: the directory that stands for /, "" here and a tree of
 * files in a test.
 */
int doctor_probe(struct doctor_report *ret, const char *sysroot, const char *cgroup_root);

const char *doctor_state_name(enum doctor_state state); /* "ok", "less", "no" */

#endif /* EBB_SENSE_DOCTOR_H */
