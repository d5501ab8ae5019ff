// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's events, and its answers to what was asked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/qmp_int.h"
#include "lib/channel.h"
#include "lib/text.h"

static bool get_u64(const json_t *object, const char *key, uint64_t *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

/* RAM less what the guest wrote into its device: below 0 when that is more than there is. */
static void tell_actual(struct backend *b, const json_t *data)
{
	const json_t *value = json_object_get(data, "actual");
	json_int_t bytes = json_integer_value(value);

	if (json_is_integer(value))
		b->events->actual(b->arg, bytes > 0 ? (uint64_t)bytes : 0);
}

static void answer_ram(struct backend *b, const json_t *data)
{
	uint64_t base = 0, plugged = 0;

	if (!get_u64(data, "base-memory", &base) || !base) {
		qmp_fail(b,
			 "QEMU does not say how much memory the VM has (it needs 2.11 or later)");
		return;
	}
	get_u64(data, "plugged-memory", &plugged);
	b->ram = base + plugged;
	b->ready = true;
	b->backoff_ms = BACKEND_RETRY_MIN_MS;
	b->want_actual = true;
	free(b->look);
	b->look = calloc(1, sizeof(*b->look));
	b->events->ready(b->arg, b->ram);
}

static void answer_set(struct backend *b, const char *error)
{
	b->setting = false;
	b->events->set_done(b->arg, error ? -EIO : 0, error);
}

static void answer_actual(struct backend *b, const json_t *data, const char *class,
			  const char *error)
{
	if (error && class && !strcmp(class, "DeviceNotActive")) {
		b->unable = true;
		b->events->unable(b->arg,
				  "the VM has no balloon; start it with -device "
				  "virtio-balloon-pci,free-page-reporting=on,deflate-on-oom=on");
		return;
	}
	b->unable = false;
	tell_actual(b, data);
}

static void port_event(struct backend *b, const char *id, bool open)
{
	if (!strcmp(id, b->port)) {
		b->events->port(b->arg, open);
		return;
	}
	/* Only known ids end up in a request's text. */
	if (open || strlen(id) >= ID_MAX ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
		    strlen(id))
		return;
	for (size_t i = 0; i < b->nr_ports; i++)
		if (!strcmp(b->ports[i], id))
			return;
	if (b->nr_ports == ASKED_MAX) {
		b->events->port(b->arg, false); /* ours may be one of them: the safe side */
		return;
	}
	strcpy(b->ports[b->nr_ports++], id);
}

/* The port that closed has this name: is it ours? */
static void answer_port(struct backend *b, const json_t *name)
{
	const char *text = json_string_value(name);

	if (text && !strcmp(text, EBB_CHANNEL_NAME)) {
		strcpy(b->port, b->ports[0]);
		b->events->port(b->arg, false);
	}
	b->nr_ports--;
	memmove(b->ports[0], b->ports[1], b->nr_ports * sizeof(b->ports[0]));
}

void qmp_hear_event(struct backend *b, const char *name, const json_t *data)
{
	if (!strcmp(name, "RESET")) {
		b->events->reset(b->arg);
	} else if (!strcmp(name, "BALLOON_CHANGE")) {
		tell_actual(b, data);
	} else if (!strcmp(name, "VSERPORT_CHANGE")) {
		const char *id = json_string_value(json_object_get(data, "id"));

		if (id)
			port_event(b, id, json_is_true(json_object_get(data, "open")));
	}
}

void qmp_hear_answer(struct backend *b, const json_t *object)
{
	const json_t *data = json_object_get(object, "return");
	const json_t *error = json_object_get(object, "error");
	const char *class = json_string_value(json_object_get(error, "class"));
	const char *text = json_string_value(json_object_get(error, "desc"));
	json_int_t id = json_integer_value(json_object_get(object, "id"));
	enum request asked = b->asked;
	char why[BACKEND_WHY_MAX];

	/* An answer to somebody before us, or none of ours. */
	if ((!data && !error) || (asked != ASK_CAPABILITIES && id != (json_int_t)asked))
		return;
	text = error ? text_printable(why, sizeof(why), text ? text : "refused") : NULL;
	b->asked = ASK_NONE;
	switch (asked) {
	case ASK_CAPABILITIES:
		if (error)
			qmp_fail(b, why);
		b->want_ram = !error;
		break;
	case ASK_RAM:
		answer_ram(b, data);
		break;
	case ASK_SET:
		answer_set(b, text);
		break;
	case ASK_ACTUAL:
		answer_actual(b, data, class, text);
		break;
	case ASK_PORT:
		answer_port(b, data);
		break;
	case ASK_SETTINGS:
		qmp_look_answer(b->look, data);
		break;
	case ASK_NONE:
		break;
	}
}
