// SPDX-License-Identifier: GPL-2.0-only
/*
 * zipf - fills a Redis, and asks it for keys of which few are asked for often and most hardly ever.
 *
 * usage: zipf fill PORT MIB           sets key:0, key:1, … to 4 kB each
 *        zipf ask PORT KEYS RATE [--skew S] [--status FILE]
 *                                     RATE requests a second, the n-th key with weight 1 / n^S
 * (0.99); which key is the n-th is scattered among them
 *
 * Requests are sent on their own clock, not when the last answer came, and their latency counts
 * from when one was due: a stall shows in all the requests that it delayed.
 *
 * SIGUSR1: write the status file (JSON). SIGUSR2: count from here. SIGTERM: end, 0 only if every
 * answer was right.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#include "work.h"

/* With Redis's header it fills one of the allocator's blocks of 4 KiB, and so a page. */
#define VALUE_SIZE 4060
#define UNDER_WAY 64 /* requests of the filling */

static volatile sig_atomic_t told_report, told_reset, told_end;

struct asker {
	int fd;
	size_t keys;
	double *upto; /* share of the requests that go to the first n + 1 ranks */
	const char *status;
	struct durations *took;
	size_t wrong;
};

static int redis_connect(unsigned long port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("zipf: redis");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* A signal in between is looked at by who called. */
static void send_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR) {
			perror("zipf: send");
			exit(1);
		}
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
}

static void recv_all(int fd, char *data, size_t size)
{
	while (size) {
		ssize_t n = recv(fd, data, size, 0);

		if (n == 0 || (n < 0 && errno != EINTR)) {
			fprintf(stderr, "zipf: redis hung up\n");
			exit(1);
		}
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
}

/* A quarter does not compress, as in the other works' pages. */
static void value_of(size_t key, char *ret)
{
	uint64_t page[PAGE_WORDS];

	page_fill(page, key, 25);
	memcpy(ret, page, VALUE_SIZE);
}

static int fill(unsigned long port, unsigned long mib)
{
	static char request[VALUE_SIZE + 128], answer[5 * UNDER_WAY];
	size_t keys = mib * MIB / PAGE, waiting = 0;
	int fd = redis_connect(port);

	for (size_t key = 0; key < keys; key++) {
		char name[32];
		int len = snprintf(name, sizeof(name), "key:%zu", key);
		int head = snprintf(request, sizeof(request),
				    "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n", len, name,
				    VALUE_SIZE);

		value_of(key, request + head);
		memcpy(request + head + VALUE_SIZE, "\r\n", 2);
		send_all(fd, request, (size_t)head + VALUE_SIZE + 2);
		if (++waiting < UNDER_WAY && key + 1 < keys)
			continue;
		recv_all(fd, answer, 5 * waiting); /* +OK\r\n */
		for (size_t i = 0; i < waiting; i++)
			if (memcmp(answer + 5 * i, "+OK\r\n", 5) != 0) {
				fprintf(stderr, "zipf: redis refused key %zu\n",
					key - waiting + 1 + i);
				return 1;
			}
		waiting = 0;
	}
	printf("%zu\n", keys);
	return 0;
}

/* Ranks to keys, one to one: a step that has no divisor in common with the number of keys. */
static size_t key_of_rank(size_t rank, size_t keys)
{
	size_t step = keys / 2 + 1, a, b, t;

	for (;; step++) {
		for (a = step, b = keys; b; t = a % b, a = b, b = t)
			;
		if (a == 1)
			return rank * step % keys;
	}
}

static size_t next_key(const struct asker *a, uint64_t *seed)
{
	double u =
		(double)((*seed = mix(*seed + 0x9e3779b97f4a7c15ULL)) >> 11) / 9007199254740992.0;
	size_t low = 0, high = a->keys - 1;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (a->upto[middle] < u)
			low = middle + 1;
		else
			high = middle;
	}
	return key_of_rank(low, a->keys);
}

static void ask_for(struct asker *a, size_t key)
{
	static char want[VALUE_SIZE], got[VALUE_SIZE + 16];
	char request[64], name[32];
	int len = snprintf(name, sizeof(name), "key:%zu", key);
	int size =
		snprintf(request, sizeof(request), "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len, name);

	send_all(a->fd, request, (size_t)size);
	recv_all(a->fd, got, VALUE_SIZE + 9); /* $4060\r\n … \r\n */
	value_of(key, want);
	if (memcmp(got, "$4060\r\n", 7) != 0 || memcmp(got + 7, want, VALUE_SIZE) != 0)
		a->wrong++;
}

static void report(struct asker *a)
{
	status_write(a->status,
		     "{\"operations\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"wrong\":%zu}\n",
		     a->took->count, durations_quantile(a->took, 0.5),
		     durations_quantile(a->took, 0.99), a->wrong);
}

static int ask(struct asker *a, double rate)
{
	uint64_t seed = 1;
	double due = now_ms();

	while (!told_end) {
		double left = due - now_ms();

		if (told_report) {
			told_report = 0;
			report(a);
		}
		if (told_reset) {
			told_reset = 0;
			a->took->count = 0;
		}
		if (left > 0) {
			usleep((useconds_t)(left * 1e3));
			continue;
		}
		ask_for(a, next_key(a, &seed));
		durations_add(a->took, now_ms() - due);
		due += 1e3 / rate;
	}
	return a->wrong ? 1 : 0;
}

static void on_signal(int signo)
{
	*(signo == SIGUSR1 ? &told_report : signo == SIGUSR2 ? &told_reset : &told_end) = 1;
}

static int asker_open(struct asker *a, unsigned long port, double skew)
{
	double sum = 0;

	a->upto = calloc(a->keys, sizeof(*a->upto));
	a->took = calloc(1, sizeof(*a->took));
	if (!a->upto || !a->took)
		return -ENOMEM;
	for (size_t n = 0; n < a->keys; n++)
		a->upto[n] = sum += pow((double)(n + 1), -skew);
	for (size_t n = 0; n < a->keys; n++)
		a->upto[n] /= sum;
	a->fd = redis_connect(port);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: zipf fill PORT MIB\n"
			"       zipf ask PORT KEYS RATE [--skew S] [--status FILE]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "skew", required_argument, NULL, 'k' },
		{ "status", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct sigaction act = { .sa_handler = on_signal };
	struct asker a = { 0 };
	double skew = 0.99;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'k')
			skew = strtod(optarg, NULL);
		else if (opt == 's')
			a.status = optarg;
		else
			return usage();
	}
	argv += optind;
	argc -= optind;
	if (argc == 3 && !strcmp(argv[0], "fill"))
		return fill(number_or_die(argv[1], 1), number_or_die(argv[2], 1));
	if (argc != 4 || strcmp(argv[0], "ask") != 0)
		return usage();
	a.keys = number_or_die(argv[2], 1);
	for (const int *s = (const int[]){ SIGUSR1, SIGUSR2, SIGTERM, SIGINT, 0 }; *s; s++)
		sigaction(*s, &act, NULL);
	if (asker_open(&a, number_or_die(argv[1], 1), skew) < 0) {
		perror("zipf");
		return 1;
	}
	return ask(&a, (double)number_or_die(argv[3], 1));
}
