// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "exporter/http_int.h"
#include "exporter/page.h"
#include "exporter/request.h"
#include "lib/cleanup.h"

#define CONNECTION_MEMORY (16u << 10) /* headers of a request, and of its answer */
#define STACK_BYTES (256u << 10)
#define OLD_ENOUGH_MS 2000 /* an answer younger than this is not slow yet */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void list_remove(struct http *h, struct exchange *x)
{
	if (x->prev)
		x->prev->next = x->next;
	else
		h->oldest = x->next;
	if (x->next)
		x->next->prev = x->prev;
	else
		h->newest = x->prev;
	h->held -= x->bytes;
	x->answering = false;
}

/* Its reader gets an error, and the connection is cleaned up by its owner. */
static void cut_off(struct exchange *x)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
	list_remove(x->http, x);
}

static void cut_off_slow(struct http *h)
{
	uint64_t now = now_ms();

	while (h->oldest && now - h->oldest->since_ms >= HTTP_ANSWER_S * 1000ull)
		cut_off(h->oldest);
	while (h->oldest && h->held > HTTP_HELD_BYTES && now - h->oldest->since_ms >= OLD_ENOUGH_MS)
		cut_off(h->oldest);
}

mhd_result answer_begun(struct exchange *x, size_t len)
{
	struct http *h = x->http;

	x->answering = true;
	x->since_ms = now_ms();
	x->bytes = len;
	x->prev = h->newest;
	x->next = NULL;
	if (h->newest)
		h->newest->next = x;
	else
		h->oldest = x;
	h->newest = x;
	h->held += len;
	return MHD_YES;
}

/*
 * Slow requests cannot be told from honest ones but by waiting, and timeouts are
 * reset by each byte: so the place is theirs only until somebody else wants it.
 */
static void make_room(struct http *h)
{
	struct caller *oldest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(h->callers); i++) {
		struct caller *c = &h->callers[i];

		if (!c->turn)
			continue;
		n++;
		if (!oldest || c->turn < oldest->turn)
			oldest = c;
	}
	if (n <= HTTP_CONNECTIONS)
		return;
	shutdown(oldest->fd, SHUT_RDWR);
	oldest->turn = 0;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct http *h = arg;
	struct caller *c = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (c)
			*c = (struct caller){ 0 };
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	c = NULL;
	for (size_t i = 0; !c && i < ARRAY_SIZE(h->callers); i++)
		if (!h->callers[i].taken)
			c = &h->callers[i];
	if (!c || !info)
		return;
	*c = (struct caller){ .taken = true, .fd = info->connect_fd, .turn = ++h->turns };
	*context = c;
	make_room(h);
}

static void has_asked(struct http *h, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct caller *c = info ? info->socket_context : NULL;

	if (c && c->turn)
		c->turn = ++h->turns;
}

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < http_nr_routes; i++)
		if (!strcmp(http_routes[i].path, path))
			return &http_routes[i];
	return NULL;
}

static void wake(void *arg)
{
	struct exchange *x = arg;

	MHD_resume_connection(x->connection);
}

/* Before a body comes. False: it is answered already. */
static bool is_plain(struct exchange *x, const char *method, mhd_result *ret)
{
	const char *length = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *encoding = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
							   MHD_HTTP_HEADER_TRANSFER_ENCODING);

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		*ret = answer_text(x, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	else if (encoding || (length && strcmp(length, "0") != 0))
		*ret = answer_text(x, MHD_HTTP_BAD_REQUEST, "no body is wanted\n");
	else
		return true;
	x->http->refused++;
	return false;
}

/* False: it is answered already. */
static bool admitted(struct exchange *x, const struct route *route, mhd_result *ret)
{
	struct http *h = x->http;
	const char *host =
		MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
	const char *given = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
							MHD_HTTP_HEADER_AUTHORIZATION);

	cut_off_slow(h);
	if (h->options.loopback && !h->options.users && host && !request_host_is_address(host))
		*ret = answer_text(x, MHD_HTTP_FORBIDDEN,
				   "ask by address or as localhost: under another name, pages of "
				   "elsewhere could read this\n");
	else if (h->options.users && !(route && route->open) &&
		 !request_authorized(given, h->options.users))
		*ret = answer_text(x, MHD_HTTP_UNAUTHORIZED, "user and password, please\n");
	else if (h->held > HTTP_HELD_BYTES && !(route && route->open))
		*ret = answer_text(x, MHD_HTTP_SERVICE_UNAVAILABLE, "too many slow readers\n");
	else
		return true;
	h->refused++;
	return false;
}

static mhd_result on_request(void *arg, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *upload,
			     size_t *upload_size, void **context)
{
	const struct route *route = find_route(url);
	struct http *h = arg;
	struct exchange *x = *context;
	mhd_result r;

	if (!x) {
		/* The headers are there; a body would follow. */
		x = calloc(1, sizeof(*x));
		if (!x)
			return MHD_NO;
		*x = (struct exchange){ .http = h, .connection = connection };
		*context = x;
		has_asked(h, connection);
		return is_plain(x, method, &r) ? MHD_YES : r;
	}
	if (!x->waited) {
		if (!admitted(x, route, &r))
			return r;
		x->waited = true;
		if (route && route->fresh) {
			/* Before it is asked for: the answer may be there at once. */
			MHD_suspend_connection(connection);
			if (!store_refresh(h->store, wake, x))
				return MHD_YES;
			MHD_resume_connection(connection);
			return MHD_YES;
		}
	}
	return route ? route->answer(x) : answer_page(x, url);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *context;

	if (!x)
		return;
	if (x->answering)
		list_remove(x->http, x);
	free(x);
	*context = NULL;
}

int http_open(struct http **ret, const struct http_options *options, struct store *store)
{
	unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	struct http *h = calloc(1, sizeof(*h));
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (!h)
		return -ENOMEM;
	h->options = *options;
	h->store = store;
	if (options->cert)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	h->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, options->listen_fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, h, MHD_OPTION_CONNECTION_LIMIT, HTTP_CALLERS,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->loopback ? 0 : HTTP_CONNECTIONS_OF_ONE,
		MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
		MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (!h->daemon) {
		free(h);
		return -EINVAL;
	}
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);
	for (size_t i = 0; i < ARRAY_SIZE(h->metrics); i++)
		if (h->metrics[i].response)
			MHD_destroy_response(h->metrics[i].response);
	free(h);
}
