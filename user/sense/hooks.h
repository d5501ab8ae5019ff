/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel can tell us, and by which means: the hook ladder.
 *
 * For each kind of data the best means that this kernel has is chosen before
 * anything is loaded, from the kernel's BTF and from files. With no BPF at
 * all everything runs on files, with the same records.
 *
 * All functions return a negative errno on failure. Not thread-safe: one
 * thread uses one object.
 */
#ifndef EBB_SENSE_HOOKS_H
#define EBB_SENSE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/abi.h"

struct hooks;

/* One kind of data and the rung chosen for it. Strings belong to the object. */
struct hook_rung {
	/* "sizes", "ages", "ageing", "eviction", "refaults", "major-fault latency",
	 * "lifecycle", "shortage", "faults" */
	const char *data;
	const char *rung; /* what was chosen */
	const char *reason; /* why this one */
	const char *without; /* what is lost against the best rung; "" if best */
	const char *remedy; /* how to get the best one; "" if best */
	bool best;
};

struct hooks_opts {
	const char *pin_dir; /* NULL: EBB_PIN_DIR; "": pin nothing */
	int cgroup_fd; /* the root of the hierarchy that has memory (v2, or v1's); stays the
			  caller's and must outlive the object */
	bool no_bpf; /* files only */
	uint32_t max_cgroups; /* room to start with, 0: a default; it grows by itself */
	uint32_t max_tracked; /* groups that hooks_track() can take, 0: 16384 */
	uint32_t overhead_ppm; /* budget of the fault hooks: share of one CPU, 0: 5000 */
	/* Diagnostics of libbpf and the verifier, line by line; NULL: dropped. */
	void (*log)(void *arg, const char *line);
	void *log_arg;
};

/*
 * Chooses, loads, attaches, pins. Succeeds with no BPF at all; fails only
 * for want of memory, or with a cgroup_fd that is no cgroup directory.
 */
int hooks_open(struct hooks **ret, const struct hooks_opts *opts);

/*
 * The same choice, without attaching or pinning anything; works without
 * privileges too (what needs them is then in the reason). Only hooks_rungs()
 * and hooks_close() may be called on the result.
 */
int hooks_probe(struct hooks **ret, const struct hooks_opts *opts);

/* Detaches everything, removes the pins and their directory. NULL is fine. */
void hooks_close(struct hooks *h);

/*
 * The array is the object's. The rungs are fixed from hooks_open() on; the
 * texts of "faults" change once more when there are groups beyond max_tracked.
 */
const struct hook_rung *hooks_rungs(const struct hooks *h, size_t *ret_n);

/*
 * One pass over all memory cgroups, parents before children; a further NUMA
 * node's record follows its group's. Ages are 0 where unknown. The records
 * are the object's, valid until the next call.
 */
int hooks_census(struct hooks *h, const struct ebb_census **ret, size_t *ret_n);

/*
 * Edges: becomes readable when some wait. -1 without BPF: the caller watches
 * by inotify (edges_inotify.h). hooks_edges_read() returns how many it handed to
 * fn, 1,024 at most: the rest keeps it readable. When hooks_edges_lost() grew,
 * some were dropped: rescan.
 */
int hooks_edges_fd(const struct hooks *h);
int hooks_edges_read(struct hooks *h, void (*fn)(void *arg, const struct ebb_edge *e), void *arg);
uint64_t hooks_edges_lost(const struct hooks *h);

/*
 * Which groups are counted: an entry in the map `containers`. name is made
 * printable and cut to fit. Tracking a tracked group renames it and keeps
 * its counts. Without BPF these answer 0 and hooks_counts() -ENODATA.
 * hooks_track(): -E2BIG where there is no room: that group is in the census as
 * all are, but its faults and refaults are not counted apart.
 */
int hooks_track(struct hooks *h, uint64_t group, uint64_t container, const char *name);
int hooks_untrack(struct hooks *h, uint64_t group);
int hooks_counts(const struct hooks *h, uint64_t group, struct ebb_container *ret);

/*
 * Duty cycle of the fault hooks: attaches and detaches them such that their
 * measured cost stays within the budget in any minute. growing: some
 * container is starting or growing, so stay attached as long as half of what
 * is left of it allows. Returns when to call again (CLOCK_MONOTONIC, ms), at the
 * latest; 0: never (there are no fault hooks). Call at once when growing
 * turned true.
 */
uint64_t hooks_sampling(struct hooks *h, uint64_t now_ms, bool growing);

struct hooks_cost {
	bool attached; /* right now */
	uint64_t windows; /* times attached */
	uint64_t events; /* that our fault programs saw */
	uint64_t event_ns; /* measured cost of one, entry included */
	uint64_t ns; /* spent on all of them */
	uint64_t attached_ns; /* wall time with the hooks attached */
	uint64_t wall_ns; /* wall time since hooks_open() */
	uint32_t share_ppm; /* of one CPU over the last minute, hooks_open() in it or not */
	uint32_t budget_ppm;
	uint64_t census_passes;
	uint64_t census_ns; /* wall time in hooks_census(), all passes */
};

void hooks_cost(const struct hooks *h, struct hooks_cost *ret);

/*
 * A directory fd on debugfs, mounted privately (attached nowhere) where it is
 * not mounted; -1 where this kernel or lockdown denies it. The object's.
 */
int hooks_debugfs_fd(const struct hooks *h);

#endif /* EBB_SENSE_HOOKS_H */
