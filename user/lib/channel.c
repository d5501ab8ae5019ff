// SPDX-License-Identifier: GPL-2.0-only
#include "lib/channel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/channel_json.h"
#include "lib/cleanup.h"

enum member_kind {
	MEMBER_TYPE,
	MEMBER_TEXT,
	MEMBER_HEX, /* a text of hex digits, of just the field's length */
	MEMBER_U32,
	MEMBER_U64,
	MEMBER_CLAMP,
	MEMBER_LEVEL,
};

#define IN(type) (1u << CHANNEL_##type)

struct member {
	const char *name;
	enum member_kind kind;
	size_t offset;
	size_t size;
	unsigned int required; /* by these types: IN() bits */
	unsigned int optional;
};

#define FIELD(f) offsetof(struct channel_message, f), sizeof(((struct channel_message *)0)->f)

/* In the order in which they are written. */
static const struct member members[] = {
	{ "type", MEMBER_TYPE, FIELD(type), ~0u, 0 },
	{ "version", MEMBER_U32, FIELD(version), IN(HELLO) | IN(WELCOME), 0 },
	{ "session", MEMBER_HEX, FIELD(session), IN(HELLO) | IN(WELCOME), 0 },
	{ "boot", MEMBER_TEXT, FIELD(boot), IN(HELLO), 0 },
	{ "agent", MEMBER_TEXT, FIELD(agent), 0, IN(HELLO) | IN(WELCOME) },
	{ "name", MEMBER_TEXT, FIELD(name), 0, IN(HELLO) },
	{ "ram", MEMBER_U64, FIELD(ram), 0, IN(HELLO) },
	{ "seq", MEMBER_U64, FIELD(seq), IN(LEASE) | IN(ACK), 0 },
	{ "want", MEMBER_U64, FIELD(want), IN(LEASE), 0 },
	{ "idle", MEMBER_U64, FIELD(idle), 0, IN(LEASE) },
	{ "ttl_ms", MEMBER_U64, FIELD(ttl_ms), IN(LEASE) | IN(ACK), 0 },
	{ "applied", MEMBER_U64, FIELD(applied), IN(ACK), 0 },
	{ "actual", MEMBER_U64, FIELD(actual), 0, IN(ACK) },
	{ "resident", MEMBER_U64, FIELD(resident), 0, IN(ACK) },
	{ "clamp", MEMBER_CLAMP, FIELD(clamp), IN(ACK), 0 },
	{ "min", MEMBER_U64, FIELD(min), IN(WELCOME), 0 },
	{ "max", MEMBER_U64, FIELD(max), IN(WELCOME), 0 },
	{ "level", MEMBER_LEVEL, FIELD(level), IN(PRESSURE), 0 },
	{ "need", MEMBER_U64, FIELD(need), IN(PRESSURE), 0 },
	{ "text", MEMBER_TEXT, FIELD(text), IN(ERROR), 0 },
};

static const char *const type_names[] = {
	[CHANNEL_HELLO] = "hello",     [CHANNEL_LEASE] = "lease", [CHANNEL_BYE] = "bye",
	[CHANNEL_WELCOME] = "welcome", [CHANNEL_ACK] = "ack",     [CHANNEL_PRESSURE] = "pressure",
	[CHANNEL_ERROR] = "error",
};

static const char *const clamp_names[CHANNEL_NR_CLAMPS] = {
	[CHANNEL_CLAMP_NONE] = "none",       [CHANNEL_CLAMP_FLOOR] = "floor",
	[CHANNEL_CLAMP_CEILING] = "ceiling", [CHANNEL_CLAMP_RATE] = "rate",
	[CHANNEL_CLAMP_HOST] = "host",       [CHANNEL_CLAMP_VMM] = "vmm",
	[CHANNEL_CLAMP_DRY_RUN] = "dry-run",
};

static const char *const level_names[CHANNEL_NR_LEVELS] = {
	[CHANNEL_LEVEL_NONE] = "none",
	[CHANNEL_LEVEL_LOW] = "low",
	[CHANNEL_LEVEL_HIGH] = "high",
};

const char *channel_clamp_name(enum channel_clamp clamp)
{
	return (size_t)clamp < ARRAY_SIZE(clamp_names) ? clamp_names[clamp] : "unknown";
}

const char *channel_level_name(enum channel_level level)
{
	return (size_t)level < ARRAY_SIZE(level_names) ? level_names[level] : "unknown";
}

static int find_name(const char *const names[], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], name))
			return (int)i;
	return -1;
}

/* --- reading --------------------------------------------------------------- */

static bool store_enum(void *field, const struct json_value *v, const char *const names[], size_t n)
{
	int found = v->kind == JSON_IS_STRING && v->fits ? find_name(names, n, v->text) : -1;

	if (found < 0)
		return false;
	*(int *)field = found;
	return true;
}

static bool store_text(char *field, size_t size, const struct json_value *v, bool hex)
{
	size_t len;

	if (v->kind != JSON_IS_STRING || !v->fits)
		return false;
	len = strlen(v->text);
	if (len >= size)
		return false;
	if (hex && (len != size - 1 || strspn(v->text, "0123456789abcdef") != len))
		return false;
	memcpy(field, v->text, len + 1);
	return true;
}

static bool store_number(void *field, const struct json_value *v, bool wide)
{
	if (v->kind != JSON_IS_NUMBER || !v->fits || (!wide && v->number > UINT32_MAX))
		return false;
	if (wide)
		*(uint64_t *)field = v->number;
	else
		*(uint32_t *)field = (uint32_t)v->number;
	return true;
}

static bool store(struct channel_message *m, const struct member *member,
		  const struct json_value *v)
{
	void *field = (char *)m + member->offset;

	switch (member->kind) {
	case MEMBER_TYPE:
		return store_enum(field, v, type_names, ARRAY_SIZE(type_names));
	case MEMBER_CLAMP:
		return store_enum(field, v, clamp_names, ARRAY_SIZE(clamp_names));
	case MEMBER_LEVEL:
		return store_enum(field, v, level_names, ARRAY_SIZE(level_names));
	case MEMBER_TEXT:
	case MEMBER_HEX:
		return store_text(field, member->size, v, member->kind == MEMBER_HEX);
	case MEMBER_U32:
	case MEMBER_U64:
		return store_number(field, v, member->kind == MEMBER_U64);
	}
	return false;
}

/* Which members were there, and which of those were not as they should be: a bit each. */
struct seen {
	uint32_t given;
	uint32_t bad;
};
_Static_assert(ARRAY_SIZE(members) <= 32, "a bit for each member");

static bool parse_member(struct json_text *t, struct channel_message *m, struct seen *seen)
{
	struct json_value key, value;
	size_t i;

	if (!channel_string(t, &key))
		return false;
	channel_blanks(t);
	if (!channel_byte(t, ':'))
		return false;
	channel_blanks(t);
	if (!channel_value(t, &value))
		return false;
	for (i = 0; key.fits && i < ARRAY_SIZE(members); i++)
		if (!strcmp(members[i].name, key.text))
			break;
	if (!key.fits || i == ARRAY_SIZE(members))
		return true;
	if (seen->given & (1u << i))
		return false;
	seen->given |= 1u << i;
	if (!store(m, &members[i], &value))
		seen->bad |= 1u << i;
	return true;
}

static bool parse_object(struct json_text *t, struct channel_message *m, struct seen *seen)
{
	channel_blanks(t);
	if (!channel_byte(t, '{'))
		return false;
	channel_blanks(t);
	if (!channel_byte(t, '}')) {
		do {
			channel_blanks(t);
			if (!parse_member(t, m, seen))
				return false;
			channel_blanks(t);
		} while (channel_byte(t, ','));
		if (!channel_byte(t, '}'))
			return false;
	}
	channel_blanks(t);
	return t->at == t->end;
}

int channel_parse(const char *line, size_t len, struct channel_message *ret)
{
	struct json_text t = { line, line + len };
	struct channel_message m = { 0 };
	struct seen seen = { 0 };
	unsigned int in;

	if (!parse_object(&t, &m, &seen))
		return -EBADMSG;
	if (!m.type)
		return seen.given & 1 ? -EPROTO : -EINVAL;
	in = 1u << m.type;
	/* Another version may have other members: say which it is before looking at them. */
	if ((IN(HELLO) | IN(WELCOME)) & in && m.version && m.version != EBB_CHANNEL_VERSION)
		return -EPROTO;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		bool given = seen.given & (1u << i), bad = seen.bad & (1u << i);

		if (members[i].required & in && (!given || bad))
			return -EINVAL;
		if (members[i].optional & in && given && bad)
			return -EINVAL;
	}
	if ((IN(HELLO) | IN(WELCOME)) & in && m.version != EBB_CHANNEL_VERSION)
		return -EPROTO;
	*ret = m;
	return 0;
}

/* --- writing --------------------------------------------------------------- */

struct writer {
	char *buf;
	size_t size;
	size_t len;
	bool full;
};

static void add(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct writer *w, const char *format, ...)
{
	va_list ap;
	int n;

	if (w->full)
		return;
	va_start(ap, format);
	n = vsnprintf(w->buf + w->len, w->size - w->len, format, ap);
	va_end(ap);
	w->full = n < 0 || (size_t)n >= w->size - w->len;
	if (!w->full)
		w->len += (size_t)n;
}

static void add_string(struct writer *w, const char *text, size_t max)
{
	add(w, "\"");
	for (size_t i = 0; i < max && text[i]; i++) {
		unsigned char c = (unsigned char)text[i];

		add(w, "%s%c", c == '"' || c == '\\' ? "\\" : "",
		    c >= 0x20 && c < 0x7f ? (char)c : '?');
	}
	add(w, "\"");
}

static void add_value(struct writer *w, const struct channel_message *m,
		      const struct member *member)
{
	const void *field = (const char *)m + member->offset;

	switch (member->kind) {
	case MEMBER_TYPE:
		add_string(w, type_names[m->type], SIZE_MAX);
		break;
	case MEMBER_CLAMP:
		add_string(w, channel_clamp_name(m->clamp), SIZE_MAX);
		break;
	case MEMBER_LEVEL:
		add_string(w, channel_level_name(m->level), SIZE_MAX);
		break;
	case MEMBER_TEXT:
	case MEMBER_HEX:
		add_string(w, field, member->size - 1);
		break;
	case MEMBER_U32:
		add(w, "%" PRIu32, *(const uint32_t *)field);
		break;
	case MEMBER_U64:
		add(w, "%" PRIu64, *(const uint64_t *)field);
		break;
	}
}

/* A member that may be missing is left out where it says nothing. */
static bool is_empty(const struct channel_message *m, const struct member *member)
{
	const char *field = (const char *)m + member->offset;

	for (size_t i = 0; i < (member->kind == MEMBER_TEXT ? 1 : member->size); i++)
		if (field[i])
			return false;
	return true;
}

int channel_format(char *buf, size_t size, const struct channel_message *m)
{
	struct writer w = { .buf = buf, .size = size };
	unsigned int in;
	char separator = '{';

	if ((int)m->type <= 0 || (size_t)m->type >= ARRAY_SIZE(type_names))
		return -EINVAL;
	in = 1u << m->type;
	if ((IN(HELLO) | IN(WELCOME)) & in)
		add(&w, "%c", EBB_CHANNEL_RESYNC);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (!(members[i].required & in) &&
		    (!(members[i].optional & in) || is_empty(m, &members[i])))
			continue;
		add(&w, "%c\"%s\":", separator, members[i].name);
		add_value(&w, m, &members[i]);
		separator = ',';
	}
	add(&w, "}\n");
	return w.full ? -EMSGSIZE : (int)w.len;
}

/* --- a stream into lines ---------------------------------------------------- */

void channel_reader_reset(struct channel_reader *r)
{
	r->len = 0;
	r->overlong = false;
}

bool channel_read(struct channel_reader *r, const char **data, size_t *len, size_t *ret_len)
{
	while (*len) {
		char c = *(*data)++;

		(*len)--;
		if ((unsigned char)c == EBB_CHANNEL_RESYNC) {
			channel_reader_reset(r);
			r->resyncs++;
		} else if (c == '\n') {
			size_t line = r->len;
			bool whole = !r->overlong && line;

			channel_reader_reset(r);
			if (whole) {
				*ret_len = line;
				return true;
			}
		} else if (r->overlong) {
			continue;
		} else if (r->len == r->size) {
			r->overlong = true;
			r->dropped++;
		} else {
			r->buf[r->len++] = c;
		}
	}
	return false;
}
