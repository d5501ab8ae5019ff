// SPDX-License-Identifier: GPL-2.0-only
/* The families of the containers, and the bound on them. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/metrics_int.h"
#include "lib/cleanup.h"

/* One container that has its series. */
struct row {
	const struct sample_container *c;
	char *labels; /* container and id */
};

struct single {
	struct family family;
	size_t offset;
};

#define AT(field) offsetof(struct sample_container, field)

/* clang-format off */
static const struct single singles[] = {
	{ { "container_swap_bytes", FAMILY_GAUGE, 1,
	    "Its memory in swap, before compression." }, AT(swap) },
	{ { "container_cold_bytes", FAMILY_GAUGE, 1,
	    "Of its memory: what is known not to have been used for long." }, AT(cold) },
	{ { "container_working_set_bytes", FAMILY_GAUGE, 1,
	    "Of its memory: what is not known to be cold." }, AT(working_set) },
	{ { "container_protected_bytes", FAMILY_GAUGE, 1,
	    "What a rule keeps for it." }, AT(protect) },
	{ { "container_reclaimed_bytes", FAMILY_COUNTER, 1,
	    "Memory that was taken from it." }, AT(reclaimed_total) },
	{ { "container_refaulted_bytes", FAMILY_COUNTER, 1,
	    "Of that, what it wanted back." }, AT(refaulted_total) },
	{ { "container_stall_seconds", FAMILY_COUNTER, 1000000,
	    "Time in which some task of it waited for memory (PSI some)." }, AT(stall_us) },
};
/* clang-format on */

static int larger_first(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->c->bytes != y->c->bytes)
		return x->c->bytes < y->c->bytes ? 1 : -1;
	return x->c->id < y->c->id ? -1 : x->c->id > y->c->id;
}

static char *labels_of(const struct sample_container *c)
{
	struct buf b = { 0 };
	char id[24];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)c->id);
	write_label(&b, "container", c->name[0] ? c->name : id);
	write_label(&b, "id", id);
	return buf_take(&b, NULL);
}

static void rows_free(struct row *rows, size_t n)
{
	for (size_t i = 0; rows && i < n; i++)
		free(rows[i].labels);
	free(rows);
}

/* The largest ones, with their labels; NULL: no memory, or none. */
static struct row *make_rows(const struct sample *s, size_t max, size_t *ret_n)
{
	struct row *rows = calloc(s->nr ? s->nr : 1, sizeof(*rows));
	size_t n = s->nr < max ? s->nr : max;

	if (!rows)
		return NULL;
	for (size_t i = 0; i < s->nr; i++)
		rows[i].c = &s->containers[i];
	qsort(rows, s->nr, sizeof(*rows), larger_first);
	for (size_t i = 0; i < n; i++) {
		rows[i].labels = labels_of(rows[i].c);
		if (!rows[i].labels) {
			rows_free(rows, n);
			return NULL;
		}
	}
	*ret_n = n;
	return rows;
}

static void write_memory(struct writer *w, const struct row *rows, size_t n)
{
	static const struct family memory = {
		"container_memory_bytes", FAMILY_GAUGE, 1,
		"Memory in use by a container: anonymous, page cache, and the kernel's for it."
	};

	write_family(w, &memory);
	for (size_t i = 0; i < n; i++) {
		const struct sample_container *c = rows[i].c;
		uint64_t known = c->anon + c->file;

		write_sample_of(w, rows[i].labels, "type", "anon", c->anon);
		write_sample_of(w, rows[i].labels, "type", "file", c->file);
		write_sample_of(w, rows[i].labels, "type", "other",
				c->bytes > known ? c->bytes - known : 0);
	}
}

static void write_faults(struct writer *w, const struct row *rows, size_t n)
{
	static const struct family faults = {
		"container_page_faults", FAMILY_COUNTER, 1,
		"Page faults; major ones waited for swap or a disk."
	};
	static const struct family latency = {
		"container_major_fault_latency_seconds", FAMILY_GAUGE, 1000000,
		"How long major faults took, where that is measured."
	};

	write_family(w, &faults);
	for (size_t i = 0; i < n; i++) {
		write_sample_of(w, rows[i].labels, "kind", "minor", rows[i].c->faults_minor);
		write_sample_of(w, rows[i].labels, "kind", "major", rows[i].c->faults_major);
	}
	write_family(w, &latency);
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].c->has_major_us)
			continue;
		write_sample_of(w, rows[i].labels, "percentile", "50", rows[i].c->major_p50_us);
		write_sample_of(w, rows[i].labels, "percentile", "99", rows[i].c->major_p99_us);
	}
}

static void write_infos(struct writer *w, const struct row *rows, size_t n)
{
	static const struct family info = { "container", FAMILY_INFO, 1,
					    "Whose container it is; joined by id." };
	static const struct family state = {
		"container_state", FAMILY_INFO, 1,
		"What is being done with a container, and why. One series a container."
	};

	write_family(w, &info);
	for (size_t i = 0; i < n; i++) {
		const struct sample_container *c = rows[i].c;
		_cleanup_buf_ struct buf b = { 0 };

		buf_add(&b, rows[i].labels);
		write_label(&b, "image", c->image);
		write_label(&b, "runtime", c->runtime);
		write_label(&b, "pod", c->pod);
		write_label(&b, "namespace", c->namespace);
		buf_add_char(&b, '\0');
		write_sample(w, b.failed ? rows[i].labels : b.text, 1);
	}
	write_family(w, &state);
	for (size_t i = 0; i < n; i++) {
		_cleanup_buf_ struct buf b = { 0 };

		buf_add(&b, rows[i].labels);
		write_label(&b, "state", rows[i].c->state);
		write_label(&b, "reason", rows[i].c->reason);
		buf_add_char(&b, '\0');
		write_sample(w, b.failed ? rows[i].labels : b.text, 1);
	}
}

void write_containers(struct writer *w, const struct sample *s, const struct metrics_limits *limits)
{
	static const struct family nr = { "containers", FAMILY_GAUGE, 1,
					  "Containers that ebbd watches." };
	static const struct family dropped = {
		"exporter_dropped_containers", FAMILY_GAUGE, 1,
		"Containers that have no series here, because there are too many."
	};
	size_t n = 0;
	struct row *rows = make_rows(s, limits->max_containers, &n);

	if (!rows) {
		w->buf.failed = true;
		return;
	}
	write_single(w, &nr, s->nr + s->dropped);
	write_single(w, &dropped, s->nr - n + s->dropped);
	write_infos(w, rows, n);
	write_memory(w, rows, n);
	for (size_t k = 0; k < ARRAY_SIZE(singles); k++) {
		write_family(w, &singles[k].family);
		for (size_t i = 0; i < n; i++)
			write_sample(
				w, rows[i].labels,
				*(const uint64_t *)((const char *)rows[i].c + singles[k].offset));
	}
	write_faults(w, rows, n);
	rows_free(rows, n);
}
