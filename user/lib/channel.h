/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lines of include/ebb/channel.h: one text to one message and back. Pure,
 * and nothing allocates: a guest whose allocator starves must still be able to
 * ask for its memory back. So the JSON is read by hand, strictly: one flat
 * object, no member twice, what is unknown is skipped.
 */
#ifndef EBB_LIB_CHANNEL_H
#define EBB_LIB_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebb/channel.h"

enum channel_type {
	CHANNEL_HELLO = 1, /* guest: who speaks */
	CHANNEL_LEASE, /* guest: so much, for so long */
	CHANNEL_BYE, /* guest: the lease ends now */
	CHANNEL_WELCOME, /* host: the answer to hello */
	CHANNEL_ACK, /* host: what became of the lease; again when that changes */
	CHANNEL_PRESSURE, /* host: how short the host is */
	CHANNEL_ERROR, /* host: why a line was dropped */
};

/* Why applied is not want. */
enum channel_clamp {
	CHANNEL_CLAMP_NONE,
	CHANNEL_CLAMP_FLOOR, /* not below the VM's min */
	CHANNEL_CLAMP_CEILING, /* not above the VM's max */
	CHANNEL_CLAMP_RATE, /* shrinking goes on in steps */
	CHANNEL_CLAMP_HOST, /* the host is short: others need it more */
	CHANNEL_CLAMP_VMM, /* the VMM does not answer, or refused */
	CHANNEL_CLAMP_DRY_RUN, /* the broker changes nothing */
	CHANNEL_NR_CLAMPS,
};

enum channel_level {
	CHANNEL_LEVEL_NONE, /* nobody gains from memory given back now */
	CHANNEL_LEVEL_LOW, /* reclaim deeper */
	CHANNEL_LEVEL_HIGH, /* the balloon takes it */
	CHANNEL_NR_LEVELS,
};

#define CHANNEL_TEXT_MAX 128

/* Only the members of the type are used; a member that may be missing then reads as 0 or "". */
struct channel_message {
	enum channel_type type;
	uint32_t version; /* hello, welcome */
	char session[EBB_CHANNEL_SESSION_LEN + 1]; /* hello, welcome */
	char boot[EBB_CHANNEL_BOOT_LEN + 1]; /* hello */
	char agent[32]; /* hello, welcome: program and version; may be missing */
	char name[64]; /* hello: what the guest calls itself, for people; may be missing */
	uint64_t ram; /* hello: MemTotal, bytes; may be missing */
	uint64_t seq; /* lease, ack: grows by each lease of a session */
	uint64_t want; /* lease: bytes, size of the VM */
	uint64_t idle; /* lease: bytes of it that are idle; may be missing */
	uint64_t ttl_ms; /* lease: asked; ack: granted */
	uint64_t applied; /* ack: bytes, the size asked of the VMM */
	uint64_t actual; /* ack: bytes, the size last seen; 0 or missing: not known */
	uint64_t resident; /* ack: bytes that the VM holds of the host; may be missing */
	enum channel_clamp clamp; /* ack */
	uint64_t min; /* welcome: bytes, the host's limits */
	uint64_t max;
	enum channel_level level; /* pressure */
	uint64_t need; /* pressure: bytes that the host would have from this guest */
	char text[CHANNEL_TEXT_MAX]; /* error: for a person */
};

/*
 * Reads one line without its newline. Returns 0; -EBADMSG no JSON object, or a
 * member twice; -EPROTO an unknown type (skip it: a later version may have
 * more) or a hello of another version; -EINVAL a member is missing, of another kind or
 * out of range. *ret is untouched on failure.
 */
int channel_parse(const char *line, size_t len, struct channel_message *ret);

/*
 * Writes m with its newline, and before hello and welcome the resync byte.
 * Returns the length; -EMSGSIZE when buf is too small, -EINVAL for an unknown
 * type. Bytes of strings beyond printable ASCII are sent as '?'.
 */
int channel_format(char *buf, size_t size, const struct channel_message *m);

const char *channel_clamp_name(enum channel_clamp clamp); /* "none", "floor", … */
const char *channel_level_name(enum channel_level level); /* "none", "low", "high" */

/*
 * Cuts a stream into lines. The buffer is the caller's, of any size; a line
 * that does not fit is dropped to its end and counted.
 */
struct channel_reader {
	char *buf;
	size_t size;
	size_t len; /* bytes of an unfinished line */
	bool overlong; /* the rest of this line is to be dropped */
	uint64_t dropped; /* lines that were too long */
	uint64_t resyncs;
};

/*
 * Takes bytes from *data (advancing it and *len) up to the end of a line.
 * Returns true with a whole line in r->buf, *ret_len bytes long (it is there
 * until the next call); false when all bytes are taken and no line has ended.
 * Empty lines are skipped.
 */
bool channel_read(struct channel_reader *r, const char **data, size_t *len, size_t *ret_len);

/* Forget an unfinished line: another speaker is at the other end. */
void channel_reader_reset(struct channel_reader *r);

#endif /* EBB_LIB_CHANNEL_H */
