// SPDX-License-Identifier: GPL-2.0-only
#include "sense/machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "lib/cleanup.h"

#define TEXT_MAX (64u << 10)
#define MAX_ZRAMS 16
#define BALLOON_DRIVER "/sys/bus/virtio/drivers/virtio_balloon"
#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM 2
#define VIRTIO_BALLOON_F_REPORTING 5
/* A balloon driver comes or goes rarely, but may be loaded after us. */
#define BALLOON_RESCAN 64

/* A file that is read each time, opened when it is first there. */
struct source {
	const char *path;
	int fd;
};

enum {
	MEMINFO,
	VMSTAT,
	SWAPS,
	BUDDYINFO,
	REPORTING_ORDER,
	ZSWAP_ENABLED,
	NR_SOURCES,
};

struct zram {
	int number;
	int fd; /* of mm_stat */
	bool seen;
};

struct machine {
	char root[PATH_MAX / 2];
	uint64_t page_size;
	struct source sources[NR_SOURCES];
	struct zram zrams[MAX_ZRAMS];
	size_t nr_zrams;
	unsigned int reads;
	bool balloon_reports;
	bool balloon_at_oom; /* it deflates then, and so its pages stay in MemTotal */
	int order;
	char text[TEXT_MAX];
};

static const char *const source_paths[NR_SOURCES] = {
	[MEMINFO] = "/proc/meminfo",
	[VMSTAT] = "/proc/vmstat",
	[SWAPS] = "/proc/swaps",
	[BUDDYINFO] = "/proc/buddyinfo",
	[REPORTING_ORDER] = "/sys/module/page_reporting/parameters/page_reporting_order",
	[ZSWAP_ENABLED] = "/sys/module/zswap/parameters/enabled",
};

static int open_below(const struct machine *m, const char *path)
{
	char full[PATH_MAX];
	int fd, n;

	n = snprintf(full, sizeof(full), "%s%s", m->root, path);
	if (n < 0 || (size_t)n >= sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* seq files hand out about a page at a time, so one read is not enough. */
static ssize_t read_whole(int fd, char *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = pread(fd, buf + have, size - have, have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		have += n;
	}
	return have;
}

/* A descriptor that stopped working (its module was unloaded) is opened anew the next time. */
static ssize_t read_fd(struct machine *m, int *fd)
{
	ssize_t n = read_whole(*fd, m->text, sizeof(m->text));

	if (n < 0) {
		close(*fd);
		*fd = -1;
	}
	return n;
}

static ssize_t read_source(struct machine *m, int which)
{
	struct source *s = &m->sources[which];

	if (s->fd < 0) {
		int fd = open_below(m, s->path);

		if (fd < 0)
			return fd;
		s->fd = fd;
	}
	return read_fd(m, &s->fd);
}

static ssize_t read_path(struct machine *m, const char *path)
{
	_cleanup_close_ int fd = open_below(m, path);

	return fd < 0 ? fd : read_whole(fd, m->text, sizeof(m->text));
}

/*
 * Free page reporting works when the balloon negotiated it. Whether the
 * hypervisor then takes the pages can be seen from outside only.
 */
static void balloon_features(struct machine *m)
{
	_cleanup_close_ int fd = open_below(m, BALLOON_DRIVER);
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;

	m->balloon_reports = m->balloon_at_oom = false;
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir)
		return;
	fd = -1;
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((e = readdir(dir))) {
		char path[PATH_MAX];
		ssize_t n;

		if (strncmp(e->d_name, "virtio", strlen("virtio")))
			continue;
		snprintf(path, sizeof(path), BALLOON_DRIVER "/%s/features", e->d_name);
		n = read_path(m, path);
		if (n <= 0)
			continue;
		m->balloon_reports |= machine_parse_feature(m->text, n, VIRTIO_BALLOON_F_REPORTING);
		m->balloon_at_oom |=
			machine_parse_feature(m->text, n, VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	}
}

static unsigned int default_order(const struct machine *m, uint64_t hugepage)
{
	unsigned int order = 0;

	if (!hugepage)
		return 9;
	while (order < 20 && (m->page_size << order) < hugepage)
		order++;
	return order;
}

/*
 * Until a device registers, the parameter holds what is no order: -1 since
 * 6.2, MAX_ORDER before; without an order from the driver,
 * page_reporting_register() then takes pageblock_order, which is that of a
 * huge page. 0 is an order like any other there.
 */
static unsigned int reporting_order(struct machine *m, uint64_t hugepage)
{
	ssize_t n = read_source(m, REPORTING_ORDER);
	unsigned int order = default_order(m, hugepage);
	char *end;
	long v;

	if (n <= 0 || (size_t)n >= sizeof(m->text))
		return order;
	m->text[n] = '\0';
	errno = 0;
	v = strtol(m->text, &end, 10);
	if (errno || end == m->text || v < 0 || v > order + 4)
		return order;
	return v;
}

static struct zram *zram_find(struct machine *m, int number)
{
	char path[64];
	int fd;

	for (size_t i = 0; i < m->nr_zrams; i++)
		if (m->zrams[i].number == number)
			return &m->zrams[i];
	if (m->nr_zrams == MAX_ZRAMS)
		return NULL;
	snprintf(path, sizeof(path), "/sys/block/zram%d/mm_stat", number);
	fd = open_below(m, path);
	if (fd < 0)
		return NULL;
	m->zrams[m->nr_zrams] = (struct zram){ .number = number, .fd = fd };
	return &m->zrams[m->nr_zrams++];
}

/* Devices that are no swap any more: their number may come back as another device. */
static void zram_close_unseen(struct machine *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nr_zrams; i++) {
		if (!m->zrams[i].seen) {
			if (m->zrams[i].fd >= 0)
				close(m->zrams[i].fd);
			continue;
		}
		m->zrams[n++] = m->zrams[i];
	}
	m->nr_zrams = n;
}

static void read_zram(struct machine *m, int number, struct ebb_snap_machine *ret)
{
	struct zram *z = zram_find(m, number);
	struct machine_zram stat;
	ssize_t n;

	if (!z)
		return;
	n = read_fd(m, &z->fd);
	if (n < 0)
		return; /* unseen, so it is closed, and opened again with the next read */
	z->seen = true;
	if (!machine_parse_mm_stat(m->text, n, &stat)) {
		ret->compressed += stat.used;
		ret->compressed_original += stat.original;
	}
}

/* Where does the next page go? To the area of the highest priority that has room. */
static bool next_is_zram(const struct machine_swap *swaps, size_t n)
{
	const struct machine_swap *next = NULL;

	for (size_t i = 0; i < n; i++)
		if (swaps[i].used < swaps[i].size && (!next || swaps[i].priority > next->priority))
			next = &swaps[i];
	return next && next->zram >= 0;
}

static void read_compressed(struct machine *m, const struct machine_meminfo *mem,
			    struct ebb_snap_machine *ret)
{
	struct machine_swap swaps[MACHINE_MAX_SWAPS];
	ssize_t n = read_source(m, SWAPS);
	size_t nr = n > 0 ? machine_parse_swaps(m->text, n, swaps, MACHINE_MAX_SWAPS) : 0;

	ret->compressed = mem->zswap;
	ret->compressed_original = mem->zswapped;
	for (size_t i = 0; i < m->nr_zrams; i++)
		m->zrams[i].seen = false;
	for (size_t i = 0; i < nr; i++)
		if (swaps[i].zram >= 0)
			read_zram(m, swaps[i].zram, ret);
	zram_close_unseen(m);
	ret->swap_is_compressed = next_is_zram(swaps, nr);
	if (nr && !ret->swap_is_compressed) {
		n = read_source(m, ZSWAP_ENABLED);
		ret->swap_is_compressed = n > 0 && m->text[0] == 'Y';
	}
}

static void read_reporting(struct machine *m, uint64_t hugepage, struct ebb_snap_machine *ret)
{
	unsigned int order;
	ssize_t n;

	if (m->reads++ % BALLOON_RESCAN == 0)
		balloon_features(m);
	ret->reporting = m->balloon_reports;
	order = reporting_order(m, hugepage);
	m->order = ret->reporting ? (int)order : -1;
	n = read_source(m, BUDDYINFO);
	ret->free_reportable = n > 0 ? machine_parse_buddyinfo(m->text, n, order, m->page_size) : 0;
}

int machine_read(struct machine *m, struct ebb_snap_machine *ret)
{
	struct machine_meminfo mem;
	struct machine_vmstat vm = {};
	ssize_t n = read_source(m, MEMINFO);
	int err;

	if (n < 0)
		return n;
	err = machine_parse_meminfo(m->text, n, &mem);
	if (err)
		return err;
	ret->mem_total = mem.total;
	ret->mem_free = mem.free;
	ret->mem_available = mem.available;
	ret->swap_total = mem.swap_total;
	ret->swap_free = mem.swap_free;

	n = read_source(m, VMSTAT);
	if (n > 0)
		machine_parse_vmstat(m->text, n, &vm);
	ret->alloc_stalls = vm.alloc_stalls;
	ret->compact_fails = vm.compact_fails;
	ret->ballooned = vm.ballooned * m->page_size;
	read_compressed(m, &mem, ret);
	read_reporting(m, mem.hugepage, ret);
	/* virtio_balloon takes its pages out of MemTotal, unless they come back at an OOM. */
	ret->ram = m->balloon_at_oom ? ret->mem_total : ret->mem_total + ret->ballooned;
	return 0;
}

int machine_reporting_order(const struct machine *m)
{
	return m->order;
}

int machine_open(struct machine **ret, const char *root)
{
	_cleanup_free_ struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	if (root && strlen(root) >= sizeof(m->root))
		return -ENAMETOOLONG;
	if (root)
		strcpy(m->root, root);
	m->page_size = sysconf(_SC_PAGESIZE);
	m->order = -1;
	for (int i = 0; i < NR_SOURCES; i++)
		m->sources[i] = (struct source){ .path = source_paths[i], .fd = -1 };
	*ret = TAKE_PTR(m);
	return 0;
}

void machine_close(struct machine *m)
{
	if (!m)
		return;
	for (int i = 0; i < NR_SOURCES; i++)
		if (m->sources[i].fd >= 0)
			close(m->sources[i].fd);
	for (size_t i = 0; i < m->nr_zrams; i++)
		if (m->zrams[i].fd >= 0)
			close(m->zrams[i].fd);
	free(m);
}
