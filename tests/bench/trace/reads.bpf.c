// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages of the page cache were read through a descriptor: of those an ageing pass sees
 * nothing. One bit for each page frame.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 vmemmap = 0; /* of struct page, by frame */
const volatile __u32 page_struct = 64; /* its size */
const volatile __u32 nr_words = 1;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} read_frames SEC(".maps");

/*
 * Its argument, a folio, is the struct page of its first frame. Asked for as a number: with a
 * pointer that it knows the verifier allows no arithmetic.
 */
SEC("fentry/folio_mark_accessed")
int frame_read(void *ctx)
{
	__u64 address = 0, frame, *bits;
	__u32 word;

	bpf_get_func_arg(ctx, 0, &address);
	frame = (address - vmemmap) / page_struct;
	word = frame / 64;
	if (address < vmemmap || word >= nr_words)
		return 0;
	bits = bpf_map_lookup_elem(&read_frames, &word);
	if (bits)
		__sync_fetch_and_or(bits, 1ull << (frame & 63));
	return 0;
}
