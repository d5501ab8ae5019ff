/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from elsewhere, made harmless. Names and labels of containers are hostile input. */
#ifndef EBB_LIB_TEXT_H
#define EBB_LIB_TEXT_H

#include <stddef.h>

/*
 * Copies text so that a terminal shows it and does nothing else: printable
 * ASCII stays, every other byte becomes \xNN. What does not fit is cut. NULL
 * reads as "". Returns dst, always terminated (size > 0).
 */
char *text_printable(char *dst, size_t size, const char *text);

/* The same for len bytes that need no terminator. */
char *text_printable_n(char *dst, size_t size, const char *text, size_t len);

#endif /* EBB_LIB_TEXT_H */
