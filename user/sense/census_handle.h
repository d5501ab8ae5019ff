/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory of a cgroup by its id. */
#ifndef EBB_SENSE_CENSUS_HANDLE_H
#define EBB_SENSE_CENSUS_HANDLE_H

#include <stdint.h>

/*
 * cgroup_fd: any directory of the hierarchy's mount. Needs CAP_DAC_READ_SEARCH.
 * An fd that the caller closes, -ESTALE if the group is gone.
 */
int cgroup_open_by_id(int cgroup_fd, uint64_t id);

#endif /* EBB_SENSE_CENSUS_HANDLE_H */
