/* SPDX-License-Identifier: GPL-2.0-only */
/* Between vm.c (size and life), vm_vmm.c and vm_guest.c (what either end tells). */
#ifndef EBB_BROKER_VM_INT_H
#define EBB_BROKER_VM_INT_H

#include "broker/vm.h"

/* vm.c */
void vm_push(struct vm *vm); /* asks the VMM for the size in force, unless it has been */
void vm_adopt(struct vm *vm); /* as it is, until the guest had its time to renew */
void vm_time(struct vm *vm, uint64_t ms); /* the lease's end, or that of the time without one */
/* Before a line of the log that the guest can bring about: it shall not fill the host's disk. */
bool vm_may_log(struct vm *vm);

/* vm_guest.c */
void vm_send_welcome(struct vm *vm);
void vm_tell(struct vm *vm); /* what it does not know yet: pressure, and its size */
extern const struct guest_events vm_guest_events;

/* vm_vmm.c */
extern const struct backend_events vm_backend_events;

#endif /* EBB_BROKER_VM_INT_H */
