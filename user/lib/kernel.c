// SPDX-License-Identifier: GPL-2.0-only
#include "lib/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* uapi/linux/mount.h, which does not go with glibc's sys/mount.h from 2.36 on; musl has neither. */
#define EBB_FSOPEN_CLOEXEC 1
#define EBB_FSCONFIG_CMD_CREATE 6
#define EBB_FSMOUNT_CLOEXEC 1

int kernel_open_cgroup(int root, uint64_t id, int flags)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} u;
	int fd;

	u.handle.handle_bytes = sizeof(id);
	u.handle.handle_type = KERNFS_HANDLE;
	memcpy(u.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root, &u.handle, flags | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ESTALE : -errno;
}

int kernel_mount_debugfs(void)
{
	_cleanup_close_ int fs = syscall(SYS_fsopen, "debugfs", EBB_FSOPEN_CLOEXEC);
	int mnt;

	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, EBB_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	mnt = syscall(SYS_fsmount, fs, EBB_FSMOUNT_CLOEXEC, 0);
	return mnt < 0 ? -errno : mnt;
}
