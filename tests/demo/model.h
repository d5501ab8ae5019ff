/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the demo knows of a run: the lines that come out of the VM and the samples of its
 * resident memory, as series over the host's time. The same code serves the live screen, which
 * feeds it as lines arrive, and the report, which feeds it whole files.
 *
 * Inputs (see tests/demo/guest.sh, which sends them, and tests/vm/hostd.c, which writes them):
 *   rss.csv          ms,KiB,mark
 *   NAME.jsonl       {"ms":host ms,"data":…}, NAME one of event, list, status, cgroups, latency,
 * and broker: what `ebb-broker status` says of both VMs (tests/demo/two_vms.sh)
 */
#ifndef DEMO_MODEL_H
#define DEMO_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hist.h"

#define MIB (1024.0 * 1024)
#define GIB (1024.0 * MIB)

#define NAME_MAX_LEN 32
#define TEXT_MAX_LEN 160
#define IDS_MAX 32 /* cgroup ids that one name had during the run */

struct point {
	double t; /* seconds since the scenario began; before it, negative */
	double v;
};

struct series {
	struct point *p;
	size_t n, cap;
};

enum mark_kind { MARK_START, MARK_READY, MARK_EXIT, MARK_TAKEN, MARK_NOTE, MARK_END };

struct mark {
	double t;
	enum mark_kind kind;
	char name[NAME_MAX_LEN]; /* the container, or "" */
	char text[TEXT_MAX_LEN]; /* what happened, for a person */
};

/* Counters of one cgroup: a container that comes back has a new one, starting at 0. */
struct box_id {
	char id[24];
	double taken, refaulted;
};

/* A container, by name. Sizes in bytes. */
struct box {
	char name[NAME_MAX_LEN];
	char role[TEXT_MAX_LEN]; /* what it does in the demo */
	bool running;
	bool listed; /* ebbd knew it in its last answer */
	double seen_t; /* of the last answer that had it */
	double first_taken_t; /* NAN: nothing was taken yet */
	double bytes, anon, file, cold, swap;
	char state[NAME_MAX_LEN];
	char reason[TEXT_MAX_LEN];
	struct box_id ids[IDS_MAX];
	size_t nr_ids;
	struct series bytes_s, cold_s, swap_s, taken_s, refaulted_s;
};

struct latency_second {
	double t;
	uint64_t n;
	double p50, p99; /* microseconds */
	size_t first, nr; /* slots, in lat.slots */
};

/* One client's request latencies. */
struct lat {
	char name[NAME_MAX_LEN]; /* the container that it asks */
	struct latency_second *sec;
	size_t n, cap;
	struct {
		uint16_t slot;
		uint32_t count;
	} * slots;
	size_t nr_slots, cap_slots;
};

/* The VM that competes. Bytes. */
struct second {
	char state[NAME_MAX_LEN];
	bool squeezed; /* less than it asks for: the host has no more */
	struct series resident; /* on the host */
	struct series size, want; /* what it has, and what it asks for */
};

struct model {
	bool begun, ended;
	double end_t; /* once ended: of the end; what came later does not count */
	double begin_ms; /* host ms of the scenario's beginning */
	double seconds; /* length of the scenario */
	double now; /* seconds: the newest input */
	char kernel[64], ebb[64], accel[16];
	double ram; /* bytes */
	double cold_after; /* seconds */
	bool without; /* the scenario runs without ebbd, for comparison */

	struct series resident; /* bytes on the host */
	struct series target, actual; /* size of the VM: asked of the broker, and what it has */
	char size_reason[TEXT_MAX_LEN];
	struct second second; /* no point in its series: there is none */
	double budget; /* of the host for both, bytes; 0: as much as there is */
	bool squeezed; /* the first VM has less than it asks for */
	char pressure[NAME_MAX_LEN]; /* how short the host is: none, low, high */
	struct series held; /* what a VM that never gives back would hold: the highest so far */
	struct mark *marks;
	size_t nr_marks, cap_marks;
	struct box *boxes;
	size_t nr_boxes, cap_boxes;
	struct box other; /* what ebbd takes from beside them, such as the demo's own programs */
	struct lat *lats;
	size_t nr_lats, cap_lats;

	/* From `ebb status`, bytes; the compressed store. */
	double compressed, compressed_original;
	double ebbd_cpu; /* seconds of CPU that ebbd used since it was started */
	double ebbd_memory; /* bytes resident */
	unsigned int bad_lines; /* skipped: not what they should be */
};

void model_init(struct model *m);
void model_free(struct model *m);

/*
 * Takes one line of NAME.jsonl, without its newline. Returns 0, -EINVAL for a line that is
 * not understood (it is counted and otherwise ignored), or -ENOMEM.
 */
int model_line(struct model *m, const char *name, const char *line, size_t len);

/* Takes one line of rss.csv. Same returns; the header is fine. */
int model_resident(struct model *m, const char *line, size_t len);

struct box *model_box(struct model *m, const char *name); /* NULL: unknown */
const struct lat *model_lat(const struct model *m, const char *name);

/* All that one container's cgroups added up to, bytes. */
double box_taken(const struct box *b);
double box_refaulted(const struct box *b);

double series_last(const struct series *s, double fallback);
/* The value at t: that of the last point at or before it. */
double series_at(const struct series *s, double t, double fallback);
double series_max(const struct series *s, double from, double to);
double series_min(const struct series *s, double from, double to);
/* The integral over [from, to], in value times seconds; the value holds until the next point. */
double series_area(const struct series *s, double from, double to);

/* Adds the latencies of [from, to) to *h. */
void lat_sum(const struct lat *l, double from, double to, struct hist *h);

#endif /* DEMO_MODEL_H */
