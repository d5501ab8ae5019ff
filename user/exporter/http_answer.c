// SPDX-License-Identifier: GPL-2.0-only
/* The routes, and what they answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exporter/http_int.h"
#include "exporter/page.h"
#include "exporter/request.h"
#include "lib/cleanup.h"

#define JSON "application/json"
#define TEXT "text/plain; charset=utf-8"

/* Nothing from elsewhere, nothing inline, and nobody may frame it. */
#define POLICY                                                                                     \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static void add_common(struct MHD_Response *response, const char *cache)
{
	if (!response)
		return;
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Content-Security-Policy", POLICY);
	MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache);
}

/* Takes over the response's reference. */
static mhd_result answer_response(struct exchange *x, unsigned int status,
				  struct MHD_Response *response, const char *type, size_t len)
{
	mhd_result r;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	r = MHD_queue_response(x->connection, status, response);
	MHD_destroy_response(response);
	return r == MHD_YES ? answer_begun(x, len) : r;
}

mhd_result answer_text(struct exchange *x, unsigned int status, const char *text)
{
	size_t len = strlen(text);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, (void *)text, MHD_RESPMEM_MUST_COPY);

	add_common(response, "no-store");
	if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (response && status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
					"Basic realm=\"ebb\", charset=\"UTF-8\"");
	if (response && status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "5");
	return answer_response(x, status, response, TEXT, len);
}

/* Takes what was written; nothing there: out of memory. */
static mhd_result answer_buf(struct exchange *x, unsigned int status, struct buf *b,
			     const char *type)
{
	struct MHD_Response *response = NULL;
	size_t len = 0;
	char *text = buf_take(b, &len);

	if (text)
		response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (text && !response)
		free(text);
	add_common(response, "no-store");
	return answer_response(x, status, response, type, len);
}

static mhd_result answer_error_json(struct exchange *x, unsigned int status, const char *error)
{
	struct buf b = { 0 };

	buf_add(&b, "{\"error\":");
	buf_add_json(&b, error);
	buf_add(&b, "}\n");
	return answer_buf(x, status, &b, JSON);
}

mhd_result answer_page(struct exchange *x, const char *path)
{
	const struct page_file *file = page_find(path);
	const char *known = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
							MHD_HTTP_HEADER_IF_NONE_MATCH);
	struct MHD_Response *response;
	char etag[24];
	size_t len;

	if (!file)
		return answer_text(x, MHD_HTTP_NOT_FOUND,
				   "there are: / /metrics /healthz /readyz /api/list /api/status "
				   "/api/history\n");
	page_etag(file, etag);
	len = known && !strcmp(known, etag) ? 0 : (size_t)(file->data_end - file->data);
	response = MHD_create_response_from_buffer(len, (void *)file->data, MHD_RESPMEM_PERSISTENT);
	add_common(response, "no-cache");
	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
	return answer_response(x, len ? MHD_HTTP_OK : MHD_HTTP_NOT_MODIFIED, response, file->type,
			       len);
}

/* --- metrics ---------------------------------------------------------------- */

static uint64_t own_rss(int statm_fd)
{
	char text[128] = "";
	unsigned long long size, resident;

	if (statm_fd < 0 || pread(statm_fd, text, sizeof(text) - 1, 0) <= 0 ||
	    sscanf(text, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t own_cpu_us(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
}

static void render(struct http *h, enum metrics_format format, const struct store_view *v)
{
	struct metrics_self self = { .requests = v->requests,
				     .failures = v->failures,
				     .request_us = v->request_us,
				     .rss = own_rss(h->options.statm_fd),
				     .cpu_us = own_cpu_us(),
				     .history_bytes = v->history_bytes,
				     .refused = h->refused };
	struct metrics_limits limits = { .max_containers = h->options.max_containers };
	struct rendered *m = &h->metrics[format];
	char *text;

	if (m->response)
		MHD_destroy_response(m->response); /* who reads it still holds it */
	m->response = NULL;
	text = metrics_render(format, v->sample, &self, &limits, &m->len);
	if (!text)
		return;
	m->response = MHD_create_response_from_buffer(m->len, text, MHD_RESPMEM_MUST_FREE);
	if (!m->response) {
		free(text);
		return;
	}
	m->requests = v->requests;
	add_common(m->response, "no-store");
	MHD_add_response_header(m->response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
	MHD_add_response_header(m->response, MHD_HTTP_HEADER_CONTENT_TYPE,
				metrics_content_type(format));
}

static mhd_result answer_metrics(struct exchange *x)
{
	enum metrics_format format = request_format(MHD_lookup_connection_value(
		x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	struct http *h = x->http;
	struct rendered *m = &h->metrics[format];
	struct store_view view;

	store_get(h->store, &view);
	if (!m->response || m->requests != view.requests)
		render(h, format, &view);
	store_put(h->store, &view);
	if (!m->response || MHD_queue_response(x->connection, MHD_HTTP_OK, m->response) != MHD_YES)
		return MHD_NO;
	return answer_begun(x, m->len);
}

/* --- /api, as ebbd said it ----------------------------------------------------- */

struct held {
	struct store *store;
	struct store_view view;
};

static void release(void *arg)
{
	struct held *held = arg;

	store_put(held->store, &held->view);
	free(held);
}

static mhd_result answer_raw(struct exchange *x, bool list)
{
	struct held *held = malloc(sizeof(*held));
	struct MHD_Response *response;
	struct sample *s;
	size_t len;

	if (!held)
		return MHD_NO;
	held->store = x->http->store;
	store_get(held->store, &held->view);
	s = held->view.sample;
	if (!s) {
		mhd_result r = answer_error_json(x, MHD_HTTP_SERVICE_UNAVAILABLE, held->view.error);

		release(held);
		return r;
	}
	len = list ? s->list_len : s->status_len;
	response = MHD_create_response_from_buffer_with_free_callback_cls(
		len, list ? s->list : s->status, release, held);
	if (!response)
		release(held);
	add_common(response, "no-store");
	return answer_response(x, MHD_HTTP_OK, response, JSON, len);
}

static mhd_result answer_list(struct exchange *x)
{
	return answer_raw(x, true);
}

static mhd_result answer_status(struct exchange *x)
{
	return answer_raw(x, false);
}

static mhd_result answer_history(struct exchange *x)
{
	const char *span =
		MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "span");
	const char *id = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "id");
	uint64_t ids[HISTORY_MAX_IDS];
	struct buf b = { 0 };
	int n = request_ids(id, ids, ARRAY_SIZE(ids));

	if (n < 0)
		return answer_error_json(x, MHD_HTTP_BAD_REQUEST,
					 n == -E2BIG ? "at most 64 ids at once"
						     : "id is a list such as 12,34");
	if (span && strcmp(span, "recent") != 0 && strcmp(span, "day") != 0)
		return answer_error_json(x, MHD_HTTP_BAD_REQUEST, "span is recent or day");
	store_history(x->http->store,
		      span && !strcmp(span, "day") ? HISTORY_SPAN_DAY : HISTORY_SPAN_RECENT, ids,
		      (size_t)n, &b);
	return answer_buf(x, MHD_HTTP_OK, &b, JSON);
}

/* --- for supervisors -------------------------------------------------------------- */

/*
 * It says that the exporter serves, and so waits for nobody; starting it again would not bring
 * ebbd back. The text is of the last time that ebbd was asked.
 */
static mhd_result answer_healthz(struct exchange *x)
{
	struct store_view view;
	mhd_result r;

	store_get(x->http->store, &view);
	r = answer_text(x, MHD_HTTP_OK,
			view.requests && !view.sample ? "ok, but ebbd is away\n" : "ok\n");
	store_put(x->http->store, &view);
	return r;
}

static mhd_result answer_readyz(struct exchange *x)
{
	struct store_view view;
	char text[SAMPLE_ERROR_MAX + 16];
	bool away;

	store_get(x->http->store, &view);
	away = !view.sample;
	snprintf(text, sizeof(text), "%s\n", away ? view.error : "ok");
	store_put(x->http->store, &view);
	return answer_text(x, away ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, text);
}

const struct route http_routes[] = {
	{ "/metrics", false, true, answer_metrics },
	{ "/api/list", false, true, answer_list },
	{ "/api/status", false, true, answer_status },
	{ "/api/history", false, false, answer_history },
	{ "/healthz", true, false, answer_healthz },
	{ "/readyz", false, true, answer_readyz },
};
const size_t http_nr_routes = ARRAY_SIZE(http_routes);
