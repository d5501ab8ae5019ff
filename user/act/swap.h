/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compressed swap. A swap that is there is respected; where there is none, a
 * zram device of ours becomes one, before there is pressure (enabling it
 * late has the worst tail latency).
 *
 * The device is entered in the journal with the UUID of the swap header that
 * we write: after a crash it is ours only if it still carries it, and then
 * it is adopted, for containers' pages live in it.
 */
#ifndef EBB_ACT_SWAP_H
#define EBB_ACT_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/act.h"

struct swap_ctx {
	const char *root; /* what /proc, /sys and /dev stand under */
	struct journal *journal;
	uint64_t cap; /* bytes that the machine may use; 0: all of it */
	uint64_t seq; /* of our device's entry; 0: none of ours */
	uint64_t ram; /* bytes: the most that MemTotal has been; a balloon may take from it */
};

/* Adopts, clears up after a crash, sets up. What cannot be is said in info->reason. */
void swap_open(struct swap_ctx *s, enum ebb_compress compress, bool dry_run,
	       struct act_swap_info *info);

/* The cap is another one: so is what our device, if there is one, may take of memory. */
void swap_set_cap(struct swap_ctx *s, uint64_t cap);

/*
 * Takes our device away again: 0, or -ENOMEM, -ETIMEDOUT, … with the reason,
 * and the swap stays as it was (and in the journal). The kernel is not made
 * to try what cannot succeed: swapoff would make us the first to be killed.
 */
int swap_close(struct swap_ctx *s, uint32_t deadline_ms, char *reason, size_t size);

/*
 * swapoff of the device at path. -ETIMEDOUT: it was told to give up, by signal,
 * and the swap stays; or it does not heed that, and goes on behind us.
 */
int swap_off(const char *path, uint32_t deadline_ms);

/* --- parts, for tests --- */

struct swap_entry {
	char device[64]; /* unescaped */
	uint64_t size, used; /* bytes */
	int priority;
};
/* /proc/swaps, the highest priority first; returns how many, at most max. */
size_t swap_parse(const char *text, struct swap_entry *ret, size_t max);

/* The size that a zram device is to have, and the memory it may take at most; cap 0: none. */
void swap_size_rule(uint64_t mem_total, uint64_t cap, uint64_t *ret_size, uint64_t *ret_limit);

/*
 * Of what comp_algorithm offers: the one that compresses best, or (fast) the
 * quickest; false: none that we know.
 */
bool swap_choose_algorithm(const char *offered, bool fast, char *ret, size_t size);

#define SWAP_UUID_LEN 37
/* One page with the header of a version 1 swap; page: its size. uuid: 16 bytes. */
void swap_make_header(unsigned char *buf, size_t page, uint64_t pages, const unsigned char *uuid);
/* Its UUID as text; -EINVAL: no swap header; -ENODATA: nothing but zeros. */
int swap_read_header(const unsigned char *buf, size_t page, char ret_uuid[SWAP_UUID_LEN]);

#endif /* EBB_ACT_SWAP_H */
