/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ebb-broker: many VMs on one loop. Modules return errors; what a person
 * should know of the running broker is logged here and in vm.c.
 */
#ifndef EBB_BROKER_BROKER_H
#define EBB_BROKER_BROKER_H

#include <jansson.h>
#include <uv.h>

#include "broker/config.h"
#include "broker/host.h"
#include "broker/vm.h"

#define BROKER_TICK_MS 1000
#define BROKER_SLICES 20 /* of a tick, with more VMs than */
#define BROKER_SLICE_VMS 16
#define BROKER_STOP_MS 4000 /* what VMMs have for taking the full size when the broker stops */

struct metrics;
struct server;

struct broker {
	uv_loop_t *loop;
	struct broker_config config;
	const char *config_path; /* NULL: none */
	struct broker_config given; /* what the command line said, for reloads */
	const char *proc; /* "/proc" */

	struct vm *vms;
	size_t nr_vms;
	struct arbitrate_vm *table; /* room for nr_vms */
	struct vm **table_vms;
	size_t table_size;

	struct host_sample sample;
	struct host_state host;
	bool host_known;
	uint64_t started_ms;
	unsigned int slice, slices;
	uint64_t files; /* that may be open at once */
	bool files_told; /* that these are too few */
	uint64_t floor_short; /* bytes that the floors need beyond what there is */

	uv_timer_t tick;
	uv_timer_t stop_timer;
	uv_timer_t rescan;
	uv_fs_event_t folder;
	bool open, folder_open, stopping;
	struct server *server;
	struct metrics *metrics;
	void (*stopped)(struct broker *b);
};

/*
 * b is zeroed but for config (taken over), given, config_path and proc. Opens
 * the VMs, the folder, the socket, the metrics. Returns 0, or a negative errno
 * after saying why in the log; broker_stop() is to be called either way.
 */
int broker_open(struct broker *b, uv_loop_t *loop);

/* All VMs get their full size; stopped(b) when that is done or BROKER_STOP_MS are over. */
void broker_stop(struct broker *b, void (*stopped)(struct broker *b));

/* Reads the file and the folder again; a wrong file changes nothing. */
void broker_reload(struct broker *b);

/* Who may have how much, by the last look at the host. */
void broker_arbitrate(struct broker *b);

/* Looks at the host and moves everything on by one step. */
void broker_tick(struct broker *b);

void broker_vm_gone(struct broker *b, struct vm *vm);
struct vm *broker_find(const struct broker *b, const char *name);

/* folder.c */
int folder_open(struct broker *b);
void folder_scan(struct broker *b);
/* The folder's VMs beside those that are there, for whoever only looks. Every file that is wrong is
 * said in the log, and the rest taken: 0, -EINVAL, or why the folder cannot be read. */
int folder_load(struct broker_config *c);

/* report.c: what `ebb-broker status` prints */
json_t *report_json(const struct broker *b);

/* metrics.c; listen is ADDRESS:PORT */
int metrics_open(struct metrics **ret, struct broker *b, const char *listen);
/* Every second too, for the time limits of connections. NULL is fine. */
void metrics_turn(struct metrics *m);
void metrics_close(struct metrics *m);
char *metrics_text(const struct broker *b, size_t *ret_len); /* from malloc() */

#endif /* EBB_BROKER_BROKER_H */
