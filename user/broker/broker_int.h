/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the broker share. */
#ifndef EBB_BROKER_BROKER_INT_H
#define EBB_BROKER_BROKER_INT_H

#include "broker/broker.h"

/* broker_share.c: once a tick, before broker_arbitrate() */
void broker_look_at_host(struct broker *b);

/* files.c: once at the start; and with each VM, which says when there are too few. */
void broker_raise_files(struct broker *b);
void broker_count_files(struct broker *b);

int broker_add(struct broker *b, const struct vm_config *config, bool from_folder);

/* Full size, then gone; the VM stays in the list until it is. */
void broker_remove(struct broker *b, struct vm *vm);

/*
 * A source of VMs is read again: all of it is unmarked, each VM that is still
 * there is synced (added, changed, or kept), and the rest is swept away.
 */
void broker_mark(struct broker *b, bool from_folder);
void broker_sync_vm(struct broker *b, const struct vm_config *config, bool from_folder);
void broker_sweep(struct broker *b, bool from_folder);
void broker_rescan_soon(struct broker *b, uint64_t ms);

void broker_finish(struct broker *b);

extern const struct server_ops broker_answers; /* report.c */

#endif /* EBB_BROKER_BROKER_INT_H */
