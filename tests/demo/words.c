// SPDX-License-Identifier: GPL-2.0-only
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* In order of include/ebb/plan.h, enum ebb_reason; short enough for a line of a small terminal. */
static const struct {
	const char *code, *words;
} reasons[] = {
	{ "none", "" },
	{ "cold", "what it does not use is being taken" },
	{ "exit", "its last process is gone: the rest is being taken" },
	{ "probe", "small steps, as ages are not known" },
	{ "stranded", "free memory is being brought together" },
	{ "starting", "still growing, so left alone" },
	{ "learning", "nothing is old enough yet to tell" },
	{ "nothing-cold", "all that is left is in use" },
	{ "huge-pages", "what is cold hides inside huge pages" },
	{ "psi-memory", "it waits for memory, so nothing is taken" },
	{ "psi-io", "it waits for the disk, so nothing is taken" },
	{ "refaults", "too much came back, so a pause" },
	{ "swap-full", "the compressed store is nearly full" },
	{ "no-swap", "cold, but with nowhere to go" },
	{ "protected", "the rest is protected" },
	{ "off", "left alone, by a rule" },
	{ "paused", "paused by a person" },
	{ "busy", "being taken right now" },
	{ "shortfall", "not all of it could be taken; again soon" },
	{ "failed", "the last attempt failed; again later" },
	{ "cap", "at the cap: the coldest goes first" },
};

const char *reason_words(const char *code)
{
	static char other[TEXT_MAX_LEN];

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (!strcmp(reasons[i].code, code))
			return reasons[i].words;
	snprintf(other, sizeof(other), "%s", code);
	for (char *c = other; *c; c++)
		if (*c == '-')
			*c = ' ';
	return other;
}

const char *size_words(double bytes, char *buf, size_t len)
{
	if (fabs(bytes) >= GIB)
		snprintf(buf, len, "%.2f GiB", bytes / GIB);
	else if (fabs(bytes) >= 10 * MIB || fabs(bytes) < 0.05 * MIB)
		snprintf(buf, len, "%.0f MiB", bytes / MIB);
	else
		snprintf(buf, len, "%.1f MiB", bytes / MIB);
	return buf;
}

const char *latency_words(double us, char *buf, size_t len)
{
	/* Two figures that count: the clients' slots are 3% wide. */
	if (us < 995)
		snprintf(buf, len, "%.0f us", us);
	else if (us < 995e3)
		snprintf(buf, len, "%.*f ms", us < 9950 ? 1 : 0, us / 1e3);
	else
		snprintf(buf, len, "%.1f s", us / 1e6);
	return buf;
}

const char *clock_words(double seconds, char *buf, size_t len)
{
	long s = lround(fmax(seconds, 0));

	snprintf(buf, len, "%ld:%02ld", s / 60, s % 60);
	return buf;
}
