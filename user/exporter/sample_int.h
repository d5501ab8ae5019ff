/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to sample*.c. */
#ifndef EBB_EXPORTER_SAMPLE_INT_H
#define EBB_EXPORTER_SAMPLE_INT_H

#include <jansson.h>

#include "exporter/sample.h"

/* status: an object. */
void sample_read_machine(struct sample_machine *ret, const json_t *status);

#endif /* EBB_EXPORTER_SAMPLE_INT_H */
