// SPDX-License-Identifier: GPL-2.0-only
/* Who the process is, and what it may not do with files: users, capabilities, Landlock. */
#include "exporter/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ebb/wire.h"
#include "lib/capabilities.h"
#include "lib/cleanup.h"

#define USER "ebb-exporter"
#define FALLBACK_USER "nobody"

/* Of linux/landlock.h; Debian 12's is older than the kernels that this runs on. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif
#define LANDLOCK_VERSION_FLAG 1u
#define LANDLOCK_FS_1 0x1fffull /* 5.13: execute, write, read, remove, make */
#define LANDLOCK_FS_REFER (1ull << 13) /* 5.19 */
#define LANDLOCK_FS_TRUNCATE (1ull << 14) /* 6.2 */
#define LANDLOCK_FS_IOCTL_DEV (1ull << 15) /* 6.10 */
#define LANDLOCK_NET_TCP 3ull /* 6.7: bind, connect */
#define LANDLOCK_SCOPES 3ull /* 6.12: abstract sockets, signals */

struct ruleset {
	uint64_t fs;
	uint64_t net; /* from ABI 4 on */
	uint64_t scoped; /* from ABI 6 on */
};

int sandbox_keep_fd(int fd)
{
	if (fd != SANDBOX_KEPT_FD && dup2(fd, SANDBOX_KEPT_FD) < 0)
		return -errno;
	/* Not close_range(2): Linux 5.9 on, and musl does not name it. */
	for (int other = SANDBOX_KEPT_FD + 1; other < 1024; other++)
		close(other);
	return 0;
}

static int become(const struct passwd *user, const struct group *group)
{
	gid_t gid = group ? group->gr_gid : user->pw_gid;

	if (setgroups(0, NULL) < 0 || setgid(gid) < 0 || setuid(user->pw_uid) < 0)
		return -errno;
	return setuid(0) == 0 ? -EPERM : 0;
}

int sandbox_drop_privileges(char *who, size_t size)
{
	const struct rlimit none = { 0, 0 };
	int r = 0;

	if (geteuid() == 0) {
		const struct group *group = getgrnam(EBB_GROUP);
		const struct passwd *user = getpwnam(USER);

		if (!user)
			user = getpwnam(FALLBACK_USER);
		if (!user)
			return -ENOENT;
		r = become(user, group);
		snprintf(who, size, "%s, group %s%s", user->pw_name, group ? EBB_GROUP : "its own",
			 group ? ""
			       : " (there is no group " EBB_GROUP
				 ": ebbd's socket is root's alone)");
	} else {
		snprintf(who, size, "uid %u", (unsigned int)geteuid());
	}
	if (!r)
		r = capabilities_keep(0);
	/* The bounding set is no more than what executing a file could bring: nothing can be. */
	if (r == -EPERM && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		r = 0;
	if (r)
		return r;
	/* Passwords and keys: not for another process of this user, nor for a core file. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
	return 0;
}

int sandbox_fence_files(bool *ret_landlock)
{
	struct ruleset rules = { .fs = LANDLOCK_FS_1 };
	size_t size = sizeof(rules.fs);
	_cleanup_close_ int fd = -1;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);

	*ret_landlock = false;
	if (abi < 1)
		return 0; /* not built in, or not switched on */
	rules.fs |= abi >= 2 ? LANDLOCK_FS_REFER : 0;
	rules.fs |= abi >= 3 ? LANDLOCK_FS_TRUNCATE : 0;
	rules.fs |= abi >= 5 ? LANDLOCK_FS_IOCTL_DEV : 0;
	if (abi >= 4) {
		rules.net = LANDLOCK_NET_TCP;
		size = sizeof(rules.fs) + sizeof(rules.net);
	}
	if (abi >= 6) {
		rules.scoped = LANDLOCK_SCOPES;
		size = sizeof(rules);
	}
	/* No rule is added: nothing of what is handled is allowed. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return -errno;
	*ret_landlock = true;
	return 0;
}
