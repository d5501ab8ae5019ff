// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults, counted per container. A page fault is too frequent to watch all the time (an empty
 * program costs 2 to 4% of a loop that does nothing but fault), so user space attaches these in
 * windows, under a budget: hooks_sampling().
 */
#include "maps.h"

char LICENSE[] SEC("license") = "GPL";

/* Faults are stamped, for the latency of major ones. Costs a look-up in task storage each. */
const volatile bool stamp_faults = false;
/* No tracepoint at the entry (arm64): fentry stamps and fexit counts. */
const volatile bool count_at_exit = false;

__u64 window_ns; /* when the window opened; an older stamp is of another window */

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} fault_start SEC(".maps");

/* Events that our programs saw, of whomever: what they cost is charged by this. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} fault_events SEC(".maps");

/* The x86 error code of a page fault (arch/x86/include/asm/trap_pf.h) */
#define PF_PROT (1 << 0) /* the page was present */
#define PF_WRITE (1 << 1)
#define PF_USER (1 << 2)

static __always_inline void saw_event(void)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&fault_events, &zero);

	if (n)
		*n += 1;
}

static __always_inline void stamp(void)
{
	__u64 *start = bpf_task_storage_get(&fault_start, bpf_get_current_task_btf(), NULL,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (start)
		*start = bpf_ktime_get_ns();
}

/* 0: this fault was not stamped in this window. The stamp is used up. */
static __always_inline __u64 elapsed(void)
{
	__u64 *start = bpf_task_storage_get(&fault_start, bpf_get_current_task_btf(), NULL, 0);
	__u64 began;

	if (!start || *start < window_ns)
		return 0;
	began = *start;
	*start = 0;
	return bpf_ktime_get_ns() - began;
}

/* Of user addresses only: what the kernel faults on in its own is nobody's page. */
static __always_inline int count_entry(__u64 address, __u64 ec)
{
	struct ebb_container *c;

	saw_event();
	if ((__s64)address < 0)
		return 0;
	c = current_container();
	if (!c)
		return 0;
	/* All are minor until found major. */
	__sync_fetch_and_add(&c->minor, 1);
	if (ec & PF_WRITE)
		__sync_fetch_and_add(&c->write, 1);
	if ((ec & (PF_PROT | PF_WRITE)) == (PF_PROT | PF_WRITE))
		__sync_fetch_and_add(&c->cow, 1);
	if (stamp_faults)
		stamp();
	return 0;
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(page_fault_user, unsigned long address, struct pt_regs *regs, unsigned long ec)
{
	return count_entry(address, ec);
}

/* The kernel touching user memory in a system call: read() into a fresh buffer. */
SEC("tp_btf/page_fault_kernel")
int BPF_PROG(page_fault_kernel, unsigned long address, struct pt_regs *regs, unsigned long ec)
{
	return count_entry(address, ec);
}

static __always_inline void count_major(struct ebb_container *c, __u64 ns)
{
	__u64 us = ns / 1000;
	__u32 slot = 0;

	__sync_fetch_and_add(&c->major, 1);
	__sync_fetch_and_add(&c->major_ns, ns);
	while (slot < EBB_LAT_SLOTS - 1 && us >= 2) {
		us >>= 1;
		slot++;
	}
	__sync_fetch_and_add(&c->major_lat[slot], 1);
}

/*
 * The software event of major faults, raised by mm_account_fault() in the faulting task: runs for
 * these alone, where fexit would run for every fault.
 */
SEC("perf_event")
int major_fault(struct bpf_perf_event_data *ctx)
{
	__u64 ns = elapsed();
	struct ebb_container *c;

	if (!ns)
		return 0;
	c = current_container();
	if (!c)
		return 0;
	__sync_fetch_and_add(&c->minor, -1);
	count_major(c, ns);
	return 0;
}

SEC("fentry/handle_mm_fault")
int BPF_PROG(fault_begin, struct vm_area_struct *vma, unsigned long address, unsigned int flags)
{
	saw_event();
	/* A retry is the same fault going on: it keeps its stamp. */
	if (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_TRIED))
		return 0;
	if (current_container())
		stamp();
	return 0;
}

/* As mm_account_fault() decides: major if this or an earlier try had to wait. */
SEC("fexit/handle_mm_fault")
int BPF_PROG(fault_done, struct vm_area_struct *vma, unsigned long address, unsigned int flags,
	     struct pt_regs *regs, unsigned int ret)
{
	bool major = (ret & bpf_core_enum_value(enum vm_fault_reason, VM_FAULT_MAJOR)) ||
		     (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_TRIED));
	struct ebb_container *c;
	__u64 ns;

	saw_event();
	if (!regs || (ret & bpf_core_enum_value(enum vm_fault_reason, VM_FAULT_RETRY)))
		return 0;
	if (!major && !count_at_exit)
		return 0;
	c = current_container();
	if (!c)
		return 0;
	if (count_at_exit && (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_WRITE)))
		__sync_fetch_and_add(&c->write, 1);
	if (!major) {
		__sync_fetch_and_add(&c->minor, 1);
		return 0;
	}
	ns = elapsed();
	if (!ns)
		return 0;
	if (!count_at_exit)
		__sync_fetch_and_add(&c->minor, -1);
	count_major(c, ns);
	return 0;
}
