// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/history.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/history_int.h"
#include "lib/cleanup.h"

#define KIB 1024
#define REPLACED_MAX 32 /* of a step: each costs a walk over all */
#define MANTISSA_BITS 11
#define MANTISSA (1u << MANTISSA_BITS)

_Static_assert(sizeof(struct history) + HISTORY_MAX_CONTAINERS * sizeof(struct container_ring) <=
		       HISTORY_MAX_BYTES,
	       "the bound that the manual page names");

const struct field machine_fields[MACHINE_FIELDS] = {
	[MACHINE_TOTAL] = { "total", KIB, false },
	[MACHINE_USED] = { "used", KIB, false },
	[MACHINE_CACHE] = { "cache", KIB, false },
	[MACHINE_FREE_REPORTABLE] = { "free_reportable", KIB, false },
	[MACHINE_COMPRESSED] = { "compressed", KIB, false },
	[MACHINE_SWAP_USED] = { "swap_used", KIB, false },
	[MACHINE_RECLAIMED] = { "reclaimed", KIB, true },
	[MACHINE_REFAULTED] = { "refaulted", KIB, true },
	[MACHINE_RETURNED] = { "returned", KIB, true },
	[MACHINE_BALLOON] = { "balloon_target", KIB, false },
};

const struct field container_fields[CONTAINER_FIELDS] = {
	[CONTAINER_BYTES] = { "bytes", KIB, false },
	[CONTAINER_COLD] = { "cold", KIB, false },
	[CONTAINER_SWAP] = { "swap", KIB, false },
	[CONTAINER_RECLAIMED] = { "reclaimed", KIB, true },
	[CONTAINER_REFAULTED] = { "refaulted", KIB, true },
	[CONTAINER_MAJOR] = { "major_faults", 1, true },
	[CONTAINER_STALL] = { "stall_us", 100, true },
};

uint16_t history_pack(uint64_t value)
{
	unsigned int exponent = 0;

	if (value >> (MANTISSA_BITS + 30))
		return PACKED_NONE - 1;
	while (value >> exponent >= 2 * MANTISSA)
		exponent++;
	value = (value + (1ull << exponent >> 1)) >> exponent;
	/* Rounding up may need one more. */
	if (value == 2 * MANTISSA) {
		value >>= 1;
		exponent++;
	}
	/* Below MANTISSA it is itself; above, the leading bit is left out. */
	if (value < MANTISSA)
		return (uint16_t)value;
	if (exponent > 30)
		return PACKED_NONE - 1;
	return (uint16_t)((exponent + 1) << MANTISSA_BITS | (value - MANTISSA));
}

uint64_t history_unpack(uint16_t packed)
{
	unsigned int exponent = packed >> MANTISSA_BITS;
	uint64_t mantissa = packed & (MANTISSA - 1);

	return exponent ? (mantissa + MANTISSA) << (exponent - 1) : mantissa;
}

struct history *history_new(void)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h) {
		memset(h->machine.recent, 0xff, sizeof(h->machine.recent));
		memset(h->machine.day, 0xff, sizeof(h->machine.day));
		h->nr_words = 1; /* the empty one */
	}
	return h;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->nr; i++)
		free(h->rings[i]);
	free(h);
}

size_t history_bytes(const struct history *h)
{
	return sizeof(*h) + h->nr * sizeof(struct container_ring);
}

size_t history_containers(const struct history *h)
{
	return h->nr;
}

/* Words are few and ours; when there are more than fit, the empty one stands for them. */
static uint8_t word(struct history *h, const char *text)
{
	for (unsigned int i = 0; i < h->nr_words; i++)
		if (!strcmp(h->words[i], text))
			return (uint8_t)i;
	if (h->nr_words == HISTORY_WORDS || strlen(text) >= HISTORY_WORD_LEN)
		return 0;
	strcpy(h->words[h->nr_words], text);
	return (uint8_t)h->nr_words++;
}

/* What the finished day slot is, from the steps that it spans. */
static uint16_t fold(const uint16_t *recent, size_t fields, size_t field, uint64_t first, bool sum)
{
	uint64_t total = 0, n = 0;

	for (uint64_t step = first; step < first + HISTORY_FOLD; step++) {
		uint16_t value = recent[step % HISTORY_RECENT * fields + field];

		if (value == PACKED_NONE)
			continue;
		total += history_unpack(value);
		n++;
	}
	if (!n)
		return PACKED_NONE;
	return history_pack(sum ? total : total / n);
}

/* Opens the step: empties what it reuses, and closes the day slots that ended. */
static void advance(uint16_t *recent, uint16_t *day, const struct field *fields, size_t n,
		    uint64_t from, uint64_t to)
{
	uint64_t step = from;

	/* After a long sleep nothing of it is left, and each slot is passed once at most. */
	if (to - from > (uint64_t)HISTORY_DAY * HISTORY_FOLD) {
		memset(recent, 0xff, HISTORY_RECENT * n * sizeof(*recent));
		step = to - (uint64_t)HISTORY_DAY * HISTORY_FOLD;
	}
	while (step < to) {
		step++;
		if (step % HISTORY_FOLD == 0) {
			uint64_t slot = step / HISTORY_FOLD - 1;

			for (size_t i = 0; i < n; i++)
				day[slot % HISTORY_DAY * n + i] =
					fold(recent, n, i, step - HISTORY_FOLD, fields[i].sum);
		}
		for (size_t i = 0; i < n; i++)
			recent[step % HISTORY_RECENT * n + i] = PACKED_NONE;
	}
}

/*
 * Writes the fields of a step. Totals are kept as what they grew by since the
 * end of the step before, so a second look in the same step writes them anew.
 */
static void put(uint16_t *at, const struct field *fields, size_t n, const uint64_t *now,
		uint64_t *before, uint64_t *latest, bool has_latest, bool new_step)
{
	for (size_t i = 0; i < n; i++) {
		const struct field *f = &fields[i];
		uint64_t grown;

		if (!has_latest)
			before[i] = now[i];
		else if (new_step)
			before[i] = latest[i];
		grown = now[i] > before[i] ? now[i] - before[i] : 0;
		latest[i] = now[i];
		at[i] = history_pack(((f->sum ? grown : now[i]) + f->scale / 2) / f->scale);
	}
}

static void note_machine(struct history *h, const struct sample_machine *m, bool new_step)
{
	struct machine_ring *r = &h->machine;
	uint64_t available = m->mem_available > m->mem_free ? m->mem_available : m->mem_free;
	uint64_t now[MACHINE_FIELDS] = {
		[MACHINE_TOTAL] = m->mem_total,
		[MACHINE_USED] = m->mem_total > available ? m->mem_total - available : 0,
		[MACHINE_CACHE] = available - m->mem_free,
		[MACHINE_FREE_REPORTABLE] = m->free_reportable,
		[MACHINE_COMPRESSED] = m->compressed,
		[MACHINE_SWAP_USED] = m->swap_total > m->swap_free ? m->swap_total - m->swap_free
								   : 0,
		[MACHINE_RECLAIMED] = m->reclaimed_total,
		[MACHINE_REFAULTED] = m->refaulted_total,
		[MACHINE_RETURNED] = m->returned_total,
		[MACHINE_BALLOON] = m->balloon_target,
	};
	uint16_t *at = r->recent[h->step % HISTORY_RECENT];

	put(at, machine_fields, MACHINE_FIELDS, now, r->before, r->latest, r->has_latest, new_step);
	r->has_latest = true;
	if (!m->has_returned)
		at[MACHINE_RETURNED] = PACKED_NONE;
	if (!m->has_balloon)
		at[MACHINE_BALLOON] = PACKED_NONE;
}

static void note_decision(struct history *h, struct container_ring *r,
			  const struct sample_container *c)
{
	uint8_t state = word(h, c->state), reason = word(h, c->reason);
	uint8_t action = word(h, c->last_action);
	bool acted = c->last_ended_ms != r->last_ended_ms && c->last_asked;
	struct decision *d;

	/* An ageing pass is not worth a line; what changed or what was taken is. */
	if (r->nr_decisions && state == r->state && reason == r->reason && !acted)
		return;
	d = &r->decisions[r->nr_decisions++ % HISTORY_DECISIONS];
	*d = (struct decision){ .at_s = (uint32_t)(h->now_ms / 1000),
				.state = state,
				.reason = reason };
	if (acted) {
		d->action = action;
		d->asked = history_pack(c->last_asked / KIB);
		d->got = history_pack(c->last_got / KIB);
	}
	r->state = state;
	r->reason = reason;
	r->last_ended_ms = c->last_ended_ms;
}

static void note_container(struct history *h, struct container_ring *r,
			   const struct sample_container *c, bool new_step)
{
	uint64_t now[CONTAINER_FIELDS] = {
		[CONTAINER_BYTES] = c->bytes,
		[CONTAINER_COLD] = c->cold,
		[CONTAINER_SWAP] = c->swap,
		[CONTAINER_RECLAIMED] = c->reclaimed_total,
		[CONTAINER_REFAULTED] = c->refaulted_total,
		[CONTAINER_MAJOR] = c->faults_major,
		[CONTAINER_STALL] = c->stall_us,
	};
	uint16_t *at = r->recent[h->step % HISTORY_RECENT];

	put(at, container_fields, CONTAINER_FIELDS, now, r->before, r->latest, r->has_latest,
	    new_step);
	r->has_latest = true;
	r->bytes = c->bytes;
	note_decision(h, r, c);
}

static void ring_reset(struct container_ring *r, uint64_t id)
{
	memset(r, 0, offsetof(struct container_ring, recent));
	memset(r->recent, 0xff, sizeof(r->recent));
	memset(r->day, 0xff, sizeof(r->day));
	r->id = id;
}

static struct container_ring *smallest(const struct history *h)
{
	struct container_ring *least = h->rings[0];

	for (size_t i = 1; i < h->nr; i++)
		if (h->rings[i]->bytes < least->bytes)
			least = h->rings[i];
	return least;
}

static void drop_gone(struct history *h, const struct sample *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->nr; i++) {
		if (sample_find(s, h->rings[i]->id))
			h->rings[kept++] = h->rings[i];
		else
			free(h->rings[i]);
	}
	h->nr = kept;
}

static int by_id(const void *a, const void *b)
{
	const struct container_ring *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

struct container_ring *history_find(const struct history *h, uint64_t id)
{
	size_t low = 0, high = h->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (h->rings[middle]->id == id)
			return h->rings[middle];
		if (h->rings[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/*
 * A ring for a container that has none. Where there is no room, one that is
 * clearly larger takes the place of the smallest, so that two of about the same
 * size do not push each other out in turn. NULL with *ret_r 0: none for it.
 */
static struct container_ring *admit(struct history *h, const struct sample_container *c,
				    unsigned int *replaced, int *ret_r)
{
	struct container_ring *r;

	if (h->nr < HISTORY_MAX_CONTAINERS) {
		r = malloc(sizeof(*r));
		if (!r) {
			*ret_r = -ENOMEM;
			return NULL;
		}
		h->rings[h->nr++] = r;
	} else {
		if (*replaced == REPLACED_MAX)
			return NULL;
		r = smallest(h);
		if (c->bytes / 2 <= r->bytes)
			return NULL;
		++*replaced;
	}
	ring_reset(r, c->id);
	return r;
}

static int note_containers(struct history *h, const struct sample *s, bool new_step)
{
	_cleanup_free_ const struct sample_container **unknown = NULL;
	unsigned int replaced = 0;
	size_t nr_unknown = 0;
	int r = 0;

	drop_gone(h, s);
	if (s->nr > h->nr) {
		unknown = calloc(s->nr, sizeof(*unknown));
		if (!unknown)
			return -ENOMEM;
	}
	for (size_t i = 0; i < s->nr; i++) {
		struct container_ring *ring = history_find(h, s->containers[i].id);

		if (ring)
			note_container(h, ring, &s->containers[i], new_step);
		else if (unknown)
			unknown[nr_unknown++] = &s->containers[i];
	}
	/* From here on the order is gone, and nothing is looked up. */
	for (size_t i = 0; i < nr_unknown; i++) {
		struct container_ring *ring = admit(h, unknown[i], &replaced, &r);

		if (ring)
			note_container(h, ring, unknown[i], true);
	}
	if (nr_unknown && h->nr)
		qsort(h->rings, h->nr, sizeof(h->rings[0]), by_id);
	return r;
}

/* Up to the step that now is; the last look at each is what counts of it. */
static void advance_all(struct history *h, uint64_t step)
{
	uint64_t from = h->step ? h->step : step;

	advance(&h->machine.recent[0][0], &h->machine.day[0][0], machine_fields, MACHINE_FIELDS,
		from, step);
	for (size_t i = 0; i < h->nr; i++)
		advance(&h->rings[i]->recent[0][0], &h->rings[i]->day[0][0], container_fields,
			CONTAINER_FIELDS, from, step);
}

int history_add(struct history *h, const struct sample *sample, uint64_t now_ms)
{
	uint64_t step = now_ms / 1000 / HISTORY_STEP_S;
	bool new_step = step > h->step;

	if (step < h->step)
		return 0;
	if (new_step)
		advance_all(h, step);
	h->step = step;
	h->now_ms = now_ms;
	if (!sample)
		return 0;
	note_machine(h, &sample->machine, new_step);
	return note_containers(h, sample, new_step);
}
