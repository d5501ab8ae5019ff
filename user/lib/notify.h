/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The notify protocol of systemd, which others speak too: one datagram of
 * VARIABLE=VALUE lines to $NOTIFY_SOCKET.
 */
#ifndef EBB_LIB_NOTIFY_H
#define EBB_LIB_NOTIFY_H

#include <stdint.h>

/*
 * notify_send("READY=1\nSTATUS=watching %u containers", n): 1 sent, 0 nobody
 * asked, or a negative errno. Never blocks.
 */
int notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * How often WATCHDOG=1 is due: half of the time-out that was asked of this
 * process, in milliseconds; 0 when no watchdog is set.
 */
uint64_t notify_watchdog_ms(void);

#endif /* EBB_LIB_NOTIFY_H */
