// SPDX-License-Identifier: GPL-2.0-only
/*
 * Idle page tracking without CONFIG_IDLE_PAGE_TRACKING, which Debian's kernels lack: an ageing pass
 * of the multi-generational LRU moves what was touched to the then youngest generation, and the
 * generation of a page is in its struct page, for /proc/kcore to show.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frames.h"

#define BLOCK 512 /* frames that are looked at together */
#define KPF_SWAPBACKED 14
#define SHIFT_MIN 20
#define SHIFT_MAX 61
#define PAGES_MIN 1024 /* fewer tell nothing */
#define OFFSET_HEAD 8 /* struct page: compound_head; bit 0 is set in all but the first */

static uint64_t symbol(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long address = 0, found = 0;
	char line[512], word[256];

	if (!f)
		return 0;
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx %*c %255s", &address, word) == 2 && !strcmp(word, name))
			found = address;
	fclose(f);
	return found;
}

static int read_kernel(const struct frames *f, uint64_t address, void *to, size_t size)
{
	for (size_t i = 0; i < f->nr_segments; i++) {
		const struct segment *s = &f->segments[i];

		if (address < s->address || address + size > s->address + s->size)
			continue;
		return pread(f->kcore, to, size, (off_t)(s->offset + (address - s->address))) ==
				       (ssize_t)size
			       ? 0
			       : -EIO;
	}
	return -ENOENT;
}

static int read_segments(struct frames *f)
{
	Elf64_Ehdr head;

	if (pread(f->kcore, &head, sizeof(head), 0) != sizeof(head))
		return -EIO;
	f->segments = calloc(head.e_phnum, sizeof(*f->segments));
	if (!f->segments)
		return -ENOMEM;
	for (size_t i = 0; i < head.e_phnum; i++) {
		Elf64_Phdr p;

		if (pread(f->kcore, &p, sizeof(p), (off_t)(head.e_phoff + i * sizeof(p))) !=
		    sizeof(p))
			return -EIO;
		if (p.p_type == PT_LOAD)
			f->segments[f->nr_segments++] = (struct segment){ .address = p.p_vaddr,
									  .size = p.p_memsz,
									  .offset = p.p_offset };
	}
	return 0;
}

/* kpagecgroup is as long as there are frames; it has no size to be asked for. */
static uint64_t count_frames(int fd)
{
	uint64_t low = 0, high = 1ull << 32, word;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (pread(fd, &word, sizeof(word), (off_t)(middle * sizeof(word))) == sizeof(word))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int frames_open(struct frames *f)
{
	uint64_t base = symbol("vmemmap_base");
	int r;

	*f = (struct frames){ .kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC),
			      .kpagecgroup = open("/proc/kpagecgroup", O_RDONLY | O_CLOEXEC),
			      .kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC) };
	if (f->kcore < 0 || f->kpagecgroup < 0 || f->kpageflags < 0 || !base)
		return -EOPNOTSUPP;
	r = read_segments(f);
	if (!r)
		r = read_kernel(f, base, &f->vmemmap, sizeof(f->vmemmap));
	if (r)
		return r;
	f->nr = count_frames(f->kpagecgroup);
	f->cgroup = malloc(BLOCK * sizeof(*f->cgroup));
	f->flags = malloc(BLOCK * sizeof(*f->flags));
	f->structs = malloc((size_t)BLOCK * PAGE_STRUCT);
	return f->cgroup && f->flags && f->structs ? 0 : -ENOMEM;
}

void frames_close(struct frames *f)
{
	close(f->kcore);
	close(f->kpagecgroup);
	close(f->kpageflags);
	free(f->segments);
	free(f->cgroup);
	free(f->flags);
	free(f->structs);
}

static const struct lru *find_lru(const struct lrus *l, uint64_t inode)
{
	for (size_t i = 0; inode && i < l->nr; i++)
		if (l->list[i].inode == inode)
			return &l->list[i];
	return NULL;
}

static size_t block_size(const struct frames *f, uint64_t from)
{
	return f->nr - from < BLOCK ? f->nr - from : BLOCK;
}

/* false: none of these groups has a page in this block, or it has no struct pages. */
static bool load_block(struct frames *f, const struct lrus *l, uint64_t from, size_t n)
{
	bool some = false;

	if (pread(f->kpagecgroup, f->cgroup, n * 8, (off_t)(from * 8)) != (ssize_t)(n * 8))
		return false;
	for (size_t i = 0; i < n && !some; i++)
		some = find_lru(l, f->cgroup[i]);
	return some &&
	       !read_kernel(f, f->vmemmap + from * PAGE_STRUCT, f->structs, n * PAGE_STRUCT);
}

static uint64_t word_of(const struct frames *f, size_t i, size_t offset)
{
	uint64_t word;

	memcpy(&word, f->structs + i * PAGE_STRUCT + offset, sizeof(word));
	return word;
}

/*
 * The frame that speaks for this one: of a large folio it is the first. Blocks are as large, and as
 * aligned, as the largest. Up to 6.18 a tail page has the address of its head there, on 7.2 the
 * mask that makes it of its own (compound_info).
 */
static size_t head_of(const struct frames *f, uint64_t from, size_t i)
{
	uint64_t info = word_of(f, i, OFFSET_HEAD), address = info - 1, frame;

	if (!(info & 1))
		return i;
	if (address < f->vmemmap || address >= f->vmemmap + f->nr * PAGE_STRUCT)
		address = (f->vmemmap + (from + i) * PAGE_STRUCT) & address;
	frame = (address - f->vmemmap) / PAGE_STRUCT;
	return frame >= from && frame < from + i ? frame - from : i;
}

/* How far the pages of each generation, by that shift, are from what lru_gen says. */
static uint64_t off_by(const struct lrus *l, const uint64_t *by_gen, uint64_t *ret_total)
{
	uint64_t off = 0, total = 0;

	for (unsigned int g = 0; g < 4; g++) {
		uint64_t want = 0, is = by_gen[g + 1];

		for (size_t i = 0; i < l->nr; i++)
			want += l->list[i].pages[g];
		off += want > is ? want - is : is - want;
		total += want;
	}
	*ret_total = total;
	return off;
}

/* Some are on their way from one list to another. */
static bool agrees(uint64_t off, uint64_t total)
{
	return off <= total / 16 + 64;
}

/*
 * What is in front of the generation in page->flags differs from build to build. The place at which
 * the pages' generations add up to what lru_gen says is the right one. With few pages it may be
 * found by chance: each look holds its own sums against it.
 */
static int find_shift(struct frames *f, const struct lrus *l)
{
	static uint64_t sums[SHIFT_MAX + 1][8];
	uint64_t best = UINT64_MAX, total = 0;

	memset(sums, 0, sizeof(sums));
	for (uint64_t from = 0; from < f->nr; from += BLOCK) {
		size_t n = block_size(f, from);

		if (!load_block(f, l, from, n))
			continue;
		for (size_t i = 0; i < n; i++)
			for (unsigned int s = SHIFT_MIN; s <= SHIFT_MAX; s++)
				if (find_lru(l, f->cgroup[i]))
					sums[s][word_of(f, head_of(f, from, i), 0) >> s & 7]++;
	}
	for (unsigned int s = SHIFT_MIN; s <= SHIFT_MAX; s++) {
		uint64_t off = off_by(l, sums[s], &total);

		if (off < best) {
			best = off;
			f->gen_shift = s;
		}
	}
	if (total >= PAGES_MIN && agrees(best, total))
		return 0;
	f->gen_shift = 0;
	return -EOPNOTSUPP;
}

static bool is_read(const uint64_t *bits, uint64_t frame)
{
	return bits[frame / 64] >> (frame & 63) & 1;
}

static void judge_block(const struct frames *f, const struct lrus *l, uint64_t from, size_t n,
			const uint64_t *read_bits, uint8_t *state, uint8_t *swap, uint64_t *by_gen)
{
	for (size_t i = 0; i < n; i++) {
		const struct lru *lru = find_lru(l, f->cgroup[i]);
		size_t head = head_of(f, from, i);
		uint64_t gen = word_of(f, head, 0) >> f->gen_shift & 7;

		if (!lru)
			continue;
		by_gen[gen]++;
		/* On no list just now: somebody has it in hand. */
		state[from + i] = !gen || (gen - 1) == lru->max_seq % 4 ||
						  (gen - 1) == (lru->max_seq - 1) % 4 ||
						  is_read(read_bits, from + head)
					  ? FRAME_USED
					  : FRAME_IDLE;
		swap[from + i] = f->flags[i] >> KPF_SWAPBACKED & 1;
	}
}

static bool look_once(struct frames *f, const struct lrus *l, const uint64_t *read_bits,
		      uint8_t *state, uint8_t *swap)
{
	uint64_t by_gen[8] = { 0 }, off, total;

	memset(state, FRAME_OTHER, f->nr);
	for (uint64_t from = 0; from < f->nr; from += BLOCK) {
		size_t n = block_size(f, from);

		if (!load_block(f, l, from, n) ||
		    pread(f->kpageflags, f->flags, n * 8, (off_t)(from * 8)) != (ssize_t)(n * 8))
			continue;
		judge_block(f, l, from, n, read_bits, state, swap, by_gen);
	}
	off = off_by(l, by_gen, &total);
	return agrees(off, total);
}

int frames_look(struct frames *f, const struct lrus *l, const uint64_t *read_bits, uint8_t *state,
		uint8_t *swap)
{
	unsigned int known = f->gen_shift;
	int r = known ? 0 : find_shift(f, l);

	if (r || look_once(f, l, read_bits, state, swap))
		return r;
	/* Found by chance, or something moved while we looked. */
	r = find_shift(f, l);
	if (!r)
		look_once(f, l, read_bits, state, swap);
	else
		f->gen_shift = known;
	return r;
}
