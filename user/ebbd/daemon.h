/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ebbd: the loop around sense → snapshot → policy → plan → act. One thread;
 * what blocks is act's.
 */
#ifndef EBB_EBBD_DAEMON_H
#define EBB_EBBD_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "act/act.h"
#include "act/balloon.h"
#include "ebb/config.h"
#include "ebbd/account.h"
#include "ebb/plan.h"
#include "ebb/snapshot.h"
#include "lib/conf.h"
#include "policy/policy.h"
#include "report/decisions.h"
#include "report/model.h"
#include "report/server.h"
#include "sense/edges_inotify.h"
#include "sense/hooks.h"
#include "sense/machine.h"
#include "sense/peaks.h"
#include "sense/pressure.h"
#include "sense/tree.h"

struct options {
	const char *config_path; /* NULL: the default */
	const char *state_dir;
	const char *runtime_dir;
	bool dry_run;
	bool check_config;
	bool verbose;
	bool no_bpf; /* environment EBB_NO_BPF: files only */
};

/* What the daemon itself remembers of a container, sorted by id. */
struct track {
	uint64_t id;
	bool paused;
	enum ebb_action last_action;
	struct ebb_outcome last;
	uint64_t peak; /* bytes, of this life */
	uint64_t expected; /* what ones like it became; 0: not known */
	struct decision_log *log; /* what was decided on it of late */
};

struct recorder;

struct totals {
	uint64_t reclaimed; /* bytes */
	uint64_t exit_reclaimed;
	uint64_t orphans;
	uint64_t compactions;
	uint64_t failed;
	char last_error[128];
};

struct daemon {
	struct options opts;
	struct ebb_config config;
	uv_loop_t loop;
	uv_timer_t tick_timer;
	uv_timer_t sample_timer;
	uv_timer_t watchdog_timer;
	uv_poll_t edges;
	bool edges_open;
	struct edges_inotify *inotify; /* that edges polls; NULL: it is the ring of BPF */
	uv_signal_t sig_term, sig_int, sig_hup;
	bool stopping;
	int cgroup_fd;
	char cgroup_root[256];
	uint64_t started_ms;
	uint64_t ram; /* bytes: the most that MemTotal has been */

	struct balloon *balloon; /* NULL in a dry run */
	struct act *act;
	struct hooks *hooks;
	struct tree *tree;
	struct machine *machine;
	struct pressure *pressure;
	struct server *server;
	struct recorder *recorders; /* under way */

	struct peaks peaks;
	uint64_t peaks_saved_ms;
	bool peaks_saving; /* on a thread */
	struct track *tracks;
	size_t nr_tracks, max_tracks;
	bool paused;

	struct ebb_snapshot snap;
	/* Whoever changes it, other than policy_step(), calls recorders_state(). */
	struct policy_state policy;
	struct ebb_plan plan;
	bool have_plan;
	uint64_t last_tick_ms;
	uint64_t edges_lost;
	uint64_t untracked; /* groups, see hooks_track() */
	uint64_t again_ms; /* one more turn is due then; 0: none */
	bool growing;
	bool reporting; /* at the last tick */
	struct totals totals;
	struct account account;
	char kernel[64];
};

/* All return 0 or a negative errno; errors are logged where they happen. */
int daemon_open(struct daemon *d);
void daemon_run(struct daemon *d);
void daemon_close(struct daemon *d);

/* privileges.c: as many open files as there may be, and no more rights than the work needs */
void privileges_raise_files(void);
void privileges_drop(void);

/*
 * reload.c. The file at path, looked at with what the machine (NULL: not known)
 * has in use now; ram as in struct daemon. 0, or a negative errno with err
 * filled; *ret is not to be used then.
 */
int config_read(const char *path, struct machine *machine, uint64_t *ram, struct ebb_config *ret,
		struct conf_error *err);
void config_reload(struct daemon *d);

/* tick.c: one turn of the line */
void tick_run(struct daemon *d);
void tick_fresh(struct daemon *d);
void tick_soon(struct daemon *d, uint64_t delay_ms);

/* dispatch.c: the plan to act, and what came of it back */
void dispatch_plan(struct daemon *d);
void dispatch_done(void *arg, const struct act_result *r);

/* host.c: what ebb-broker says, and what is asked of it */
int host_open(struct daemon *d);
void host_snapshot(struct daemon *d);
void host_ask(struct daemon *d);
bool host_may_open(const struct daemon *d);
void host_let_go(struct daemon *d); /* nothing is known of the machine now: the full size */
void host_close(struct daemon *d);

/* tracks.c */
struct track *track_find(struct daemon *d, uint64_t id);
int track_add(struct daemon *d, uint64_t id);
void track_drop(struct daemon *d, uint64_t id);
void tracks_free(struct daemon *d);

/* learned.c: what containers became, kept on disk */
void learned_open(struct daemon *d);
void learned_expect(struct daemon *d, const struct tree_container *c);
void learned_end(struct daemon *d, const struct tree_container *c);
void learned_tick(struct daemon *d);
void learned_close(struct daemon *d);

/* watch.c: what the tree and the kernel tell between two ticks */
void watch_tree(void *arg, enum tree_event event, const struct tree_container *c, uint64_t group);
int watch_open(struct daemon *d);
/* After each census, for edges without BPF. */
void watch_follow(struct daemon *d, const struct ebb_census *recs, size_t n, uint64_t now);
void watch_close(struct daemon *d);

/* answer.c: the commands of the socket */
extern const struct server_ops answer_ops;

/*
 * recorder.c: the command `record`; after each policy_step(); after the policy's state was changed
 * by somebody else; at the end, before the server closes.
 */
int recorder_answer(void *arg, const struct server_peer *peer, const json_t *request,
		    json_t **ret_data, char *errbuf);
void recorders_turn(struct daemon *d);
void recorders_state(struct daemon *d);
void recorders_close(struct daemon *d);

/* publish.c: what is known, as the report's model */
json_t *publish_list(struct daemon *d);
json_t *publish_status(struct daemon *d);
json_t *publish_container(struct daemon *d,
			  size_t i); /* place in the plan; NULL also: it is gone */
#define PUBLISH_RUNGS 16
size_t publish_rungs(struct daemon *d, struct hook_rung rungs[PUBLISH_RUNGS]);

/*
 * explain.c: after each plan, what was decided; the place in the plan of the one container that a
 * person means by a name, an id or a glob (or an exit code, and errbuf says whom it might mean);
 * what is known of it.
 */
void explain_note(struct daemon *d);
int explain_find(struct daemon *d, const char *name, size_t *ret, char *errbuf);
json_t *publish_explain(struct daemon *d, size_t i);

uint64_t now_ms(void); /* CLOCK_MONOTONIC */

#endif /* EBB_EBBD_DAEMON_H */
