/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was, for the curves: the machine and each container over the last half
 * hour (a point each 10 s) and the last day (a point each 5 min), and each
 * container's last decisions. Bounded: HISTORY_MAX_CONTAINERS, of which the
 * largest are kept; a container that is gone takes its history with it.
 * Not thread-safe.
 */
#ifndef EBB_EXPORTER_HISTORY_H
#define EBB_EXPORTER_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/buf.h"
#include "exporter/sample.h"

#define HISTORY_STEP_S 10
#define HISTORY_RECENT 180 /* points of HISTORY_STEP_S: 30 min */
#define HISTORY_FOLD 30 /* of them make one of the day: 5 min */
#define HISTORY_DAY 288
#define HISTORY_MAX_CONTAINERS 1024
#define HISTORY_DECISIONS 24
#define HISTORY_MAX_IDS 64 /* of one question */
/* What all of it may occupy: 7.6 KiB a container (asserted in history.c), and the machine's. */
#define HISTORY_MAX_BYTES (8u << 20)

struct history;

enum history_span { HISTORY_SPAN_RECENT, HISTORY_SPAN_DAY };

struct history *history_new(void); /* NULL: no memory */
void history_free(struct history *h);

/*
 * Notes what is so at now_ms (CLOCK_BOOTTIME). More often than each
 * HISTORY_STEP_S, the last one of a step counts; steps without any stay empty.
 * sample NULL: ebbd is away. -ENOMEM: some container has none.
 */
int history_add(struct history *h, const struct sample *sample, uint64_t now_ms);

/* The machine's curves, or those of containers (unknown ids are left out), as JSON. */
void history_machine_json(const struct history *h, enum history_span span, int64_t wall_ms,
			  struct buf *out);
void history_containers_json(const struct history *h, enum history_span span, int64_t wall_ms,
			     const uint64_t *ids, size_t n, struct buf *out);

size_t history_bytes(const struct history *h);
size_t history_containers(const struct history *h);

#endif /* EBB_EXPORTER_HISTORY_H */
