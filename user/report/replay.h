/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes the turns of a recording through policy_step() again. The plans come out as they were
 * recorded, bit for bit, or it is said where they do not. With another configuration beside it:
 * what that would have decided, given the same.
 *
 * The same is not what would have been: memory that the other configuration would have taken is
 * still there in the next turn, and what it would have left is gone.
 */
#ifndef EBB_REPORT_REPLAY_H
#define EBB_REPORT_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ebb/config.h"

struct replay;

/*
 * other: another configuration, NULL: none; borrowed, as is other_path, its name for a person.
 * 0 or -ENOMEM.
 */
int replay_open(struct replay **ret, const struct ebb_config *other, const char *other_path);
void replay_close(struct replay *r); /* NULL is fine */

/*
 * The next line, without its newline. 0; -EINVAL: the recording is wrong; -ERANGE: the other
 * configuration is not for the recorded machine; -ENOMEM. What came before is still good for a
 * result, and no further line is to be given.
 */
int replay_line(struct replay *r, const char *line, size_t len);

/* As recording_finish(). */
int replay_finish(struct replay *r, bool cut);

/* A sentence on what was wrong; printable. */
const char *replay_error(const struct replay *r);

uint64_t replay_turns(const struct replay *r); /* that were decided on */

/* All plans came out as recorded, and all states. */
bool replay_same(const struct replay *r);

/* What came of it, as `ebb replay -o json` has it (docs/json.md). NULL: no memory. */
json_t *replay_json(const struct replay *r);

#endif /* EBB_REPORT_REPLAY_H */
