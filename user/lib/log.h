/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of a main: one line to stderr a call, with control bytes escaped
 * (names of containers end up here). Modules return errors and never log.
 * Under the journal (JOURNAL_STREAM is set) each line carries its level as
 * the <N> of sd-daemon(3); otherwise it begins with the program's name.
 */
#ifndef EBB_LIB_LOG_H
#define EBB_LIB_LOG_H

#include <stdbool.h>

void log_init(bool verbose); /* verbose: log_debug() speaks */
bool log_is_verbose(void);

void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_err(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* EBB_LIB_LOG_H */
