// SPDX-License-Identifier: GPL-2.0-only
#include "broker/host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/files.h"

/* "KEY:   123 kB" at the start of a line; bytes. */
static int meminfo(const char *text, const char *key, uint64_t *ret)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		uint64_t kib;

		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ':' &&
		    sscanf(line + len + 1, "%" SCNu64 " kB", &kib) == 1) {
			*ret = kib << 10;
			return 0;
		}
	}
	return -ENODATA;
}

int host_resident(const char *proc, int pid, uint64_t ram, uint64_t *ret)
{
	uint64_t size, resident, huge = 0;
	char path[256], text[4096];

	snprintf(path, sizeof(path), "%s/%d/status", proc, pid);
	if (pid <= 0 || read_file_at(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
	    meminfo(text, "VmSize", &size) || meminfo(text, "VmRSS", &resident) || size < ram)
		return -ESRCH;
	meminfo(text, "HugetlbPages", &huge);
	*ret = resident + huge;
	return 0;
}

/* "some avg10=1.23 …" */
static uint32_t average(const char *text, const char *kind)
{
	const char *line = strstr(text, kind);
	unsigned int percent, hundredths;

	if (!line || sscanf(line + strlen(kind), " avg10=%3u.%2u", &percent, &hundredths) != 2)
		return 0;
	return percent * 10000 + hundredths * 100;
}

int host_read(const char *proc, struct host_sample *ret)
{
	_cleanup_close_ int dir = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct host_sample s = { 0 };
	char text[8192];
	ssize_t n;

	if (dir < 0)
		return -errno;
	n = read_file_at(dir, "meminfo", text, sizeof(text));
	if (n < 0)
		return (int)n;
	if (meminfo(text, "MemTotal", &s.total) || meminfo(text, "MemAvailable", &s.available))
		return -ENODATA;
	if (read_file_at(dir, "pressure/memory", text, sizeof(text)) > 0) {
		s.some_ppm = average(text, "some");
		s.full_ppm = average(text, "full");
	}
	*ret = s;
	return 0;
}

static enum channel_level level_of(const struct host_state *h)
{
	if (h->held < 0)
		return CHANNEL_LEVEL_HIGH;
	return h->asked < 0 ? CHANNEL_LEVEL_LOW : CHANNEL_LEVEL_NONE;
}

struct host_state host_judge(const struct host_sample *s, uint64_t reserve)
{
	uint64_t mark = reserve ? reserve : s->total / 10;
	struct host_state h;

	h.asked = (int64_t)s->available - (int64_t)mark;
	h.held = (int64_t)s->available - (int64_t)(mark / 2);
	if (s->some_ppm >= HOST_SOME_PPM || s->full_ppm >= HOST_FULL_PPM) {
		int64_t less = -(int64_t)(mark / 4);

		h.asked = h.asked < 2 * less ? h.asked : 2 * less;
		h.held = h.held < less ? h.held : less;
	}
	h.level = level_of(&h);
	return h;
}

struct host_state host_budget(struct host_state h, uint64_t budget, uint64_t used)
{
	int64_t all = used < INT64_MAX ? (int64_t)used : INT64_MAX;
	int64_t held = (int64_t)budget - all, asked = held - (int64_t)(budget / 8);

	h.held = held < h.held ? held : h.held;
	h.asked = asked < h.asked ? asked : h.asked;
	h.level = level_of(&h);
	return h;
}
