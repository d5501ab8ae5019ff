// SPDX-License-Identifier: GPL-2.0-only
/*
 * The census: one pass of an iterator over all cgroups, one record each into an array that user
 * space has mapped. Text goes through another iterator (census_text): this one has a single
 * seq session of 32 KB, after which the kernel answers EOPNOTSUPP (cgroup_iter_seq_start(), since
 * it may not drop cgroup_mutex in between).
 */
#include "maps.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 page_size = 4096;
const volatile __u32 nr_nodes = 1;
const volatile __u32 nr_state = 0; /* elements of vmstats->state in this kernel */
const volatile __u32 nr_events = 0;
const volatile __u32 max_records = 1;
const volatile bool psi_on = false;
const volatile bool swap_is_memsw = false; /* v1: the counter in swap's place counts both */

/* Set by ebbd, before the first pass or between two. */
struct ebb_term terms[EBB_MAX_TERMS];
__u32 nr_terms;
__u32 hz; /* of jiffies; 0: not known yet */
__u32 raw_wanted; /* copy the raw arrays of so many groups to census_raw */

/* The result of the pass. */
__u32 nr_records;
__u32 nr_missed; /* did not fit */
__u32 nr_raw;
__u64 pass_ns; /* CLOCK_MONOTONIC at its start */
__u64 pass_jiffies;

/* Here and not on the 512-byte stack; one pass at a time: only ebbd holds the iterator. */
static struct {
	long state[EBB_RAW_STATE];
	unsigned long events[EBB_RAW_EVENTS];
	struct lru_gens gens;
	__u64 psi[6];
} scratch;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ebb_census);
} census_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EBB_RAW_GROUPS);
	__type(key, __u32);
	__type(value, struct ebb_raw);
} census_raw SEC(".maps");

/* The kernel's index tables, of which BTF knows nothing; only with KALLSYMS_ALL. */
extern const void mem_cgroup_stats_index __ksym __weak;
extern const void mem_cgroup_events_index __ksym __weak;

__u8 stats_index[EBB_RAW_TABLE];
__u8 events_index[EBB_RAW_TABLE];

static __always_inline struct ebb_census *next_record(void)
{
	__u32 i = nr_records;
	struct ebb_census *rec;

	if (i >= max_records || !(rec = bpf_map_lookup_elem(&census_records, &i))) {
		nr_missed++;
		return NULL;
	}
	nr_records = i + 1;
	__builtin_memset(rec, 0, sizeof(*rec));
	return rec;
}

static __always_inline void fill_stats(struct ebb_census *rec, struct mem_cgroup *memcg)
{
	struct memcg_vmstats *vmstats = BPF_CORE_READ(memcg, vmstats);
	__u64 *figures = &rec->usage;
	__u32 i, size;

	if (!vmstats)
		return;
	size = nr_state * sizeof(long);
	if (size > sizeof(scratch.state))
		return;
	if (bpf_core_read(scratch.state, size, &vmstats->state))
		return;
	size = nr_events * sizeof(long);
	if (size > sizeof(scratch.events))
		return;
	if (bpf_core_read(scratch.events, size, &vmstats->events))
		return;
	for (i = 0; i < EBB_MAX_TERMS; i++) {
		struct ebb_term *t = &terms[i];
		long v;

		if (i >= nr_terms)
			break;
		v = t->event ? (long)scratch.events[t->pos & (EBB_RAW_EVENTS - 1)]
			     : scratch.state[t->pos & (EBB_RAW_STATE - 1)];
		/* Per-CPU deltas may be flushed out of order: memory.stat cuts at 0 as well. */
		if (v > 0)
			figures[t->field & 15] += v * t->unit;
	}
	rec->flags |= EBB_CENSUS_STATS;
}

static __always_inline void fill_psi(struct ebb_census *rec, struct cgroup *cgrp)
{
	/* The root's own is in /proc/pressure: its psi_group here stays empty. */
	if (!psi_on || !cgrp->level || !psi_totals_read(cgrp, scratch.psi))
		return;
	rec->psi_mem_some = scratch.psi[bpf_core_enum_value(enum psi_states, PSI_MEM_SOME)] / 1000;
	rec->psi_mem_full = scratch.psi[bpf_core_enum_value(enum psi_states, PSI_MEM_FULL)] / 1000;
	rec->psi_io_some = scratch.psi[bpf_core_enum_value(enum psi_states, PSI_IO_SOME)] / 1000;
	rec->psi_io_full = scratch.psi[bpf_core_enum_value(enum psi_states, PSI_IO_FULL)] / 1000;
	rec->flags |= EBB_CENSUS_PSI;
}

/* Pages in one generation of one type. Zones may go negative for a moment; lru_gen cuts at 0. */
static __always_inline __u64 gen_bytes(const struct lru_gens *g, __u32 gen, __u32 type)
{
	__u32 at = (gen * 2 + type) * g->zones;
	__u64 pages = 0;
	__u32 z;

	for (z = 0; z < MAX_ZONES; z++) {
		long n;

		if (z >= g->zones)
			break;
		n = g->nr_pages[(at + z) & (4 * 2 * MAX_ZONES - 1)];
		if (n > 0)
			pages += n;
	}
	return pages * page_size;
}

static __noinline void fill_gens(struct ebb_census *rec)
{
	const struct lru_gens *g = &scratch.gens;
	__u64 seq;
	__u32 i;

	rec->max_seq = g->max_seq;
	rec->min_seq_anon = g->min_seq[0];
	rec->min_seq_file = g->min_seq[1];
	for (i = 0; i < EBB_MAX_GENS; i++) {
		struct ebb_gen *gen;
		__u32 slot;

		if (g->max_seq < i)
			break;
		seq = g->max_seq - i;
		slot = seq & (EBB_MAX_GENS - 1);
		if (seq < g->min_seq[0] && seq < g->min_seq[1])
			break;
		gen = &rec->gen[slot];
		if (hz)
			gen->age_ms = (pass_jiffies - g->timestamps[slot]) * 1000 / hz;
		if (seq >= g->min_seq[0])
			gen->anon = gen_bytes(g, slot, 0);
		if (seq >= g->min_seq[1])
			gen->file = gen_bytes(g, slot, 1);
	}
	rec->flags |= EBB_CENSUS_LRU_GEN;
}

static __always_inline struct mem_cgroup_per_node *node_of(struct mem_cgroup *memcg, __u32 node)
{
	struct mem_cgroup_per_node *pn = NULL;

	bpf_probe_read_kernel(&pn, sizeof(pn),
			      (void *)memcg + bpf_core_field_offset(memcg->nodeinfo) +
				      node * sizeof(void *));
	return pn;
}

static __always_inline void fill_nodes(struct ebb_census *first, struct mem_cgroup *memcg)
{
	struct ebb_census *rec = first;
	struct mem_cgroup_per_node *any = NULL;
	__u32 node;

	if (!bpf_core_field_exists(any->lruvec.lrugen))
		return;
	for (node = 0; node < 64; node++) {
		struct mem_cgroup_per_node *pn;

		if (node >= nr_nodes)
			break;
		pn = node_of(memcg, node);
		if (!pn || !lru_gens_read(pn, &scratch.gens))
			continue;
		if (node) {
			rec = next_record();
			if (!rec)
				break;
			rec->cgroup = first->cgroup;
			rec->parent = first->parent;
			rec->level = first->level;
			rec->memcg = first->memcg;
			rec->node = node;
		}
		fill_gens(rec);
	}
}

static __always_inline void copy_raw(__u64 id)
{
	__u32 i = nr_raw;
	struct ebb_raw *raw;

	if (i >= raw_wanted)
		return;
	raw = bpf_map_lookup_elem(&census_raw, &i);
	if (!raw)
		return;
	raw->cgroup = id;
	bpf_probe_read_kernel(raw->state, sizeof(raw->state), scratch.state);
	bpf_probe_read_kernel(raw->events, sizeof(raw->events), scratch.events);
	nr_raw = i + 1;
	if (i)
		return;
	if (&mem_cgroup_stats_index)
		bpf_probe_read_kernel(stats_index, sizeof(stats_index), &mem_cgroup_stats_index);
	if (&mem_cgroup_events_index)
		bpf_probe_read_kernel(events_index, sizeof(events_index), &mem_cgroup_events_index);
}

SEC("iter/cgroup")
int census(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgrp = ctx->cgroup;
	struct mem_cgroup *memcg;
	struct ebb_census *rec;
	long pages = 0;

	if (!ctx->meta->seq_num) {
		nr_records = 0;
		nr_missed = 0;
		nr_raw = 0;
		pass_ns = bpf_ktime_get_ns();
		pass_jiffies = bpf_jiffies64();
	}
	if (!cgrp)
		return 0;
	memcg = memcg_of(cgrp);
	if (!memcg)
		return 0;
	rec = next_record();
	if (!rec)
		return 0;
	rec->cgroup = cgrp->kn->id;
	rec->parent = cgroup_parent_id(cgrp);
	rec->level = cgrp->level;
	rec->memcg = BPF_CORE_READ(memcg, id.id);
	if (cgroup_populated(cgrp))
		rec->flags |= EBB_CENSUS_POPULATED;
	bpf_core_read(&pages, sizeof(pages), &memcg->memory.usage.counter);
	rec->usage = (__u64)pages * page_size;
	if (!swap_is_memsw) {
		pages = 0;
		bpf_core_read(&pages, sizeof(pages), &memcg->swap.usage.counter);
		rec->swap = (__u64)pages * page_size;
	}
	fill_stats(rec, memcg);
	if (raw_wanted)
		copy_raw(rec->cgroup);
	fill_psi(rec, cgrp);
	fill_nodes(rec, memcg);
	return 0;
}

/* One generation: how long ago it was born, and what is in it. Four columns, youngest first. */
static __always_inline void print_gen(struct seq_file *seq, const struct ebb_census *rec,
				      const struct ebb_gen *gen, __u32 nth)
{
	__u64 nr = rec->max_seq - nth;

	if (!(rec->flags & EBB_CENSUS_LRU_GEN) || rec->max_seq < nth ||
	    (nr < rec->min_seq_anon && nr < rec->min_seq_file))
		BPF_SEQ_PRINTF(seq, " |      -         -         -");
	else
		BPF_SEQ_PRINTF(seq, " | %6llu %9llu %9llu", gen->age_ms / 1000, gen->anon / 1024,
			       gen->file / 1024);
}

static __always_inline void print_heading(struct seq_file *seq)
{
	__u32 i;

	BPF_SEQ_PRINTF(seq, "%-10s %9s %9s %9s %9s %12s %12s %10s", "cgroup", "kib", "anon", "file",
		       "swap", "refault_anon", "refault_file", "stall_ms");
	for (i = 0; i < EBB_MAX_GENS; i++)
		BPF_SEQ_PRINTF(seq, " | %6s %9s %9s", "age_s", "anon", "file");
	BPF_SEQ_PRINTF(seq, " | name\n");
}

/*
 * cat /sys/fs/bpf/ebb/census: a line for each container, as of ebbd's last pass; sizes in KiB,
 * refaults in pages. The name comes last: it is the one thing without a width. It iterates over the
 * array of records and not over cgroups, so that a thousand containers fit (see above).
 */
SEC("iter/bpf_map_elem")
int census_text(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct ebb_census *rec;
	struct ebb_container *c;
	__u32 *key = ctx->key; /* loaded once: the verifier forgets the check of a second load */
	__u32 index, i;
	__u64 id;

	barrier_var(key);
	if (!key)
		return 0;
	index = *key;
	if (!index)
		print_heading(seq);
	if (index >= nr_records)
		return 0;
	/* Not ctx->value: the verifier allows no variable offset (gen[i]) into that. */
	rec = bpf_map_lookup_elem(&census_records, &index);
	if (!rec || rec->node)
		return 0;
	id = rec->cgroup;
	c = bpf_map_lookup_elem(&containers, &id);
	if (!c || c->container != id)
		return 0;
	BPF_SEQ_PRINTF(seq, "%-10llu %9llu %9llu %9llu %9llu %12llu %12llu %10llu", rec->cgroup,
		       rec->usage / 1024, rec->anon / 1024, rec->file / 1024, rec->swap / 1024,
		       rec->refault_anon, rec->refault_file, rec->psi_mem_some / 1000);
	for (i = 0; i < EBB_MAX_GENS; i++)
		print_gen(seq, rec, &rec->gen[(rec->max_seq - i) & (EBB_MAX_GENS - 1)], i);
	BPF_SEQ_PRINTF(seq, " | %s\n", c->name);
	return 0;
}
