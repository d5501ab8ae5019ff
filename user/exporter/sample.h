/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ebbd said at one instant, read out of its answers to `list` and
 * `status`. Bytes unless a unit is in the name. What an older ebbd does not
 * publish is 0, false or "", or says so by a bool of its own.
 */
#ifndef EBB_EXPORTER_SAMPLE_H
#define EBB_EXPORTER_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/plan.h"

#define SAMPLE_MAX_RUNGS 24
#define SAMPLE_ERROR_MAX 256
/* A container's text is cut here, between two characters. */
#define SAMPLE_TEXT_MAX 256
/* Containers of one answer; what comes after them is counted. */
#define SAMPLE_MAX_CONTAINERS 16384

struct sample_container {
	uint64_t id;
	char *name; /* UTF-8, as all of these; never NULL */
	char *image;
	char *runtime;
	char *pod;
	char *namespace;
	char state[24]; /* the code; letters, digits and dashes */
	char reason[24];
	uint64_t bytes;
	uint64_t anon;
	uint64_t file;
	uint64_t swap;
	uint64_t cold;
	uint64_t working_set;
	uint64_t protect;
	uint64_t reclaimed_total;
	uint64_t refaulted_total;
	uint64_t faults_minor;
	uint64_t faults_major;
	uint64_t stall_us;
	bool has_major_us;
	uint64_t major_p50_us;
	uint64_t major_p99_us;
	char last_action[24]; /* "": none so far */
	uint64_t last_ended_ms;
	uint64_t last_asked;
	uint64_t last_got;
};

struct sample_rung {
	char data[48];
	char rung[128];
	bool best;
};

struct sample_machine {
	char version[48];
	char kernel[96];
	uint64_t uptime_ms;
	bool dry_run;
	bool paused;
	uint64_t cap; /* 0: none */
	uint64_t mem_total;
	uint64_t mem_free;
	uint64_t mem_available;
	uint64_t swap_total;
	uint64_t swap_free;
	uint64_t compressed;
	uint64_t compressed_original;
	uint64_t free_reportable;
	bool reporting;
	bool has_balloon;
	uint64_t balloon_target; /* bytes that the VM is to have */
	bool has_returned;
	uint64_t returned_total;
	uint64_t reclaimed_total;
	uint64_t refaulted_total;
	uint64_t exit_reclaimed_total;
	uint64_t compactions;
	uint64_t compact_cpu_us;
	uint64_t cpu_us;
	bool has_hook_us;
	uint64_t hook_us;
	uint64_t rss;
	uint64_t hook_ppm;
	uint64_t hook_budget_ppm;
	uint64_t edges_lost;
	uint64_t acts_failed;
	size_t nr_rungs;
	struct sample_rung rungs[SAMPLE_MAX_RUNGS];
};

struct sample {
	unsigned int refs; /* the store's business, under its lock */
	uint64_t taken_ms; /* CLOCK_BOOTTIME */
	struct sample_machine machine;
	size_t nr; /* sorted by id, no id twice */
	struct sample_container *containers;
	size_t dropped; /* beyond SAMPLE_MAX_CONTAINERS, without a usable id, or an id again */
	/* The data of the answers as they came, for /api: ASCII JSON, NUL-terminated. */
	char *list;
	size_t list_len;
	char *status;
	size_t status_len;
};

/*
 * Reads two answers (lines without their newline). 0, or -ENOMEM; -EPROTO when
 * it is not what ebbd says; -EREMOTEIO when ebbd refused. error
 * (SAMPLE_ERROR_MAX bytes, printable) then has the reason. *ret is the
 * caller's, to be given to sample_free().
 */
int sample_parse(struct sample **ret, const char *list, size_t list_len, const char *status,
		 size_t status_len, char *error);

void sample_free(struct sample *s);

/* NULL: not there. */
const struct sample_container *sample_find(const struct sample *s, uint64_t id);

#endif /* EBB_EXPORTER_SAMPLE_H */
