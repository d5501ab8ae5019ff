/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to history*.c. */
#ifndef EBB_EXPORTER_HISTORY_INT_H
#define EBB_EXPORTER_HISTORY_INT_H

#include "exporter/history.h"

/* A value in 16 bits: 11 of precision (0.05%), 5 of scale. Up to 2^41. */
#define PACKED_NONE 0xffff
uint16_t history_pack(uint64_t value); /* what is larger reads as the largest */
uint64_t history_unpack(uint16_t packed);

/*
 * Rings are indexed by the number of the step since boot: slot s is at
 * s % size, and only the slots (last - size, last] are there.
 */
enum machine_field {
	MACHINE_TOTAL, /* KiB, as all sizes */
	MACHINE_USED,
	MACHINE_CACHE,
	MACHINE_FREE_REPORTABLE,
	MACHINE_COMPRESSED,
	MACHINE_SWAP_USED,
	MACHINE_RECLAIMED, /* in this step */
	MACHINE_REFAULTED,
	MACHINE_RETURNED,
	MACHINE_BALLOON,
	MACHINE_FIELDS,
};

enum container_field {
	CONTAINER_BYTES, /* KiB, as all sizes */
	CONTAINER_COLD,
	CONTAINER_SWAP,
	CONTAINER_RECLAIMED, /* in this step */
	CONTAINER_REFAULTED,
	CONTAINER_MAJOR, /* faults in this step */
	CONTAINER_STALL, /* 0.1 ms in this step */
	CONTAINER_FIELDS,
};

/* How a field is shown, and how it is folded into a longer step. */
struct field {
	const char *name;
	unsigned int scale; /* shown = kept * scale */
	bool sum; /* folds by the sum; otherwise by the mean */
};

extern const struct field machine_fields[MACHINE_FIELDS];
extern const struct field container_fields[CONTAINER_FIELDS];

struct decision {
	uint32_t at_s; /* since boot */
	uint16_t asked; /* KiB, packed */
	uint16_t got;
	uint8_t state; /* index in the history's words */
	uint8_t reason;
	uint8_t action;
};

struct machine_ring {
	uint16_t recent[HISTORY_RECENT][MACHINE_FIELDS];
	uint16_t day[HISTORY_DAY][MACHINE_FIELDS];
	uint64_t before[MACHINE_FIELDS]; /* totals at the end of the step before */
	uint64_t latest[MACHINE_FIELDS];
	bool has_latest;
};

struct container_ring {
	uint64_t id;
	bool has_latest;
	uint8_t state, reason; /* of the last decision */
	uint64_t last_ended_ms;
	uint64_t bytes;
	uint64_t before[CONTAINER_FIELDS]; /* totals at the end of the step before */
	uint64_t latest[CONTAINER_FIELDS];
	unsigned int nr_decisions; /* ever; the last HISTORY_DECISIONS are there */
	struct decision decisions[HISTORY_DECISIONS];
	uint16_t recent[HISTORY_RECENT][CONTAINER_FIELDS];
	uint16_t day[HISTORY_DAY][CONTAINER_FIELDS];
};

#define HISTORY_WORDS 64 /* codes of states, reasons and actions that were seen */
#define HISTORY_WORD_LEN 24

struct history {
	uint64_t step; /* the last one that was written, since boot; 0: none */
	uint64_t now_ms;
	struct machine_ring machine;
	size_t nr;
	struct container_ring *rings[HISTORY_MAX_CONTAINERS]; /* sorted by id */
	unsigned int nr_words;
	char words[HISTORY_WORDS][HISTORY_WORD_LEN];
};

struct container_ring *history_find(const struct history *h, uint64_t id); /* NULL: none */

#endif /* EBB_EXPORTER_HISTORY_INT_H */
