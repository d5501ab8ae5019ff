/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small files of the kernel, beneath a held directory: never through a symbolic
 * link at the end, never inherited by a child. dirfd may be AT_FDCWD.
 */
#ifndef EBB_LIB_FILES_H
#define EBB_LIB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads the whole file into buf and ends it with a NUL. Returns the length;
 * -EFBIG when it does not fit in size - 1 bytes (buf then holds the beginning).
 */
ssize_t read_file_at(int dirfd, const char *path, char *buf, size_t size);

/* The same, without the white space at the end. */
ssize_t read_line_at(int dirfd, const char *path, char *buf, size_t size);

/* One write(2) of all of value, so that the kernel takes it as one; -EIO when cut short. */
int write_file_at(int dirfd, const char *path, const char *value);

/* A file with one number; "max" is UINT64_MAX. */
int read_u64_at(int dirfd, const char *path, uint64_t *ret);

/* All digits up to the end, a newline or a blank; "max" is UINT64_MAX. */
int parse_u64(const char *text, uint64_t *ret);

/* The value after "KEY " at the start of a line of text, as in memory.stat; false: none. */
bool find_key(const char *text, const char *key, uint64_t *ret);

#endif /* EBB_LIB_FILES_H */
