// SPDX-License-Identifier: GPL-2.0-only
/*
 * slow SOCKET [READERS] - what clients that do not read cost ebbd's loop.
 *
 * fake_ebbd counts the turns of a timer of 5 ms in the loop that answers. First nobody is there;
 * then READERS ask for the list and read nothing: while their answers are made, and while those
 * lie there; at last they must be dropped. PASS: while they stall the timer turns at least four
 * fifths as often as before: a loop that waited for one of them would not turn at all.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "ebb/wire.h"

#define MAX_READERS (EBB_WIRE_CLIENTS_MAX - 4)
#define QUIET_S 2
#define STALL_S 3 /* less than EBB_WIRE_STALL_MS */

struct turns {
	json_int_t count; /* of the timer */
	json_int_t us; /* in so long */
	json_int_t worst_us; /* late by so much at most */
};

static int connect_to(const char *path, int receive_bytes)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		perror(path);
		exit(1);
	}
	if (receive_bytes)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
	return fd;
}

static void say(int fd, const char *line)
{
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0) {
		perror("send");
		exit(1);
	}
}

/* The turns since the last call, or since the timer began. */
static struct turns turns_of(int control)
{
	static char buf[1024];
	struct turns t = { 0 };
	json_t *answer;
	ssize_t n;

	say(control, "{\"cmd\":\"turns\"}\n");
	n = recv(control, buf, sizeof(buf), 0);
	answer = n > 0 ? json_loadb(buf, (size_t)n, 0, NULL) : NULL;
	if (json_unpack(answer, "{s:{s:I,s:I,s:I}}", "data", "count", &t.count, "us", &t.us,
			"worst_us", &t.worst_us)) {
		fprintf(stderr, "slow: no turns in the answer\n");
		exit(1);
	}
	json_decref(answer);
	return t;
}

static double per_second(struct turns t)
{
	return t.us ? (double)t.count * 1e6 / (double)t.us : 0;
}

static void show(const char *when, struct turns t)
{
	printf("    %s: %.0f turns/s, the latest %.1f ms late\n", when, per_second(t),
	       (double)t.worst_us / 1000);
}

/* How many of them the server has hung up on. */
static int dropped(struct pollfd *readers, int n)
{
	int gone = 0;

	for (int i = 0; i < n; i++) {
		readers[i].revents = 0;
		poll(&readers[i], 1, 0);
		gone += !!(readers[i].revents & (POLLHUP | POLLERR | POLLRDHUP));
	}
	return gone;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 32, control, gone = 0;
	struct pollfd readers[MAX_READERS];
	struct turns quiet, making, stalled;
	bool good;

	if (argc < 2 || n < 1 || n > MAX_READERS) {
		fprintf(stderr, "usage: slow SOCKET [READERS]  (at most %d)\n", MAX_READERS);
		return 2;
	}
	control = connect_to(argv[1], 0);
	turns_of(control);
	sleep(QUIET_S);
	quiet = turns_of(control);
	for (int i = 0; i < n; i++) {
		readers[i] = (struct pollfd){ connect_to(argv[1], 4096), POLLRDHUP, 0 };
		say(readers[i].fd, "{\"cmd\":\"list\"}\n");
	}
	usleep(500000);
	making = turns_of(control);
	sleep(STALL_S);
	stalled = turns_of(control);
	gone = dropped(readers, n);
	show("nobody there", quiet);
	show("answers are made", making);
	show("nobody reads them", stalled);
	good = !gone && per_second(stalled) * 5 >= per_second(quiet) * 4;
	printf("%s slow readers: %d of them do not hold up the loop\n", good ? "PASS" : "FAIL", n);
	for (int i = 0; i < 100 && gone < n; i++) {
		usleep(100000);
		gone = dropped(readers, n);
	}
	printf("%s slow readers: %d of %d are dropped\n", gone == n ? "PASS" : "FAIL", gone, n);
	return good && gone == n ? 0 : 1;
}
