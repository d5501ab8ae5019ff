/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the hook ladder alone; the interface is hooks.h. */
#ifndef EBB_SENSE_HOOKS_IMPL_H
#define EBB_SENSE_HOOKS_IMPL_H

#include "sense/hooks.h" /* ebb.skel.h needs the types of ebb/abi.h before it */

struct btf;
struct bpf_link;
struct ebb_bpf;
struct ring_buffer;
struct census;
struct census_files;

#define HOOKS_TEXT 384

/* --- what this kernel is (hooks_kernel.c) --- */

struct kernel_facts {
	int cgroup_fd; /* the caller's */
	bool v1; /* memory is on a v1 hierarchy */
	int hierarchy; /* its id; 0: v2 */
	struct btf *btf; /* NULL: no BPF; why is in no_bpf */
	char no_bpf[HOOKS_TEXT];
	uint32_t page_size;
	uint32_t hz;
	uint32_t nr_nodes;
	uint32_t nr_cpus;
	uint32_t nr_state; /* vmstats->state[] in BTF, 0: not there */
	uint32_t nr_events;
	uint32_t nr_lruvec_state;
	bool psi;
	bool reclaim_file; /* memory.reclaim */
	char lockdown[24]; /* "none", "integrity", "confidentiality" */
	int lru_gen; /* /sys/kernel/mm/lru_gen/enabled; -1: not built in */
	int debugfs_fd; /* -1: none */
	int lru_gen_write; /* 0: debugfs lru_gen can be written, else a negative errno */
	int lru_gen_read; /* the same for reading it */
	int lru_gen_full_read;
};

/* -EINVAL: cgroup_fd is no cgroup directory with a memory controller. */
int kernel_facts_get(struct kernel_facts *k, int cgroup_fd, bool no_bpf);
void kernel_facts_put(struct kernel_facts *k);
/* The BTF is 10 MB; who has chosen and loaded gives it back. */
void kernel_facts_drop_btf(struct kernel_facts *k);

bool kernel_has_tp(const struct kernel_facts *k, const char *name);
/* nargs < 0: any number */
bool kernel_has_func(const struct kernel_facts *k, const char *name, int nargs);
bool kernel_has_struct(const struct kernel_facts *k, const char *name);
/* The value of an enumerator, -1 if there is none. */
int kernel_enum(const struct kernel_facts *k, const char *type, const char *name);

/* --- libbpf's log, and which program it was that did not load (hooks_load.c) --- */

struct load_log {
	void (*fn)(void *arg, const char *line);
	void *arg;
	bool in_verifier; /* between its first line and its last */
	char prog[64]; /* the last one that a warning named */
	char last[HOOKS_TEXT]; /* the last line of what the verifier said about it */
};

void load_log_begin(struct load_log *log);
void load_log_end(void);

/* --- the ladder (hooks_ladder.c) --- */

enum {
	PROG_EDGE_BORN,
	PROG_EDGE_GONE,
	PROG_EDGE_ATTACHED,
	PROG_EDGE_POPULATED,
	PROG_SHORT,
	PROG_FAULT_USER,
	PROG_FAULT_KERNEL,
	PROG_MAJOR_PERF,
	PROG_FAULT_BEGIN,
	PROG_FAULT_DONE,
	PROG_REFAULT,
	PROG_CENSUS,
	PROG_CENSUS_TEXT,
	NR_PROGS,
};

#define PROG(x) (1u << PROG_##x)
#define PROGS_EDGES (PROG(EDGE_BORN) | PROG(EDGE_GONE) | PROG(EDGE_ATTACHED) | PROG(EDGE_POPULATED))
/* Attached in windows; the others all the time. */
#define PROGS_WINDOWED                                                                             \
	(PROG(FAULT_USER) | PROG(FAULT_KERNEL) | PROG(FAULT_BEGIN) | PROG(FAULT_DONE))

extern const char *const prog_names[NR_PROGS];

enum {
	DATA_SIZES,
	DATA_AGES,
	DATA_AGEING,
	DATA_EVICTION,
	DATA_REFAULTS,
	DATA_LATENCY,
	DATA_LIFECYCLE,
	DATA_SHORTAGE,
	DATA_FAULTS,
	NR_DATA,
};

struct ladder {
	uint32_t progs; /* that the chosen rungs need */
	char failed[NR_PROGS][HOOKS_TEXT]; /* why it cannot be used; "" : it can */
	struct hook_rung rungs[NR_DATA + 1]; /* the last: pins, only if there are none */
	size_t nr_rungs;
	char text[NR_DATA + 1][HOOKS_TEXT]; /* reasons that had to be composed */
};

/* Chooses anew, around what has failed. */
void ladder_choose(struct ladder *l, const struct kernel_facts *k);

/* --- what the fault hooks may cost (hooks_account.c); times are CLOCK_MONOTONIC, ns --- */

#define ACCOUNT_SECONDS 61 /* a minute touches so many seconds */

struct fault_account {
	uint32_t budget_ppm; /* of one CPU, in any minute */
	uint64_t toggle_ns; /* what attaching and detaching cost, of late; 0: not known */
	uint64_t spent[ACCOUNT_SECONDS]; /* by second, a ring */
	uint64_t second; /* that was last written */
	uint64_t total_ns;
};

void account_init(struct fault_account *a, uint32_t budget_ppm, uint64_t now);
void account_spend(struct fault_account *a, uint64_t ns, uint64_t now);
/* What was spent in the last minute, and what may still be. */
uint64_t account_minute(const struct fault_account *a, uint64_t now);
uint64_t account_left(const struct fault_account *a, uint64_t now);
/* A window was opened and closed again, for so much. */
void account_toggled(struct fault_account *a, uint64_t ns);
/* What a window opened now may cost, attaching and detaching included; 0: none may be opened. */
uint64_t account_allows(struct fault_account *a, uint64_t now, bool growing);
/* When a window of a quiet machine cost so much, how long until it is paid for. */
uint64_t account_pay_ms(const struct fault_account *a, uint64_t ns);
/* How long the rest lasts when so much was spent in that time. */
uint64_t account_lasts_ms(uint64_t left, uint64_t spent, uint64_t passed_ms);

/* --- the object --- */

struct sampling {
	bool usable; /* there are programs to attach */
	bool attached;
	bool timing; /* BPF statistics are on */
	int stats_fd;
	int nr_cpus;
	uint64_t *percpu; /* room for a look-up in a per-CPU map */
	struct fault_account account;
	uint64_t opened_ns; /* CLOCK_MONOTONIC of hooks_open() */
	uint64_t last_ns; /* when the account was last brought up to date */
	uint64_t next_ms; /* the next window of a quiet machine, not before */
	uint64_t windows;
	uint64_t events;
	uint64_t event_ns; /* measured, entry included */
	uint64_t attached_ns;
	/* of the window that is open */
	uint64_t window_start_ns;
	uint64_t window_events; /* counter when it opened */
	uint64_t window_seen; /* events in it so far */
	uint64_t window_toggle; /* ns that attaching took, and turning timing on and off */
	uint64_t window_cost; /* ns, all of it */
	uint64_t window_allowance; /* ns that it may cost */
	uint64_t timed_ns, timed_runs; /* when the timing began */
	uint64_t timed_events; /* seen while timed, in this window */
};

struct hooks {
	struct hooks_opts opts;
	char *pin_dir; /* NULL: nothing pinned */
	struct kernel_facts kernel;
	struct ladder ladder;
	struct load_log log;

	struct ebb_bpf *skel; /* edges, faults, refaults; NULL without BPF */
	struct bpf_link *links[NR_PROGS];
	struct bpf_link **perf_links; /* one a CPU */
	struct ring_buffer *ring;
	void (*edge_fn)(void *arg, const struct ebb_edge *e);
	void *edge_arg;
	unsigned int edges_read; /* in this call */

	char full_text[128]; /* what is lost since the map of containers had no room */

	struct census *census; /* one of the two */
	struct census_files *files;
	struct sampling sampling;
	uint64_t census_passes;
	uint64_t census_ns;
};

/* hooks_load.c */
int hooks_load(struct hooks *h);
/* On failure the ladder knows which program it was: unload, load, attach again. */
int hooks_attach_stable(struct hooks *h);
int hooks_attach_windowed(struct hooks *h);
void hooks_detach_windowed(struct hooks *h);
void hooks_unload(struct hooks *h);

/* hooks_edges.c */
int hooks_open_ring(struct hooks *h);

/* hooks_pins.c */
int hooks_pin(struct hooks *h);
int hooks_pin_census(struct hooks *h);
void hooks_unpin(struct hooks *h);

/* hooks_sampling.c */
int sampling_init(struct hooks *h);
void sampling_stop(struct hooks *h);

#endif /* EBB_SENSE_HOOKS_IMPL_H */
