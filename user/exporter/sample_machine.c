// SPDX-License-Identifier: GPL-2.0-only
/* The answer to `status`, member by member. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "exporter/sample_int.h"
#include "lib/cleanup.h"
#include "lib/text.h"

/* Where a number of struct sample_machine stands in the answer. */
struct place {
	const char *in; /* NULL: at the top */
	const char *key;
	size_t offset;
	size_t has; /* offset of a bool: it was there; 0: nobody asks */
};

#define AT(field) offsetof(struct sample_machine, field)

static const struct place places[] = {
	{ NULL, "uptime_ms", AT(uptime_ms), 0 },
	{ "config", "cap", AT(cap), 0 },
	{ "memory", "total", AT(mem_total), 0 },
	{ "memory", "free", AT(mem_free), 0 },
	{ "memory", "available", AT(mem_available), 0 },
	{ "memory", "swap_total", AT(swap_total), 0 },
	{ "memory", "swap_free", AT(swap_free), 0 },
	{ "memory", "compressed", AT(compressed), 0 },
	{ "memory", "compressed_original", AT(compressed_original), 0 },
	{ "memory", "free_reportable", AT(free_reportable), 0 },
	{ "balloon", "target", AT(balloon_target), AT(has_balloon) },
	{ "totals", "returned", AT(returned_total), AT(has_returned) },
	{ "totals", "reclaimed", AT(reclaimed_total), 0 },
	{ "totals", "refaulted", AT(refaulted_total), 0 },
	{ "totals", "exit_reclaimed", AT(exit_reclaimed_total), 0 },
	{ "totals", "compactions", AT(compactions), 0 },
	{ "totals", "compact_cpu_us", AT(compact_cpu_us), 0 },
	{ "overhead", "cpu_us", AT(cpu_us), 0 },
	{ "overhead", "hook_us", AT(hook_us), AT(has_hook_us) },
	{ "overhead", "rss", AT(rss), 0 },
	{ "overhead", "hook_ppm", AT(hook_ppm), 0 },
	{ "overhead", "hook_budget_ppm", AT(hook_budget_ppm), 0 },
	{ "errors", "edges_lost", AT(edges_lost), 0 },
	{ "errors", "acts_failed", AT(acts_failed), 0 },
};

static void read_text(char *dst, size_t size, const json_t *o, const char *key)
{
	text_printable(dst, size, json_string_value(json_object_get(o, key)));
}

/* Which means is in use may come twice for one kind of data; a label may not. */
static bool has_rung(const struct sample_machine *m, const char *data)
{
	for (size_t i = 0; i < m->nr_rungs; i++)
		if (!strcmp(m->rungs[i].data, data))
			return true;
	return false;
}

static void read_rungs(struct sample_machine *m, const json_t *all)
{
	for (size_t i = 0; i < json_array_size(all) && m->nr_rungs < SAMPLE_MAX_RUNGS; i++) {
		const json_t *o = json_array_get(all, i);
		struct sample_rung *r = &m->rungs[m->nr_rungs];

		read_text(r->data, sizeof(r->data), o, "data");
		read_text(r->rung, sizeof(r->rung), o, "rung");
		r->best = json_is_true(json_object_get(o, "best"));
		if (!has_rung(m, r->data))
			m->nr_rungs++;
	}
}

void sample_read_machine(struct sample_machine *ret, const json_t *status)
{
	struct sample_machine m = { 0 };

	read_text(m.version, sizeof(m.version), status, "version");
	read_text(m.kernel, sizeof(m.kernel), status, "kernel");
	m.dry_run = json_is_true(json_object_get(status, "dry_run"));
	m.paused = json_is_true(json_object_get(status, "paused"));
	m.reporting = json_is_true(json_object_get(json_object_get(status, "memory"), "reporting"));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct place *p = &places[i];
		const json_t *o = p->in ? json_object_get(status, p->in) : status;
		const json_t *value = json_object_get(o, p->key);
		uint64_t *to = (uint64_t *)((char *)&m + p->offset);

		if (!json_is_integer(value))
			continue;
		*to = json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
		if (p->has)
			*((bool *)((char *)&m + p->has)) = true;
	}
	read_rungs(&m, json_object_get(status, "rungs"));
	*ret = m;
}
