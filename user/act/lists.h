/* SPDX-License-Identifier: GPL-2.0-only */
/* Evicting by generation and group: what a job asks for, where ages are known. */
#ifndef EBB_ACT_LISTS_H
#define EBB_ACT_LISTS_H

#include "act/act_int.h"
#include "act/reclaim.h"

/* The anon of each group, from generations idle for job->idle_ms, at most job->anon of it all. */
void lists_take_anon(struct job *job);

/* Bytes of page cache in the generations that are idle for job->file_idle_ms, one of each group. */
uint64_t lists_old_file(const struct job *job);

/* Of these the part of each group, bytes of it all; some pages more where groups are many. */
void lists_take_file(struct job *job, uint64_t bytes);

/* Bytes of the group at dirfd above what it and those above it, below the container, keep. */
uint64_t lists_unprotected(int dirfd, uint64_t container);

#endif /* EBB_ACT_LISTS_H */
