// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings that are under way, each for a client that reads it. Off the side of the line: it is
 * told what the policy was given and what it made of it, and what a reader is too slow for is left
 * out. Without a reader it costs nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ebb/wire.h"
#include "ebbd/daemon.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "report/record.h"

#define RECORDERS_MAX 4

struct recorder {
	struct daemon *d;
	struct recorder *next;
	struct client *client; /* NULL: it is gone, or has been told the end */
	struct record *record;
	uint64_t turns; /* to end after; 0: none */
};

static void name_of(void *arg, uint64_t id, struct record_name *ret)
{
	struct recorder *rc = arg;
	const struct tree_container *c = tree_container_by_id(rc->d->tree, id);

	if (c)
		*ret = (struct record_name){
			.name = c->name, .runtime = c->runtime, .image = c->image, .path = c->path
		};
}

static int put(void *arg, char *data, size_t len, bool last)
{
	struct recorder *rc = arg;
	int r = rc->client ? server_stream_put(rc->client, data, len, last) : -EPIPE;

	free(data);
	return r;
}

/* Not as soon as there is some room: each time costs the whole state. */
static bool ready(void *arg)
{
	struct recorder *rc = arg;

	return rc->client && server_stream_pending(rc->client) < EBB_WIRE_STREAM_MAX / 4;
}

static void finish(struct recorder *rc, const char *why)
{
	if (rc->client)
		record_end(rc->record, why, &rc->d->policy);
	/* Putting that may have lost it. */
	if (rc->client)
		server_stream_close(TAKE_PTR(rc->client));
}

static void on_enough(void *arg)
{
	finish(arg, "stopped");
}

/* It may be in the middle of being put to: sweep() frees it. */
static void on_gone(void *arg)
{
	struct recorder *rc = arg;

	rc->client = NULL;
}

static const struct server_stream stream = { .enough = on_enough, .gone = on_gone };

static size_t sweep(struct daemon *d)
{
	size_t n = 0;

	for (struct recorder **at = &d->recorders; *at;) {
		struct recorder *rc = *at;

		if (rc->client) {
			at = &rc->next;
			n++;
			continue;
		}
		*at = rc->next;
		log_debug("a recording has ended: %llu turns, %llu missing",
			  (unsigned long long)record_turns(rc->record),
			  (unsigned long long)record_missed(rc->record));
		record_close(rc->record);
		free(rc);
	}
	return n;
}

static int start(struct daemon *d, struct recorder *rc, struct client *client)
{
	const struct record_about about = { .version = EBB_VERSION,
					    .kernel = d->kernel,
					    .started = (uint64_t)time(NULL) };
	const struct record_sink sink = {
		.name_of = name_of, .put = put, .ready = ready, .arg = rc
	};
	int r = record_open(&rc->record, &about, &sink);

	if (r)
		return r;
	r = server_stream_open(client, &stream, rc);
	if (r)
		return r;
	rc->client = client;
	return record_begin(rc->record, &d->config, &d->policy);
}

int recorder_answer(void *arg, const struct server_peer *peer, const json_t *request,
		    json_t **ret_data, char *errbuf)
{
	json_int_t turns = json_integer_value(json_object_get(request, "turns"));
	struct daemon *d = arg;
	struct recorder *rc;
	int r;

	if (turns < 0) {
		snprintf(errbuf, SERVER_ERROR_MAX, "turns below 0");
		return EBB_EXIT_USAGE;
	}
	if (sweep(d) >= RECORDERS_MAX) {
		snprintf(errbuf, SERVER_ERROR_MAX,
			 "%d recordings are under way; end one of them first", RECORDERS_MAX);
		return EBB_EXIT_FAILED;
	}
	rc = calloc(1, sizeof(*rc));
	r = rc ? 0 : -ENOMEM;
	if (!r) {
		rc->d = d;
		rc->turns = (uint64_t)turns;
		r = start(d, rc, peer->client);
	}
	if (r) {
		/* A stream that carries nothing ends with its answer. */
		if (rc && rc->client)
			server_stream_close(rc->client);
		if (rc)
			record_close(rc->record);
		free(rc);
		snprintf(errbuf, SERVER_ERROR_MAX, "cannot record: %s", strerror(-r));
		return EBB_EXIT_FAILED;
	}
	rc->next = d->recorders;
	d->recorders = rc;
	log_info("recording for process %d of user %u", (int)peer->pid, peer->uid);
	*ret_data = json_pack("{s:i}", "format", RECORD_FORMAT);
	return 0;
}

void recorders_turn(struct daemon *d)
{
	if (!d->recorders)
		return;
	for (struct recorder *rc = d->recorders; rc; rc = rc->next) {
		if (!rc->client)
			continue;
		record_turn(rc->record, &d->config, &d->snap, &d->plan, &d->policy);
		if (rc->turns && record_turns(rc->record) >= rc->turns)
			finish(rc, "count");
	}
	sweep(d);
}

void recorders_state(struct daemon *d)
{
	for (struct recorder *rc = d->recorders; rc; rc = rc->next)
		if (rc->client)
			record_state(rc->record, &d->policy);
}

void recorders_close(struct daemon *d)
{
	for (struct recorder *rc = d->recorders; rc; rc = rc->next)
		finish(rc, "shutdown");
	sweep(d);
}
