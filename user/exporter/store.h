/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last sample, how old it is, and the history. One thread asks ebbd: for
 * the history every ten seconds, and for whoever wants a fresh sample. However
 * many want one, one question is under way, and none within STORE_FRESH_MS of
 * the last.
 */
#ifndef EBB_EXPORTER_STORE_H
#define EBB_EXPORTER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/buf.h"
#include "exporter/dial.h"
#include "exporter/history.h"
#include "exporter/sample.h"

#define STORE_FRESH_MS 1000

struct store;

/* What is handed out; the sample is held until store_put(). */
struct store_view {
	struct sample *sample; /* NULL: ebbd is away */
	char error[SAMPLE_ERROR_MAX]; /* why, printable; "" when it is not */
	uint64_t age_ms; /* since it was asked; UINT64_MAX: never yet */
	uint64_t requests; /* so far, of which failed, and how long they took in all */
	uint64_t failures;
	uint64_t request_us;
	uint64_t history_bytes;
};

/* Starts the thread and asks for the first time. The dialer must outlive it. */
int store_open(struct store **ret, const struct dialer *dialer, const char *socket_path);

/*
 * Ends the thread and wakes whoever waits; what was there stays, and is fresh
 * from then on. Then, when nobody holds a view any more, store_free(). NULL is
 * fine.
 */
void store_stop(struct store *s);
void store_free(struct store *s);

/*
 * True when what is there is fresh enough, or has to do. False: a question was
 * put, and wake(arg) will be called once, from the store's thread, when it was
 * answered or failed.
 */
bool store_refresh(struct store *s, void (*wake)(void *arg), void *arg);

void store_get(struct store *s, struct store_view *ret);
void store_put(struct store *s, struct store_view *view);

/* The curves, into out. n 0: the machine's. */
void store_history(struct store *s, enum history_span span, const uint64_t *ids, size_t n,
		   struct buf *out);

#endif /* EBB_EXPORTER_STORE_H */
