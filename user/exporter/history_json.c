// SPDX-License-Identifier: GPL-2.0-only
/* The rings as JSON: arrays of equal length, oldest first, null where nothing is known. */
#include <inttypes.h>

#include "exporter/history_int.h"

struct window {
	uint64_t first; /* slot */
	size_t n;
	size_t size; /* of the ring */
	uint64_t step_s;
};

static struct window window(const struct history *h, enum history_span span)
{
	struct window w = { .size = HISTORY_RECENT, .step_s = HISTORY_STEP_S };
	uint64_t last = h->step;

	if (span == HISTORY_SPAN_DAY) {
		w.size = HISTORY_DAY;
		w.step_s = HISTORY_STEP_S * HISTORY_FOLD;
		/* The slot that is being filled is not written yet. */
		last = h->step / HISTORY_FOLD;
		last = last ? last - 1 : 0;
	}
	w.n = last + 1 < w.size ? (size_t)last + 1 : w.size;
	w.first = last + 1 - w.n;
	return w;
}

static void add_key(struct buf *out, const char *key)
{
	buf_add_char(out, '"');
	buf_add(out, key);
	buf_add(out, "\":");
}

static void add_number(struct buf *out, const char *key, uint64_t value)
{
	add_key(out, key);
	buf_add_u64(out, value);
}

static void add_curve(struct buf *out, const uint16_t *ring, size_t fields, size_t field,
		      const struct field *f, const struct window *w)
{
	add_key(out, f->name);
	buf_add_char(out, '[');
	for (size_t i = 0; i < w->n; i++) {
		uint16_t value = ring[(w->first + i) % w->size * fields + field];

		if (i)
			buf_add_char(out, ',');
		if (value == PACKED_NONE)
			buf_add(out, "null");
		else
			buf_add_u64(out, history_unpack(value) * f->scale);
	}
	buf_add_char(out, ']');
}

static void add_curves(struct buf *out, const uint16_t *ring, const struct field *fields, size_t n,
		       const struct window *w)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_char(out, ',');
		add_curve(out, ring, n, i, &fields[i], w);
	}
}

/* wall_ms is now; the slots count from boot. */
static void add_head(const struct history *h, struct buf *out, const struct window *w,
		     int64_t wall_ms)
{
	int64_t start = wall_ms - (int64_t)h->now_ms + (int64_t)(w->first * w->step_s * 1000);

	add_number(out, "now_ms", (uint64_t)wall_ms);
	buf_add_char(out, ',');
	add_number(out, "start_ms", start > 0 ? (uint64_t)start : 0);
	buf_add_char(out, ',');
	add_number(out, "step_s", w->step_s);
	buf_add_char(out, ',');
	add_number(out, "points", w->n);
	buf_add_char(out, ',');
}

void history_machine_json(const struct history *h, enum history_span span, int64_t wall_ms,
			  struct buf *out)
{
	struct window w = window(h, span);
	const uint16_t *ring = span == HISTORY_SPAN_DAY ? &h->machine.day[0][0]
							: &h->machine.recent[0][0];

	buf_add_char(out, '{');
	add_head(h, out, &w, wall_ms);
	add_key(out, "machine");
	buf_add_char(out, '{');
	add_curves(out, ring, machine_fields, MACHINE_FIELDS, &w);
	buf_add(out, "}}\n");
}

static void add_decisions(const struct history *h, struct buf *out, const struct container_ring *r,
			  int64_t wall_ms)
{
	unsigned int n = r->nr_decisions < HISTORY_DECISIONS ? r->nr_decisions : HISTORY_DECISIONS;

	add_key(out, "decisions");
	buf_add_char(out, '[');
	for (unsigned int i = r->nr_decisions - n; i < r->nr_decisions; i++) {
		const struct decision *d = &r->decisions[i % HISTORY_DECISIONS];
		int64_t at = wall_ms - (int64_t)h->now_ms + (int64_t)d->at_s * 1000;

		buf_add(out, i > r->nr_decisions - n ? ",{" : "{");
		add_number(out, "at_ms", at > 0 ? (uint64_t)at : 0);
		buf_add(out, ",\"state\":");
		buf_add_json(out, h->words[d->state]);
		buf_add(out, ",\"reason\":");
		buf_add_json(out, h->words[d->reason]);
		if (d->action) {
			buf_add(out, ",\"action\":");
			buf_add_json(out, h->words[d->action]);
			buf_add_char(out, ',');
			add_number(out, "asked", history_unpack(d->asked) * 1024);
			buf_add_char(out, ',');
			add_number(out, "got", history_unpack(d->got) * 1024);
		}
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

void history_containers_json(const struct history *h, enum history_span span, int64_t wall_ms,
			     const uint64_t *ids, size_t n, struct buf *out)
{
	struct window w = window(h, span);
	bool any = false;

	buf_add_char(out, '{');
	add_head(h, out, &w, wall_ms);
	add_key(out, "containers");
	buf_add_char(out, '{');
	for (size_t i = 0; i < n; i++) {
		const struct container_ring *r = history_find(h, ids[i]);
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= ids[k] == ids[i];
		if (!r || again)
			continue;
		buf_add(out, any ? ",\"" : "\"");
		buf_add_u64(out, r->id);
		buf_add(out, "\":{");
		add_curves(out, span == HISTORY_SPAN_DAY ? &r->day[0][0] : &r->recent[0][0],
			   container_fields, CONTAINER_FIELDS, &w);
		buf_add_char(out, ',');
		add_decisions(h, out, r, wall_ms);
		buf_add_char(out, '}');
		any = true;
	}
	buf_add(out, "}}\n");
}
