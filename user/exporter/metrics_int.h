/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to metrics*.c: families and samples. */
#ifndef EBB_EXPORTER_METRICS_INT_H
#define EBB_EXPORTER_METRICS_INT_H

#include "exporter/buf.h"
#include "exporter/metrics.h"

enum family_type { FAMILY_GAUGE, FAMILY_COUNTER, FAMILY_INFO };

/* A family is written whole, before the next: both formats want that. */
struct family {
	/* Without ebb_ before it, nor _total or _info after it: those follow from the type. */
	const char *name;
	enum family_type type;
	uint64_t scale; /* samples are value / scale */
	const char *help; /* a line, without quotes and backslashes */
};

struct writer {
	struct buf buf;
	enum metrics_format format;
	const struct family *family; /* the one being written */
};

void write_family(struct writer *w, const struct family *f);

/* labels: "" or `a="b",c="d"`, as write_label() makes them. */
void write_sample(struct writer *w, const char *labels, uint64_t value);

/* The same with one more label, plain text. */
void write_sample_of(struct writer *w, const char *labels, const char *key, const char *value,
		     uint64_t number);

/* A family with one sample and no labels. */
void write_single(struct writer *w, const struct family *f, uint64_t value);

/* key="value" with a comma before it where something stands there already. */
void write_label(struct buf *b, const char *key, const char *value);

void write_containers(struct writer *w, const struct sample *s,
		      const struct metrics_limits *limits);
void write_machine(struct writer *w, const struct sample_machine *m);

#endif /* EBB_EXPORTER_METRICS_INT_H */
