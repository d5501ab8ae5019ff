// SPDX-License-Identifier: GPL-2.0-only
/*
 * The broker's files: KEY = VALUE by inih, which is handed one line at a time
 * (as in lib/conf.c: for the line numbers, and so that nothing is cut silently).
 */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/config_int.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define FILE_MAX_BYTES (1u << 20)
#define SHOWN_MAX 64

struct parser {
	const char *text;
	size_t len, at;
	unsigned int line;
	bool failed, one_vm; /* a VM's own file: no sections */
	const struct config_section *section;
	uint32_t seen;
	unsigned int vm_line; /* where the VM began */
	struct vm_config vm;
	struct broker_config *config;
	struct conf_error *err;
};

static void __attribute__((format(printf, 3, 4)))
set_error(struct conf_error *err, unsigned int line, const char *format, ...)
{
	va_list ap;

	err->line = line;
	va_start(ap, format);
	vsnprintf(err->message, sizeof(err->message), format, ap);
	va_end(ap);
}

#define fail(p, ...)                                                                               \
	do {                                                                                       \
		if (!(p)->failed)                                                                  \
			set_error((p)->err, (p)->line, __VA_ARGS__);                               \
		(p)->failed = true;                                                                \
	} while (0)

/* A VM's section ends: is it whole? */
static void end_vm(struct parser *p)
{
	char why[CONFIG_WHY_MAX];
	unsigned int line = p->line;
	int r;

	if (p->section != &config_section_vm || p->failed)
		return;
	p->line = p->vm_line;
	if (config_vm_check(&p->vm, why)) {
		fail(p, "%s: %s", p->vm.name, why);
	} else if (p->config) {
		r = broker_config_add(p->config, &p->vm);
		if (r == -EEXIST)
			fail(p, "there is a VM %s already", p->vm.name);
		else if (r)
			fail(p, "%s: %s", p->vm.name,
			     r == -E2BIG ? "too many VMs" : "out of memory");
	}
	p->line = line;
}

static bool rest_is_blank(const char *text)
{
	text += strspn(text, " \t");
	return !*text || *text == ';' || *text == '#';
}

static void begin_section(struct parser *p, char *line)
{
	char shown[SHOWN_MAX], *name, *end;

	if (p->one_vm) {
		fail(p, "a VM's own file has no sections: expected KEY = VALUE");
		return;
	}
	end_vm(p);
	p->seen = 0;
	p->vm_line = p->line;
	if (!strncmp(line, "[broker]", 8) && rest_is_blank(line + 8)) {
		p->section = &config_section_broker;
	} else if (!strncmp(line, "[vm", 3) && (line[3] == ' ' || line[3] == '"')) {
		name = strchr(line, '"');
		end = name ? strchr(name + 1, '"') : NULL;
		if (!end || end[1] != ']' || !rest_is_blank(end + 2)) {
			fail(p, "expected [vm \"NAME\"]");
			return;
		}
		*end = '\0';
		if (!config_name_ok(name + 1)) {
			fail(p, "'%s': expected a name of letters, digits, '.', '_', '-', ':', '@'",
			     text_printable(shown, sizeof(shown), name + 1));
			return;
		}
		memset(&p->vm, 0, sizeof(p->vm));
		strcpy(p->vm.name, name + 1);
		p->section = &config_section_vm;
	} else {
		fail(p, "unknown section %s: expected [broker] or [vm \"NAME\"]",
		     text_printable(shown, sizeof(shown), line));
	}
}

/* inih's: one line into str, NULL at the end. */
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
	/* An indented line would continue the value above it. */
	while (len && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	if (len && (*line == '#' || *line == ';'))
		len = 0;
	if (len > (size_t)num - 2) {
		fail(p, "a line of %zu characters: expected at most %d", len, num - 2);
		return NULL;
	}
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f) {
			fail(p, "byte 0x%02x: expected text", (unsigned char)line[i]);
			return NULL;
		}
	memcpy(str, line, len);
	str[len] = '\0';
	if (len && *str == '[') {
		begin_section(p, str);
		if (p->failed)
			return NULL;
		len = 0;
	}
	str[len] = '\n';
	str[len + 1] = '\0';
	return str;
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct parser *p = user;
	const struct config_key *key;
	char why[CONFIG_WHY_MAX], shown[SHOWN_MAX], names[128];
	struct broker_config unused;
	void *base = p->section == &config_section_vm ? (void *)&p->vm : (void *)p->config;
	unsigned int bit;

	if (p->failed)
		return 0;
	text_printable(shown, sizeof(shown), name);
	if (!p->section) {
		fail(p, "'%s' before any section: expected [broker] or [vm \"NAME\"] first", shown);
		return 0;
	}
	key = config_key_find(p->section, name);
	if (!key || (p->section == &config_section_vm && !strcmp(name, "name"))) {
		config_key_names(p->section, names, sizeof(names));
		fail(p, "unknown key '%s' in [%s]: expected one of %s", shown, p->section->name,
		     names + (p->section == &config_section_vm ? strlen("name, ") : 0));
		return 0;
	}
	bit = 1u << (key - p->section->keys);
	if (p->seen & bit) {
		fail(p, "'%s' is given twice in this section", shown);
		return 0;
	}
	p->seen |= bit;
	if (!value)
		value = "";
	if (p->section == &config_section_broker && (p->config->by_option & bit))
		base = &unused; /* looked at, and left to the command line */
	if (key->set(base, key->offset, value, why)) {
		fail(p, "%s = %s: %s", key->name, text_printable(shown, sizeof(shown), value), why);
		return 0;
	}
	return 1;
}

static int run(struct parser *p)
{
	int r;

	if (p->len >= 3 && !memcmp(p->text, "\xef\xbb\xbf", 3))
		p->at = 3;
	r = ini_parse_stream(next_line, p, on_key, p);
	if (r > 0 && (!p->failed || (unsigned int)r < p->err->line)) {
		p->failed = false;
		p->line = (unsigned int)r;
		fail(p, "expected KEY = VALUE");
	}
	end_vm(p);
	if (p->failed)
		return -EINVAL;
	return r < 0 ? -ENOMEM : 0;
}

static void begin(struct conf_error *err, const char *file)
{
	text_printable(err->file, sizeof(err->file), file);
	set_error(err, 0, "out of memory");
}

int broker_config_parse(const char *name, const char *text, size_t len, struct broker_config *c,
			struct conf_error *err)
{
	struct broker_config copy = *c;
	struct parser p = { .text = text, .len = len, .config = &copy, .err = err };
	int r = 0;

	begin(err, name);
	copy.vms = NULL;
	copy.nr_vms = copy.max_vms = 0;
	for (size_t i = 0; i < c->nr_vms && !r; i++)
		r = broker_config_add(&copy, &c->vms[i]);
	if (!r)
		r = run(&p);
	if (r) {
		free(copy.vms);
		return r;
	}
	free(c->vms);
	*c = copy;
	return 0;
}

static int read_file(const char *path, char **ret, size_t *ret_len, struct conf_error *err)
{
	/* O_NONBLOCK: a FIFO would hang the start. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	struct stat st;
	ssize_t n = 1;

	begin(err, path);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = -errno;

		set_error(err, 0, "cannot be read: %s", strerror(-r));
		return r;
	}
	if ((!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) || st.st_size > FILE_MAX_BYTES) {
		set_error(err, 0, "expected a text file of at most 1M");
		return -EINVAL;
	}
	text = malloc(FILE_MAX_BYTES + 1);
	if (!text)
		return -ENOMEM;
	while (len < FILE_MAX_BYTES && (n = read(fd, text + len, FILE_MAX_BYTES - len)) > 0)
		len += (size_t)n;
	if (n < 0) {
		int r = -errno;

		set_error(err, 0, "cannot be read: %s", strerror(-r));
		return r;
	}
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

int broker_config_load(const char *path, struct broker_config *c, struct conf_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = read_file(path, &text, &len, err);

	return r ? r : broker_config_parse(path, text, len, c, err);
}

int broker_vm_load(const char *path, struct vm_config *ret, struct conf_error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct parser p = { .err = err, .one_vm = true, .section = &config_section_vm };
	size_t suffix = strlen(BROKER_VM_SUFFIX), len = strlen(name);
	_cleanup_free_ char *text = NULL;
	int r;

	begin(err, path);
	if (len > suffix && len - suffix < sizeof(p.vm.name))
		memcpy(p.vm.name, name, len - suffix);
	if (!config_name_ok(p.vm.name)) {
		set_error(err, 0,
			  "the file's name is the VM's: expected letters, digits, '.', '_', '-', "
			  "':', '@' before " BROKER_VM_SUFFIX);
		return -EINVAL;
	}
	r = read_file(path, &text, &p.len, err);
	if (r)
		return r;
	p.text = text;
	r = run(&p);
	if (!r)
		*ret = p.vm;
	return r;
}
