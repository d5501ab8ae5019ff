/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket on which ebbd answers (include/ebb/wire.h). Any number of
 * requests a connection, one answer under way at a time; a client that does not
 * read, sends rubbish or an endless line is dropped, and the others go on.
 */
#ifndef EBB_REPORT_SERVER_H
#define EBB_REPORT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>
#include <uv.h>

struct server;

#define SERVER_ERROR_MAX 256

struct server_peer {
	uid_t uid; /* SO_PEERCRED: of the process that connected */
	pid_t pid;
};

struct server_command {
	const char *name;
	bool needs_root; /* others get a refusal before the handler is asked */
	/*
	 * request: the whole object, borrowed. Returns 0 with *ret_data a new
	 * reference (or left NULL: the answer's data is null), or an EBB_EXIT_* code
	 * other than 0 with a message in errbuf (SERVER_ERROR_MAX bytes).
	 */
	int (*handler)(void *arg, const struct server_peer *peer, const json_t *request,
		       json_t **ret_data, char *errbuf);
};

struct server_ops {
	const struct server_command *commands;
	size_t nr_commands;
};

/*
 * Listens at path: its directory is made (0755) where missing, a socket that
 * nobody answers is replaced, and the new one is 0660 root:ebb, or 0600 where
 * there is no such group. ops and arg must outlive the server. Errors:
 * -EADDRINUSE somebody answers there (another ebbd); -EEXIST something other
 * than a socket is there; -ENAMETOOLONG; others from the system.
 */
int server_open(struct server **ret, uv_loop_t *loop, const char *path,
		const struct server_ops *ops, void *arg);

/*
 * Stops listening, drops the clients, removes the socket. The memory is
 * released by the loop: run it once more until it has nothing left. NULL is
 * fine.
 */
void server_close(struct server *server);

size_t server_clients(const struct server *server); /* connected now */

#endif /* EBB_REPORT_SERVER_H */
