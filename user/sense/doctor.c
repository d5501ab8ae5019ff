// SPDX-License-Identifier: GPL-2.0-only
#include "sense/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/text.h"
#include "sense/doctor_impl.h"

static const struct {
	const char *what;
	bool required;
	void (*look)(const struct doctor_env *env, struct doctor_check *check);
} checks[] = {
	{ "cgroup v2 memory", true, doctor_cgroup },
	{ "memory.reclaim", true, doctor_reclaim },
	{ "kernel", false, doctor_kernel },
	{ "page ages", false, doctor_ages },
	{ "debugfs", false, doctor_debugfs },
	{ "BPF types", false, doctor_bpf },
	{ "pressure (PSI)", false, doctor_psi },
	{ "swap", false, doctor_swap },
	{ "page reporting", false, doctor_reporting },
	{ "compaction", false, doctor_compaction },
	{ "huge pages", false, doctor_thp },
};

_Static_assert(ARRAY_SIZE(checks) <= DOCTOR_MAX_CHECKS, "room for every check");

const char *doctor_state_name(enum doctor_state state)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_LESS] = "less",
		[DOCTOR_NO] = "no",
	};

	return (size_t)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

static int make_path(const struct doctor_env *env, char path[DOCTOR_PATH_MAX], const char *format,
		     va_list ap) __attribute__((format(printf, 3, 0)));

static int make_path(const struct doctor_env *env, char path[DOCTOR_PATH_MAX], const char *format,
		     va_list ap)
{
	int n = snprintf(path, DOCTOR_PATH_MAX, "%s", env->sysroot), m;

	if (n < 0 || n >= DOCTOR_PATH_MAX)
		return -ENAMETOOLONG;
	m = vsnprintf(path + n, (size_t)(DOCTOR_PATH_MAX - n), format, ap);
	return m < 0 || m >= DOCTOR_PATH_MAX - n ? -ENAMETOOLONG : 0;
}

ssize_t doctor_read(const struct doctor_env *env, char *buf, size_t size, const char *format, ...)
{
	char path[DOCTOR_PATH_MAX];
	va_list ap;
	int r;

	va_start(ap, format);
	r = make_path(env, path, format, ap);
	va_end(ap);
	return r < 0 ? r : read_line_at(AT_FDCWD, path, buf, size);
}

bool doctor_exists(const struct doctor_env *env, const char *format, ...)
{
	char path[DOCTOR_PATH_MAX];
	va_list ap;
	int r;

	va_start(ap, format);
	r = make_path(env, path, format, ap);
	va_end(ap);
	return r == 0 && access(path, F_OK) == 0;
}

static void set_text(char *dst, size_t size, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void set_text(char *dst, size_t size, const char *format, va_list ap)
{
	char raw[512];

	vsnprintf(raw, sizeof(raw), format, ap);
	text_printable(dst, size, raw);
}

void doctor_say(struct doctor_check *check, enum doctor_state state, const char *format, ...)
{
	va_list ap;

	check->state = state;
	va_start(ap, format);
	set_text(check->detail, sizeof(check->detail), format, ap);
	va_end(ap);
}

void doctor_advise(struct doctor_check *check, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_text(check->remedy, sizeof(check->remedy), format, ap);
	va_end(ap);
}

/* Why not, and what helps: the first requirement that is not met explains the others. */
static void judge(struct doctor_report *report)
{
	report->able = true;
	for (size_t i = 0; i < report->nr_checks; i++) {
		const struct doctor_check *c = &report->checks[i];

		if (!c->required || c->state != DOCTOR_NO)
			continue;
		report->able = false;
		snprintf(report->verdict, sizeof(report->verdict),
			 "%s. %s%sTo see ebb at work without changing this machine, run `make "
			 "demo`: it starts a VM",
			 c->detail, c->remedy, c->remedy[0] ? ". " : "");
		return;
	}
}

static int run(struct doctor_report *ret, const char *sysroot, const char *cgroup_root,
	       bool required_only)
{
	struct doctor_env env = { .sysroot = sysroot, .cgroup_root = cgroup_root };
	_cleanup_free_ struct doctor_report *report = calloc(1, sizeof(*report));
	int r;

	if (!report)
		return -ENOMEM;
	r = doctor_find_cgroups(&env);
	if (r < 0)
		return r;
	if (env.v2_memory)
		memcpy(report->cgroup_root, env.v2, sizeof(env.v2));
	memcpy(report->memory_root, env.v2_memory ? env.v2 : env.v1_memory, sizeof(env.v2));
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct doctor_check *c = &report->checks[report->nr_checks];

		if (required_only && !checks[i].required)
			continue;
		snprintf(c->what, sizeof(c->what), "%s", checks[i].what);
		c->required = checks[i].required;
		checks[i].look(&env, c);
		report->nr_checks++;
	}
	judge(report);
	memcpy(ret, report, sizeof(*ret));
	return 0;
}

int doctor_requirements(struct doctor_report *ret, const char *cgroup_root)
{
	return run(ret, "", cgroup_root, true);
}

int doctor_probe(struct doctor_report *ret, const char *sysroot, const char *cgroup_root)
{
	return run(ret, sysroot, cgroup_root, false);
}
