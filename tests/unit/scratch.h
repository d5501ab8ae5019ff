/* SPDX-License-Identifier: GPL-2.0-only */
/* A temporary folder that goes with its process, however that ends. */
#ifndef EBB_TESTS_SCRATCH_H
#define EBB_TESTS_SCRATCH_H

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/*
 * Makes path, which ends in XXXXXX. Somebody waits for the end of a pipe that only we hold: a test
 * that is killed, or aborted by a sanitizer, cleans up nothing itself. 0, or a negative errno.
 */
static inline int scratch_make(char *path)
{
	int ends[2];
	pid_t pid;
	char c;

	if (!mkdtemp(path) || pipe(ends) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* Out of reach of what ends the tests' group, and of what reads their output. */
		setsid();
		for (int fd = 0; fd < 1024; fd++)
			if (fd != ends[0])
				close(fd);
		while (read(ends[0], &c, 1) < 0 && errno == EINTR)
			;
		execl("/bin/rm", "rm", "-rf", "--", path, (char *)NULL);
		_exit(1);
	}
	close(ends[0]);
	return 0; /* the other end stays open until we end */
}

#endif /* EBB_TESTS_SCRATCH_H */
