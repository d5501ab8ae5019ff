// SPDX-License-Identifier: GPL-2.0-only
/* Root at the start, and from then on what the work needs. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "ebbd/daemon.h"
#include "lib/capabilities.h"
#include "lib/cleanup.h"
#include "lib/log.h"

/*
 * Each of these is asked for and granted after the start, as a trace of
 * cap_capable() shows (tests/vm/scenarios/privileges.sh does it again); the
 * last one is looked at without it (psi_trigger_create(), 6.5). What
 * only the start needs is not among them: mounting debugfs and bpffs, loading
 * zram's module, giving socket and pins to group ebb.
 */
static const int kept[] = {
	CAP_SYS_ADMIN, /* swapoff; the run time of BPF programs (BPF_ENABLE_STATS) */
	CAP_BPF, /* maps, and a larger census when the groups outgrow it */
	CAP_PERFMON, /* tracing programs */
	CAP_DAC_OVERRIDE, /* memory.reclaim, memory.low of rootless containers are their user's */
	CAP_DAC_READ_SEARCH, /* groups by their id (open_by_handle_at) */
	CAP_SYS_RESOURCE, /* stall triggers with windows of less than 2 s */
};

/* A container may cost a descriptor for its stalls. */
#define FILES_WANTED 16384

/* systemd's 1,024 are for programs that select(); the hard limit is for such as us. */
void privileges_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_warn("only few files can be open at once: %s", strerror(errno));
}

/* Besides this one; a swapoff that takes its time may be under way. */
static unsigned long other_threads(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) || st.st_nlink < 3 ? 0 : st.st_nlink - 3;
}

void privileges_drop(void)
{
	uint64_t keep = 0;
	unsigned long others = other_threads();
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		keep |= CAPABILITY(kept[i]);
	r = capabilities_keep(keep);
	if (r)
		log_warn("root's privileges are not all given up: %s", strerror(-r));
	if (others)
		log_warn("%lu threads of the start keep root's privileges until they end", others);
}
