/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's end of the channel without its files. Private to balloon*.c. */
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

#endif /* EBB_ACT_BALLOON_INT_H */
