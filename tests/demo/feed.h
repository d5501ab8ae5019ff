/* SPDX-License-Identifier: GPL-2.0-only */
/* Follows the files of a run in their folder and hands each complete line to the model once. */
#ifndef DEMO_FEED_H
#define DEMO_FEED_H

#include "model.h"

#define FEED_FILES 8

struct feed {
	int dir_fd;
	struct {
		int fd; /* -1: not there yet */
		char *part; /* the beginning of a line whose end is not there yet */
		size_t len, cap;
	} file[FEED_FILES];
};

/* Returns 0 or a negative errno. The files may come later. */
int feed_open(struct feed *f, const char *dir);
void feed_close(struct feed *f);

/* Reads what is new. Returns 0 or a negative errno; lines that are not understood are skipped. */
int feed_read(struct feed *f, struct model *m);

#endif /* DEMO_FEED_H */
