// SPDX-License-Identifier: GPL-2.0-only
/* What makes ebb better, file by file. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/cleanup.h"
#include "lib/units.h"
#include "sense/doctor_impl.h"
#include "sense/machine.h"

#define VIRTIO_BALLOON_F_REPORTING 5

static bool denied(ssize_t r)
{
	return r == -EACCES || r == -EPERM;
}

void doctor_kernel(const struct doctor_env *env, struct doctor_check *check)
{
	unsigned int major = 0, minor = 0;
	char release[128];

	if (doctor_read(env, release, sizeof(release), "/proc/sys/kernel/osrelease") < 0 ||
	    sscanf(release, "%u.%u", &major, &minor) != 2) {
		doctor_say(check, DOCTOR_LESS, "its release cannot be read");
		return;
	}
	if (major < 6 || (major == 6 && minor < 1)) {
		doctor_say(check, DOCTOR_LESS, "%s is older than what ebb is tested on", release);
		doctor_advise(check, "Linux 6.1 or later");
		return;
	}
	doctor_say(check, DOCTOR_OK, "%s", release);
}

void doctor_ages(const struct doctor_env *env, struct doctor_check *check)
{
	char text[64];
	ssize_t n = doctor_read(env, text, sizeof(text), "/sys/kernel/mm/lru_gen/enabled");

	if (n == -ENOENT) {
		doctor_say(check, DOCTOR_LESS,
			   "the kernel has no multi-gen LRU: ages are not known, and memory is "
			   "taken in small steps under feedback");
		doctor_advise(check, "A kernel with CONFIG_LRU_GEN=y, such as Debian's");
		return;
	}
	if (n < 0) {
		doctor_say(check, DOCTOR_LESS, "the multi-gen LRU cannot be asked: %s",
			   strerror((int)-n));
		return;
	}
	if (!(strtoul(text, NULL, 16) & 1)) {
		doctor_say(check, DOCTOR_LESS, "the multi-gen LRU is switched off");
		doctor_advise(check, "ebbd switches it on while it runs; to keep it: "
				     "echo 7 > /sys/kernel/mm/lru_gen/enabled");
		return;
	}
	if (!(strtoul(text, NULL, 16) & 2)) {
		doctor_say(
			check, DOCTOR_LESS,
			"the multi-gen LRU does not look at page tables (%s): what is idle is not "
			"known, and memory is taken in small steps under feedback",
			text);
		doctor_advise(check,
			      "ebbd switches it on while it runs, where the CPU has accessed "
			      "bits; to keep it: echo 7 > /sys/kernel/mm/lru_gen/enabled");
		return;
	}
	doctor_say(check, DOCTOR_OK, "the multi-gen LRU is on (%s)", text);
}

/* Ageing on demand goes through debugfs alone. */
void doctor_debugfs(const struct doctor_env *env, struct doctor_check *check)
{
	char text[64], *locked, *end;

	/* "none [integrity] confidentiality" */
	if (doctor_read(env, text, sizeof(text), "/sys/kernel/security/lockdown") > 0 &&
	    (locked = strchr(text, '[')) && (end = strchr(locked, ']'))) {
		*end = '\0';
		if (strcmp(locked + 1, "none")) {
			doctor_say(check, DOCTOR_LESS,
				   "lockdown=%s keeps lru_gen shut: no ageing on demand, memory is "
				   "taken in small steps under feedback",
				   locked + 1);
			doctor_advise(check, "Boot without lockdown= (Secure Boot may bring it)");
			return;
		}
	}
	if (doctor_exists(env, "/sys/kernel/debug/lru_gen")) {
		doctor_say(check, DOCTOR_OK, "mounted; lru_gen is there");
		return;
	}
	if (!doctor_exists(env, "/sys/kernel/debug")) {
		doctor_say(check, DOCTOR_LESS, "the kernel has no debugfs: no ageing on demand");
		doctor_advise(check, "A kernel with CONFIG_DEBUG_FS=y");
		return;
	}
	if (env->sysroot[0] == '\0' && geteuid() != 0) {
		doctor_say(check, DOCTOR_OK,
			   "only root can look; ebbd mounts it for itself if need "
			   "be");
		return;
	}
	doctor_say(check, DOCTOR_OK, "not mounted: ebbd mounts it for itself");
}

void doctor_bpf(const struct doctor_env *env, struct doctor_check *check)
{
	if (!doctor_exists(env, "/sys/kernel/btf/vmlinux")) {
		doctor_say(check, DOCTOR_LESS,
			   "the kernel does not describe its types: everything is read from files");
		doctor_advise(check, "A kernel with CONFIG_DEBUG_INFO_BTF=y, such as Debian's");
		return;
	}
	if (!doctor_exists(env, "/sys/fs/bpf")) {
		doctor_say(check, DOCTOR_LESS, "there is no /sys/fs/bpf to pin maps in");
		doctor_advise(check, "mount -t bpf bpf /sys/fs/bpf");
		return;
	}
	doctor_say(check, DOCTOR_OK, "the kernel describes its types (BTF)");
}

void doctor_psi(const struct doctor_env *env, struct doctor_check *check)
{
	char text[256];
	ssize_t n = doctor_read(env, text, sizeof(text), "/proc/pressure/memory");

	if (n > 0) {
		doctor_say(check, DOCTOR_OK, "stall times are known");
		return;
	}
	doctor_say(check, DOCTOR_LESS,
		   "stall times are not known: only refaults tell when too much was taken");
	doctor_advise(check, "Boot with psi=1 on the kernel command line");
}

static bool zram_exists(const struct doctor_env *env)
{
	char release[128], pattern[DOCTOR_PATH_MAX];
	glob_t found = { 0 };
	bool any;

	if (doctor_exists(env, "/sys/module/zram") || doctor_exists(env, "/sys/class/zram-control"))
		return true;
	if (doctor_read(env, release, sizeof(release), "/proc/sys/kernel/osrelease") < 0)
		return false;
	snprintf(pattern, sizeof(pattern), "%s/lib/modules/%s/kernel/drivers/block/zram/zram.ko*",
		 env->sysroot, release);
	any = glob(pattern, 0, NULL, &found) == 0;
	globfree(&found);
	return any;
}

void doctor_swap(const struct doctor_env *env, struct doctor_check *check)
{
	struct machine_swap swaps[MACHINE_MAX_SWAPS];
	char text[4096], size[FORMAT_MAX], zswap[8];
	ssize_t len = doctor_read(env, text, sizeof(text), "/proc/swaps");
	size_t n = len > 0 ? machine_parse_swaps(text, (size_t)len, swaps, MACHINE_MAX_SWAPS) : 0;
	bool front = doctor_read(env, zswap, sizeof(zswap),
				 "/sys/module/zswap/parameters/enabled") > 0 &&
		     zswap[0] == 'Y';

	if (len == -ENOENT) {
		doctor_say(check, DOCTOR_LESS, "the kernel cannot swap: only page cache can go");
		doctor_advise(check, "A kernel with CONFIG_SWAP=y");
		return;
	}
	if (n) {
		bool fast = front || swaps[0].zram >= 0;

		doctor_say(check, DOCTOR_OK, "%s, %s%s%s", swaps[0].name,
			   format_size(size, swaps[0].size), fast ? ", compressed" : "",
			   n > 1 ? ", and more" : "");
		if (!fast)
			doctor_advise(check, "Pages come back sooner from memory: echo Y > "
					     "/sys/module/zswap/parameters/enabled");
		return;
	}
	if (zram_exists(env)) {
		doctor_say(check, DOCTOR_OK, "none yet: ebbd sets up zram");
		return;
	}
	doctor_say(
		check, DOCTOR_LESS,
		"there is none, and no zram: only page cache can go, not what programs allocated");
	doctor_advise(check, "Install the kernel's zram module, or add a swap file");
}

/* Does a balloon device report free pages? -1: there is no such device. */
static int balloon_reports(const struct doctor_env *env)
{
	char pattern[DOCTOR_PATH_MAX], features[256];
	glob_t found = { 0 };
	int reports = -1;

	snprintf(pattern, sizeof(pattern), "%s/sys/bus/virtio/drivers/virtio_balloon/virtio*",
		 env->sysroot);
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++) {
			ssize_t n = doctor_read(env, features, sizeof(features), "%s/features",
						found.gl_pathv[i] + strlen(env->sysroot));

			if (reports < 1)
				reports = n > 0 &&
					  machine_parse_feature(features, (size_t)n,
								VIRTIO_BALLOON_F_REPORTING);
		}
	globfree(&found);
	return reports;
}

void doctor_reporting(const struct doctor_env *env, struct doctor_check *check)
{
	char text[32], size[FORMAT_MAX];
	int reports = balloon_reports(env);
	unsigned long order;

	if (reports < 1) {
		doctor_say(check, DOCTOR_LESS,
			   reports < 0
				   ? "no virtio balloon: what is freed stays with this machine"
				   : "the balloon does not report free pages: what is freed stays "
				     "with this machine");
		doctor_advise(check,
			      "In a VM: -device virtio-balloon-pci,free-page-reporting=on, or "
			      "what your VMM calls it. On real hardware nothing is missing");
		return;
	}
	if (doctor_read(env, text, sizeof(text),
			"/sys/module/page_reporting/parameters/page_reporting_order") > 0 &&
	    (order = strtoul(text, NULL, 10)) <= 20)
		doctor_say(check, DOCTOR_OK,
			   "free blocks of %s and larger go back to the host by themselves",
			   format_size(size, (uint64_t)sysconf(_SC_PAGESIZE) << order));
	else
		doctor_say(check, DOCTOR_OK, "free blocks go back to the host by themselves");
}

void doctor_compaction(const struct doctor_env *env, struct doctor_check *check)
{
	if (doctor_exists(env, "/proc/sys/vm/compact_memory")) {
		doctor_say(check, DOCTOR_OK, "scattered free memory can be gathered");
		return;
	}
	doctor_say(check, DOCTOR_LESS,
		   "the kernel cannot gather scattered free memory: less of it "
		   "goes back");
	doctor_advise(check, "A kernel with CONFIG_COMPACTION=y");
}

void doctor_thp(const struct doctor_env *env, struct doctor_check *check)
{
	char text[64], *mode, *end;
	ssize_t n =
		doctor_read(env, text, sizeof(text), "/sys/kernel/mm/transparent_hugepage/enabled");

	/* "always [madvise] never" */
	if (n < 0 || !(mode = strchr(text, '[')) || !(end = strchr(mode, ']'))) {
		doctor_say(check, DOCTOR_OK, denied(n) ? "not to be seen" : "none");
		return;
	}
	*end = '\0';
	if (strcmp(mode + 1, "always")) {
		doctor_say(check, DOCTOR_OK, "%s", mode + 1);
		return;
	}
	/* One touch makes 2 MiB young: cold memory between hot pages is not seen. */
	doctor_say(check, DOCTOR_LESS,
		   "always: memory that is cold hides beside hot pages inside "
		   "huge ones");
	doctor_advise(check, "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, where "
			     "programs do not need them");
}
