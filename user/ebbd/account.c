// SPDX-License-Identifier: GPL-2.0-only
#include "ebbd/account.h"

uint64_t account_at_host(const struct ebb_snap_machine *m)
{
	return m->ballooned + (m->reporting ? m->free_reportable : 0);
}

/* What happened last, in the order in which one step hands to the next, backwards. */
static enum report_cause cause_of(const struct account *a, const struct ebb_snap_machine *m,
				  const struct account_work *work)
{
	if (work->compactions != a->work.compactions || work->compacting)
		return REPORT_BY_COMPACTION;
	if (work->exited != a->work.exited)
		return REPORT_BY_EXIT;
	if (work->reclaimed != a->work.reclaimed || work->reclaiming || a->work.reclaiming)
		return REPORT_BY_RECLAIM;
	/* Beyond what was reportable before: pages from between those in use. */
	if (m->ballooned > a->ballooned)
		return REPORT_BY_BALLOON;
	return REPORT_BY_GUEST;
}

void account_step(struct account *a, const struct ebb_snap_machine *m,
		  const struct account_work *work)
{
	uint64_t at_host = account_at_host(m);

	/* What reporting had brought is not returned once more when it is switched on again. */
	if (a->known && a->reporting == m->reporting && at_host > a->at_host)
		a->returned[cause_of(a, m, work)] += at_host - a->at_host;
	*a = (struct account){ .known = true,
			       .reporting = m->reporting,
			       .at_host = at_host,
			       .ballooned = m->ballooned,
			       .work = *work,
			       .returned = { a->returned[0], a->returned[1], a->returned[2],
					     a->returned[3], a->returned[4] } };
}
