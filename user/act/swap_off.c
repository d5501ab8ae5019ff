// SPDX-License-Identifier: GPL-2.0-only
/* swapoff on a thread, for it takes as long as it takes. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/swap.h>
#include <time.h>

#include "act/pool.h"
#include "act/swap.h"

struct swap_off {
	pthread_mutex_t lock;
	pthread_cond_t done;
	char path[256];
	int result; /* 1: under way */
	bool left; /* nobody waits any more: the thread frees */
};

static void swap_off_free(struct swap_off *o)
{
	pthread_mutex_destroy(&o->lock);
	pthread_cond_destroy(&o->done);
	free(o);
}

static void *swap_off_main(void *arg)
{
	struct swap_off *o = arg;
	int r = swapoff(o->path) ? -errno : 0;
	bool left;

	pthread_mutex_lock(&o->lock);
	o->result = r;
	left = o->left;
	pthread_cond_signal(&o->done);
	pthread_mutex_unlock(&o->lock);
	if (left)
		swap_off_free(o);
	return NULL;
}

int swap_off(const char *path, uint32_t deadline_ms)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	struct swap_off *o = calloc(1, sizeof(*o));
	uint64_t end = pool_now_us() + deadline_ms * 1000ull;
	pthread_condattr_t attr;
	pthread_t thread;
	int r;

	if (!o)
		return -ENOMEM;
	snprintf(o->path, sizeof(o->path), "%s", path);
	o->result = 1;
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->done, &attr);
	pthread_condattr_destroy(&attr);
	sigaction(ACT_SIGNAL, NULL, &sa);
	r = pool_start_thread(&thread, swap_off_main, o);
	if (r) {
		swap_off_free(o);
		return r;
	}
	pthread_mutex_lock(&o->lock);
	/* A second beyond the deadline for the signal to be heeded. */
	while (o->result == 1 && pool_now_us() < end + 1000000) {
		uint64_t until = pool_now_us() + 50000;
		struct timespec ts = { until / 1000000, until % 1000000 * 1000 };

		if (pool_now_us() >= end && sa.sa_handler != SIG_DFL)
			pthread_kill(thread, ACT_SIGNAL);
		pthread_cond_timedwait(&o->done, &o->lock, &ts);
	}
	r = o->result;
	o->left = r == 1;
	pthread_mutex_unlock(&o->lock);
	if (r != 1)
		swap_off_free(o);
	return r == 1 || r == -EINTR ? -ETIMEDOUT : r;
}
