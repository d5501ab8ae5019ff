/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a recording: the policy's inputs and its plans, turn by turn (docs/recording.md has the
 * form). This makes the text; where it goes is the caller's.
 */
#ifndef EBB_REPORT_RECORD_H
#define EBB_REPORT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/config.h"
#include "ebb/plan.h"
#include "ebb/snapshot.h"
#include "policy/policy.h"

#define RECORD_FORMAT 1
#define RECORD_LINE_MAX (8u << 20) /* bytes, newline included */
#define RECORD_NAME_MAX 4096 /* bytes of a name, an image or a path */
#define RECORD_CHECK_TURNS 64 /* from one state to compare with to the next */

/* Whose container it is: any bytes; NULL reads as "". */
struct record_name {
	const char *name;
	const char *runtime;
	const char *image;
	const char *path;
};

/* Of a container of the snapshot; what is not known of it stays as it is, which is "". */
typedef void (*record_name_fn)(void *arg, uint64_t id, struct record_name *ret);

struct record_about {
	const char *version; /* of ebb */
	const char *kernel;
	uint64_t started; /* seconds since 1970, UTC */
};

/* Where it goes. */
struct record_sink {
	record_name_fn name_of;
	/* Takes data (from malloc()) and returns 0; or frees it, and what is in it is missing. */
	int (*put)(void *arg, char *data, size_t len, bool last);
	bool (*ready)(void *arg); /* most of what was put is gone: after a gap it can go on */
	void *arg;
};

struct record;

/* about is copied; what it points to must outlive the recording. 0 or -ENOMEM. */
int record_open(struct record **ret, const struct record_about *about,
		const struct record_sink *sink);
void record_close(struct record *r); /* NULL is fine */

/* The state as it is before the first turn. 0, or a negative errno: there is no recording then. */
int record_begin(struct record *r, const struct ebb_config *config,
		 const struct policy_state *state);

/*
 * After policy_step(): what it was given, its plan, and its state since. Where that cannot be made
 * or is not taken by the sink, the turn is missing, and so are those that follow until the sink is
 * ready; the recording says how many, and goes on from the state.
 */
void record_turn(struct record *r, const struct ebb_config *config, const struct ebb_snapshot *snap,
		 const struct ebb_plan *plan, const struct policy_state *state);

/* Somebody else than policy_step() has changed the state. */
void record_state(struct record *r, const struct policy_state *state);

/* The state after the last turn, and the last line. why: a word, such as "count". */
void record_end(struct record *r, const char *why, const struct policy_state *state);

uint64_t record_turns(const struct record *r); /* written; those that are missing are not */
uint64_t record_missed(const struct record *r);

#endif /* EBB_REPORT_RECORD_H */
