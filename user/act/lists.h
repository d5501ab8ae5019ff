/* SPDX-License-Identifier: GPL-2.0-only */
/* Evicting by generation and group: what a job asks for, where ages are known. */
#ifndef EBB_ACT_LISTS_H
#define EBB_ACT_LISTS_H

#include "act/act_int.h"
#include "act/reclaim.h"

/* The anon of each group, from generations idle for job->idle_ms, at most job->anon of it all. */
void lists_take_anon(struct job *job);

/*
 * The page cache of each group in proportion, of one generation each that is idle for
 * job->file_idle_ms: at most job->file of it all. stat: the container's, as it is. ret_unlisted:
 * how many bytes of it are the part of removed groups, which no living one has on its lists. false:
 * this is not to be taken so here, and nothing was.
 */
bool lists_take_file(struct job *job, const struct reclaim_stat *stat, uint64_t *ret_unlisted);

#endif /* EBB_ACT_LISTS_H */
