// SPDX-License-Identifier: GPL-2.0-only
/* What a replay came to, for a program and for those who print it. */
#include "report/replay_int.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/cleanup.h"
#include "report/json.h"

#define KIB UINT64_C(1024)

static json_t *first_json(const struct replay_verdict *v)
{
	json_t *o;
	bool ok;

	if (!v->differ)
		return json_null();
	o = json_object();
	ok = o != NULL;
	PUT_NUMBER("turn", v->turn);
	PUT_NUMBER("at_ms", v->at_ms);
	PUT_TEXT("member", v->first.path);
	PUT_TEXT("was", v->first.a);
	PUT_TEXT("is", v->first.b);
	return finish(o, ok);
}

static json_t *verdict_json(const struct replay_verdict *v)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER("compared", v->compared);
	PUT_NUMBER("differ", v->differ);
	PUT("first", first_json(v));
	return finish(o, ok);
}

static json_t *recording_json(const struct replay *r)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_TEXT("version", r->rec.version);
	PUT_TEXT("kernel", r->rec.kernel);
	PUT_TEXT("started", r->rec.started);
	PUT_NUMBER("turns", r->rec.turns);
	PUT_NUMBER("missed", r->rec.missed);
	PUT_NUMBER("ms", r->ms);
	PUT("end", r->rec.seen[RECORDING_END] ? report_text_json(r->rec.end) : json_null());
	PUT("unknown", recording_drift(&r->rec, false));
	PUT("lacking", recording_drift(&r->rec, true));
	return finish(o, ok);
}

static json_t *config_json(const char *path, const struct ebb_config *c)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	if (path)
		PUT_TEXT("path", path);
	PUT("cap", c->cap ? number(c->cap) : json_null());
	PUT("cold_after_ms", c->cold_after_ms ? number(c->cold_after_ms) : json_null());
	PUT_NUMBER("stall_budget_ppm", c->stall_budget_ppm);
	return finish(o, ok);
}

/* --- of a container ------------------------------------------------------------------- */

static json_t *called_json(enum ebb_state state, enum ebb_reason reason, const char *key,
			   uint64_t ms)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER(key, ms);
	PUT_TEXT("state", ebb_state_name(state));
	PUT_TEXT("reason", ebb_reason_name(reason));
	PUT_TEXT("reason_text", ebb_reason_text(reason));
	return finish(o, ok);
}

static json_t *times_json(const struct replay_side *s)
{
	json_t *all = json_array();
	bool ok = all != NULL;

	for (int state = 0; state < EBB_NR_STATES; state++)
		for (int reason = 0; reason < EBB_NR_REASONS; reason++)
			if (ok && s->ms[state][reason])
				ok = !json_array_append_new(all, called_json(state, reason, "ms",
									     s->ms[state][reason]));
	return finish(all, ok);
}

static json_t *changes_json(const struct replay_side *s)
{
	json_t *all = json_array();
	bool ok = all != NULL;

	for (size_t i = 0; ok && i < s->nr_changes; i++)
		ok = !json_array_append_new(all,
					    called_json(s->changes[i].state, s->changes[i].reason,
							"at_ms", s->changes[i].at_ms));
	return finish(all, ok);
}

static json_t *side_json(const struct replay_container *c, const struct replay_side *s)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER("asked", s->asked);
	PUT_NUMBER("acts", s->acts);
	PUT_NUMBER("ageings", s->ageings);
	PUT_NUMBER("cold_most", s->cold_most);
	PUT_NUMBER("cold_mean", c->ms ? s->cold_sum / c->ms * KIB : 0);
	PUT("time", times_json(s));
	PUT("changes", changes_json(s));
	return finish(o, ok);
}

static json_t *container_json(const struct replay *r, const struct replay_container *c)
{
	const struct recording_name *name = recording_name(&r->rec, c->id);
	json_t *o = json_object();
	bool ok = o != NULL;
	char id[24];

	snprintf(id, sizeof(id), "%" PRIu64, c->id);
	PUT_TEXT("id", id);
	PUT_TEXT("name", name ? name->name : "");
	PUT_TEXT("runtime", name ? name->runtime : "");
	PUT_TEXT("image", name ? name->image : "");
	PUT_TEXT("path", name ? name->path : "");
	PUT_NUMBER("first_ms", c->first_ms);
	PUT_NUMBER("last_ms", c->last_ms);
	PUT_NUMBER("ms", c->ms);
	PUT_NUMBER("taken", c->taken);
	PUT_NUMBER("refaulted", c->refaulted);
	PUT("recorded", side_json(c, &c->side[AS_RECORDED]));
	PUT("other", r->other ? side_json(c, &c->side[AS_OTHER]) : json_null());
	PUT("differ_ms", r->other ? number(c->differ_ms) : json_null());
	return finish(o, ok);
}

static json_t *containers_json(const struct replay *r)
{
	json_t *all = json_array();
	bool ok = all != NULL;

	for (size_t i = 0; ok && i < r->nr_containers; i++)
		ok = !json_array_append_new(all, container_json(r, &r->containers[i]));
	return finish(all, ok);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static json_t *totals_json(const struct replay_totals *t)
{
	json_t *o = json_object(), *acts = json_object();
	bool ok = o != NULL && acts != NULL;

	for (int i = EBB_ACT_AGE; i <= EBB_ACT_SWAP_LIMIT; i++)
		put(acts, &ok, ebb_action_name(i), number(t->acts[i]));
	PUT("acts", acts);
	PUT_NUMBER("asked", t->asked);
	PUT("size_least", t->want_least ? number(t->want_least) : json_null());
	PUT("size_last", t->want_last ? number(t->want_last) : json_null());
	return finish(o, ok);
}

static json_t *other_json(const struct replay *r)
{
	json_t *o;
	bool ok;

	if (!r->other)
		return json_null();
	o = json_object();
	ok = o != NULL;
	PUT("config", config_json(r->other_path, r->other));
	PUT("plans", verdict_json(&r->others));
	PUT("totals", totals_json(&r->totals[AS_OTHER]));
	return finish(o, ok);
}

json_t *replay_json(const struct replay *r)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT("recording", recording_json(r));
	PUT_BOOL("same", replay_same(r));
	PUT("plans", verdict_json(&r->plans));
	PUT("states", verdict_json(&r->states));
	PUT("config", config_json(NULL, &r->rec.config));
	PUT("totals", totals_json(&r->totals[AS_RECORDED]));
	PUT("other", other_json(r));
	PUT("containers", containers_json(r));
	return finish(o, ok);
}
