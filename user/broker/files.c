// SPDX-License-Identifier: GPL-2.0-only
/* Open files: what each VM costs, and what this process may have. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "broker/broker_int.h"
#include "lib/log.h"

#define FILES_A_VM 3 /* its VMM, its guest, and with vsock where it listens for that */
#define FILES_OWN 64 /* the loop, the status socket and who asks there, metrics */
#define FILES_WANTED (BROKER_VMS_MAX * FILES_A_VM + FILES_OWN)

/* The usual 1,024 are for programs that select(); the hard limit is for such as us. */
void broker_raise_files(struct broker *b)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	if (limit.rlim_cur < FILES_WANTED) {
		rlim_t before = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
		if (setrlimit(RLIMIT_NOFILE, &limit)) {
			log_warn("only few files can be open at once: %s", strerror(errno));
			limit.rlim_cur = before;
		}
	}
	b->files = limit.rlim_cur;
}

void broker_count_files(struct broker *b)
{
	uint64_t needed = b->nr_vms * FILES_A_VM + FILES_OWN;

	if (b->files_told || needed <= b->files)
		return;
	b->files_told = true;
	log_warn("%zu VMs take %" PRIu64 " open files, and %" PRIu64
		 " are allowed: some VMs will not be reached; raise the limit (LimitNOFILE=)",
		 b->nr_vms, needed, b->files);
}
