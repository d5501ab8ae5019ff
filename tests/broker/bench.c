// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench BROKER [GUESTS] [SECONDS]: one ebb-broker with many guests. Each has a QMP and a channel
 * that are none (fake_vmm.c), and renews its lease three times a second with a size that moves.
 * Prints how long acks took and what the broker needed in memory for each guest; fails above 10 ms
 * at the 99th percentile or 16 KiB a guest.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_vmm.h"
#include "lib/channel.h"

#define GUESTS_MAX 1000
#define GiB (1ull << 30)
#define EVERY_MS 333
#define P99_MAX_US 10000
#define GUEST_MAX_BYTES (16u << 10)

struct guest {
	uv_pipe_t listener;
	struct stream stream;
	uv_timer_t timer;
	struct channel_reader reader;
	char line[EBB_CHANNEL_LINE_MAX];
	uint64_t seq, sent_ns;
	bool welcome;
};

static struct {
	uv_loop_t loop;
	char dir[64];
	struct guest *guests;
	size_t n, up;
	uint32_t *us; /* each ack's round trip */
	size_t acks, max;
	pid_t broker, vmms;
} b;

static void say(struct guest *g, const struct channel_message *m)
{
	char line[1024];
	int n = channel_format(line, sizeof(line), m);

	stream_write(&g->stream, line, (size_t)n);
}

static void on_turn(uv_timer_t *timer)
{
	struct guest *g = timer->data;

	if (!g->welcome)
		return;
	g->sent_ns = uv_hrtime();
	g->seq++;
	say(g, &(struct channel_message){ .type = CHANNEL_LEASE,
					  .seq = g->seq,
					  .want = GiB + (g->seq % 8) * (GiB / 8),
					  .ttl_ms = 10000 });
}

static void on_data(struct stream *s, const char *data, size_t len)
{
	struct guest *g = s->arg;
	size_t line;

	while (channel_read(&g->reader, &data, &len, &line)) {
		struct channel_message m;

		if (channel_parse(g->line, line, &m))
			continue;
		if (m.type == CHANNEL_WELCOME && !g->welcome) {
			g->welcome = true;
			b.up++;
		} else if (m.type == CHANNEL_ACK && m.seq == g->seq && g->sent_ns) {
			if (b.acks < b.max)
				b.us[b.acks++] = (uint32_t)((uv_hrtime() - g->sent_ns) / 1000);
			g->sent_ns = 0;
		}
	}
}

static void on_opened(struct stream *s)
{
	struct guest *g = s->arg;
	struct channel_message m = { .type = CHANNEL_HELLO,
				     .version = EBB_CHANNEL_VERSION,
				     .session = "0123456789abcdef",
				     .boot = "bench",
				     .agent = "bench" };

	say(g, &m);
}

static void on_ended(struct stream *s, int error)
{
}

static const struct stream_ops ops = { on_opened, on_data, on_ended };

static void on_connection(uv_stream_t *listener, int status)
{
	struct guest *g = listener->data;

	stream_accept(&g->stream, listener);
}

static int open_guest(struct guest *g, size_t i)
{
	char path[128];
	int r;

	g->reader = (struct channel_reader){ .buf = g->line, .size = sizeof(g->line) };
	stream_init(&g->stream, &b.loop, &ops, g);
	uv_pipe_init(&b.loop, &g->listener, 0);
	g->listener.data = g;
	snprintf(path, sizeof(path), "%s/channel%zu", b.dir, i);
	r = uv_pipe_bind(&g->listener, path);
	if (!r)
		r = uv_listen((uv_stream_t *)&g->listener, 1, on_connection);
	uv_timer_init(&b.loop, &g->timer);
	g->timer.data = g;
	/* Spread out, as guests are. */
	uv_timer_start(&g->timer, on_turn, 1 + i % EVERY_MS, EVERY_MS);
	return r;
}

/* The VMMs, in a process of their own: what they take is not to count as the broker's. */
static int start_vmms(void)
{
	char path[128];

	b.vmms = fork();
	if (b.vmms)
		return b.vmms < 0 ? -errno : 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	uv_loop_init(&b.loop);
	for (size_t i = 0; i < b.n; i++) {
		struct fake_vmm *vmm = calloc(1, sizeof(*vmm));

		snprintf(path, sizeof(path), "%s/qmp%zu", b.dir, i);
		vmm->kind = VMM_QMP;
		if (fake_vmm_open(vmm, &b.loop, path, 4 * GiB))
			_exit(1);
	}
	uv_run(&b.loop, UV_RUN_DEFAULT);
	_exit(1);
}

static int start_broker(const char *program)
{
	char path[128], socket[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/conf", b.dir);
	snprintf(socket, sizeof(socket), "%s/status", b.dir);
	f = fopen(path, "we");
	if (!f)
		return -errno;
	for (size_t i = 0; i < b.n; i++)
		fprintf(f,
			"[vm \"vm%zu\"]\nvmm = qmp:%s/qmp%zu\nchannel = %s/channel%zu\nmin = 512M\n"
			"max = 4G\n",
			i, b.dir, i, b.dir, i);
	fclose(f);
	b.broker = fork();
	if (b.broker == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(126);
		execl(program, program, "--config", path, "--socket", socket, (char *)NULL);
		_exit(127);
	}
	return b.broker < 0 ? -errno : 0;
}

/* Private memory of a process, bytes: what it has of its own, without what libraries share. */
static uint64_t private_bytes(pid_t pid)
{
	uint64_t sum = 0, kib;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Private_Dirty: %" SCNu64, &kib) == 1)
			sum += kib << 10;
	if (f)
		fclose(f);
	return sum;
}

static int by_value(const void *a, const void *c)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)c;

	return x < y ? -1 : x > y;
}

static void run_for(uint64_t ms, size_t until_up)
{
	uint64_t end = uv_hrtime() + ms * 1000000;

	while (uv_hrtime() < end && (!until_up || b.up < until_up))
		uv_run(&b.loop, UV_RUN_ONCE);
}

static void report(uint64_t base, double seconds)
{
	uint64_t each = (private_bytes(b.broker) - base) / b.n;
	struct rusage used;
	size_t acks = b.acks;
	uint32_t p50, p99, most;

	qsort(b.us, b.acks, sizeof(b.us[0]), by_value);
	p50 = b.us[acks / 2];
	p99 = b.us[acks * 99 / 100];
	most = b.us[acks - 1];
	kill(b.broker, SIGTERM);
	/* It waits for the VMMs to take the full size: they are served meanwhile. */
	while (waitpid(b.broker, NULL, WNOHANG) == 0)
		run_for(20, 0);
	getrusage(RUSAGE_CHILDREN, &used);
	printf("guests %zu, acks %zu, us: p50 %u p99 %u max %u, bytes a guest %" PRIu64
	       ", cpu %.1f%%\n",
	       b.n, acks, p50, p99, most, each,
	       100 *
		       ((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
			(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6) /
		       seconds);
	printf("%s acks: p99 at most %d us\n", p99 <= P99_MAX_US ? "PASS" : "FAIL", P99_MAX_US);
	printf("%s memory: at most %u bytes a guest\n", each <= GUEST_MAX_BYTES ? "PASS" : "FAIL",
	       GUEST_MAX_BYTES);
	exit(p99 > P99_MAX_US || each > GUEST_MAX_BYTES);
}

static int fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	if (b.broker > 0)
		kill(b.broker, SIGKILL);
	return 1;
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", b.dir);
	if (b.vmms > 0)
		kill(b.vmms, SIGKILL);
	if (system(command))
		fail("cannot clean up");
}

int main(int argc, char **argv)
{
	unsigned long seconds = argc > 3 ? strtoul(argv[3], NULL, 10) : 20;
	size_t wanted = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
	uint64_t base;

	if (argc < 2 || !wanted || wanted > GUESTS_MAX || !seconds)
		return fail("usage: bench BROKER [GUESTS] [SECONDS]");
	signal(SIGPIPE, SIG_IGN);
	strcpy(b.dir, "/tmp/ebb-bench-XXXXXX");
	if (!mkdtemp(b.dir))
		return fail("no folder");
	atexit(remove_dir);
	b.n = wanted;
	if (start_vmms())
		return fail("cannot start the VMMs");
	uv_loop_init(&b.loop);
	b.guests = calloc(wanted, sizeof(*b.guests));
	b.max = wanted * seconds * 4;
	b.us = calloc(b.max, sizeof(*b.us));
	if (!b.guests || !b.us)
		return fail("no memory");
	/* With one guest first: what the broker needs for itself. */
	for (b.n = 0; b.n < wanted; b.n++)
		if (open_guest(&b.guests[b.n], b.n))
			return fail("cannot listen");
	b.n = 1;
	if (start_broker(argv[1]))
		return fail("cannot start the broker");
	run_for(20000, 1);
	run_for(2000, 0);
	base = private_bytes(b.broker);
	kill(b.broker, SIGKILL);
	waitpid(b.broker, NULL, 0);
	run_for(200, 0);
	b.guests[0].welcome = false;
	b.guests[0].seq = 0;
	b.up = b.acks = 0;
	b.n = wanted;
	if (start_broker(argv[1]))
		return fail("cannot start the broker");
	run_for(20000, wanted);
	if (b.up < wanted)
		return fail("not all guests were found");
	b.acks = 0;
	run_for(seconds * 1000, 0);
	if (b.acks < wanted)
		return fail("not all guests were answered");
	report(base, (double)seconds);
}
