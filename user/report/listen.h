/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EBB_REPORT_LISTEN_H
#define EBB_REPORT_LISTEN_H

#include <uv.h>

/* Binds pipe to path with the owner, mode and errors that server_open() promises. */
int listen_bind(uv_pipe_t *pipe, const char *path);

#endif /* EBB_REPORT_LISTEN_H */
