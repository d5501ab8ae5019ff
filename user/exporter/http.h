/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP side: one thread, which never waits for anybody. A request that
 * wants a fresher sample than there is rests until the store's thread has one;
 * a client that reads slowly holds its answer, and when the answers that are
 * held take too much room, the oldest is cut off. One that sends its request
 * slowly keeps nobody out: it has to make room for the next.
 */
#ifndef EBB_EXPORTER_HTTP_H
#define EBB_EXPORTER_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "exporter/store.h"

#define HTTP_CONNECTIONS 128 /* beyond them, whoever has asked for nothing for the longest goes */
#define HTTP_CONNECTIONS_OF_ONE (HTTP_CONNECTIONS / 2) /* address of a network */
#define HTTP_HELD_BYTES (32u << 20) /* of answers that are not read yet */
#define HTTP_IDLE_S 15 /* without a byte either way */
#define HTTP_ANSWER_S 60 /* for one answer */

struct http_options {
	int listen_fd; /* listening; stays the caller's */
	bool loopback; /* nobody but this machine reaches it */
	const char *cert; /* PEM, with key: TLS; NULL: none. All text is borrowed */
	const char *key;
	const char *users; /* lines USER:PASSWORD; NULL: everybody */
	size_t max_containers;
	int statm_fd; /* /proc/self/statm, or -1; stays the caller's */
};

struct http;

/* -EINVAL: it did not start; with TLS, most often for a certificate and key that do not fit. */
int http_open(struct http **ret, const struct http_options *options, struct store *store);

/* After store_stop(). NULL is fine. */
void http_close(struct http *h);

#endif /* EBB_EXPORTER_HTTP_H */
