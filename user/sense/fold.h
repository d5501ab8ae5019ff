/* SPDX-License-Identifier: GPL-2.0-only */
/* Census records to what the policy sees of a container. Pure. */
#ifndef EBB_SENSE_FOLD_H
#define EBB_SENSE_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/abi.h"
#include "ebb/lists.h"
#include "ebb/snapshot.h"

struct fold {
	struct ebb_age ages[EBB_MAX_AGES]; /* sorted, oldest first */
	unsigned int nr_ages;
	struct ebb_age youngest[EBB_MAX_AGES]; /* idle_ms: age of the youngest generation */
	unsigned int nr_youngest;
	uint64_t lru_anon; /* bytes, all groups */
	uint64_t lru_file;
	bool lru; /* a record had generations */
};

void fold_init(struct fold *f);

/* Adds the generations of one record: of the container's own group or of any below it. */
void fold_lru(struct fold *f, const struct ebb_census *rec);

/* own: the record of the container's own group, node 0 (its figures are recursive), or NULL. */
void fold_finish(const struct fold *f, const struct ebb_census *own, uint64_t now_ms,
		 uint64_t page_size, struct ebb_snap_container *ret);

/* Bytes that the record's own lru holds, of page cache that is not swap-backed. */
uint64_t fold_own_file(const struct ebb_census *rec);

struct ebb_file_lists fold_file_lists(const struct ebb_census *rec);

#endif /* EBB_SENSE_FOLD_H */
