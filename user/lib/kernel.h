/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel has a way to, and libc none. */
#ifndef EBB_LIB_KERNEL_H
#define EBB_LIB_KERNEL_H

#include <stdint.h>

#define KERNFS_HANDLE                                                                              \
	0xfe /* FILEID_KERNFS of linux/exportfs.h: the id itself, 8 bytes (since 5.5) */

/*
 * The directory of a cgroup by its id alone, so that one that took over its path is never opened
 * for it. root: any directory of the hierarchy's mount. flags: O_PATH or O_RDONLY. Needs
 * CAP_DAC_READ_SEARCH. An fd that the caller closes; -ESTALE: the group is gone.
 */
int kernel_open_cgroup(int root, uint64_t id, int flags);

/*
 * debugfs in a mount that hangs nowhere: no namespace shows it, nobody else can walk into it, and
 * it goes with its last file. An fd of its root, which the caller closes.
 */
int kernel_mount_debugfs(void);

#endif /* EBB_LIB_KERNEL_H */
