// SPDX-License-Identifier: GPL-2.0-only
/* What is known, as JSON: the answer to `ebb-broker status`. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "broker/broker_int.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "report/server.h"

static json_t *number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *or_null(uint64_t value)
{
	return value ? number(value) : json_null();
}

static json_t *caps_json(const struct vm *vm)
{
	struct backend_caps c = vm->ops->caps(vm->backend);

	return json_pack("{s:b,s:b,s:b,s:b,s:b,s:b}", "set", c.set, "actual", c.actual, "stats",
			 c.stats, "returns_memory", c.returns_memory, "survives_reboot",
			 c.survives_reboot, "tells_reset", c.tells_reset);
}

static json_t *guest_json(const struct guest *g)
{
	const struct guest_counts *c = &g->counts;

	return json_pack("{s:b,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "connected",
			 g->hello, "reason",
			 g->hello ? ""
			 : g->why ? g->why
				  : "connected, and no hello yet",
			 "agent", g->agent, "calls_itself", g->claimed, "connects",
			 number(c->connects), "messages", number(c->messages), "bad",
			 number(c->bad), "overlong", number(c->overlong), "over_rate",
			 number(c->over_rate), "throttled", number(c->throttled), "claims",
			 number(c->claims), "second", number(c->second), "unread",
			 number(c->unread), "ram", or_null(g->ram));
}

static json_t *lease_json(const struct vm *vm)
{
	uint64_t now = uv_now(vm->broker->loop);
	const struct lease *l = &vm->lease;

	if (!l->held)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o}", "seq", number(l->seq), "want", number(l->want),
			 "idle", number(l->idle), "expires_ms",
			 number(l->until_ms > now ? l->until_ms - now : 0));
}

static json_t *lost_json(const struct vm *vm)
{
	json_t *o = json_object();

	for (int i = 0; i < VM_NR_LOSSES; i++)
		json_object_set_new(o, vm_loss_name((enum vm_loss)i), number(vm->counts.lost[i]));
	return o;
}

static json_t *flag_json(int value)
{
	return value < 0 ? json_null() : json_boolean(value);
}

static json_t *settings_json(const struct vm *vm)
{
	const struct qemu_settings *s = &vm->settings;

	if (!vm->settings_known)
		return json_null();
	return json_pack("{s:b,s:o,s:o,s:o,s:s,s:b}", "balloon", s->balloons > 0,
			 "free_page_reporting", flag_json(s->reporting), "deflate_on_oom",
			 flag_json(s->deflate_on_oom), "prealloc", flag_json(s->prealloc), "port",
			 qemu_port_name(s->port), "incomplete", s->incomplete);
}

/* One word for a person. */
static const char *state_name(const struct vm *vm)
{
	if (vm->releasing)
		return "leaving";
	if (!vm->vmm_up)
		return "no-vmm";
	if (vm->unable)
		return "no-balloon";
	if (vm->lease.held)
		return "leased";
	return vm->adopting ? "adopted" : vm->guest.hello ? "idle" : "no-guest";
}

static json_t *vm_json(const struct vm *vm)
{
	return json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,"
		"s:o,s:o,s:o,s:o,s:o}",
		"name", vm->config.name, "vmm", vmm_kind_name(vm->config.kind), "vmm_socket",
		vm->config.vmm, "channel", vm->config.channel, "state", state_name(vm), "reason",
		vm->why, "ram", or_null(vm->ram), "min", number(vm->limits.min), "max",
		number(vm->limits.max), "size", or_null(vm->target), "actual", or_null(vm->actual),
		"resident", or_null(vm->resident), "clamp", channel_clamp_name(vm->clamp), "need",
		number(vm->need), "lease", lease_json(vm), "guest", guest_json(&vm->guest), "caps",
		caps_json(vm), "settings", settings_json(vm), "lost", lost_json(vm), "leases",
		number(vm->counts.leases), "stale", number(vm->counts.stale), "sets",
		number(vm->counts.sets), "set_errors", number(vm->counts.set_errors), "vmm_lost",
		number(vm->counts.vmm_lost), "shares",
		number(vm->config.shares ? vm->config.shares : ARBITRATE_SHARES));
}

static uint64_t own_rss(void)
{
	unsigned long long size, resident;
	char buf[128];

	if (read_file_at(AT_FDCWD, "/proc/self/statm", buf, sizeof(buf)) < 0 ||
	    sscanf(buf, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

json_t *report_json(const struct broker *b)
{
	json_t *vms = json_array();

	for (const struct vm *vm = b->vms; vms && vm; vm = vm->next)
		json_array_append_new(vms, vm_json(vm));
	return json_pack("{s:s,s:o,s:b,s:{s:s,s:o,s:o,s:f,s:f,s:I,s:o,s:o},s:o,s:o}", "version",
			 EBB_VERSION, "uptime_ms", number(uv_now(b->loop) - b->started_ms),
			 "dry_run", b->config.dry_run, "host", "pressure",
			 channel_level_name(b->host.level), "total", or_null(b->sample.total),
			 "available", or_null(b->sample.available), "psi_some",
			 b->sample.some_ppm / 1e6, "psi_full", b->sample.full_ppm / 1e6, "surplus",
			 (json_int_t)b->host.asked, "floors_short", number(b->floor_short),
			 "budget", or_null(b->config.budget), "rss", number(own_rss()), "vms", vms);
}

static int answer_status(void *arg, const struct server_peer *peer, const json_t *request,
			 json_t **ret_data, char *errbuf)
{
	*ret_data = report_json(arg);
	if (*ret_data)
		return 0;
	snprintf(errbuf, SERVER_ERROR_MAX, "ebb-broker is out of memory");
	return 1;
}

static const struct server_command commands[] = {
	{ "status", false, answer_status },
};

const struct server_ops broker_answers = { commands, ARRAY_SIZE(commands) };
