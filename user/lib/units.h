/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sizes, times and shares as people write them. The parsers take the whole
 * string (blanks around it allowed, one or more between number and unit too)
 * and return 0, -EINVAL (not of this form) or -ERANGE (does not fit).
 */
#ifndef EBB_LIB_UNITS_H
#define EBB_LIB_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define FORMAT_MAX 24 /* room for whatever a format_*() writes, NUL included */

/* "512M", "1.5G", "64KiB", "4096": powers of 1024; K M G T P, also with iB; "MB" is refused. */
int parse_size(const char *text, uint64_t *ret_bytes);

/* "30s", "2min", "1.5h", "250ms", "1d": ms, s, m or min, h, d. A unit is required. */
int parse_time(const char *text, uint64_t *ret_ms);

/* "0.1%" is 1000 parts per million; 0 to 100%, in steps of 0.0001%. The % is required. */
int parse_percent(const char *text, uint32_t *ret_ppm);

/* For people, at most 5 characters up to 1023T: "0B", "1000K", "1.5M", "12.3G". Returns buf. */
char *format_size(char buf[FORMAT_MAX], uint64_t bytes);

/* For people: "350ms", "90s", "12min", "5h", "3d". Returns buf. */
char *format_age(char buf[FORMAT_MAX], uint64_t ms);

/* "0.1%", without trailing zeros. Returns buf. */
char *format_percent(char buf[FORMAT_MAX], uint64_t ppm);

#endif /* EBB_LIB_UNITS_H */
