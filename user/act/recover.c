// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "act/act.h"

int act_recover(const char *state_dir, const char *root, int cgroup_root,
		struct journal_report *ret)
{
	struct journal_opts opts = { .state_dir = state_dir,
				     .root = root,
				     .cgroup_root = cgroup_root };
	struct journal *journal = NULL;
	char path[PATH_MAX];
	int r;

	*ret = (struct journal_report){ 0 };
	/* Nothing is made where nothing is to be undone. */
	if (snprintf(path, sizeof(path), "%s/journal", state_dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (access(path, F_OK))
		return errno == ENOENT ? 0 : -errno;
	r = journal_open(&journal, &opts);
	if (r)
		return r;
	journal_loaded(journal, ret);
	if (cgroup_root >= 0)
		journal_recover(journal, JOURNAL_CGROUP, ret);
	journal_recover(journal, JOURNAL_FILE, ret);
	journal_close(journal);
	return 0;
}
