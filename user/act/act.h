/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carries out what a plan says, and decides nothing: ageing, eviction and
 * compaction on threads of its own, and what the guest needs for it (MGLRU
 * switched on, a compressed swap), journalled before it is set and undone.
 *
 * All functions are for the loop's thread. None of them blocks on a job; only
 * act_open and act_close touch the machine in the caller's thread.
 *
 * Signals: the threads of act are interrupted with ACT_SIGNAL, for which
 * act_open installs a handler that does nothing. They block all others.
 */
#ifndef EBB_ACT_ACT_H
#define EBB_ACT_ACT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "act/journal.h"
#include "ebb/config.h"
#include "ebb/lists.h"
#include "ebb/plan.h"

#define ACT_SIGNAL (SIGRTMIN + 5)
#define ACT_REASON_LEN 160

struct act;

/* One per memcg and node of the container, as the census has it. */
struct act_group {
	uint64_t cgroup; /* id */
	uint32_t memcg; /* 16-bit id; 0: not known */
	uint32_t node;
	uint64_t max_seq;
	uint64_t age_ms; /* since its last pass: those that wait for longest come first */
	struct ebb_file_lists file;
};

struct act_job {
	uint64_t id; /* cgroup id; 0 for EBB_ACT_COMPACT */
	enum ebb_action action;
	uint64_t anon; /* bytes at most, of each kind; RECLAIM_EXIT takes all there is, */
	uint64_t file;
	uint64_t keep; /* but for these */
	uint64_t idle_ms; /* RECLAIM: what has been idle for so long; 0: whatever the kernel takes
			     first */
	uint64_t file_idle_ms; /* RECLAIM: page cache of generations so old alone; 0: any */
	uint64_t limit; /* LIMIT: memory.max, SWAP_LIMIT: memory.swap.max, bytes; UINT64_MAX: take
			   ours back */
	uint64_t batch; /* bytes a write; 0: a default; LIMIT: at most so far below the usage */
	uint32_t deadline_ms; /* 0: a default, for AGE by the number of groups. RECLAIM counts it
				 from act_submit, for what is cold now is not known cold later; the
				 others from their start */
	bool yields; /* RECLAIM only: act_yield() ends it */
	int dirfd; /* of the cgroup (container; for orphans their parent); dup'ed; -1 for AGE,
		      COMPACT and a limit that is taken back */
	const struct act_group *groups; /* AGE, and RECLAIM by idle_ms; copied */
	size_t nr_groups;
};

struct act_result {
	uint64_t id;
	enum ebb_action action;
	uint64_t
		asked; /* bytes; 0 for AGE and COMPACT. RECLAIM: without what has no room in swap */
	uint64_t got; /* bytes evicted, by the kernel's own count (see reclaim.h) */
	size_t groups_done; /* AGE: groups that were aged */
	int error; /* 0, or a negative errno. Never a shortfall and never a cgroup that is gone.
		      RECLAIM_ORPHANS refuses with -EBUSY (somebody would stand unfenced), -E2BIG
		      (too many groups), -EOPNOTSUPP (in the root of this kernel) */
	bool gone; /* the cgroup vanished underneath: normal */
	bool timed_out; /* the deadline came first */
	bool changed; /* of limits: somebody else had changed what we set, to `found`, and it stands
		       */
	uint64_t found;
	uint64_t cpu_us; /* of the thread that did it */
	uint64_t wall_us; /* from the job's start */
};

/* On the loop's thread. May call act_submit, not act_close. r is valid during the call. */
typedef void (*act_done_fn)(void *arg, const struct act_result *r);

enum act_id_form {
	ACT_ID_UNKNOWN, /* too few groups to tell by: each is looked for by both */
	ACT_ID_PRIVATE, /* 16-bit memcg id, up to 6.12 */
	ACT_ID_CGROUP, /* 64-bit cgroup id, 7.2 */
};

enum act_swap_kind {
	ACT_SWAP_NONE,
	ACT_SWAP_ZRAM,
	ACT_SWAP_ZSWAP, /* compressed in memory, a disk behind it */
	ACT_SWAP_DISK, /* a partition or file */
};

struct act_swap_info {
	enum act_swap_kind kind; /* of the swap with the highest priority */
	bool ours; /* we set it up, now or before a crash */
	uint64_t size; /* bytes, as the kernel counts it */
	char device[64];
	char algorithm[16]; /* "" where it is not known */
	char reason[ACT_REASON_LEN]; /* why it is as it is: one clause, for a person */
};

struct act_caps {
	bool dry_run;
	bool mglru; /* generations are kept (maybe since we switched them on) */
	bool can_age; /* debugfs lru_gen takes our writes */
	bool debugfs_private; /* debugfs was not mounted: we hold a mount of our own, unseen */
	enum act_id_form id_form;
	bool reclaim; /* memory.reclaim is there */
	bool reclaim_swappiness; /* and takes swappiness= */
	bool orphans_in_root; /* RECLAIM_ORPHANS works in the root group, too (see fence.h) */
	bool compact;
	char age_reason[ACT_REASON_LEN]; /* why ageing is or is not possible */
	char reclaim_reason[ACT_REASON_LEN];
	struct act_swap_info swap;
	struct journal_report recovered; /* what an earlier run had left */
};

struct act_stats {
	unsigned int queued;
	unsigned int running;
	unsigned int stuck; /* of those: beyond their deadline, and asked to stop */
	bool compact_busy;
	uint64_t compact_cpu_us; /* cumulative */
	uint64_t compact_ended_ms; /* CLOCK_MONOTONIC; 0: never */
	uint64_t cpu_us; /* all jobs, cumulative */
	uint64_t limit_us; /* what setting a limit took of late, at most */
};

struct act_opts {
	bool dry_run; /* look at everything, change nothing; jobs end at once with got 0 */
	enum ebb_compress compress;
	uint64_t cap; /* bytes, of the configuration; 0: none */
	const char *state_dir; /* holds the journal; created if missing */
	int cgroup_root; /* fd of the cgroup2 mount's root; dup'ed */
	const char *root; /* what /proc, /sys and /dev stand under; NULL: "" */
};

struct act_close_report {
	unsigned int abandoned; /* threads that did not come back in time */
	bool swap_left; /* the swap we made stays: containers' pages are in it */
	struct journal_report undone;
	char swap_reason[ACT_REASON_LEN];
};

/*
 * Opens the journal (undoing what a crash left), finds out what this kernel
 * can do, switches MGLRU on and sets up swap. A part that cannot be had is not
 * an error: it is in the capabilities, with its reason. Takes up to seconds
 * where a module is to be loaded. -EBUSY: another ebbd holds the journal.
 */
int act_open(struct act **ret, uv_loop_t *loop, const struct act_opts *opts, act_done_fn fn,
	     void *arg);

/*
 * Queues a job; act_done_fn is called once for each that was taken.
 * -EBUSY: one for this id is under way or queued (each of the limits may be beside the rest).
 * -EINVAL: not a job. -EAGAIN: no thread can be had. Room for ACT_MAX_JOBS (one holds a
 * descriptor) beside ageing, then -ENOSPC.
 */
#define ACT_MAX_JOBS 512
int act_submit(struct act *a, const struct act_job *spec);

/*
 * For what may wait for a disk that others keep busy, longer than the loop has: work runs on a
 * thread, one at a time and in order; then done, which may be NULL, on the loop. ran is false where
 * act_close() came first; where that left the thread behind, done is not called at all. 0, or a
 * negative errno, and neither is called.
 */
int act_defer(struct act *a, void (*work)(void *arg), void (*done)(void *arg, bool ran), void *arg);

/* Ends what is under way or queued for id as if its deadline had come. */
void act_cancel(struct act *a, uint64_t id);

/* The same, for what was submitted to yield: id waits for memory, and nothing is to be taken now.
 */
void act_yield(struct act *a, uint64_t id);

bool act_busy(const struct act *a, uint64_t id); /* with anything but a limit */
bool act_limiting(const struct act *a, enum ebb_action which, uint64_t id);

/* Limits that we have set, as of the last job that ended: in no order, NULL behind the last. */
struct act_limit {
	enum ebb_action which; /* LIMIT or SWAP_LIMIT */
	uint64_t id;
	uint64_t bytes;
	uint64_t seq; /* act's own */
};
const struct act_limit *act_limit_at(const struct act *a, size_t i);
const struct act_limit *act_limit_find(const struct act *a, enum ebb_action which, uint64_t id);
const struct act_caps *act_caps(struct act *a);
void act_stats(struct act *a, struct act_stats *ret);
void act_set_cap(struct act *a,
		 uint64_t cap); /* bytes, 0: none; the configuration was read again */
void act_set_reporting(
	struct act *a); /* a balloon's driver has come: see reporting.h. On a thread */
struct journal *act_journal(struct act *a); /* for others who set something; owned by a */

/*
 * Drops what is queued, interrupts what runs, waits for it deadline_ms at most,
 * and undoes what was set, newest first. No act_done_fn is called any more.
 * Taking our swap away waits a few seconds for a balloon that deflates, and gets 40 ms more
 * for each MiB in it, a minute at most: where that is not enough, or memory is short, it stays
 * (swap_left). a is
 * freed when the loop has run its closing callbacks: run it once more.
 */
void act_close(struct act *a, uint32_t deadline_ms, struct act_close_report *ret);

/*
 * For a start that ends before act_open, as with a bad configuration: undoes what a run that
 * crashed had set, so that no limit outlives it. Devices stay for the next start. Makes nothing
 * where there is no journal. cgroup_root: -1: not known, its entries stay. -EBUSY: another ebbd
 * holds the journal, and what it set is wanted.
 */
int act_recover(const char *state_dir, const char *root, int cgroup_root,
		struct journal_report *ret);

#endif /* EBB_ACT_ACT_H */
