// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metrics for Prometheus, by libmicrohttpd on the broker's own loop: its epoll
 * descriptor is one more to be watched, and there are no threads.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
#include "lib/cleanup.h"

#define CONNECTIONS_MAX 16
#define TIMEOUT_S 10
#define TURNS_MAX 8

struct metrics {
	struct broker *broker;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
};

/* --- the text -------------------------------------------------------------------- */

enum kind { GAUGE, COUNTER };

/* A metric with one sample a VM. */
struct per_vm {
	const char *name;
	enum kind kind;
	const char *help;
	uint64_t (*value)(const struct vm *vm);
	bool (*known)(const struct vm *vm); /* without it there is no sample; NULL: always */
};

static uint64_t vm_up(const struct vm *vm)
{
	return vm->vmm_up;
}

static uint64_t guest_up(const struct vm *vm)
{
	return vm->guest.hello;
}

static uint64_t leased(const struct vm *vm)
{
	return vm->lease.held;
}

static uint64_t size(const struct vm *vm)
{
	return vm->target;
}

static uint64_t actual(const struct vm *vm)
{
	return vm->actual;
}

static uint64_t resident(const struct vm *vm)
{
	return vm->resident;
}

static uint64_t want(const struct vm *vm)
{
	return vm->lease.want;
}

static bool is_leased(const struct vm *vm)
{
	return vm->lease.held;
}

/* 0 stands for not known in these. */
static bool size_is_known(const struct vm *vm)
{
	return vm->target;
}

static bool actual_is_known(const struct vm *vm)
{
	return vm->actual;
}

static bool resident_is_known(const struct vm *vm)
{
	return vm->resident;
}

static bool limits_are_known(const struct vm *vm)
{
	return vm->limits.max;
}

static uint64_t min(const struct vm *vm)
{
	return vm->limits.min;
}

static uint64_t max(const struct vm *vm)
{
	return vm->limits.max;
}

static uint64_t need(const struct vm *vm)
{
	return vm->need;
}

static uint64_t leases(const struct vm *vm)
{
	return vm->counts.leases;
}

static uint64_t sets(const struct vm *vm)
{
	return vm->counts.sets;
}

static uint64_t set_errors(const struct vm *vm)
{
	return vm->counts.set_errors;
}

/* clang-format off */
static const struct per_vm per_vm[] = {
	{ "vmm_up", GAUGE, "Whether the VMM answers.", vm_up, NULL },
	{ "guest_up", GAUGE, "Whether the guest's daemon is connected.", guest_up, NULL },
	{ "leased", GAUGE, "Whether the guest holds a lease; without one the VM has its full size.", leased, NULL },
	{ "size_bytes", GAUGE, "Size asked of the VMM.", size, size_is_known },
	{ "actual_bytes", GAUGE, "Size that the VMM reports.", actual, actual_is_known },
	{ "resident_bytes", GAUGE, "Memory that the VMM's process holds.", resident, resident_is_known },
	{ "want_bytes", GAUGE, "Size that the guest asks for with its lease.", want, is_leased },
	{ "min_bytes", GAUGE, "Floor.", min, limits_are_known },
	{ "max_bytes", GAUGE, "Ceiling and full size.", max, limits_are_known },
	{ "need_bytes", GAUGE, "What the host would have from this guest.", need, NULL },
	{ "leases_total", COUNTER, "Leases taken over.", leases, NULL },
	{ "sets_total", COUNTER, "Sizes asked of the VMM.", sets, NULL },
	{ "set_errors_total", COUNTER, "Sizes that the VMM refused or did not answer.", set_errors, NULL },
};
/* clang-format on */

static void head(FILE *out, const char *name, enum kind kind, const char *help)
{
	fprintf(out, "# HELP ebb_broker_%s %s\n# TYPE ebb_broker_%s %s\n", name, help, name,
		kind == GAUGE ? "gauge" : "counter");
}

static void vm_metrics(FILE *out, const struct broker *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(per_vm); i++) {
		char name[64];

		snprintf(name, sizeof(name), "vm_%s", per_vm[i].name);
		head(out, name, per_vm[i].kind, per_vm[i].help);
		/* Names are of letters, digits and ._-:@, so nothing is to be escaped. */
		for (const struct vm *vm = b->vms; vm; vm = vm->next)
			if (!per_vm[i].known || per_vm[i].known(vm))
				fprintf(out, "ebb_broker_%s{vm=\"%s\"} %" PRIu64 "\n", name,
					vm->config.name, per_vm[i].value(vm));
	}
}

static void counters(FILE *out, const struct broker *b)
{
	head(out, "vm_leases_lost_total", COUNTER, "Leases that ended, by what ended them.");
	for (const struct vm *vm = b->vms; vm; vm = vm->next)
		for (int i = 0; i < VM_NR_LOSSES; i++)
			fprintf(out,
				"ebb_broker_vm_leases_lost_total{vm=\"%s\",reason=\"%s\"} %" PRIu64
				"\n",
				vm->config.name, vm_loss_name((enum vm_loss)i), vm->counts.lost[i]);
	head(out, "vm_acks_total", COUNTER, "Acks sent, by what limited the size.");
	for (const struct vm *vm = b->vms; vm; vm = vm->next)
		for (int i = 0; i < CHANNEL_NR_CLAMPS; i++)
			fprintf(out,
				"ebb_broker_vm_acks_total{vm=\"%s\",clamp=\"%s\"} %" PRIu64 "\n",
				vm->config.name, channel_clamp_name((enum channel_clamp)i),
				vm->counts.clamps[i]);
	head(out, "vm_dropped_total", COUNTER, "What a guest sent and was dropped, by reason.");
	for (const struct vm *vm = b->vms; vm; vm = vm->next) {
		const struct guest_counts *c = &vm->guest.counts;
		const struct {
			const char *reason;
			uint64_t value;
		} rows[] = {
			{ "bad", c->bad },        { "overlong", c->overlong },
			{ "rate", c->over_rate }, { "stale", vm->counts.stale },
			{ "claim", c->claims },   { "second", c->second },
		};

		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			fprintf(out,
				"ebb_broker_vm_dropped_total{vm=\"%s\",reason=\"%s\"} %" PRIu64
				"\n",
				vm->config.name, rows[i].reason, rows[i].value);
	}
}

static void host_metrics(FILE *out, const struct broker *b)
{
	head(out, "build_info", GAUGE, "Version.");
	fprintf(out, "ebb_broker_build_info{version=\"%s\"} 1\n", EBB_VERSION);
	head(out, "host_memory_total_bytes", GAUGE, "Memory of this host.");
	fprintf(out, "ebb_broker_host_memory_total_bytes %" PRIu64 "\n", b->sample.total);
	head(out, "host_memory_available_bytes", GAUGE, "Memory available on this host.");
	fprintf(out, "ebb_broker_host_memory_available_bytes %" PRIu64 "\n", b->sample.available);
	head(out, "host_pressure_level", GAUGE, "0 none, 1 guests are asked, 2 balloons enforce.");
	fprintf(out, "ebb_broker_host_pressure_level %d\n", (int)b->host.level);
	head(out, "floors_short_bytes", GAUGE,
	     "What the floors of all VMs need beyond what there is.");
	fprintf(out, "ebb_broker_floors_short_bytes %" PRIu64 "\n", b->floor_short);
	head(out, "dry_run", GAUGE, "Whether nothing is changed.");
	fprintf(out, "ebb_broker_dry_run %d\n", b->config.dry_run);
}

char *metrics_text(const struct broker *b, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (!out)
		return NULL;
	host_metrics(out, b);
	vm_metrics(out, b);
	counters(out, b);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* --- HTTP ------------------------------------------------------------------------ */

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *data_size, void **state)
{
	static const char missing[] = "metrics are at /metrics\n";
	struct metrics *m = arg;
	struct MHD_Response *response;
	unsigned int status = MHD_HTTP_OK;
	enum MHD_Result r;

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return MHD_NO;
	if (!strcmp(url, "/metrics")) {
		size_t len;
		char *text = metrics_text(m->broker, &len);

		if (!text)
			return MHD_NO;
		response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	} else {
		status = MHD_HTTP_NOT_FOUND;
		response = MHD_create_response_from_buffer(sizeof(missing) - 1, (void *)missing,
							   MHD_RESPMEM_PERSISTENT);
	}
	if (!response)
		return MHD_NO;
	/* Prometheus 3 refuses a scrape without a content type that it knows. */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				status == MHD_HTTP_OK ? "text/plain; version=0.0.4; charset=utf-8"
						      : "text/plain; charset=utf-8");
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

/* What is to be done at once is done at once, within reason; the rest comes with the next event. */
void metrics_turn(struct metrics *m)
{
	MHD_UNSIGNED_LONG_LONG ms;

	for (int i = 0; m && i < TURNS_MAX; i++) {
		MHD_run(m->daemon);
		if (MHD_get_timeout(m->daemon, &ms) != MHD_YES || ms)
			break;
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	metrics_turn(poll->data);
}

/* The configuration has checked its form. */
static int make_address(const char *listen, struct sockaddr_storage *ret)
{
	const char *colon = strrchr(listen, ':');
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	char host[64];
	in_port_t port = htons((uint16_t)atoi(colon + 1));

	memset(ret, 0, sizeof(*ret));
	if (listen[0] == '[') {
		snprintf(host, sizeof(host), "%.*s", (int)(colon - listen) - 2, listen + 1);
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	snprintf(host, sizeof(host), "%.*s", (int)(colon - listen), listen);
	v4->sin_family = AF_INET;
	v4->sin_port = port;
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? 0 : -EINVAL;
}

int metrics_open(struct metrics **ret, struct broker *b, const char *listen)
{
	_cleanup_free_ struct metrics *m = calloc(1, sizeof(*m));
	const union MHD_DaemonInfo *info;
	struct sockaddr_storage address;
	unsigned int flags = MHD_USE_EPOLL;
	int r = m ? make_address(listen, &address) : -ENOMEM;

	if (r)
		return r;
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	m->broker = b;
	errno = 0;
	m->daemon = MHD_start_daemon(flags, 0, NULL, NULL, answer, m, MHD_OPTION_SOCK_ADDR,
				     &address, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_END);
	if (!m->daemon)
		return errno ? -errno : -EADDRINUSE;
	info = MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = info ? uv_poll_init(b->loop, &m->poll, info->epoll_fd) : -EINVAL;
	if (r) {
		MHD_stop_daemon(m->daemon);
		return r;
	}
	m->poll.data = m;
	uv_poll_start(&m->poll, UV_READABLE, on_ready);
	*ret = TAKE_PTR(m);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct metrics *m = handle->data;

	MHD_stop_daemon(m->daemon);
	free(m);
}

void metrics_close(struct metrics *m)
{
	if (!m)
		return;
	uv_poll_stop(&m->poll);
	uv_close((uv_handle_t *)&m->poll, on_closed);
}
