/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process of the exporter can still do once it serves: with the
 * descriptors that it has, and nothing else. No file is opened, nothing is
 * executed, no socket is made. Two fences, each enough for files: a seccomp
 * filter of what may be called (required), and Landlock where the kernel has it.
 */
#ifndef EBB_EXPORTER_SANDBOX_H
#define EBB_EXPORTER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#define SANDBOX_KEPT_FD 3

/* Makes fd number SANDBOX_KEPT_FD, and closes all others but 0, 1 and 2. */
int sandbox_keep_fd(int fd);

/*
 * Root becomes the user ebb-exporter, or nobody, with the group ebb where there
 * is one; whoever calls gives up all capabilities. who (size bytes) says as whom it
 * goes on. -EPERM and others: it could not; do not go on.
 */
int sandbox_drop_privileges(char *who, size_t size);

/* For the dialer: connect to unix sockets, pass descriptors, end. */
int sandbox_enter_dialer(void);

/*
 * Landlock for the calling thread and those that it starts later: no file can be
 * opened, no TCP port bound or connected to. *ret_landlock false, and 0, where the
 * kernel has it not.
 */
int sandbox_fence_files(bool *ret_landlock);

/* The filter for the server, all its threads at once; call it when they all run. */
int sandbox_enter_server(void);

#endif /* EBB_EXPORTER_SANDBOX_H */
