/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sending lines to the host: over the control port that the VM's init opened as fd 9, one line
 * and one answer at a time, under the lock that the shell's `host` takes too. Without the port
 * (a try outside of the VM) the lines go to standard output.
 */
#ifndef DEMO_PORT_H
#define DEMO_PORT_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PORT_FD 9
#define PORT_LOCK "/run/host.lock"
#define PORT_LINE_MAX (64 * 1024)

/* Sends "data NAME JSON". Returns 0 or a negative errno; a line too long is -E2BIG. */
static inline int port_send(const char *name, const char *json)
{
	static int lock = -2;
	char line[PORT_LINE_MAX + 1], c = 0;
	int len, r = 0;

	if (lock == -2)
		lock = fcntl(PORT_FD, F_GETFD) < 0
			       ? -1
			       : open(PORT_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0)
		return printf("%s %s\n", name, json) < 0 || fflush(stdout) ? -EIO : 0;
	len = snprintf(line, sizeof(line), "data %s %s\n", name, json);
	if (len < 0 || (size_t)len >= sizeof(line))
		return -E2BIG;
	flock(lock, LOCK_EX);
	for (int at = 0; at < len && r == 0;) {
		ssize_t n = write(PORT_FD, line + at, (size_t)(len - at));

		if (n > 0)
			at += (int)n;
		else if (n < 0 && errno != EINTR && errno != EAGAIN)
			r = -errno;
	}
	/* The answer, "ok" as a rule; byte by byte, as what follows may be another's. */
	while (r == 0 && c != '\n') {
		ssize_t n = read(PORT_FD, &c, 1);

		if (n < 0 && errno != EINTR)
			r = -errno;
		else if (n == 0)
			r = -EPIPE;
	}
	flock(lock, LOCK_UN);
	return r;
}

#endif /* DEMO_PORT_H */
