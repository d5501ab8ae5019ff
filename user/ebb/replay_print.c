// SPDX-License-Identifier: GPL-2.0-only
/* What a replay came to, for a person. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "ebb/cli.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/units.h"
#include "policy/policy.h"

#define LABEL 12 /* columns of the words on the left */
#define COLUMN 14 /* … and of each side of a table */
#define TABLE 38 /* … which begins here */
#define TEXT_MAX 512
#define CHANGES_SHOWN 12

static void item(const struct cli *cli, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void item(const struct cli *cli, const char *label, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(cli->out, "%-*s", LABEL, label);
	print_wrapped(cli, LABEL, LABEL, text);
}

/* --- above: the recording, and how well it replays ------------------------------------ */

static void print_drift(const struct cli *cli, const json_t *names, const char *what)
{
	char text[TEXT_MAX];
	size_t at = 0;

	if (!json_array_size(names))
		return;
	for (size_t i = 0; i < json_array_size(names) && at < sizeof(text) - 1; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? ", " : "",
				       json_string_value(json_array_get(names, i)));
	item(cli, "", "%s: %s", what, text);
}

static void print_recording(const struct cli *cli, const json_t *data)
{
	size_t n = json_array_size(get(data, "containers"));
	const json_t *r = get(data, "recording");
	char age[FORMAT_MAX];

	item(cli, "Recording", "%" PRIu64 " turns in %s, %zu container%s; ebb %s on Linux %s, %s",
	     get_number(r, "turns"), format_age(age, get_number(r, "ms")), n, n == 1 ? "" : "s",
	     get_text(r, "version"), get_text(r, "kernel"), get_text(r, "started"));
	if (get_number(r, "missed"))
		item(cli, "", "%" PRIu64 " more turns are missing: they were not read fast enough",
		     get_number(r, "missed"));
	print_drift(cli, get(r, "unknown"),
		    "this version knows nothing of these, and decides without");
	print_drift(cli, get(r, "lacking"), "these were not recorded, and are taken for 0");
}

static void print_first(const struct cli *cli, const json_t *verdict, const char *was)
{
	const json_t *first = get(verdict, "first");
	char age[FORMAT_MAX];

	item(cli, "", "first after turn %" PRIu64 ", %s in: %s %s %s, now %s",
	     get_number(first, "turn"), format_age(age, get_number(first, "at_ms")),
	     get_text(first, "member"), was, get_text(first, "was"), get_text(first, "is"));
}

static void print_verdict(const struct cli *cli, const json_t *data, const char *label,
			  const char *key)
{
	const json_t *verdict = get(data, key);
	uint64_t n = get_number(verdict, "compared"), differ = get_number(verdict, "differ");
	const char *style = cli_style(cli, differ ? STYLE_BAD : STYLE_GOOD);

	if (!n)
		return;
	fputs(style, cli->out);
	if (!differ)
		item(cli, label, "%" PRIu64 " compared, all as recorded", n);
	else
		item(cli, label, "%" PRIu64 " of %" PRIu64 " differ from what was recorded", differ,
		     n);
	fputs(cli_style(cli, STYLE_PLAIN), cli->out);
	if (differ)
		print_first(cli, verdict, "was");
}

static const char *options_text(char *buf, size_t size, const json_t *config)
{
	char cap[FORMAT_MAX], cold[FORMAT_MAX], budget[FORMAT_MAX];

	snprintf(buf, size, "cap %s, cold after %s, stall budget %s",
		 get(config, "cap") ? format_size(cap, get_number(config, "cap")) : "all RAM",
		 get(config, "cold_after_ms")
			 ? format_age(cold, get_number(config, "cold_after_ms"))
			 : "auto",
		 format_percent(budget, get_number(config, "stall_budget_ppm")));
	return buf;
}

/* As policy_cold_after_ms(). */
static uint64_t patience_ms(const json_t *config)
{
	uint64_t ms = get_number(config, "cold_after_ms");

	return ms ? ms : POLICY_DEFAULT_COLD_MS;
}

static void print_other(const struct cli *cli, const json_t *data)
{
	const json_t *other = get(data, "other"), *plans = get(other, "plans");
	char text[160];

	item(cli, "Options", "%s", options_text(text, sizeof(text), get(data, "config")));
	if (!other)
		return;
	item(cli, "Other", "%s: %s", get_text(get(other, "config"), "path"),
	     options_text(text, sizeof(text), get(other, "config")));
	if (!get_number(plans, "differ")) {
		item(cli, "", "it would have decided the same");
		return;
	}
	item(cli, "", "%" PRIu64 " of %" PRIu64 " plans would have been different",
	     get_number(plans, "differ"), get_number(plans, "compared"));
	print_first(cli, plans, "was");
	if (patience_ms(get(other, "config")) > patience_ms(get(data, "config")))
		item(cli, "",
		     "ages are what the recorded cold_after made visible: with a longer one "
		     "hardly anything is seen that old, and less is taken here than would be");
}

/* --- tables: as recorded, and otherwise ---------------------------------------------------------
 */

static void row(const struct cli *cli, const char *label, const char *a, const char *b)
{
	fprintf(cli->out, "  %-*.*s%*s", TABLE - 2, TABLE - 3, label, COLUMN, a);
	if (b)
		fprintf(cli->out, "%*s", COLUMN, b);
	fputc('\n', cli->out);
}

static void row_size(const struct cli *cli, const char *label, const char *key, const json_t *a,
		     const json_t *b)
{
	char x[FORMAT_MAX], y[FORMAT_MAX];

	format_size(x, get_number(a, key));
	row(cli, label, x, b ? format_size(y, get_number(b, key)) : NULL);
}

static void row_number(const struct cli *cli, const char *label, const char *key, const json_t *a,
		       const json_t *b)
{
	char x[FORMAT_MAX], y[FORMAT_MAX];

	snprintf(x, sizeof(x), "%" PRIu64, get_number(a, key));
	snprintf(y, sizeof(y), "%" PRIu64, get_number(b, key));
	row(cli, label, x, b ? y : NULL);
}

static void print_totals(const struct cli *cli, const json_t *data)
{
	const json_t *a = get(data, "totals"), *b = get(get(data, "other"), "totals");
	const json_t *acts = get(a, "acts"), *acts_b = get(b, "acts");
	const char *name;
	json_t *value;

	fprintf(cli->out, "\n%s%-*s%*s%*s%s\n", cli_style(cli, STYLE_HEAD), TABLE, "In all", COLUMN,
		"recorded", b ? COLUMN : 0, b ? "other" : "", cli_style(cli, STYLE_PLAIN));
	row_size(cli, "asked for, to be evicted", "asked", a, b);
	json_object_foreach ((json_t *)acts, name, value) {
		char label[TABLE];

		if (!get_number(acts, name) && !get_number(acts_b, name))
			continue;
		snprintf(label, sizeof(label), "items: %s", name);
		row_number(cli, label, name, acts, acts_b);
	}
	if (!get(a, "size_least") && !get(b, "size_least"))
		return;
	row_size(cli, "size of the VM, at least", "size_least", a, b);
	row_size(cli, "size of the VM, at the end", "size_last", a, b);
}

/* Milliseconds of a state and reason in one side's `time`. */
static uint64_t time_of(const json_t *side, const json_t *like)
{
	const json_t *all = get(side, "time");

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *t = json_array_get(all, i);

		if (!strcmp(get_text(t, "state"), get_text(like, "state")) &&
		    !strcmp(get_text(t, "reason"), get_text(like, "reason")))
			return get_number(t, "ms");
	}
	return 0;
}

static void print_times(const struct cli *cli, const json_t *c, const json_t *list, bool only_new)
{
	const json_t *a = get(c, "recorded"), *b = get(c, "other");
	uint64_t whole = get_number(c, "ms");

	for (size_t i = 0; whole && i < json_array_size(list); i++) {
		const json_t *t = json_array_get(list, i);
		char label[64], x[FORMAT_MAX], y[FORMAT_MAX];

		if (only_new && time_of(a, t))
			continue;
		snprintf(label, sizeof(label), "%s: %s", get_text(t, "state"),
			 get_text(t, "reason_text"));
		snprintf(x, sizeof(x), "%.0f%%", 100.0 * (double)time_of(a, t) / (double)whole);
		snprintf(y, sizeof(y), "%.0f%%", 100.0 * (double)time_of(b, t) / (double)whole);
		row(cli, label, x, b ? y : NULL);
	}
}

/* What it is called at at_ms. */
static const json_t *change_at(const json_t *changes, uint64_t at_ms)
{
	const json_t *found = NULL;

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *c = json_array_get(changes, i);

		if (get_number(c, "at_ms") <= at_ms)
			found = c;
	}
	return found;
}

static void print_changes(const struct cli *cli, const json_t *c)
{
	const json_t *a = get(get(c, "recorded"), "changes"), *b = get(get(c, "other"), "changes");
	size_t i = 0, k = 0, shown = 0;

	if (!b || !get_number(c, "differ_ms"))
		return;
	fputs("  over time\n", cli->out);
	while (i < json_array_size(a) || k < json_array_size(b)) {
		uint64_t next = UINT64_MAX;
		char age[FORMAT_MAX], x[64], y[64];

		if (i < json_array_size(a))
			next = get_number(json_array_get(a, i), "at_ms");
		if (k < json_array_size(b) && get_number(json_array_get(b, k), "at_ms") < next)
			next = get_number(json_array_get(b, k), "at_ms");
		while (i < json_array_size(a) && get_number(json_array_get(a, i), "at_ms") <= next)
			i++;
		while (k < json_array_size(b) && get_number(json_array_get(b, k), "at_ms") <= next)
			k++;
		if (++shown > CHANGES_SHOWN)
			continue;
		snprintf(x, sizeof(x), "%s, %s", get_text(change_at(a, next), "state"),
			 get_text(change_at(a, next), "reason"));
		snprintf(y, sizeof(y), "%s, %s", get_text(change_at(b, next), "state"),
			 get_text(change_at(b, next), "reason"));
		fprintf(cli->out, "  %6s  %-28s %s\n", format_age(age, next), x, y);
	}
	if (shown > CHANGES_SHOWN)
		fprintf(cli->out, "          ... %zu more (-o json)\n", shown - CHANGES_SHOWN);
}

static void print_container(const struct cli *cli, const json_t *c)
{
	const json_t *a = get(c, "recorded"), *b = get(c, "other");
	const char *name = get_text(c, "name")[0] ? get_text(c, "name") : get_text(c, "id");
	char shown[TABLE - 1], age[FORMAT_MAX], x[FORMAT_MAX], y[FORMAT_MAX];

	fprintf(cli->out, "\n%s%-*s%*s%*s%s\n", cli_style(cli, STYLE_HEAD), TABLE,
		text_printable(shown, sizeof(shown), name), COLUMN, "recorded", b ? COLUMN : 0,
		b ? "other" : "", cli_style(cli, STYLE_PLAIN));
	fprintf(cli->out, "  %s; %s was taken from it, %s of that came back\n",
		format_age(age, get_number(c, "ms")), format_size(x, get_number(c, "taken")),
		format_size(y, get_number(c, "refaulted")));
	row_size(cli, "asked for", "asked", a, b);
	row_number(cli, "in so many steps", "acts", a, b);
	row_number(cli, "ageing passes", "ageings", a, b);
	row_size(cli, "cold, at most", "cold_most", a, b);
	row_size(cli, "cold, on average", "cold_mean", a, b);
	print_times(cli, c, get(a, "time"), false);
	print_times(cli, c, get(b, "time"), true);
	print_changes(cli, c);
}

void print_replay(const struct cli *cli, const json_t *data)
{
	const json_t *containers = get(data, "containers");

	print_recording(cli, data);
	print_verdict(cli, data, "Plans", "plans");
	print_verdict(cli, data, "State", "states");
	print_other(cli, data);
	print_totals(cli, data);
	for (size_t i = 0; i < json_array_size(containers); i++)
		print_container(cli, json_array_get(containers, i));
	if (!get(data, "other"))
		return;
	fputc('\n', cli->out);
	print_wrapped(
		cli, 0, 0,
		"Both sides were given what was recorded: memory that the other configuration "
		"would have taken is still there in the next turn, and is asked for again.");
}
