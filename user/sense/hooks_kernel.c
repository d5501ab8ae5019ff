// SPDX-License-Identifier: GPL-2.0-only
#include "sense/hooks_impl.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/kernel.h"

static uint32_t btf_array_len(const struct btf *btf, const char *type, const char *field)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (int i = 0; t && i < btf_vlen(t); i++) {
		const struct btf_member *m = btf_members(t) + i;
		const struct btf_type *array;

		if (strcmp(btf__name_by_offset(btf, m->name_off), field))
			continue;
		array = btf__type_by_id(btf, m->type);
		return array && btf_is_array(array) ? btf_array(array)->nelems : 0;
	}
	return 0;
}

bool kernel_has_tp(const struct kernel_facts *k, const char *name)
{
	char type[96];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return k->btf && btf__find_by_name_kind(k->btf, type, BTF_KIND_TYPEDEF) > 0;
}

bool kernel_has_func(const struct kernel_facts *k, const char *name, int nargs)
{
	int id = k->btf ? btf__find_by_name_kind(k->btf, name, BTF_KIND_FUNC) : -1;
	const struct btf_type *proto;

	if (id <= 0)
		return false;
	proto = btf__type_by_id(k->btf, btf__type_by_id(k->btf, id)->type);
	return nargs < 0 || (proto && btf_vlen(proto) == nargs);
}

bool kernel_has_struct(const struct kernel_facts *k, const char *name)
{
	return k->btf && btf__find_by_name_kind(k->btf, name, BTF_KIND_STRUCT) > 0;
}

int kernel_enum(const struct kernel_facts *k, const char *type, const char *name)
{
	int id = k->btf ? btf__find_by_name_kind(k->btf, type, BTF_KIND_ENUM) : -1;
	const struct btf_type *t = id > 0 ? btf__type_by_id(k->btf, id) : NULL;

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(k->btf, btf_enum(t)[i].name_off), name))
			return btf_enum(t)[i].val;
	return -1;
}

/* The id of the hierarchy with the memory controller, from /proc/cgroups; -1: not there. */
static int memory_hierarchy_id(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/cgroups", "re");
	char line[128];
	int id;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memory %d", &id) == 1)
			return id;
	return -1;
}

static int find_hierarchy(struct kernel_facts *k)
{
	struct statfs fs;

	if (fstatfs(k->cgroup_fd, &fs))
		return -EINVAL;
	if (fs.f_type == CGROUP2_SUPER_MAGIC) {
		k->hierarchy = 0;
		return 0;
	}
	if (fs.f_type != CGROUP_SUPER_MAGIC ||
	    faccessat(k->cgroup_fd, "memory.usage_in_bytes", F_OK, 0))
		return -EINVAL;
	k->v1 = true;
	k->hierarchy = memory_hierarchy_id();
	return k->hierarchy > 0 ? 0 : -EINVAL;
}

/* "0", "0-3": the highest and one. Sparse node numbers just cost empty slots. */
static uint32_t possible_nodes(void)
{
	char text[128];
	unsigned int last = 0;
	const char *p;

	if (read_line_at(AT_FDCWD, "/sys/devices/system/node/possible", text, sizeof(text)) <= 0)
		return 1;
	p = strpbrk(text, "-,");
	while (p && strpbrk(p + 1, "-,"))
		p = strpbrk(p + 1, "-,");
	if (sscanf(p ? p + 1 : text, "%u", &last) != 1 || last > 63)
		return 1;
	return last + 1;
}

/* An administrator who left it unmounted keeps it so. */
static int open_debugfs(void)
{
	struct statfs st;
	int fd = open("/sys/kernel/debug", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && !fstatfs(fd, &st) && st.f_type == DEBUGFS_MAGIC)
		return fd;
	if (fd >= 0)
		close(fd);
	fd = kernel_mount_debugfs();
	return fd < 0 ? -1 : fd;
}

static int can_open(int dir, const char *name, int flags)
{
	_cleanup_close_ int fd = -1;

	if (dir < 0)
		return -ENOENT;
	fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 ? 0 : -errno;
}

static void find_ages(struct kernel_facts *k)
{
	unsigned int enabled;
	char text[64];

	k->lru_gen = -1;
	if (read_line_at(AT_FDCWD, "/sys/kernel/mm/lru_gen/enabled", text, sizeof(text)) > 0 &&
	    sscanf(text, "%x", &enabled) == 1)
		k->lru_gen = enabled;
	k->debugfs_fd = open_debugfs();
	/* lockdown answers at open(): debugfs_locked_down() */
	k->lru_gen_write = can_open(k->debugfs_fd, "lru_gen", O_RDWR);
	k->lru_gen_read = can_open(k->debugfs_fd, "lru_gen", O_RDONLY);
	k->lru_gen_full_read = can_open(k->debugfs_fd, "lru_gen_full", O_RDONLY);
}

static void find_lockdown(struct kernel_facts *k)
{
	char text[128], *from, *to;

	strcpy(k->lockdown, "none");
	if (read_line_at(AT_FDCWD, "/sys/kernel/security/lockdown", text, sizeof(text)) <= 0)
		return;
	from = strchr(text, '[');
	to = from ? strchr(from, ']') : NULL;
	if (!to || (size_t)(to - from) > sizeof(k->lockdown))
		return;
	*to = '\0';
	strcpy(k->lockdown, from + 1);
}

static void find_btf(struct kernel_facts *k, bool no_bpf)
{
	if (no_bpf) {
		strcpy(k->no_bpf, "BPF is switched off by configuration");
		return;
	}
	k->btf = btf__load_vmlinux_btf();
	if (!k->btf) {
		snprintf(k->no_bpf, sizeof(k->no_bpf), "no kernel BTF (%s)", strerror(errno));
		return;
	}
	k->nr_state = btf_array_len(k->btf, "memcg_vmstats", "state");
	k->nr_events = btf_array_len(k->btf, "memcg_vmstats", "events");
	k->nr_lruvec_state = btf_array_len(k->btf, "lruvec_stats", "state");
}

int kernel_facts_get(struct kernel_facts *k, int cgroup_fd, bool no_bpf)
{
	struct timespec tick;
	char text[256];
	int r;

	memset(k, 0, sizeof(*k));
	k->cgroup_fd = cgroup_fd;
	k->debugfs_fd = -1;
	r = find_hierarchy(k);
	if (r)
		return r;
	k->page_size = sysconf(_SC_PAGESIZE);
	k->nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	k->nr_nodes = possible_nodes();
	/* The coarse clocks tick with the kernel: their resolution is 1/HZ. */
	if (!clock_getres(CLOCK_MONOTONIC_COARSE, &tick) && tick.tv_nsec > 0)
		k->hz = (1000000000 + tick.tv_nsec / 2) / tick.tv_nsec;
	/* With psi=0 the files are there and reading answers EOPNOTSUPP. */
	k->psi = !k->v1 && read_file_at(AT_FDCWD, "/proc/pressure/memory", text, sizeof(text)) > 0;
	k->reclaim_file = !faccessat(cgroup_fd, "memory.reclaim", F_OK, 0);
	find_lockdown(k);
	find_ages(k);
	find_btf(k, no_bpf);
	return 0;
}

void kernel_facts_drop_btf(struct kernel_facts *k)
{
	btf__free(k->btf);
	k->btf = NULL;
}

void kernel_facts_put(struct kernel_facts *k)
{
	kernel_facts_drop_btf(k);
	if (k->debugfs_fd >= 0)
		close(k->debugfs_fd);
	k->debugfs_fd = -1;
}
