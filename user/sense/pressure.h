/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PSI triggers: the kernel says when a container has waited for memory too
 * long, well before the next census would show it.
 */
#ifndef EBB_SENSE_PRESSURE_H
#define EBB_SENSE_PRESSURE_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct pressure;

/*
 * In the loop; at most once a window for each container. The kernel's totals of this container have
 * the stall by then. May call pressure_forget().
 */
typedef void (*pressure_cb)(void *arg, uint64_t id);

struct pressure_options {
	uv_loop_t *loop;
	size_t max; /* containers watched at a time; 0: 1024 */
	uint32_t stall_us; /* of `some` in memory.pressure; 0: 50000 */
	uint32_t window_us; /* 500000 to 10000000; 0: 1000000 */
	pressure_cb cb;
	void *arg;
};

int pressure_open(struct pressure **ret, const struct pressure_options *options);

/* Nothing is called back any more; memory is freed as the loop closes the handles. */
void pressure_close(struct pressure *p);

/*
 * dir_fd: the container's directory, borrowed for the call. 0, also where it
 * is watched already; -ENOSPC: max are; -EOPNOTSUPP or -ENOENT: no PSI here
 * (CONFIG_PSI, psi=0, cgroup.pressure 0); others as the kernel has them.
 */
int pressure_watch(struct pressure *p, uint64_t id, int dir_fd);

/* Ends by itself when the group is removed; before that with this. */
void pressure_forget(struct pressure *p, uint64_t id);

size_t pressure_watched(const struct pressure *p);

#endif /* EBB_SENSE_PRESSURE_H */
