// SPDX-License-Identifier: GPL-2.0-only
/*
 * load - gives a Redis its data, asks it for a small hot set at a steady rate, or asks an HTTP
 * service now and then, and measures how long each answer takes.
 *
 *   load fill PORT MIB SECONDS           sets key:0, key:1, … to 4 kB each, until MIB or SECONDS
 *                                        are over; prints how many
 *   load ask  PORT NAME KEYS HOT RATE    asks for HOT of KEYS keys, spread evenly among them, one
 *                                        after the other and 8 to a request, RATE requests a
 *                                        second; a line of latencies a second goes to the host
 *   load http PORT NAME SECONDS          GETs a page each SECONDS; a line for each
 *
 * Requests are sent on their own clock, not when the last answer came, and latency counts from when
 * one was due: a stall then shows in all the requests that it delayed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "../hist.h"
#include "port.h"

/* With Redis's header it fills one of the allocator's blocks of 4 KiB, and so a page. */
#define VALUE_SIZE 4060
#define TEXT_SIZE (512 * 1024)
#define RECORDS 512 /* values that differ */
#define BATCH 128 /* requests of the filling that are under way */
#define ASKED 8 /* keys that a request of `ask` is for */

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int dial(int port, int tries)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int one = 1;

	for (; tries > 0; tries--) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return -errno;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			return fd;
		close(fd);
		sleep_until(now_ns() + 200000000);
	}
	return -ECONNREFUSED;
}

static int send_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/* --- RESP: what is read ahead of one answer stays for the next ------------------- */

struct conn {
	int fd;
	char buf[65536];
	size_t at, end;
};

static int conn_more(struct conn *c)
{
	ssize_t n;

	if (c->at) {
		memmove(c->buf, c->buf + c->at, c->end - c->at);
		c->end -= c->at;
		c->at = 0;
	}
	do
		n = recv(c->fd, c->buf + c->end, sizeof(c->buf) - c->end, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	c->end += (size_t)n;
	return 0;
}

/* One answer: +OK, -ERR, :1, or $LEN and its bytes. An error of Redis is -EPROTO. */
static int conn_answer(struct conn *c)
{
	for (;;) {
		char *start = c->buf + c->at, *eol = memchr(start, '\n', c->end - c->at);
		size_t need = eol ? (size_t)(eol + 1 - start) : SIZE_MAX;
		int r;

		if (eol && *start == '-')
			return -EPROTO;
		if (eol && *start == '$' && start[1] != '-')
			need += strtoul(start + 1, NULL, 10) + 2;
		if (need <= c->end - c->at) {
			c->at += need;
			return 0;
		}
		r = conn_more(c);
		if (r < 0)
			return r;
	}
}

/* --- fill ------------------------------------------------------------------------- */

/*
 * Records as a shop may keep them: a page of them compresses 2.9:1 by lz4, where bytes of one kind
 * would compress to nothing. A value is a piece of this.
 */
static void make_text(char *text)
{
	static const char *const states[] = { "pending", "delivered", "returned", "paid" };
	uint32_t state = 1;

	for (size_t at = 0; at < TEXT_SIZE;) {
		char record[128];
		uint32_t x = next_random(&state);
		int len = snprintf(record, sizeof(record),
				   "{\"order\":%u,\"customer\":\"c-%06x\",\"status\":\"%s\","
				   "\"amount\":%u.%02u,\"currency\":\"EUR\"},",
				   x >> 12, next_random(&state) & 0xffffff, states[x & 3], x % 900,
				   x % 100);

		for (int i = 0; i < len && at < TEXT_SIZE; i++)
			text[at++] = record[i];
	}
}

/* The records: each key will hold a copy of one. */
static int set_records(struct conn *c, const char *text)
{
	char request[128];
	int r = 0;

	for (int i = 0; r == 0 && i < RECORDS; i++) {
		int len = snprintf(request, sizeof(request),
				   "*3\r\n$3\r\nSET\r\n$10\r\nrecord:%03d\r\n$%d\r\n", i,
				   VALUE_SIZE);

		r = send_all(c->fd, request, (size_t)len);
		if (r == 0)
			r = send_all(c->fd, text + i * (TEXT_SIZE - VALUE_SIZE) / RECORDS,
				     VALUE_SIZE);
		if (r == 0)
			r = send_all(c->fd, "\r\n", 2);
		if (r == 0)
			r = conn_answer(c);
	}
	return r;
}

/*
 * Redis copies a record for each key: were each sent, an emulated processor would spend most of its
 * time in the network.
 */
static int copy_records(struct conn *c, uint32_t key, uint32_t *state)
{
	char requests[BATCH * 96], name[32];
	size_t len = 0;
	int r;

	for (uint32_t i = 0; i < BATCH; i++) {
		int name_len = snprintf(name, sizeof(name), "key:%u", key + i);

		len += (size_t)sprintf(requests + len,
				       "*3\r\n$4\r\nCOPY\r\n$10\r\nrecord:%03u\r\n$%d\r\n%s\r\n",
				       next_random(state) % RECORDS, name_len, name);
	}
	r = send_all(c->fd, requests, len);
	for (uint32_t i = 0; r == 0 && i < BATCH; i++)
		r = conn_answer(c);
	return r;
}

static int fill(int port, unsigned int mib, unsigned int seconds)
{
	static struct conn c;
	static char text[TEXT_SIZE];
	uint32_t keys = 0, state = 2463534242u;
	int64_t end;
	int r;

	make_text(text);
	c.fd = dial(port, 600);
	if (c.fd < 0)
		return c.fd;
	end = now_ns() + (int64_t)seconds * 1000000000;
	r = set_records(&c, text);
	for (; r == 0 && keys < mib * 256 && now_ns() < end; keys += BATCH)
		r = copy_records(&c, keys, &state);
	if (r == 0)
		printf("%u\n", keys);
	return r;
}

/* --- ask ---------------------------------------------------------------------------- */

static int send_latencies(const char *name, const struct hist *h)
{
	static char line[PORT_LINE_MAX];
	size_t len = (size_t)snprintf(line, sizeof(line), "{\"name\":\"%s\",\"hist\":[", name);
	const char *comma = "";

	for (unsigned int i = 0; i < HIST_SLOTS && len + 64 < sizeof(line); i++) {
		if (!h->count[i])
			continue;
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s[%u,%u]", comma, i,
					h->count[i]);
		comma = ",";
	}
	snprintf(line + len, sizeof(line) - len, "]}");
	return port_send("latency", line);
}

/* Like a page that is put together from several keys: they are asked for at once. */
static int ask_once(struct conn *c, uint32_t *next, uint32_t hot, uint32_t every)
{
	char request[ASKED * 64], key[32];
	size_t len = 0;
	int r;

	for (int i = 0; i < ASKED; i++) {
		int key_len = snprintf(key, sizeof(key), "key:%u", *next * every);

		len += (size_t)sprintf(request + len, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", key_len,
				       key);
		*next = (*next + 1) % hot;
	}
	r = send_all(c->fd, request, len);
	for (int i = 0; r == 0 && i < ASKED; i++)
		r = conn_answer(c);
	return r;
}

static int ask(int port, const char *name, uint32_t keys, uint32_t hot, unsigned int rate)
{
	static struct conn c;
	static struct hist h;
	int64_t due, second;
	uint32_t next = 0;
	int r;

	c.fd = dial(port, 600);
	if (c.fd < 0)
		return c.fd;
	due = now_ns();
	second = due + 1000000000;
	for (;;) {
		sleep_until(due);
		r = ask_once(&c, &next, hot, keys / hot);
		if (r < 0)
			return r;
		hist_add(&h, hist_slot((uint64_t)(now_ns() - due) / 1000), 1);
		due += 1000000000 / rate;
		/* A machine too slow for the rate would fall behind for ever; a stall is caught up.
		 */
		if (now_ns() - due > 2000000000)
			due = now_ns();
		if (now_ns() < second)
			continue;
		r = send_latencies(name, &h);
		if (r < 0)
			return r;
		memset(&h, 0, sizeof(h));
		second = now_ns() + 1000000000;
	}
}

/* --- http --------------------------------------------------------------------------- */

static int http_get(int port, unsigned int page)
{
	char request[96], buf[8192];
	int fd = dial(port, 1), len, r;
	size_t got = 0;

	if (fd < 0)
		return fd;
	len = snprintf(request, sizeof(request), "GET /%u HTTP/1.0\r\n\r\n", page);
	r = send_all(fd, request, (size_t)len);
	while (r == 0) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n > 0)
			got += (size_t)n;
		else if (n == 0)
			break;
		else if (errno != EINTR)
			r = -errno;
	}
	close(fd);
	return r ? r : got ? 0 : -EPROTO;
}

static int http(int port, const char *name, unsigned int seconds)
{
	for (unsigned int page = 0;; page++) {
		struct hist *h = calloc(1, sizeof(*h));
		int64_t begin = now_ns();
		int r = h ? http_get(port, page % 2) : -ENOMEM;

		if (r == 0) {
			hist_add(h, hist_slot((uint64_t)(now_ns() - begin) / 1000), 1);
			r = send_latencies(name, h);
		}
		free(h);
		if (r < 0)
			return r;
		sleep_until(begin + (int64_t)seconds * 1000000000);
	}
}

static unsigned int argument(int argc, char **argv, int i)
{
	return i < argc ? (unsigned int)strtoul(argv[i], NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int port = (int)argument(argc, argv, 2), r = -EINVAL;

	if (!strcmp(mode, "fill") && argc == 5)
		r = fill(port, argument(argc, argv, 3), argument(argc, argv, 4));
	else if (!strcmp(mode, "ask") && argc == 7 && argument(argc, argv, 5) &&
		 argument(argc, argv, 4) >= argument(argc, argv, 5) && argument(argc, argv, 6))
		r = ask(port, argv[3], argument(argc, argv, 4), argument(argc, argv, 5),
			argument(argc, argv, 6));
	else if (!strcmp(mode, "http") && argc == 5 && argument(argc, argv, 4))
		r = http(port, argv[3], argument(argc, argv, 4));
	if (r < 0)
		fprintf(stderr, "load %s: %s\n", mode, strerror(-r));
	return r < 0 ? 1 : 0;
}
