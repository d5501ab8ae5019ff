// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/metrics.h"

#include <string.h>

#include "exporter/metrics_int.h"
#include "exporter/utf8.h"

const char *metrics_content_type(enum metrics_format format)
{
	return format == METRICS_OPEN ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
				      : "text/plain; version=0.0.4; charset=utf-8";
}

static void write_name(struct writer *w, bool suffix)
{
	static const char *const suffixes[] = {
		[FAMILY_GAUGE] = "", [FAMILY_COUNTER] = "_total", [FAMILY_INFO] = "_info"
	};

	buf_add(&w->buf, "ebb_");
	buf_add(&w->buf, w->family->name);
	if (suffix)
		buf_add(&w->buf, suffixes[w->family->type]);
}

void write_family(struct writer *w, const struct family *f)
{
	static const char *const types[][3] = {
		[METRICS_TEXT] = { " gauge\n", " counter\n", " gauge\n" },
		[METRICS_OPEN] = { " gauge\n", " counter\n", " info\n" },
	};
	/* OpenMetrics names the family, the older format what the samples are called. */
	bool suffix = w->format == METRICS_TEXT;

	w->family = f;
	buf_add(&w->buf, "# HELP ");
	write_name(w, suffix);
	buf_add_char(&w->buf, ' ');
	buf_add(&w->buf, f->help);
	buf_add(&w->buf, "\n# TYPE ");
	write_name(w, suffix);
	buf_add(&w->buf, types[w->format][f->type]);
}

static void write_value(struct writer *w, uint64_t value)
{
	buf_add_char(&w->buf, ' ');
	buf_add_scaled(&w->buf, value, w->family->scale);
	buf_add_char(&w->buf, '\n');
}

void write_sample(struct writer *w, const char *labels, uint64_t value)
{
	write_name(w, true);
	if (*labels) {
		buf_add_char(&w->buf, '{');
		buf_add(&w->buf, labels);
		buf_add_char(&w->buf, '}');
	}
	write_value(w, value);
}

void write_sample_of(struct writer *w, const char *labels, const char *key, const char *value,
		     uint64_t number)
{
	write_name(w, true);
	buf_add_char(&w->buf, '{');
	if (*labels) {
		buf_add(&w->buf, labels);
		buf_add_char(&w->buf, ',');
	}
	buf_add(&w->buf, key);
	buf_add(&w->buf, "=\"");
	buf_add(&w->buf, value);
	buf_add(&w->buf, "\"}");
	write_value(w, number);
}

void write_single(struct writer *w, const struct family *f, uint64_t value)
{
	write_family(w, f);
	write_sample(w, "", value);
}

static void write_escaped(struct buf *b, const char *value)
{
	static const char hex[] = "0123456789abcdef";

	while (*value) {
		const char *at = value;
		uint32_t c = utf8_next(&value);

		if (c == '\n') {
			buf_add(b, "\\n");
		} else if (c == '"' || c == '\\') {
			buf_add_char(b, '\\');
			buf_add_char(b, (char)c);
		} else if (utf8_acts(c)) {
			/* Spelled out: somebody may read this on a terminal. */
			for (; at < value; at++) {
				buf_add(b, "\\\\x");
				buf_add_char(b, hex[(unsigned char)*at >> 4]);
				buf_add_char(b, hex[*at & 0xf]);
			}
		} else if (c == UTF8_BAD) {
			buf_add(b, "\xef\xbf\xbd");
		} else {
			buf_add_n(b, at, (size_t)(value - at));
		}
	}
}

void write_label(struct buf *b, const char *key, const char *value)
{
	if (b->len)
		buf_add_char(b, ',');
	buf_add(b, key);
	buf_add(b, "=\"");
	write_escaped(b, value);
	buf_add_char(b, '"');
}

static void write_self(struct writer *w, const struct metrics_self *self, bool up)
{
	static const struct family f_up = { "up", FAMILY_GAUGE, 1,
					    "Whether ebbd answered: 1, or 0 while it is away." };
	static const struct family f_requests = { "exporter_requests", FAMILY_COUNTER, 1,
						  "Times that the exporter asked ebbd." };
	static const struct family f_failures = {
		"exporter_failures", FAMILY_COUNTER, 1,
		"Times that ebbd was asked and did not answer well."
	};
	static const struct family f_request_us = { "exporter_request_seconds", FAMILY_COUNTER,
						    1000000,
						    "Time spent waiting for the answers of ebbd." };
	static const struct family f_refused = {
		"exporter_refused", FAMILY_COUNTER, 1,
		"HTTP requests turned away: not allowed, or too many slow readers at once."
	};
	static const struct family f_history = { "exporter_history_bytes", FAMILY_GAUGE, 1,
						 "Memory that the kept history occupies." };
	static const struct family f_rss = { "exporter_resident_memory_bytes", FAMILY_GAUGE, 1,
					     "Resident memory of the exporter." };
	static const struct family f_cpu = { "exporter_cpu_seconds", FAMILY_COUNTER, 1000000,
					     "Processor time of the exporter." };

	write_single(w, &f_up, up);
	write_single(w, &f_requests, self->requests);
	write_single(w, &f_failures, self->failures);
	write_single(w, &f_request_us, self->request_us);
	write_single(w, &f_refused, self->refused);
	write_single(w, &f_history, self->history_bytes);
	if (self->rss)
		write_single(w, &f_rss, self->rss);
	write_single(w, &f_cpu, self->cpu_us);
}

char *metrics_render(enum metrics_format format, const struct sample *sample,
		     const struct metrics_self *self, const struct metrics_limits *limits,
		     size_t *ret_len)
{
	struct writer w = { .format = format };

	write_self(&w, self, sample != NULL);
	if (sample) {
		write_machine(&w, &sample->machine);
		write_containers(&w, sample, limits);
	}
	if (format == METRICS_OPEN)
		buf_add(&w.buf, "# EOF\n");
	return buf_take(&w.buf, ret_len);
}
