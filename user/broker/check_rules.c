// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker/check.h"
#include "lib/units.h"

static const char *const level_names[] = {
	[FINDING_GOOD] = "good",
	[FINDING_ADVICE] = "advice",
	[FINDING_WRONG] = "wrong",
	[FINDING_UNKNOWN] = "unknown",
};

const char *finding_level_name(enum finding_level level)
{
	return level_names[level];
}

void finding_add(struct findings *f, enum finding_level level, const char *setting,
		 const char *format, ...)
{
	struct finding *at = &f->all[f->n];
	va_list ap;

	if (f->n == FINDINGS_MAX)
		return;
	at->level = level;
	at->setting = setting;
	va_start(ap, format);
	vsnprintf(at->text, sizeof(at->text), format, ap);
	va_end(ap);
	f->n++;
}

/* The three that every VMM has. */
static void balloon_settings(struct findings *f, int reporting, int deflate_on_oom)
{
	if (reporting == 1)
		finding_add(f, FINDING_GOOD, "free-page-reporting", "on");
	else
		finding_add(f, reporting ? FINDING_UNKNOWN : FINDING_WRONG, "free-page-reporting",
			    "%s: memory that the guest frees comes back only as far as the "
			    "balloon is inflated; switch it on when the VM is started",
			    reporting ? "cannot be read" : "off");
	if (deflate_on_oom == 1)
		finding_add(f, FINDING_GOOD, "deflate-on-oom", "on");
	else
		finding_add(f, deflate_on_oom ? FINDING_UNKNOWN : FINDING_WRONG, "deflate-on-oom",
			    "%s: while ebb-broker is not there to give memory back, the guest "
			    "kills processes instead of taking it from the balloon",
			    deflate_on_oom ? "cannot be read" : "off");
}

static int flag(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : -1;
}

static void channel_port(struct findings *f, const struct qemu_settings *q)
{
	if (q->port == QEMU_PORT_GOOD)
		finding_add(f, FINDING_GOOD, "port", "ebb.channel");
	else if (q->incomplete)
		finding_add(f, FINDING_UNKNOWN, "port", "QEMU does not answer");
	else if (q->port == QEMU_PORT_NO_ID)
		finding_add(f, FINDING_WRONG, "port",
			    "ebb.channel has no id: QEMU does not tell when the guest closes it; "
			    "add id=ebb0 to its -device");
	else
		finding_add(
			f, FINDING_WRONG, "port",
			"there is none for the channel: the VM keeps its full size; add -device "
			"virtserialport,chardev=ebb,name=ebb.channel,id=ebb0");
}

void check_qemu(struct findings *f, const struct qemu_settings *q)
{
	if (!q->balloons && q->incomplete) {
		finding_add(f, FINDING_UNKNOWN, "balloon", "QEMU does not answer");
	} else if (!q->balloons) {
		finding_add(f, FINDING_WRONG, "balloon",
			    "there is none; start QEMU with -device virtio-balloon-pci,"
			    "free-page-reporting=on,deflate-on-oom=on");
	} else {
		finding_add(f, FINDING_GOOD, "balloon", "present");
		balloon_settings(f, q->reporting, q->deflate_on_oom);
	}
	channel_port(f, q);
	if (q->prealloc < 0)
		finding_add(f, FINDING_UNKNOWN, "prealloc",
			    "QEMU does not tell its memory backends");
	else if (q->prealloc)
		finding_add(f, FINDING_WRONG, "prealloc",
			    "on: all of the VM's memory is taken at its start, and again where a "
			    "balloon gave it back; leave out -mem-prealloc and prealloc=on");
	else
		finding_add(f, FINDING_GOOD, "prealloc", "off");
}

void check_firecracker(struct findings *f, const json_t *balloon, const json_t *machine)
{
	const char *huge = json_string_value(json_object_get(machine, "huge_pages"));

	if (!balloon) {
		finding_add(f, FINDING_WRONG, "balloon",
			    "there is none; before boot: PUT /balloon {\"amount_mib\":0,"
			    "\"deflate_on_oom\":true,\"stats_polling_interval_s\":1,"
			    "\"free_page_reporting\":true}");
	} else {
		int reporting = flag(balloon, "free_page_reporting");

		finding_add(f, FINDING_GOOD, "balloon", "present");
		/* Before 1.14 there is no such member, and no reporting. */
		balloon_settings(f, reporting == 1, flag(balloon, "deflate_on_oom"));
		if (!json_integer_value(json_object_get(balloon, "stats_polling_interval_s")))
			finding_add(f, FINDING_ADVICE, "stats_polling_interval_s",
				    "0: the balloon's actual size is not known, only what was "
				    "asked for; set it before boot");
	}
	if (huge && !strcmp(huge, "2M"))
		finding_add(f, FINDING_WRONG, "page-size",
			    "huge_pages is 2M: the balloon works in 4K and returns nothing of "
			    "them; use None or Transparent");
}

/* Of all memory, and where it is in zones, of any of them. */
static bool any_zone(const json_t *memory, const char *key)
{
	const json_t *zone;
	size_t i;

	json_array_foreach (json_object_get(memory, "zones"), i, zone)
		if (flag(zone, key) == 1)
			return true;
	return flag(memory, key) == 1;
}

void check_cloud_hypervisor(struct findings *f, const json_t *info)
{
	const json_t *config = json_object_get(info, "config");
	const json_t *memory = json_object_get(config, "memory");
	const json_t *balloon = json_object_get(config, "balloon");

	if (!json_is_object(balloon)) {
		finding_add(f, FINDING_WRONG, "balloon",
			    "there is none; start it with --balloon "
			    "size=0,deflate_on_oom=on,free_page_reporting=on");
	} else {
		finding_add(f, FINDING_GOOD, "balloon", "present");
		balloon_settings(f, flag(balloon, "free_page_reporting"),
				 flag(balloon, "deflate_on_oom"));
	}
	if (any_zone(memory, "prefault"))
		finding_add(f, FINDING_WRONG, "prealloc",
			    "prefault is on: all of the VM's memory is taken at its start; leave "
			    "it out of --memory");
	else
		finding_add(f, FINDING_GOOD, "prealloc", "off");
	if (any_zone(memory, "hugepages"))
		finding_add(f, FINDING_WRONG, "page-size",
			    "hugepages is on: the balloon works in 4K and returns nothing of "
			    "them; leave it out of --memory");
}

/* "KEY:   123 kB" at the start of a line of text; 0 where there is none. */
static uint64_t kib(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		uint64_t value;

		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == ':' &&
		    sscanf(line + len + 1, "%" SCNu64 " kB", &value) == 1)
			return value;
	}
	return 0;
}

/* The mappings that are the VM's RAM, the large ones: KiB. */
struct mapped {
	uint64_t size;
	uint64_t page; /* the largest page size */
	uint64_t thp; /* in transparent huge pages */
	uint64_t resident;
};

static struct mapped mapped(const char *smaps, uint64_t ram)
{
	uint64_t least = ram ? ram / 1024 / 8 : 64 * 1024, size = 0;
	struct mapped m = { 0 };

	for (const char *line = smaps; line && *line; line = strchr(line, '\n')) {
		uint64_t value;

		line += *line == '\n';
		if (sscanf(line, "Size: %" SCNu64 " kB", &value) == 1) {
			size = value;
			m.size += size >= least ? size : 0;
			continue;
		}
		if (size < least)
			continue;
		if (sscanf(line, "KernelPageSize: %" SCNu64 " kB", &value) == 1)
			m.page = value > m.page ? value : m.page;
		else if (sscanf(line, "AnonHugePages: %" SCNu64 " kB", &value) == 1 ||
			 sscanf(line, "ShmemPmdMapped: %" SCNu64 " kB", &value) == 1)
			m.thp += value;
		else if (sscanf(line, "Rss: %" SCNu64 " kB", &value) == 1)
			m.resident += value;
	}
	return m;
}

static void page_sizes(struct findings *f, const struct mapped *m)
{
	char size[FORMAT_MAX];

	if (m->page > 4)
		finding_add(f, FINDING_WRONG, "page-size",
			    "the VM's memory is in pages of %s (hugetlbfs): the balloon works in "
			    "4K and returns nothing of them; use ordinary memory",
			    format_size(size, m->page << 10));
	else if (m->thp > m->resident / 4 && m->thp > m->size / 16)
		finding_add(f, FINDING_ADVICE, "page-size",
			    "%s of it is in transparent huge pages of the host: fast, but a touch "
			    "takes 2M, and parts that come back are free only once the host is "
			    "short; never in transparent_hugepage/enabled keeps it small",
			    format_size(size, m->thp << 10));
	else if (m->page)
		finding_add(f, FINDING_GOOD, "page-size", "4K");
	else
		finding_add(f, FINDING_UNKNOWN, "page-size",
			    "the VMM's /proc/PID/smaps cannot be read; run it as root");
}

/* What it holds now: a VM that has just booted should hold a fraction of its RAM. */
static void holds(struct findings *f, const char *status, uint64_t ram)
{
	uint64_t held = (kib(status, "VmRSS") + kib(status, "HugetlbPages")) << 10;
	char a[FORMAT_MAX], b[FORMAT_MAX];

	if (ram && held >= ram)
		finding_add(f, FINDING_ADVICE, "resident",
			    "%s, all of its %s of RAM: nothing has come back, or all of it is in "
			    "use",
			    format_size(a, held), format_size(b, ram));
	else if (ram)
		finding_add(f, FINDING_GOOD, "resident", "%s of the %s of RAM",
			    format_size(a, held), format_size(b, ram));
}

void check_process(struct findings *f, const char *status, const char *smaps, uint64_t ram)
{
	uint64_t locked = kib(status, "VmLck"), pinned = kib(status, "VmPin");
	struct mapped m = mapped(smaps, ram);
	char size[FORMAT_MAX];

	if (locked > 1024)
		finding_add(f, FINDING_WRONG, "mlock",
			    "%s of the VMM's memory is locked: it is filled at once and stays; "
			    "leave out -overcommit mem-lock=on, and passed-through devices (VFIO)",
			    format_size(size, locked << 10));
	else
		finding_add(f, FINDING_GOOD, "mlock", "nothing is locked");
	if (pinned > 1024)
		finding_add(f, FINDING_WRONG, "pinned",
			    "%s is pinned for a passed-through device: the balloon returns "
			    "nothing; use virtio devices",
			    format_size(size, pinned << 10));
	page_sizes(f, &m);
	holds(f, status, ram);
}
