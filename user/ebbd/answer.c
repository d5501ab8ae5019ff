// SPDX-License-Identifier: GPL-2.0-only
/* The commands of the socket: what `ebb` and the exporter ask for. */
#include <fnmatch.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ebb/wire.h"
#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "sense/doctor.h"

static int answer_data(json_t *data, json_t **ret_data, char *errbuf)
{
	if (!data) {
		snprintf(errbuf, SERVER_ERROR_MAX, "ebbd is out of memory");
		return EBB_EXIT_FAILED;
	}
	*ret_data = data;
	return 0;
}

static int answer_list(void *arg, const struct server_peer *peer, const json_t *request,
		       json_t **ret_data, char *errbuf)
{
	tick_fresh(arg);
	return answer_data(publish_list(arg), ret_data, errbuf);
}

static int answer_status(void *arg, const struct server_peer *peer, const json_t *request,
			 json_t **ret_data, char *errbuf)
{
	tick_fresh(arg);
	return answer_data(publish_status(arg), ret_data, errbuf);
}

static int answer_version(void *arg, const struct server_peer *peer, const json_t *request,
			  json_t **ret_data, char *errbuf)
{
	return answer_data(json_pack("{s:s}", "version", EBB_VERSION), ret_data, errbuf);
}

/* The machine's checks and the rungs in use: what the daemon has, not what a probe would guess. */
static int answer_doctor(void *arg, const struct server_peer *peer, const json_t *request,
			 json_t **ret_data, char *errbuf)
{
	struct daemon *d = arg;
	_cleanup_free_ struct doctor_report *report = calloc(1, sizeof(*report));
	struct hook_rung rungs[PUBLISH_RUNGS];
	json_t *data;

	if (!report || doctor_probe(report, "", d->cgroup_root))
		return answer_data(NULL, ret_data, errbuf);
	data = report_doctor_json(report, rungs, publish_rungs(d, rungs));
	return answer_data(data, ret_data, errbuf);
}

static int answer_explain(void *arg, const struct server_peer *peer, const json_t *request,
			  json_t **ret_data, char *errbuf)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	size_t i;
	int r;

	if (!name) {
		snprintf(errbuf, SERVER_ERROR_MAX, "explain needs a name");
		return EBB_EXIT_USAGE;
	}
	tick_fresh(arg);
	r = explain_find(arg, name, &i, errbuf);
	return r ? r : answer_data(publish_explain(arg, i), ret_data, errbuf);
}

static bool names_container(const struct daemon *d, uint64_t id, const char *name)
{
	const struct tree_container *c = tree_container_by_id(d->tree, id);
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, id);
	return c && (!strcmp(name, text) || !fnmatch(name, c->name, 0));
}

static int set_paused(struct daemon *d, const json_t *request, bool paused, json_t **ret_data,
		      char *errbuf)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	json_int_t n = 0;

	if (!name) {
		d->paused = paused;
		n = (json_int_t)d->nr_tracks;
	}
	/* Resuming everything ends the pauses of single containers too. */
	for (size_t i = 0; i < d->nr_tracks; i++) {
		if (name && !names_container(d, d->tracks[i].id, name))
			continue;
		if (name || !paused)
			d->tracks[i].paused = paused;
		if (paused)
			act_cancel(d->act, d->tracks[i].id);
		n += name ? 1 : 0;
	}
	if (name && !n) {
		snprintf(errbuf, SERVER_ERROR_MAX, "no container of that name or id");
		return EBB_EXIT_FAILED;
	}
	log_info("%s by a person: %s", paused ? "paused" : "resumed", name ? name : "everything");
	tick_soon(d, 0);
	return answer_data(json_pack("{s:b,s:I}", "paused", paused, "containers", n), ret_data,
			   errbuf);
}

static int answer_pause(void *arg, const struct server_peer *peer, const json_t *request,
			json_t **ret_data, char *errbuf)
{
	return set_paused(arg, request, true, ret_data, errbuf);
}

static int answer_resume(void *arg, const struct server_peer *peer, const json_t *request,
			 json_t **ret_data, char *errbuf)
{
	return set_paused(arg, request, false, ret_data, errbuf);
}

static const struct server_command commands[] = {
	{ "list", false, answer_list },       { "status", false, answer_status },
	{ "doctor", false, answer_doctor },   { "version", false, answer_version },
	{ "explain", false, answer_explain }, { "pause", true, answer_pause },
	{ "resume", true, answer_resume },    { "record", false, recorder_answer },
};

const struct server_ops answer_ops = {
	.commands = commands,
	.nr_commands = ARRAY_SIZE(commands),
};
