// SPDX-License-Identifier: GPL-2.0-only
#include "sense/census_handle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h: the id itself, 8 bytes */

int cgroup_open_by_id(int cgroup_fd, uint64_t id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} u;
	int fd;

	u.handle.handle_bytes = sizeof(id);
	u.handle.handle_type = FILEID_KERNFS;
	memcpy(u.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(cgroup_fd, &u.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}
