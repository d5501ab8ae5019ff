/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How large containers of a name and image became, across their restarts and
 * ours: what one that starts is going to ask for.
 */
#ifndef EBB_SENSE_PEAKS_H
#define EBB_SENSE_PEAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEAKS_MAX 512 /* of names and images; the one not seen for longest makes room */
#define PEAKS_KEY 128 /* longer ones are cut */

struct peak {
	char name[PEAKS_KEY];
	char image[PEAKS_KEY]; /* "" where it has none */
	uint64_t bytes;
	uint64_t seen; /* the count of notes when it was last noted */
};

struct peaks {
	struct peak *peaks;
	size_t nr;
	uint64_t notes;
	bool dirty;
};

/*
 * Reads FOLDER/peaks.json. A file that is missing or damaged is an empty one: what is
 * learned is worth a few restarts, no more. 0 or -ENOMEM.
 */
int peaks_open(struct peaks *p, const char *folder);
void peaks_close(struct peaks *p);

/*
 * What is expected, in bytes: of the same name and image; else, for a name that was made up
 * when the container was (podman's adjectives), the most of the image; 0: not known.
 */
uint64_t peaks_get(const struct peaks *p, const char *name, const char *image);

/*
 * One that had at most bytes has ended. A larger peak counts at once, a smaller
 * one by an eighth: the next burst may be the old one again.
 */
void peaks_note(struct peaks *p, const char *name, const char *image, uint64_t bytes);

/*
 * Puts a new file in the place of the old one. sync: it is on the disk then, for which it waits,
 * seconds where others write much. Without, a machine that crashes may lose it. 0 or a negative
 * errno.
 */
int peaks_save(struct peaks *p, const char *folder, bool sync);

/* The same in two parts: the text, to be freed (NULL: no memory), and its way to the disk, which
 * may be on another thread. */
char *peaks_text(struct peaks *p);
int peaks_write(const char *text, const char *folder, bool sync);

#endif /* EBB_SENSE_PEAKS_H */
