/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON as the channel needs it: read in place, nothing allocated. Private to channel*.c. */
#ifndef EBB_LIB_CHANNEL_JSON_H
#define EBB_LIB_CHANNEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_text {
	const char *at;
	const char *end;
};

enum json_kind { JSON_IS_STRING, JSON_IS_NUMBER, JSON_IS_OTHER };

/* What a scalar is; of arrays, objects, true, false and null only that they are there. */
struct json_value {
	enum json_kind kind;
	bool fits; /* a string that is whole in text; a number that is an integer of 0 to 2^64 - 1
		    */
	uint64_t number;
	char text[128]; /* unescaped, beyond printable ASCII '?' */
};

void channel_blanks(struct json_text *t);
bool channel_byte(struct json_text *t, char c); /* takes c, if it comes next */

/* Each takes what it reads; false: this is not JSON. */
bool channel_string(struct json_text *t, struct json_value *ret);
bool channel_value(struct json_text *t, struct json_value *ret);

#endif /* EBB_LIB_CHANNEL_JSON_H */
