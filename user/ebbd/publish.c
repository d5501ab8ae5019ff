// SPDX-License-Identifier: GPL-2.0-only
/* What is known at the last tick, as the report's model. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "lib/files.h"

/* The latency histogram of all groups of a container; false: the hook counted none. */
static bool major_latency(struct daemon *d, uint64_t id, uint64_t slots[EBB_LAT_SLOTS])
{
	size_t n = tree_groups(d->tree, id, NULL, 0);
	_cleanup_free_ uint64_t *ids = calloc(n ? n : 1, sizeof(*ids));
	struct ebb_container counts;
	bool any = false;

	if (ids)
		n = tree_groups(d->tree, id, ids, n);
	memset(slots, 0, EBB_LAT_SLOTS * sizeof(slots[0]));
	for (size_t i = 0; ids && i < n; i++) {
		if (hooks_counts(d->hooks, ids[i], &counts))
			continue;
		for (size_t k = 0; k < EBB_LAT_SLOTS; k++) {
			slots[k] += counts.major_lat[k];
			any |= counts.major_lat[k] != 0;
		}
	}
	return any;
}

static json_t *container_json(struct daemon *d, const struct ebb_snap_container *s,
			      const struct ebb_verdict *v, const struct tree_container *c)
{
	const struct track *t = track_find(d, s->id);
	uint64_t slots[EBB_LAT_SLOTS];
	struct report_container r = {
		.id = s->id,
		.name = c->name,
		.runtime = c->runtime,
		.image = c->image,
		.path = c->path,
		.pod = c->pod,
		.namespace = c->namespace,
		.bytes = s->bytes,
		.anon = s->anon,
		.file = s->file,
		.swap = s->swap,
		.cold = v->cold,
		.working_set = v->working_set,
		.reclaimed_total = v->taken,
		.refaulted_total = v->refaulted,
		.protect = s->protect,
		.state = v->state,
		.reason = v->reason,
		.age_ms = now_ms() - s->born_ms,
		.nr_ages = s->nr_ages,
		.faults_minor = s->faults > s->major_faults ? s->faults - s->major_faults : 0,
		.faults_major = s->major_faults,
		.stall_us = s->psi_mem_some_us,
	};

	memcpy(r.age, s->age, sizeof(r.age));
	if (major_latency(d, s->id, slots))
		r.major_lat = slots;
	if (t) {
		r.last_action = t->last_action;
		r.last = t->last;
	}
	return report_container_json(&r);
}

json_t *publish_container(struct daemon *d, size_t i)
{
	const struct ebb_snap_container *s = &d->snap.containers[i];
	const struct tree_container *c = tree_container_by_id(d->tree, s->id);

	return c ? container_json(d, s, &d->plan.verdicts[i], c) : NULL;
}

json_t *publish_list(struct daemon *d)
{
	json_t *list = json_array();

	for (size_t i = 0; list && d->have_plan && i < d->plan.nr_verdicts; i++) {
		const struct ebb_snap_container *s = &d->snap.containers[i];
		const struct tree_container *c = tree_container_by_id(d->tree, s->id);

		/* Gone since the tick. */
		if (!c)
			continue;
		if (json_array_append_new(list, container_json(d, s, &d->plan.verdicts[i], c))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static uint64_t own_rss(void)
{
	char buf[128];
	unsigned long long size, resident;

	if (read_file_at(AT_FDCWD, "/proc/self/statm", buf, sizeof(buf)) < 0 ||
	    sscanf(buf, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t own_cpu_us(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 + ru.ru_utime.tv_usec +
	       ru.ru_stime.tv_usec;
}

/* The ladder as the hooks have it, and what act found out. */
size_t publish_rungs(struct daemon *d, struct hook_rung rungs[PUBLISH_RUNGS])
{
	const struct act_swap_info *swap = &act_caps(d->act)->swap;
	bool none = swap->kind == ACT_SWAP_NONE;
	size_t n, used = 0;
	const struct hook_rung *from = hooks_rungs(d->hooks, &n);

	for (size_t i = 0; i < n && used < PUBLISH_RUNGS - 1; i++)
		rungs[used++] = from[i];
	rungs[used++] = (struct hook_rung){
		.data = "swap",
		.rung = none ? "none" : swap->device,
		.reason = swap->reason,
		.without = none ? "anonymous memory cannot be taken" : "",
		.remedy = none ? "load the zram module, or set up a swap" : "",
		.best = !none,
	};
	return used;
}

json_t *publish_status(struct daemon *d)
{
	struct hook_rung rungs[PUBLISH_RUNGS];
	struct hooks_cost cost;
	struct report_status s = {
		.version = EBB_VERSION,
		.kernel = d->kernel,
		.uptime_ms = now_ms() - d->started_ms,
		.dry_run = d->opts.dry_run,
		.paused = d->paused,
		.config = &d->config,
		.config_path = d->opts.config_path,
		.nr_containers = d->snap.nr_containers,
		.machine = d->snap.machine,
		.host = d->snap.host,
		.footprint = d->plan.footprint,
		.now_ms = now_ms(),
		.reporting_order = machine_reporting_order(d->machine),
		.reclaimed_total = d->totals.reclaimed,
		.refaulted_total = d->policy.refaulted_gone,
		.exit_reclaimed_total = d->totals.exit_reclaimed,
		.compactions = d->totals.compactions,
		.cpu_us = own_cpu_us(),
		.rss = own_rss(),
		.edges_lost = d->edges_lost,
		.acts_failed = d->totals.failed,
		.last_error = d->totals.last_error[0] ? d->totals.last_error : NULL,
		.rungs = rungs,
	};

	for (size_t i = 0; d->have_plan && i < d->plan.nr_verdicts; i++)
		s.refaulted_total += d->plan.verdicts[i].refaulted;
	memcpy(s.returned, d->account.returned, sizeof(s.returned));
	memcpy(s.means, d->plan.means, sizeof(s.means));
	if (d->balloon) {
		const struct balloon_state *b = balloon_state(d->balloon);

		s.host_means = s.host.talking ? b->means : "";
		s.host_reason = b->reason;
		s.host_rtt_us = b->rtt_ns / 1000;
	}
	hooks_cost(d->hooks, &cost);
	s.hook_us = cost.ns / 1000;
	s.hook_ppm = cost.share_ppm;
	s.hook_budget_ppm = cost.budget_ppm;
	s.nr_rungs = publish_rungs(d, rungs);
	return report_status_json(&s);
}
