/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The census by the cgroup iterator, and the same on files. Of use to the
 * hook ladder, which chooses between the two; everybody else calls
 * hooks_census().
 */
#ifndef EBB_SENSE_CENSUS_H
#define EBB_SENSE_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "sense/hooks_impl.h"

/* How the positions of the statistics were found. */
enum index_method {
	INDEX_NONE,
	INDEX_KALLSYMS, /* from the kernel's own table, by its symbol */
	INDEX_ENUM, /* the arrays are indexed by the enum itself (6.1 to 6.9) */
	INDEX_ORDER, /* the order of the kernel's source, confirmed by memory.stat */
	INDEX_VALUES, /* by the values of memory.stat alone */
};

const char *index_method_name(enum index_method m);

struct census_terms {
	unsigned int nr;
	struct ebb_term terms[EBB_MAX_TERMS];
	enum index_method state, events;
	char missing[HOOKS_TEXT]; /* figures that could not be found, "" if none */
};

/* One group's raw arrays, and its memory.stat read before and after. */
struct census_sample {
	struct ebb_raw raw;
	char *before, *after; /* texts */
};

/*
 * Finds where in the raw arrays the figures of the census are. -ENODATA: not
 * even anon and file could be placed. stats and events are the kernel's
 * index tables, or all zero.
 */
int census_terms_find(struct census_terms *ret, const struct kernel_facts *k,
		      const struct census_sample *samples, size_t nr, const uint8_t *stats,
		      const uint8_t *events);

/*
 * containers_fd: the map that the text joins names from, or -1 for one of its
 * own. -EOPNOTSUPP and the like where the kernel cannot; log names the program.
 */
int census_open(struct census **ret, const struct kernel_facts *k, int containers_fd,
		uint32_t max_records, struct load_log *log);
void census_close(struct census *c);
/* -ENOSPC: more groups than room; *ret_n says how much there must be. */
int census_pass(struct census *c, const struct ebb_census **ret, size_t *ret_n);
/* Finds the figures (once); needs the BTF. */
int census_calibrate(struct census *c, const struct kernel_facts *k);
const struct census_terms *census_terms(const struct census *c);
struct bpf_link *census_text_link(const struct census *c);
int census_records_fd(const struct census *c);
int census_containers_fd(const struct census *c);
/* Takes the positions over from one that was calibrated. */
void census_adopt(struct census *c, const struct census_terms *terms);

/* --- on files --- */

int census_files_open(struct census_files **ret, const struct kernel_facts *k);
void census_files_close(struct census_files *c);
int census_files_pass(struct census_files *c, const struct ebb_census **ret, size_t *ret_n);

/* --- parsers (census_parse.c); text is NUL-terminated --- */

/* The totals (microseconds) of a pressure file; what is not there stays. */
void parse_pressure(const char *text, __u64 *some, __u64 *full);

/*
 * debugfs lru_gen, which holds all groups. Calls fn for each node of each
 * memcg; path is cut after PATH_MAX - 1 and the census' cgroup is not set.
 */
typedef void (*lru_gen_fn)(void *arg, const char *path, const struct ebb_census *lru);
int parse_lru_gen(const char *text, size_t len, uint32_t page_size, lru_gen_fn fn, void *arg);

#endif /* EBB_SENSE_CENSUS_H */
