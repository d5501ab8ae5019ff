// SPDX-License-Identifier: GPL-2.0-only
/* `ebb status`: the machine and ebbd itself, on one screen. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "ebb/cli.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/units.h"

#define LABEL_WIDTH 14
#define PPM 1000000.0

static void row(const struct cli *cli, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void row(const struct cli *cli, const char *label, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(cli->out, "%s%-*s%s", cli_style(cli, STYLE_HEAD), LABEL_WIDTH, label,
		cli_style(cli, STYLE_PLAIN));
	print_wrapped(cli, LABEL_WIDTH, LABEL_WIDTH, text);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static void print_head(const struct cli *cli, const json_t *s)
{
	char version[32], kernel[64], up[FORMAT_MAX];
	uint64_t n = get_number(s, "containers");

	text_printable(version, sizeof(version), get_text(s, "version"));
	text_printable(kernel, sizeof(kernel), get_text(s, "kernel"));
	format_age(up, get_number(s, "uptime_ms"));
	fprintf(cli->out, "%sebbd %s%s, up %s, %" PRIu64 " container%s, Linux %s\n",
		cli_style(cli, STYLE_HEAD), version, cli_style(cli, STYLE_PLAIN), up, n,
		n == 1 ? "" : "s", kernel);
	if (get_bool(s, "paused"))
		fprintf(cli->out, "%sPaused: nothing is taken. `ebb resume` ends it.%s\n",
			cli_style(cli, STYLE_WARN), cli_style(cli, STYLE_PLAIN));
	if (get_bool(s, "dry_run"))
		fprintf(cli->out, "%sDry run: decides, changes nothing.%s\n",
			cli_style(cli, STYLE_WARN), cli_style(cli, STYLE_PLAIN));
	fputc('\n', cli->out);
}

static void print_memory(const struct cli *cli, const json_t *m)
{
	char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX];
	uint64_t total = get_number(m, "total"), swap = get_number(m, "swap_total");

	row(cli, "Memory", "%s in use of %s, %s available", format_size(a, get_number(m, "used")),
	    format_size(b, total), format_size(c, get_number(m, "available")));
	if (get_bool(m, "reporting"))
		row(cli, "To the host", "%s of %s free is in blocks that go back by themselves",
		    format_size(a, get_number(m, "free_reportable")),
		    format_size(b, get_number(m, "free")));
	else
		row(cli, "To the host",
		    "free memory stays here: no page reporting (see ebb doctor)");
	if (swap)
		row(cli, "Swap", "%s in use of %s",
		    format_size(a, minus(swap, get_number(m, "swap_free"))), format_size(b, swap));
	else
		row(cli, "Swap", "none");
	if (get_number(m, "compressed_original"))
		row(cli, "Compressed", "%s in %s",
		    format_size(a, get_number(m, "compressed_original")),
		    format_size(b, get_number(m, "compressed")));
}

static void print_balloon(const struct cli *cli, const json_t *b)
{
	char a[FORMAT_MAX], c[FORMAT_MAX], e[FORMAT_MAX], f[FORMAT_MAX];

	if (!b || !get_bool(b, "broker")) {
		row(cli, "VM size", "the VMM's: %s",
		    get(b, "why_not") ? get_text(b, "why_not") : "no broker was looked for");
		return;
	}
	row(cli, "VM size", "%s of %s; target %s: %s", format_size(a, get_number(b, "actual")),
	    format_size(c, get_number(b, "max")), format_size(e, get_number(b, "target")),
	    get_text(b, "reason_text"));
	if (get(b, "resident"))
		row(cli, "", "the host holds %s for it", format_size(a, get_number(b, "resident")));
	row(cli, "", "needed %s and %s of headroom; the balloon has %s",
	    format_size(a, get_number(b, "need")), format_size(c, get_number(b, "headroom")),
	    format_size(f, get_number(b, "held")));
}

/* Only those that are off, or are not there: that all of them work is no news. */
static void print_means(const struct cli *cli, const json_t *means)
{
	const char *label = "Switched off";

	for (size_t i = 0; i < json_array_size(means); i++) {
		const json_t *m = json_array_get(means, i);
		char again[FORMAT_MAX];

		if (!get(m, "again_ms"))
			continue;
		row(cli, label, "%s: %s; tried again in %s", get_text(m, "name"),
		    get_text(m, "reason_text"), format_age(again, get_number(m, "again_ms")));
		label = "";
	}
}

static void print_totals(const struct cli *cli, const json_t *t)
{
	char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX], d[FORMAT_MAX], e[FORMAT_MAX],
		f[FORMAT_MAX];
	uint64_t taken = get_number(t, "reclaimed"), back = get_number(t, "refaulted");
	const json_t *by = get(t, "returned_by");
	uint64_t guest = get_number(by, "guest");

	row(cli, "Taken", "%s; %s came back (%.1f%%); %s was left by exits", format_size(a, taken),
	    format_size(b, back), percent(back, taken),
	    format_size(c, get_number(t, "exit_reclaimed")));
	row(cli, "Returned",
	    "%s to the host: %s by reclaim, %s by exits, %s by compaction, %s by the balloon%s%s%s",
	    format_size(a, get_number(t, "returned")), format_size(b, get_number(by, "reclaim")),
	    format_size(c, get_number(by, "exit")), format_size(d, get_number(by, "compaction")),
	    format_size(e, get_number(by, "balloon")), guest ? ", " : "",
	    guest ? format_size(f, guest) : "", guest ? " that others freed" : "");
	row(cli, "Compaction", "%" PRIu64 " passes, %.1f s of CPU", get_number(t, "compactions"),
	    (double)get_number(t, "compact_cpu_us") / 1e6);
}

static void print_overhead(const struct cli *cli, const json_t *s, const json_t *o)
{
	char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX];

	row(cli, "Cost", "ebbd %.1f s of CPU (%.2f%%), %s of memory; hooks %s of %s allowed",
	    (double)get_number(o, "cpu_us") / 1e6,
	    percent(get_number(o, "cpu_us"), 1000 * get_number(s, "uptime_ms")),
	    format_size(a, get_number(o, "rss")), format_percent(b, get_number(o, "hook_ppm")),
	    format_percent(c, get_number(o, "hook_budget_ppm")));
}

static void print_config(const struct cli *cli, const json_t *c)
{
	char cap[FORMAT_MAX] = "all RAM", cold[FORMAT_MAX] = "auto", stall[FORMAT_MAX];
	uint64_t rules = get_number(c, "rules");
	const char *path = get_text(c, "path");

	if (get(c, "cap"))
		format_size(cap, get_number(c, "cap"));
	if (get(c, "cold_after_ms"))
		format_age(cold, get_number(c, "cold_after_ms"));
	row(cli, "Options", "cap %s, cold after %s, stall budget %s, compress %s", cap, cold,
	    format_percent(stall, get_number(c, "stall_budget_ppm")), get_text(c, "compress"));
	if (path[0] || rules)
		row(cli, "", "from %s, %" PRIu64 " rule%s", path[0] ? path : "the defaults", rules,
		    rules == 1 ? "" : "s");
}

static void print_trouble(const struct cli *cli, const json_t *s)
{
	const json_t *e = get(s, "errors"), *rungs = get(s, "rungs");
	char less[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(rungs) && n < sizeof(less); i++) {
		const json_t *r = json_array_get(rungs, i);

		if (!get_bool(r, "best"))
			n += (size_t)snprintf(less + n, sizeof(less) - n, "%s%s", n ? ", " : "",
					      get_text(r, "data"));
	}
	if (n)
		row(cli, "Second best", "%s (see ebb doctor)", less);
	if (get_number(e, "acts_failed"))
		row(cli, "Failed", "%" PRIu64 " steps; the last: %s", get_number(e, "acts_failed"),
		    get_text(e, "last"));
	if (get_number(e, "edges_lost"))
		row(cli, "Lost", "%" PRIu64 " events of containers, made up for by a rescan",
		    get_number(e, "edges_lost"));
}

void print_status(const struct cli *cli, const json_t *data)
{
	print_head(cli, data);
	print_memory(cli, get(data, "memory"));
	print_balloon(cli, get(data, "balloon"));
	print_totals(cli, get(data, "totals"));
	print_means(cli, get(data, "means"));
	print_overhead(cli, data, get(data, "overhead"));
	print_config(cli, get(data, "config"));
	print_trouble(cli, data);
}
