/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ebbd ⇄ ebb, ebb-exporter: JSON lines over the stream socket
 * RUNTIME_DIR/ebbd.sock. A request is one line, {"cmd":"list"} with further
 * members by command; the answer is one line, {"ok":true,"data":…} or
 * {"ok":false,"error":"…","code":N} with N an exit code for the client.
 * A connection carries any number of requests, one after the other.
 *
 * {"cmd":"record","turns":N} (0: without end) makes its connection a stream: after the answer come
 * the lines of a recording (docs/recording.md), and then the end of the stream. A client that has
 * enough shuts down its half and reads on to that end.
 *
 * Who may what: the socket is root:ebb 0660; SO_PEERCRED uid 0 is needed for
 * commands that change something.
 */
#ifndef EBB_WIRE_H
#define EBB_WIRE_H

#define EBB_RUNTIME_DIR "/run/ebb"
#define EBB_STATE_DIR "/var/lib/ebb"
#define EBB_SOCKET_NAME "ebbd.sock"
#define EBB_GROUP "ebb"

#define EBB_WIRE_REQUEST_MAX 4096 /* bytes, newline included: longer, and the client is dropped */
#define EBB_WIRE_REPLY_MAX (16u << 20)
#define EBB_WIRE_CLIENTS_MAX 64
#define EBB_WIRE_STALL_MS 5000 /* an answer not read by then: dropped */
#define EBB_WIRE_STREAM_MAX (4u << 20) /* bytes that a stream's reader may leave unread */
#define EBB_WIRE_STREAM_STALL_MS 60000 /* none of it read for so long: dropped */

/* Exit codes of ebbd and ebb. */
#define EBB_EXIT_OK 0
#define EBB_EXIT_FAILED 1
#define EBB_EXIT_USAGE 2 /* usage or configuration */
#define EBB_EXIT_KERNEL 3 /* this kernel cannot */

#endif /* EBB_WIRE_H */
