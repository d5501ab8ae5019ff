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
	PUT_NUMBER("used",
		   m->ram > m->ballooned + m->mem_free ? m->ram - m->ballooned - m->mem_free : 0);
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

static json_t *balloon_json(const struct report_status *s)
{
	static const char *const levels[] = {
		[EBB_HOST_EASE] = "none", [EBB_HOST_LOW] = "low", [EBB_HOST_HIGH] = "high"
	};
	const struct ebb_footprint *f = &s->footprint;
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_BOOL("broker", s->host.talking);
	PUT_TEXT("means", s->host_means);
	PUT_TEXT("why_not", s->host_reason && s->host_reason[0] ? s->host_reason : NULL);
	PUT_NUMBER("held", s->machine.ballooned);
	PUT("target", f->want ? number(f->want) : json_null());
	PUT_TEXT("reason", ebb_size_reason_name(f->reason));
	PUT_TEXT("reason_text", ebb_size_reason_text(f->reason));
	PUT_NUMBER("need", f->need);
	PUT_NUMBER("headroom", f->headroom);
	PUT_NUMBER("idle", f->idle);
	if (s->host.talking) {
		PUT_NUMBER("applied", s->host.applied);
		PUT_NUMBER("actual", s->host.actual);
		PUT("resident", s->host.resident ? number(s->host.resident) : json_null());
		PUT_NUMBER("min", s->host.min);
		PUT_NUMBER("max", s->host.max);
		PUT_NUMBER("rtt_us", s->host_rtt_us);
		PUT_TEXT("host_level", levels[s->host.level]);
		PUT_NUMBER("host_need", s->host.need);
	}
	return finish(o, ok);
}

static json_t *returned_json(const struct report_status *s)
{
	static const char *const causes[REPORT_NR_CAUSES] = {
		[REPORT_BY_RECLAIM] = "reclaim",       [REPORT_BY_EXIT] = "exit",
		[REPORT_BY_COMPACTION] = "compaction", [REPORT_BY_BALLOON] = "balloon",
		[REPORT_BY_GUEST] = "guest",
	};
	json_t *o = json_object();
	bool ok = o != NULL;

	for (size_t i = 0; i < REPORT_NR_CAUSES; i++)
		PUT_NUMBER(causes[i], s->returned[i]);
	return finish(o, ok);
}

static uint64_t returned_total(const struct report_status *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < REPORT_NR_CAUSES; i++)
		sum += s->returned[i];
	return sum;
}

static json_t *totals_json(const struct report_status *s)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER("reclaimed", s->reclaimed_total);
	PUT_NUMBER("refaulted", s->refaulted_total);
	PUT_NUMBER("exit_reclaimed", s->exit_reclaimed_total);
	PUT_NUMBER("returned", returned_total(s));
	PUT("returned_by", returned_json(s));
	PUT_NUMBER("compactions", s->compactions);
	PUT_NUMBER("compact_cpu_us", s->machine.compact_cpu_us);
	return finish(o, ok);
}

static json_t *one_means_json(const struct report_status *s, enum ebb_means i)
{
	const struct ebb_means_verdict *v = &s->means[i];
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_TEXT("name", ebb_means_name(i));
	PUT_BOOL("on", v->on);
	PUT_TEXT("reason", ebb_means_reason_name(v->reason));
	PUT_TEXT("reason_text", ebb_means_reason_text(v->reason));
	PUT_NUMBER("tries", v->tries);
	PUT("again_ms", v->again_ms > s->now_ms ? number(v->again_ms - s->now_ms) : json_null());
	return finish(o, ok);
}

static json_t *means_json(const struct report_status *s)
{
	json_t *all = json_array();

	for (enum ebb_means i = 0; all && i < EBB_NR_MEANS; i++)
		if (json_array_append_new(all, one_means_json(s, i)) < 0) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static json_t *overhead_json(const struct report_status *s)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER("cpu_us", s->cpu_us);
	PUT_NUMBER("rss", s->rss);
	PUT_NUMBER("hook_us", s->hook_us);
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
	PUT("balloon", balloon_json(s));
	PUT("means", means_json(s));
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
