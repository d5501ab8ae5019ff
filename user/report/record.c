// SPDX-License-Identifier: GPL-2.0-only
#include "report/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "lib/cleanup.h"
#include "report/model.h"
#include "report/record_shapes.h"

/* Of a container that was named: a name that changes is told again. */
struct named {
	uint64_t id;
	uint64_t hash;
};

struct record {
	struct record_about about;
	struct record_sink sink;
	uint64_t turns; /* all of them, the missing ones too */
	uint64_t missed;
	uint64_t gap; /* of those, what is still to be told */
	bool lost; /* what the reader has is no base: a state has to come before the next turn */
	bool based; /* what follows holds what was written last */
	struct ebb_config config;
	struct ebb_snapshot snap;
	struct ebb_plan plan;
	struct named *named; /* sorted by id */
	size_t nr_named;
	char *text; /* what is being made */
	size_t text_len;
};

int record_open(struct record **ret, const struct record_about *about,
		const struct record_sink *sink)
{
	struct record *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->about = *about;
	r->sink = *sink;
	*ret = r;
	return 0;
}

static void forget_base(struct record *r)
{
	fields_free(&shape_snapshot, &r->snap);
	fields_free(&shape_plan, &r->plan);
	free(TAKE_PTR(r->named));
	r->nr_named = 0;
	r->based = false;
}

void record_close(struct record *r)
{
	if (!r)
		return;
	forget_base(r);
	free(r);
}

uint64_t record_turns(const struct record *r)
{
	return r->turns - r->missed;
}

uint64_t record_missed(const struct record *r)
{
	return r->missed;
}

/* --- text ----------------------------------------------------------------------------- */

static FILE *text_open(struct record *r)
{
	r->text = NULL;
	r->text_len = 0;
	return open_memstream(&r->text, &r->text_len);
}

/* Closes out. A line is too long where all of them are: close enough for what is never met. */
static int text_put(struct record *r, FILE *out, bool ok, bool last)
{
	ok &= !ferror(out);
	ok &= fclose(out) == 0;
	if (ok && r->text_len <= RECORD_LINE_MAX)
		return r->sink.put(r->sink.arg, TAKE_PTR(r->text), r->text_len, last);
	free(TAKE_PTR(r->text));
	return ok ? -E2BIG : -ENOMEM;
}

/* ASCII alone, with escapes: whatever a container is called, this is one line. Takes value. */
static bool write_json(FILE *out, json_t *value)
{
	bool ok = value && !json_dumpf(value, out, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(value);
	return ok;
}

static void write_whole(FILE *out, const char *what, const struct shape *shape, const void *object)
{
	fprintf(out, "{\"%s\":", what);
	fields_write(out, shape, object, NULL);
	fputs("}\n", out);
}

static bool write_header(FILE *out, const struct record_about *about)
{
	json_t *schema = json_object();
	time_t started = (time_t)about->started;
	char when[32] = "";
	struct tm tm;
	bool ok = schema && !fields_schema(&shape_snapshot, schema) &&
		  !fields_schema(&shape_plan, schema) && !fields_schema(&shape_state, schema) &&
		  !fields_schema(&shape_config, schema);

	if (gmtime_r(&started, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!ok) {
		json_decref(schema);
		return false;
	}
	ok = write_json(out, json_pack("{s:i,s:o,s:o,s:s,s:o}", "ebb_recording", RECORD_FORMAT,
				       "version", report_text_json(about->version), "kernel",
				       report_text_json(about->kernel), "started", when, "members",
				       schema));
	fputc('\n', out);
	return ok;
}

/* --- names ---------------------------------------------------------------------------- */

/* FNV-1a, with the end of each text in it. */
static uint64_t hash_name(const struct record_name *name)
{
	const char *const texts[] = { name->name, name->runtime, name->image, name->path };
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *p = texts[i] ? texts[i] : "";

		do
			hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
		while (*p++);
	}
	return hash;
}

static json_t *text_json(const char *text)
{
	return report_text_json(text ? text : "");
}

static bool write_name(FILE *out, uint64_t id, const struct record_name *name)
{
	return write_json(out, json_pack("{s:{s:I,s:o,s:o,s:o,s:o}}", "name", "id", (json_int_t)id,
					 "name", text_json(name->name), "runtime",
					 text_json(name->runtime), "image", text_json(name->image),
					 "path", text_json(name->path))) &&
	       fputc('\n', out) != EOF;
}

/* Both are sorted by id. */
static bool write_names(FILE *out, struct record *r, const struct ebb_snapshot *snap,
			struct named *named)
{
	size_t old = 0;

	for (size_t i = 0; i < snap->nr_containers; i++) {
		struct record_name name = { 0 };
		uint64_t id = snap->containers[i].id;

		r->sink.name_of(r->sink.arg, id, &name);
		named[i] = (struct named){ .id = id, .hash = hash_name(&name) };
		while (old < r->nr_named && r->named[old].id < id)
			old++;
		if (old < r->nr_named && r->named[old].id == id &&
		    r->named[old].hash == named[i].hash)
			continue;
		if (!write_name(out, id, &name))
			return false;
	}
	return true;
}

/* --- lines --------------------------------------------------------------------------------------
 */

int record_begin(struct record *r, const struct ebb_config *config,
		 const struct policy_state *state)
{
	FILE *out = text_open(r);
	bool ok;

	if (!out)
		return -ENOMEM;
	ok = write_header(out, &r->about);
	write_whole(out, "config", &shape_config, config);
	write_whole(out, "state", &shape_state, state);
	r->config = *config;
	return text_put(r, out, ok, false);
}

/* What is being written is what the next turn is set against. */
static bool keep_base(struct record *r, const struct ebb_config *config,
		      const struct ebb_snapshot *snap, const struct ebb_plan *plan,
		      struct named *named)
{
	forget_base(r);
	r->named = named;
	r->nr_named = snap->nr_containers;
	r->config = *config;
	r->based = !fields_copy(&shape_snapshot, &r->snap, snap) &&
		   !fields_copy(&shape_plan, &r->plan, plan);
	return r->based;
}

static int put_turn(struct record *r, const struct ebb_config *config,
		    const struct ebb_snapshot *snap, const struct ebb_plan *plan)
{
	size_t n = snap->nr_containers;
	_cleanup_free_ struct named *named = calloc(n ? n : 1, sizeof(*named));
	FILE *out = named ? text_open(r) : NULL;
	bool ok;

	if (!out)
		return -ENOMEM;
	if (!fields_same(&shape_config, config, &r->config))
		write_whole(out, "config", &shape_config, config);
	ok = write_names(out, r, snap, named);
	fprintf(out, "{\"turn\":%" PRIu64 ",\"snapshot\":", r->turns);
	fields_write(out, &shape_snapshot, snap, r->based ? &r->snap : NULL);
	fputs(",\"plan\":", out);
	fields_write(out, &shape_plan, plan, r->based ? &r->plan : NULL);
	fputs("}\n", out);
	ok = ok && keep_base(r, config, snap, plan, TAKE_PTR(named));
	return text_put(r, out, ok, false);
}

static int put_state(struct record *r, const char *what, const struct policy_state *state)
{
	FILE *out = text_open(r);

	if (!out)
		return -ENOMEM;
	write_whole(out, what, &shape_state, state);
	return text_put(r, out, true, false);
}

/* Whatever was set before the gap may have been told in what did not get through. */
static int put_resume(struct record *r, const struct policy_state *state)
{
	FILE *out = text_open(r);

	if (!out)
		return -ENOMEM;
	if (r->gap)
		fprintf(out, "{\"gap\":%" PRIu64 "}\n", r->gap);
	write_whole(out, "config", &shape_config, &r->config);
	write_whole(out, "state", &shape_state, state);
	return text_put(r, out, true, false);
}

static void lose(struct record *r)
{
	r->lost = true;
	forget_base(r);
}

void record_turn(struct record *r, const struct ebb_config *config, const struct ebb_snapshot *snap,
		 const struct ebb_plan *plan, const struct policy_state *state)
{
	r->turns++;
	if (!r->lost && put_turn(r, config, snap, plan))
		lose(r);
	if (r->lost) {
		r->missed++;
		r->gap++;
		if (!r->sink.ready(r->sink.arg) || put_resume(r, state))
			return;
		r->lost = false;
		r->gap = 0;
	} else if (r->turns % RECORD_CHECK_TURNS == 0) {
		put_state(r, "check", state); /* without it, less is compared */
	}
}

void record_state(struct record *r, const struct policy_state *state)
{
	if (!r->lost && put_state(r, "state", state))
		lose(r);
}

static int put_end(struct record *r, const char *why, const struct policy_state *state)
{
	FILE *out = text_open(r);
	bool ok;

	if (!out)
		return -ENOMEM;
	if (r->gap)
		fprintf(out, "{\"gap\":%" PRIu64 "}\n", r->gap);
	if (state)
		write_whole(out, "check", &shape_state, state);
	ok = write_json(out,
			json_pack("{s:s,s:I,s:I}", "end", why, "turns", (json_int_t)record_turns(r),
				  "missed", (json_int_t)r->missed));
	fputc('\n', out);
	return text_put(r, out, ok, true);
}

/* In one piece, which may be all that still goes out. */
void record_end(struct record *r, const char *why, const struct policy_state *state)
{
	bool check = !r->lost && r->turns % RECORD_CHECK_TURNS;

	if (!check || put_end(r, why, state))
		put_end(r, why, NULL);
}
