// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much of a container is known to be cold.
 *
 * Anon and mapped files: an ageing pass walks the page tables and moves what
 * was touched to the youngest generation, so the bound in ebb_age.idle_ms holds.
 *
 * Page cache read through a descriptor is another matter, on every kernel
 * that we know: lru_gen_add_folio puts a page that was just read into the
 * OLDEST generation or the one after it, and folio_mark_accessed counts
 * further reads in the page's flags and leaves it where it is. So the time of
 * its generation says nothing about a page of the file cache. This helps:
 * - what stood in the old generations at every ageing pass of the last cold_after, in
 *   amount, is the most that is taken. (Amount, not identity: inc_min_seq moves the oldest
 *   list tail first to the tail of the next, so a merge turns its order round.)
 * - pages that are read again and again are not evicted when the scan meets them but moved on
 *   (the "protected" of MGLRU), if they were read about five times since the last merge, which
 *   clears their counts. So page cache is taken late in a period, of FILE_PERIOD_MS at least
 *   (ageing.c).
 * - what a portion moved out of the old generations without evicting it is therefore hot. It is
 *   subtracted from then on (file_hot), and forgotten slowly: when a part is, it is tried; where
 *   that part was cold, more is forgotten. Only the generation that is named is evicted from
 *   (act/age_evict.c), so that a try costs a scan, but for what was not read often enough.
 * - what was taken wrongly comes back soon. So one portion is taken at first, and after a while
 *   (coldness_file_wait_ms()) in which nothing came back, twice as much as the last time.
 */
#include <string.h>

#include "policy/internal.h"

/*
 * Of the pages in use a pass misses a few, which then stand among the cold: mostly below 0.4%, and
 * up to 1.5% were seen. Asked to evict them the kernel finds them in use, ages by itself for want
 * of others, and takes what is hot: of 824 KiB 764 came back. So as much as they mostly are is not
 * known cold, and more where an eviction met more. Not without bound: what a program frees while
 * it is evicted is gone from among the cold in the same way.
 */
#define MISSED_PART 128
#define MISSED_PART_MOST 32

static uint64_t missed(const struct policy_container *p, uint64_t in_use)
{
	return max_u64(in_use / MISSED_PART, min_u64(p->anon_missed, in_use / MISSED_PART_MOST));
}

#define HOT_FADES 256 /* periods of ageing */
#define HOT_ERROR 16 /* so much is left besides: what moved on is told from sums that trail */
#define HOT_TRIED 8 /* as little may well be what was hot */

/* At a pass. */
static void file_sample(const struct step *s, struct policy_container *p, uint64_t bytes)
{
	uint64_t passed = p->nr_file ? s->snap->now_ms - p->file[p->nr_file - 1].ms : 0;

	p->file_hot -= min_u64(p->file_hot / HOT_ERROR,
			       p->file_hot / HOT_FADES * passed / (s->cold_ms / 2));
	if (p->nr_file == POLICY_FILE_SAMPLES) {
		memmove(p->file, p->file + 1, (POLICY_FILE_SAMPLES - 1) * sizeof(p->file[0]));
		p->nr_file--;
	}
	p->file[p->nr_file++] =
		(struct policy_file_sample){ .ms = s->snap->now_ms, .bytes = bytes };
}

/* The least amount over the window, 0 while the window is not full. */
static uint64_t file_window_min(const struct step *s, const struct policy_container *p,
				uint64_t now_bytes)
{
	/* Passes come every cold_ms / 2, and a timer's jitter may shorten two of them a little. */
	uint64_t window = s->cold_ms - s->cold_ms / 16;
	uint64_t least = now_bytes;

	for (unsigned int i = p->nr_file; i-- > 0;) {
		least = min_u64(least, p->file[i].bytes);
		if (s->snap->now_ms - p->file[i].ms >= window)
			return least;
	}
	return 0;
}

#define TRUST_MAX 8
#define COMES_BACK (256 * KIB)
#define FILE_WAIT_MIN_MS 2000u

uint64_t coldness_file_wait_ms(const struct step *s)
{
	return max_u64(s->cold_ms / 4, FILE_WAIT_MIN_MS);
}

/* Did what was taken stay away? What comes back after a portion ends it until the next pass. */
static void file_judge(const struct step *s, struct policy_container *p, bool pass)
{
	uint64_t allowed = FILE_PORTION_MAX << p->file_trust;
	bool waited = s->snap->now_ms >= p->file_taken_ms + coldness_file_wait_ms(s);
	bool anew = waited;

	if (p->file_refaulted - p->file_refaults > COMES_BACK) {
		p->file_back = !pass && p->file_taken_ms >= p->file_aged_ms;
		p->file_trust = 0;
		anew = true;
	} else if (p->file_back) {
		if (!pass)
			return;
		p->file_back = false;
		anew = true;
	} else if (waited && p->file_taken_ms && p->file_left < allowed / 2) {
		p->file_trust = min_u64(p->file_trust + 1, TRUST_MAX);
	} else if (!pass && !(waited && p->file_left < allowed)) {
		return;
	}
	p->file_refaults = p->file_refaulted;
	if (p->file_back)
		p->file_left = 0;
	else if (anew)
		p->file_left = FILE_PORTION_MAX << p->file_trust;
}

/* Page cache of generations that nothing entered after at_ms. */
static uint64_t file_until(const struct step *s, const struct ebb_snap_container *c, uint64_t at_ms)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < c->nr_ages && at_ms + c->age[i].idle_ms > s->snap->now_ms; i++)
		bytes += c->age[i].file;
	return bytes;
}

/*
 * Before page cache is asked for: of each group it is taken from the oldest generation that has
 * any, and what is in use is moved on from there to the next, which was closed a pass later. (A
 * sixteenth may stand in older ones: of a small group that ages late, or not at all.)
 */
void coldness_note_file(const struct step *s, const struct ebb_snap_container *c,
			struct policy_container *p, const struct coldness *cold)
{
	unsigned int i = 0;
	uint64_t closed, older = 0;

	while (i < c->nr_ages && (older += c->age[i].file) <= cold->file_old / 16)
		i++;
	closed = sub_u64(s->snap->now_ms, i < c->nr_ages ? c->age[i].idle_ms : 0);
	p->file_until_ms = closed + s->cold_ms / 4; /* passes are twice as far apart at least */
	p->file_before = file_until(s, c, p->file_until_ms);
	p->file_all = c->file;
	p->file_tries_hot = cold->file < p->file_hot / HOT_TRIED;
}

static void learn_file(const struct step *s, struct policy_container *p,
		       const struct ebb_snap_container *c, uint64_t got)
{
	uint64_t left = sub_u64(p->file_before, file_until(s, c, p->file_until_ms));
	/* A file that is deleted leaves, too. */
	uint64_t moved_on = sub_u64(left, max_u64(got, sub_u64(p->file_all, c->file)));

	/* Nor is what act may not take: memory.min of a group inside keeps it, or it is mapped. */
	if (!c->last.timed_out && !c->last.error && max_u64(got, left) < c->last.asked / 4)
		p->file_hot += c->last.asked - max_u64(got, left);
	/* The same pages are met again after the next pass: the most of one pass counts. */
	p->file_moved += moved_on;
	p->file_taken_ms = max_u64(p->file_taken_ms, c->last.ended_ms);
	/* What was hot is not. (Up to 6.11 got may be anon.) */
	if (p->file_tries_hot && moved_on < got / 8 && left >= got / 8 * 7)
		p->file_hot -= min_u64(p->file_hot / 4, 4 * got);
	p->file_hot = min_u64(max_u64(p->file_hot, p->file_moved), c->file);
}

static void learn_anon(struct policy_container *p, const struct coldness *cold, uint64_t in_use,
		       uint64_t got)
{
	uint64_t left = sub_u64(p->anon_before, cold->anon_idle);

	p->anon_missed = max_u64(p->anon_missed, sub_u64(left, got));
	p->anon_missed = min_u64(p->anon_missed, in_use / MISSED_PART_MOST);
}

/* From what left the old generations and was not evicted: it was in use. */
static void learn(const struct step *s, struct policy_container *p,
		  const struct ebb_snap_container *c, const struct coldness *cold, uint64_t got)
{
	if (p->file_before)
		learn_file(s, p, c, got);
	else if (p->anon_before)
		learn_anon(p, cold, c->anon + c->shmem - cold->anon_idle, got);
	p->file_before = p->anon_before = 0;
}

void coldness_measure(const struct step *s, const struct ebb_snap_container *c,
		      struct policy_container *p, struct coldness *ret)
{
	bool pass;

	*ret = (struct coldness){ 0 };
	for (unsigned int i = 0; i < c->nr_ages; i++) {
		if (c->age[i].idle_ms < s->cold_ms)
			continue;
		ret->learned = true;
		ret->anon_idle += c->age[i].anon;
		ret->file_old += c->age[i].file;
	}
	/* shmem is charged as file but lives on the anon lists and goes to swap. */
	ret->anon_idle = min_u64(ret->anon_idle, c->anon + c->shmem);
	ret->file_old = min_u64(ret->file_old, sub_u64(c->file, c->shmem));
	pass = new_pass(c, &p->file_aged_ms) && ret->learned;
	if (pass) {
		file_sample(s, p, ret->file_old);
		p->file_moved = p->file_before = 0;
		p->anon_missed -= p->anon_missed / 32;
	}
	if (ret->learned)
		file_judge(s, p, pass);
	if (c->last.seq == p->outcome_seq && !c->last.aged)
		learn(s, p, c, ret, c->last.got);
	ret->anon = sub_u64(ret->anon_idle, missed(p, c->anon + c->shmem - ret->anon_idle));
	ret->file = sub_u64(file_window_min(s, p, ret->file_old),
			    p->file_hot + p->file_hot / HOT_ERROR);
}
