// SPDX-License-Identifier: GPL-2.0-only
/* The socket as a file: who may open it, and what was there before. */
#include "report/listen.h"

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ebb/wire.h"
#include "lib/stale.h"

static int make_directory(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	strcpy(dir, path);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';
	if (mkdir(dir, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return chmod(dir, 0755) < 0 ? -errno : 0; /* whatever the umask is */
}

int listen_bind(uv_pipe_t *pipe, const char *path)
{
	struct group storage, *group = NULL;
	char names[4096];
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -ENAMETOOLONG;
	r = make_directory(path);
	if (r < 0)
		return r;
	r = remove_stale_socket(path);
	if (r < 0)
		return r;

	mask = umask(0177); /* nobody else gets in before the group is right */
	r = uv_pipe_bind(pipe, path);
	umask(mask);
	if (r < 0)
		return r;
	if (getgrnam_r(EBB_GROUP, &storage, names, sizeof(names), &group) || !group)
		return 0;
	if (lchown(path, (uid_t)-1, group->gr_gid) < 0 || chmod(path, 0660) < 0) {
		/* Not root, then: it stays the owner's alone. */
		r = -errno;
		return r == -EPERM ? 0 : r;
	}
	return 0;
}
