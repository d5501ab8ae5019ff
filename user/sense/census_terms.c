// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where in the kernel's arrays of memory cgroup statistics our figures are.
 *
 * Up to 6.9 vmstats->state[] is indexed by the enum; since then, and for the
 * events on all our kernels, through a table that is static to memcontrol.c.
 * BTF tells neither the table nor its address, kallsyms the address if it has
 * data symbols (KALLSYMS_ALL). Otherwise the order of the source is tried,
 * and whatever was found is held against memory.stat.
 */
#include "sense/census.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/files.h"

#define FIELD(f) ((offsetof(struct ebb_census, f) - offsetof(struct ebb_census, usage)) / 8)
_Static_assert(FIELD(pgmajfault) < 16, "census.bpf.c masks with 15");

struct figure {
	const char *item; /* enumerator */
	uint8_t field;
	uint8_t pages; /* 1: in pages, wanted in bytes */
	const char *key; /* in memory.stat of v2 */
	const char *key_v1;
	uint8_t needed; /* without it the census is of no use */
};

static const struct figure figures[] = {
	{ "NR_ANON_MAPPED", FIELD(anon), 1, "anon", "total_rss", 1 },
	{ "NR_FILE_PAGES", FIELD(file), 1, "file", "total_cache", 1 },
	{ "NR_ANON_THPS", FIELD(anon_thp), 1, "anon_thp", "total_rss_huge", 0 },
	{ "NR_FILE_MAPPED", FIELD(file_mapped), 1, "file_mapped", "total_mapped_file", 0 },
	{ "NR_SHMEM", FIELD(shmem), 1, "shmem", "total_shmem", 0 },
	{ "NR_SLAB_RECLAIMABLE_B", FIELD(slab), 0, "slab_reclaimable", NULL, 0 },
	{ "NR_SLAB_UNRECLAIMABLE_B", FIELD(slab), 0, "slab_unreclaimable", NULL, 0 },
	{ "MEMCG_ZSWAP_B", FIELD(zswap), 0, "zswap", NULL, 0 },
	{ "WORKINGSET_REFAULT_ANON", FIELD(refault_anon), 0, "workingset_refault_anon",
	  "total_workingset_refault_anon", 0 },
	{ "WORKINGSET_REFAULT_FILE", FIELD(refault_file), 0, "workingset_refault_file",
	  "total_workingset_refault_file", 0 },
	{ "PGSCAN_KSWAPD", FIELD(pgscan), 0, "pgscan_kswapd", NULL, 0 },
	{ "PGSCAN_DIRECT", FIELD(pgscan), 0, "pgscan_direct", NULL, 0 },
	{ "PGSCAN_KHUGEPAGED", FIELD(pgscan), 0, "pgscan_khugepaged", NULL, 0 },
	{ "PGSCAN_PROACTIVE", FIELD(pgscan), 0, "pgscan_proactive", NULL, 0 },
	{ "PGSTEAL_KSWAPD", FIELD(pgsteal), 0, "pgsteal_kswapd", NULL, 0 },
	{ "PGSTEAL_DIRECT", FIELD(pgsteal), 0, "pgsteal_direct", NULL, 0 },
	{ "PGSTEAL_KHUGEPAGED", FIELD(pgsteal), 0, "pgsteal_khugepaged", NULL, 0 },
	{ "PGSTEAL_PROACTIVE", FIELD(pgsteal), 0, "pgsteal_proactive", NULL, 0 },
	{ "PGFAULT", FIELD(pgfault), 0, "pgfault", "total_pgfault", 0 },
	{ "PGMAJFAULT", FIELD(pgmajfault), 0, "pgmajfault", "total_pgmajfault", 0 },
	/* v2 has a page counter for swap; v1's counts memory and swap together. */
	{ "MEMCG_SWAP", FIELD(swap), 1, NULL, "total_swap", 0 },
};

#define NR_FIGURES ARRAY_SIZE(figures)
_Static_assert(NR_FIGURES <= EBB_MAX_TERMS, "terms fit");

/*
 * memcg_node_stat_items[] followed by memcg_stat_items[], and memcg_vm_event_stat[], of
 * mm/memcontrol.c: the order of all kernels from 6.10 on, as far as we need it. An item that this
 * kernel's enum does not have is not in its array either.
 */
static const char *const state_order[] = {
	"NR_INACTIVE_ANON",
	"NR_ACTIVE_ANON",
	"NR_INACTIVE_FILE",
	"NR_ACTIVE_FILE",
	"NR_UNEVICTABLE",
	"NR_SLAB_RECLAIMABLE_B",
	"NR_SLAB_UNRECLAIMABLE_B",
	"WORKINGSET_REFAULT_ANON",
	"WORKINGSET_REFAULT_FILE",
	"WORKINGSET_ACTIVATE_ANON",
	"WORKINGSET_ACTIVATE_FILE",
	"WORKINGSET_RESTORE_ANON",
	"WORKINGSET_RESTORE_FILE",
	"WORKINGSET_NODERECLAIM",
	"NR_ANON_MAPPED",
	"NR_FILE_MAPPED",
	"NR_FILE_PAGES",
	"NR_FILE_DIRTY",
	"NR_WRITEBACK",
	"NR_SHMEM",
	"NR_SHMEM_THPS",
	"NR_FILE_THPS",
	"NR_ANON_THPS",
};
static const char *const memcg_order[] = {
	"MEMCG_SWAP",    "MEMCG_SOCK", "MEMCG_PERCPU_B",
	"MEMCG_VMALLOC", "MEMCG_KMEM", "MEMCG_ZSWAP_B",
};
static const char *const event_order[] = {
	"PGPGIN",
	"PGPGOUT",
	"PSWPIN",
	"PSWPOUT",
	"PGSCAN_KSWAPD",
	"PGSCAN_DIRECT",
	"PGSCAN_KHUGEPAGED",
	"PGSCAN_PROACTIVE",
	"PGSTEAL_KSWAPD",
	"PGSTEAL_DIRECT",
	"PGSTEAL_KHUGEPAGED",
	"PGSTEAL_PROACTIVE",
	"PGFAULT",
	"PGMAJFAULT",
};

struct search {
	const struct kernel_facts *k;
	const struct census_sample *samples;
	size_t nr_samples;
	const uint8_t *stats, *events; /* the kernel's tables */
	bool is_event[NR_FIGURES];
	int value[NR_FIGURES]; /* of the enumerator, -1: not in this kernel */
};

const char *index_method_name(enum index_method m)
{
	static const char *const names[] = {
		[INDEX_NONE] = "nothing",
		[INDEX_KALLSYMS] = "the kernel's index table",
		[INDEX_ENUM] = "the enum itself",
		[INDEX_ORDER] = "the order of the kernel's source",
		[INDEX_VALUES] = "the values of memory.stat",
	};

	return names[m];
}

static void look_up_items(struct search *s)
{
	for (size_t i = 0; i < NR_FIGURES; i++) {
		const char *item = figures[i].item;

		s->value[i] = kernel_enum(s->k, "node_stat_item", item);
		if (s->value[i] < 0)
			s->value[i] = kernel_enum(s->k, "memcg_stat_item", item);
		/* 7.2 made pgscan and pgsteal node statistics. */
		if (s->value[i] < 0) {
			s->value[i] = kernel_enum(s->k, "vm_event_item", item);
			s->is_event[i] = true;
		}
		if (!strcmp(item, "MEMCG_SWAP") && !s->k->v1)
			s->value[i] = -1;
	}
}

/*
 * The tables hold bytes from 6.10/6.11 on, ints before; the position itself
 * (free slots 0xff), or one more than it (free slots 0).
 */
static int table_entry(const uint8_t *table, int item, size_t len)
{
	bool ints = true, biased = true;
	int v;

	for (size_t i = 0; i < len; i++) {
		if (i % 4 && table[i])
			ints = false;
		if (table[i] == 0xff)
			biased = false;
	}
	if (ints)
		biased = true;
	if (item < 0 || (size_t)item * (ints ? 4 : 1) >= EBB_RAW_TABLE)
		return -1;
	v = table[item * (ints ? 4 : 1)];
	if (!biased)
		return v == 0xff ? -1 : v;
	return v - 1;
}

static int by_kallsyms(const struct search *s, size_t i)
{
	const uint8_t *table = s->is_event[i] ? s->events : s->stats;
	static const uint8_t empty[EBB_RAW_TABLE];

	if (!memcmp(table, empty, sizeof(empty)))
		return -1;
	/* Shorter than the tables, as bytes, on any kernel: what follows them is something else. */
	return table_entry(table, s->value[i], s->is_event[i] ? 100 : 48);
}

static int by_enum(const struct search *s, size_t i)
{
	if (s->is_event[i] ||
	    (int)s->k->nr_state != kernel_enum(s->k, "memcg_stat_item", "MEMCG_NR_STAT"))
		return -1;
	return s->value[i];
}

static int in_order(const struct search *s, const char *type, const char *const *order, size_t nr,
		    const char *item)
{
	int pos = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(order[i], item))
			return pos;
		if (kernel_enum(s->k, type, order[i]) >= 0)
			pos++;
	}
	return -1;
}

static int by_order(const struct search *s, size_t i)
{
	const char *item = figures[i].item;
	int pos;

	if (s->is_event[i])
		return in_order(s, "vm_event_item", event_order, ARRAY_SIZE(event_order), item);
	pos = in_order(s, "node_stat_item", state_order, ARRAY_SIZE(state_order), item);
	if (pos >= 0)
		return pos;
	pos = in_order(s, "memcg_stat_item", memcg_order, ARRAY_SIZE(memcg_order), item);
	return pos < 0 ? -1 : pos + (int)s->k->nr_lruvec_state;
}

struct tally {
	unsigned int hits; /* agree with memory.stat, and not just on 0 */
	unsigned int misses;
};

/* A figure may move while we look: it must be between what the file said before and after. */
static void compare(const struct search *s, size_t i, int pos, struct tally *t)
{
	const char *key = s->k->v1 ? figures[i].key_v1 : figures[i].key;
	uint64_t unit = figures[i].pages ? s->k->page_size : 1;

	for (size_t n = 0; key && n < s->nr_samples; n++) {
		const struct census_sample *sample = &s->samples[n];
		int64_t raw = s->is_event[i] ? (int64_t)sample->raw.events[pos]
					     : sample->raw.state[pos];
		uint64_t v = raw < 0 ? 0 : raw * unit, a, b;

		if (!find_key(sample->before, key, &a) || !find_key(sample->after, key, &b))
			continue;
		if (v < (a < b ? a : b) || v > (a < b ? b : a))
			t->misses++;
		else if (v)
			t->hits++;
	}
}

typedef int (*position_fn)(const struct search *s, size_t i);

static const struct {
	enum index_method method;
	position_fn position;
	unsigned int hits; /* needed before it is believed */
} methods[] = {
	{ INDEX_KALLSYMS, by_kallsyms, 0 },
	{ INDEX_ENUM, by_enum, 0 },
	{ INDEX_ORDER, by_order, 2 },
};

static bool in_array(const struct search *s, size_t i, int pos)
{
	return pos >= 0 && pos < (int)(s->is_event[i] ? s->k->nr_events : s->k->nr_state);
}

/* Does a method hold for all figures of one array? A few misses are groups that did not sit still.
 */
static bool method_holds(const struct search *s, position_fn position, bool events,
			 unsigned int hits)
{
	struct tally t = { 0 };
	bool any = false;

	for (size_t i = 0; i < NR_FIGURES; i++) {
		int pos = position(s, i);

		if (s->value[i] < 0 || s->is_event[i] != events || !in_array(s, i, pos))
			continue;
		any = true;
		/* Slab never sits still: our own reading of files moves it. */
		if (figures[i].field != FIELD(slab))
			compare(s, i, pos, &t);
	}
	return any && t.hits >= hits && t.misses * 4 <= t.hits;
}

static enum index_method find_method(const struct search *s, bool events, position_fn *ret)
{
	for (size_t m = 0; m < ARRAY_SIZE(methods); m++) {
		if (!method_holds(s, methods[m].position, events, methods[m].hits))
			continue;
		*ret = methods[m].position;
		return methods[m].method;
	}
	return INDEX_VALUES;
}

/* The one position that agrees everywhere, and somewhere on more than 0. */
static int by_values(const struct search *s, size_t i)
{
	uint32_t len = s->is_event[i] ? s->k->nr_events : s->k->nr_state;
	int found = -1;

	for (uint32_t pos = 0; pos < len; pos++) {
		struct tally t = { 0 };

		compare(s, i, pos, &t);
		if (!t.hits || t.misses * 10 > t.hits)
			continue;
		if (found >= 0)
			return -1;
		found = pos;
	}
	return found;
}

int census_terms_find(struct census_terms *ret, const struct kernel_facts *k,
		      const struct census_sample *samples, size_t nr, const uint8_t *stats,
		      const uint8_t *events)
{
	struct search s = {
		.k = k, .samples = samples, .nr_samples = nr, .stats = stats, .events = events
	};
	position_fn state_at = by_values, event_at = by_values;
	struct census_terms found = { 0 };
	size_t used = 0;

	look_up_items(&s);
	found.state = find_method(&s, false, &state_at);
	found.events = find_method(&s, true, &event_at);
	for (size_t i = 0; i < NR_FIGURES; i++) {
		const struct figure *f = &figures[i];
		int pos;

		if (s.value[i] < 0)
			continue;
		pos = (s.is_event[i] ? event_at : state_at)(&s, i);
		if (!in_array(&s, i, pos)) {
			if (f->needed)
				return -ENODATA;
			used += snprintf(found.missing + used, sizeof(found.missing) - used, "%s%s",
					 used ? ", " : "", f->item);
			if (used >= sizeof(found.missing))
				used = sizeof(found.missing) - 1;
			continue;
		}
		found.terms[found.nr++] = (struct ebb_term){
			.pos = pos,
			.field = f->field,
			.event = s.is_event[i],
			.unit = f->pages ? k->page_size : 1,
		};
	}
	*ret = found;
	return 0;
}
