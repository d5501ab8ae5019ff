/* SPDX-License-Identifier: GPL-2.0-only */
/* One zram device, through /sys/block/zramN and /sys/class/zram-control. */
#ifndef EBB_ACT_ZRAM_H
#define EBB_ACT_ZRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* root: what /sys and /dev stand under. number: N of zramN. */

/* The first device that nobody has set up, made if need be; loads the module. -ENODEV: none. */
int zram_find_free(const char *root, unsigned int skip_below, unsigned int *ret_number);
bool zram_is_set_up(const char *root, unsigned int number); /* has a size */

/*
 * Sets algorithm (by a measurement of a few milliseconds), limit and size. -EBUSY: somebody else
 * was first. algorithm gets the one taken, "" where the kernel's own choice stood.
 */
int zram_set_up(const char *root, unsigned int number, uint64_t size, uint64_t limit,
		char *ret_algorithm, size_t len);
/* What it may take of memory; beyond, its writes fail. Also of one that is in use. */
int zram_limit(const char *root, unsigned int number, uint64_t limit);
void zram_algorithm(const char *root, unsigned int number, char *ret, size_t size);

/* Gives all of its memory back. -EBUSY: in use. */
int zram_reset(const char *root, unsigned int number);

int zram_read_page(const char *root, unsigned int number, unsigned char *buf, size_t page);
int zram_write_page(const char *root, unsigned int number, const unsigned char *buf, size_t page);

/* N of "/dev/zramN"; false: something else. */
bool zram_number(const char *device, unsigned int *ret);

#endif /* EBB_ACT_ZRAM_H */
