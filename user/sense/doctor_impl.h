/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the doctor. */
#ifndef EBB_SENSE_DOCTOR_IMPL_H
#define EBB_SENSE_DOCTOR_IMPL_H

#include <stddef.h>
#include <sys/types.h>

#include "sense/doctor.h"

#define DOCTOR_PATH_MAX 512

struct doctor_env {
	const char *sysroot; /* before every path; "" but in tests */
	const char *cgroup_root; /* as the caller gave it, or NULL */
	char v2[256]; /* the best cgroup2 mount, "": none; without sysroot */
	char v1_memory[256]; /* where v1 holds memory, "": it does not */
	bool v2_memory; /* the controller is on v2 */
};

/* Fills v2, v1_memory and v2_memory from mountinfo and the controllers. */
int doctor_find_cgroups(struct doctor_env *env);

/* As read_line_at(), below sysroot. format makes the path. */
ssize_t doctor_read(const struct doctor_env *env, char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool doctor_exists(const struct doctor_env *env, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What a check found. Text from elsewhere is made printable. */
void doctor_say(struct doctor_check *check, enum doctor_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void doctor_advise(struct doctor_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What ebb cannot do without … */
void doctor_cgroup(const struct doctor_env *env, struct doctor_check *check);
void doctor_reclaim(const struct doctor_env *env, struct doctor_check *check);

/* … and what makes it better. */
void doctor_kernel(const struct doctor_env *env, struct doctor_check *check);
void doctor_ages(const struct doctor_env *env, struct doctor_check *check);
void doctor_debugfs(const struct doctor_env *env, struct doctor_check *check);
void doctor_bpf(const struct doctor_env *env, struct doctor_check *check);
void doctor_psi(const struct doctor_env *env, struct doctor_check *check);
void doctor_swap(const struct doctor_env *env, struct doctor_check *check);
void doctor_reporting(const struct doctor_env *env, struct doctor_check *check);
void doctor_compaction(const struct doctor_env *env, struct doctor_check *check);
void doctor_thp(const struct doctor_env *env, struct doctor_check *check);

#endif /* EBB_SENSE_DOCTOR_IMPL_H */
