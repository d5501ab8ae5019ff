// SPDX-License-Identifier: GPL-2.0-only
/* VMMs with an HTTP API: asked for their RAM until they answer, then for the balloon. */
#include "broker/rest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct backend {
	const struct rest_ops *ops;
	const struct backend_events *events;
	void *arg;
	struct rest_http http;
	uv_timer_t timer;
	uint64_t backoff_ms;
	struct rest_vm vm;
	bool ready, unable;
	bool want_info, want_actual, want_set, setting;
	bool booted; /* it took a size: its RAM is what it says, and stays so */
	uint64_t ram; /* told with ready() */
	uint64_t target; /* of the VM */
	void (*closed)(void *arg);
	void *closed_arg;
	unsigned int open;
};

static void next(struct backend *b);
static void find(uv_timer_t *timer);

static void lose(struct backend *b, int error, const char *why)
{
	bool setting = b->setting;

	b->ready = b->setting = b->want_info = b->want_set = b->want_actual = b->booted = false;
	uv_timer_start(&b->timer, find, b->backoff_ms, 0);
	b->backoff_ms = b->backoff_ms * 2 < BACKEND_RETRY_MAX_MS ? b->backoff_ms * 2
								 : BACKEND_RETRY_MAX_MS;
	if (setting)
		b->events->set_done(b->arg, -ECONNRESET, why);
	b->events->lost(b->arg, error, why);
}

/* What failed below HTTP loses the VMM; true: that was it. */
static bool lost(struct backend *b, int error)
{
	char why[BACKEND_WHY_MAX];

	if (!error)
		return false;
	if (error == -ETIMEDOUT)
		snprintf(why, sizeof(why), "%s does not answer", b->ops->name);
	else if (error == -EPROTO || error == -EMSGSIZE)
		snprintf(why, sizeof(why), "what answers there is not %s", b->ops->name);
	else
		snprintf(why, sizeof(why), "%s", uv_strerror(error));
	lose(b, error, why);
	return true;
}

static json_t *load(const struct rest_http_reply *reply)
{
	return json_loadb(reply->body, reply->len, 0, NULL);
}

static void be_unable(struct backend *b)
{
	b->unable = true;
	b->events->unable(b->arg, b->ops->no_balloon);
}

/* What was made of the RAM that it had is worth nothing: all of it anew. */
static bool lost_by_ram(struct backend *b)
{
	if (b->vm.ram == b->ram)
		return false;
	lose(b, 0, "the VM has another size of RAM than before");
	return true;
}

static void be_ready(struct backend *b)
{
	b->ready = true;
	b->unable = false;
	b->vm.no_stats = b->vm.ask_config = false;
	b->backoff_ms = BACKEND_RETRY_MIN_MS;
	b->want_actual = true;
	b->ram = b->vm.ram;
	b->events->ready(b->arg, b->ram);
}

static void on_info(void *arg, int error, const struct rest_http_reply *reply)
{
	struct backend *b = arg;
	char why[BACKEND_WHY_MAX];
	json_t *body;
	int r;

	if (lost(b, error))
		return;
	body = load(reply);
	if (reply->status != 200) {
		b->ops->read_error(reply->status, body, why, sizeof(why));
		lose(b, 0, why);
	} else {
		r = b->ops->read_info(body, &b->vm);
		if (r == -EPROTO) {
			snprintf(why, sizeof(why), "what answers there is not %s", b->ops->name);
			lose(b, 0, why);
		} else if (!b->ready || !lost_by_ram(b)) {
			if (!b->ready)
				be_ready(b);
			if (r == -ENODEV)
				be_unable(b);
		}
	}
	json_decref(body);
	next(b);
}

static void find(uv_timer_t *timer)
{
	struct backend *b = timer->data;

	rest_http_request(&b->http, "GET", b->ops->info, NULL, on_info);
}

static void on_actual(void *arg, int error, const struct rest_http_reply *reply)
{
	struct backend *b = arg;
	json_t *body;
	int r;

	if (lost(b, error))
		return;
	body = load(reply);
	r = reply->status == 200 ? b->ops->read_actual(body, &b->vm)
				 : b->ops->refused_actual(reply->status, &b->vm);
	if (!r && lost_by_ram(b)) {
		; /* and found again */
	} else if (!r) {
		uint64_t balloon = b->vm.balloon;

		b->unable = false;
		/* Firecracker passes on what the guest wrote into its device: any number. Without
		 * statistics the target stands in for it. */
		b->events->actual(b->arg, balloon < b->vm.ram ? b->vm.ram - balloon : 0);
	} else if (r == -ENODEV) {
		be_unable(b);
	} else if (r == -EAGAIN) {
		b->want_actual = true;
	} else if (reply->status == 200) {
		lost(b, r);
	} else {
		char why[BACKEND_WHY_MAX];

		b->ops->read_error(reply->status, body, why, sizeof(why));
		lose(b, 0, why);
	}
	json_decref(body);
	next(b);
}

static void on_set(void *arg, int error, const struct rest_http_reply *reply)
{
	struct backend *b = arg;
	char why[BACKEND_WHY_MAX];
	json_t *body;

	if (lost(b, error))
		return;
	b->setting = false;
	if (reply->status == 204 || reply->status == 200) {
		b->booted = true;
		b->events->set_done(b->arg, 0, NULL);
	} else {
		body = load(reply);
		b->ops->read_error(reply->status, body, why, sizeof(why));
		json_decref(body);
		b->events->set_done(b->arg, -EIO, why);
	}
	next(b);
}

static void next(struct backend *b)
{
	char body[64];

	if (!b->ready || b->http.busy || b->closed)
		return;
	if (b->want_info) {
		b->want_info = false;
		rest_http_request(&b->http, "GET", b->ops->info, NULL, on_info);
	} else if (b->want_set) {
		uint64_t balloon = b->vm.ram > b->target ? b->vm.ram - b->target : 0;

		b->want_set = false;
		b->ops->format_set(body, sizeof(body), balloon);
		rest_http_request(&b->http, b->ops->set_method, b->ops->set_target, body, on_set);
	} else if (b->want_actual) {
		b->want_actual = false;
		rest_http_request(&b->http, "GET", b->ops->actual(&b->vm), NULL, on_actual);
	}
}

static int rest_open(struct backend **ret, uv_loop_t *loop, enum vmm_kind kind, const char *path,
		     const struct backend_events *events, void *arg)
{
	struct backend *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->ops = kind == VMM_FIRECRACKER ? &rest_firecracker : &rest_cloud_hypervisor;
	b->events = events;
	b->arg = arg;
	b->backoff_ms = BACKEND_RETRY_MIN_MS;
	rest_http_init(&b->http, loop, path, b);
	uv_timer_init(loop, &b->timer);
	b->timer.data = b;
	b->open = 2;
	uv_timer_start(&b->timer, find, 0, 0);
	*ret = b;
	return 0;
}

/*
 * Firecracker answers before it is configured, with the 128 MiB that it would have by itself; and
 * where each request is a connection of its own, another VMM may have come to the same socket.
 * Cloud Hypervisor says the RAM with the balloon.
 */
static bool ram_is_apart(const struct backend *b)
{
	return strcmp(b->ops->info, b->ops->actual(&b->vm)) != 0;
}

static int rest_set(struct backend *b, uint64_t bytes)
{
	if (!b->ready)
		return -ENOTCONN;
	if (b->setting)
		return -EBUSY;
	b->target = bytes;
	b->want_info = !b->booted && ram_is_apart(b);
	b->setting = b->want_set = true;
	next(b);
	return 0;
}

static void rest_poll(struct backend *b)
{
	if (!b->ready)
		return;
	b->want_actual = true;
	b->want_info = ram_is_apart(b);
	next(b);
}

static struct backend_caps rest_caps(const struct backend *b)
{
	struct backend_caps caps = b->ops->caps;

	caps.actual = caps.actual && !b->vm.no_stats;
	caps.stats = caps.stats && !b->vm.no_stats;
	if (b->unable)
		caps.set = caps.actual = caps.stats = caps.returns_memory = false;
	return caps;
}

static int rest_pid(const struct backend *b)
{
	return b->http.peer;
}

static void part_closed(struct backend *b)
{
	if (--b->open)
		return;
	b->closed(b->closed_arg);
	free(b);
}

static void on_http_closed(void *arg)
{
	part_closed(arg);
}

static void on_timer_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

static void rest_close(struct backend *b, void (*closed)(void *arg), void *arg)
{
	b->closed = closed;
	b->closed_arg = arg;
	rest_http_close(&b->http, on_http_closed);
	uv_close((uv_handle_t *)&b->timer, on_timer_closed);
}

const struct backend_ops backend_rest = { rest_open, rest_set, rest_poll,
					  rest_caps, rest_pid, rest_close };

const struct backend_ops *backend_ops(enum vmm_kind kind)
{
	return kind == VMM_QMP ? &backend_qmp : &backend_rest;
}
