/* SPDX-License-Identifier: GPL-2.0-only */
/* One VM: its VMM, its guest, the lease between them. */
#ifndef EBB_BROKER_VM_H
#define EBB_BROKER_VM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "broker/arbitrate.h"
#include "broker/backend.h"
#include "broker/guest.h"
#include "broker/lease.h"

/*
 * So long a VM that is found smaller than its full size may stay as it is
 * without a lease: after a restart of the broker its guest looks for us every
 * second, and giving it all its memory for those would be for nothing.
 */
#define VM_ADOPT_MS 2500
/*
 * A guest that closes the port while the VMM cannot be asked is not heard of: QEMU tells it once.
 * So whoever holds a lease when the VMM is found again renews it within this time, or loses it.
 */
#define VM_PROVE_MS 1500
#define VM_POLL_MS 10000 /* the actual size, when nothing is changing */
/* What a guest causes to be logged: so many lines at once, and then one in each such time. */
#define VM_LINES 30
#define VM_LINE_MS 10000

/* Why a VM has its full size again. */
enum vm_loss {
	VM_LOSS_TTL,
	VM_LOSS_CHANNEL,
	VM_LOSS_RESET,
	VM_LOSS_BYE,
	VM_NR_LOSSES,
};

struct vm_counts {
	uint64_t leases;
	uint64_t stale; /* leases whose sequence was not above the last one */
	uint64_t sets; /* sizes asked of the VMM */
	uint64_t set_errors;
	uint64_t lost[VM_NR_LOSSES];
	uint64_t clamps[CHANNEL_NR_CLAMPS]; /* acks, by clamp */
	uint64_t vmm_lost;
};

struct vm {
	struct vm *next;
	struct broker *broker;
	struct vm_config config;
	bool from_folder, marked; /* for reload */
	bool releasing; /* full size first, then gone */
	bool closing;
	uint64_t release_ms; /* by then, whatever the VMM says */
	unsigned int open; /* parts that are not closed yet */

	const struct backend_ops *ops;
	struct backend *backend;
	bool vmm_up, unable;
	bool gone; /* not up, and nobody is at its socket */
	bool found; /* its size has been known: nothing is adopted any more */
	char why[BACKEND_WHY_MAX]; /* why it is not up, cannot, or what it refused last */
	uint64_t ram;
	uint64_t actual; /* 0: not known */
	uint64_t resident; /* of the VMM's process; 0: not known */
	uint64_t target; /* the size in force; 0: not known yet */
	uint64_t asked; /* of the VMM, and taken; 0: none */
	uint64_t asked_ms; /* when */
	bool setting;
	bool refused; /* the last size, by the VMM */
	uint64_t polled_ms;

	struct guest guest;
	uv_timer_t timer; /* the lease's end, or that of the time without one */
	struct lease_limits limits;
	struct lease lease;
	struct lease_credit credit;
	bool adopting;
	uint64_t grant; /* by arbitration; UINT64_MAX: all it wants */
	uint64_t sampled; /* target when the host was looked at */
	uint64_t need; /* bytes that the host would have */
	bool settings_known;
	struct qemu_settings settings;
	enum channel_clamp clamp;
	enum channel_level told_level;
	uint64_t told_need;
	uint64_t acked_size;
	enum channel_clamp acked_clamp;
	uint64_t lines; /* of the log, that its guest may still cause … */
	uint64_t lines_ms; /* … and when that was last looked at */
	uint64_t unlogged;
	struct vm_counts counts;
};

int vm_open(struct vm **ret, struct broker *broker, const struct vm_config *config);

/* Other limits for the same VM. */
void vm_configure(struct vm *vm, const struct vm_config *config);

/* Brings the size to what lease, limits and grant come to. */
void vm_update(struct vm *vm);

/* Every second: steps down, retries, the actual size, and what the guest has to know. */
void vm_tick(struct vm *vm);

/* The lease is over; full size, in one step. */
void vm_drop_lease(struct vm *vm, enum vm_loss why);

/* Full size is asked for and taken, or there is nobody who could. */
bool vm_is_released(const struct vm *vm);
void vm_release(struct vm *vm); /* lets go of the guest, asks for the full size */

/* Frees it when all is closed; then calls broker_vm_gone(). */
void vm_close(struct vm *vm);

const char *vm_loss_name(enum vm_loss why);

#endif /* EBB_BROKER_VM_H */
