/* SPDX-License-Identifier: GPL-2.0-only */
/* One HTTP/1.1 request at a time over a unix socket: as much of it as VMMs speak. */
#ifndef EBB_BROKER_REST_HTTP_H
#define EBB_BROKER_REST_HTTP_H

#include <stddef.h>
#include <uv.h>

#include "broker/backend.h"
#include "broker/stream.h"

#define REST_HTTP_REPLY_MAX                                                                        \
	(1u << 20) /* bytes, headers included: a vm.info with all its devices                      \
		    */

struct rest_http_reply {
	int status;
	const char *body; /* within the text that was parsed */
	size_t len;
};

/*
 * Pure. Returns 1 with *ret when the reply is whole, 0 when more has to come,
 * -EPROTO when this is no HTTP or of a kind that is not understood (chunked),
 * -EMSGSIZE when it will be longer than REST_HTTP_REPLY_MAX.
 */
int rest_http_parse(const char *text, size_t len, struct rest_http_reply *ret);

struct rest_http;
/* error: 0 with a reply, or a negative errno (-ETIMEDOUT, -ECONNREFUSED, -EPROTO, …). */
typedef void (*rest_http_fn)(void *arg, int error, const struct rest_http_reply *reply);

struct rest_http {
	const char *path; /* of the socket, borrowed */
	struct stream stream;
	uv_timer_t timer;
	rest_http_fn fn;
	void *arg;
	char *in;
	size_t len, size;
	char out[512];
	size_t out_len;
	int peer; /* process at the other end of the last connection; 0: not known */
	int error; /* of the request that ends */
	bool busy, complete, closing, timer_closed;
	void (*closed)(void *arg);
};

void rest_http_init(struct rest_http *h, uv_loop_t *loop, const char *path, void *arg);

/* body may be NULL. -EBUSY while another is under way; -EMSGSIZE. */
int rest_http_request(struct rest_http *h, const char *method, const char *target, const char *body,
		      rest_http_fn fn);

/* The request under way gets no answer; closed(arg) when nothing is in use. */
void rest_http_close(struct rest_http *h, void (*closed)(void *arg));

#endif /* EBB_BROKER_REST_HTTP_H */
