/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A histogram of latencies with logarithmic slots: 32 to the octave, so that a percentile read
 * from it is at most 3% off. The clients in the VM count into it and the viewer adds them up:
 * percentiles of seconds cannot be averaged, slots can be added.
 */
#ifndef DEMO_HIST_H
#define DEMO_HIST_H

#include <stdint.h>

#define HIST_SUB 32 /* slots an octave; a power of two */
#define HIST_SLOTS                                                                                 \
	(HIST_SUB * 28) /* up to 2^32 microseconds and beyond: the last holds the rest             \
			 */

struct hist {
	uint64_t total;
	uint32_t count[HIST_SLOTS];
};

/* The slot of a latency in microseconds. */
static inline unsigned int hist_slot(uint64_t us)
{
	unsigned int octave, slot;

	if (us < HIST_SUB)
		return (unsigned int)us;
	octave = 63u - (unsigned int)__builtin_clzll(us); /* >= 5 */
	slot = (octave - 4) * HIST_SUB + (unsigned int)((us >> (octave - 5)) - HIST_SUB);
	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

/* The middle of a slot, in microseconds. */
static inline double hist_value(unsigned int slot)
{
	unsigned int octave = slot / HIST_SUB, sub = slot % HIST_SUB;

	if (!octave)
		return sub;
	return (double)((uint64_t)(HIST_SUB + sub) << (octave - 1)) +
	       (double)((uint64_t)1 << (octave - 1)) / 2 - (octave == 1 ? 0.5 : 0);
}

static inline void hist_add(struct hist *h, unsigned int slot, uint32_t n)
{
	if (slot >= HIST_SLOTS)
		slot = HIST_SLOTS - 1;
	h->count[slot] += n;
	h->total += n;
}

/* The latency in microseconds that a share of all (0..1) stays at or under; 0 where none is. */
static inline double hist_quantile(const struct hist *h, double share)
{
	uint64_t want = (uint64_t)(share * (double)h->total + 0.999999), seen = 0;

	if (!h->total)
		return 0;
	if (want < 1)
		want = 1;
	for (unsigned int i = 0; i < HIST_SLOTS; i++) {
		seen += h->count[i];
		if (seen >= want)
			return hist_value(i);
	}
	return hist_value(HIST_SLOTS - 1);
}

#endif /* DEMO_HIST_H */
