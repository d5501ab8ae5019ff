// SPDX-License-Identifier: GPL-2.0-only
#include "report/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ebb/wire.h"
#include "lib/cleanup.h"
#include "lib/text.h"

/* Takes the reference to answer. */
static int dump(json_t *answer, char **ret, size_t *ret_len)
{
	char *text;
	size_t len;

	if (!answer)
		return -ENOMEM;
	/* ASCII alone: whatever a container is called, this may end up on a terminal. */
	text = json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(answer);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len] = '\n'; /* in the place of the NUL: the length goes with it */
	*ret = text;
	*ret_len = len + 1;
	return 0;
}

static json_t *refusal(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

static json_t *refusal(int code, const char *format, ...)
{
	char raw[SERVER_ERROR_MAX], message[SERVER_ERROR_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	text_printable(message, sizeof(message), raw);
	return json_pack("{s:b,s:s,s:i}", "ok", 0, "error", message, "code", code);
}

static json_t *run(const struct server_ops *ops, void *arg, const struct server_peer *peer,
		   const char *name, const json_t *request)
{
	const struct server_command *command = NULL;
	char errbuf[SERVER_ERROR_MAX] = "";
	json_t *data = NULL, *answer;
	int code;

	for (size_t i = 0; i < ops->nr_commands; i++)
		if (!strcmp(ops->commands[i].name, name))
			command = &ops->commands[i];
	if (!command)
		return refusal(EBB_EXIT_USAGE, "unknown command '%.64s'", name);
	if (command->needs_root && peer->uid != 0)
		return refusal(EBB_EXIT_FAILED,
			       "not permitted: only root may %s; members of group %s may read",
			       command->name, EBB_GROUP);

	code = command->handler(arg, peer, request, &data, errbuf);
	if (code) {
		json_decref(data);
		errbuf[sizeof(errbuf) - 1] = '\0';
		return refusal(code, "%s", errbuf[0] ? errbuf : "failed");
	}
	answer = json_pack("{s:b,s:o}", "ok", 1, "data", data ? data : json_null());
	if (!answer)
		json_decref(data);
	return answer;
}

int request_answer(const struct server_ops *ops, void *arg, const struct server_peer *peer,
		   const char *line, size_t len, char **ret, size_t *ret_len)
{
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(request, "cmd"));
	int r;

	if (!name) {
		json_decref(request);
		r = dump(refusal(EBB_EXIT_USAGE,
				 "not a request: expected {\"cmd\":\"…\"} on a line"),
			 ret, ret_len);
		return r < 0 ? r : -EPROTO;
	}
	r = dump(run(ops, arg, peer, name, request), ret, ret_len);
	json_decref(request);
	if (r < 0 || *ret_len <= EBB_WIRE_REPLY_MAX)
		return r;
	free(*ret);
	return dump(refusal(EBB_EXIT_FAILED, "the answer is too large"), ret, ret_len);
}
