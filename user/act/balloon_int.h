/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between balloon.c (what the caller sees), balloon_link.c (the port or stream: found, kept, lost),
 * balloon_lease.c (what is said) and balloon_talk.c (what is heard). Private to balloon*.c.
 */
#ifndef EBB_ACT_BALLOON_INT_H
#define EBB_ACT_BALLOON_INT_H

#include "act/balloon.h"

/* What is said and heard in one connection, and the state that comes of it. */
struct balloon_talk {
	struct balloon_state state;
	char session[EBB_CHANNEL_SESSION_LEN + 1];
	uint64_t asked_ns; /* when the first line that has no answer yet was sent; 0: none */
	uint64_t lease_ns; /* when lease state.seq was sent */
	bool again; /* the host did not know us: say hello again */
};

#define HEARD(event) (1u << (event))

/* Takes one line of the host; returns HEARD() bits of what changed. now_ns: CLOCK_MONOTONIC. */
unsigned int balloon_hear(struct balloon_talk *t, const char *line, size_t len, uint64_t now_ns);

/* The connection is gone, for this reason. Returns HEARD() bits. */
unsigned int balloon_lose(struct balloon_talk *t, enum balloon_link link, const char *reason);

/*
 * Opens the port: path, or where that is NULL EBB_CHANNEL_PORT or the node of
 * the port of that name. -ENOENT: there is none.
 */
int balloon_open_port(const char *path);

/* Begins to connect; done when it is writable. */
int balloon_open_vsock(uint32_t cid, uint32_t port);

#define BALLOON_RETRY_MIN_MS 250
#define BALLOON_RETRY_MAX_MS 1000 /* a broker that was restarted waits VM_ADOPT_MS for us */
#define BALLOON_ABSENT_MS 2000 /* where there is neither port nor vsock */

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

/* balloon.c */
void balloon_tell(struct balloon *b, unsigned int heard);
void balloon_unref(struct balloon *b); /* one handle is closed; the last one frees */

/* balloon_link.c */
void balloon_look_soon(struct balloon *b); /* for a host, as soon as the loop runs */
void balloon_hang_up(struct balloon *b, const char *reason); /* the host is gone */
void balloon_flush(struct balloon *b); /* sends what there is; the rest when the host takes it */
void balloon_forget_lines(struct balloon *b);
void balloon_unplug(struct balloon *b); /* for good */

/* balloon_lease.c */
void balloon_greet(struct balloon *b);
/* A lease goes out now, or as soon as there is room and the last one is long enough ago. */
void balloon_lease(struct balloon *b);
void balloon_make_lease(struct balloon *b); /* its line, behind what is not sent yet */

#endif /* EBB_ACT_BALLOON_INT_H */
