/* SPDX-License-Identifier: GPL-2.0-only */
/* The real server on a real socket, in a thread beside the test. One at a time. */
#ifndef EBB_TESTS_LIVE_SERVER_H
#define EBB_TESTS_LIVE_SERVER_H

#include "report/server.h"

int live_start(const char *path, const struct server_ops *ops);

/* An error when the server left anything in the loop. */
int live_stop(void);

/* For handlers: they run in its thread. */
uv_loop_t *live_loop(void);

#endif /* EBB_TESTS_LIVE_SERVER_H */
