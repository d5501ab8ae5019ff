/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of ebb.conf, parsed and checked (user/lib/conf.c fills it). */
#ifndef EBB_CONFIG_H
#define EBB_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define EBB_CONFIG_PATH "/etc/ebb/ebb.conf"
#define EBB_MAX_RULES 256
#define EBB_GLOB_LEN 256

enum ebb_compress {
	EBB_COMPRESS_AUTO,
	EBB_COMPRESS_ZRAM,
	EBB_COMPRESS_ZSWAP,
	EBB_COMPRESS_OFF,
};

/* A [container "GLOB"] section. The last rule that matches wins, key by key. */
struct ebb_rule {
	char glob[EBB_GLOB_LEN]; /* on name, image or path */
	bool has_protect;
	bool has_reclaim;
	uint64_t protect; /* bytes that stay */
	bool reclaim;
};

struct ebb_config {
	uint64_t cap; /* bytes; 0: all RAM */
	uint64_t cold_after_ms; /* 0: auto */
	uint32_t stall_budget_ppm; /* share of time, parts per million: 0.1% = 1000 */
	enum ebb_compress compress;
	char listen[128]; /* for ebb-exporter */
	unsigned int cap_line; /* where cap stood in the file, 0: not given */
	unsigned int nr_rules;
	struct ebb_rule rules[EBB_MAX_RULES];
};

#endif /* EBB_CONFIG_H */
