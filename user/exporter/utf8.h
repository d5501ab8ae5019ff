/* SPDX-License-Identifier: GPL-2.0-only */
/* UTF-8, strictly: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef EBB_EXPORTER_UTF8_H
#define EBB_EXPORTER_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#define UTF8_BAD 0xfffd /* what a byte that is part of no character reads as */

/* The character at *text, which is not at its end, and moves on beyond it. */
uint32_t utf8_next(const char **text);

/*
 * Does it act on what shows it (a terminal, a line of text), rather than being
 * shown? Control characters, and those that turn the direction of others.
 */
bool utf8_acts(uint32_t c);

#endif /* EBB_EXPORTER_UTF8_H */
