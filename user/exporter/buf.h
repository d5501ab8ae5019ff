/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that grows as it is written. What goes wrong is remembered and told
 * once, by buf_take(): nothing in between has to be looked at.
 */
#ifndef EBB_EXPORTER_BUF_H
#define EBB_EXPORTER_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *text;
	size_t len;
	size_t size;
	bool failed; /* no memory */
};

void buf_add_n(struct buf *b, const char *text, size_t len);
void buf_add(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t value);
/* value / scale as a decimal fraction; scale is a power of ten. */
void buf_add_scaled(struct buf *b, uint64_t value, uint64_t scale);
/* The text as a JSON string, quotes included, in ASCII. It must be UTF-8. */
void buf_add_json(struct buf *b, const char *text);

/*
 * The text, NUL-terminated, is the caller's; the buffer is empty again. NULL
 * when memory was short somewhere.
 */
char *buf_take(struct buf *b, size_t *ret_len);

void buf_release(struct buf *b);

#define _cleanup_buf_ __attribute__((cleanup(buf_release)))

#endif /* EBB_EXPORTER_BUF_H */
