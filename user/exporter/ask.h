/* SPDX-License-Identifier: GPL-2.0-only */
/* The questions that the exporter asks ebbd, over one connection. */
#ifndef EBB_EXPORTER_ASK_H
#define EBB_EXPORTER_ASK_H

#include "exporter/sample.h"

#define ASK_TIMEOUT_MS 5000 /* for both answers; a busy ebbd takes tens of milliseconds */

/*
 * `list` and `status`. Takes fd and closes it. 0 with *ret for sample_free();
 * otherwise what sample_parse() says, -ETIMEDOUT, -ECONNRESET (it hung up) or
 * -EMSGSIZE, with the reason for a person in error (SAMPLE_ERROR_MAX bytes).
 */
int ask_sample(int fd, struct sample **ret, char *error);

#endif /* EBB_EXPORTER_ASK_H */
