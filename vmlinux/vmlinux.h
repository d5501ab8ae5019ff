/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types, as far as our BPF programs read them: written by hand,
 * see README.md in this folder. Offsets, sizes of fields and enum values come
 * from the running kernel's BTF when the programs are loaded (CO-RE), so
 * order and gaps here mean nothing, and names mean everything.
 *
 * What differs between kernels is not here but in bpf/kernel.h.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef _Bool bool;

enum {
	false = 0,
	true = 1,
};

#define NULL ((void *)0)

/* The ABI of bpf(2): fixed values, include/uapi/linux/bpf.h. */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_F_NO_PREALLOC = 1 << 0,
	BPF_F_MMAPABLE = 1 << 10,
};

enum {
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1 << 0,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	s64 counter;
} atomic_long_t;

/* --- kernfs and cgroups (include/linux/kernfs.h, cgroup-defs.h) --- */

struct kernfs_node {
	u64 id; /* = the inode number = the cgroup id */
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	unsigned int flags;
	struct cgroup_subsys_state *parent;
};

enum {
	CSS_NO_REF = 1 << 0,
	CSS_ONLINE = 1 << 1,
	CSS_RELEASED = 1 << 2,
	CSS_VISIBLE = 1 << 3,
	CSS_DYING = 1 << 4,
};

/* Values from the kernel: the set of controllers is a matter of .config. */
enum cgroup_subsys_id {
	memory_cgrp_id = 4,
};

struct cgroup_root {
	int hierarchy_id; /* 0: the v2 hierarchy */
};

struct psi_group;

struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	int nr_populated_domain_children;
	int nr_populated_threaded_children;
	struct kernfs_node *kn;
	struct cgroup_subsys_state *subsys[1];
	struct cgroup_root *root;
	struct psi_group *psi;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1];
};

/* --- pressure (include/linux/psi_types.h) --- */

enum psi_states {
	PSI_IO_SOME = 0,
	PSI_IO_FULL = 1,
	PSI_MEM_SOME = 2,
	PSI_MEM_FULL = 3,
};

/* --- memory cgroups (include/linux/memcontrol.h, mmzone.h) --- */

struct page_counter {
	atomic_long_t usage;
};

struct mem_cgroup_id {
	int id;
};

struct memcg_vmstats {
	long state[1];
	unsigned long events[1];
};

struct lru_gen_folio {
	unsigned long max_seq;
	unsigned long min_seq[2];
	unsigned long timestamps[4];
	bool enabled;
};

struct lruvec {
	struct lru_gen_folio lrugen;
};

struct mem_cgroup;

struct mem_cgroup_per_node {
	struct lruvec lruvec;
	struct mem_cgroup *memcg;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct mem_cgroup_id id;
	struct page_counter memory;
	struct page_counter swap;
	struct memcg_vmstats *vmstats;
	struct mem_cgroup_per_node *nodeinfo[0];
};

/* --- pages --- */

enum pageflags {
	PG_head = 6,
	PG_swapbacked = 19,
};

struct folio {
	unsigned long memcg_data;
};

/* Values from the kernel, all of them. */
enum vm_fault_reason {
	VM_FAULT_MAJOR = 0x4,
	VM_FAULT_RETRY = 0x400,
};

enum fault_flag {
	FAULT_FLAG_WRITE = 1 << 0,
	FAULT_FLAG_TRIED = 1 << 5,
};

/* --- tasks --- */

struct task_struct {
	struct css_set *cgroups;
};

struct pt_regs;
struct vm_area_struct;
struct bpf_perf_event_data;

/* --- iterators (kernel/bpf/cgroup_iter.c, map_iter.c) --- */

struct seq_file;
struct bpf_map;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__cgroup {
	struct bpf_iter_meta *meta;
	struct cgroup *cgroup;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

#pragma clang attribute pop

#endif /* __VMLINUX_H__ */
