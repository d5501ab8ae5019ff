// SPDX-License-Identifier: GPL-2.0-only
/* Codes for programs (a contract: they do not change) and clauses for people. */
#include "ebb/plan.h"

#define NAME_OF(table, i)                                                                          \
	((size_t)(i) < sizeof(table) / sizeof((table)[0]) && (table)[i] ? (table)[i] : "unknown")

const char *ebb_state_name(enum ebb_state state)
{
	static const char *const names[EBB_NR_STATES] = {
		[EBB_STATE_STARTING] = "starting",
		[EBB_STATE_WATCHED] = "watched",
		[EBB_STATE_RECLAIMING] = "reclaiming",
		[EBB_STATE_SETTLED] = "settled",
		[EBB_STATE_HELD] = "held",
		[EBB_STATE_OFF] = "off",
		[EBB_STATE_PAUSED] = "paused",
		[EBB_STATE_EMPTY] = "empty",
	};

	return NAME_OF(names, state);
}

const char *ebb_reason_name(enum ebb_reason reason)
{
	static const char *const names[EBB_NR_REASONS] = {
		[EBB_REASON_NONE] = "none",
		[EBB_REASON_COLD] = "cold",
		[EBB_REASON_EXIT] = "exit",
		[EBB_REASON_PROBE] = "probe",
		[EBB_REASON_STRANDED] = "stranded",
		[EBB_REASON_STARTING] = "starting",
		[EBB_REASON_LEARNING] = "learning",
		[EBB_REASON_NOTHING_COLD] = "nothing-cold",
		[EBB_REASON_HUGE_PAGES] = "huge-pages",
		[EBB_REASON_PSI_MEMORY] = "psi-memory",
		[EBB_REASON_PSI_IO] = "psi-io",
		[EBB_REASON_REFAULTS] = "refaults",
		[EBB_REASON_SWAP_FULL] = "swap-full",
		[EBB_REASON_NO_SWAP] = "no-swap",
		[EBB_REASON_PROTECTED] = "protected",
		[EBB_REASON_OFF] = "off",
		[EBB_REASON_PAUSED] = "paused",
		[EBB_REASON_BUSY] = "busy",
		[EBB_REASON_SHORTFALL] = "shortfall",
		[EBB_REASON_FAILED] = "failed",
		[EBB_REASON_CAP] = "cap",
	};

	return NAME_OF(names, reason);
}

const char *ebb_reason_text(enum ebb_reason reason)
{
	/* At most 24 characters: a column of `ebb list`. */
	static const char *const texts[EBB_NR_REASONS] = {
		[EBB_REASON_NONE] = "nothing to report",
		[EBB_REASON_COLD] = "taking what is cold",
		[EBB_REASON_EXIT] = "its last process is gone",
		[EBB_REASON_PROBE] = "ages unknown: small step",
		[EBB_REASON_STRANDED] = "free memory is scattered",
		[EBB_REASON_STARTING] = "still growing",
		[EBB_REASON_LEARNING] = "learning its ages",
		[EBB_REASON_NOTHING_COLD] = "all of it is in use",
		[EBB_REASON_HUGE_PAGES] = "huge pages hide the cold",
		[EBB_REASON_PSI_MEMORY] = "it waits for memory",
		[EBB_REASON_PSI_IO] = "it waits for the disk",
		[EBB_REASON_REFAULTS] = "too much of it came back",
		[EBB_REASON_SWAP_FULL] = "swap is nearly full",
		[EBB_REASON_NO_SWAP] = "no swap to put it in",
		[EBB_REASON_PROTECTED] = "a rule protects the rest",
		[EBB_REASON_OFF] = "a rule leaves it alone",
		[EBB_REASON_PAUSED] = "paused by hand",
		[EBB_REASON_BUSY] = "the last step goes on",
		[EBB_REASON_SHORTFALL] = "less than it looked like",
		[EBB_REASON_FAILED] = "failed, will try again",
		[EBB_REASON_CAP] = "the cap leaves no more",
	};

	return NAME_OF(texts, reason);
}

const char *ebb_size_reason_name(enum ebb_size_reason reason)
{
	static const char *const names[EBB_NR_SIZES] = {
		[EBB_SIZE_NO_HOST] = "no-host", [EBB_SIZE_FOLLOW] = "follow",
		[EBB_SIZE_SHRINK] = "shrink",   [EBB_SIZE_HOLD] = "hold",
		[EBB_SIZE_START] = "start",     [EBB_SIZE_SHORT] = "short",
		[EBB_SIZE_PAUSED] = "paused",   [EBB_SIZE_USELESS] = "useless",
	};

	return NAME_OF(names, reason);
}

const char *ebb_size_reason_text(enum ebb_size_reason reason)
{
	static const char *const texts[EBB_NR_SIZES] = {
		[EBB_SIZE_NO_HOST] = "no broker answers: the size is the VMM's",
		[EBB_SIZE_FOLLOW] = "what is needed, and headroom",
		[EBB_SIZE_SHRINK] = "shrinking in steps to what is needed",
		[EBB_SIZE_HOLD] = "it grew a moment ago",
		[EBB_SIZE_START] = "a container starts",
		[EBB_SIZE_SHORT] = "memory is short inside: all that may be had",
		[EBB_SIZE_PAUSED] = "paused by hand: the full size",
		[EBB_SIZE_USELESS] = "the balloon brings nothing: the full size",
	};

	return NAME_OF(texts, reason);
}

const char *ebb_means_name(enum ebb_means means)
{
	static const char *const names[EBB_NR_MEANS] = {
		[EBB_MEANS_REPORTING] = "reporting",
		[EBB_MEANS_COMPACTION] = "compaction",
		[EBB_MEANS_BALLOON] = "balloon",
	};

	return NAME_OF(names, means);
}

const char *ebb_means_reason_name(enum ebb_means_reason reason)
{
	static const char *const names[EBB_NR_MEANS_REASONS] = {
		[EBB_MEANS_WORKS] = "works",
		[EBB_MEANS_ABSENT] = "absent",
		[EBB_MEANS_NO_REPORTING] = "no-reporting",
		[EBB_MEANS_GATHERS_NOTHING] = "gathers-nothing",
		[EBB_MEANS_TAKES_NOTHING] = "takes-nothing",
		[EBB_MEANS_HOST_KEEPS] = "host-keeps",
	};

	return NAME_OF(names, reason);
}

const char *ebb_means_reason_text(enum ebb_means_reason reason)
{
	static const char *const texts[EBB_NR_MEANS_REASONS] = {
		[EBB_MEANS_WORKS] = "on",
		[EBB_MEANS_ABSENT] = "not there",
		[EBB_MEANS_NO_REPORTING] = "nothing reports what it would gather",
		[EBB_MEANS_GATHERS_NOTHING] = "several passes gathered nothing",
		[EBB_MEANS_TAKES_NOTHING] = "asked several times, it took nothing",
		[EBB_MEANS_HOST_KEEPS] = "the VMM still held what it gave (see ebb-broker check)",
	};

	return NAME_OF(texts, reason);
}

const char *ebb_action_name(enum ebb_action action)
{
	static const char *const names[] = {
		[EBB_ACT_AGE] = "age",
		[EBB_ACT_RECLAIM] = "reclaim",
		[EBB_ACT_RECLAIM_EXIT] = "reclaim-exit",
		[EBB_ACT_RECLAIM_ORPHANS] = "reclaim-orphans",
		[EBB_ACT_COMPACT] = "compact",
		[EBB_ACT_LIMIT] = "limit",
		[EBB_ACT_SWAP_LIMIT] = "swap-limit",
	};

	return NAME_OF(names, action);
}
