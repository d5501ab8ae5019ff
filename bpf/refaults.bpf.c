// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refaults: pages that come back after an eviction, per container, as it happens. The census has
 * the same as cumulative counters; this is for those who cannot wait for the next pass.
 */
#include "maps.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * Runs only when a page with a shadow comes back, so it stays attached. On MGLRU 6.1 it sees
 * more than memory.stat: lru_gen_refault() there counts none but those evicted from what is still
 * the oldest generation.
 *
 * The tracepoint mod_memcg_lruvec_state has the same figure without fentry, but runs at each change
 * of any lruvec statistic: attached, it doubled what the fault hooks cost a page fault
 * (docs/kernels.md).
 */
SEC("fentry/workingset_refault")
int BPF_PROG(refault, struct folio *folio, void *shadow)
{
	struct mem_cgroup *memcg = folio_memcg_of(folio);
	struct ebb_container *c = memcg ? memcg_container(memcg) : NULL;

	if (!c)
		return 0;
	if (folio_flag(folio, PG_swapbacked))
		__sync_fetch_and_add(&c->refault_anon, folio_pages(folio));
	else
		__sync_fetch_and_add(&c->refault_file, folio_pages(folio));
	return 0;
}
