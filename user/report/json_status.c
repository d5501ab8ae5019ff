// SPDX-License-Identifier: GPL-2.0-only
#include "report/model.h"

#include "lib/conf.h"
#include "report/json.h"

static json_t *config_json(const struct report_status *s)
{
	const struct ebb_config *c = s->config;
	json_t *o;
	bool ok;

	if (!c)
		return json_null();
	o = json_object();
	ok = o != NULL;
	PUT_TEXT("path", s->config_path);
	PUT("cap", c->cap ? number(c->cap) : json_null());
	PUT("cold_after_ms", c->cold_after_ms ? number(c->cold_after_ms) : json_null());
	PUT_NUMBER("stall_budget_ppm", c->stall_budget_ppm);
	PUT_TEXT("compress", conf_compress_name(c->compress));
	PUT_TEXT("listen", c->listen);
	PUT_NUMBER("rules", c->nr_rules);
	return finish(o, ok);
}

static json_t *memory_json(const struct report_status *s)
{
	const struct ebb_snap_machine *m = &s->machine;
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER("total", m->mem_total);
	PUT_NUMBER("free", m->mem_free);
	PUT_NUMBER("available", m->mem_available);
	PUT_NUMBER("swap_total", m->swap_total);
	PUT_NUMBER("swap_free", m->swap_free);
	PUT_BOOL("swap_is_compressed", m->swap_is_compressed);
	PUT_NUMBER("compressed", m->compressed);
	PUT_NUMBER("compressed_original", m->compressed_original);
	PUT_NUMBER("free_reportable", m->free_reportable);
	PUT_BOOL("reporting", m->reporting);
	PUT("reporting_order",
	    s->reporting_order < 0 ? json_null() : number((uint64_t)s->reporting_order));
	return finish(o, ok);
}

static json_t *totals_json(const struct report_status *s)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER("reclaimed", s->reclaimed_total);
	PUT_NUMBER("refaulted", s->refaulted_total);
	PUT_NUMBER("exit_reclaimed", s->exit_reclaimed_total);
	PUT_NUMBER("compactions", s->compactions);
	PUT_NUMBER("compact_cpu_us", s->machine.compact_cpu_us);
	return finish(o, ok);
}

static json_t *overhead_json(const struct report_status *s)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER("cpu_us", s->cpu_us);
	PUT_NUMBER("rss", s->rss);
	PUT_NUMBER("hook_ppm", s->hook_ppm);
	PUT_NUMBER("hook_budget_ppm", s->hook_budget_ppm);
	return finish(o, ok);
}

static json_t *errors_json(const struct report_status *s)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER("edges_lost", s->edges_lost);
	PUT_NUMBER("acts_failed", s->acts_failed);
	PUT_TEXT("last", s->last_error);
	return finish(o, ok);
}

json_t *report_status_json(const struct report_status *s)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_TEXT("version", s->version);
	PUT_TEXT("kernel", s->kernel);
	PUT_NUMBER("uptime_ms", s->uptime_ms);
	PUT_BOOL("dry_run", s->dry_run);
	PUT_BOOL("paused", s->paused);
	PUT_NUMBER("containers", s->nr_containers);
	PUT("config", config_json(s));
	PUT("memory", memory_json(s));
	PUT("totals", totals_json(s));
	PUT("overhead", overhead_json(s));
	PUT("errors", errors_json(s));
	PUT("rungs", report_rungs_json(s->rungs, s->nr_rungs));
	return finish(o, ok);
}

json_t *report_rungs_json(const struct hook_rung *rungs, size_t n)
{
	json_t *all = json_array();
	bool good = all != NULL;

	for (size_t i = 0; good && i < n; i++) {
		json_t *o = json_object();
		bool ok = o != NULL;

		PUT_TEXT("data", rungs[i].data);
		PUT_TEXT("rung", rungs[i].rung);
		PUT_BOOL("best", rungs[i].best);
		PUT_TEXT("reason", rungs[i].reason);
		PUT_TEXT("without", rungs[i].without);
		PUT_TEXT("remedy", rungs[i].remedy);
		good = json_array_append_new(all, finish(o, ok)) == 0;
	}
	return finish(all, good);
}

static json_t *checks_json(const struct doctor_report *d)
{
	json_t *all = json_array();
	bool good = all != NULL;

	for (size_t i = 0; good && i < d->nr_checks; i++) {
		const struct doctor_check *c = &d->checks[i];
		json_t *o = json_object();
		bool ok = o != NULL;

		PUT_TEXT("what", c->what);
		PUT_TEXT("state", doctor_state_name(c->state));
		PUT_BOOL("required", c->required);
		PUT_TEXT("detail", c->detail);
		PUT_TEXT("remedy", c->remedy);
		good = json_array_append_new(all, finish(o, ok)) == 0;
	}
	return finish(all, good);
}

json_t *report_doctor_json(const struct doctor_report *d, const struct hook_rung *rungs, size_t n)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_BOOL("able", d->able);
	PUT_TEXT("verdict", d->verdict);
	PUT("checks", checks_json(d));
	PUT("rungs", report_rungs_json(rungs, n));
	return finish(o, ok);
}
