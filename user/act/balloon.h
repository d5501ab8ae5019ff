/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's end of the channel to ebb-broker (docs/protocol.md): finds the
 * virtio-serial port or the host's vsock port, says hello, keeps a lease
 * renewed, and reports what the host made of it. A guest cannot size its own balloon; this
 * is how it asks.
 *
 * It runs on the caller's loop, never blocks, and allocates nothing after
 * balloon_open(): when memory is short is when a lease has to get through.
 * Without a host it looks for one again, every 250 ms at first, every second at last.
 */
#ifndef EBB_ACT_BALLOON_H
#define EBB_ACT_BALLOON_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lib/channel.h"

struct balloon;

enum balloon_link {
	BALLOON_ABSENT, /* neither port nor vsock: no broker is possible */
	BALLOON_WAITING, /* there is a port, but nobody answers on the host */
	BALLOON_TALKING, /* the host has said welcome */
};

/* What is known of the host; times are CLOCK_MONOTONIC. */
struct balloon_state {
	enum balloon_link link;
	const char *means; /* "virtio-serial", "vsock", or "" */
	char reason[96]; /* why not TALKING, for a person */
	uint64_t min, max; /* bytes, the host's limits; 0: not told */

	uint64_t seq; /* of the last lease sent; 0: none yet */
	uint64_t want; /* bytes, of the last lease sent */
	uint64_t ack_seq; /* of the last ack; 0: none yet */
	uint64_t ack_ms; /* when it came */
	uint64_t applied; /* bytes: what the VMM was asked for */
	uint64_t actual; /* bytes: what the VMM last said; 0: not known */
	uint64_t resident; /* bytes that the VM holds of the host; 0: not known */
	enum channel_clamp clamp;
	uint64_t ttl_ms; /* granted */
	uint64_t rtt_ns; /* from a lease sent to its first ack; 0: not measured yet */

	enum channel_level level; /* host pressure; NONE without a host: nobody would gain */
	uint64_t need; /* bytes that the host would have from this guest */

	uint64_t sent; /* leases */
	uint64_t acked;
	uint64_t connects;
	uint64_t lost; /* connections that ended */
	uint64_t bad; /* lines not understood */
};

/* What changed; the state has the rest. */
enum balloon_event {
	BALLOON_LINK, /* link */
	BALLOON_ACK, /* an ack came: also unasked, when the host changed the size */
	BALLOON_PRESSURE, /* level or need */
};

struct balloon_options {
	const char *port; /* NULL: EBB_CHANNEL_PORT, or the node that sysfs has by the port's name;
			     "": no virtio-serial */
	uint32_t vsock_cid; /* 0: the host (2); UINT32_MAX: no vsock */
	uint32_t vsock_port; /* 0: EBB_CHANNEL_VSOCK_PORT */
	uint64_t ttl_ms; /* 0: EBB_CHANNEL_TTL_MS */
	const char *name; /* what this guest is called, for people; NULL: the host name */
	uint64_t ram; /* MemTotal, bytes */
};

typedef void (*balloon_fn)(void *arg, enum balloon_event event, const struct balloon_state *state);

/*
 * opts and its strings are copied. A guest without port and vsock is no error: link stays
 * ABSENT, and it is looked for again every 2 s. fn may be NULL. Errors: -ENOMEM,
 * others from the loop.
 */
int balloon_open(struct balloon **ret, uv_loop_t *loop, const struct balloon_options *opts,
		 balloon_fn fn, void *arg);

/*
 * From now on this VM wants bytes of memory, idle of which are idle. Sent at
 * once where want changed or there is no lease yet, and with each renewal. 0 ends the lease: the
 * host gives the full size.
 */
void balloon_want(struct balloon *b, uint64_t bytes, uint64_t idle);

const struct balloon_state *balloon_state(const struct balloon *b);

/*
 * Says bye (the host then gives the full size) and closes. The memory is
 * released by the loop: run it until it has nothing left. NULL is fine.
 */
void balloon_close(struct balloon *b);

#endif /* EBB_ACT_BALLOON_H */
