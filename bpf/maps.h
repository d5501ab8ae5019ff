/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What several programs share: the map of containers, and whose task this is. */
#ifndef EBB_BPF_MAPS_H
#define EBB_BPF_MAPS_H

#include "kernel.h"
#include "ebb/abi.h"

/*
 * Not per CPU, so that a dump reads like a table; the atomic adds into it
 * cost less than the look-up. Not preallocated: only ebbd inserts.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct ebb_container);
} containers SEC(".maps") __weak;

/* cgroup hierarchy that memory is on: 0 for v2 (bpf_get_current_cgroup_id() knows no other) */
const volatile __u32 memory_hierarchy __weak = 0;

static __always_inline __u64 current_group(void)
{
	struct cgroup_subsys_state *css;

	if (!memory_hierarchy)
		return bpf_get_current_cgroup_id();
	css = css_set_memory(bpf_get_current_task_btf()->cgroups);
	return css ? css->cgroup->kn->id : 0;
}

static __always_inline struct ebb_container *current_container(void)
{
	__u64 id = current_group();

	return bpf_map_lookup_elem(&containers, &id);
}

static __always_inline struct ebb_container *memcg_container(struct mem_cgroup *memcg)
{
	struct cgroup *cgrp = BPF_CORE_READ(memcg, css.cgroup);
	__u64 id = cgrp ? cgroup_id(cgrp) : 0;

	return bpf_map_lookup_elem(&containers, &id);
}

#endif /* EBB_BPF_MAPS_H */
