// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads the programs of the chosen rungs. What the verifier refuses nonetheless (lockdown, a kernel
 * built without trampolines) is marked as failed, the ladder chooses anew around it, and so on.
 */
#include "sense/hooks_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ebb.skel.h"
#include "lib/cleanup.h"

/* libbpf has one print function for the process, without an argument. */
static __thread struct load_log *current_log;

/* The verifier says why in its last line but for the count of instructions. */
static void remember_reason(struct load_log *log, const char *line)
{
	if (strstr(line, "-- BEGIN PROG LOAD LOG"))
		log->in_verifier = true;
	else if (strstr(line, "-- END PROG LOAD LOG"))
		log->in_verifier = false;
	else if (log->in_verifier && strncmp(line, "processed ", 10))
		snprintf(log->last, sizeof(log->last), "%s", line);
}

static void on_line(struct load_log *log, const char *line)
{
	const char *from = strstr(line, "prog '");
	const char *to = from ? strchr(from + 6, '\'') : NULL;
	const char *failed = strstr(line, "load failed: ");

	if (!strncmp(line, "libbpf: ", 8))
		line += 8;
	if (to)
		snprintf(log->prog, sizeof(log->prog), "%.*s", (int)(to - from - 6), from + 6);
	/* All that there is when it is not the verifier who refuses. */
	if (to && failed)
		snprintf(log->last, sizeof(log->last), "%s", failed + 13);
	remember_reason(log, line);
	if (log->fn)
		log->fn(log->arg, line);
}

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	_cleanup_free_ char *text = NULL;
	char *line, *save = NULL;

	if (!current_log || level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		on_line(current_log, line);
	return 0;
}

void load_log_begin(struct load_log *log)
{
	log->prog[0] = '\0';
	log->last[0] = '\0';
	log->in_verifier = false;
	current_log = log;
	libbpf_set_print(print);
}

void load_log_end(void)
{
	current_log = NULL;
}

static int perf_open(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS_MAJ,
		.sample_period = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd >= 0 ? fd : -errno;
}

/* Before the choice: the verifier does not know whether perf events may be opened. */
static void try_perf(struct hooks *h)
{
	int fd = perf_open(0);

	if (fd >= 0)
		close(fd);
	else
		snprintf(h->ladder.failed[PROG_MAJOR_PERF], HOOKS_TEXT, "perf_event_open: %s",
			 strerror(-fd));
}

static struct bpf_program *find_program(struct ebb_bpf *skel, int prog)
{
	return bpf_object__find_program_by_name(skel->obj, prog_names[prog]);
}

/* What of the chosen programs is loaded here; the census has an object of its own. */
static uint32_t our_programs(const struct ladder *l)
{
	uint32_t progs = l->progs & ~PROG(CENSUS);

	/* With the tracepoint at the entry, fentry has nothing to add. */
	if (progs & PROG(FAULT_USER))
		progs &= ~PROG(FAULT_BEGIN);
	return progs;
}

static int configure(struct hooks *h, struct ebb_bpf *skel, uint32_t progs)
{
	uint32_t latency = PROG(MAJOR_PERF) | PROG(FAULT_DONE);
	int r = 0;

	for (int i = 0; i < NR_PROGS; i++)
		r |= bpf_program__set_autoload(find_program(skel, i), progs & (1u << i));
	r |= bpf_map__set_autocreate(skel->maps.census_records, false);
	r |= bpf_map__set_autocreate(skel->maps.census_raw, false);
	r |= bpf_map__set_autocreate(skel->maps.fault_start, progs & latency);
	r |= bpf_map__set_max_entries(skel->maps.containers, h->opts.max_tracked);
	skel->rodata->memory_hierarchy = h->kernel.hierarchy;
	skel->rodata->edges_hierarchy = h->kernel.hierarchy;
	skel->rodata->stamp_faults = progs & latency;
	skel->rodata->count_at_exit = !(progs & PROG(FAULT_USER));
	return r ? -EINVAL : 0;
}

static int load_once(struct hooks *h, uint32_t progs)
{
	struct ebb_bpf *skel;
	int r;

	load_log_begin(&h->log);
	skel = ebb_bpf__open();
	r = skel ? configure(h, skel, progs) : -errno;
	if (!r)
		r = ebb_bpf__load(skel);
	load_log_end();
	if (r) {
		ebb_bpf__destroy(skel);
		return r;
	}
	h->skel = skel;
	return 0;
}

/* Notes which program it was; 0 if that leaves another choice. */
static int blame(struct hooks *h, uint32_t progs, int error)
{
	for (int i = 0; i < NR_PROGS; i++) {
		if (!(progs & (1u << i)) || strcmp(prog_names[i], h->log.prog))
			continue;
		snprintf(h->ladder.failed[i], HOOKS_TEXT, "%s",
			 h->log.last[0] ? h->log.last : strerror(-error));
		return 0;
	}
	return error;
}

static void give_up(struct hooks *h, int error)
{
	if (error == -EPERM)
		snprintf(h->kernel.no_bpf, HOOKS_TEXT, "BPF may not be loaded (%s)",
			 geteuid() ? "not root" : "EPERM; lockdown=confidentiality or seccomp");
	else
		snprintf(h->kernel.no_bpf, HOOKS_TEXT, "BPF does not load: %s%s%.300s",
			 strerror(-error), h->log.last[0] ? ", " : "", h->log.last);
	kernel_facts_drop_btf(&h->kernel);
}

/* 0 too when it went without BPF; the ladder says so then. */
int hooks_load(struct hooks *h)
{
	uint32_t progs;
	int r;

	try_perf(h);
	for (;;) {
		ladder_choose(&h->ladder, &h->kernel);
		progs = our_programs(&h->ladder);
		if (!progs)
			return 0;
		r = load_once(h, progs);
		if (!r || r == -ENOMEM)
			return r;
		r = blame(h, progs, r);
		if (r)
			break;
	}
	give_up(h, r);
	ladder_choose(&h->ladder, &h->kernel);
	return 0;
}

/* A software event a CPU, open all the time: it costs nothing but at a major fault. */
static int attach_perf(struct hooks *h)
{
	h->perf_links = calloc(h->kernel.nr_cpus, sizeof(*h->perf_links));
	if (!h->perf_links)
		return -ENOMEM;
	for (uint32_t cpu = 0; cpu < h->kernel.nr_cpus; cpu++) {
		int fd = perf_open(cpu);

		if (fd == -ENODEV || fd == -ENXIO) /* a CPU that is offline */
			continue;
		if (fd < 0)
			return fd;
		h->perf_links[cpu] =
			bpf_program__attach_perf_event(find_program(h->skel, PROG_MAJOR_PERF), fd);
		if (!h->perf_links[cpu]) {
			close(fd);
			return -errno;
		}
	}
	return 0;
}

static int attach_one(struct hooks *h, int prog)
{
	h->links[prog] = bpf_program__attach(find_program(h->skel, prog));
	return h->links[prog] ? 0 : -errno;
}

/* What stays attached. A hook that does not attach is as good as one that does not load. */
int hooks_attach_stable(struct hooks *h)
{
	uint32_t progs = h->skel ? our_programs(&h->ladder) & ~PROGS_WINDOWED : 0;
	int r = 0;

	load_log_begin(&h->log);
	for (int i = 0; i < NR_PROGS && !r; i++) {
		if (!(progs & (1u << i)))
			continue;
		r = i == PROG_MAJOR_PERF ? attach_perf(h) : attach_one(h, i);
		if (r && r != -ENOMEM)
			snprintf(h->ladder.failed[i], HOOKS_TEXT, "does not attach: %s",
				 strerror(-r));
	}
	load_log_end();
	return r;
}

/* For a window; -errno if one does not attach, with none left attached. */
int hooks_attach_windowed(struct hooks *h)
{
	uint32_t progs = our_programs(&h->ladder) & PROGS_WINDOWED;
	int r = 0;

	load_log_begin(&h->log);
	/* The end first: a start without an end would be lost, the reverse is ignored. */
	for (int i = NR_PROGS - 1; i >= 0 && !r; i--)
		if (progs & (1u << i))
			r = attach_one(h, i);
	load_log_end();
	if (r)
		hooks_detach_windowed(h);
	return r;
}

void hooks_detach_windowed(struct hooks *h)
{
	for (int i = 0; i < NR_PROGS; i++) {
		if (!(PROGS_WINDOWED & (1u << i)))
			continue;
		bpf_link__destroy(h->links[i]);
		h->links[i] = NULL;
	}
}

void hooks_unload(struct hooks *h)
{
	for (int i = 0; i < NR_PROGS; i++) {
		bpf_link__destroy(h->links[i]);
		h->links[i] = NULL;
	}
	for (uint32_t i = 0; h->perf_links && i < h->kernel.nr_cpus; i++)
		bpf_link__destroy(h->perf_links[i]);
	free(h->perf_links);
	h->perf_links = NULL;
	ebb_bpf__destroy(h->skel);
	h->skel = NULL;
}
