// SPDX-License-Identifier: GPL-2.0-only
#include "act/reporting.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/files.h"

#define ORDER "/sys/module/page_reporting/parameters/page_reporting_order"
#define ORDER_WANTED 5
#define ORDER_MAX 20 /* no kernel has blocks that large */

int reporting_open(const char *root, struct journal *journal)
{
	char path[PATH_MAX], now[32];
	long order;

	snprintf(path, sizeof(path), "%s%s", root, ORDER);
	if (read_line_at(AT_FDCWD, path, now, sizeof(now)) < 0)
		return -ENOENT;
	/*
	 * -1, from 6.2 on: no driver has registered yet, and the next one will choose. It is shown
	 * but cannot be written (param_set_uint_minmax()).
	 */
	order = strtol(now, NULL, 10);
	if (order < 0 || order > ORDER_MAX)
		return -EAGAIN;
	if (order <= ORDER_WANTED)
		return 0;
	snprintf(now, sizeof(now), "%d", ORDER_WANTED);
	return journal_set_file(journal, ORDER, now, NULL);
}
