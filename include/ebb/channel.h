/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ebbd ⇄ ebb-broker: JSON lines over a virtio-serial port or a vsock stream,
 * version 1. docs/protocol.md is the text of it; user/lib/channel.h reads and
 * writes the lines.
 *
 * Each side begins with the byte EBB_CHANNEL_RESYNC, which is in no JSON text:
 * a port keeps what an earlier client left in it, half a line included.
 */
#ifndef EBB_CHANNEL_H
#define EBB_CHANNEL_H

#define EBB_CHANNEL_VERSION 1

/* The port's name on the virtio-serial bus, and where udev puts it in the guest. */
#define EBB_CHANNEL_NAME "ebb.channel"
#define EBB_CHANNEL_PORT "/dev/virtio-ports/" EBB_CHANNEL_NAME
/* On the host (CID 2). Below 1024, so that in a guest not everybody may listen on it. */
#define EBB_CHANNEL_VSOCK_PORT 983

#define EBB_CHANNEL_RESYNC 0xff
#define EBB_CHANNEL_LINE_MAX 4096 /* bytes, newline included: longer, and the line is dropped */

#define EBB_CHANNEL_TTL_MIN_MS 1000 /* the host takes a ttl outside of these as the nearest */
#define EBB_CHANNEL_TTL_MAX_MS 60000
#define EBB_CHANNEL_TTL_MS 10000 /* what ebbd asks for; renewed at a third of it */

/* Lines a guest may send: so many a second, and so many at once. More are dropped and counted. */
#define EBB_CHANNEL_RATE 20
#define EBB_CHANNEL_BURST 60

#define EBB_CHANNEL_SESSION_LEN 16 /* hex digits, random, new with each connection */
#define EBB_CHANNEL_BOOT_LEN 36 /* /proc/sys/kernel/random/boot_id */

#endif /* EBB_CHANNEL_H */
