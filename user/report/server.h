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
struct client; /* a connection */

#define SERVER_ERROR_MAX 256

struct server_peer {
	uid_t uid; /* SO_PEERCRED: of the process that connected */
	pid_t pid;
	struct client *client; /* to stream to; NULL: there is no connection */
};

/* A client that goes on being sent to, after the answer to its request. */
struct server_stream {
	void (*enough)(void *arg); /* it has shut down its half: what ends the stream is to come */
	void (*gone)(void *arg); /* the client is not to be used any more */
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

/*
 * In a handler: from the answer on, this client is a stream, and no request of it is heard. Until
 * server_stream_close() or gone() it may be put to. -EINVAL: there is no connection.
 */
int server_stream_open(struct client *client, const struct server_stream *stream, void *arg);

/*
 * Never blocks, and may drop the client (then gone() is called before it returns). text is copied.
 * -ENOBUFS: the client has left so much unread that EBB_WIRE_STREAM_MAX would be passed, and it
 * was not to be forced; -ENOMEM; -EPIPE: it is gone.
 */
int server_stream_put(struct client *client, const char *text, size_t len, bool force);

size_t server_stream_pending(const struct client *client); /* bytes that are not read yet */

/* No more comes: the client is hung up on when it has read what there is. gone() is not called. */
void server_stream_close(struct client *client);

size_t server_clients(const struct server *server); /* connected now */

#endif /* EBB_REPORT_SERVER_H */
