// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "one_hook.h"
#include "sense/hooks_impl.h"

#include "ebb.skel.h"

#define CPUS_MAX 256

/* Those that stand in the way of something frequent; the census is called for, and edges are rare.
 */
static const char *const names[] = {
	"page_fault_user",    "page_fault_kernel",
	"major_fault",        "fault_begin",
	"fault_done",         "refault",
	"cgroup_mkdir",       "cgroup_rmdir",
	"cgroup_attach_task", "cgroup_notify_populated",
	"memory_short",
};

struct one_hook {
	struct ebb_bpf *skel;
	struct bpf_program *program;
	struct bpf_link *links[CPUS_MAX];
	unsigned int nr_links;
};

const char *one_hook_name(unsigned int i)
{
	return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static bool is_latency(const char *name)
{
	return !strcmp(name, "major_fault") || !strcmp(name, "fault_begin") ||
	       !strcmp(name, "fault_done");
}

static int load(struct one_hook *o, const char *name, const struct groups *g, uint64_t group)
{
	struct ebb_container entry = { .name = "loop", .container = group };
	struct kernel_facts facts;
	struct bpf_program *p;
	int r = kernel_facts_get(&facts, g->root, false);

	if (r)
		return r;
	o->program = bpf_object__find_program_by_name(o->skel->obj, name);
	if (!o->program)
		r = -ENOENT;
	for (p = bpf_object__next_program(o->skel->obj, NULL); p;
	     p = bpf_object__next_program(o->skel->obj, p))
		bpf_program__set_autoload(p, p == o->program);
	bpf_map__set_autocreate(o->skel->maps.census_records, false);
	bpf_map__set_autocreate(o->skel->maps.census_raw, false);
	bpf_map__set_autocreate(o->skel->maps.fault_start, is_latency(name));
	o->skel->rodata->memory_hierarchy = facts.hierarchy;
	o->skel->rodata->edges_hierarchy = facts.hierarchy;
	o->skel->rodata->stamp_faults = false;
	o->skel->rodata->count_at_exit = false;
	kernel_facts_put(&facts);
	if (!r)
		r = ebb_bpf__load(o->skel);
	if (!r)
		r = bpf_map_update_elem(bpf_map__fd(o->skel->maps.containers), &group, &entry,
					BPF_ANY);
	return r;
}

struct one_hook *one_hook_open(const char *name, const struct groups *g, uint64_t group,
			       const char **ret_why)
{
	struct one_hook *o = calloc(1, sizeof(*o));
	int r = -ENOMEM;

	libbpf_set_print(quiet);
	if (o)
		o->skel = ebb_bpf__open();
	if (o && o->skel)
		r = load(o, name, g, group);
	if (!r) {
		r = one_hook_attach(o);
		one_hook_detach(o);
	}
	if (!r)
		return o;
	*ret_why = strerror(-r);
	one_hook_close(o);
	return NULL;
}

/* A software event a CPU, as ebbd has them. */
static int attach_perf(struct one_hook *o)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS_MAJ,
		.sample_period = 1,
	};
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	for (int cpu = 0; cpu < cpus && cpu < CPUS_MAX; cpu++) {
		int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (fd < 0)
			return -errno;
		o->links[o->nr_links] = bpf_program__attach_perf_event(o->program, fd);
		if (!o->links[o->nr_links]) {
			close(fd);
			return -errno;
		}
		o->nr_links++;
	}
	return 0;
}

int one_hook_attach(struct one_hook *o)
{
	if (bpf_program__type(o->program) == BPF_PROG_TYPE_PERF_EVENT)
		return attach_perf(o);
	o->links[0] = bpf_program__attach(o->program);
	if (!o->links[0])
		return -errno;
	o->nr_links = 1;
	return 0;
}

void one_hook_detach(struct one_hook *o)
{
	while (o->nr_links)
		bpf_link__destroy(o->links[--o->nr_links]);
}

void one_hook_close(struct one_hook *o)
{
	if (!o)
		return;
	one_hook_detach(o);
	ebb_bpf__destroy(o->skel);
	free(o);
}
