/* SPDX-License-Identifier: GPL-2.0-only */
/* A host for tests: the broker itself on a loop, with VMMs and guests that are none around it. */
#ifndef TESTS_BROKER_FAKE_HOST_H
#define TESTS_BROKER_FAKE_HOST_H

#include "broker/broker.h"
#include "fake_guest.h"
#include "fake_vmm.h"

#define FAKE_VMS 4
#define MiB (1ull << 20)
#define GiB (1ull << 30)

struct fake_host {
	char dir[64];
	uv_loop_t loop;
	uv_timer_t wake; /* so that waiting ends */
	struct broker broker;
	bool running, stopped;
	uint64_t shrink; /* of the VMs that are added; 4G a second, so that tests need not wait */
	struct fake_vmm vmm[FAKE_VMS];
	struct fake_guest guest[FAKE_VMS];
};

/* A folder for sockets, a loop, a proc with meminfo: 64G, half of it available. */
int fake_host_setup(struct fake_host *h);
void fake_host_teardown(struct fake_host *h);

/* What the host's /proc says from now on. */
void fake_host_memory(struct fake_host *h, uint64_t total, uint64_t available, const char *some);

/* A process in that /proc, with sizes in bytes. */
void fake_host_process(struct fake_host *h, int pid, uint64_t size, uint64_t resident,
		       uint64_t huge);

/* Adds VM i: a VMM of that kind and a guest, called vm<i>, with these limits. */
void fake_host_vm(struct fake_host *h, int i, enum vmm_kind kind, uint64_t ram, uint64_t min,
		  uint64_t max);

void fake_host_run(struct fake_host *h); /* starts the broker */
void fake_host_stop(struct fake_host *h); /* as SIGTERM does; returns when it is over */
void fake_host_kill(struct fake_host *h); /* the broker is gone, and did nothing */

/* Runs the loop until the condition holds; false after ms. */
#define until(h, ms, condition)                                                                    \
	({                                                                                         \
		uint64_t end_ = uv_hrtime() + (ms)*1000000ull;                                     \
		while (!(condition) && uv_hrtime() < end_)                                         \
			uv_run(&(h)->loop, UV_RUN_ONCE);                                           \
		(condition);                                                                       \
	})
/* Lets ms go by. */
#define pass(h, ms) ((void)until(h, ms, false))

/* Says hello and waits for the welcome; then a lease for want and its ack. */
bool fake_host_lease(struct fake_host *h, int i, uint64_t want, uint64_t ttl_ms);

const char *fake_host_path(struct fake_host *h, const char *name, int i); /* static storage */

#endif /* TESTS_BROKER_FAKE_HOST_H */
