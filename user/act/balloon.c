// SPDX-License-Identifier: GPL-2.0-only
/*
 * The link to the host on the loop: found, kept, lost, found again.
 *
 * A virtio-serial port without a host behind it polls readable and reads
 * nothing, for ever; so it is polled only while a host is there, and a timer
 * looks whether one came. The port stays open meanwhile. A vsock stream ends
 * with its host and is made anew.
 */
#include "act/balloon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "act/balloon_int.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define RETRY_MIN_MS 250
#define RETRY_MAX_MS 2000 /* a broker that was restarted waits a little longer than that for us */
#define ANSWER_MS 5000 /* a host that says nothing for so long is taken for gone */
#define SPACING_MS 100 /* between two leases, whatever the caller wants */
#define TURNS_MAX 8 /* reads before others on the loop have their turn */

struct balloon {
	uv_loop_t *loop;
	uv_timer_t retry;
	uv_timer_t renew;
	uv_poll_t poll;
	unsigned int refs; /* handles that are open */
	bool polling; /* poll is initialized */
	bool connecting; /* vsock: not writable yet */
	bool serial; /* fd is a port */
	bool closing;
	int fd;
	uint64_t backoff_ms;

	balloon_fn fn;
	void *arg;
	struct balloon_talk talk;
	uint64_t want, idle, ttl_ms, ram;
	uint32_t cid, vsock_port;
	bool due; /* a lease is to be sent as soon as the last line is out */
	bool by_default; /* no path given */
	bool no_port;
	char port[128], name[64], boot[EBB_CHANNEL_BOOT_LEN + 1];

	size_t out_len, out_sent;
	char out[1024];
	char in[EBB_CHANNEL_LINE_MAX];
	struct channel_reader reader;
};

static void look(struct balloon *b);
static void on_ready(uv_poll_t *poll, int status, int events);

static void tell(struct balloon *b, unsigned int heard)
{
	for (int e = BALLOON_LINK; e <= BALLOON_PRESSURE; e++)
		if ((heard & HEARD(e)) && b->fn && !b->closing)
			b->fn(b->arg, (enum balloon_event)e, &b->talk.state);
}

static void on_retry(uv_timer_t *timer)
{
	look(timer->data);
}

static void retry_later(struct balloon *b)
{
	if (b->closing)
		return;
	uv_timer_start(&b->retry, on_retry, b->backoff_ms, 0);
	b->backoff_ms *= 2;
	if (b->backoff_ms > RETRY_MAX_MS)
		b->backoff_ms = RETRY_MAX_MS;
}

static void unref(struct balloon *b)
{
	if (--b->refs == 0)
		free(b);
}

static void on_closed(uv_handle_t *handle)
{
	unref(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct balloon *b = handle->data;

	close(b->fd);
	b->fd = -1;
	b->polling = false;
	retry_later(b);
	unref(b);
}

/* There is no such thing as a partly sent line to somebody else. */
static void forget_lines(struct balloon *b)
{
	b->out_len = b->out_sent = 0;
	b->due = false;
	channel_reader_reset(&b->reader);
	uv_timer_stop(&b->renew);
}

/* The host is gone; the port, where it is one, stays. */
static void hang_up(struct balloon *b, const char *reason)
{
	unsigned int heard = balloon_lose(&b->talk, BALLOON_WAITING, reason);

	forget_lines(b);
	if (uv_is_closing((uv_handle_t *)&b->poll))
		return;
	if (b->serial) {
		uv_poll_stop(&b->poll);
		retry_later(b);
	} else {
		uv_close((uv_handle_t *)&b->poll, on_poll_closed);
	}
	tell(b, heard);
}

/* The device itself is gone, or fails. */
static void drop(struct balloon *b, const char *reason)
{
	b->serial = false;
	hang_up(b, reason);
}

static void watch(struct balloon *b)
{
	int events = b->connecting ? UV_WRITABLE : UV_READABLE;

	if (b->out_sent < b->out_len)
		events |= UV_WRITABLE;
	uv_poll_start(&b->poll, events, on_ready);
}

static void make_lease(struct balloon *b);

/* Sends what there is; what the host does not take yet waits until it does. */
static void flush(struct balloon *b)
{
	while (b->out_sent < b->out_len) {
		ssize_t n = write(b->fd, b->out + b->out_sent, b->out_len - b->out_sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			drop(b, n < 0 ? strerror(errno) : "the port takes nothing");
			return;
		}
		b->out_sent += (size_t)n;
		if (b->out_sent == b->out_len) {
			b->out_sent = b->out_len = 0;
			if (b->due)
				make_lease(b);
		}
	}
	watch(b);
}

/* Puts one line after what is not sent yet; false: no room. */
static bool say(struct balloon *b, const struct channel_message *m)
{
	int n = channel_format(b->out + b->out_len, sizeof(b->out) - b->out_len, m);

	if (n < 0)
		return false;
	b->out_len += (size_t)n;
	if (!b->talk.asked_ns)
		b->talk.asked_ns = uv_hrtime();
	return true;
}

static void make_lease(struct balloon *b)
{
	struct balloon_state *s = &b->talk.state;
	struct channel_message m = { .type = CHANNEL_LEASE,
				     .seq = s->seq + 1,
				     .want = b->want,
				     .idle = b->idle,
				     .ttl_ms = b->ttl_ms };

	b->due = false;
	if (!b->want)
		m = (struct channel_message){ .type = CHANNEL_BYE };
	if (!say(b, &m))
		return;
	s->want = b->want;
	if (!b->want) {
		b->talk.asked_ns = 0; /* nothing is said to it */
		return;
	}
	s->seq++;
	s->sent++;
	b->talk.lease_ns = uv_hrtime();
}

static void on_renew(uv_timer_t *timer);

/* A lease goes out now, or as soon as there is room and the last one is long enough ago. */
static void lease(struct balloon *b)
{
	const struct balloon_state *s = &b->talk.state;
	uint64_t every = (s->ttl_ms && s->ttl_ms < b->ttl_ms ? s->ttl_ms : b->ttl_ms) / 3;
	uint64_t since = (uv_hrtime() - b->talk.lease_ns) / 1000000;

	if (s->link != BALLOON_TALKING)
		return;
	if (s->seq && b->want && since < SPACING_MS) {
		uv_timer_start(&b->renew, on_renew, SPACING_MS - since, 0);
		return;
	}
	if (b->out_len)
		b->due = true;
	else
		make_lease(b);
	if (b->want)
		uv_timer_start(&b->renew, on_renew, every, 0);
	else
		uv_timer_stop(&b->renew);
	flush(b);
}

static void on_renew(uv_timer_t *timer)
{
	struct balloon *b = timer->data;
	uint64_t asked = b->talk.asked_ns;

	if (asked && uv_hrtime() - asked > ANSWER_MS * 1000000ull) {
		b->backoff_ms = RETRY_MIN_MS;
		hang_up(b, "the host does not answer");
		return;
	}
	if (b->talk.state.link == BALLOON_TALKING)
		lease(b);
	else
		uv_timer_start(&b->renew, on_renew, ANSWER_MS / 4, 0);
}

static void make_session(char session[EBB_CHANNEL_SESSION_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[EBB_CHANNEL_SESSION_LEN / 2];

	/* Early in boot there may be no randomness; a clock is session enough. */
	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != (ssize_t)sizeof(bytes)) {
		uint64_t now = uv_hrtime();

		memcpy(bytes, &now, sizeof(bytes));
	}
	for (size_t i = 0; i < sizeof(bytes); i++) {
		session[2 * i] = hex[bytes[i] >> 4];
		session[2 * i + 1] = hex[bytes[i] & 15];
	}
	session[2 * sizeof(bytes)] = '\0';
}

static void greet(struct balloon *b)
{
	struct channel_message m = { .type = CHANNEL_HELLO,
				     .version = EBB_CHANNEL_VERSION,
				     .agent = "ebbd " EBB_VERSION,
				     .ram = b->ram };

	forget_lines(b);
	b->talk.state.connects++;
	make_session(b->talk.session);
	strcpy(m.session, b->talk.session);
	strcpy(m.boot, b->boot);
	strcpy(m.name, b->name);
	say(b, &m);
	/* Looks whether an answer came. */
	uv_timer_start(&b->renew, on_renew, ANSWER_MS / 4, 0);
	flush(b);
}

static void hear(struct balloon *b, const char *data, size_t len)
{
	bool was = b->talk.state.link == BALLOON_TALKING;
	unsigned int heard = 0;
	size_t line;

	while (channel_read(&b->reader, &data, &len, &line))
		heard |= balloon_hear(&b->talk, b->in, line, uv_hrtime());
	/* A welcome in the middle asks whether the lease still stands. */
	if (b->talk.state.link == BALLOON_TALKING && (!was || heard & HEARD(BALLOON_LINK))) {
		b->backoff_ms = RETRY_MIN_MS;
		if (b->want)
			lease(b);
	}
	tell(b, heard);
}

static void on_readable(struct balloon *b)
{
	for (int turn = 0; turn < TURNS_MAX && uv_is_active((uv_handle_t *)&b->poll); turn++) {
		char chunk[1024];
		ssize_t n = read(b->fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			drop(b, strerror(errno));
			return;
		}
		if (n == 0) {
			hang_up(b, "no broker at the host's end");
			return;
		}
		hear(b, chunk, (size_t)n);
		if (b->talk.again) {
			char reason[sizeof(b->talk.state.reason)];

			strcpy(reason, b->talk.state.reason);
			hang_up(b, reason);
			return;
		}
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct balloon *b = poll->data;

	if (status < 0) {
		drop(b, uv_strerror(status));
		return;
	}
	if (b->connecting) {
		int error = 0;
		socklen_t len = sizeof(error);

		b->connecting = false;
		if (getsockopt(b->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			error = errno;
		if (error)
			drop(b, strerror(error));
		else
			greet(b);
		return;
	}
	if (events & UV_READABLE)
		on_readable(b);
	if ((events & UV_WRITABLE) && b->out_len && uv_is_active((uv_handle_t *)&b->poll))
		flush(b);
}

/* Is somebody at the other end of the port? */
static bool port_has_host(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) >= 0 && !(p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static int find(struct balloon *b)
{
	int port = b->no_port ? -ENOENT : balloon_open_port(b->by_default ? NULL : b->port);

	b->serial = port >= 0;
	b->talk.state.means = "virtio-serial";
	/* A port that is there but not to be had is the port to wait for. */
	if (port >= 0 || (port != -ENOENT && port != -ENXIO && port != -ENODEV))
		return port;
	b->talk.state.means = "vsock";
	if (b->cid != UINT32_MAX) {
		port = balloon_open_vsock(b->cid, b->vsock_port);
		b->connecting = port >= 0;
	}
	if (port < 0)
		b->talk.state.means = "";
	return port;
}

static bool is_absent(int r)
{
	return r == -ENOENT || r == -ENODEV || r == -ENXIO || r == -EAFNOSUPPORT ||
	       r == -ENETUNREACH || r == -EADDRNOTAVAIL;
}

/* Nothing is open, or the port has no host yet: is there one now? */
static void look(struct balloon *b)
{
	if (!b->polling) {
		int r = find(b);

		if (r < 0) {
			bool absent = is_absent(r);

			tell(b, balloon_lose(&b->talk, absent ? BALLOON_ABSENT : BALLOON_WAITING,
					     absent ? "no port " EBB_CHANNEL_NAME " and no vsock"
					     : r == -EBUSY ? "another process has the port"
							   : strerror(-r)));
			retry_later(b);
			return;
		}
		b->fd = r;
		r = uv_poll_init(b->loop, &b->poll, b->fd);
		if (r < 0) {
			close(b->fd);
			b->fd = -1;
			retry_later(b);
			return;
		}
		b->poll.data = b;
		b->polling = true;
		b->refs++;
		tell(b, balloon_lose(&b->talk, BALLOON_WAITING, "no answer yet"));
	}
	if (b->connecting)
		watch(b);
	else if (!b->serial || port_has_host(b->fd))
		greet(b);
	else
		retry_later(b);
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
	b->backoff_ms = RETRY_MIN_MS;
	b->reader = (struct channel_reader){ .buf = b->in, .size = sizeof(b->in) };
	b->talk.state.means = "";
	copy_options(b, opts);
	/* These two cannot fail. */
	uv_timer_init(loop, &b->retry);
	uv_timer_init(loop, &b->renew);
	b->retry.data = b->renew.data = b;
	b->refs = 2;
	/* Not before the caller has its pointer. */
	uv_timer_start(&b->retry, on_retry, 0, 0);
	*ret = b;
	return 0;
}

void balloon_want(struct balloon *b, uint64_t bytes, uint64_t idle)
{
	bool changed = bytes != b->want || (bytes && !b->talk.state.seq);

	b->want = bytes;
	b->idle = idle < bytes ? idle : bytes;
	if (changed)
		lease(b);
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
		make_lease(b);
		if (write(b->fd, b->out, b->out_len) < 0)
			b->out_len = 0; /* closing says the same */
	}
	b->closing = true;
	b->fn = NULL;
	uv_close((uv_handle_t *)&b->retry, on_closed);
	uv_close((uv_handle_t *)&b->renew, on_closed);
	if (b->polling && !uv_is_closing((uv_handle_t *)&b->poll))
		uv_close((uv_handle_t *)&b->poll, on_poll_closed);
}
