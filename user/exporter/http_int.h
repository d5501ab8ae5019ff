/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to http*.c. All of it belongs to the HTTP thread, but for what says otherwise. */
#ifndef EBB_EXPORTER_HTTP_INT_H
#define EBB_EXPORTER_HTTP_INT_H

#include <stdint.h>

#include <microhttpd.h>

#include "exporter/http.h"
#include "exporter/metrics.h"

/* MHD_Result came in 0.9.71; both Debians have it. */
typedef enum MHD_Result mhd_result;

struct exchange {
	struct http *http;
	struct MHD_Connection *connection;
	bool waited; /* for a fresh sample */
	bool answering;
	uint64_t since_ms; /* when the answer began */
	size_t bytes; /* of the answer */
	struct exchange *next, *prev; /* of those that are answered, oldest first */
};

/* A rendered page, for all who ask before the next sample. */
struct rendered {
	struct MHD_Response *response; /* NULL: none */
	uint64_t requests; /* store_view.requests that it was made at */
	size_t len;
};

/* A connection. Those that were cut off take a moment to go, so there are a few more. */
struct caller {
	bool taken;
	int fd; /* libmicrohttpd's */
	uint64_t turn; /* of the last whole request, or of connecting; 0: cut off */
};

#define HTTP_CALLERS (HTTP_CONNECTIONS + 32)

struct http {
	struct MHD_Daemon *daemon;
	struct http_options options;
	struct store *store;
	struct rendered metrics[METRICS_NR_FORMATS];
	struct exchange *oldest, *newest;
	size_t held; /* bytes of the answers in that list */
	uint64_t refused;
	struct caller callers[HTTP_CALLERS];
	uint64_t turns;
};

struct route {
	const char *path;
	bool open; /* small, without a password, and also while slow readers hold the memory */
	bool fresh; /* wants a sample of this second */
	mhd_result (*answer)(struct exchange *x);
};

extern const struct route http_routes[];
extern const size_t http_nr_routes;

/* http.c: an answer of len bytes was queued. */
mhd_result answer_begun(struct exchange *x, size_t len);

/* http_answer.c */
mhd_result answer_text(struct exchange *x, unsigned int status, const char *text);
mhd_result answer_page(struct exchange *x, const char *path);

#endif /* EBB_EXPORTER_HTTP_INT_H */
