/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine and its containers at one instant: all that the policy sees.
 * Sense fills it; it holds no pointers into sense and no kernel handle, so
 * that a recorded one replays to the same plan.
 */
#ifndef EBB_SNAPSHOT_H
#define EBB_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EBB_MAX_AGES 16

/*
 * Bytes by idleness. Entries are disjoint and sorted, oldest first.
 * idle_ms is a lower bound: a page in generation s was not in use after the
 * generation s + 1 was born (an ageing pass moves what was touched since the
 * last pass into the then youngest generation and opens the next). For
 * the youngest generation it is 0.
 * The bound holds for anon and for mapped file pages. Page cache that is read
 * through a file descriptor enters an old generation directly, and read again
 * stays there: for `file` the entry says where the pages stand, not since when.
 */
struct ebb_age {
	uint64_t idle_ms;
	uint64_t anon; /* bytes */
	uint64_t file;
};

/*
 * Two generations whose births are closer than this were not told apart by an
 * ageing pass: the four that a new group starts with carry one time stamp, and
 * the census converts each from jiffies by itself (10 ms at HZ=100).
 */
#define EBB_SAME_BIRTH_MS 20

/* How the last act on a container ended; seq grows by one with each end. */
struct ebb_outcome {
	uint64_t seq;
	uint64_t ended_ms;
	uint64_t asked; /* bytes, without what had no room in swap; 0 where it was an ageing pass */
	uint64_t got; /* bytes that left the container's memory */
	int32_t error; /* 0, or a negative errno that is not a mere shortfall */
	bool aged; /* an ageing pass */
	bool timed_out; /* the deadline came first */
};

struct ebb_snap_container {
	uint64_t id; /* cgroup id; the array is sorted by it */
	uint64_t born_ms; /* when ebbd first saw it populated (for one that was there before ebbd:
			     its start) */
	bool populated;
	bool paused; /* by a person */
	bool reclaim_off; /* by a rule */
	bool busy; /* an act on it is under way */
	bool ages_known; /* age[] holds something */
	bool can_age; /* an ageing pass is possible */
	uint64_t protect; /* bytes, by a rule */
	uint64_t peak; /* bytes: the most that one of this name and image had; 0: not known */
	uint64_t holder; /* id of the holder that it is below; 0: none */

	uint64_t bytes; /* usage: anon + file + kernel memory */
	uint64_t anon;
	uint64_t anon_thp; /* of anon: in huge pages */
	uint64_t file;
	uint64_t file_mapped;
	uint64_t shmem;
	uint64_t swap;
	uint64_t refault_anon; /* bytes, cumulative */
	uint64_t refault_file;
	uint64_t steal; /* bytes evicted, cumulative, whoever did it */
	uint64_t faults; /* page faults, cumulative */
	uint64_t major_faults;
	uint64_t psi_mem_some_us; /* totals */
	uint64_t psi_io_some_us;

	uint64_t aged_ms; /* when its youngest generation was born; 0: never */
	unsigned int nr_ages;
	struct ebb_age age[EBB_MAX_AGES];
	struct ebb_outcome last;
};

/* Memory that removed children left charged below a living group. */
struct ebb_orphans {
	uint64_t parent; /* cgroup id */
	uint64_t bytes;
	bool busy; /* an act on them is under way */
};

/*
 * A group that holds containers: what the cap is held by. The topmost one above a container that
 * is not the system's own. None is inside another.
 */
struct ebb_holder {
	uint64_t id; /* cgroup id; the array is sorted by it */
	uint64_t bytes; /* usage, of all that is below */
	uint64_t swap; /* of all that is below, bytes in swap */
	uint64_t limit; /* memory.max as somebody else set it; UINT64_MAX: none */
	uint64_t set; /* memory.max as we set it; UINT64_MAX: we did not */
	uint64_t swap_set; /* memory.swap.max as we set it; UINT64_MAX: we did not */
	bool busy; /* memory.max is being set */
	bool swap_busy; /* memory.swap.max is */
	bool left_alone; /* somebody else changed what we had set: it is theirs from then on */
	bool swap_left_alone;
};

/* A group without containers, above or below: the system's own. The topmost of each such part. */
struct ebb_other {
	uint64_t id; /* cgroup id */
	uint64_t file; /* page cache, bytes */
	uint64_t file_mapped; /* of it: somebody maps it */
	uint64_t refault_file; /* bytes, cumulative */
	bool busy; /* an act on it is under way */
};

struct ebb_snap_machine {
	uint64_t mem_total; /* bytes, all of these */
	uint64_t mem_free;
	uint64_t mem_available;
	uint64_t swap_total;
	uint64_t swap_free;
	uint64_t compressed; /* what zram or zswap occupies */
	uint64_t compressed_original; /* what it holds */
	uint64_t free_reportable; /* free, in blocks of the reporting order and above */
	bool reporting; /* free page reporting is at work */
	bool swap_is_compressed;
	bool reclaim_swappiness; /* memory.reclaim takes swappiness= (6.12 on) */
	bool compact_busy;
	uint64_t compact_cpu_us; /* spent by compaction that ebbd asked for, cumulative */
	uint64_t compact_ended_ms;
	uint64_t limit_ms; /* what setting a limit took of late */
	uint64_t orphans_got; /* bytes evicted of what removed groups had left, cumulative */
	uint64_t alloc_stalls; /* vmstat allocstall_*, cumulative */
	uint64_t compact_fails; /* vmstat compact_fail, cumulative */
	uint64_t ram; /* the guest's memory with an empty balloon: what MemTotal is then */
	uint64_t ballooned; /* of it, what the balloon has */
};

/* How short the host says that it is. */
enum ebb_host_level {
	EBB_HOST_EASE, /* nobody gains from what is given back now; also without a host */
	EBB_HOST_LOW,
	EBB_HOST_HIGH,
};

/*
 * The host's end of the channel; all 0 without one. Sizes are bytes and sizes
 * of the VM: what its VMM gives it, of which the kernel never shows a part as MemTotal.
 */
struct ebb_snap_host {
	bool talking;
	uint64_t min, max; /* its limits for this VM */
	uint64_t applied; /* asked of the VMM; 0: not told yet */
	uint64_t actual; /* what the VMM said last; 0: not known */
	uint64_t resident; /* what the VM holds of the host, its VMM included; 0: not known */
	enum ebb_host_level level;
	uint64_t need; /* what it would have of this VM */
};

struct ebb_snapshot {
	uint64_t now_ms; /* CLOCK_MONOTONIC */
	bool paused; /* everything is */
	bool low_memory; /* an edge since the last step: an allocation found too little free */
	struct ebb_snap_machine machine;
	struct ebb_snap_host host;
	size_t nr_containers;
	struct ebb_snap_container *containers; /* sorted by id */
	size_t nr_orphans;
	struct ebb_orphans *orphans;
	size_t nr_holders;
	struct ebb_holder *holders; /* sorted by id */
	size_t nr_others;
	struct ebb_other *others;
};

#endif /* EBB_SNAPSHOT_H */
