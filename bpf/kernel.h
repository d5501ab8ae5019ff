/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What differs between kernels, and nothing else. Each flavor says since when.
 * The programs ask through the functions below and know no version.
 */
#ifndef EBB_BPF_KERNEL_H
#define EBB_BPF_KERNEL_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/*
 * 6.1: MGLRU's state is struct lru_gen_struct. "mm: multi-gen LRU: rename
 * lru_gen_struct to lru_gen_folio" (December 2022, in 6.12 as in all later ones
 * that we have seen) renamed it; the fields that we read kept their names.
 */
struct lru_gen_struct {
	unsigned long max_seq;
	unsigned long min_seq[2];
	unsigned long timestamps[4];
	bool enabled;
};

/*
 * Not the kernel but the pahole that wrote its BTF decides whether an array of arrays
 * appears as such (7.2 as built by Debian) or flat (6.1, 6.12, 6.18). CO-RE takes
 * the two for different kinds.
 */
struct lru_gen_folio___flat {
	long nr_pages[40];
};
struct lru_gen_folio___nested {
	long nr_pages[4][2][5];
};
struct lru_gen_struct___flat {
	long nr_pages[40];
};
struct lru_gen_struct___nested {
	long nr_pages[4][2][5];
};
struct psi_group___flat {
	u64 total[12];
};
struct psi_group___nested {
	u64 total[2][6];
};

/* Up to 6.18 the count is the cgroup's; 7.2 has it per css, the cgroup's own being `self`. */
struct cgroup___csets {
	int nr_populated_csets;
};
struct cgroup_subsys_state___csets {
	int nr_populated_csets;
};
struct cgroup___self_csets {
	struct cgroup_subsys_state___csets self;
};

/*
 * Up to 6.18 folio->memcg_data leads to the mem_cgroup (of a user page). 7.2 charges
 * them through an obj_cgroup, and has orig_objcg per node.
 */
struct mem_cgroup_per_node___objcg {
	void *orig_objcg;
};
struct obj_cgroup {
	struct mem_cgroup *memcg;
};

struct folio___word {
	unsigned long flags;
};

/* 6.12 has a plain word; 6.18 a struct around it (memdesc_flags_t). */
struct memdesc_flags___618 {
	unsigned long f;
};
struct folio___618 {
	struct memdesc_flags___618 flags;
};

/*
 * The order of a large folio: 6.1 has a byte of its own, 6.12 and later the
 * low byte of the second page's flags.
 */
struct folio___order {
	unsigned char _folio_order;
};
struct folio___flags_1 {
	unsigned long _flags_1;
};

#pragma clang attribute pop

#define MAX_ZONES 8 /* the kernel's MAX_NR_ZONES is 5 or less */

struct lru_gens {
	u64 max_seq;
	u64 min_seq[2]; /* anon, file */
	u64 timestamps[4];
	u32 zones; /* of nr_pages, which holds [generation][type][zone] */
	long nr_pages[4 * 2 * MAX_ZONES];
};

/*
 * Plain loads where the verifier knows the type of what it starts from. Each saves a helper call,
 * of which the census would make ten more a group, and a fault on v1 three.
 */

/* The memory controller's state in a cgroup or css_set: an array of pointers by controller. */
#define subsys_memory(owner)                                                                       \
	(*(struct cgroup_subsys_state **)((void *)(owner) +                                        \
					  bpf_core_field_offset((owner)->subsys) +                 \
					  sizeof(void *) *                                         \
						  bpf_core_enum_value(enum cgroup_subsys_id,       \
								      memory_cgrp_id)))

static __always_inline struct cgroup_subsys_state *css_set_memory(struct css_set *set)
{
	return subsys_memory(set);
}

/* NULL where the memory controller is off for this cgroup or on its way out. */
static __always_inline struct mem_cgroup *memcg_of(struct cgroup *cgrp)
{
	struct cgroup_subsys_state *css = subsys_memory(cgrp);

	/* A css of an ancestor appears in e_css only, never in subsys[]: this one is its own. */
	if (!css || !(css->flags & CSS_ONLINE) || (css->flags & CSS_DYING))
		return NULL;
	return (struct mem_cgroup *)css; /* css is its first member, on every kernel */
}

/*
 * Plain loads, for a pointer that the verifier knows the type of: each saves a helper call, of
 * which the census would make eight more a group.
 */
static __always_inline bool cgroup_populated(struct cgroup *cgrp)
{
	int n = cgrp->nr_populated_domain_children + cgrp->nr_populated_threaded_children;
	struct cgroup___csets *old = (void *)cgrp;
	struct cgroup___self_csets *new = (void *)cgrp;

	if (bpf_core_field_exists(old->nr_populated_csets))
		n += old->nr_populated_csets;
	else if (bpf_core_field_exists(new->self.nr_populated_csets))
		n += new->self.nr_populated_csets;
	return n > 0;
}

/* By way of the css: kernfs_node.parent of 6.12 is __parent in 6.18, behind RCU. 0 for a root. */
static __always_inline u64 cgroup_parent_id(struct cgroup *cgrp)
{
	struct cgroup_subsys_state *css = cgrp->self.parent;

	return css ? css->cgroup->kn->id : 0;
}

static __always_inline u64 cgroup_id(struct cgroup *cgrp)
{
	return BPF_CORE_READ(cgrp, kn, id);
}

/* The nr_pages member of *gen, whatever shape the BTF gives it; its size in bytes into size. */
#define lru_nr_pages(gen, flat, nested, size)                                                      \
	({                                                                                         \
		void *at_ = NULL;                                                                  \
		struct flat *flat_ = (void *)(gen);                                                \
		struct nested *nested_ = (void *)(gen);                                            \
		if (bpf_core_field_exists(flat_->nr_pages)) {                                      \
			at_ = (void *)(gen) + bpf_core_field_offset(flat_->nr_pages);              \
			(size) = bpf_core_field_size(flat_->nr_pages);                             \
		} else if (bpf_core_field_exists(nested_->nr_pages)) {                             \
			at_ = (void *)(gen) + bpf_core_field_offset(nested_->nr_pages);            \
			(size) = bpf_core_field_size(nested_->nr_pages);                           \
		}                                                                                  \
		at_;                                                                               \
	})

#define lru_gens_of(gen, flat, nested, out)                                                        \
	({                                                                                         \
		bool on_ = false;                                                                  \
		u32 size_ = 0;                                                                     \
		void *pages_ = lru_nr_pages(gen, flat, nested, size_);                             \
		bpf_core_read(&on_, sizeof(on_), &(gen)->enabled);                                 \
		if (size_ > sizeof((out)->nr_pages))                                               \
			size_ = sizeof((out)->nr_pages);                                           \
		if (on_ && pages_) {                                                               \
			bpf_core_read(&(out)->max_seq, sizeof(u64), &(gen)->max_seq);              \
			bpf_core_read((out)->min_seq, sizeof((out)->min_seq), &(gen)->min_seq);    \
			bpf_core_read((out)->timestamps, sizeof((out)->timestamps),                \
				      &(gen)->timestamps);                                         \
			bpf_probe_read_kernel((out)->nr_pages, size_, pages_);                     \
			(out)->zones = size_ / (4 * 2 * sizeof(long));                             \
		}                                                                                  \
		on_ &&pages_;                                                                      \
	})

/* false where this kernel has no MGLRU, or it is off. */
static __always_inline bool lru_gens_read(struct mem_cgroup_per_node *pn, struct lru_gens *out)
{
	if (!bpf_core_field_exists(pn->lruvec.lrugen))
		return false;
	if (bpf_core_type_exists(struct lru_gen_struct)) {
		struct lru_gen_struct *old = (void *)pn + bpf_core_field_offset(pn->lruvec.lrugen);

		return lru_gens_of(old, lru_gen_struct___flat, lru_gen_struct___nested, out);
	} else {
		struct lru_gen_folio *gen = (void *)pn + bpf_core_field_offset(pn->lruvec.lrugen);

		return lru_gens_of(gen, lru_gen_folio___flat, lru_gen_folio___nested, out);
	}
}

/* Totals of the averaging aggregator (index 0 of two), in ns, indexed by enum psi_states. */
static __always_inline bool psi_totals_read(struct cgroup *cgrp, u64 total[6])
{
	struct psi_group *psi = BPF_CORE_READ(cgrp, psi);
	struct psi_group___flat *flat = (void *)psi;
	struct psi_group___nested *nested = (void *)psi;

	if (!psi)
		return false;
	if (bpf_core_field_exists(flat->total))
		return !bpf_probe_read_kernel(total, 6 * sizeof(u64),
					      (void *)psi + bpf_core_field_offset(flat->total));
	if (bpf_core_field_exists(nested->total))
		return !bpf_probe_read_kernel(total, 6 * sizeof(u64),
					      (void *)psi + bpf_core_field_offset(nested->total));
	return false;
}

static __always_inline unsigned long folio_flags(struct folio *folio)
{
	struct folio___word *word = (void *)folio;
	struct folio___618 *wrapped = (void *)folio;

	if (bpf_core_field_exists(wrapped->flags.f))
		return BPF_CORE_READ(wrapped, flags.f);
	return BPF_CORE_READ(word, flags);
}

#define folio_flag(folio, bit)                                                                     \
	((folio_flags(folio) >> bpf_core_enum_value(enum pageflags, bit)) & 1)

static __always_inline u64 folio_pages(struct folio *folio)
{
	struct folio___order *old = (void *)folio;
	struct folio___flags_1 *new = (void *)folio;

	if (!folio_flag(folio, PG_head))
		return 1;
	if (bpf_core_field_exists(old->_folio_order))
		return 1ULL << (BPF_CORE_READ(old, _folio_order) & 31);
	return 1ULL << (BPF_CORE_READ(new, _flags_1) & 31);
}

static __always_inline struct mem_cgroup *folio_memcg_of(struct folio *folio)
{
	unsigned long data = BPF_CORE_READ(folio, memcg_data);
	struct mem_cgroup_per_node___objcg *pn = NULL;
	struct obj_cgroup *objcg;

	if (!data || (data & 1)) /* not charged, or a slab's vector */
		return NULL;
	if (!bpf_core_field_exists(pn->orig_objcg))
		return (void *)(data & ~7UL);
	objcg = (void *)(data & ~7UL);
	return BPF_CORE_READ(objcg, memcg);
}

#endif /* EBB_BPF_KERNEL_H */
