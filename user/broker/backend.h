/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VMM behind one interface. All of it is asynchronous: a call starts a
 * request on the loop, the answer is an event; a VMM that does not answer in
 * BACKEND_TIMEOUT_MS is lost() and looked for again. Sizes are sizes of the VM in bytes, whatever
 * the VMM itself counts in.
 */
#ifndef EBB_BROKER_BACKEND_H
#define EBB_BROKER_BACKEND_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "broker/config.h"
#include "broker/qmp_look.h"

#define BACKEND_TIMEOUT_MS 5000
#define BACKEND_RETRY_MIN_MS 500
#define BACKEND_RETRY_MAX_MS 1000 /* a VMM that is back has to be found within 5 s */
#define BACKEND_WHY_MAX 160

struct backend_caps {
	bool set; /* can be given a size */
	bool actual; /* says what size there is, not only what was asked */
	bool stats; /* passes on what the guest's driver counts */
	bool returns_memory; /* what the balloon took is free on the host (`check` looks whether
				it is with this VM's settings) */
	bool survives_reboot; /* the size asked for outlives a reboot of the guest */
	bool tells_reset; /* and a reboot is told */
};

struct backend_events {
	void (*ready)(void *arg, uint64_t ram); /* it answers; again after each lost() */
	/* error: 0, or the negative errno that ended it; -ENOENT and -ECONNREFUSED: nobody is
	 * there. */
	void (*lost)(void *arg, int error, const char *why);
	void (*unable)(void *arg, const char *why); /* it answers, but has no balloon */
	void (*actual)(void *arg, uint64_t bytes); /* as the guest has it: it may say anything */
	void (*set_done)(void *arg, int error, const char *why); /* one for each set() that
								     returned 0, lost() or not */
	void (*reset)(void *arg); /* the guest's machine was reset */
	/* Once after ready(), of QEMU: how the VM is set up. */
	void (*settings)(void *arg, const struct qemu_settings *found);
	void (*port)(void *arg, bool open); /* the guest opened or closed the channel's port */
};

struct backend;

struct backend_ops {
	/* Looks for the VMM from now on. 0, -ENOMEM. The strings and events are borrowed. */
	int (*open)(struct backend **ret, uv_loop_t *loop, enum vmm_kind kind, const char *path,
		    const struct backend_events *events, void *arg);
	/* One at a time. 0, -ENOTCONN, -EBUSY. */
	int (*set)(struct backend *b, uint64_t bytes);
	/* Asks for the actual size; nothing when a request is under way. */
	void (*poll)(struct backend *b);
	struct backend_caps (*caps)(const struct backend *b);
	/* The VMM's process: whoever listens at its socket; 0: not known. */
	int (*pid)(const struct backend *b);
	/* No event comes any more; closed(arg) when the memory is free. */
	void (*close)(struct backend *b, void (*closed)(void *arg), void *arg);
};

const struct backend_ops *backend_ops(enum vmm_kind kind);

extern const struct backend_ops backend_qmp;
extern const struct backend_ops backend_rest; /* Firecracker, Cloud Hypervisor */

#endif /* EBB_BROKER_BACKEND_H */
