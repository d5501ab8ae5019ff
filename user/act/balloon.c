// SPDX-License-Identifier: GPL-2.0-only
/* What the caller has of the link to the host: opened, told of, closed. */
#include "act/balloon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/balloon_int.h"
#include "lib/files.h"

void balloon_tell(struct balloon *b, unsigned int heard)
{
	for (int e = BALLOON_LINK; e <= BALLOON_PRESSURE; e++)
		if ((heard & HEARD(e)) && b->fn && !b->closing)
			b->fn(b->arg, (enum balloon_event)e, &b->talk.state);
}

void balloon_unref(struct balloon *b)
{
	if (--b->refs == 0)
		free(b);
}

static void on_closed(uv_handle_t *handle)
{
	balloon_unref(handle->data);
}

static void copy_options(struct balloon *b, const struct balloon_options *o)
{
	char boot[64];

	b->by_default = !o->port;
	b->no_port = o->port && !*o->port;
	snprintf(b->port, sizeof(b->port), "%s", o->port ? o->port : "");
	b->cid = o->vsock_cid ? o->vsock_cid : 2;
	b->vsock_port = o->vsock_port ? o->vsock_port : EBB_CHANNEL_VSOCK_PORT;
	b->ttl_ms = o->ttl_ms ? o->ttl_ms : EBB_CHANNEL_TTL_MS;
	b->ram = o->ram;
	if (o->name)
		snprintf(b->name, sizeof(b->name), "%s", o->name);
	else if (gethostname(b->name, sizeof(b->name) - 1) < 0)
		b->name[0] = '\0';
	if (read_line_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, sizeof(boot)) < 0)
		strcpy(boot, "unknown");
	snprintf(b->boot, sizeof(b->boot), "%s", boot);
}

int balloon_open(struct balloon **ret, uv_loop_t *loop, const struct balloon_options *opts,
		 balloon_fn fn, void *arg)
{
	struct balloon *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->loop = loop;
	b->fd = -1;
	b->fn = fn;
	b->arg = arg;
	b->backoff_ms = BALLOON_RETRY_MIN_MS;
	b->reader = (struct channel_reader){ .buf = b->in, .size = sizeof(b->in) };
	b->talk.state.means = "";
	copy_options(b, opts);
	/* These two cannot fail. */
	uv_timer_init(loop, &b->retry);
	uv_timer_init(loop, &b->renew);
	b->retry.data = b->renew.data = b;
	b->refs = 2;
	/* Not before the caller has its pointer. */
	balloon_look_soon(b);
	*ret = b;
	return 0;
}

const struct balloon_state *balloon_state(const struct balloon *b)
{
	return &b->talk.state;
}

void balloon_close(struct balloon *b)
{
	if (!b)
		return;
	if (b->talk.state.link == BALLOON_TALKING && !b->out_len && b->talk.state.seq) {
		b->want = 0;
		balloon_make_lease(b);
		if (write(b->fd, b->out, b->out_len) < 0)
			b->out_len = 0; /* closing says the same */
	}
	b->closing = true;
	b->fn = NULL;
	uv_close((uv_handle_t *)&b->retry, on_closed);
	uv_close((uv_handle_t *)&b->renew, on_closed);
	balloon_unplug(b);
}
