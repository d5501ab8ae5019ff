// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of ebb.conf line by line: sections here, KEY = VALUE by inih.
 *
 * inih hands lines to a reader of ours. That gives the line numbers that its
 * handler lacks (Debian builds it without), refuses what it would silently
 * cut (lines over 200 bytes, sections over 50), and takes section headers
 * before it sees them: a glob may hold ']' and ';'.
 */
#include "lib/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/conf_options.h"
#include "lib/text.h"
#include "lib/units.h"

#define CONF_FILE_MAX (1u << 20)
#define CONF_LINE_MAX 512 /* a header with a glob; a key's line is held to inih's limit */
#define SHOWN_MAX 64 /* bytes of the file that an error repeats */

struct parser {
	const char *text;
	size_t len;
	size_t at;
	unsigned int line;
	const struct conf_section *section; /* NULL: before the first */
	uint64_t seen; /* keys of this section so far, by index */
	uint64_t seen_main;
	bool failed;
	struct ebb_config *config;
	struct conf_error *err;
};

static void __attribute__((format(printf, 4, 5)))
set_error(struct conf_error *err, const char *file, unsigned int line, const char *format, ...)
{
	va_list ap;

	text_printable(err->file, sizeof(err->file), file);
	err->line = line;
	va_start(ap, format);
	vsnprintf(err->message, sizeof(err->message), format, ap);
	va_end(ap);
}

/* The first error stays; inih goes on after one. */
#define fail(p, ...)                                                                               \
	do {                                                                                       \
		if (!(p)->failed)                                                                  \
			set_error((p)->err, (p)->err->file, (p)->line, __VA_ARGS__);               \
		(p)->failed = true;                                                                \
	} while (0)

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Nothing, or a comment, is left of the line. */
static bool is_comment(const char *text, size_t len)
{
	while (len && is_blank(*text))
		text++, len--;
	return !len || *text == '#' || *text == ';';
}

static void begin_main(struct parser *p)
{
	p->section = &conf_section_main;
	p->seen = p->seen_main;
}

/* rest: what follows `[container`, to the end of the line. */
static void begin_rule(struct parser *p, const char *rest, size_t len)
{
	char shown[SHOWN_MAX];
	struct ebb_rule *rule;
	const char *end;
	size_t n;

	while (len && is_blank(*rest))
		rest++, len--;
	end = len > 1 ? memchr(rest + 1, '"', len - 1) : NULL;
	if (!len || *rest != '"' || !end || (size_t)(end - rest) + 1 >= len || end[1] != ']') {
		fail(p, "expected [container \"GLOB\"], such as [container \"postgres*\"]");
		return;
	}
	n = (size_t)(end - rest) + 2;
	if (!is_comment(rest + n, len - n)) {
		fail(p, "'%s' after the section: expected the end of the line",
		     text_printable_n(shown, sizeof(shown), rest + n, len - n));
		return;
	}
	n -= 3;
	if (n == 0 || n >= EBB_GLOB_LEN) {
		fail(p, "a glob of %zu characters: expected 1 to %d", n, EBB_GLOB_LEN - 1);
		return;
	}
	if (p->config->nr_rules == EBB_MAX_RULES) {
		fail(p, "too many [container] sections: expected at most %d", EBB_MAX_RULES);
		return;
	}
	rule = &p->config->rules[p->config->nr_rules++];
	memset(rule, 0, sizeof(*rule));
	memcpy(rule->glob, rest + 1, n);
	p->section = &conf_section_rule;
	p->seen = 0;
}

static void section_line(struct parser *p, const char *line, size_t len)
{
	static const char container[] = "[container";
	char shown[SHOWN_MAX];
	const char *end = memchr(line, ']', len);
	size_t n = sizeof(container) - 1;

	if (p->section == &conf_section_main)
		p->seen_main = p->seen;
	if (len > n && !strncmp(line, container, n) && (is_blank(line[n]) || line[n] == '"')) {
		begin_rule(p, line + n, len - n);
		return;
	}
	if (len >= 5 && !strncmp(line, "[ebb]", 5) && is_comment(line + 5, len - 5)) {
		begin_main(p);
		return;
	}
	fail(p, "unknown section %s: expected [ebb] or [container \"GLOB\"]",
	     text_printable_n(shown, sizeof(shown), line, end ? (size_t)(end - line) + 1 : len));
}

/* inih's: fills str with one line, NULL at the end. */
static char *next_line(char *str, int num, void *stream)
{
	struct parser *p = stream;
	const char *line = p->text + p->at, *end;
	size_t len;

	if (p->failed || p->at == p->len)
		return NULL;
	end = memchr(line, '\n', p->len - p->at);
	len = end ? (size_t)(end - line) : p->len - p->at;
	p->at += len + (end ? 1 : 0);
	p->line++;

	if (len && line[len - 1] == '\r')
		len--;
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f) {
			fail(p, "byte 0x%02x: expected text, this looks like a binary file",
			     (unsigned char)line[i]);
			return NULL;
		}
	while (len && is_blank(line[len - 1]))
		len--;
	/* An indented line would continue the value above it. */
	while (len && is_blank(*line))
		line++, len--;

	if (len && (*line == '#' || *line == ';'))
		len = 0;
	if (len > CONF_LINE_MAX || (len && *line != '[' && len > (size_t)num - 2)) {
		fail(p, "a line of %zu characters: expected at most %d", len,
		     *line == '[' ? CONF_LINE_MAX : num - 2);
		return NULL;
	}
	if (len && *line == '[') {
		section_line(p, line, len);
		if (p->failed)
			return NULL;
		len = 0;
	}
	memcpy(str, line, len);
	str[len] = '\n';
	str[len + 1] = '\0';
	return str;
}

static void unknown_key(struct parser *p, const char *name)
{
	char keys[160] = "", shown[SHOWN_MAX];
	size_t n = 0;

	for (size_t i = 0; i < p->section->nr_options; i++)
		n += (size_t)snprintf(keys + n, sizeof(keys) - n, "%s%s", i ? ", " : "",
				      p->section->options[i].name);
	fail(p, "unknown key '%s' in [%s]: expected one of %s",
	     text_printable(shown, sizeof(shown), name), p->section->name, keys);
}

/* inih's handler; 0 tells it of an error. Its own idea of the section is always "". */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct parser *p = user;
	const struct conf_option *o;
	char why[160], shown[SHOWN_MAX];
	size_t i;
	void *base;

	if (p->failed)
		return 0;
	if (!p->section) {
		fail(p, "'%s' before any section: expected [ebb] first",
		     text_printable(shown, sizeof(shown), name));
		return 0;
	}
	for (i = 0; i < p->section->nr_options; i++)
		if (!strcmp(p->section->options[i].name, name))
			break;
	if (i == p->section->nr_options) {
		unknown_key(p, name);
		return 0;
	}
	o = &p->section->options[i];
	if (p->seen & (1ull << i)) {
		fail(p, "'%s' is given twice in this section", o->name);
		return 0;
	}
	p->seen |= 1ull << i;

	base = p->section == &conf_section_main
		       ? (void *)p->config
		       : (void *)&p->config->rules[p->config->nr_rules - 1];
	if (conf_option_set(o, base, value ? value : "", why, sizeof(why)) < 0) {
		fail(p, "%s = %s: %s", o->name,
		     text_printable(shown, sizeof(shown), value ? value : ""), why);
		return 0;
	}
	if (p->section == &conf_section_main && !strcmp(o->name, "cap"))
		p->config->cap_line = p->line;
	return 1;
}

int conf_parse(const char *name, const char *text, size_t len, struct ebb_config *ret,
	       struct conf_error *err)
{
	_cleanup_free_ struct ebb_config *config = malloc(sizeof(*config));
	struct parser p = { .text = text, .len = len, .config = config, .err = err };
	int r;

	set_error(err, name, 0, "out of memory");
	if (!config)
		return -ENOMEM;
	conf_defaults(config);
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		p.at = 3;

	r = ini_parse_stream(next_line, &p, on_key, &p);
	if (r > 0 && (!p.failed || (unsigned int)r < err->line)) {
		p.failed = false;
		p.line = (unsigned int)r;
		fail(&p, "expected KEY = VALUE");
	}
	if (p.failed)
		return -EINVAL;
	if (r < 0)
		return -ENOMEM;
	memcpy(ret, config, sizeof(*ret));
	return 0;
}

static unsigned int line_of(const char *text, size_t len)
{
	unsigned int line = 1;

	for (size_t i = 0; i < len; i++)
		line += text[i] == '\n';
	return line;
}

static int read_file(const char *path, char **ret_text, size_t *ret_len, struct conf_error *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	struct stat st;

	/* O_NONBLOCK: a FIFO would hang the start */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = -errno;

		set_error(err, path, 0, "cannot be read: %s", strerror(-r));
		return r;
	}
	/* /dev/null is a way to say: no options. */
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
		set_error(err, path, 0, "is not a regular file: expected a text file");
		return -EINVAL;
	}
	text = malloc(CONF_FILE_MAX + 1);
	if (!text) {
		set_error(err, path, 0, "out of memory");
		return -ENOMEM;
	}
	while (len < CONF_FILE_MAX) {
		ssize_t n = read(fd, text + len, CONF_FILE_MAX - len);

		if (n == 0)
			break;
		if (n < 0) {
			int r = -errno;

			set_error(err, path, 0, "cannot be read: %s", strerror(-r));
			return r;
		}
		len += (size_t)n;
	}
	/* A program, say, is told by what is in it: that has a line. */
	if (st.st_size > CONF_FILE_MAX && !memchr(text, '\0', len)) {
		set_error(err, path, line_of(text, len), "goes on beyond 1M: expected a text file");
		return -EINVAL;
	}
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

int conf_load(const char *path, struct ebb_config *ret, struct conf_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r;

	path = path ? path : EBB_CONFIG_PATH;
	r = read_file(path, &text, &len, err);
	if (r == -ENOENT && !strcmp(path, EBB_CONFIG_PATH)) {
		conf_defaults(ret);
		return 0;
	}
	if (r < 0)
		return r;
	return conf_parse(path, text, len, ret, err);
}

int conf_check_machine(const struct ebb_config *config, const char *path, uint64_t mem_total,
		       uint64_t mem_used, struct conf_error *err)
{
	/*
	 * MemTotal is less than the RAM that a VM was given: 1,967 MiB of 2,048 and 3,911 of
	 * 4,096 on Debian 13. A cap of the nominal size is meant to be all of it.
	 */
	uint64_t reserved = (96ull << 20) + mem_total / 32;
	char cap[FORMAT_MAX], other[FORMAT_MAX];

	path = path ? path : EBB_CONFIG_PATH;
	if (!config->cap)
		return 0;
	format_size(cap, config->cap);
	if (config->cap > mem_total && config->cap - mem_total > reserved) {
		set_error(err, path, config->cap_line,
			  "cap = %s is above the RAM of this machine: expected at most %s", cap,
			  format_size(other, mem_total));
		return -EINVAL;
	}
	if (config->cap < mem_used) {
		set_error(err, path, config->cap_line,
			  "cap = %s is below what runs now: expected at least %s", cap,
			  format_size(other, mem_used));
		return -EINVAL;
	}
	return 0;
}

char *conf_error_text(const struct conf_error *err, char buf[CONF_ERROR_MAX])
{
	if (err->line)
		snprintf(buf, CONF_ERROR_MAX, "%s:%u: %s", err->file, err->line, err->message);
	else
		snprintf(buf, CONF_ERROR_MAX, "%s: %s", err->file, err->message);
	return buf;
}
