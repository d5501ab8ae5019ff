// SPDX-License-Identifier: GPL-2.0-only
#include "report/model.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "report/json.h"

json_t *report_text_json(const char *text)
{
	_cleanup_free_ char *copy = NULL;
	json_t *json;

	if (!text)
		return json_null();
	json = json_string(text);
	if (json)
		return json;
	/* Not UTF-8 (or no memory: then what follows fails as well). */
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(copy);
}

uint64_t report_percentile_us(const uint64_t slots[EBB_LAT_SLOTS], unsigned int percent)
{
	unsigned __int128 total = 0, before = 0, target;

	for (unsigned int i = 0; i < EBB_LAT_SLOTS; i++)
		total += slots[i];
	if (!total)
		return 0;
	target = (total * percent + 99) / 100;
	if (!target)
		target = 1;
	for (unsigned int i = 0; i < EBB_LAT_SLOTS - 1; i++) {
		uint64_t low = i ? 1ull << i : 0, high = 2ull << i;

		if (before + slots[i] >= target)
			return low + (uint64_t)((high - low) * (target - before) / slots[i]);
		before += slots[i];
	}
	return 1ull << (EBB_LAT_SLOTS - 1);
}

static json_t *ages_json(const struct report_container *c)
{
	json_t *all = json_array();
	bool good = all != NULL;

	for (unsigned int i = 0; good && i < c->nr_ages && i < EBB_MAX_AGES; i++) {
		json_t *o = json_object();
		bool ok = o != NULL;

		PUT_NUMBER("idle_ms", c->age[i].idle_ms);
		PUT_NUMBER("anon", c->age[i].anon);
		PUT_NUMBER("file", c->age[i].file);
		good = json_array_append_new(all, finish(o, ok)) == 0;
	}
	return finish(all, good);
}

static json_t *last_json(const struct report_container *c)
{
	json_t *o;
	bool ok;

	if (!c->last_action)
		return json_null();
	o = json_object();
	ok = o != NULL;
	PUT_TEXT("action", ebb_action_name(c->last_action));
	PUT_NUMBER("asked", c->last.asked);
	PUT_NUMBER("got", c->last.got);
	PUT("error", c->last.error ? report_text_json(strerror(-c->last.error)) : json_null());
	PUT_BOOL("timed_out", c->last.timed_out);
	PUT_NUMBER("ended_ms", c->last.ended_ms);
	return finish(o, ok);
}

static json_t *pair_json(const char *first, uint64_t a, const char *second, uint64_t b)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	PUT_NUMBER(first, a);
	PUT_NUMBER(second, b);
	return finish(o, ok);
}

json_t *report_container_json(const struct report_container *c)
{
	json_t *o = json_object();
	char id[24];
	bool ok = o != NULL;

	snprintf(id, sizeof(id), "%llu", (unsigned long long)c->id);
	PUT_TEXT("id", id);
	PUT_TEXT("name", c->name ? c->name : "");
	PUT_TEXT("runtime", c->runtime ? c->runtime : "");
	PUT_TEXT("image", c->image ? c->image : "");
	PUT_TEXT("path", c->path ? c->path : "");
	PUT_TEXT("pod", c->pod);
	PUT_TEXT("namespace", c->namespace);
	PUT_NUMBER("bytes", c->bytes);
	PUT_NUMBER("anon", c->anon);
	PUT_NUMBER("file", c->file);
	PUT_NUMBER("swap", c->swap);
	PUT_NUMBER("cold", c->cold);
	PUT_NUMBER("working_set", c->working_set);
	PUT_NUMBER("reclaimed_total", c->reclaimed_total);
	PUT_NUMBER("refaulted_total", c->refaulted_total);
	PUT_NUMBER("protect", c->protect);
	PUT_TEXT("state", ebb_state_name(c->state));
	PUT_TEXT("reason", ebb_reason_name(c->reason));
	PUT_TEXT("reason_text", ebb_reason_text(c->reason));
	PUT_NUMBER("age_ms", c->age_ms);
	PUT("ages", ages_json(c));
	PUT("faults", pair_json("minor", c->faults_minor, "major", c->faults_major));
	PUT("major_fault_us", c->major_lat
				      ? pair_json("p50", report_percentile_us(c->major_lat, 50),
						  "p99", report_percentile_us(c->major_lat, 99))
				      : json_null());
	PUT_NUMBER("stall_us", c->stall_us);
	PUT("last", last_json(c));
	return finish(o, ok);
}
