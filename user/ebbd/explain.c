// SPDX-License-Identifier: GPL-2.0-only
/* Why a container is treated as it is: the decisions, kept beside the line, and who is meant. */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ebb/wire.h"
#include "ebbd/daemon.h"
#include "lib/cleanup.h"

#define NAMES_SHOWN 5

void explain_note(struct daemon *d)
{
	uint64_t cold_ms = policy_cold_after_ms(&d->config);

	for (size_t i = 0; i < d->plan.nr_verdicts; i++) {
		const struct track *t = track_find(d, d->plan.verdicts[i].id);

		if (t && t->log)
			decisions_note(t->log, d->snap.now_ms, cold_ms, &d->snap.containers[i],
				       &d->plan.verdicts[i], &d->policy.slots[i]);
	}
}

/* From the one that is meant for certain to those that might be. */
enum match { MATCH_EXACT, MATCH_GLOB, MATCH_PART, MATCH_ANY };

static bool matches(const struct tree_container *c, enum match how, const char *name)
{
	char id[24];

	snprintf(id, sizeof(id), "%" PRIu64, c->id);
	switch (how) {
	case MATCH_EXACT:
		return !strcmp(name, c->name) || !strcmp(name, id);
	case MATCH_GLOB:
		return !fnmatch(name, c->name, 0);
	case MATCH_PART:
		return strcasestr(c->name, name) || strcasestr(name, c->name);
	case MATCH_ANY:
		break;
	}
	return true;
}

/* How many match; *ret: the place of the first in the plan; names: some of them, for a person. */
static size_t find(struct daemon *d, enum match how, const char *name, size_t *ret, char *names,
		   size_t size)
{
	size_t n = 0, len = 0;

	names[0] = '\0';
	for (size_t i = 0; d->have_plan && i < d->plan.nr_verdicts; i++) {
		const struct tree_container *c =
			tree_container_by_id(d->tree, d->plan.verdicts[i].id);

		if (!c || !matches(c, how, name))
			continue;
		if (!n)
			*ret = i;
		if (n++ < NAMES_SHOWN && len < size)
			len += (size_t)snprintf(names + len, size - len, "%s%.32s (id %" PRIu64 ")",
						n > 1 ? ", " : "", c->name, c->id);
	}
	if (n > NAMES_SHOWN && len < size)
		snprintf(names + len, size - len, ", ...");
	return n;
}

int explain_find(struct daemon *d, const char *name, size_t *ret, char *errbuf)
{
	char names[SERVER_ERROR_MAX - 80];
	size_t n = 0;

	for (enum match how = MATCH_EXACT; how <= MATCH_GLOB && !n; how++)
		n = find(d, how, name, ret, names, sizeof(names));
	if (n == 1)
		return 0;
	if (n > 1)
		snprintf(errbuf, SERVER_ERROR_MAX, "%zu containers are called that; give an id: %s",
			 n, names);
	else if (find(d, MATCH_PART, name, ret, names, sizeof(names)))
		snprintf(errbuf, SERVER_ERROR_MAX, "no container of that name or id; similar: %s",
			 names);
	else if (find(d, MATCH_ANY, name, ret, names, sizeof(names)))
		snprintf(errbuf, SERVER_ERROR_MAX, "no container of that name or id; there are: %s",
			 names);
	else
		snprintf(errbuf, SERVER_ERROR_MAX, "no containers are running");
	return EBB_EXIT_FAILED;
}

json_t *publish_explain(struct daemon *d, size_t i)
{
	const struct track *t = track_find(d, d->plan.verdicts[i].id);
	static const struct decision_log none;
	json_t *o = json_object();

	json_object_set_new(o, "container", publish_container(d, i));
	json_object_set_new(o, "cold_after_ms",
			    json_integer((json_int_t)policy_cold_after_ms(&d->config)));
	json_object_set_new(o, "stall_budget_ppm", json_integer(d->config.stall_budget_ppm));
	json_object_set_new(o, "dry_run", json_boolean(d->opts.dry_run));
	json_object_set_new(o, "decisions", decisions_json(t && t->log ? t->log : &none, now_ms()));
	if (json_object_size(o) == 5)
		return o;
	json_decref(o);
	return NULL;
}
