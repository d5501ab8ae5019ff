/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads and checks ebb.conf. */
#ifndef EBB_LIB_CONF_H
#define EBB_LIB_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ebb/config.h"

struct conf_error {
	char file[256];
	unsigned int line; /* 0: the file as a whole */
	char message[256]; /* what is wrong and what was expected; printable */
};

#define CONF_ERROR_MAX 560 /* room for conf_error_text() */

/* The defaults: what an empty file gives. */
void conf_defaults(struct ebb_config *ret);

/*
 * Reads the file at path; NULL stands for EBB_CONFIG_PATH, and there (only
 * there, named or not) a missing file gives the defaults. Returns 0; -EINVAL with err filled
 * when the file is wrong (unknown section or key, wrong unit, out of range, a
 * key given twice, binary data, a line too long, too many rules: the first one
 * found); another negative errno, err filled too, when it cannot be read. *ret
 * is untouched on failure.
 */
int conf_load(const char *path, struct ebb_config *ret, struct conf_error *err);

/* The same for text in memory; name stands for the file in errors. */
int conf_parse(const char *name, const char *text, size_t len, struct ebb_config *ret,
	       struct conf_error *err);

/*
 * Does the configuration fit this machine? cap above RAM and cap below what
 * is in use now (that cannot be reclaimed; bytes) give -EINVAL with err filled, with the line of
 * cap. path as for conf_load().
 */
int conf_check_machine(const struct ebb_config *config, const char *path, uint64_t mem_total,
		       uint64_t mem_used, struct conf_error *err);

/*
 * What the rules say of a container: of those whose glob is on its name, its image ("": none) or
 * its path the last one wins, key by key. Without one nothing is protected, and reclaim is on.
 */
void conf_rules(const struct ebb_config *config, const char *name, const char *image,
		const char *path, uint64_t *ret_protect, bool *ret_reclaim_off);

/* "FILE:LINE: MESSAGE", or "FILE: MESSAGE" where there is no line. Returns buf. */
char *conf_error_text(const struct conf_error *err, char buf[CONF_ERROR_MAX]);

const char *conf_compress_name(enum ebb_compress compress); /* "auto", "zram", … */

/* What can be set, with default and meaning, for `ebbd --help` and the manual page. */
void conf_help(FILE *out);

#endif /* EBB_LIB_CONF_H */
