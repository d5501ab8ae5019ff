/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to sample*.c. */
#ifndef EBB_EXPORTER_SAMPLE_INT_H
#define EBB_EXPORTER_SAMPLE_INT_H

#include <jansson.h>

#include "exporter/sample.h"
#include "exporter/span.h"

/* 0, -ENOMEM, or -EPROTO: it is no object. An id of 0: there is no usable one in it. */
int sample_read_container(struct sample_container *ret, struct span object);
void sample_release_container(struct sample_container *c);

/* status: an object. */
void sample_read_machine(struct sample_machine *ret, const json_t *status);

#endif /* EBB_EXPORTER_SAMPLE_INT_H */
