// SPDX-License-Identifier: GPL-2.0-only
#include "fake_host.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../unit/scratch.h"
#include "broker/broker_int.h"

#define WAKE_MS 5

static void on_wake(uv_timer_t *timer)
{
}

const char *fake_host_path(struct fake_host *h, const char *name, int i)
{
	static char path[4][128];
	static unsigned int at;
	char *p = path[at++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s%d", h->dir, name, i);
	return p;
}

static void write_file(struct fake_host *h, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

void fake_host_memory(struct fake_host *h, uint64_t total, uint64_t available, const char *some)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "MemTotal:       %8" PRIu64 " kB\nMemFree:        %8" PRIu64
		 " kB\nMemAvailable:   %8" PRIu64 " kB\n",
		 total >> 10, available >> 11, available >> 10);
	write_file(h, "meminfo", text);
	snprintf(text, sizeof(text),
		 "some avg10=%s avg60=0.00 avg300=0.00 total=0\n"
		 "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
		 some);
	write_file(h, "pressure/memory", text);
}

void fake_host_process(struct fake_host *h, int pid, uint64_t size, uint64_t resident,
		       uint64_t huge)
{
	char name[64], text[256];

	snprintf(name, sizeof(name), "%s/%d", h->dir, pid);
	mkdir(name, 0700);
	snprintf(name, sizeof(name), "%d/status", pid);
	snprintf(text, sizeof(text),
		 "Name:\tvmm\nVmSize:\t%" PRIu64 " kB\nVmRSS:\t%" PRIu64
		 " kB\nHugetlbPages:\t%" PRIu64 " kB\n",
		 size >> 10, resident >> 10, huge >> 10);
	write_file(h, name, text);
}

int fake_host_setup(struct fake_host *h)
{
	char path[128];

	signal(SIGPIPE, SIG_IGN); /* as the broker's main does: either end may go first */
	memset(h, 0, sizeof(*h));
	h->shrink = 4 * GiB;
	strcpy(h->dir, "/tmp/ebb-broker-XXXXXX");
	if (scratch_make(h->dir))
		return -1;
	snprintf(path, sizeof(path), "%s/pressure", h->dir);
	if (mkdir(path, 0700) || uv_loop_init(&h->loop))
		return -1;
	fake_host_memory(h, 64 * GiB, 32 * GiB, "0.00");
	uv_timer_init(&h->loop, &h->wake);
	uv_timer_start(&h->wake, on_wake, WAKE_MS, WAKE_MS);
	broker_config_defaults(&h->broker.config);
	snprintf(h->broker.config.socket, sizeof(h->broker.config.socket), "%s/run/status", h->dir);
	return 0;
}

void fake_host_vm(struct fake_host *h, int i, enum vmm_kind kind, uint64_t ram, uint64_t min,
		  uint64_t max)
{
	struct vm_config c = { .kind = kind, .min = min, .max = max, .shrink = h->shrink };

	snprintf(c.name, sizeof(c.name), "vm%d", i);
	strcpy(c.vmm, fake_host_path(h, "vmm", i));
	strcpy(c.channel, fake_host_path(h, "channel", i));
	c.mode = CHANNEL_MODE_UNIX;
	h->vmm[i].kind = kind;
	if (fake_vmm_open(&h->vmm[i], &h->loop, c.vmm, ram) ||
	    fake_guest_open(&h->guest[i], &h->loop, c.channel) ||
	    broker_config_add(&h->broker.config, &c))
		abort();
}

void fake_host_run(struct fake_host *h)
{
	if (!h->broker.config.socket[0])
		abort();
	h->broker.proc = h->dir;
	if (broker_open(&h->broker, &h->loop))
		abort();
	h->running = true;
	h->stopped = false;
}

static void on_stopped(struct broker *b)
{
	struct fake_host *h = (struct fake_host *)((char *)b - offsetof(struct fake_host, broker));

	h->stopped = true;
}

void fake_host_stop(struct fake_host *h)
{
	if (!h->running)
		return;
	broker_stop(&h->broker, on_stopped);
	if (!until(h, 20000, h->stopped))
		abort();
	pass(h, 20); /* what is still to be closed */
	h->running = false;
	memset(&h->broker, 0, sizeof(h->broker));
}

/* Nothing is asked of the VMMs: what SIGKILL leaves. */
void fake_host_kill(struct fake_host *h)
{
	h->broker.config.dry_run = true;
	fake_host_stop(h);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void fake_host_teardown(struct fake_host *h)
{
	char command[128];

	fake_host_stop(h);
	broker_config_free(&h->broker.config);
	for (int i = 0; i < FAKE_VMS; i++) {
		fake_vmm_close(&h->vmm[i]);
		fake_guest_close(&h->guest[i]);
	}
	uv_close((uv_handle_t *)&h->wake, NULL);
	uv_run(&h->loop, UV_RUN_DEFAULT);
	uv_walk(&h->loop, close_handle, NULL);
	uv_run(&h->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&h->loop))
		abort(); /* a handle was left behind */
	snprintf(command, sizeof(command), "rm -rf %s", h->dir);
	if (system(command))
		abort();
}

bool fake_host_lease(struct fake_host *h, int i, uint64_t want, uint64_t ttl_ms)
{
	struct fake_guest *g = &h->guest[i];
	unsigned int acks = g->acks;

	if (!g->welcomes) {
		if (!until(h, 5000, g->up && h->broker.vms))
			return false;
		fake_guest_hello(g, "0123456789abcdef", "boot-1", "");
		if (!until(h, 5000, g->welcomes))
			return false;
	}
	fake_guest_lease(g, g->ack.seq + 1, want, ttl_ms);
	return until(h, 5000, g->acks > acks);
}
