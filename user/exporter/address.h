/* SPDX-License-Identifier: GPL-2.0-only */
/* ADDRESS:PORT, and listening there. */
#ifndef EBB_EXPORTER_ADDRESS_H
#define EBB_EXPORTER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_MAX 64

struct address {
	struct sockaddr_storage addr;
	socklen_t len;
	bool loopback;
};

/* 127.0.0.1:9465, [::1]:9465; port 0 lets the kernel choose. -EINVAL: it is none. */
int address_parse(const char *text, struct address *ret);

/* A listening socket, or a negative errno. text (ADDRESS_TEXT_MAX) is where it really is. */
int address_listen(const struct address *a, char *text);

#endif /* EBB_EXPORTER_ADDRESS_H */
