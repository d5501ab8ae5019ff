// SPDX-License-Identifier: GPL-2.0-only
#include "lib/conf_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/conf.h"
#include "lib/units.h"

#define MiB (1ull << 20)
#define PiB (1ull << 50)
#define SECOND 1000ull
#define DAY (86400 * SECOND)

#define DEFAULT_STALL_PPM 1000
#define DEFAULT_LISTEN "127.0.0.1:9465"

static const char *const compress_names[] = {
	[EBB_COMPRESS_AUTO] = "auto",
	[EBB_COMPRESS_ZRAM] = "zram",
	[EBB_COMPRESS_ZSWAP] = "zswap",
	[EBB_COMPRESS_OFF] = "off",
};

/* clang-format off */
static const struct conf_option main_options[] = {
	{ "cap", CONF_SIZE, offsetof(struct ebb_config, cap), 0, 64 * MiB, PiB,
	  "all RAM", "memory in use never goes above this" },
	{ "cold_after", CONF_TIME, offsetof(struct ebb_config, cold_after_ms), 0, SECOND, 7 * DAY,
	  "auto", "memory idle for that long is cold" },
	{ "stall_budget", CONF_PERCENT, offsetof(struct ebb_config, stall_budget_ppm), 0, 10, 100000,
	  "0.1%", "share of time containers may wait because of ebb" },
	{ "compress", CONF_COMPRESS, offsetof(struct ebb_config, compress), 0, 0, 0,
	  "auto", "where cold memory goes: auto, zram, zswap or off" },
	{ "listen", CONF_LISTEN, offsetof(struct ebb_config, listen), 0, 1, 65535,
	  DEFAULT_LISTEN, "address and port of ebb-exporter" },
};

static const struct conf_option rule_options[] = {
	{ "protect", CONF_SIZE, offsetof(struct ebb_rule, protect),
	  offsetof(struct ebb_rule, has_protect), 0, PiB,
	  "0", "never take the container below this" },
	{ "reclaim", CONF_SWITCH, offsetof(struct ebb_rule, reclaim),
	  offsetof(struct ebb_rule, has_reclaim), 0, 0,
	  "on", "off: leave the container alone" },
};
/* clang-format on */

const struct conf_section conf_section_main = { "ebb", main_options, ARRAY_SIZE(main_options) };
const struct conf_section conf_section_rule = { "container", rule_options,
						ARRAY_SIZE(rule_options) };

void conf_defaults(struct ebb_config *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->stall_budget_ppm = DEFAULT_STALL_PPM;
	ret->compress = EBB_COMPRESS_AUTO;
	strcpy(ret->listen, DEFAULT_LISTEN);
}

const char *conf_compress_name(enum ebb_compress compress)
{
	return (size_t)compress < ARRAY_SIZE(compress_names) ? compress_names[compress] : "unknown";
}

static void store(const struct conf_option *o, void *base, const void *value, size_t size)
{
	memcpy((char *)base + o->offset, value, size);
	if (o->given)
		*((bool *)((char *)base + o->given)) = true;
}

static int set_size(const struct conf_option *o, void *base, const char *value, char *why,
		    size_t size)
{
	char min[FORMAT_MAX], max[FORMAT_MAX];
	uint64_t bytes = 0;
	int r = parse_size(value, &bytes);

	if (r == -EINVAL) {
		snprintf(why, size, "expected a size such as 512M, 1.5G or 64KiB");
		return r;
	}
	if (r < 0 || bytes < o->min || bytes > o->max) {
		snprintf(why, size, "out of range: expected %s to %s", format_size(min, o->min),
			 format_size(max, o->max));
		return -ERANGE;
	}
	store(o, base, &bytes, sizeof(bytes));
	return 0;
}

static int set_time(const struct conf_option *o, void *base, const char *value, char *why,
		    size_t size)
{
	char min[FORMAT_MAX], max[FORMAT_MAX];
	uint64_t ms = 0;
	int r;

	if (!strcmp(value, "auto")) {
		store(o, base, &ms, sizeof(ms));
		return 0;
	}
	r = parse_time(value, &ms);
	if (r == -EINVAL) {
		snprintf(why, size, "expected auto, or a time with its unit such as 30s or 2min");
		return r;
	}
	if (r < 0 || ms < o->min || ms > o->max) {
		snprintf(why, size, "out of range: expected %s to %s", format_age(min, o->min),
			 format_age(max, o->max));
		return -ERANGE;
	}
	store(o, base, &ms, sizeof(ms));
	return 0;
}

static int set_percent(const struct conf_option *o, void *base, const char *value, char *why,
		       size_t size)
{
	char min[FORMAT_MAX], max[FORMAT_MAX];
	uint32_t ppm = 0;
	int r = parse_percent(value, &ppm);

	if (r == -EINVAL) {
		snprintf(why, size, "expected a share such as 0.1%%");
		return r;
	}
	if (r < 0 || ppm < o->min || ppm > o->max) {
		snprintf(why, size, "out of range: expected %s to %s, in steps of 0.0001%%",
			 format_percent(min, o->min), format_percent(max, o->max));
		return -ERANGE;
	}
	store(o, base, &ppm, sizeof(ppm));
	return 0;
}

static int set_compress(const struct conf_option *o, void *base, const char *value, char *why,
			size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(compress_names); i++)
		if (!strcmp(value, compress_names[i])) {
			enum ebb_compress c = (enum ebb_compress)i;

			store(o, base, &c, sizeof(c));
			return 0;
		}
	snprintf(why, size, "expected auto, zram, zswap or off");
	return -EINVAL;
}

static int set_switch(const struct conf_option *o, void *base, const char *value, char *why,
		      size_t size)
{
	bool on = !strcmp(value, "on");

	if (!on && strcmp(value, "off")) {
		snprintf(why, size, "expected on or off");
		return -EINVAL;
	}
	store(o, base, &on, sizeof(on));
	return 0;
}

/* Addresses only: a name would be looked up before there is a network. */
static int set_listen(const struct conf_option *o, void *base, const char *value, char *why,
		      size_t size)
{
	char listen[sizeof(((struct ebb_config *)0)->listen)] = "", host[INET6_ADDRSTRLEN] = "";
	const char *colon = strrchr(value, ':'), *start = value, *p;
	struct in6_addr address;
	unsigned long port = 0;
	bool v6 = value[0] == '[';
	size_t len;

	snprintf(why, size, "expected ADDRESS:PORT such as " DEFAULT_LISTEN " or [::1]:9465");
	if (!colon || strlen(value) >= sizeof(listen))
		return -EINVAL;
	len = (size_t)(colon - value);
	if (v6) {
		if (len < 2 || value[len - 1] != ']')
			return -EINVAL;
		start++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, start, len);
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host, &address) != 1)
		return -EINVAL;
	for (p = colon + 1; *p >= '0' && *p <= '9' && port <= o->max; p++)
		port = port * 10 + (unsigned long)(*p - '0');
	if (p == colon + 1 || (*p && port <= o->max))
		return -EINVAL;
	if (port < o->min || port > o->max) {
		snprintf(why, size, "port out of range: expected 1 to 65535");
		return -ERANGE;
	}
	strcpy(listen, value);
	store(o, base, listen, sizeof(listen));
	return 0;
}

int conf_option_set(const struct conf_option *o, void *base, const char *value, char *why,
		    size_t size)
{
	switch (o->type) {
	case CONF_SIZE:
		return set_size(o, base, value, why, size);
	case CONF_TIME:
		return set_time(o, base, value, why, size);
	case CONF_PERCENT:
		return set_percent(o, base, value, why, size);
	case CONF_COMPRESS:
		return set_compress(o, base, value, why, size);
	case CONF_SWITCH:
		return set_switch(o, base, value, why, size);
	case CONF_LISTEN:
		return set_listen(o, base, value, why, size);
	}
	return -EINVAL;
}

void conf_help(FILE *out)
{
	static const struct conf_section *const sections[] = { &conf_section_main,
							       &conf_section_rule };

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		fprintf(out,
			i ? "[%s \"GLOB\"]  ; on name, image or path; the last match wins\n"
			  : "[%s]\n",
			sections[i]->name);
		for (size_t j = 0; j < sections[i]->nr_options; j++) {
			const struct conf_option *o = &sections[i]->options[j];

			fprintf(out, "  %-13s %-15s %s\n", o->name, o->initial, o->help);
		}
	}
}
