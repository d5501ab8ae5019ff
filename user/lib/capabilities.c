// SPDX-License-Identifier: GPL-2.0-only
#include "lib/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CAPABILITY 63 /* two words of 32 */

/* Without libcap: these two calls are all of it that is needed. */
static int get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &head, data) ? -errno : 0;
}

static int set(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

int capabilities_get(struct capabilities *ret)
{
	struct __user_cap_data_struct data[2];
	struct capabilities c = { 0 };
	int r = get(data);

	if (r)
		return r;
	c.effective = data[0].effective | (uint64_t)data[1].effective << 32;
	for (int cap = 0; cap <= MAX_CAPABILITY; cap++)
		/* -1 beyond the last one that this kernel knows */
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			c.bounding |= CAPABILITY(cap);
	c.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	*ret = c;
	return 0;
}

static int drop_bounding(uint64_t bounding)
{
	for (int cap = 0; cap <= MAX_CAPABILITY; cap++)
		if (bounding & CAPABILITY(cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return -errno;
	return 0;
}

int capabilities_keep(uint64_t keep)
{
	struct __user_cap_data_struct data[2];
	struct capabilities before;
	int r = capabilities_get(&before), bounding;

	if (!r)
		r = get(data);
	if (r)
		return r;
	/* While CAP_SETPCAP is there. */
	bounding = drop_bounding(before.bounding);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0; /* and with it the ambient ones */
	}
	r = set(data);
	return r ? r : bounding;
}
