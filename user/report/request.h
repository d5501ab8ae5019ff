/* SPDX-License-Identifier: GPL-2.0-only */
/* One request line in, one answer line out: the part of the server without sockets. */
#ifndef EBB_REPORT_REQUEST_H
#define EBB_REPORT_REQUEST_H

#include <stddef.h>

#include "report/server.h"

/*
 * line: len bytes without the newline. *ret: the answer with its newline, from
 * malloc(); not terminated. Returns 0; -EPROTO when the line was no request (there is an answer all
 * the same, after which the client is to be dropped); -ENOMEM, without an
 * answer.
 */
int request_answer(const struct server_ops *ops, void *arg, const struct server_peer *peer,
		   const char *line, size_t len, char **ret, size_t *ret_len);

#endif /* EBB_REPORT_REQUEST_H */
