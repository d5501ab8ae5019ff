// SPDX-License-Identifier: GPL-2.0-only
/* What the host's lines change, and where the host is found. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
/* After sys/socket.h, which it needs. */
#include <linux/vm_sockets.h>

#include "act/balloon_int.h"
#include "lib/cleanup.h"
#include "lib/files.h"

#define PORTS "/sys/class/virtio-ports"

static unsigned int hear_welcome(struct balloon_talk *t, const struct channel_message *m)
{
	struct balloon_state *s = &t->state;

	/* Not to us: what an earlier connection left in the port. */
	if (strcmp(m->session, t->session) != 0)
		return 0;
	t->asked_ns = 0;
	s->min = m->min;
	s->max = m->max;
	s->link = BALLOON_TALKING;
	s->reason[0] = '\0';
	return HEARD(BALLOON_LINK);
}

static unsigned int hear_ack(struct balloon_talk *t, const struct channel_message *m,
			     uint64_t now_ns)
{
	struct balloon_state *s = &t->state;

	if (m->seq == 0 || m->seq > s->seq || m->seq < s->ack_seq)
		return 0;
	/* An answer to an earlier one shows that the host lives, no more. */
	if (t->asked_ns)
		t->asked_ns = m->seq == s->seq ? 0 : now_ns;
	if (m->seq == s->seq && s->ack_seq != m->seq) {
		s->rtt_ns = now_ns - t->lease_ns;
		s->acked++;
	}
	s->ack_seq = m->seq;
	s->ack_ms = now_ns / 1000000;
	s->applied = m->applied;
	s->actual = m->actual;
	s->resident = m->resident;
	s->clamp = m->clamp;
	s->ttl_ms = m->ttl_ms;
	return HEARD(BALLOON_ACK);
}

unsigned int balloon_hear(struct balloon_talk *t, const char *line, size_t len, uint64_t now_ns)
{
	struct balloon_state *s = &t->state;
	struct channel_message m;
	int r = channel_parse(line, len, &m);

	if (r == -EPROTO)
		return 0; /* of a later version */
	if (r) {
		s->bad++;
		return 0;
	}
	if (m.type == CHANNEL_WELCOME)
		return hear_welcome(t, &m);
	if (s->link != BALLOON_TALKING)
		return 0;
	switch (m.type) {
	case CHANNEL_ACK:
		return hear_ack(t, &m, now_ns);
	case CHANNEL_PRESSURE:
		if (m.level == s->level && m.need == s->need)
			return 0;
		s->level = m.level;
		s->need = m.need;
		return HEARD(BALLOON_PRESSURE);
	case CHANNEL_ERROR:
		snprintf(s->reason, sizeof(s->reason), "the host: %.80s", m.text);
		t->again = true;
		return 0;
	default:
		s->bad++; /* a guest's line */
		return 0;
	}
}

unsigned int balloon_lose(struct balloon_talk *t, enum balloon_link link, const char *reason)
{
	struct balloon_state *s = &t->state;
	unsigned int heard = 0;

	if (s->link != link)
		heard |= HEARD(BALLOON_LINK);
	if (s->link == BALLOON_TALKING)
		s->lost++;
	/* Without a host nobody gains from what is given back. */
	if (s->level != CHANNEL_LEVEL_NONE || s->need)
		heard |= HEARD(BALLOON_PRESSURE);
	s->link = link;
	s->level = CHANNEL_LEVEL_NONE;
	s->need = 0;
	s->seq = s->ack_seq = s->ack_ms = 0;
	s->applied = s->actual = s->resident = s->ttl_ms = 0;
	s->clamp = CHANNEL_CLAMP_NONE;
	if (reason != s->reason)
		snprintf(s->reason, sizeof(s->reason), "%s", reason);
	t->asked_ns = 0;
	t->again = false;
	return heard;
}

/* The node of the port by its name: udev's link may be missing (containers' hosts without udev). */
static int open_by_name(void)
{
	_cleanup_closedir_ DIR *dir = opendir(PORTS);
	struct dirent *entry;

	if (!dir)
		return -ENOENT;
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((entry = readdir(dir))) {
		char path[300], name[64];
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/name", entry->d_name);
		if (read_line_at(dirfd(dir), path, name, sizeof(name)) < 0 ||
		    strcmp(name, EBB_CHANNEL_NAME) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

int balloon_open_port(const char *path)
{
	int fd = open(path ? path : EBB_CHANNEL_PORT, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT && !path)
		return open_by_name();
	return -errno;
}

int balloon_open_vsock(uint32_t cid, uint32_t port)
{
	struct sockaddr_vm to = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
	_cleanup_close_ int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}
