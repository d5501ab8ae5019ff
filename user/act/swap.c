// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/swap.h>
#include <time.h>

#include "act/pool.h"
#include "act/swap.h"
#include "act/zram.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define MAX_SWAPS 32
#define MAX_PAGE 65536
#define PRIORITY 100
#define SWAPOFF_MAX_MS 60000
#define ZSWAP "/sys/module/zswap/parameters/enabled"
#define SPARE (64ull << 20) /* to be left when a swap is taken away */
#define DEFLATE_MS 5000 /* for a balloon to give back what that needs … */
#define DEFLATE_STILL_US 1000000 /* … if it is at it at all */

static void say(struct act_swap_info *info, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct act_swap_info *info, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(info->reason, sizeof(info->reason), format, ap);
	va_end(ap);
}

static size_t read_swaps(const struct swap_ctx *s, struct swap_entry *ret)
{
	char path[256], text[8192];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/proc/swaps", s->root);
	n = read_file_at(AT_FDCWD, path, text, sizeof(text));
	return n < 0 && n != -EFBIG ? 0 : swap_parse(text, ret, MAX_SWAPS);
}

static const struct swap_entry *find_swap(const struct swap_entry *swaps, size_t nr,
					  const char *device)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(swaps[i].device, device))
			return &swaps[i];
	return NULL;
}

static uint64_t meminfo(const struct swap_ctx *s, const char *key)
{
	char path[256], text[8192];
	const char *p;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/proc/meminfo", s->root);
	n = read_file_at(AT_FDCWD, path, text, sizeof(text));
	p = n < 0 ? NULL : strstr(text, key);
	return p ? strtoull(p + strlen(key), NULL, 10) * 1024 : 0;
}

static uint64_t ram(struct swap_ctx *s)
{
	uint64_t total = meminfo(s, "MemTotal:");

	if (total > s->ram)
		s->ram = total;
	return s->ram;
}

static bool zswap_on(const struct swap_ctx *s)
{
	char path[256], text[8];

	snprintf(path, sizeof(path), "%s" ZSWAP, s->root);
	return read_line_at(AT_FDCWD, path, text, sizeof(text)) > 0 && text[0] == 'Y';
}

/* --- after a crash -------------------------------------------------------------------- */

enum whose { NOT_OURS, OURS, OURS_UNFINISHED };

/* Whether the device of a journal entry is still the one that we made. */
static enum whose whose_device(const struct swap_ctx *s, const struct journal_entry *e,
			       unsigned int number, bool swapping)
{
	_cleanup_free_ unsigned char *buf = malloc(MAX_PAGE);
	size_t page = sysconf(_SC_PAGESIZE);
	char uuid[SWAP_UUID_LEN];
	int r;

	if (!buf || page > MAX_PAGE || !zram_is_set_up(s->root, number) ||
	    zram_read_page(s->root, number, buf, page))
		return NOT_OURS;
	r = swap_read_header(buf, page, uuid);
	if (!r)
		return !strcmp(uuid, e->old) ? swapping ? OURS : OURS_UNFINISHED : NOT_OURS;
	/* A size and nothing else: we died between the two. A reset of it harms nobody. */
	return r == -ENODATA && !swapping ? OURS_UNFINISHED : NOT_OURS;
}

/* Entries of former runs: one may be adopted, the rest goes. */
static void look_back(struct swap_ctx *s, const struct swap_entry *swaps, size_t nr, bool dry_run)
{
	struct journal_entry e;

	for (uint64_t after = 0; !journal_next_device(s->journal, after, &e); after = e.seq) {
		unsigned int number;
		enum whose whose;

		if (!zram_number(e.target, &number))
			continue;
		whose = whose_device(s, &e, number, find_swap(swaps, nr, e.target));
		if (whose == OURS) {
			s->seq = e.seq;
			continue;
		}
		if (dry_run)
			continue;
		if (whose == OURS_UNFINISHED)
			zram_reset(s->root, number);
		journal_forget(s->journal, e.seq);
	}
}

/* --- setting up ------------------------------------------------------------------------- */

static int new_uuid(unsigned char uuid[16], char text[SWAP_UUID_LEN], unsigned char *page_buf,
		    size_t page)
{
	if (getrandom(uuid, 16, 0) != 16)
		return -EIO;
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	/* Through the reader, so that it is the text that will be compared. */
	swap_make_header(page_buf, page, 2, uuid);
	return swap_read_header(page_buf, page, text);
}

static int swap_on(const struct swap_ctx *s, unsigned int number)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/dev/zram%u", s->root, number);
	return swapon(path, SWAP_FLAG_PREFER | PRIORITY) ? -errno : 0;
}

/* One device: entered, claimed, written, on. -EBUSY: try another. */
static int make_swap(struct swap_ctx *s, unsigned int number, struct act_swap_info *info)
{
	_cleanup_free_ unsigned char *buf = malloc(MAX_PAGE);
	size_t page = sysconf(_SC_PAGESIZE);
	char device[32], text[SWAP_UUID_LEN];
	unsigned char uuid[16];
	uint64_t size, limit;
	int r;

	if (!buf || page > MAX_PAGE)
		return -ENOMEM;
	swap_size_rule(ram(s), s->cap, &size, &limit);
	snprintf(device, sizeof(device), "/dev/zram%u", number);
	r = new_uuid(uuid, text, buf, page);
	r = r ?: journal_add_device(s->journal, device, text, &s->seq);
	if (r)
		return r;
	r = zram_set_up(s->root, number, size, limit, info->algorithm, sizeof(info->algorithm));
	if (!r) {
		swap_make_header(buf, page, size / page, uuid);
		r = zram_write_page(s->root, number, buf, page);
		r = r ?: swap_on(s, number);
		if (r)
			zram_reset(s->root, number);
	}
	if (r) {
		journal_forget(s->journal, s->seq);
		s->seq = 0;
		return r;
	}
	info->kind = ACT_SWAP_ZRAM;
	info->ours = true;
	info->size = size - page;
	snprintf(info->device, sizeof(info->device), "%s", device);
	say(info, "there was no swap: zram of %llu MiB, %s", (unsigned long long)(size >> 20),
	    info->algorithm);
	return 0;
}

void swap_set_cap(struct swap_ctx *s, uint64_t cap)
{
	struct journal_entry e;
	uint64_t size, limit;
	unsigned int number;

	s->cap = cap;
	if (!s->seq || journal_next_device(s->journal, s->seq - 1, &e) ||
	    !zram_number(e.target, &number))
		return;
	swap_size_rule(ram(s), cap, &size, &limit);
	zram_limit(s->root, number, limit);
}

static void set_up(struct swap_ctx *s, struct act_swap_info *info)
{
	unsigned int number = 0;
	int r;

	do {
		r = zram_find_free(s->root, number, &number);
		if (!r)
			r = make_swap(s, number++, info);
	} while (r == -EBUSY);
	if (r)
		say(info, "no swap, and zram cannot be had: %s",
		    r == -ENODEV ? "this kernel has no module of it" : strerror(-r));
}

/* A swap that is there, ours or not. */
static void describe(const struct swap_ctx *s, const struct swap_entry *swap,
		     struct act_swap_info *info)
{
	unsigned int number;

	info->size = swap->size;
	snprintf(info->device, sizeof(info->device), "%s", swap->device);
	if (zram_number(swap->device, &number)) {
		info->kind = ACT_SWAP_ZRAM;
		zram_algorithm(s->root, number, info->algorithm, sizeof(info->algorithm));
		say(info, info->ours ? "zram of ours, from an earlier run"
				     : "zram was there, and is used as it is");
	} else if (zswap_on(s)) {
		info->kind = ACT_SWAP_ZSWAP;
		say(info, "zswap in front of a disk was there, and is used as it is");
	} else {
		info->kind = ACT_SWAP_DISK;
		say(info, "swap on a disk was there, and is used as it is");
	}
}

static void want_zswap(struct swap_ctx *s, struct act_swap_info *info)
{
	int r;

	if (info->kind != ACT_SWAP_DISK && info->kind != ACT_SWAP_ZSWAP)
		return;
	r = journal_set_file(s->journal, ZSWAP, "Y", NULL);
	if (!r && info->kind == ACT_SWAP_DISK) {
		info->kind = ACT_SWAP_ZSWAP;
		say(info, "zswap was switched on in front of the disk");
	} else if (r) {
		say(info, "zswap cannot be switched on: %s", strerror(-r));
	}
}

void swap_open(struct swap_ctx *s, enum ebb_compress compress, bool dry_run,
	       struct act_swap_info *info)
{
	struct swap_entry swaps[MAX_SWAPS];
	size_t nr = read_swaps(s, swaps);
	bool wanted = compress == EBB_COMPRESS_AUTO || compress == EBB_COMPRESS_ZRAM;
	char reason[ACT_REASON_LEN];

	*info = (struct act_swap_info){};
	look_back(s, swaps, nr, dry_run);
	if (s->seq && !wanted && !dry_run) {
		/* The configuration changed while we were away. */
		if (!swap_close(s, 5000, reason, sizeof(reason)))
			nr = read_swaps(s, swaps);
	}
	if (nr) {
		struct journal_entry e;

		info->ours = s->seq && !journal_next_device(s->journal, s->seq - 1, &e) &&
			     !strcmp(e.target, swaps[0].device);
		describe(s, &swaps[0], info);
	}
	if (s->seq && !dry_run)
		swap_set_cap(s, s->cap);
	if (compress == EBB_COMPRESS_ZSWAP && nr && !dry_run)
		want_zswap(s, info);
	if (nr)
		return;
	if (compress == EBB_COMPRESS_OFF)
		say(info, "no swap, and compress = off");
	else if (compress == EBB_COMPRESS_ZSWAP)
		say(info, "no swap, and zswap needs a disk behind it");
	else if (dry_run)
		say(info, "no swap, and a dry run sets none up");
	else
		set_up(s, info);
}

/* --- taking away ---------------------------------------------------------------------------- */

/*
 * What is in it comes back at 50 MB/s in a guest under emulation, and a swapoff
 * that is broken off was for nothing. Within what systemd waits for a stop (90 s).
 */
static uint32_t off_deadline(uint32_t deadline_ms, uint64_t used)
{
	uint64_t ms = deadline_ms + (used >> 20) * 40;

	return ms < SWAPOFF_MAX_MS ? ms : SWAPOFF_MAX_MS;
}

static uint64_t balloon_pages(const struct swap_ctx *s)
{
	char path[256], text[16384];
	uint64_t in = 0, out = 0;

	snprintf(path, sizeof(path), "%s/proc/vmstat", s->root);
	if (read_file_at(AT_FDCWD, path, text, sizeof(text)) > 0) {
		find_key(text, "balloon_inflate", &in);
		find_key(text, "balloon_deflate", &out);
	}
	return in > out ? in - out : 0;
}

/*
 * What is available, once it is `need` or will not become more. The host has just been told that
 * the VM is to have its full size, which it has a moment later.
 */
static uint64_t wait_for_room(const struct swap_ctx *s, uint64_t need, uint32_t deadline_ms)
{
	uint64_t now = pool_now_us(), moved = now, pages = balloon_pages(s), left, available;
	uint64_t end = now + (deadline_ms < DEFLATE_MS ? deadline_ms : DEFLATE_MS) * 1000ull;

	while ((available = meminfo(s, "MemAvailable:")) < need && pages && now < end &&
	       now - moved < DEFLATE_STILL_US) {
		nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
		now = pool_now_us();
		left = balloon_pages(s);
		if (left < pages)
			moved = now;
		pages = left;
	}
	return available;
}

int swap_close(struct swap_ctx *s, uint32_t deadline_ms, char *reason, size_t size)
{
	struct swap_entry swaps[MAX_SWAPS];
	const struct swap_entry *swap;
	struct journal_entry e;
	unsigned int number;
	uint64_t available;
	enum whose whose;
	char path[256];
	int r;

	*reason = '\0';
	if (!s->seq || journal_next_device(s->journal, s->seq - 1, &e) ||
	    !zram_number(e.target, &number))
		return 0;
	swap = find_swap(swaps, read_swaps(s, swaps), e.target);
	whose = whose_device(s, &e, number, swap);
	if (whose == OURS_UNFINISHED) {
		zram_reset(s->root, number); /* somebody has swapped it off */
	} else if (whose == OURS) {
		available = wait_for_room(s, swap->used + SPARE, deadline_ms);
		if (swap->used + SPARE > available) {
			snprintf(reason, size,
				 "%s stays: %llu MiB of containers' pages are in it, and %llu MiB "
				 "are available",
				 e.target, (unsigned long long)(swap->used >> 20),
				 (unsigned long long)(available >> 20));
			return -ENOMEM;
		}
		snprintf(path, sizeof(path), "%s%s", s->root, e.target);
		r = swap_off(path, off_deadline(deadline_ms, swap->used));
		if (r && r != -EINVAL) { /* EINVAL: somebody has done it */
			/* One large process is brought back whole, whatever is signalled. */
			if (r == -ETIMEDOUT)
				snprintf(reason, size, "%s is still being emptied", e.target);
			else
				snprintf(reason, size, "%s stays: %s", e.target, strerror(-r));
			return r;
		}
		r = zram_reset(s->root, number);
		if (r) {
			snprintf(reason, size, "%s is off, and cannot be reset: %s", e.target,
				 strerror(-r));
			return r;
		}
	}
	journal_forget(s->journal, s->seq);
	s->seq = 0;
	return 0;
}
