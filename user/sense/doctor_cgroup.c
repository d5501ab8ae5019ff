// SPDX-License-Identifier: GPL-2.0-only
/* Which hierarchy holds memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sense/doctor_impl.h"

/* One of the words of text is word; they are divided by any of the characters in delim. */
static bool has_word(const char *text, const char *word, const char *delim)
{
	size_t n = strlen(word);

	for (const char *p = text; *p; p += strcspn(p, delim)) {
		p += strspn(p, delim);
		if (!strncmp(p, word, n) && (!p[n] || strchr(delim, p[n])))
			return true;
	}
	return false;
}

/* mountinfo writes blanks and backslashes as three octal digits. In place. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*out++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 3;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
}

static bool v2_has_memory(const struct doctor_env *env, const char *mount)
{
	char text[512];

	return doctor_read(env, text, sizeof(text), "%s/cgroup.controllers", mount) >= 0 &&
	       has_word(text, "memory", " ");
}

/* "ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS … - FSTYPE SOURCE SUPEROPTIONS" */
static void take_mount(struct doctor_env *env, char *line)
{
	char root[64], mount[256], type[16], options[256];
	const char *tail = strstr(line, " - ");

	if (!tail || sscanf(line, "%*d %*d %*s %63s %255s", root, mount) != 2 ||
	    sscanf(tail, " - %15s %*s %255s", type, options) != 2 || strcmp(root, "/"))
		return;
	unescape(mount);
	if (!strcmp(type, "cgroup") && has_word(options, "memory", ",") && !env->v1_memory[0]) {
		memcpy(env->v1_memory, mount, sizeof(mount));
	} else if (!strcmp(type, "cgroup2") && !env->v2_memory) {
		bool memory = v2_has_memory(env, mount);

		if (!memory && env->v2[0])
			return;
		memcpy(env->v2, mount, sizeof(mount));
		env->v2_memory = memory;
	}
}

int doctor_find_cgroups(struct doctor_env *env)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char path[DOCTOR_PATH_MAX];
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", env->sysroot);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (getline(&line, &size, f) >= 0)
		take_mount(env, line);
	if (ferror(f))
		return -EIO;
	if (env->cgroup_root) {
		snprintf(env->v2, sizeof(env->v2), "%s", env->cgroup_root);
		env->v2_memory = v2_has_memory(env, env->v2);
	}
	return 0;
}

/* The fourth column of /proc/cgroups; true where it cannot be told. */
static bool memory_is_enabled(const struct doctor_env *env)
{
	char text[4096], *line;
	int enabled;

	if (doctor_read(env, text, sizeof(text), "/proc/cgroups") < 0)
		return true;
	line = strstr(text, "\nmemory\t");
	return !line || sscanf(line, " memory %*d %*d %d", &enabled) != 1 || enabled;
}

void doctor_cgroup(const struct doctor_env *env, struct doctor_check *check)
{
	char text[512];

	if (env->v2_memory) {
		ssize_t n =
			doctor_read(env, text, sizeof(text), "%s/cgroup.subtree_control", env->v2);

		if (n < 0 || has_word(text, "memory", " ")) {
			doctor_say(check, DOCTOR_OK, "memory is held by cgroup v2 at %s", env->v2);
			return;
		}
		doctor_say(check, DOCTOR_LESS, "cgroup v2 at %s does not pass memory on to groups",
			   env->v2);
		doctor_advise(check, "echo +memory > %s/cgroup.subtree_control", env->v2);
		return;
	}
	if (env->v1_memory[0]) {
		doctor_say(check, DOCTOR_NO,
			   "memory is held by the cgroup v1 hierarchy at %s; ebb needs it on v2",
			   env->v1_memory);
		doctor_advise(check, "Boot with cgroup_no_v1=all on the kernel command line (with "
				     "systemd: systemd.unified_cgroup_hierarchy=1)");
		return;
	}
	if (!memory_is_enabled(env)) {
		doctor_say(check, DOCTOR_NO, "the memory controller is switched off");
		doctor_advise(check,
			      "Remove cgroup_disable=memory from the kernel command line, or "
			      "add cgroup_enable=memory");
		return;
	}
	if (env->v2[0]) {
		doctor_say(check, DOCTOR_NO, "cgroup v2 at %s has no memory controller", env->v2);
		doctor_advise(check,
			      "Run on the machine itself, not in a container; the kernel needs "
			      "CONFIG_MEMCG");
		return;
	}
	doctor_say(check, DOCTOR_NO, "no cgroup v2 hierarchy is mounted");
	doctor_advise(check, "mount -t cgroup2 none /sys/fs/cgroup");
}

void doctor_reclaim(const struct doctor_env *env, struct doctor_check *check)
{
	if (!env->v2_memory) {
		doctor_say(check, DOCTOR_NO, "not to be seen before memory is on cgroup v2");
		return;
	}
	if (doctor_exists(env, "%s/memory.reclaim", env->v2)) {
		doctor_say(check, DOCTOR_OK, "groups can be asked to give memory back");
		return;
	}
	doctor_say(check, DOCTOR_NO, "this kernel has no memory.reclaim");
	doctor_advise(check, "A kernel of 5.19 or later, better 6.1 or later");
}
