// SPDX-License-Identifier: GPL-2.0-only
/* What the loop itself would wait for: see act_defer(). */
#include <errno.h>
#include <stdlib.h>

#include "act/act_int.h"

struct errand {
	struct pool_job pool; /* first */
	void (*work)(void *arg);
	void (*done)(void *arg, bool ran);
	void *arg;
};

static void run(struct pool_job *p)
{
	struct errand *e = (struct errand *)p;

	e->work(e->arg);
}

int act_defer(struct act *a, void (*work)(void *arg), void (*done)(void *arg, bool ran), void *arg)
{
	struct errand *e;
	int r;

	if (!a->pool)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	/* No deadline: a write that is cut short is no better than a late one. */
	*e = (struct errand){
		.pool = { .run = run, .lane = POOL_ERRAND, .deadline_ms = UINT32_MAX },
		.work = work,
		.done = done,
		.arg = arg
	};
	r = pool_submit(a->pool, &e->pool);
	if (r)
		free(e);
	return r;
}

bool errand_is_one(const struct pool_job *job)
{
	return job->lane == POOL_ERRAND;
}

void errand_end(struct pool_job *job, bool ran)
{
	struct errand *e = (struct errand *)job;

	if (e->done)
		e->done(e->arg, ran);
	free(e);
}
