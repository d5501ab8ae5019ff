/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sample as Prometheus reads it. docs/metrics.md has the names; the text
 * format 0.0.4 and OpenMetrics 1.0 differ in the names of counters, in types
 * and in the last line.
 */
#ifndef EBB_EXPORTER_METRICS_H
#define EBB_EXPORTER_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/sample.h"

enum metrics_format { METRICS_TEXT, METRICS_OPEN, METRICS_NR_FORMATS };

/* What the exporter knows of itself. */
struct metrics_self {
	uint64_t requests; /* to ebbd, both commands as one */
	uint64_t failures; /* of them */
	uint64_t request_us; /* time that they took, all together */
	uint64_t rss; /* bytes; 0: not known */
	uint64_t cpu_us;
	uint64_t history_bytes;
	uint64_t refused; /* HTTP requests: not allowed, or too many at once */
};

struct metrics_limits {
	size_t max_containers; /* the largest get their series; the others are counted */
};

/*
 * The whole page. sample NULL: ebbd is away, and nothing but that is said.
 * Returns the text, the caller's, with its length; NULL: no memory.
 */
char *metrics_render(enum metrics_format format, const struct sample *sample,
		     const struct metrics_self *self, const struct metrics_limits *limits,
		     size_t *ret_len);

const char *metrics_content_type(enum metrics_format format);

#endif /* EBB_EXPORTER_METRICS_H */
