// SPDX-License-Identifier: GPL-2.0-only
#include "report/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/by_id.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "report/model.h"
#include "report/record.h"
#include "report/record_shapes.h"

static int wrong(struct recording *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int wrong(struct recording *r, const char *format, ...)
{
	char raw[RECORDING_ERROR];
	va_list ap;
	int n = snprintf(raw, sizeof(raw), "line %lu: ", r->line);

	va_start(ap, format);
	vsnprintf(raw + n, sizeof(raw) - (size_t)n, format, ap);
	va_end(ap);
	text_printable(r->error, sizeof(r->error), raw);
	return -EINVAL;
}

static int read_shape(struct recording *r, const json_t *json, const struct shape *shape,
		      void *object)
{
	char error[FIELDS_ERROR];
	int err = fields_read(json, shape, object, r->members, error);

	return err == -EINVAL ? wrong(r, "%s", error) : err;
}

/* --- names ---------------------------------------------------------------------------- */

/* The place of id, or where it would stand. */
static size_t name_place(const struct recording *r, uint64_t id)
{
	return BY_ID_PLACE(r->names, r->nr_names, id);
}

const struct recording_name *recording_name(const struct recording *r, uint64_t id)
{
	size_t i = name_place(r, id);

	return i < r->nr_names && r->names[i].id == id ? &r->names[i] : NULL;
}

static void name_free(struct recording_name *n)
{
	free(n->name);
	free(n->runtime);
	free(n->image);
	free(n->path);
}

static int name_read(struct recording *r, const json_t *json, struct recording_name *ret)
{
	const struct {
		const char *key;
		char **to;
	} texts[] = { { "name", &ret->name },
		      { "runtime", &ret->runtime },
		      { "image", &ret->image },
		      { "path", &ret->path } };

	if (!json_is_integer(json_object_get(json, "id")))
		return wrong(r, "a name without an id");
	ret->id = (uint64_t)json_integer_value(json_object_get(json, "id"));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = json_string_value(json_object_get(json, texts[i].key));

		if (!text)
			return wrong(r, "a container without '%s'", texts[i].key);
		if (strlen(text) > RECORD_NAME_MAX)
			return wrong(r, "the %s of a container is longer than %d bytes",
				     texts[i].key, RECORD_NAME_MAX);
		*texts[i].to = strdup(text);
		if (!*texts[i].to)
			return -ENOMEM;
	}
	return 0;
}

static int name_line(struct recording *r, json_t *json)
{
	struct recording_name name = { 0 };
	size_t i;
	int err = name_read(r, json, &name);

	i = name_place(r, name.id);
	if (!err && (i == r->nr_names || r->names[i].id != name.id)) {
		struct recording_name *grown =
			reallocarray(r->names, r->nr_names + 1, sizeof(*grown));

		if (grown) {
			r->names = grown;
			memmove(grown + i + 1, grown + i, (r->nr_names - i) * sizeof(*grown));
			grown[i] = (struct recording_name){ 0 };
			r->nr_names++;
		} else {
			err = -ENOMEM;
		}
	}
	if (err) {
		name_free(&name);
		return err;
	}
	name_free(&r->names[i]);
	r->names[i] = name;
	return 0;
}

/* --- the header ----------------------------------------------------------------------- */

static void copy_text(char *to, size_t size, const json_t *json, const char *key)
{
	text_printable(to, size, json_string_value(json_object_get(json, key)));
}

static int header_line(struct recording *r, json_t *json)
{
	const json_t *format = json_object_get(json, "ebb_recording");

	copy_text(r->version, sizeof(r->version), json, "version");
	copy_text(r->kernel, sizeof(r->kernel), json, "kernel");
	copy_text(r->started, sizeof(r->started), json, "started");
	if (json_integer_value(format) != RECORD_FORMAT)
		return wrong(r,
			     "a recording of another form (%" JSON_INTEGER_FORMAT
			     ", by ebb %s), and this version reads %d: replay it with that one",
			     json_integer_value(format), r->version, RECORD_FORMAT);
	r->members = json_incref(json_object_get(json, "members"));
	if (!json_is_object(r->members))
		return wrong(r, "the header does not say which members there are");
	return 0;
}

static json_t *schema_of_ours(void)
{
	json_t *schema = json_object();

	if (schema && !fields_schema(&shape_snapshot, schema) &&
	    !fields_schema(&shape_plan, schema) && !fields_schema(&shape_state, schema) &&
	    !fields_schema(&shape_config, schema))
		return schema;
	json_decref(schema);
	return NULL;
}

static bool has_text(const json_t *array, const char *text)
{
	json_t *value;
	size_t i;

	json_array_foreach (array, i, value)
		if (json_is_string(value) && !strcmp(json_string_value(value), text))
			return true;
	return false;
}

json_t *recording_drift(const struct recording *r, bool ours)
{
	json_t *schema = schema_of_ours(), *drift = json_array();
	json_t *from = ours ? schema : r->members, *to = ours ? r->members : schema, *names, *name;
	const char *shape;
	size_t i;

	json_object_foreach (from, shape, names)
		json_array_foreach (names, i, name) {
			char text[128];

			if (!json_is_string(name) ||
			    has_text(json_object_get(to, shape), json_string_value(name)))
				continue;
			snprintf(text, sizeof(text), "%.60s.%.60s", shape, json_string_value(name));
			json_array_append_new(drift, report_text_json(text));
		}
	json_decref(schema);
	return drift;
}

/* --- the other lines ----------------------------------------------------------------------------
 */

static int config_line(struct recording *r, json_t *json)
{
	struct ebb_config *config = &r->config;

	memset(config, 0, sizeof(*config));
	return read_shape(r, json, &shape_config, config);
}

static int state_line(struct recording *r, json_t *json)
{
	fields_free(&shape_state, &r->state);
	r->based = true;
	return read_shape(r, json, &shape_state, &r->state);
}

static int check_line(struct recording *r, json_t *json)
{
	if (!r->based)
		return wrong(r, "a state to compare with, and none to begin with");
	return state_line(r, json);
}

static int turn_line(struct recording *r, json_t *json)
{
	uint64_t before = r->snap.now_ms;
	int err;

	if (!r->based || !r->seen[RECORDING_CONFIG])
		return wrong(r, "a turn before the %s that it began with",
			     r->based ? "options" : "state");
	if ((uint64_t)json_integer_value(json_object_get(json, "turn")) != r->turn + 1)
		return wrong(r, "turn %" JSON_INTEGER_FORMAT " after turn %" PRIu64,
			     json_integer_value(json_object_get(json, "turn")), r->turn);
	err = read_shape(r, json_object_get(json, "snapshot"), &shape_snapshot, &r->snap);
	if (!err)
		err = read_shape(r, json_object_get(json, "plan"), &shape_plan, &r->plan);
	if (err)
		return err;
	if (r->snap.now_ms < before)
		return wrong(r, "time runs backwards");
	for (size_t i = 0; i < r->snap.nr_containers; i++)
		if (!recording_name(r, r->snap.containers[i].id))
			return wrong(r, "container %" PRIu64 " was not named before",
				     r->snap.containers[i].id);
	r->turn++;
	r->turns++;
	return 0;
}

static int gap_line(struct recording *r, json_t *json)
{
	json_int_t n = json_integer_value(json);
	uint64_t now = r->snap.now_ms;

	if (n < 1 || (uint64_t)n > UINT64_MAX / 2 - r->turn)
		return wrong(r, "a gap that is no number of turns");
	r->turn += (uint64_t)n;
	r->missed += (uint64_t)n;
	r->based = false;
	fields_free(&shape_snapshot, &r->snap);
	fields_free(&shape_plan, &r->plan);
	r->snap.now_ms = now;
	return 0;
}

static int end_line(struct recording *r, json_t *json)
{
	copy_text(r->end, sizeof(r->end), json, "end");
	if ((uint64_t)json_integer_value(json_object_get(json, "turns")) != r->turns ||
	    (uint64_t)json_integer_value(json_object_get(json, "missed")) != r->missed)
		return wrong(r,
			     "it ends with %" JSON_INTEGER_FORMAT " turns, %" JSON_INTEGER_FORMAT
			     " missing, but there are %" PRIu64 ", %" PRIu64 " missing",
			     json_integer_value(json_object_get(json, "turns")),
			     json_integer_value(json_object_get(json, "missed")), r->turns,
			     r->missed);
	return 0;
}

/* By the member that tells what a line is. */
static const struct {
	const char *key;
	size_t members; /* of the line; 0: any number */
	bool whole; /* the line is what is read, not the member */
	int (*read)(struct recording *r, json_t *json);
} kinds[RECORDING_NR_KINDS] = {
	[RECORDING_HEADER] = { "ebb_recording", 0, true, header_line },
	[RECORDING_CONFIG] = { "config", 1, false, config_line },
	[RECORDING_NAME] = { "name", 1, false, name_line },
	[RECORDING_STATE] = { "state", 1, false, state_line },
	[RECORDING_CHECK] = { "check", 1, false, check_line },
	[RECORDING_TURN] = { "turn", 3, true, turn_line },
	[RECORDING_GAP] = { "gap", 1, false, gap_line },
	[RECORDING_END] = { "end", 3, true, end_line },
};

static int read_line(struct recording *r, json_t *json, enum recording_kind *ret)
{
	for (enum recording_kind i = 0; i < RECORDING_NR_KINDS; i++) {
		json_t *value = json_object_get(json, kinds[i].key);
		int err;

		if (!value)
			continue;
		if ((i == RECORDING_HEADER) != (r->line == 1))
			break;
		if (kinds[i].members && json_object_size(json) != kinds[i].members)
			return wrong(r, "a line '%s' with other members than it has", kinds[i].key);
		err = kinds[i].read(r, kinds[i].whole ? json : value);
		if (err)
			return err;
		r->seen[i] = true;
		*ret = i;
		return 0;
	}
	return wrong(r, r->line == 1 ? "this is no recording of ebb"
				     : "this is no line of a recording");
}

int recording_line(struct recording *r, const char *line, size_t len, enum recording_kind *ret)
{
	json_error_t where;
	json_t *json;
	int err;

	r->line++;
	if (r->seen[RECORDING_END])
		return wrong(r, "something comes after the end");
	json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return wrong(r, r->line == 1 ? "this is no recording of ebb (%s)" : "%s",
			     where.text);
	err = read_line(r, json, ret);
	json_decref(json);
	return err;
}

int recording_finish(struct recording *r, bool cut)
{
	if (!cut && r->seen[RECORDING_END])
		return 0;
	r->line++;
	if (r->line == 1 && !cut)
		return wrong(r, "the file is empty");
	return wrong(r, "the recording is cut off %s, after turn %" PRIu64,
		     cut ? "in the middle of a line" : "before its end", r->turn);
}

void recording_close(struct recording *r)
{
	fields_free(&shape_snapshot, &r->snap);
	fields_free(&shape_plan, &r->plan);
	fields_free(&shape_state, &r->state);
	for (size_t i = 0; i < r->nr_names; i++)
		name_free(&r->names[i]);
	free(r->names);
	json_decref(r->members);
	memset(r, 0, sizeof(*r));
}
