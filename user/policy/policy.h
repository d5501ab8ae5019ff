/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision: a pure function of a snapshot, the options and what the
 * policy remembers. No I/O, no clock, no allocation: a recorded run replays
 * to the same plans, bit for bit. The build checks the symbols that these objects need.
 */
#ifndef EBB_POLICY_POLICY_H
#define EBB_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/config.h"
#include "ebb/plan.h"
#include "ebb/snapshot.h"

#define POLICY_FILE_SAMPLES 8
#define POLICY_ORPHAN_SLOTS 64
#define POLICY_OTHER_SLOTS 64
#define POLICY_DEFAULT_COLD_MS 60000 /* while cold_after = auto is not learned */
#define POLICY_PPM 1000000u

/* Size of the page cache in generations old enough, at an ageing pass. */
struct policy_file_sample {
	uint64_t ms;
	uint64_t bytes;
};

/* What is remembered of one container between two steps. */
struct policy_container {
	uint64_t id;
	bool known; /* the fields below hold an earlier snapshot */
	bool started; /* its growth has levelled off */
	uint64_t level_ms; /* since when its size has been level */
	uint64_t level_bytes; /* at this size */
	uint64_t most; /* bytes of anon that it had in this life, in memory and in swap */

	uint64_t seen_ms; /* of the counters below */
	uint64_t refaults; /* bytes, anon + file, … */
	uint64_t refaults_file; /* … and file */
	uint64_t steal_base; /* bytes evicted by whomever, before we knew it */
	uint64_t psi_mem_us;
	uint64_t psi_io_us;
	uint32_t stall_mem_ppm; /* share of time, smoothed over about 10 s */
	uint32_t stall_io_ppm;

	uint64_t outcome_seq; /* the last outcome that was counted */
	uint64_t taken; /* bytes, cumulative */
	uint64_t refaulted; /* bytes of those that came back, cumulative */
	uint64_t file_refaulted; /* … and of those the page cache */
	uint64_t recent_taken; /* bytes, decaying */
	uint64_t recent_refaulted;
	uint64_t judged_taken; /* of taken, what is known to have stayed away, or not to … */
	uint64_t took_ms; /* … and when the first was taken that is not */
	uint64_t rested_taken; /* of taken, when accuracy was too little … */
	uint32_t rested_scale_ppm; /* … with this share */
	bool resting; /* since then */
	uint32_t scale_ppm; /* share of the cold that is asked for; accuracy steers it */
	uint64_t hold_ms; /* nothing is taken before then … */
	enum ebb_reason hold_reason; /* … because of this */
	unsigned int strikes; /* holds for refaults in a row: each is twice as long */
	uint32_t rest_ms; /* length of the last of them */
	uint64_t forgiven_ms; /* when a strike was taken back last */

	bool no_room; /* by its own limits it may put no more into swap: until the next pass */
	bool short_fall; /* the last act got little: rest until the next pass */

	uint64_t age_asked_ms;
	uint64_t judged_aged_ms; /* the last pass after which accuracy was judged */
	uint64_t calm_aged_ms; /* the last pass that counted for … */
	unsigned int calm; /* ageing passes in a row that changed nothing */
	uint64_t calm_bytes;
	uint64_t calm_faults;

	struct policy_file_sample file[POLICY_FILE_SAMPLES]; /* newest last */
	unsigned int nr_file;
	uint64_t file_aged_ms; /* the last pass that they are of */
	uint64_t file_hot; /* page cache in old generations that is read again and again */
	uint64_t file_moved; /* of it: met since the last ageing pass */
	uint64_t file_left; /* bytes that may still be taken before it is judged what came back */
	uint64_t file_taken_ms; /* when some was asked for last; 0: never */
	uint64_t file_refaults; /* of file_refaulted, when that was judged last */
	unsigned int file_trust; /* times in a row that nothing came back */
	bool file_back; /* some came back: nothing more until the next pass */
	bool file_due; /* some is to be taken: the next pass waits for it */
	uint64_t file_until_ms; /* when the generations had closed that a file item is taken from …
				 */
	uint64_t file_before; /* … and bytes in them when it was planned, 0: none; … */
	uint64_t file_all; /* … and of all its page cache */
	bool file_tries_hot; /* that item may have nothing but what was hot */

	uint64_t anon_missed; /* anon among the cold that an eviction met in use */
	uint64_t
		anon_before; /* bytes idle for long enough when anon alone was asked for, 0: none */

	uint64_t step_ms; /* of the last small step, where ages are not known */
	uint32_t step_wait_ms;
	bool step_pending;

	unsigned int exit_tries;
	uint64_t exit_ms;

	uint64_t swap_seen; /* bytes in swap, when the last sample of the pool began */
	uint32_t swap_ppm; /* what of its memory that goes to compressed swap takes there; 0: not
			      known */

	enum ebb_state state; /* of the last verdict */
	enum ebb_reason reason;
	uint64_t cold;
	uint64_t cold_anon;
};

struct policy_orphans {
	uint64_t parent;
	uint64_t next_ms;
	uint64_t bytes;
	unsigned int tries;
};

/* A group of the system's own that page cache is taken from, for the cap. */
struct policy_other {
	uint64_t id;
	uint64_t next_ms; /* not before that */
	uint64_t wait_ms; /* between two times */
	uint64_t asked; /* bytes, last time; 0: judged */
	uint64_t refaults; /* bytes, cumulative, of page cache, by then */
};

/* Compaction runs on a budget: CPU time is earned at a rate and spent by passes. */
struct policy_compact {
	bool known;
	uint64_t seen_ms;
	uint64_t cpu_us; /* of the last snapshot */
	int64_t budget_us; /* what may be spent now */
	uint64_t ended_ms;
	uint64_t asked_ms;
	uint64_t wanted_ms; /* since when a pass is due; 0: none is */
	uint64_t stranded_before;
	uint64_t taken_at; /* bytes freed by ebb when the last pass was planned */
	unsigned int futile; /* passes in a row that freed no block */
	unsigned int retries; /* of a futile one, with nothing freed in between */
	bool pending;
	bool retry; /* the pass that is pending, or the next one */
};

/* The size that the VM asks for. */
struct policy_footprint {
	bool known; /* the counters below hold an earlier snapshot */
	uint64_t seen_ms;
	uint64_t used; /* bytes, of the last snapshot */
	uint64_t alloc_stalls;
	uint64_t compact_fails;
	uint64_t rate; /* bytes a second: the fastest growth of late, halved every minute */
	uint64_t rate_ms; /* when it was halved last */
	uint64_t hidden; /* of the VM's size, what the kernel never shows as memory */
	uint64_t want; /* asked for now; 0: nothing yet */
	uint64_t grown_ms; /* when it was last made more, … */
	uint64_t shrunk_ms; /* … and less */
	uint64_t short_until_ms;
	uint64_t opening_ms; /* since when a growth waits for the balloon; 0: none does … */
	uint64_t opening_want; /* … and the size that it waits for */
	uint64_t round_ms; /* from asking for more to having it: smoothed, measured */
};

/* Compressed swap, as it was when the sample began by which it is judged. Bytes. */
struct policy_pool {
	bool known;
	bool held; /* somebody gets no more of it, by us */
	uint64_t original;
	uint64_t compressed;
	uint64_t until_ms; /* when it is tried anew … */
	uint64_t rest_ms; /* … after so long a rest */
};

/* The cap, held in the guest. */
struct policy_cap {
	bool known; /* the figures below hold an earlier snapshot */
	uint64_t seen_ms;
	uint64_t outside; /* bytes in use that are of no holder */
	uint64_t held; /* bytes of the holders */
	uint64_t rate; /* bytes a second that the outside grew by: the fastest, halved every 10 s */
	uint64_t rate_ms;
	uint64_t short_ms; /* since when more is held than there is room for; 0: it is not */
	uint64_t over_ms; /* since when more is in use than may be; 0: it is not */
	uint64_t gathered_ms; /* when compaction was last called for */
	struct policy_pool pool;
};

/* A means by which memory goes back to the host. */
struct policy_means {
	bool off;
	enum ebb_means_reason reason; /* of the last try that brought nothing */
	unsigned int tries; /* those, in a row */
	uint64_t again_ms; /* of one that is off */
	uint64_t freed; /* bytes that had been freed when it was switched off */
};

/* What is looked at over a while, to judge them. */
struct policy_look {
	uint64_t since_ms; /* 0: not begun */
	uint64_t reportable; /* bytes, the least since then */
	uint64_t ballooned;
	uint64_t asked_ms; /* since when the balloon is to take more; 0: it is not … */
	uint64_t found; /* … and what it had then */
};

struct policy_state {
	struct policy_container *slots; /* the caller's; sorted by id */
	size_t nr;
	size_t max; /* the caller keeps it ≥ snapshot's nr_containers */
	struct policy_orphans orphans[POLICY_ORPHAN_SLOTS];
	struct policy_other others[POLICY_OTHER_SLOTS];
	struct policy_compact compact;
	struct policy_footprint footprint;
	struct policy_cap cap;
	struct policy_means means[EBB_NR_MEANS];
	struct policy_look look;
	uint64_t freed; /* bytes that ebb freed or saw freed by an exit, cumulative */
	uint64_t refaulted_gone; /* bytes that came back, of containers that are gone, cumulative */
	uint64_t exit_bytes; /* of those: left behind by containers that ended */
};

/*
 * One decision. Fills plan->items, plan->verdicts (one a container, in the
 * snapshot's order) and plan->next_ms. Returns 0; -EINVAL when an array of the
 * caller's is too small or the snapshot is not sorted (nothing is changed then).
 */
int policy_step(const struct ebb_snapshot *snap, const struct ebb_config *config,
		struct policy_state *state, struct ebb_plan *plan);

/* How long memory has to be idle to be cold, in ms. */
uint64_t policy_cold_after_ms(const struct ebb_config *config);

#endif /* EBB_POLICY_POLICY_H */
