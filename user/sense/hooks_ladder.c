// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ladder: for each kind of data its rungs, best first, each with what it needs. The first that
 * this kernel has, and that has not failed to load, is chosen. Why an order is as it is:
 * docs/kernels.md.
 */
#include "sense/hooks_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

const char *const prog_names[NR_PROGS] = {
	[PROG_EDGE_BORN] = "cgroup_mkdir",
	[PROG_EDGE_GONE] = "cgroup_rmdir",
	[PROG_EDGE_ATTACHED] = "cgroup_attach_task",
	[PROG_EDGE_POPULATED] = "cgroup_notify_populated",
	[PROG_SHORT] = "memory_short",
	[PROG_FAULT_USER] = "page_fault_user",
	[PROG_FAULT_KERNEL] = "page_fault_kernel",
	[PROG_MAJOR_PERF] = "major_fault",
	[PROG_FAULT_BEGIN] = "fault_begin",
	[PROG_FAULT_DONE] = "fault_done",
	[PROG_REFAULT] = "refault",
	[PROG_CENSUS] = "census",
	[PROG_CENSUS_TEXT] = "census_text",
};

/* Answers NULL if the rung is possible, else why it is not. buf is room for the answer. */
typedef const char *(*rung_fits)(const struct kernel_facts *k, char *buf, size_t size);

struct rung_def {
	const char *rung;
	rung_fits fits; /* NULL: always */
	uint32_t progs;
	const char *reason;
	const char *without;
	const char *remedy;
};

/* --- what a rung needs of the kernel --- */

static const char *need_btf(const struct kernel_facts *k)
{
	return k->btf ? NULL : k->no_bpf;
}

static const char *need_tps(const struct kernel_facts *k, const char *const *tps, char *buf,
			    size_t size)
{
	if (!k->btf)
		return k->no_bpf;
	for (; *tps; tps++) {
		if (kernel_has_tp(k, *tps))
			continue;
		snprintf(buf, size, "this kernel has no tracepoint %s", *tps);
		return buf;
	}
	return NULL;
}

static const char *fits_iter(const struct kernel_facts *k, char *buf, size_t size)
{
	if (!k->btf)
		return need_btf(k);
	if (!kernel_has_struct(k, "bpf_iter__cgroup"))
		return "this kernel has no cgroup iterator (6.1 on)";
	if (!k->nr_state || !k->nr_events || k->nr_state > EBB_RAW_STATE ||
	    k->nr_events > EBB_RAW_EVENTS)
		return "the statistics of memory cgroups look unlike those of any known kernel";
	return NULL;
}

static const char *no_generations(const struct kernel_facts *k, char *buf, size_t size)
{
	if (k->lru_gen < 0)
		return "this kernel has no MGLRU (CONFIG_LRU_GEN)";
	if (!(k->lru_gen & 1))
		return "MGLRU is switched off (/sys/kernel/mm/lru_gen/enabled)";
	return NULL;
}

static const char *fits_iter_ages(const struct kernel_facts *k, char *buf, size_t size)
{
	const char *why = fits_iter(k, buf, size);

	return why ? why : no_generations(k, buf, size);
}

static const char *debugfs_says(const struct kernel_facts *k, const char *name, int r, char *buf,
				size_t size)
{
	if (!r)
		return NULL;
	if (k->debugfs_fd < 0)
		snprintf(buf, size, "debugfs is not mounted and cannot be");
	else if (r == -EPERM && strcmp(k->lockdown, "none"))
		snprintf(buf, size, "lockdown=%s closes debugfs %s", k->lockdown, name);
	else
		snprintf(buf, size, "debugfs %s: %s", name, strerror(-r));
	return buf;
}

static const char *fits_lru_gen(const struct kernel_facts *k, char *buf, size_t size)
{
	const char *why = no_generations(k, buf, size);

	return why ? why : debugfs_says(k, "lru_gen", k->lru_gen_read, buf, size);
}

static const char *fits_lru_gen_full(const struct kernel_facts *k, char *buf, size_t size)
{
	const char *why = no_generations(k, buf, size);

	return why ? why : debugfs_says(k, "lru_gen_full", k->lru_gen_full_read, buf, size);
}

static const char *fits_ageing(const struct kernel_facts *k, char *buf, size_t size)
{
	const char *why = no_generations(k, buf, size);

	if (!why && !(k->lru_gen & 2))
		why = "MGLRU does not look at page tables (2 is not in lru_gen/enabled)";
	return why ? why : debugfs_says(k, "lru_gen", k->lru_gen_write, buf, size);
}

static const char *fits_reclaim(const struct kernel_facts *k, char *buf, size_t size)
{
	if (k->v1)
		return "memory is on a cgroup v1 hierarchy";
	return k->reclaim_file ? NULL : "there is no memory.reclaim (5.19 on)";
}

static const char *fits_refault_fentry(const struct kernel_facts *k, char *buf, size_t size)
{
	if (!k->btf)
		return need_btf(k);
	return kernel_has_func(k, "workingset_refault", 2)
		       ? NULL
		       : "this kernel has no function workingset_refault(folio, shadow)";
}

static const char *fits_fault_tps(const struct kernel_facts *k, char *buf, size_t size)
{
	return need_tps(k, (const char *const[]){ "page_fault_user", "page_fault_kernel", NULL },
			buf, size);
}

static const char *fits_handle_mm_fault(const struct kernel_facts *k, char *buf, size_t size)
{
	if (!k->btf)
		return need_btf(k);
	return kernel_has_func(k, "handle_mm_fault", 4)
		       ? NULL
		       : "handle_mm_fault() of this kernel takes other arguments than we know";
}

static const char *fits_psi(const struct kernel_facts *k, char *buf, size_t size)
{
	if (k->v1)
		return "cgroup v1 has no pressure files";
	return k->psi ? NULL : "PSI is off (boot with psi=1)";
}

static const char *fits_edges(const struct kernel_facts *k, char *buf, size_t size)
{
	return need_tps(k,
			(const char *const[]){ "cgroup_mkdir", "cgroup_rmdir", "cgroup_attach_task",
					       "cgroup_notify_populated", NULL },
			buf, size);
}

static const char *fits_short(const struct kernel_facts *k, char *buf, size_t size)
{
	return need_tps(k, (const char *const[]){ "mm_vmscan_wakeup_kswapd", NULL }, buf, size);
}

/* --- the rungs --- */

static const struct rung_def sizes[] = {
	{ "cgroup iterator", fits_iter, PROG(CENSUS), "all groups in one pass", "", "" },
	{ "files", NULL, 0, "memory.stat and its neighbours, group by group",
	  "a census costs about 25 times as much, so it comes less often; no figures in bpffs",
	  "a kernel from 6.1 on with BTF, and the rights to load BPF" },
	{ NULL },
};

static const struct rung_def ages[] = {
	{ "cgroup iterator over lrugen", fits_iter_ages, PROG(CENSUS),
	  "generations with their ages, in the same pass as the sizes", "", "" },
	{ "debugfs lru_gen", fits_lru_gen, 0, "the same figures as text",
	  "costs a pass over one large text", "a kernel from 6.1 on with BTF" },
	{ "debugfs lru_gen_full", fits_lru_gen_full, 0,
	  "the same figures as longer text; lockdown leaves it readable",
	  "costs a pass over one very large text", "a kernel from 6.1 on with BTF" },
	{ "none", NULL, 0, "nothing tells how long memory has been idle",
	  "how much is cold: reclaim goes in small steps under feedback",
	  "a kernel with CONFIG_LRU_GEN, and 7 in /sys/kernel/mm/lru_gen/enabled" },
	{ NULL },
};

static const struct rung_def ageing[] = {
	{ "debugfs lru_gen", fits_ageing, 0, "makes a new generation when we ask", "", "" },
	{ "none", NULL, 0, "generations come only with the kernel's own reclaim",
	  "idle memory of a quiet machine is never seen to grow old: small steps under feedback",
	  "MGLRU on, debugfs available, no lockdown (it needs Secure Boot off or lockdown=none)" },
	{ NULL },
};

static const struct rung_def eviction[] = {
	{ "memory.reclaim", fits_reclaim, 0,
	  "takes an amount from one group, the oldest first (page cache by lru_gen, if ages are "
	  "known)",
	  "", "" },
	{ "none", NULL, 0, "nothing can be taken from one container alone",
	  "ebb can watch, but give nothing back",
	  "boot with systemd.unified_cgroup_hierarchy=1 (cgroup v2), on 5.19 or later" },
	{ NULL },
};

static const struct rung_def refaults[] = {
	{ "fentry workingset_refault", fits_refault_fentry, PROG(REFAULT),
	  "runs only when an evicted page comes back, so it can stay", "", "" },
	{ "census differences", NULL, 0, "the statistics of each group count them, exactly",
	  "refaults are known at the next census and not at once",
	  "a kernel that permits fentry (CONFIG_FUNCTION_TRACER with direct calls)" },
	{ NULL },
};

static const struct rung_def latency[] = {
	{ "page_fault_user + perf major-faults", fits_fault_tps,
	  PROG(FAULT_USER) | PROG(FAULT_KERNEL) | PROG(MAJOR_PERF),
	  "stamped at the entry; the end costs major faults alone", "", "" },
	{ "fexit handle_mm_fault", fits_handle_mm_fault, PROG(FAULT_BEGIN) | PROG(FAULT_DONE),
	  "the same latencies; its end runs at every fault", "a fault costs more while watched",
	  "x86, and the right to open perf events (perf_event_paranoid, seccomp)" },
	{ "PSI totals", fits_psi, 0, "memory.pressure of each group tells the time lost",
	  "the latency of a single fault: only what was lost in all", "rights to load BPF" },
	{ "none", NULL, 0, "neither BPF nor PSI", "what a fault costs is assumed, not measured",
	  "rights to load BPF, or psi=1 at boot" },
	{ NULL },
};

static const struct rung_def lifecycle[] = {
	{ "tracepoints cgroup_*", fits_edges, PROGS_EDGES, "an edge within microseconds", "", "" },
	{ "inotify", NULL, 0, "each group's directory and cgroup.events tell of a change",
	  "a census is needed to find which; beyond 2,048 groups, one a second",
	  "rights to load BPF" },
	{ NULL },
};

static const struct rung_def shortage[] = {
	{ "tracepoint mm_vmscan_wakeup_kswapd", fits_short, PROG(SHORT),
	  "an edge when an allocation finds too little free: the balloon opens at once", "", "" },
	{ "meminfo and stall triggers", NULL, 0,
	  "free memory is read at each look, and a container that waits calls for one",
	  "the balloon opens for a burst up to a second later", "rights to load BPF" },
	{ NULL },
};

static const struct rung_def faults[] = {
	{ "tracepoints page_fault_user, page_fault_kernel", fits_fault_tps,
	  PROG(FAULT_USER) | PROG(FAULT_KERNEL), "minor, major, writes and COW breaks, in windows",
	  "", "" },
	{ "fentry and fexit handle_mm_fault", fits_handle_mm_fault,
	  PROG(FAULT_BEGIN) | PROG(FAULT_DONE), "minor, major and writes, in windows",
	  "COW breaks are not told from other writes", "x86 has the tracepoints" },
	{ "census differences", NULL, 0, "the statistics of each group count them",
	  "writes and COW breaks; everything as of the next census", "rights to load BPF" },
	{ NULL },
};

static const struct {
	const char *data;
	const struct rung_def *rungs;
} ladders[NR_DATA] = {
	[DATA_SIZES] = { "sizes", sizes },
	[DATA_AGES] = { "ages", ages },
	[DATA_AGEING] = { "ageing", ageing },
	[DATA_EVICTION] = { "eviction", eviction },
	[DATA_REFAULTS] = { "refaults", refaults },
	[DATA_LATENCY] = { "major-fault latency", latency },
	[DATA_LIFECYCLE] = { "lifecycle", lifecycle },
	[DATA_SHORTAGE] = { "shortage", shortage },
	[DATA_FAULTS] = { "faults", faults },
};

/* A program of this rung that was tried and did not load. */
static const char *failed_program(const struct ladder *l, uint32_t progs, char *buf, size_t size)
{
	for (int i = 0; i < NR_PROGS; i++) {
		if (!(progs & (1u << i)) || !l->failed[i][0])
			continue;
		snprintf(buf, size, "%s: %s", prog_names[i], l->failed[i]);
		return buf;
	}
	return NULL;
}

static void choose(struct ladder *l, int data, const struct kernel_facts *k)
{
	const struct rung_def *def = ladders[data].rungs;
	struct hook_rung *rung = &l->rungs[data];
	char *text = l->text[data], buf[HOOKS_TEXT], last[HOOKS_TEXT] = "";
	size_t used = 0;
	const char *why;

	for (; def[1].rung; def++) {
		why = def->fits ? def->fits(k, buf, sizeof(buf)) : NULL;
		if (!why)
			why = failed_program(l, def->progs, buf, sizeof(buf));
		if (!why)
			break;
		if (!strcmp(why, last))
			continue; /* two rungs for want of the same */
		snprintf(last, sizeof(last), "%s", why);
		used += snprintf(text + used, HOOKS_TEXT - used, "%s%s", used ? "; " : "", why);
		if (used >= HOOKS_TEXT)
			used = HOOKS_TEXT - 1;
	}
	rung->data = ladders[data].data;
	rung->rung = def->rung;
	rung->best = def == ladders[data].rungs;
	if (used)
		snprintf(text + used, HOOKS_TEXT - used, "; hence: %s", def->reason);
	rung->reason = used ? text : def->reason;
	rung->without = def->without;
	rung->remedy = def->remedy;
	l->progs |= def->progs;
}

void ladder_choose(struct ladder *l, const struct kernel_facts *k)
{
	l->progs = 0;
	for (int i = 0; i < NR_DATA; i++)
		choose(l, i, k);
	l->nr_rungs = NR_DATA;
}
