/* SPDX-License-Identifier: GPL-2.0-only */
/* The options as a table. Private to conf*.c. */
#ifndef EBB_LIB_CONF_OPTIONS_H
#define EBB_LIB_CONF_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_SIZE, /* uint64_t, bytes */
	CONF_TIME, /* uint64_t, ms; "auto": 0 */
	CONF_PERCENT, /* uint32_t, ppm */
	CONF_COMPRESS, /* enum ebb_compress */
	CONF_SWITCH, /* bool */
	CONF_LISTEN, /* char[128], ADDRESS:PORT */
};

struct conf_option {
	const char *name;
	enum conf_type type;
	size_t offset; /* in struct ebb_config or struct ebb_rule */
	size_t given; /* offset of a bool that says that it was given; 0: none */
	uint64_t min; /* in the unit of the type */
	uint64_t max;
	const char *initial; /* for a person */
	const char *help;
};

struct conf_section {
	const char *name;
	const struct conf_option *options; /* at most 64 */
	size_t nr_options;
};

extern const struct conf_section conf_section_main; /* base: struct ebb_config */
extern const struct conf_section conf_section_rule; /* base: struct ebb_rule */

/*
 * Stores value, or returns -EINVAL or -ERANGE with what was expected in why
 * and nothing stored.
 */
int conf_option_set(const struct conf_option *o, void *base, const char *value, char *why,
		    size_t size);

#endif /* EBB_LIB_CONF_OPTIONS_H */
