// SPDX-License-Identifier: GPL-2.0-only
#include "report/decisions.h"

#include <string.h>

#include "report/json.h"

static struct decision *newest(struct decision_log *log)
{
	return log->nr ? &log->ring[log->nr - 1] : NULL;
}

static struct decision *append(struct decision_log *log)
{
	if (log->nr == DECISIONS_MAX) {
		memmove(log->ring, log->ring + 1, (DECISIONS_MAX - 1) * sizeof(log->ring[0]));
		log->nr--;
	}
	log->ring[log->nr] = (struct decision){ 0 };
	return &log->ring[log->nr++];
}

/* Acts end after the step that planned them: theirs is the last decision before this step. */
static void add_outcome(struct decision_log *log, const struct ebb_outcome *last)
{
	struct decision *d = newest(log);

	if (!d || last->aged)
		return;
	d->acts++;
	d->asked += last->asked;
	d->got += last->got;
	if (last->error)
		d->error = last->error;
}

/* What came back was taken by the last decision that took anything, as far as can be told. */
static void add_refaults(struct decision_log *log, uint64_t bytes)
{
	for (unsigned int i = log->nr; bytes && i-- > 0;)
		if (log->ring[i].got) {
			log->ring[i].refaulted += bytes;
			return;
		}
}

void decisions_note(struct decision_log *log, uint64_t now_ms, uint64_t cold_after_ms,
		    const struct ebb_snap_container *c, const struct ebb_verdict *v,
		    const struct policy_container *p)
{
	struct decision *d;

	if (log->known && c->last.seq != log->seq)
		add_outcome(log, &c->last);
	if (log->known && v->refaulted > log->refaulted)
		add_refaults(log, v->refaulted - log->refaulted);
	log->known = true;
	log->seq = c->last.seq;
	log->refaulted = v->refaulted;

	d = newest(log);
	if (!d || d->state != v->state || d->reason != v->reason) {
		d = append(log);
		d->first_ms = now_ms;
		d->state = v->state;
		d->reason = v->reason;
	}
	d->last_ms = now_ms;
	d->steps++;
	d->bytes = c->bytes;
	d->cold = v->cold;
	d->cold_after_ms = cold_after_ms;
	d->stall_mem_ppm = p->stall_mem_ppm;
	d->stall_io_ppm = p->stall_io_ppm;
	d->scale_ppm = p->scale_ppm;
	d->file_trust = p->file_trust;
}

static json_t *decision_json(const struct decision *d, uint64_t now_ms)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER("ago_ms", now_ms > d->first_ms ? now_ms - d->first_ms : 0);
	PUT_NUMBER("last_ago_ms", now_ms > d->last_ms ? now_ms - d->last_ms : 0);
	PUT_NUMBER("steps", d->steps);
	PUT_TEXT("state", ebb_state_name(d->state));
	PUT_TEXT("reason", ebb_reason_name(d->reason));
	PUT_TEXT("reason_text", ebb_reason_text(d->reason));
	PUT_NUMBER("bytes", d->bytes);
	PUT_NUMBER("cold", d->cold);
	PUT_NUMBER("cold_after_ms", d->cold_after_ms);
	PUT_NUMBER("stall_memory_ppm", d->stall_mem_ppm);
	PUT_NUMBER("stall_io_ppm", d->stall_io_ppm);
	PUT_NUMBER("share_ppm", d->scale_ppm);
	PUT_NUMBER("file_trust", d->file_trust);
	PUT_NUMBER("acts", d->acts);
	PUT_NUMBER("asked", d->asked);
	PUT_NUMBER("got", d->got);
	PUT_NUMBER("refaulted", d->refaulted);
	PUT("error", d->error ? report_text_json(strerror(-d->error)) : json_null());
	return finish(o, ok);
}

json_t *decisions_json(const struct decision_log *log, uint64_t now_ms)
{
	json_t *all = json_array();
	bool good = all != NULL;

	for (unsigned int i = log->nr; good && i-- > 0;)
		good = json_array_append_new(all, decision_json(&log->ring[i], now_ms)) == 0;
	return finish(all, good);
}
