// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/dial.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exporter/sandbox.h"
#include "lib/cleanup.h"

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

static int connect_to(const struct sockaddr_un *to)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* The result, and with it the connection where there is one. */
static int send_result(int to, int result, int fd)
{
	union control control = { .room = { 0 } };
	struct iovec iov = { .iov_base = &result, .iov_len = sizeof(result) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void serve(int peer, const struct sockaddr_un *to)
{
	char request;
	ssize_t n;

	for (;;) {
		int fd;

		n = recv(peer, &request, 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		fd = connect_to(to);
		n = send_result(peer, fd < 0 ? fd : 0, fd);
		if (fd >= 0)
			close(fd);
		if (n < 0)
			return;
	}
}

int dialer_start(struct dialer *d, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	pid_t pid, parent = getpid();
	int pair[2];

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	/* SEQPACKET: a message is a message, and the end of the peer is seen. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int r = -errno;

		close(pair[0]);
		close(pair[1]);
		return r;
	}
	if (pid == 0) {
		/* Signals for the group (Ctrl-C) are the parent's to see; its end is ours. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || sandbox_keep_fd(pair[1]) < 0 ||
		    sandbox_enter_dialer() < 0)
			_exit(1);
		serve(SANDBOX_KEPT_FD, &to);
		_exit(0);
	}
	close(pair[1]);
	*d = (struct dialer){ .fd = pair[0], .pid = pid };
	return 0;
}

void dialer_stop(struct dialer *d)
{
	if (d->fd >= 0)
		close(d->fd);
	if (d->pid > 0)
		while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
			;
	*d = (struct dialer){ .fd = -1 };
}

bool dialer_ended(struct dialer *d)
{
	if (waitpid(d->pid, NULL, WNOHANG) != d->pid)
		return false;
	d->pid = 0;
	return true;
}

/* One answer; an answer to a question that was given up is the caller's to skip. */
static int receive(int from, int *ret_result, int *ret_fd)
{
	union control control = { .room = { 0 } };
	int result = 0;
	struct iovec iov = { .iov_base = &result, .iov_len = sizeof(result) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	const struct cmsghdr *c;
	ssize_t n = recvmsg(from, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (n != sizeof(result))
		return -EPIPE;
	*ret_fd = -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	*ret_result = result;
	return 0;
}

int dialer_dial(const struct dialer *d, int timeout_ms, int *ret_fd)
{
	struct pollfd p = { .fd = d->fd, .events = POLLIN };
	int result = 0, fd = -1, r;

	if (d->fd < 0)
		return -EPIPE;
	/* What came too late last time: unix connects wait only while a backlog is full. */
	while (receive(d->fd, &result, &fd) == 0)
		if (fd >= 0)
			close(fd);
	if (send(d->fd, "d", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
	do {
		r = poll(&p, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (r == 0)
		return -ETIMEDOUT;
	r = receive(d->fd, &result, &fd);
	if (r < 0)
		return r;
	if (result < 0 || fd < 0) {
		if (fd >= 0)
			close(fd);
		return result < 0 ? result : -EPIPE;
	}
	*ret_fd = fd;
	return 0;
}
