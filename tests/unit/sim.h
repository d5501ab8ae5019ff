/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A container's memory under MGLRU, in a few lines: chunks with the time of
 * their last touch, four generations, ageing passes and eviction from the oldest
 * on. Enough to close the loop around the policy with a clock of the test's own.
 */
#ifndef EBB_TESTS_SIM_H
#define EBB_TESTS_SIM_H

#include <string.h>

#include "policy/policy.h"

#define SIM_MIB (1024ull * 1024)
#define SIM_CHUNKS 4096
#define SIM_CHUNK SIM_MIB

struct sim_chunk {
	bool hot; /* touched all the time */
	bool file; /* page cache, by descriptor: passes do not see its touches … */
	bool mapped; /* … but where it is mapped */
	bool out; /* evicted */
	uint64_t touched_ms;
	uint64_t counted_ms; /* since when the kernel counts reads through a descriptor */
	uint64_t seq;
};

struct sim {
	uint64_t now_ms;
	uint64_t max_seq;
	uint64_t born[64]; /* by seq % 64 */
	size_t nr;
	struct sim_chunk chunk[SIM_CHUNKS];
	struct ebb_snap_container c;
	struct ebb_config config;
	struct policy_container slot[4];
	struct policy_state state;
	struct ebb_plan_item items[8];
	struct ebb_verdict verdicts[4];
	struct ebb_plan plan;
	struct ebb_snapshot snap;
	bool seen_early; /* a turn of another sees each pass before it is told of its end */
	unsigned int reads_ms; /* hot page cache is read so often, and kept for five reads; 0: moved
				  on once */
	bool kept; /* page cache is not given: something inside the container keeps it */
	unsigned int late; /* so many acts wait for a thread until their deadline */
	uint64_t asked; /* bytes, all reclaim items */
	uint64_t evicted_hot; /* chunks */
	unsigned int passes;
	void (*decided)(const struct sim *s); /* after each policy_step(); NULL: nobody looks */
};

static inline void sim_open(struct sim *s, uint64_t cold_ms)
{
	memset(s, 0, sizeof(*s));
	s->now_ms = 1000000;
	s->max_seq = 3;
	for (uint64_t q = 0; q <= 3; q++)
		s->born[q] = s->now_ms;
	s->config.cold_after_ms = cold_ms;
	s->config.stall_budget_ppm = 1000;
	s->state.slots = s->slot;
	s->state.max = 4;
	s->plan.items = s->items;
	s->plan.max_items = 8;
	s->plan.verdicts = s->verdicts;
	s->plan.max_verdicts = 4;
	s->c.id = 42;
	s->c.born_ms = s->now_ms;
	s->c.populated = s->c.ages_known = s->c.can_age = true;
	s->snap.containers = &s->c;
	s->snap.nr_containers = 1;
	s->snap.machine.mem_total = 2048 * SIM_MIB;
	s->snap.machine.swap_total = s->snap.machine.swap_free = 2048 * SIM_MIB;
	s->snap.machine.reclaim_swappiness = true;
	s->snap.machine.reporting = true;
}

static inline void sim_add(struct sim *s, size_t mib, bool hot, bool file)
{
	for (size_t i = 0; i < mib; i++)
		s->chunk[s->nr++] = (struct sim_chunk){
			.hot = hot,
			.file = file,
			.touched_ms = s->now_ms,
			.counted_ms = s->now_ms,
			/* lru_gen_add_folio: read pages enter the oldest generation */
			.seq = file ? s->max_seq - 3 : s->max_seq,
		};
}

static inline void sim_age(struct sim *s)
{
	uint64_t last = s->born[s->max_seq % 64];

	for (size_t i = 0; i < s->nr; i++) {
		struct sim_chunk *k = &s->chunk[i];

		if (!k->out && (!k->file || k->mapped) && (k->hot || k->touched_ms >= last))
			k->seq = s->max_seq;
	}
	s->max_seq++;
	s->born[s->max_seq % 64] = s->now_ms;
	for (size_t i = 0; i < s->nr; i++)
		if (s->chunk[i].seq + 3 < s->max_seq) {
			s->chunk[i].seq = s->max_seq - 3;
			s->chunk[i].counted_ms = s->now_ms; /* a merge clears the counts */
		}
	s->passes++;
}

static inline bool sim_kept(const struct sim *s, const struct sim_chunk *k)
{
	if (!k->file || !k->hot)
		return false;
	if (s->reads_ms)
		return s->now_ms - k->counted_ms >= 5 * s->reads_ms;
	return k->seq == s->max_seq - 3;
}

/* As sense/fold.c has it: only a pass that has ended since proves anything. */
static inline uint64_t sim_idle(const struct sim *s, uint64_t seq)
{
	uint64_t next = s->born[(seq + 1) % 64], youngest = s->born[s->max_seq % 64];

	return seq + 1 < s->max_seq && next < youngest ? s->now_ms - next : 0;
}

/*
 * Evicts up to want chunks of a kind, oldest first and of generations that are idle_ms old; page
 * cache that is read again is moved on.
 */
static inline uint64_t sim_evict(struct sim *s, uint64_t want, bool file, uint64_t idle_ms)
{
	uint64_t got = 0;

	if (file && s->kept)
		return 0;
	for (uint64_t q = s->max_seq - 3; q <= s->max_seq; q++) {
		if (idle_ms && sim_idle(s, q) < idle_ms)
			break;
		for (size_t i = 0; i < s->nr && got < want; i++) {
			struct sim_chunk *k = &s->chunk[i];

			if (k->out || k->seq != q || k->file != file)
				continue;
			if (sim_kept(s, k)) {
				k->seq++;
				k->counted_ms = s->now_ms;
				continue;
			}
			k->out = true;
			got++;
			if (k->hot)
				s->evicted_hot++;
		}
	}
	return got;
}

static inline void sim_measure(struct sim *s)
{
	struct ebb_snap_container *c = &s->c;

	c->bytes = c->anon = c->file = c->swap = 0;
	memset(c->age, 0, sizeof(c->age));
	c->nr_ages = 4;
	for (unsigned int g = 0; g < 4; g++) {
		uint64_t q = s->max_seq - 3 + g;

		c->age[g].idle_ms = sim_idle(s, q);
	}
	for (size_t i = 0; i < s->nr; i++) {
		const struct sim_chunk *k = &s->chunk[i];
		struct ebb_age *a = &c->age[k->seq - (s->max_seq - 3)];

		if (k->out) {
			c->swap += k->file ? 0 : SIM_CHUNK;
			continue;
		}
		*(k->file ? &a->file : &a->anon) += SIM_CHUNK;
		*(k->file ? &c->file : &c->anon) += SIM_CHUNK;
	}
	c->bytes = c->anon + c->file;
	c->aged_ms = s->passes ? s->born[s->max_seq % 64] : 0;
	s->snap.now_ms = s->now_ms;
}

static inline void sim_outcome(struct sim *s, bool aged, uint64_t asked, uint64_t got)
{
	s->c.last.timed_out = false;
	s->c.last.seq++;
	s->c.last.ended_ms = s->now_ms;
	s->c.last.aged = aged;
	s->c.last.asked = asked;
	s->c.last.got = got;
}

static inline int sim_see_early(struct sim *s)
{
	int r;

	sim_measure(s);
	s->c.busy = true;
	r = policy_step(&s->snap, &s->config, &s->state, &s->plan);
	s->c.busy = false;
	return r;
}

/* One decision and all that follows from it at the same instant. Returns policy_step()'s answer. */
static inline int sim_step(struct sim *s)
{
	bool acted = true, aged;

	for (int rounds = 0; acted && rounds < 50; rounds++) {
		int r;

		sim_measure(s);
		r = policy_step(&s->snap, &s->config, &s->state, &s->plan);
		if (r)
			return r;
		if (s->decided)
			s->decided(s);
		acted = aged = false;
		for (size_t i = 0; i < s->plan.nr_items; i++) {
			const struct ebb_plan_item *it = &s->plan.items[i];

			if (it->action == EBB_ACT_AGE) {
				sim_age(s);
				sim_outcome(s, true, 0, 0);
				acted = aged = true;
			} else if (it->action == EBB_ACT_RECLAIM && s->late) {
				s->late--;
				s->asked += it->anon + it->file;
				sim_outcome(s, false, it->anon + it->file, 0);
				s->c.last.timed_out = true;
				acted = true;
			} else if (it->action == EBB_ACT_RECLAIM) {
				uint64_t got = sim_evict(s, (it->anon + SIM_CHUNK / 2) / SIM_CHUNK,
							 false, 0) +
					       sim_evict(s, (it->file + SIM_CHUNK / 2) / SIM_CHUNK,
							 true, it->file_idle_ms);

				s->asked += it->anon + it->file;
				sim_outcome(s, false, it->anon + it->file, got * SIM_CHUNK);
				acted = true;
			}
		}
		if (aged && s->seen_early && (r = sim_see_early(s)))
			return r;
	}
	return 0;
}

/* Where it was evicted it comes back, to the youngest generation. */
static inline void sim_touch(struct sim *s, struct sim_chunk *k)
{
	k->touched_ms = s->now_ms;
	if (!k->out)
		return;
	*(k->file ? &s->c.refault_file : &s->c.refault_anon) += SIM_CHUNK;
	k->out = false;
	k->seq = s->max_seq;
	k->counted_ms = s->now_ms;
}

static inline void sim_touch_hot(struct sim *s)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->chunk[i].hot)
			sim_touch(s, &s->chunk[i]);
}

/* Runs until the clock has advanced by ms, waking when the policy wants to. */
static inline int sim_run(struct sim *s, uint64_t ms)
{
	uint64_t end = s->now_ms + ms;

	while (s->now_ms < end) {
		int r = sim_step(s);

		if (r)
			return r;
		s->now_ms = s->plan.next_ms < end ? s->plan.next_ms : end;
		sim_touch_hot(s);
	}
	return 0;
}

static inline size_t sim_out(const struct sim *s, bool hot, bool file)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nr; i++)
		n += s->chunk[i].out && s->chunk[i].hot == hot && s->chunk[i].file == file;
	return n;
}

#endif /* EBB_TESTS_SIM_H */
