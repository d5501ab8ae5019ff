/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eviction through memory.reclaim.
 *
 * How much was evicted is what the cgroup's pgsteal rose by: the kernel's own
 * count of pages that reclaim took, recursive. The difference of
 * memory.current would say how the container grew meanwhile as well, counts
 * kernel memory, and still has in it what zswap keeps of the pages. Where the
 * kernel counts proactive reclaim apart (pgsteal_proactive, 7.2) that is
 * taken; up to 6.18 what kswapd or a limit took in the same moments is in the
 * figure too. The count trails by up to 64 pages a CPU (the kernel flushes no
 * sooner).
 */
#ifndef EBB_ACT_RECLAIM_H
#define EBB_ACT_RECLAIM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Anon and file apart, where swappiness= is known (6.12 on). Never 0 for file
 * alone: an ageing pass that reclaim itself starts would then turn the ages
 * of anon round (measured: cold becomes the youngest).
 */
#define RECLAIM_ANON 200
#define RECLAIM_FILE 1
#define RECLAIM_PLAIN (-1)

#define RECLAIM_LEAST (256ull << 10) /* bytes of anon that are worth a look at the lists */

struct reclaim {
	/* in */
	int dirfd; /* borrowed */
	uint64_t anon, file; /* bytes at most; anon: see reclaim_swap_room() */
	uint64_t keep; /* of reclaim_run_all(): bytes of its usage that stay */
	uint64_t batch; /* bytes a write */
	uint64_t deadline_us; /* CLOCK_MONOTONIC */
	const atomic_bool *stop;
	bool swappiness;
	/* How many bytes of anon are known to be cold by now; false: it cannot be told. May be NULL
	 */
	bool (*known)(void *known_arg, uint64_t *ret);
	void *known_arg;
	size_t nr_groups; /* that it may come from, when little is asked for before the first look
			   */
	/* asked before each batch; a negative errno ends it, -ECANCELED quietly. May be NULL */
	int (*check)(void *arg);
	void *arg;

	/* out */
	uint64_t got;
	int error; /* of the kernel; a shortfall, a signal or a vanished cgroup is none */
	bool gone;
	bool timed_out;
};

void reclaim_run(struct reclaim *r);

/*
 * The page cache that an emptied cgroup holds and nobody has mapped, until somebody moves in again,
 * or what others have mapped goes with it. ret_asked: bytes.
 */
void reclaim_run_all(struct reclaim *r, uint64_t *ret_asked);

struct reclaim_stat {
	uint64_t steal; /* bytes, cumulative */
	uint64_t anon, file, shmem; /* bytes; file without shmem */
	uint64_t unevictable;
	uint64_t mapped; /* of file and shmem */
};
int reclaim_stat(int dirfd, struct reclaim_stat *ret);

/*
 * What the group may still put into swap by memory.swap.max, its own and those above; UINT64_MAX:
 * no limit. Where there is none the kernel takes page cache for all that it is asked for.
 */
uint64_t reclaim_swap_room(int dirfd);

/*
 * Whether the memory.reclaim beneath dirfd (the root's will do) exists and
 * takes swappiness=. Asks for 0 bytes: 6.1 refuses the second word with
 * EINVAL before it looks at anything, later kernels do nothing and agree.
 */
int reclaim_probe(int dirfd, bool *ret_swappiness);

#endif /* EBB_ACT_RECLAIM_H */
