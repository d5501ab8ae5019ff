/* SPDX-License-Identifier: GPL-2.0-only */
/* The keys as tables. Private to config*.c. */
#ifndef EBB_BROKER_CONFIG_INT_H
#define EBB_BROKER_CONFIG_INT_H

#include "broker/config.h"

#define CONFIG_WHY_MAX 160

struct config_key {
	const char *name;
	/* Stores value, or returns -EINVAL with what was expected in why (CONFIG_WHY_MAX). */
	int (*set)(void *base, size_t offset, const char *value, char *why);
	size_t offset;
	const char *help;
};

struct config_section {
	const char *name;
	const struct config_key *keys; /* at most 32 */
	size_t nr_keys;
};

extern const struct config_section config_section_broker; /* base: struct broker_config */
extern const struct config_section config_section_vm; /* base: struct vm_config */

/* NULL: no such key. */
const struct config_key *config_key_find(const struct config_section *section, const char *name);

/* "a, b, c" of the names. */
void config_key_names(const struct config_section *section, char *buf, size_t size);

bool config_name_ok(const char *name);

/* What keys cannot see one by one: 0 or -EINVAL with why. */
int config_vm_check(const struct vm_config *vm, char *why);

#endif /* EBB_BROKER_CONFIG_INT_H */
