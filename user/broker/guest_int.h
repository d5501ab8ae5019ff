/* SPDX-License-Identifier: GPL-2.0-only */
/* Between guest.c (the channel) and guest_listen.c (the socket at which a guest comes to us). */
#ifndef EBB_BROKER_GUEST_INT_H
#define EBB_BROKER_GUEST_INT_H

#include "broker/guest.h"

/* guest.c: when nothing is in use any more, says so. */
void guest_finish(struct guest *g);

/* guest_listen.c: what fails is tried again. */
void guest_listen(struct guest *g);

#endif /* EBB_BROKER_GUEST_INT_H */
