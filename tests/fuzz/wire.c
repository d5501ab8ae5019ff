// SPDX-License-Identifier: GPL-2.0-only
/* A request line: whatever comes, one line of ASCII goes back, and root's commands stay root's. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "report/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int echo(void *arg, const struct server_peer *peer, const json_t *request, json_t **ret_data,
		char *errbuf)
{
	*ret_data = json_deep_copy(request);
	return 0;
}

static int refuse(void *arg, const struct server_peer *peer, const json_t *request,
		  json_t **ret_data, char *errbuf)
{
	const char *name = json_string_value(json_object_get(request, "name"));

	snprintf(errbuf, SERVER_ERROR_MAX, "no container '%s'", name ? name : "");
	return EBB_EXIT_FAILED;
}

static int forbidden(void *arg, const struct server_peer *peer, const json_t *request,
		     json_t **ret_data, char *errbuf)
{
	abort();
}

static const struct server_command commands[] = {
	{ "list", false, echo },
	{ "explain", false, refuse },
	{ "pause", true, forbidden },
};
static const struct server_ops ops = { commands, ARRAY_SIZE(commands) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct server_peer peer = { .uid = 1000 };
	json_t *answer;
	size_t len;
	char *text;
	int r;

	if (size >= EBB_WIRE_REQUEST_MAX || memchr(data, '\n', size))
		return 0;
	r = request_answer(&ops, NULL, &peer, (const char *)data, size, &text, &len);
	assert(r == 0 || r == -EPROTO);
	assert(len > 1 && text[len - 1] == '\n');
	for (size_t i = 0; i < len - 1; i++)
		assert((unsigned char)text[i] >= 0x20 && (unsigned char)text[i] <= 0x7f);
	answer = json_loadb(text, len, 0, NULL);
	assert(json_is_boolean(json_object_get(answer, "ok")));
	assert(r == 0 || json_is_false(json_object_get(answer, "ok")));
	json_decref(answer);
	free(text);
	return 0;
}
