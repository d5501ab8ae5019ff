// SPDX-License-Identifier: GPL-2.0-only
/* `ebb explain`: what is known of a container, what follows from it, and what came of that. */
#include <stdarg.h>
#include <string.h>

#include "ebb/cli.h"
#include "ebb/plan.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/units.h"

#define LINE_MAX_TEXT 512

/* A sentence for each reason; figures are in the lines above it. */
static const char *const sentences[EBB_NR_REASONS] = {
	[EBB_REASON_NONE] = "Nothing has been decided yet.",
	[EBB_REASON_COLD] = "What is cold is being taken, in portions; between two of them it is "
			    "seen whether any of it comes back.",
	[EBB_REASON_EXIT] = "Its last process is gone: what it left behind is being taken.",
	[EBB_REASON_PROBE] = "How old its memory is cannot be told on this machine, so small "
			     "steps are taken, each judged by what came back of the one before.",
	[EBB_REASON_STRANDED] = "Free memory is scattered in pieces too small to go back.",
	[EBB_REASON_STARTING] = "It is new or still growing. Nothing is taken until its size has "
				"levelled off.",
	[EBB_REASON_LEARNING] = "The ages of its memory are still being learned: none of it has "
				"been watched for long enough to be called cold.",
	[EBB_REASON_NOTHING_COLD] = "All of it is in use, or what was cold has been taken.",
	[EBB_REASON_HUGE_PAGES] = "Most of it is in huge pages. One touch makes 2 MiB young, so "
				  "what is cold beside it is not seen.",
	[EBB_REASON_PSI_MEMORY] = "It waits for memory for a larger share of its time than the "
				  "stall budget allows. Nothing is taken until that is over.",
	[EBB_REASON_PSI_IO] = "It waits for the disk for more than a tenth of its time. Taking "
			      "memory now would make that longer.",
	[EBB_REASON_REFAULTS] = "More than 1% of what was taken came back, so it rests; each time "
				"that this happens again the rest is twice as long and the share "
				"that is taken smaller.",
	[EBB_REASON_SWAP_FULL] = "What is cold was allocated by programs and can go to swap only, "
				 "which is nearly full.",
	[EBB_REASON_NO_SWAP] = "What is cold was allocated by programs and can go to swap only, "
			       "and there is none for it.",
	[EBB_REASON_PROTECTED] = "A rule of the configuration (protect) keeps the rest for it.",
	[EBB_REASON_OFF] = "A rule of the configuration (reclaim = off) leaves it alone.",
	[EBB_REASON_PAUSED] = "It is paused by hand. `ebb resume` ends that.",
	[EBB_REASON_BUSY] = "The last step on it has not ended yet.",
	[EBB_REASON_SHORTFALL] = "Less than a quarter of what was asked for could be taken. It is "
				 "tried again after the next look at its ages.",
	[EBB_REASON_FAILED] = "The last step failed. It is tried again in some seconds.",
	[EBB_REASON_CAP] = "The cap of the whole machine leaves it no more.",
};

const char *explain_sentence(const char *reason)
{
	for (int i = 0; i < EBB_NR_REASONS; i++)
		if (!strcmp(ebb_reason_name((enum ebb_reason)i), reason))
			return sentences[i];
	return "";
}

static void line(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void line(const struct cli *cli, const char *format, ...)
{
	char text[LINE_MAX_TEXT];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	print_wrapped(cli, 0, 2, text);
}

static void print_signals(const struct cli *cli, const json_t *data, const json_t *now)
{
	const json_t *c = get(data, "container");
	char a[FORMAT_MAX], b[FORMAT_MAX], d[FORMAT_MAX], e[FORMAT_MAX], f[FORMAT_MAX];
	uint64_t taken = get_number(c, "reclaimed_total");
	uint64_t back = get_number(c, "refaulted_total");

	line(cli, "It holds %s: %s that programs allocated, %s of page cache; %s more is in swap.",
	     format_size(a, get_number(c, "bytes")), format_size(b, get_number(c, "anon")),
	     format_size(d, get_number(c, "file")), format_size(e, get_number(c, "swap")));
	if (json_array_size(get(c, "ages")))
		line(cli, "Of that, %s was not used for %s or longer: that is cold here.",
		     format_size(a, get_number(c, "cold")),
		     format_age(b, get_number(data, "cold_after_ms")));
	else
		line(cli, "How long its memory was not used is not known.");
	line(cli, "%s was taken from it so far; %s of that came back (%.1f%%).",
	     format_size(a, taken), format_size(b, back),
	     taken ? 100.0 * (double)back / (double)taken : 0.0);
	if (get_number(c, "protect"))
		line(cli, "A rule protects %s of it.", format_size(a, get_number(c, "protect")));
	if (now)
		line(cli,
		     "It waits for memory %s of the time (%s may be), for the disk %s; up to %s of "
		     "what is cold may be asked for.",
		     format_percent(a, get_number(now, "stall_memory_ppm")),
		     format_percent(b, get_number(data, "stall_budget_ppm")),
		     format_percent(e, get_number(now, "stall_io_ppm")),
		     format_percent(f, get_number(now, "share_ppm")));
}

static void print_decision(const struct cli *cli, const json_t *d)
{
	char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX], text[LINE_MAX_TEXT];
	int n = snprintf(text, sizeof(text), "%s ago: %s, %s (%s cold)",
			 format_age(a, get_number(d, "ago_ms")), get_text(d, "state"),
			 get_text(d, "reason_text"), format_size(b, get_number(d, "cold")));
	size_t at = n > 0 ? (size_t)n : 0;

	if (get_number(d, "acts") && at < sizeof(text))
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "; asked for %s, got %s, %s came back",
				       format_size(a, get_number(d, "asked")),
				       format_size(b, get_number(d, "got")),
				       format_size(c, get_number(d, "refaulted")));
	if (get(d, "error") && at < sizeof(text))
		snprintf(text + at, sizeof(text) - at, "; failed: %s", get_text(d, "error"));
	fputs("  ", cli->out);
	print_wrapped(cli, 2, 4, text);
}

void print_explain(const struct cli *cli, const json_t *data)
{
	const json_t *c = get(data, "container"), *all = get(data, "decisions");
	const char *name = get_text(c, "name"), *state = get_text(c, "state");
	char text[LINE_MAX_TEXT];

	snprintf(text, sizeof(text), "%.128s: %s, %s", name[0] ? name : get_text(c, "id"), state,
		 get_text(c, "reason_text"));
	fputs(cli_style(cli, STYLE_HEAD), cli->out);
	print_wrapped(cli, 0, 2, text);
	fputs(cli_style(cli, STYLE_PLAIN), cli->out);
	print_signals(cli, data, json_array_get(all, 0));
	line(cli, "%s", explain_sentence(get_text(c, "reason")));
	if (get_bool(data, "dry_run"))
		line(cli, "This is a dry run: ebbd decides, and changes nothing.");
	if (!json_array_size(all))
		return;
	fprintf(cli->out, "\n%sThe last decisions%s\n", cli_style(cli, STYLE_HEAD),
		cli_style(cli, STYLE_PLAIN));
	for (size_t i = 0; i < json_array_size(all); i++)
		print_decision(cli, json_array_get(all, i));
}
