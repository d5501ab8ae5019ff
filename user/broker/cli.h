/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands that are not the broker itself: they ask, print and end. */
#ifndef EBB_BROKER_CLI_H
#define EBB_BROKER_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "broker/config.h"

/*
 * What the broker at socket knows. Returns 0 with *ret (a new reference), or a
 * negative errno after saying why in why (CONF_ERROR_MAX bytes).
 */
int ask_status(const char *socket, json_t **ret, char *why);

void status_print(FILE *out, const json_t *status);

/*
 * Looks at each running VM of c by its VMM and /proc, prints what is wrong
 * with its settings; an EBB_EXIT_* (0: all is well).
 */
int check_run(const struct broker_config *c, bool json, FILE *out);

#endif /* EBB_BROKER_CLI_H */
