// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

#define BACKLOG 64

static int parse_port(const char *text)
{
	int port = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		port = port * 10 + (*text - '0');
		if (port > 65535)
			return -EINVAL;
	}
	return port;
}

int address_parse(const char *text, struct address *ret)
{
	struct address a = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a.addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a.addr;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN] = "";
	size_t len;
	int port;

	if (!colon)
		return -EINVAL;
	port = parse_port(colon + 1);
	len = (size_t)(colon - text);
	if (port < 0 || !len)
		return -EINVAL;
	if (*text == '[') {
		if (len < 2 || text[len - 1] != ']' || len - 2 >= sizeof(host))
			return -EINVAL;
		memcpy(host, text + 1, len - 2);
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		a.len = sizeof(*v6);
		if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
			return -EINVAL;
		a.loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	} else {
		if (len >= sizeof(host))
			return -EINVAL;
		memcpy(host, text, len);
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		a.len = sizeof(*v4);
		if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
			return -EINVAL;
		a.loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	}
	*ret = a;
	return 0;
}

static void print_address(int fd, char *text)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} addr = { .v6 = { .sin6_family = AF_INET } };
	socklen_t len = sizeof(addr);
	char host[INET6_ADDRSTRLEN] = "";

	if (getsockname(fd, &addr.any, &len))
		addr.any.sa_family = AF_INET; /* 0.0.0.0:0 */
	if (addr.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &addr.v6.sin6_addr, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(addr.v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &addr.v4.sin_addr, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(addr.v4.sin_port));
	}
}

int address_listen(const struct address *a, char *text)
{
	_cleanup_close_ int fd =
		socket(a->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&a->addr, a->len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	print_address(fd, text);
	return TAKE_FD(fd);
}
