/* SPDX-License-Identifier: GPL-2.0-only */
/* Between age.c (opening, ids, ageing) and age_evict.c. */
#ifndef EBB_ACT_AGE_INT_H
#define EBB_ACT_AGE_INT_H

#include <pthread.h>

#include "act/age.h"

struct age {
	int fd;
	int evict_fd; /* of its own: a write holds the file's lock, and passes would wait */
	int cgroup_root;
	pthread_mutex_t reading;
	pthread_mutex_t lock; /* form: found by the worker, read by the loop */
	enum act_id_form form;
	bool force;
};

/* As age_find_rows(), of what lru_gen says now. */
int age_read_rows(struct age *a, uint64_t memcg, uint32_t node, uint64_t idle_ms,
		  struct age_rows *ret);
/* The id by which the kernel knows the group. -EAGAIN: it cannot be told. */
int age_printed_id(struct age *a, const struct act_group *g, uint64_t *ret);

#endif /* EBB_ACT_AGE_INT_H */
