/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of the policy; nobody else includes it. */
#ifndef EBB_POLICY_INTERNAL_H
#define EBB_POLICY_INTERNAL_H

#include "policy/policy.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

/* Less than this is not worth a pass over the lists. */
#define TAKE_MIN (512 * KIB)

/* Page cache goes in portions of this size at most. */
#define FILE_PORTION_MAX (16 * MIB)

struct step {
	const struct ebb_snapshot *snap;
	const struct ebb_config *config;
	struct policy_state *state;
	struct ebb_plan *plan;
	uint64_t cold_ms;
	bool gather; /* the host has too much of what is free in small pieces: do not wait */
	bool holding; /* an item of this plan leaves somebody without swap */
	bool taking; /* an item of this plan or an act under way frees memory */
};

/* What is known cold of one container, in bytes. */
struct coldness {
	uint64_t anon;
	uint64_t anon_idle; /* with what passes may have missed of that in use */
	uint64_t file; /* what may be taken of the page cache: see coldness.c */
	uint64_t file_old; /* page cache in generations that are old enough */
	bool learned; /* some generation is old enough to tell */
};

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* a - b, or 0: counters and sizes are read at slightly different moments. */
static inline uint64_t sub_u64(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static inline uint64_t share_u64(uint64_t value, uint32_t ppm)
{
	return value / POLICY_PPM * ppm + value % POLICY_PPM * ppm / POLICY_PPM;
}

/* By the guest itself: without what the balloon has. */
static inline uint64_t in_use(const struct ebb_snap_machine *m)
{
	return sub_u64(sub_u64(m->ram, m->ballooned), m->mem_free);
}

/* What needs swap to be taken, and is there wherever it is now: no page cache. */
static inline uint64_t anon_of(const struct ebb_snap_container *c)
{
	return c->anon + c->shmem + c->swap;
}

/*
 * An ageing pass since the one of *seen_ms, which becomes the last. Whoever looks has a stamp of
 * its own: not everybody looks in each step. It never goes back, for a group that comes and goes
 * inside of a container makes it look unaged meanwhile. Birth times come from jiffies, and move by
 * a few ms from one reading to the next.
 */
static inline bool new_pass(const struct ebb_snap_container *c, uint64_t *seen_ms)
{
	if (c->aged_ms <= *seen_ms + 100)
		return false;
	*seen_ms = c->aged_ms;
	return true;
}

/* policy.c */
struct ebb_plan_item *plan_add(struct step *s, uint64_t id, enum ebb_action action,
			       enum ebb_reason reason);
void plan_wake(struct step *s, uint64_t ms);

/* coldness.c */
void coldness_measure(const struct step *s, const struct ebb_snap_container *c,
		      struct policy_container *p, struct coldness *ret);
/* Before page cache is asked for: what it is taken from, to see afterwards what was moved on. */
void coldness_note_file(const struct step *s, const struct ebb_snap_container *c,
			struct policy_container *p, const struct coldness *cold);
/* How long page cache has to stay away until more of it is taken. */
uint64_t coldness_file_wait_ms(const struct step *s);

/* startup.c: true while its growth has not levelled off */
bool startup_step(struct step *s, const struct ebb_snap_container *c, struct policy_container *p);
void startup_age(struct step *s, const struct ebb_snap_container *c, struct policy_container *p);
bool startup_growing(const struct step *s, const struct policy_container *p);

/* feedback.c: what the last acts did, and what it cost */
void feedback_absorb(struct step *s, const struct ebb_snap_container *c,
		     struct policy_container *p);
enum ebb_reason feedback_veto(const struct step *s, const struct ebb_snap_container *c,
			      const struct policy_container *p);

/* ageing.c */
uint64_t ageing_period_ms(const struct step *s, const struct policy_container *p);
/* The same, were there no page cache to take. */
uint64_t ageing_anon_ms(const struct step *s, const struct policy_container *p);
/* How long after a pass page cache is taken: until the next one. */
uint64_t ageing_file_ms(const struct step *s, const struct policy_container *p);
bool ageing_due(struct step *s, const struct ebb_snap_container *c, struct policy_container *p);

/* reclaim.c: the container whose ages are known, and the one whose are not */
void reclaim_by_age(struct step *s, const struct ebb_snap_container *c, struct policy_container *p,
		    struct ebb_verdict *v);
void reclaim_blind(struct step *s, const struct ebb_snap_container *c, struct policy_container *p,
		   struct ebb_verdict *v);

/* leftover.c: what ended containers leave behind */
void leftover_exit(struct step *s, const struct ebb_snap_container *c, struct policy_container *p,
		   struct ebb_verdict *v);
void leftover_orphans(struct step *s);

/* What of the anon may go: it needs room in swap, with a reserve that stays. */
uint64_t reclaim_anon_room(const struct ebb_snap_machine *m);

/* cap.c: the room, and early reclaim; cap_limits.c: who gets which part of it */
void cap_step(struct step *s);
void cap_verdicts(struct step *s); /* after everybody else has looked at them */
void cap_limits(struct step *s, uint64_t room, bool below, bool kill);
void cap_release(struct step *s);
void cap_others(struct step *s, uint64_t want); /* cap_others.c */

/* means.c: what brings nothing is switched off. step() before those who use them */
void means_step(struct step *s);
void means_publish(struct step *s);
bool means_on(const struct step *s, enum ebb_means which);
void means_tried(struct step *s, enum ebb_means which, bool brought, enum ebb_means_reason why);

/* cap_swap.c: swap that saves no memory */
void cap_swap(struct step *s);
void cap_swap_release(struct step *s);
bool cap_must_kill(const struct step *s, const struct ebb_holder *h);
uint64_t cap_anon_room(const struct step *s, const struct ebb_snap_container *c);

/* compaction.c */
void compaction_step(struct step *s);

/* footprint.c: after all containers have their verdicts */
void footprint_step(struct step *s);

#endif /* EBB_POLICY_INTERNAL_H */
