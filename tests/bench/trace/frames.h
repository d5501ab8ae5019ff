/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page frames of some cgroups, and when each was used last: by the generation that its struct
 * page carries, which /proc/kcore shows.
 */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one memory cgroup, as debugfs lru_gen has it. */
struct lru {
	uint64_t inode; /* of its directory: what kpagecgroup says */
	uint64_t id; /* what lru_gen calls it, and wants back */
	uint64_t max_seq, min_seq;
	uint64_t pages[4]; /* by seq % 4, anon and file together */
};

struct lrus {
	struct lru *list;
	size_t nr, max;
	bool force; /* up to 6.12 a pass needs it where there are four generations */
};

/* Reads those of the group at `path` below /sys/fs/cgroup and of all inside it. 0 or -errno. */
int lrus_read(struct lrus *l, const char *path);
/* One ageing pass over each of them. 0 or the last -errno; groups that went are no error. */
int lrus_age(const struct lrus *l);

enum frame_state {
	FRAME_OTHER, /* not of these groups */
	FRAME_IDLE, /* not used since the pass before the last one */
	FRAME_USED,
};

struct frames {
	uint64_t nr; /* page frames of the machine */
	uint64_t vmemmap; /* address of the first struct page */
	int kcore, kpagecgroup, kpageflags;
	struct segment {
		uint64_t address, size, offset;
	} * segments; /* of /proc/kcore */
	size_t nr_segments;
	unsigned int gen_shift; /* of the generation in page->flags; 0: not found yet */
	uint64_t *cgroup; /* buffers of frames_look() */
	uint64_t *flags;
	uint8_t *structs;
};

#define PAGE_STRUCT 64 /* bytes, on x86-64 */

/* 0 or -errno; -EOPNOTSUPP: this kernel shows not enough. */
int frames_open(struct frames *f);
void frames_close(struct frames *f);
/*
 * The state of each frame, right after an ageing pass: `read_bits` has a bit for each frame whose
 * page was read through a descriptor since the last look; swap[] is true for what goes to swap
 * when it is evicted (anon and shmem). Both arrays hold f->nr elements.
 */
int frames_look(struct frames *f, const struct lrus *l, const uint64_t *read_bits, uint8_t *state,
		uint8_t *swap);

#endif /* BENCH_FRAMES_H */
