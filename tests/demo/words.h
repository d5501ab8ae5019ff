/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures and codes as a person reads them. */
#ifndef DEMO_WORDS_H
#define DEMO_WORDS_H

#include <stddef.h>

#include "model.h"

/* A reason code of `ebb list` as a clause; a code unknown here with its dashes as spaces. */
const char *reason_words(const char *code);

/* Each returns buf: "812 MiB" or "1.42 GiB"; "340 us" or "1.8 ms"; "3:07". */
const char *size_words(double bytes, char *buf, size_t len);
const char *latency_words(double us, char *buf, size_t len);
const char *clock_words(double seconds, char *buf, size_t len);

#endif /* DEMO_WORDS_H */
