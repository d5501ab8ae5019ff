// SPDX-License-Identifier: GPL-2.0-only
#include "broker/qmp_look.h"

#include <stdio.h>
#include <string.h>

#include "ebb/channel.h"
#include "lib/cleanup.h"

/* Devices that were given an id are in one folder, those without in the other. */
#define WITH_ID "/machine/peripheral"
#define WITHOUT_ID "/machine/peripheral-anon"

enum { LIST_WITH_ID, LIST_WITHOUT_ID, ASK_DEVICES, ASK_MEMORY, DONE };

static const char *const balloon_properties[] = { "free-page-reporting", "deflate-on-oom" };

const char *qemu_port_name(enum qemu_port port)
{
	static const char *const names[QEMU_NR_PORTS] = { "none", "no-id", "good" };

	return names[port];
}

static const char *property_of(const struct qmp_look *l)
{
	return l->devices[l->device].balloon ? balloon_properties[l->property] : "name";
}

size_t qmp_look_ask(struct qmp_look *l, char text[QMP_LOOK_TEXT], int id)
{
	int n = 0;

	if (l->step == ASK_DEVICES && l->device == l->nr_devices)
		l->step = ASK_MEMORY;
	switch (l->step) {
	case LIST_WITH_ID:
		l->found.reporting = l->found.deflate_on_oom = l->found.prealloc = -1;
		/* fall through */
	case LIST_WITHOUT_ID:
		n = snprintf(
			text, QMP_LOOK_TEXT,
			"{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"%s\"},\"id\":%d}\n",
			l->step == LIST_WITH_ID ? WITH_ID : WITHOUT_ID, id);
		break;
	case ASK_DEVICES:
		n = snprintf(text, QMP_LOOK_TEXT,
			     "{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"%s/%s\","
			     "\"property\":\"%s\"},\"id\":%d}\n",
			     l->devices[l->device].has_id ? WITH_ID : WITHOUT_ID,
			     l->devices[l->device].name, property_of(l), id);
		break;
	case ASK_MEMORY:
		n = snprintf(text, QMP_LOOK_TEXT, "{\"execute\":\"query-memdev\",\"id\":%d}\n", id);
		break;
	}
	return (size_t)n;
}

static void take_devices(struct qmp_look *l, const json_t *list, bool has_id)
{
	const json_t *child;
	size_t i;

	l->found.incomplete |= !json_is_array(list);
	json_array_foreach (list, i, child) {
		const char *type = json_string_value(json_object_get(child, "type"));
		const char *name = json_string_value(json_object_get(child, "name"));
		bool balloon = type && !strncmp(type, "child<virtio-balloon", 20);

		if (!name || (!balloon && (!type || strcmp(type, "child<virtserialport>") != 0)))
			continue;
		/* Its name becomes part of a request. */
		if (l->nr_devices == QMP_LOOK_DEVICES || strpbrk(name, "\"\\/") ||
		    strlen(name) >= sizeof(l->devices[0].name)) {
			l->found.incomplete = true;
			continue;
		}
		l->found.balloons += balloon;
		l->devices[l->nr_devices].balloon = balloon;
		l->devices[l->nr_devices].has_id = has_id;
		strcpy(l->devices[l->nr_devices++].name, name);
	}
}

static int flag(const json_t *value)
{
	return json_is_boolean(value) ? json_is_true(value) : -1;
}

static void take_property(struct qmp_look *l, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!l->devices[l->device].balloon) {
		if (text && !strcmp(text, EBB_CHANNEL_NAME))
			l->found.port = l->devices[l->device].has_id ? QEMU_PORT_GOOD
								     : QEMU_PORT_NO_ID;
		l->device++;
		return;
	}
	if (l->property == 0)
		l->found.reporting = flag(value);
	else
		l->found.deflate_on_oom = flag(value);
	if (++l->property == ARRAY_SIZE(balloon_properties)) {
		l->property = 0;
		l->device++;
	}
}

static void take_memory(struct qmp_look *l, const json_t *list)
{
	const json_t *backend;
	size_t i;

	if (!json_is_array(list))
		return;
	l->found.prealloc = 0;
	json_array_foreach (list, i, backend)
		if (json_is_true(json_object_get(backend, "prealloc")))
			l->found.prealloc = 1;
}

void qmp_look_answer(struct qmp_look *l, const json_t *data)
{
	switch (l->step) {
	case LIST_WITH_ID:
	case LIST_WITHOUT_ID:
		take_devices(l, data, l->step == LIST_WITH_ID);
		l->step++;
		break;
	case ASK_DEVICES:
		take_property(l, data);
		break;
	case ASK_MEMORY:
		take_memory(l, data);
		l->step = DONE;
		break;
	}
}
