/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ebbd publishes, and its form as JSON (`ebb list -o json` and
 * `ebb status -o json` print it as it is: the names of the members are a
 * contract). Bytes unless a unit is in the name. Pointers to text are
 * borrowed for the call that serialises; NULL reads as "not known", and any
 * bytes are fine: what is not UTF-8 is replaced.
 */
#ifndef EBB_REPORT_MODEL_H
#define EBB_REPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ebb/abi.h"
#include "ebb/config.h"
#include "ebb/plan.h"
#include "ebb/snapshot.h"
#include "sense/doctor.h"
#include "sense/hooks.h"

struct report_container {
	uint64_t id; /* cgroup id */
	const char *name;
	const char *runtime;
	const char *image;
	const char *path; /* below the cgroup root */
	const char *pod;
	const char *namespace;

	uint64_t bytes;
	uint64_t anon;
	uint64_t file;
	uint64_t swap;
	uint64_t cold;
	uint64_t working_set;
	uint64_t reclaimed_total; /* what ebb took */
	uint64_t refaulted_total; /* of that, what came back */
	uint64_t protect; /* by a rule; 0: nothing */
	enum ebb_state state;
	enum ebb_reason reason;
	uint64_t age_ms; /* since it was first seen */

	unsigned int nr_ages; /* oldest first; 0: not known */
	struct ebb_age age[EBB_MAX_AGES];

	uint64_t faults_minor; /* totals, from the census */
	uint64_t faults_major;
	const uint64_t *major_lat; /* EBB_LAT_SLOTS of struct ebb_container; NULL: not measured */
	uint64_t stall_us; /* PSI memory some, total */

	enum ebb_action last_action; /* 0: none so far */
	struct ebb_outcome last;
};

/* What made memory go back to the host. */
enum report_cause {
	REPORT_BY_RECLAIM,
	REPORT_BY_EXIT,
	REPORT_BY_COMPACTION,
	REPORT_BY_BALLOON,
	REPORT_BY_GUEST, /* freed by the containers and the kernel themselves */
	REPORT_NR_CAUSES,
};

struct report_status {
	const char *version;
	const char *kernel;
	uint64_t uptime_ms;
	bool dry_run;
	bool paused;

	const struct ebb_config *config; /* in force */
	const char *config_path; /* NULL: defaults */
	size_t nr_containers;
	struct ebb_snap_machine machine;
	struct ebb_snap_host host;
	struct ebb_footprint footprint;
	struct ebb_means_verdict means[EBB_NR_MEANS];
	uint64_t now_ms; /* that again_ms in means counts in */
	const char *host_means; /* how the broker is reached, "" while it is not */
	const char *host_reason; /* why it is not; "" when it is, NULL: not looked for */
	uint64_t host_rtt_us; /* of the last lease; 0: none yet */
	int reporting_order; /* of machine_reporting_order(); -1: none */

	uint64_t reclaimed_total; /* bytes */
	uint64_t refaulted_total;
	uint64_t exit_reclaimed_total; /* of reclaimed_total: what exits left behind */
	uint64_t returned[REPORT_NR_CAUSES]; /* bytes that the host could have back */
	uint64_t compactions;
	/* their CPU time: machine.compact_cpu_us */

	uint64_t cpu_us; /* of ebbd itself, all threads */
	uint64_t rss; /* of ebbd */
	uint64_t hook_us; /* of CPU, all hooks since the start */
	uint32_t hook_ppm; /* share of CPU time that the hooks cost, measured */
	uint32_t hook_budget_ppm;
	uint64_t edges_lost;
	uint64_t acts_failed;
	const char *last_error; /* NULL: none */

	const struct hook_rung *rungs; /* of hooks_rungs() */
	size_t nr_rungs;
};

/* New references; NULL: no memory. */
json_t *report_container_json(const struct report_container *c);
json_t *report_status_json(const struct report_status *s);
json_t *report_rungs_json(const struct hook_rung *rungs, size_t n);
json_t *report_doctor_json(const struct doctor_report *d, const struct hook_rung *rungs, size_t n);

/* Text of unknown origin as a JSON string; NULL text: null. */
json_t *report_text_json(const char *text);

/*
 * The value below which `percent` of the events lie, in microseconds, from a
 * histogram with slot i = [2^i, 2^(i+1)), linear within a slot; the last slot
 * is open and reads as its lower bound. 0 when the histogram is empty.
 */
uint64_t report_percentile_us(const uint64_t slots[EBB_LAT_SLOTS], unsigned int percent);

#endif /* EBB_REPORT_MODEL_H */
