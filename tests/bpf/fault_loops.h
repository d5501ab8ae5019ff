/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that do nothing but fault, one or two threads of one process, and what each batch took.
 */
#ifndef EBB_TESTS_FAULT_LOOPS_H
#define EBB_TESTS_FAULT_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_THREADS_MAX 2
#define LOOP_BATCHES (1u << 18)

enum loop_kind {
	LOOP_ANON, /* fresh zeroed pages */
	LOOP_FILE, /* pages of a mapped file that are in the page cache: 16 a fault */
	LOOP_COW, /* the first write to pages of a private mapping of it that are present */
	NR_LOOPS,
};

extern const char *const loop_names[NR_LOOPS];

struct loop_batch {
	float ns; /* of the thread's CPU: what others on the machine take does not count */
	char attached; /* 0, 1, or 2: hooks came or went meanwhile */
};

/* Shared with the child. */
struct loops {
	volatile bool run, attached;
	enum loop_kind kind;
	unsigned int threads;
	unsigned int faults; /* of a batch */
	struct loop_lane {
		volatile uint32_t batches; /* cumulative; the ring keeps the last LOOP_BATCHES */
		struct loop_batch batch[LOOP_BATCHES];
	} lane[LOOP_THREADS_MAX];
};

/* Mapped, shared, with run set; exits where that fails. */
struct loops *loops_new(enum loop_kind kind, unsigned int threads);
/* The child's: arg is the struct loops; returns when run is cleared. 0 or a negative errno. */
int64_t loops_run(void *arg);

#endif /* EBB_TESTS_FAULT_LOOPS_H */
