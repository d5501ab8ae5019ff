// SPDX-License-Identifier: GPL-2.0-only
/* What all printing shares. */
#include <stdlib.h>
#include <string.h>

#include "ebb/cli.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define WIDTH_UNBOUNDED 100 /* of running text, where there is no terminal */

const char *cli_style(const struct cli *cli, enum cli_style style)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "\x1b[0m", [STYLE_HEAD] = "\x1b[1m", [STYLE_GOOD] = "\x1b[32m",
		[STYLE_WARN] = "\x1b[33m", [STYLE_BAD] = "\x1b[31m", [STYLE_DIM] = "\x1b[2m",
	};

	return cli->color ? codes[style] : "";
}

json_t *get(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

uint64_t get_number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

bool get_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

const char *get_text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

void print_json(const struct cli *cli, const json_t *data)
{
	json_dumpf(data, cli->out, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	fputc('\n', cli->out);
}

void print_wrapped(const struct cli *cli, unsigned int at, unsigned int indent, const char *text)
{
	unsigned int width = cli->width ? cli->width : WIDTH_UNBOUNDED;
	size_t size = 4 * strlen(text) + 1;
	_cleanup_free_ char *line = malloc(size);
	bool begun = true;

	if (!line)
		return;
	text_printable(line, size, text);
	for (char *p = line; *p;) {
		size_t n = strcspn(p, " ");

		if (!begun && at + 1 + n > width) {
			fprintf(cli->out, "\n%*s", (int)indent, "");
			at = indent;
			begun = true;
		}
		fprintf(cli->out, "%s%.*s", begun ? "" : " ", (int)n, p);
		at += (unsigned int)n + (begun ? 0 : 1);
		begun = false;
		p += n + strspn(p + n, " ");
	}
	fputc('\n', cli->out);
}
