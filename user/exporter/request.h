/* SPDX-License-Identifier: GPL-2.0-only */
/* What an HTTP request says in its headers and its query. All of it is hostile; NULL reads as "".
 */
#ifndef EBB_EXPORTER_REQUEST_H
#define EBB_EXPORTER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/metrics.h"

/* What the client likes best of the two; without a preference the older one. */
enum metrics_format request_format(const char *accept);

/*
 * Is this Host an address or localhost? A page of elsewhere can have its name
 * point here and read what a browser beside us can reach; it cannot do that with
 * an address.
 */
bool request_host_is_address(const char *host);

/*
 * Does Authorization carry one of the lines USER:PASSWORD of users? Takes the same
 * time for any wrong one of a length.
 */
bool request_authorized(const char *authorization, const char *users);

/* "12,34": how many there are, at most max; -EINVAL: not a list of ids, -E2BIG: too many. */
int request_ids(const char *text, uint64_t *ret, size_t max);

#endif /* EBB_EXPORTER_REQUEST_H */
