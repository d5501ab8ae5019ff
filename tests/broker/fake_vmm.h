/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMMs that are none, on the caller's loop: enough of QMP for the balloon, and the balloon's part
 * of Firecracker's and Cloud Hypervisor's HTTP, built from their published OpenAPI documents
 * (fake_rest.c, vmm_api.def). They show that our requests are what those documents say; what a real
 * VMM does with them, only a real one shows (tests/broker/qemu).
 */
#ifndef TESTS_BROKER_FAKE_VMM_H
#define TESTS_BROKER_FAKE_VMM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "broker/config.h"
#include "broker/stream.h"

#define FAKE_CLIENTS 4

struct fake_vmm;

struct fake_client {
	struct fake_vmm *vmm;
	struct stream stream;
	size_t len;
	char in[4096];
};

struct fake_vmm {
	enum vmm_kind kind;
	uv_loop_t *loop;
	uv_pipe_t listener;
	struct fake_client clients[FAKE_CLIENTS];

	uint64_t ram; /* bytes */
	uint64_t size; /* of the VM, as asked */
	uint64_t actual; /* of the VM; follows size unless lazy */
	bool lazy; /* actual stays */
	uint64_t claim; /* pages of balloon that the guest claims to have given; 0: what it has */
	bool hang; /* takes requests, answers none */
	bool no_balloon;
	bool no_reporting;
	bool not_booted; /* Firecracker: not started yet; Cloud Hypervisor: no VM created yet */
	bool no_stats; /* Firecracker: stats_polling_interval_s is 0 */
	bool zones; /* Cloud Hypervisor: the RAM comes in two of them */
	uint64_t plugged; /* Cloud Hypervisor: bytes of virtio-mem beside the RAM */
	bool refuse; /* any size */
	bool chunked; /* Cloud Hypervisor: an answer that nobody can read */
	const char *port_id; /* QMP: the device whose name is ebb.channel */

	unsigned int sets; /* sizes taken */
	unsigned int bad; /* requests, or answers of ours, that the documents do not have */
	unsigned int connects;
	char bad_text[512]; /* the last of those */
	void (*on_set)(struct fake_vmm *vmm);
	void *arg;
};

/* v is zeroed but for kind and what is to differ; ram as size and actual. */
int fake_vmm_open(struct fake_vmm *v, uv_loop_t *loop, const char *path, uint64_t ram);
void fake_vmm_close(struct fake_vmm *v);

/* QMP: an event to all clients, {"event":NAME,"data":DATA}. */
void fake_vmm_event(struct fake_vmm *v, const char *name, const char *data);

/* All connections end, as when something between cuts them; it goes on listening. */
void fake_vmm_hang_up(struct fake_vmm *v);

/* As if the VMM died: all connections end; nobody listens. */
void fake_vmm_die(struct fake_vmm *v);

/* fake_rest.c: the answer to one request, written to client. */
void fake_rest_answer(struct fake_vmm *v, struct fake_client *c, const char *method,
		      const char *target, const char *body, size_t len);

#endif /* TESTS_BROKER_FAKE_VMM_H */
