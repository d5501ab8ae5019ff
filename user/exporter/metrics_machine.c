// SPDX-License-Identifier: GPL-2.0-only
/* The families of the machine and of ebbd itself. */
#include <stddef.h>

#include "exporter/metrics_int.h"
#include "lib/cleanup.h"

struct machine_family {
	struct family family;
	size_t offset; /* of a uint64_t in struct sample_machine */
	size_t has; /* of a bool: only then; 0: always */
};

#define AT(field) offsetof(struct sample_machine, field)

/* clang-format off */
static const struct machine_family singles[] = {
	{ { "guest_memory_size_bytes", FAMILY_GAUGE, 1,
	    "Memory of the guest, as its kernel counts it (MemTotal)." }, AT(mem_total), 0 },
	{ { "memory_cap_bytes", FAMILY_GAUGE, 1,
	    "The cap of the configuration; absent where none is set." }, AT(cap), AT(cap) },
	{ { "balloon_target_bytes", FAMILY_GAUGE, 1,
	    "Memory that the VM is to have; absent without a balloon." },
	  AT(balloon_target), AT(has_balloon) },
	{ { "returned_bytes", FAMILY_COUNTER, 1,
	    "Memory handed back to the host; absent where it cannot be told." },
	  AT(returned_total), AT(has_returned) },
	{ { "compressed_bytes", FAMILY_GAUGE, 1,
	    "Memory that compressed pages occupy (zram, zswap)." }, AT(compressed), 0 },
	{ { "compressed_original_bytes", FAMILY_GAUGE, 1,
	    "What those pages were before." }, AT(compressed_original), 0 },
	{ { "reclaimed_bytes", FAMILY_COUNTER, 1,
	    "Memory taken, of containers that are gone too." }, AT(reclaimed_total), 0 },
	{ { "refaulted_bytes", FAMILY_COUNTER, 1,
	    "Of that, what came back." }, AT(refaulted_total), 0 },
	{ { "exit_reclaimed_bytes", FAMILY_COUNTER, 1,
	    "Of the memory taken: what ended containers had left behind." },
	  AT(exit_reclaimed_total), 0 },
	{ { "compactions", FAMILY_COUNTER, 1,
	    "Compaction passes that ebbd asked for." }, AT(compactions), 0 },
	{ { "compaction_seconds", FAMILY_COUNTER, 1000000,
	    "Processor time of those passes; part of the overhead of ebbd." }, AT(compact_cpu_us), 0 },
	{ { "hooks_cost_ratio", FAMILY_GAUGE, 1000000,
	    "Share of one processor that the hooks cost over the last minute." }, AT(hook_ppm), 0 },
	{ { "hooks_budget_ratio", FAMILY_GAUGE, 1000000,
	    "What that share may be." }, AT(hook_budget_ppm), 0 },
	{ { "daemon_resident_memory_bytes", FAMILY_GAUGE, 1,
	    "Resident memory of ebbd." }, AT(rss), 0 },
	{ { "daemon_uptime_seconds", FAMILY_GAUGE, 1000,
	    "Since ebbd started." }, AT(uptime_ms), 0 },
	{ { "failed_acts", FAMILY_COUNTER, 1,
	    "Steps that failed." }, AT(acts_failed), 0 },
	{ { "lost_edges", FAMILY_COUNTER, 1,
	    "Events of containers that were lost, and made up for by a rescan." }, AT(edges_lost), 0 },
};
/* clang-format on */

static void write_singles(struct writer *w, const struct sample_machine *m)
{
	const char *base = (const char *)m;

	for (size_t i = 0; i < ARRAY_SIZE(singles); i++) {
		const struct machine_family *f = &singles[i];
		uint64_t value = *(const uint64_t *)(base + f->offset);

		if (f->has == AT(cap) ? !m->cap : f->has && !*(const bool *)(base + f->has))
			continue;
		write_single(w, &f->family, value);
	}
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Parts that add up to the whole, which has a name of its own. */
static void write_memory(struct writer *w, const struct sample_machine *m)
{
	static const struct family memory = {
		"guest_memory_bytes", FAMILY_GAUGE, 1,
		"Memory of the guest: used (not available), cache (available, not free), "
		"free_scattered, free_reportable (in blocks that the host can take back)."
	};
	static const struct family swap = { "guest_swap_bytes", FAMILY_GAUGE, 1,
					    "Swap of the guest." };
	uint64_t available = m->mem_available > m->mem_free ? m->mem_available : m->mem_free;
	uint64_t reportable = m->free_reportable < m->mem_free ? m->free_reportable : m->mem_free;

	write_family(w, &memory);
	write_sample_of(w, "", "state", "used", minus(m->mem_total, available));
	write_sample_of(w, "", "state", "cache", available - m->mem_free);
	write_sample_of(w, "", "state", "free_scattered", m->mem_free - reportable);
	write_sample_of(w, "", "state", "free_reportable", reportable);
	write_family(w, &swap);
	write_sample_of(w, "", "state", "used", minus(m->swap_total, m->swap_free));
	write_sample_of(w, "", "state", "free", m->swap_free);
}

static void write_overhead(struct writer *w, const struct sample_machine *m)
{
	static const struct family overhead = {
		"overhead_seconds", FAMILY_COUNTER, 1000000,
		"Processor time that ebb costs: ebbd itself, and its hooks in the kernel."
	};

	write_family(w, &overhead);
	write_sample_of(w, "", "part", "daemon", m->cpu_us);
	if (m->has_hook_us)
		write_sample_of(w, "", "part", "hooks", m->hook_us);
}

static void write_switches(struct writer *w, const struct sample_machine *m)
{
	static const struct family paused = { "paused", FAMILY_GAUGE, 1,
					      "1 while a person has paused everything." };
	static const struct family dry_run = { "dry_run", FAMILY_GAUGE, 1,
					       "1 where ebbd decides and changes nothing." };
	static const struct family reporting = {
		"page_reporting", FAMILY_GAUGE, 1, "1 where free memory goes to the host by itself."
	};

	write_single(w, &paused, m->paused);
	write_single(w, &dry_run, m->dry_run);
	write_single(w, &reporting, m->reporting);
}

static void write_rungs(struct writer *w, const struct sample_machine *m)
{
	static const struct family hook = { "hook", FAMILY_INFO, 1,
					    "By which means each kind of data is had." };
	static const struct family best = { "hook_best", FAMILY_GAUGE, 1,
					    "1 where it is the best means that there is." };

	write_family(w, &hook);
	for (size_t i = 0; i < m->nr_rungs; i++) {
		_cleanup_buf_ struct buf labels = { 0 };

		write_label(&labels, "data", m->rungs[i].data);
		write_label(&labels, "rung", m->rungs[i].rung);
		buf_add_char(&labels, '\0');
		write_sample(w, labels.failed ? "" : labels.text, 1);
	}
	write_family(w, &best);
	for (size_t i = 0; i < m->nr_rungs; i++) {
		_cleanup_buf_ struct buf labels = { 0 };

		write_label(&labels, "data", m->rungs[i].data);
		buf_add_char(&labels, '\0');
		write_sample(w, labels.failed ? "" : labels.text, m->rungs[i].best);
	}
}

void write_machine(struct writer *w, const struct sample_machine *m)
{
	static const struct family build = { "build", FAMILY_INFO, 1,
					     "Version of ebbd and of the kernel that it runs on." };
	_cleanup_buf_ struct buf labels = { 0 };

	write_family(w, &build);
	write_label(&labels, "version", m->version);
	write_label(&labels, "kernel", m->kernel);
	buf_add_char(&labels, '\0');
	write_sample(w, labels.failed ? "" : labels.text, 1);
	write_memory(w, m);
	write_singles(w, m);
	write_overhead(w, m);
	write_switches(w, m);
	write_rungs(w, m);
}
