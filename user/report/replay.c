// SPDX-License-Identifier: GPL-2.0-only
#include "report/replay_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "report/record_shapes.h"

int replay_open(struct replay **ret, const struct ebb_config *other, const char *other_path)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->other = other;
	r->other_path = other_path;
	*ret = r;
	return 0;
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(r->run); i++) {
		fields_free(&shape_state, &r->run[i].state);
		fields_free(&shape_plan, &r->run[i].plan);
	}
	replay_count_free(r);
	free(r->ruled);
	recording_close(&r->rec);
	free(r);
}

const char *replay_error(const struct replay *r)
{
	return r->error;
}

uint64_t replay_turns(const struct replay *r)
{
	return r->plans.compared;
}

bool replay_same(const struct replay *r)
{
	return !r->plans.differ && !r->states.differ;
}

/* known: what a can have. */
static void note(struct replay *r, struct replay_verdict *v, const struct shape *shape,
		 const void *a, const void *b, const json_t *known)
{
	struct fields_difference found;

	v->compared++;
	if (!fields_differ(shape, a, b, known, &found))
		return;
	if (v->differ++)
		return;
	v->turn = r->rec.turn;
	v->at_ms = r->rec.snap.now_ms - r->first_ms;
	v->first = found;
}

/* --- running ------------------------------------------------------------------------------------
 */

static int take_over(struct replay_run *run, const struct policy_state *state)
{
	fields_free(&shape_state, &run->state);
	if (fields_copy(&shape_state, &run->state, state))
		return -ENOMEM;
	run->state.max = run->state.nr;
	return 0;
}

/* Room for what policy_step() may want to write. */
static int grow(struct replay_run *run, const struct ebb_snapshot *snap)
{
	size_t n = snap->nr_containers;
	size_t items = n + snap->nr_orphans + 2 * snap->nr_holders + snap->nr_others + 1;

	if (run->state.max < n) {
		void *p = reallocarray(run->state.slots, n, sizeof(run->state.slots[0]));

		if (!p)
			return -ENOMEM;
		run->state.slots = p;
		run->state.max = n;
	}
	if (run->plan.max_verdicts < n) {
		void *p = reallocarray(run->plan.verdicts, n, sizeof(run->plan.verdicts[0]));

		if (!p)
			return -ENOMEM;
		run->plan.verdicts = p;
		run->plan.max_verdicts = n;
	}
	if (run->plan.max_items < items) {
		void *p = reallocarray(run->plan.items, items, sizeof(run->plan.items[0]));

		if (!p)
			return -ENOMEM;
		run->plan.items = p;
		run->plan.max_items = items;
	}
	return 0;
}

static int step(struct replay *r, struct replay_run *run, const struct ebb_snapshot *snap,
		const struct ebb_config *config)
{
	int err = grow(run, snap);

	if (!err)
		err = policy_step(snap, config, &run->state, &run->plan);
	if (err == -EINVAL)
		snprintf(r->error, sizeof(r->error),
			 "line %lu: turn %" PRIu64 " is none that could have been decided on",
			 r->rec.line, r->rec.turn);
	return err;
}

/* --- the other configuration --------------------------------------------------------------------
 */

/* As ebbd does when it starts (config_read()): is it for this machine? */
static int check_machine(struct replay *r)
{
	const struct ebb_snap_machine *m = &r->rec.snap.machine;
	uint64_t free = m->ballooned + m->mem_available;
	struct conf_error err;
	char text[CONF_ERROR_MAX];

	if (!conf_check_machine(r->other, r->other_path, m->ram, m->ram > free ? m->ram - free : 0,
				&err))
		return 0;
	snprintf(r->error, sizeof(r->error), "%s (the recorded machine)",
		 conf_error_text(&err, text));
	return -ERANGE;
}

/* What rules say of a container is in the snapshot, as the recorded configuration had it. */
static int apply_rules(struct replay *r, struct ebb_snapshot *snap)
{
	size_t n = snap->nr_containers;

	if (r->max_ruled < n) {
		void *p = reallocarray(r->ruled, n, sizeof(r->ruled[0]));

		if (!p)
			return -ENOMEM;
		r->ruled = p;
		r->max_ruled = n;
	}
	for (size_t i = 0; i < n; i++) {
		struct ebb_snap_container *c = &r->ruled[i];
		const struct recording_name *name = recording_name(&r->rec, snap->containers[i].id);

		*c = snap->containers[i];
		conf_rules(r->other, name->name, name->image, name->path, &c->protect,
			   &c->reclaim_off);
	}
	snap->containers = r->ruled;
	return 0;
}

static int step_other(struct replay *r)
{
	struct ebb_snapshot snap = r->rec.snap;
	int err = r->rec.turns == 1 ? check_machine(r) : 0;

	if (!err)
		err = apply_rules(r, &snap);
	if (!err)
		err = step(r, &r->run[AS_OTHER], &snap, r->other);
	return err;
}

/* --- lines --------------------------------------------------------------------------------------
 */

static int take_state(struct replay *r)
{
	int err = take_over(&r->run[AS_RECORDED], &r->rec.state);

	/* After a gap the other one begins from there as well: what it came to, nobody can tell. */
	return err || !r->other ? err : take_over(&r->run[AS_OTHER], &r->rec.state);
}

static int take_turn(struct replay *r)
{
	int err;

	if (r->rec.turns == 1)
		r->first_ms = r->rec.snap.now_ms;
	err = step(r, &r->run[AS_RECORDED], &r->rec.snap, &r->rec.config);
	if (err)
		return err;
	note(r, &r->plans, &shape_plan, &r->rec.plan, &r->run[AS_RECORDED].plan, r->rec.members);
	if (r->other) {
		err = step_other(r);
		if (err)
			return err;
		note(r, &r->others, &shape_plan, &r->run[AS_RECORDED].plan, &r->run[AS_OTHER].plan,
		     NULL);
	}
	err = replay_count(r);
	r->last_ms = r->rec.snap.now_ms;
	r->ms = r->last_ms - r->first_ms;
	return err;
}

int replay_line(struct replay *r, const char *line, size_t len)
{
	enum recording_kind kind;
	int err = recording_line(&r->rec, line, len, &kind);

	if (err == -EINVAL)
		snprintf(r->error, sizeof(r->error), "%s", r->rec.error);
	if (err)
		return err;
	switch (kind) {
	case RECORDING_STATE:
		return take_state(r);
	case RECORDING_CHECK:
		note(r, &r->states, &shape_state, &r->rec.state, &r->run[AS_RECORDED].state,
		     r->rec.members);
		return 0;
	case RECORDING_TURN:
		return take_turn(r);
	case RECORDING_GAP:
		r->last_ms = 0;
		return 0;
	default:
		return 0;
	}
}

int replay_finish(struct replay *r, bool cut)
{
	int err = recording_finish(&r->rec, cut);

	if (err)
		snprintf(r->error, sizeof(r->error), "%s", r->rec.error);
	return err;
}
