// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a cgroup as edges in a ring buffer: born, given a task, populated,
 * emptied, gone. Edges are rare and ebbd must act on them at once (a container that exits leaves
 * its cache behind), so these programs stay attached; everything else is counted in maps.
 * The same ring tells that free memory ran short, so that the balloon opens at once.
 */
#include "kernel.h"
#include "ebb/abi.h"

char LICENSE[] SEC("license") = "GPL";

/* The hierarchy whose cgroup ids we use; others (v1 controllers, named ones) have ids of their own.
 */
const volatile int edges_hierarchy = 0;

__u64 edges_lost; /* the ring was full: ebbd rescans */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} edges SEC(".maps");

static __always_inline int emit(struct cgroup *cgrp, __u32 kind)
{
	struct ebb_edge *e;

	if (cgrp->root->hierarchy_id != edges_hierarchy)
		return 0;
	e = bpf_ringbuf_reserve(&edges, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&edges_lost, 1);
		return 0;
	}
	e->time_ns = bpf_ktime_get_ns();
	e->cgroup = cgrp->kn->id;
	e->parent = cgroup_parent_id(cgrp);
	e->kind = kind;
	e->level = cgrp->level;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_mkdir, struct cgroup *cgrp, const char *path)
{
	return emit(cgrp, EBB_EDGE_BORN);
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(cgroup_rmdir, struct cgroup *cgrp, const char *path)
{
	return emit(cgrp, EBB_EDGE_GONE);
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(cgroup_attach_task, struct cgroup *cgrp, const char *path)
{
	return emit(cgrp, EBB_EDGE_ATTACHED);
}

SEC("tp_btf/cgroup_notify_populated")
int BPF_PROG(cgroup_notify_populated, struct cgroup *cgrp, const char *path, int val)
{
	return emit(cgrp, val ? EBB_EDGE_POPULATED : EBB_EDGE_EMPTIED);
}

#define SHORT_GAP_NS 20000000 /* while it lasts, kswapd is woken again and again */

__u64 short_last_ns;

/*
 * An allocation that found free memory below the low watermark wakes kswapd: rarely, since
 * a kswapd that is awake is not woken. Two processors at once may send two edges.
 */
SEC("tp_btf/mm_vmscan_wakeup_kswapd")
int BPF_PROG(memory_short, int nid, int zid, int order)
{
	__u64 now = bpf_ktime_get_ns();
	struct ebb_edge *e;

	if (now - short_last_ns < SHORT_GAP_NS)
		return 0;
	short_last_ns = now;
	e = bpf_ringbuf_reserve(&edges, sizeof(*e), 0);
	if (!e)
		return 0; /* whoever reads the full ring looks at everything */
	__builtin_memset(e, 0, sizeof(*e));
	e->time_ns = now;
	e->kind = EBB_EDGE_SHORT;
	bpf_ringbuf_submit(e, 0);
	return 0;
}
