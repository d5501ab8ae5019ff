// SPDX-License-Identifier: GPL-2.0-only
/* Hybrid vsock, where the guest connects: the host's socket for it, beside the VMM's own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/guest_int.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/stale.h"

#define PORT_PATH_MAX (BROKER_PATH_MAX + 16)

static void port_path(const struct guest *g, char path[PORT_PATH_MAX])
{
	snprintf(path, PORT_PATH_MAX, "%s_%d", g->config->channel, EBB_CHANNEL_VSOCK_PORT);
}

static void on_second_closed(uv_handle_t *handle)
{
	free(handle);
}

/*
 * Whoever in the guest came first has the channel. A container that connects
 * beside ebbd gets nothing; one that came before it has only what the VM's
 * own limits allow.
 */
static void turn_away(struct guest *g, uv_stream_t *listener)
{
	uv_pipe_t *pipe = malloc(sizeof(*pipe));

	if (!pipe)
		return;
	g->counts.second++;
	uv_pipe_init(g->loop, pipe, 0);
	uv_accept(listener, (uv_stream_t *)pipe);
	uv_close((uv_handle_t *)pipe, on_second_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct guest *g = listener->data;

	if (status < 0)
		return;
	if (stream_accept(&g->stream, listener) == -EBUSY)
		turn_away(g, listener);
}

/* Whoever the VMM runs as: the owner of its sockets. */
static bool find_owner(const struct vm_config *config, struct stat *ret)
{
	return (lstat(config->channel, ret) == 0 && S_ISSOCK(ret->st_mode)) ||
	       (lstat(config->vmm, ret) == 0 && S_ISSOCK(ret->st_mode));
}

/*
 * A jailed VMM has a user of its own, and connects to our socket as that. The folder is that user's
 * too, and it may put anything in our place at any time: what is given away is looked at first, by
 * its descriptor, and is a socket of ours under this one name.
 */
static void give_to_vmm(const struct guest *g, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st, owner;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != g->ino || st.st_dev != g->dev ||
	    !S_ISSOCK(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid() ||
	    !find_owner(g->config, &owner) ||
	    (st.st_uid == owner.st_uid && st.st_gid == owner.st_gid))
		return;
	if (fchownat(fd, "", owner.st_uid, owner.st_gid, AT_EMPTY_PATH) < 0)
		log_debug("%s: %s: stays this user's: %s", g->config->name, path, strerror(errno));
}

static void on_listen_again(uv_timer_t *timer)
{
	guest_listen(timer->data);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct guest *g = handle->data;

	g->handles--;
	if (!g->closing && g->anew)
		guest_listen(g);
	else if (!g->closing)
		uv_timer_start(&g->timer, on_listen_again, 4 * GUEST_RETRY_MS, 0);
	guest_finish(g);
}

/* For its owner and group alone from the first moment on. */
static int bind_port(struct guest *g, const char *path)
{
	mode_t mask = umask(0117);
	struct stat st;
	int r = uv_pipe_bind(&g->listener, path);

	umask(mask);
	if (!r && lstat(path, &st) < 0)
		r = -errno;
	if (r)
		return r;
	g->dev = st.st_dev;
	g->ino = st.st_ino;
	return 0;
}

void guest_listen(struct guest *g)
{
	char path[PORT_PATH_MAX];
	int r;

	port_path(g, path);
	r = remove_stale_socket(path);
	uv_pipe_init(g->loop, &g->listener, 0);
	g->listener.data = g;
	g->handles++;
	g->anew = false;
	if (!r)
		r = bind_port(g, path);
	if (!r)
		r = uv_listen((uv_stream_t *)&g->listener, 8, on_connection);
	g->listening = !r;
	if (!r) {
		give_to_vmm(g, path);
		return;
	}
	g->why = uv_strerror(r);
	uv_close((uv_handle_t *)&g->listener, on_listener_closed);
}

void guest_look_at_socket(struct guest *g)
{
	char path[PORT_PATH_MAX];
	struct stat st;

	if (!g->listening || g->closing)
		return;
	port_path(g, path);
	if (lstat(path, &st) == 0 && st.st_dev == g->dev && st.st_ino == g->ino) {
		give_to_vmm(g, path);
		return;
	}
	g->listening = false;
	g->anew = true;
	uv_close((uv_handle_t *)&g->listener, on_listener_closed);
}
