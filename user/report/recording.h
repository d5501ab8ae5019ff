/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a recording (docs/recording.md), line by line. It may be anybody's: nothing is believed of
 * it but what it can show.
 */
#ifndef EBB_REPORT_RECORDING_H
#define EBB_REPORT_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ebb/config.h"
#include "ebb/plan.h"
#include "ebb/snapshot.h"
#include "policy/policy.h"

#define RECORDING_ERROR 384

enum recording_kind {
	RECORDING_HEADER,
	RECORDING_CONFIG,
	RECORDING_NAME,
	RECORDING_STATE, /* to be taken over */
	RECORDING_CHECK, /* to be compared with */
	RECORDING_TURN,
	RECORDING_GAP,
	RECORDING_END,
	RECORDING_NR_KINDS,
};

struct recording_name {
	uint64_t id;
	char *name;
	char *runtime;
	char *image;
	char *path;
};

/* What its lines have come to. To be read only. */
struct recording {
	unsigned long line; /* the last one, from 1 */
	char error[RECORDING_ERROR]; /* "line 7: what is wrong"; printable */
	bool seen[RECORDING_NR_KINDS];
	json_t *members; /* of the header: what the writer had */
	char version[64];
	char kernel[64];
	char started[32];
	struct ebb_config config; /* no rules: see record_shapes.h */
	struct ebb_snapshot snap; /* of the last turn */
	struct ebb_plan plan;
	struct policy_state state; /* of the last state or check */
	struct recording_name *names; /* sorted by id */
	size_t nr_names;
	uint64_t turn; /* number of the last one, missing ones counted */
	uint64_t turns; /* that are there */
	uint64_t missed;
	bool based; /* the state before the next turn is known */
	char end[32]; /* why it ended */
};

/* *r is all zero before. */
void recording_close(struct recording *r);

/*
 * The next line, without its newline. Returns 0 with what it was; -EINVAL with r->error, and then
 * the recording is not to be read on; -ENOMEM.
 */
int recording_line(struct recording *r, const char *line, size_t len, enum recording_kind *ret);

/*
 * There are no more lines. cut: but for the beginning of one. 0, or -EINVAL with r->error: there
 * should be more.
 */
int recording_finish(struct recording *r, bool cut);

/* NULL: it was not told. */
const struct recording_name *recording_name(const struct recording *r, uint64_t id);

/*
 * Members that the writer had and this program has not, or (ours) the other way round: an array of
 * "shape.member". A new reference; NULL: no memory.
 */
json_t *recording_drift(const struct recording *r, bool ours);

#endif /* EBB_REPORT_RECORDING_H */
