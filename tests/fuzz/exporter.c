// SPDX-License-Identifier: GPL-2.0-only
/*
 * An answer of ebbd to `list`, and a request's headers: whatever is in them, what comes out is
 * lines that Prometheus can read, and nothing that acts on a terminal.
 */
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/history.h"
#include "exporter/metrics.h"
#include "exporter/request.h"
#include "exporter/sample.h"
#include "lib/cleanup.h"

#define STATUS "{\"ok\":true,\"data\":{\"rungs\":[]}}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *skip_name(const char *p)
{
	const char *start = p;

	while ((*p >= 'a' && *p <= 'z') || *p == '_')
		p++;
	assert(p > start);
	return p;
}

/* name="value" after name="value", up to the brace. */
static const char *skip_labels(const char *p)
{
	for (;;) {
		p = skip_name(p);
		assert(p[0] == '=' && p[1] == '"');
		for (p += 2; *p != '"'; p++) {
			assert(*p && *p != '\n');
			if (*p == '\\') {
				p++;
				assert(*p == '\\' || *p == '"' || *p == 'n');
			}
		}
		p++;
		if (*p == '}')
			return p + 1;
		assert(*p == ',');
		p++;
	}
}

static void check_line(const char *line)
{
	if (*line == '#')
		return;
	line = skip_name(line);
	if (*line == '{')
		line = skip_labels(line + 1);
	assert(*line == ' ');
	line++;
	assert(*line >= '0' && *line <= '9');
	line += strspn(line, "0123456789.");
	assert(*line == '\n');
}

static void check_metrics(const char *text)
{
	while (*text) {
		check_line(text);
		for (; *text != '\n'; text++)
			assert(*text && (unsigned char)*text >= 0x20 && *text != 0x7f);
		text++;
	}
}

static void check_history(const struct sample *s)
{
	struct history *h = history_new();
	uint64_t ids[HISTORY_MAX_IDS];
	struct buf out = { 0 };
	size_t n = 0, len;
	json_t *json;
	char *text;

	for (; n < s->nr && n < HISTORY_MAX_IDS; n++)
		ids[n] = s->containers[n].id;
	assert(h && history_add(h, s, 1000000) == 0);
	history_containers_json(h, HISTORY_SPAN_RECENT, 1000000, ids, n, &out);
	text = buf_take(&out, &len);
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	assert(json_is_object(json));
	json_decref(json);
	free(text);
	history_free(h);
}

static void feed_answer(const char *text, size_t size)
{
	const struct metrics_self self = { 0 };
	const struct metrics_limits limits = { .max_containers = 100 };
	char error[SAMPLE_ERROR_MAX];
	struct sample *s;
	int r = sample_parse(&s, text, size, STATUS, strlen(STATUS), error);

	assert(r == 0 || r == -EPROTO || r == -EREMOTEIO);
	assert(memchr(error, '\0', sizeof(error)));
	if (r)
		return;
	for (int format = 0; format < METRICS_NR_FORMATS; format++) {
		size_t len;
		char *page = metrics_render((enum metrics_format)format, s, &self, &limits, &len);

		assert(page && strlen(page) == len);
		check_metrics(page);
		free(page);
	}
	check_history(s);
	sample_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	uint64_t ids[4];

	feed_answer((const char *)data, size);
	request_format(text);
	request_host_is_address(text);
	assert(!request_authorized(text, "user:password that is not in the corpus"));
	assert(request_ids(text, ids, 4) <= 4);
	return 0;
}
