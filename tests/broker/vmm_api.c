// SPDX-License-Identifier: GPL-2.0-only
#include "vmm_api.h"

#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

enum api_type { API_STRING, API_BOOLEAN, API_INTEGER, API_OBJECT, API_ARRAY };

static const char *const type_names[] = { "string", "boolean", "integer", "object", "array" };

struct operation {
	enum vmm_kind kind;
	const char *method, *path;
	const char *body; /* a schema; NULL: no body */
};

struct answer {
	enum vmm_kind kind;
	const char *method, *path;
	int status; /* 0: any that has no line of its own */
	const char *body; /* a schema; NULL: the document says nothing of one */
};

struct member {
	enum vmm_kind kind;
	const char *schema, *name;
	enum api_type type;
	bool required;
	const char *of; /* the schema of an object, or of an array's items; NULL: not looked into */
};

/* The same file thrice: each time one kind of line is kept. */
#define DOCUMENT(...)
#define OPERATION(...) { __VA_ARGS__ },
#define ANSWER(...)
#define MEMBER(...)
static const struct operation operations[] = {
#include "vmm_api.def"
};
#undef OPERATION
#undef ANSWER
#define OPERATION(...)
#define ANSWER(...) { __VA_ARGS__ },
static const struct answer answers[] = {
#include "vmm_api.def"
};
#undef ANSWER
#undef MEMBER
#define ANSWER(...)
#define MEMBER(...) { __VA_ARGS__ },
static const struct member members[] = {
#include "vmm_api.def"
};

static bool is_type(const json_t *value, enum api_type type)
{
	switch (type) {
	case API_STRING:
		return json_is_string(value);
	case API_BOOLEAN:
		return json_is_boolean(value);
	case API_INTEGER:
		/* No member that we know may be negative, and each VMM parses them as unsigned. */
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case API_OBJECT:
		return json_is_object(value);
	case API_ARRAY:
		return json_is_array(value);
	}
	return false;
}

static const struct member *find_member(enum vmm_kind kind, const char *schema, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (members[i].kind == kind && !strcmp(members[i].schema, schema) &&
		    !strcmp(members[i].name, name))
			return &members[i];
	return NULL;
}

static bool fits(enum vmm_kind kind, const char *schema, const json_t *object, char *why);

static bool member_fits(const struct member *m, const json_t *value, char *why)
{
	const json_t *item;
	size_t i;

	if (!is_type(value, m->type)) {
		snprintf(why, VMM_API_WHY_MAX, "%s: %s is no %s", m->schema, m->name,
			 type_names[m->type]);
		return false;
	}
	if (m->of && m->type == API_OBJECT)
		return fits(m->kind, m->of, value, why);
	if (m->of && m->type == API_ARRAY)
		json_array_foreach (value, i, item)
			if (!fits(m->kind, m->of, item, why))
				return false;
	return true;
}

/* Every member is known and of its type, and what is required is there. */
static bool fits(enum vmm_kind kind, const char *schema, const json_t *object, char *why)
{
	const json_t *value;
	const char *name;

	if (!json_is_object(object)) {
		snprintf(why, VMM_API_WHY_MAX, "%s: no object", schema);
		return false;
	}
	json_object_foreach ((json_t *)object, name, value) {
		const struct member *m = find_member(kind, schema, name);

		if (!m) {
			snprintf(why, VMM_API_WHY_MAX, "%s: %.60s is unknown", schema, name);
			return false;
		}
		if (!member_fits(m, value, why))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct member *m = &members[i];

		if (m->kind == kind && m->required && !strcmp(m->schema, schema) &&
		    !json_object_get(object, m->name)) {
			snprintf(why, VMM_API_WHY_MAX, "%s: %s is missing", schema, m->name);
			return false;
		}
	}
	return true;
}

static const struct operation *find_operation(enum vmm_kind kind, const char *method,
					      const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (operations[i].kind == kind && !strcmp(operations[i].method, method) &&
		    !strcmp(operations[i].path, path))
			return &operations[i];
	return NULL;
}

bool vmm_api_has(enum vmm_kind kind, const char *method, const char *path)
{
	return find_operation(kind, method, path) != NULL;
}

bool vmm_api_request(enum vmm_kind kind, const char *method, const char *path, const json_t *body,
		     char why[static VMM_API_WHY_MAX])
{
	const struct operation *o = find_operation(kind, method, path);

	if (!o) {
		snprintf(why, VMM_API_WHY_MAX, "not an operation of this API");
		return false;
	}
	if (o->body)
		return fits(kind, o->body, body, why);
	if (body)
		snprintf(why, VMM_API_WHY_MAX, "it takes no body");
	return !body;
}

bool vmm_api_answer(enum vmm_kind kind, const char *method, const char *path, int status,
		    const json_t *body, char why[static VMM_API_WHY_MAX])
{
	const struct answer *a = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct answer *at = &answers[i];

		if (at->kind != kind || strcmp(at->method, method) != 0 ||
		    strcmp(at->path, path) != 0)
			continue;
		if (at->status == status || (!at->status && !a))
			a = at;
	}
	if (!a) {
		snprintf(why, VMM_API_WHY_MAX, "%d is no status of %s %s", status, method, path);
		return false;
	}
	return !a->body || fits(kind, a->body, body, why);
}
