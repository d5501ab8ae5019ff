/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records shared by the BPF programs and user space: what the maps under
 * /sys/fs/bpf/ebb hold. Fixed width, no padding that is not named.
 */
#ifndef EBB_ABI_H
#define EBB_ABI_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define EBB_PIN_DIR "/sys/fs/bpf/ebb"

#define EBB_MAX_GENS 4 /* MAX_NR_GENS of the kernel, all versions so far */
#define EBB_LAT_SLOTS 24
#define EBB_NAME_LEN 48

/* What happened to a cgroup: one record in the ring buffer `edges`. */
enum ebb_edge_kind {
	EBB_EDGE_BORN = 1, /* cgroup_mkdir */
	EBB_EDGE_ATTACHED, /* a task was moved in */
	EBB_EDGE_POPULATED, /* the first task came */
	EBB_EDGE_EMPTIED, /* the last task left */
	EBB_EDGE_GONE, /* cgroup_rmdir */
	EBB_EDGE_SHORT, /* of no cgroup: an allocation found too little free memory */
};

struct ebb_edge {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 cgroup; /* cgroup id: the inode number of its directory */
	__u64 parent; /* cgroup id of the parent, 0 for a root */
	__u32 kind; /* enum ebb_edge_kind */
	__u32 level; /* depth below the root */
};

/*
 * Value of the map `containers`, key: cgroup id of a group that belongs to a
 * container (a container may consist of several groups). ebbd inserts and
 * removes the entries; BPF counts into those that exist and ignores the rest.
 * Counts are of the time in which the hook was attached (see ebb_hook_cost):
 * rates, not totals. Exact totals are in the census.
 */
struct ebb_container {
	char name[EBB_NAME_LEN]; /* printable, NUL-terminated */
	__u64 container; /* cgroup id of the container that this group is in */
	__u64 minor; /* page faults served without I/O or decompression */
	__u64 major; /* page faults that waited for swap or a disk */
	__u64 write; /* of all: faults on a write */
	__u64 cow; /* of those: user writes to a present page (a COW break) */
	__u64 refault_anon; /* pages that came back after an eviction */
	__u64 refault_file;
	__u64 major_ns; /* total latency of the major faults */
	__u64 major_lat[EBB_LAT_SLOTS]; /* slot i: [2^i, 2^(i+1)) microseconds; 0: below 2 */
};

/* One MGLRU generation of one type-pair; sizes in bytes. */
struct ebb_gen {
	__u64 age_ms; /* since this generation was born */
	__u64 anon;
	__u64 file;
};

#define EBB_CENSUS_LRU_GEN (1u << 0) /* gen[] and *_seq are valid */
#define EBB_CENSUS_STATS (1u << 1) /* fields from vmstats are valid */
#define EBB_CENSUS_PSI (1u << 2) /* psi_* are valid (never for the root) */
#define EBB_CENSUS_POPULATED (1u << 3)

/*
 * One record a memory cgroup and NUMA node, in the array `census`. node 0
 * carries everything; a record of a further node carries only the lru part.
 * Sizes in bytes, cumulative counters in pages or events as named.
 */
struct ebb_census {
	__u64 cgroup; /* id */
	__u64 parent; /* id, 0 for the root */
	__u32 node;
	__u32 flags; /* EBB_CENSUS_* */
	__u32 level;
	__u32 memcg; /* private 16-bit id; what debugfs lru_gen wants up to 6.12 */

	__u64 usage; /* memory.current, recursive */
	__u64 swap; /* memory.swap.current, recursive */

	/* memory.stat, recursive like the file */
	__u64 anon;
	__u64 anon_thp; /* bytes of anon in huge pages */
	__u64 file;
	__u64 file_mapped;
	__u64 shmem;
	__u64 slab;
	__u64 zswap; /* compressed size in zswap */
	__u64 refault_anon; /* pages, cumulative */
	__u64 refault_file;
	__u64 pgscan; /* pages, cumulative */
	__u64 pgsteal;
	__u64 pgfault; /* events, cumulative */
	__u64 pgmajfault;

	/* memory.pressure and io.pressure: totals in microseconds */
	__u64 psi_mem_some;
	__u64 psi_mem_full;
	__u64 psi_io_some;
	__u64 psi_io_full;

	/* MGLRU of this group alone (not recursive), this node */
	__u64 max_seq;
	__u64 min_seq_anon;
	__u64 min_seq_file;
	struct ebb_gen gen[EBB_MAX_GENS]; /* index: seq % EBB_MAX_GENS */
};

/* --- between ebbd and its own BPF programs; of no use to others --- */

/*
 * Where the census finds a figure: field (counted in __u64 from
 * ebb_census.usage on) += unit * state[pos], or events[pos], of the group.
 */
#define EBB_MAX_TERMS 32
struct ebb_term {
	__u16 pos;
	__u8 field;
	__u8 event; /* 0: vmstats->state, 1: vmstats->events */
	__u32 unit; /* bytes each, or 1 */
};

/* The kernel's own arrays, for the calibration of the terms. */
#define EBB_RAW_STATE 128
#define EBB_RAW_EVENTS 64
#define EBB_RAW_GROUPS 32
#define EBB_RAW_TABLE 1024
struct ebb_raw {
	__u64 cgroup;
	__s64 state[EBB_RAW_STATE];
	__u64 events[EBB_RAW_EVENTS];
};

_Static_assert(sizeof(struct ebb_edge) == 32, "ebb_edge has no padding");
_Static_assert(sizeof(struct ebb_container) == 48 + 8 * 8 + 8 * EBB_LAT_SLOTS,
	       "ebb_container has no padding");
_Static_assert(sizeof(struct ebb_census) == 38 * 8, "ebb_census has no padding");

#endif /* EBB_ABI_H */
