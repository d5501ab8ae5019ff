// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>

#include "live_server.h"

static uv_thread_t thread;
static uv_loop_t loop;
static uv_async_t stop;
static struct server *server;

static void on_stop(uv_async_t *async)
{
	server_close(server);
	uv_close((uv_handle_t *)async, NULL);
}

static void run_loop(void *arg)
{
	uv_run(&loop, UV_RUN_DEFAULT);
}

int live_start(const char *path, const struct server_ops *ops)
{
	int r = uv_loop_init(&loop);

	signal(SIGPIPE, SIG_IGN); /* as ebbd does: a client may go while it is answered */
	if (r == 0)
		r = uv_async_init(&loop, &stop, on_stop);
	if (r == 0)
		r = server_open(&server, &loop, path, ops, NULL);
	return r < 0 ? r : uv_thread_create(&thread, run_loop, NULL);
}

int live_stop(void)
{
	uv_async_send(&stop);
	uv_thread_join(&thread);
	return uv_loop_close(&loop); /* EBUSY: something was not released */
}

uv_loop_t *live_loop(void)
{
	return &loop;
}
