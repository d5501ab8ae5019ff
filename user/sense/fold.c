// SPDX-License-Identifier: GPL-2.0-only
#include "sense/fold.h"

#include <stdbool.h>
#include <string.h>

#define NEVER_AGED UINT64_MAX

static uint64_t age_bytes(const struct ebb_age *e)
{
	return e->anon + e->file;
}

/* What it costs in bytes × ms to pretend that `moved` has another age. */
static uint64_t merge_loss(const struct ebb_age *moved, uint64_t from, uint64_t to)
{
	uint64_t loss;

	if (__builtin_mul_overflow(age_bytes(moved), from - to, &loss))
		return UINT64_MAX;
	return loss;
}

/*
 * Inserts into a list sorted by idle_ms, largest first, of at most
 * EBB_MAX_AGES. When it is full, the two neighbours that lose least become
 * one, with the smaller figure of both (or the larger, where that is the
 * careful side).
 */
static void ages_add(struct ebb_age *list, unsigned int *nr, struct ebb_age add, bool keep_larger)
{
	struct ebb_age tmp[EBB_MAX_AGES + 1];
	unsigned int i, n = 0, best = 0;
	uint64_t best_loss = UINT64_MAX;

	for (i = 0; i < *nr && list[i].idle_ms > add.idle_ms; i++)
		;
	if (i < *nr && list[i].idle_ms == add.idle_ms) {
		list[i].anon += add.anon;
		list[i].file += add.file;
		return;
	}
	memcpy(tmp, list, i * sizeof(*tmp));
	tmp[i] = add;
	memcpy(tmp + i + 1, list + i, (*nr - i) * sizeof(*tmp));
	n = *nr + 1;
	if (n > EBB_MAX_AGES) {
		for (i = 0; i + 1 < n; i++) {
			uint64_t loss = merge_loss(keep_larger ? &tmp[i + 1] : &tmp[i],
						   tmp[i].idle_ms, tmp[i + 1].idle_ms);

			if (loss < best_loss) {
				best_loss = loss;
				best = i;
			}
		}
		tmp[best].anon += tmp[best + 1].anon;
		tmp[best].file += tmp[best + 1].file;
		if (!keep_larger)
			tmp[best].idle_ms = tmp[best + 1].idle_ms;
		memmove(tmp + best + 1, tmp + best + 2, (n - best - 2) * sizeof(*tmp));
		n--;
	}
	memcpy(list, tmp, n * sizeof(*tmp));
	*nr = n;
}

/* The generations that hold something: [*first, max_seq]. The record may be read mid-change. */
static bool lru_window(const struct ebb_census *rec, uint64_t *first)
{
	uint64_t min = rec->min_seq_anon < rec->min_seq_file ? rec->min_seq_anon
							     : rec->min_seq_file;

	if (!(rec->flags & EBB_CENSUS_LRU_GEN) || min > rec->max_seq)
		return false;
	if (rec->max_seq - min >= EBB_MAX_GENS)
		min = rec->max_seq - EBB_MAX_GENS + 1;
	*first = min;
	return true;
}

static const struct ebb_gen *lru_gen(const struct ebb_census *rec, uint64_t seq)
{
	return &rec->gen[seq % EBB_MAX_GENS];
}

/*
 * How long a page of generation seq has at least been idle: since seq + 1 was
 * born, provided that a pass has ended since and looked. Without one it proves
 * nothing: the first four generations of a group are born with it, and from
 * 6.14 on new anon enters the youngest but one (lru_gen_folio_seq()).
 */
static uint64_t lru_idle(const struct ebb_census *rec, uint64_t seq)
{
	uint64_t next, youngest;

	if (seq + 1 >= rec->max_seq)
		return 0;
	next = lru_gen(rec, seq + 1)->age_ms;
	youngest = lru_gen(rec, rec->max_seq)->age_ms;
	return next > youngest + EBB_SAME_BIRTH_MS ? next : 0;
}

static struct ebb_age lru_age(const struct ebb_census *rec, uint64_t seq)
{
	return (struct ebb_age){
		.idle_ms = lru_idle(rec, seq),
		.anon = seq >= rec->min_seq_anon ? lru_gen(rec, seq)->anon : 0,
		.file = seq >= rec->min_seq_file ? lru_gen(rec, seq)->file : 0,
	};
}

static uint64_t lru_last_aged(const struct ebb_census *rec)
{
	uint64_t youngest = lru_gen(rec, rec->max_seq)->age_ms;
	uint64_t before;

	if (!rec->max_seq)
		return NEVER_AGED;
	before = lru_gen(rec, rec->max_seq - 1)->age_ms;
	return before > youngest + EBB_SAME_BIRTH_MS ? youngest : NEVER_AGED;
}

void fold_init(struct fold *f)
{
	memset(f, 0, sizeof(*f));
}

void fold_lru(struct fold *f, const struct ebb_census *rec)
{
	struct ebb_age all = {};
	uint64_t first, seq;

	if (!lru_window(rec, &first))
		return;
	f->lru = true;
	for (seq = first; seq <= rec->max_seq; seq++) {
		struct ebb_age e = lru_age(rec, seq);

		all.anon += e.anon;
		all.file += e.file;
		if (age_bytes(&e))
			ages_add(f->ages, &f->nr_ages, e, false);
	}
	f->lru_anon += all.anon;
	f->lru_file += all.file;
	all.idle_ms = lru_last_aged(rec);
	if (age_bytes(&all))
		ages_add(f->youngest, &f->nr_youngest, all, true);
}

/*
 * When all of it was last aged, which is when the group aged longest ago was:
 * of the groups that matter. A service manager inside a container makes small
 * groups all the time, and must not make the whole look unknown: the sixteenth
 * of the bytes that was aged longest ago does not count.
 */
static uint64_t fold_aged(const struct fold *f, uint64_t now_ms)
{
	uint64_t slack = (f->lru_anon + f->lru_file) / 16;

	for (unsigned int i = 0; i < f->nr_youngest; i++) {
		const struct ebb_age *e = &f->youngest[i];

		if (age_bytes(e) <= slack) {
			slack -= age_bytes(e);
			continue;
		}
		if (e->idle_ms == NEVER_AGED)
			return 0;
		return now_ms > e->idle_ms ? now_ms - e->idle_ms : 1;
	}
	return 0;
}

static void fold_own(const struct ebb_census *own, uint64_t page_size,
		     struct ebb_snap_container *ret)
{
	ret->bytes = own->usage;
	ret->swap = own->swap;
	if (own->flags & EBB_CENSUS_STATS) {
		ret->anon = own->anon;
		ret->anon_thp = own->anon_thp;
		ret->file = own->file;
		ret->file_mapped = own->file_mapped;
		ret->shmem = own->shmem;
		ret->refault_anon = own->refault_anon * page_size;
		ret->refault_file = own->refault_file * page_size;
		ret->steal = own->pgsteal * page_size;
		ret->faults = own->pgfault;
		ret->major_faults = own->pgmajfault;
	}
	if (own->flags & EBB_CENSUS_PSI) {
		ret->psi_mem_some_us = own->psi_mem_some;
		ret->psi_io_some_us = own->psi_io_some;
	}
}

void fold_finish(const struct fold *f, const struct ebb_census *own, uint64_t now_ms,
		 uint64_t page_size, struct ebb_snap_container *ret)
{
	if (own)
		fold_own(own, page_size, ret);
	if (!own || !(own->flags & EBB_CENSUS_STATS)) {
		ret->anon = f->lru_anon;
		ret->file = f->lru_file;
	}
	ret->nr_ages = f->nr_ages;
	memcpy(ret->age, f->ages, f->nr_ages * sizeof(*f->ages));
	ret->ages_known = f->nr_ages > 0;
	ret->aged_ms = fold_aged(f, now_ms);
}

uint64_t fold_own_file(const struct ebb_census *rec)
{
	uint64_t first, seq, bytes = 0;

	if (!lru_window(rec, &first))
		return 0;
	for (seq = first; seq <= rec->max_seq; seq++)
		if (seq >= rec->min_seq_file)
			bytes += lru_gen(rec, seq)->file;
	return bytes;
}

struct ebb_file_lists fold_file_lists(const struct ebb_census *rec)
{
	struct ebb_file_lists l = {};

	if (!lru_window(rec, &l.seq))
		return l;
	for (unsigned int i = 0; i < 2 && l.seq + i + 1 < rec->max_seq; i++) {
		struct ebb_age e = lru_age(rec, l.seq + i);

		l.old[i] = (struct ebb_old_file){ .bytes = e.file, .idle_ms = e.idle_ms };
	}
	return l;
}
