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

int reporting_open(const char *root, struct journal *journal)
{
	char path[PATH_MAX], now[32];
	long order;

	snprintf(path, sizeof(path), "%s%s", root, ORDER);
	if (read_line_at(AT_FDCWD, path, now, sizeof(now)) < 0)
		return -ENOENT;
	/* -1, on kernels that print it: the driver has not registered yet and will choose. */
	order = strtol(now, NULL, 10);
	if (order >= 0 && order <= ORDER_WANTED)
		return 0;
	snprintf(now, sizeof(now), "%d", ORDER_WANTED);
	return journal_set_file(journal, ORDER, now, NULL);
}
