// SPDX-License-Identifier: GPL-2.0-only
/* The [container] sections, and whom they are about. */
#include <fnmatch.h>

#include "lib/conf.h"

static bool fits(const struct ebb_rule *rule, const char *name, const char *image, const char *path)
{
	return !fnmatch(rule->glob, name, 0) || (*image && !fnmatch(rule->glob, image, 0)) ||
	       !fnmatch(rule->glob, path, 0);
}

void conf_rules(const struct ebb_config *config, const char *name, const char *image,
		const char *path, uint64_t *ret_protect, bool *ret_reclaim_off)
{
	*ret_protect = 0;
	*ret_reclaim_off = false;
	for (unsigned int i = 0; i < config->nr_rules; i++) {
		const struct ebb_rule *rule = &config->rules[i];

		if (!(rule->has_protect || rule->has_reclaim) || !fits(rule, name, image, path))
			continue;
		if (rule->has_protect)
			*ret_protect = rule->protect;
		if (rule->has_reclaim)
			*ret_reclaim_off = !rule->reclaim;
	}
}
