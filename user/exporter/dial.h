/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process of its own that can do one thing: connect to ebbd's socket and hand
 * the connection over. The one that speaks HTTP needs no right to connect, or
 * to make a socket, at all: ebbd may come and go, and its socket with it.
 */
#ifndef EBB_EXPORTER_DIAL_H
#define EBB_EXPORTER_DIAL_H

#include <stdbool.h>
#include <sys/types.h>

struct dialer {
	int fd; /* our end; -1: none */
	pid_t pid;
};

/*
 * Forks; call it before there are threads. path is ebbd's socket. The child
 * ends when our end is closed.
 */
int dialer_start(struct dialer *d, const char *path);
void dialer_stop(struct dialer *d);

/* Has it ended by itself? Then nothing brings it back. For SIGCHLD; it does not wait. */
bool dialer_ended(struct dialer *d);

/*
 * A connection to ebbd, blocking: *ret_fd is the caller's. Otherwise what
 * connect(2) said (-ENOENT, -ECONNREFUSED, -EACCES, …); -ETIMEDOUT; -EPIPE: the
 * dialer is gone.
 */
int dialer_dial(const struct dialer *d, int timeout_ms, int *ret_fd);

#endif /* EBB_EXPORTER_DIAL_H */
