// SPDX-License-Identifier: GPL-2.0-only
#include "fake_vmm.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/rest_http.h"

/* --- QMP ----------------------------------------------------------------------- */

static void reply(struct fake_client *c, json_t *object, const json_t *request)
{
	const json_t *id = json_object_get(request, "id");
	char *text;

	if (id)
		json_object_set(object, "id", (json_t *)id);
	text = json_dumps(object, JSON_COMPACT);
	stream_write(&c->stream, text, strlen(text));
	stream_write(&c->stream, "\r\n", 2);
	free(text);
	json_decref(object);
}

static json_t *refusal(const char *class, const char *desc)
{
	return json_pack("{s:{s:s,s:s}}", "error", "class", class, "desc", desc);
}

static json_t *qmp_balloon(struct fake_vmm *v, const json_t *request)
{
	const json_t *value = json_object_get(json_object_get(request, "arguments"), "value");

	if (v->no_balloon)
		return refusal("DeviceNotActive", "No balloon device has been activated");
	if (!json_is_integer(value) || json_integer_value(value) <= 0)
		return refusal("GenericError", "Parameter 'target' expects a size");
	if (v->refuse)
		return refusal("GenericError", "refused by the test");
	v->sets++;
	v->size = (uint64_t)json_integer_value(value);
	if (!v->lazy)
		v->actual = v->size < v->ram ? v->size : v->ram;
	return json_pack("{s:{}}", "return");
}

static json_t *qmp_run(struct fake_vmm *v, const char *command, const json_t *request)
{
	const json_t *arguments = json_object_get(request, "arguments");
	char path[128];

	if (!strcmp(command, "qmp_capabilities"))
		return json_pack("{s:{}}", "return");
	if (!strcmp(command, "query-memory-size-summary"))
		return json_pack("{s:{s:I,s:i}}", "return", "base-memory", (json_int_t)v->ram,
				 "plugged-memory", 0);
	if (!strcmp(command, "query-balloon"))
		return v->no_balloon
			       ? refusal("DeviceNotActive", "No balloon device has been activated")
			       : json_pack("{s:{s:I}}", "return", "actual",
					   v->claim ? (json_int_t)v->ram -
							      (json_int_t)v->claim * 4096
						    : (json_int_t)v->actual);
	if (!strcmp(command, "balloon"))
		return qmp_balloon(v, request);
	if (!strcmp(command, "qom-list")) {
		const char *asked = json_string_value(json_object_get(arguments, "path"));
		bool with_id = asked && !strcmp(asked, "/machine/peripheral");

		if (!with_id || v->no_balloon)
			return json_pack("{s:[]}", "return");
		return json_pack("{s:[{s:s,s:s}]}", "return", "name", "balloon0", "type",
				 "child<virtio-balloon-pci>");
	}
	if (!strcmp(command, "query-memdev"))
		return json_pack("{s:[{s:b}]}", "return", "prealloc", false);
	if (!strcmp(command, "qom-get")) {
		const char *asked = json_string_value(json_object_get(arguments, "path"));

		if (asked && !strcmp(asked, "/machine/peripheral/balloon0"))
			return json_pack("{s:b}", "return", !v->no_reporting);

		snprintf(path, sizeof(path), "/machine/peripheral/%s",
			 v->port_id ? v->port_id : "?");
		return json_pack("{s:s}", "return",
				 asked && !strcmp(asked, path) ? "ebb.channel" : "org.other");
	}
	v->bad++;
	snprintf(v->bad_text, sizeof(v->bad_text), "%s", command);
	return refusal("CommandNotFound", "The command has not been found");
}

static void qmp_line(struct fake_client *c, const char *line, size_t len)
{
	json_t *request = json_loadb(line, len, 0, NULL);
	const char *command = json_string_value(json_object_get(request, "execute"));
	unsigned int sets = c->vmm->sets;

	if (!c->vmm->hang)
		reply(c, qmp_run(c->vmm, command ? command : "", request), request);
	if (c->vmm->sets != sets && c->vmm->on_set)
		c->vmm->on_set(c->vmm);
	json_decref(request);
}

void fake_vmm_event(struct fake_vmm *v, const char *name, const char *data)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "{\"timestamp\":{\"seconds\":1,\"microseconds\":2},\"event\":\"%s\","
			 "\"data\":%s}\r\n",
			 name, data);

	for (int i = 0; i < FAKE_CLIENTS; i++)
		if (v->clients[i].stream.state == STREAM_OPEN)
			stream_write(&v->clients[i].stream, text, (size_t)n);
}

/* --- connections ----------------------------------------------------------------- */

/* One whole HTTP request at the start of c->in is answered and taken out; false: none. */
static bool http_request_in(struct fake_client *c)
{
	char *end = memmem(c->in, c->len, "\r\n\r\n", 4), *length, method[16], target[128];
	size_t body = 0, all;

	if (!end)
		return false;
	*end = '\0';
	length = strcasestr(c->in, "\r\nContent-Length:");
	if (length)
		body = strtoul(length + 17, NULL, 10);
	all = (size_t)(end + 4 - c->in) + body;
	if (sscanf(c->in, "%15s %127s HTTP/1.1", method, target) != 2 ||
	    !strcasestr(c->in, "\r\nHost:"))
		method[0] = target[0] = '\0';
	*end = '\r';
	if (all > c->len)
		return false;
	fake_rest_answer(c->vmm, c, method, target, end + 4, body);
	c->len -= all;
	memmove(c->in, c->in + all, c->len);
	return true;
}

static void on_data(struct stream *s, const char *data, size_t len)
{
	struct fake_client *c = s->arg;
	char *end;

	if (c->len + len > sizeof(c->in))
		abort(); /* no request of ours is that long */
	memcpy(c->in + c->len, data, len);
	c->len += len;
	if (c->vmm->kind != VMM_QMP) {
		while (s->state == STREAM_OPEN && http_request_in(c))
			;
		return;
	}
	while ((end = memchr(c->in, '\n', c->len))) {
		qmp_line(c, c->in, (size_t)(end - c->in));
		c->len -= (size_t)(end + 1 - c->in);
		memmove(c->in, end + 1, c->len);
	}
}

static void on_opened(struct stream *s)
{
	struct fake_client *c = s->arg;
	static const char greeting[] = "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":0,\"minor\":2,"
				       "\"major\":7},\"package\":\"\"},\"capabilities\":[\"oob\"]}}"
				       "\r\n";

	c->len = 0;
	c->vmm->connects++;
	if (c->vmm->kind == VMM_QMP && !c->vmm->hang)
		stream_write(s, greeting, sizeof(greeting) - 1);
}

static void on_ended(struct stream *s, int error)
{
}

static const struct stream_ops ops = { on_opened, on_data, on_ended };

static void on_connection(uv_stream_t *listener, int status)
{
	struct fake_vmm *v = listener->data;

	for (int i = 0; i < FAKE_CLIENTS; i++)
		if (stream_accept(&v->clients[i].stream, listener) != -EBUSY)
			return;
	abort(); /* more connections at once than a VMM would take */
}

int fake_vmm_open(struct fake_vmm *v, uv_loop_t *loop, const char *path, uint64_t ram)
{
	int r;

	signal(SIGPIPE, SIG_IGN); /* as the broker's main does: either end may go first */
	v->loop = loop;
	v->ram = v->size = v->actual = ram;
	for (int i = 0; i < FAKE_CLIENTS; i++) {
		v->clients[i].vmm = v;
		stream_init(&v->clients[i].stream, loop, &ops, &v->clients[i]);
	}
	uv_pipe_init(loop, &v->listener, 0);
	v->listener.data = v;
	r = uv_pipe_bind(&v->listener, path);
	return r ? r : uv_listen((uv_stream_t *)&v->listener, 8, on_connection);
}

void fake_vmm_hang_up(struct fake_vmm *v)
{
	for (int i = 0; i < FAKE_CLIENTS; i++)
		stream_end(&v->clients[i].stream, 0);
}

void fake_vmm_die(struct fake_vmm *v)
{
	fake_vmm_hang_up(v);
	if (!uv_is_closing((uv_handle_t *)&v->listener))
		uv_close((uv_handle_t *)&v->listener, NULL);
}

void fake_vmm_close(struct fake_vmm *v)
{
	if (v->loop)
		fake_vmm_die(v);
}
