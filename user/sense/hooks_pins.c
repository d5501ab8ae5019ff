// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be looked at under /sys/fs/bpf/ebb: containers, edges, census_records (maps) and census
 * (text). The link behind census is that of an iterator: it hooks nothing and runs only when read.
 * Links of hooks are never pinned, so the hooks go when ebbd goes, however it goes.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sense/census.h"

#include "ebb.skel.h"

#define BPFFS "/sys/fs/bpf"

static bool on_bpffs(const char *dir)
{
	struct statfs fs;

	return !statfs(dir, &fs) && fs.f_type == BPF_FS_MAGIC;
}

/* systemd mounts it; a small guest may not have. */
static int have_bpffs(const char *pin_dir)
{
	char parent[PATH_MAX];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", pin_dir);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return -EINVAL;
	*slash = '\0';
	if (on_bpffs(parent))
		return 0;
	if (strcmp(parent, BPFFS))
		return -EINVAL;
	return mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") ? -errno
											 : 0;
}

/* What an ebbd that was killed left behind; nothing else is ever in there. */
static void clear_dir(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *e;

	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(dir), e->d_name, 0);
}

static gid_t ebb_group(void)
{
	/* cppcheck-suppress getgrnamCalled */ /* one thread */
	struct group *g = getgrnam("ebb");

	return g ? g->gr_gid : 0;
}

/*
 * What is made in the directory has its group (S_ISGID), so that a pin that is
 * replaced later needs no CAP_CHOWN: giving a file the group it has is allowed.
 */
static int own(const char *path, mode_t mode)
{
	if (chown(path, 0, ebb_group()) || chmod(path, mode))
		return -errno;
	return 0;
}

static int pin_fd(const struct hooks *h, const char *name, int fd)
{
	char path[PATH_MAX];
	int r = snprintf(path, sizeof(path), "%s/%s", h->pin_dir, name);

	if (r >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (unlink(path) && errno != ENOENT)
		return -errno;
	if (bpf_obj_pin(fd, path))
		return -errno;
	return own(path, 0640);
}

int hooks_pin_census(struct hooks *h)
{
	int r;

	if (!h->pin_dir || !h->census)
		return 0;
	r = pin_fd(h, "census_records", census_records_fd(h->census));
	if (!r && census_text_link(h->census))
		r = pin_fd(h, "census", bpf_link__fd(census_text_link(h->census)));
	return r;
}

int hooks_pin(struct hooks *h)
{
	const char *dir = h->opts.pin_dir ? h->opts.pin_dir : EBB_PIN_DIR;
	int containers, r;

	if (!*dir || (!h->skel && !h->census))
		return 0;
	r = have_bpffs(dir);
	if (r)
		return r;
	if (mkdir(dir, 0750) && errno != EEXIST)
		return -errno;
	clear_dir(dir);
	h->pin_dir = strdup(dir);
	if (!h->pin_dir)
		return -ENOMEM;
	r = own(dir, 02750);
	containers = h->skel ? bpf_map__fd(h->skel->maps.containers)
			     : census_containers_fd(h->census);
	if (!r)
		r = pin_fd(h, "containers", containers);
	if (!r && h->skel)
		r = pin_fd(h, "edges", bpf_map__fd(h->skel->maps.edges));
	if (!r)
		r = hooks_pin_census(h);
	if (r)
		hooks_unpin(h);
	return r;
}

void hooks_unpin(struct hooks *h)
{
	if (!h->pin_dir)
		return;
	clear_dir(h->pin_dir);
	rmdir(h->pin_dir);
	free(h->pin_dir);
	h->pin_dir = NULL;
}
