// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of two published documents that a balloon needs, as tables:
 *   Firecracker      src/firecracker/swagger/firecracker.yaml, 1.17.0-dev
 *   Cloud Hypervisor vmm/src/api/openapi/cloud-hypervisor.yaml, 0.3.0
 * A request that is not in the table, or whose body has a member that the document does not name,
 * or one of another type, is refused as the VMM refuses it, and counted.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "fake_vmm.h"
#include "lib/cleanup.h"

#define MIB_SHIFT 20

struct member {
	const char *name;
	json_type type;
	bool required;
};

struct operation {
	enum vmm_kind kind;
	const char *method;
	const char *target;
	struct member body[4];
	void (*run)(struct fake_vmm *v, struct fake_client *c, const json_t *body);
};

static void respond(struct fake_client *c, int status, json_t *body)
{
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 %d \r\nServer: a test's\r\nConnection: keep-alive\r\n", status);

	if (text)
		n += snprintf(head + n, sizeof(head) - (size_t)n,
			      "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			      strlen(text));
	n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
	stream_write(&c->stream, head, (size_t)n);
	if (text)
		stream_write(&c->stream, text, strlen(text));
	json_decref(body);
}

/* 400 with the member that the document has for it; Cloud Hypervisor sends the chain of messages.
 */
static void refuse(struct fake_vmm *v, struct fake_client *c, int status, const char *text)
{
	respond(c, status,
		v->kind == VMM_FIRECRACKER ? json_pack("{s:s}", "fault_message", text)
					   : json_pack("[s,s]", "Error from API", text));
}

static uint64_t balloon_of(const struct fake_vmm *v, uint64_t size)
{
	return v->ram > size ? v->ram - size : 0;
}

static void take(struct fake_vmm *v, uint64_t balloon)
{
	v->sets++;
	v->size = v->ram - balloon;
	if (!v->lazy)
		v->actual = v->size;
}

/* --- Firecracker ------------------------------------------------------------------ */

static void fc_machine(struct fake_vmm *v, struct fake_client *c, const json_t *body)
{
	respond(c, 200,
		json_pack("{s:i,s:I,s:b,s:b,s:s}", "vcpu_count", 2, "mem_size_mib",
			  (json_int_t)(v->ram >> MIB_SHIFT), "smt", 0, "track_dirty_pages", 0,
			  "huge_pages", "None"));
}

static void fc_balloon(struct fake_vmm *v, struct fake_client *c, const json_t *body)
{
	if (v->no_balloon)
		refuse(v, c, 400, "No balloon device found.");
	else
		respond(c, 200,
			json_pack("{s:I,s:b,s:i,s:b}", "amount_mib",
				  (json_int_t)(balloon_of(v, v->size) >> MIB_SHIFT),
				  "deflate_on_oom", 1, "stats_polling_interval_s",
				  v->no_stats ? 0 : 1, "free_page_reporting", 1));
}

static void fc_statistics(struct fake_vmm *v, struct fake_client *c, const json_t *body)
{
	json_int_t target = (json_int_t)(balloon_of(v, v->size) >> MIB_SHIFT);
	json_int_t actual = (json_int_t)(balloon_of(v, v->actual) >> MIB_SHIFT);

	if (v->no_balloon)
		refuse(v, c, 400, "No balloon device found.");
	else if (v->no_stats)
		refuse(v, c, 400, "Statistics for the balloon device are not enabled");
	else
		respond(c, 200,
			json_pack("{s:I,s:I,s:I,s:I}", "target_pages", target * 256, "actual_pages",
				  actual * 256, "target_mib", target, "actual_mib", actual));
}

static void fc_update(struct fake_vmm *v, struct fake_client *c, const json_t *body)
{
	json_int_t mib = json_integer_value(json_object_get(body, "amount_mib"));

	if (v->no_balloon) {
		refuse(v, c, 400, "No balloon device found.");
	} else if (mib < 0 || mib > UINT32_MAX || (uint64_t)mib > v->ram >> MIB_SHIFT) {
		v->bad++;
		refuse(v, c, 400, "Requested memory should be less than the VM's");
	} else if (v->refuse) {
		refuse(v, c, 400, "refused by the test");
	} else {
		take(v, (uint64_t)mib << MIB_SHIFT);
		respond(c, 204, NULL);
	}
}

/* --- Cloud Hypervisor --------------------------------------------------------------- */

static void ch_info(struct fake_vmm *v, struct fake_client *c, const json_t *body)
{
	json_t *info;

	if (v->chunked) {
		static const char text[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
					   "2\r\n{}\r\n0\r\n\r\n";
		stream_write(&c->stream, text, sizeof(text) - 1);
		return;
	}
	info = json_pack("{s:{s:{s:I,s:b,s:b}},s:s,s:I,s:{}}", "config", "memory", "size",
			 (json_int_t)v->ram, "prefault", 0, "hugepages", 0, "state", "Running",
			 "memory_actual_size", (json_int_t)v->actual, "device_tree");
	if (!v->no_balloon)
		json_object_set_new(json_object_get(info, "config"), "balloon",
				    json_pack("{s:I,s:b,s:b}", "size",
					      (json_int_t)balloon_of(v, v->size), "deflate_on_oom",
					      1, "free_page_reporting", 1));
	respond(c, 200, info);
}

static void ch_resize(struct fake_vmm *v, struct fake_client *c, const json_t *body)
{
	const json_t *balloon = json_object_get(body, "desired_balloon");

	if (v->no_balloon || v->refuse || !balloon) {
		refuse(v, c, 500, v->refuse ? "refused by the test" : "Missing virtio-balloon");
	} else if (json_integer_value(balloon) < 0 ||
		   (uint64_t)json_integer_value(balloon) > v->ram) {
		/* It would take it, and the guest would be left with nothing. */
		v->bad++;
		refuse(v, c, 500, "a balloon larger than the VM");
	} else {
		take(v, (uint64_t)json_integer_value(balloon));
		respond(c, 204, NULL);
	}
}

static const struct operation operations[] = {
	{ VMM_FIRECRACKER, "GET", "/machine-config", { { 0 } }, fc_machine },
	{ VMM_FIRECRACKER, "GET", "/balloon", { { 0 } }, fc_balloon },
	{ VMM_FIRECRACKER, "GET", "/balloon/statistics", { { 0 } }, fc_statistics },
	{ VMM_FIRECRACKER,
	  "PATCH",
	  "/balloon",
	  { { "amount_mib", JSON_INTEGER, true } },
	  fc_update },
	{ VMM_CLOUD_HYPERVISOR, "GET", "/api/v1/vm.info", { { 0 } }, ch_info },
	{ VMM_CLOUD_HYPERVISOR,
	  "PUT",
	  "/api/v1/vm.resize",
	  { { "desired_vcpus", JSON_INTEGER, false },
	    { "desired_ram", JSON_INTEGER, false },
	    { "desired_balloon", JSON_INTEGER, false } },
	  ch_resize },
};

/* NULL: as the document has it; or what is not. */
static const char *check_body(const struct operation *o, const json_t *body)
{
	const json_t *value;
	const char *name;
	json_t *object = (json_t *)body;

	if (!o->body[0].name)
		return body ? "GET request cannot have a body." : NULL;
	if (!json_is_object(body))
		return "the body is no JSON object";
	json_object_foreach (object, name, value) {
		const struct member *m = o->body;

		while (m->name && strcmp(m->name, name) != 0)
			m++;
		if (!m->name)
			return "unknown field";
		if (json_typeof(value) != m->type)
			return "invalid type";
	}
	for (const struct member *m = o->body; m->name; m++)
		if (m->required && !json_object_get(body, m->name))
			return "missing field";
	return NULL;
}

void fake_rest_answer(struct fake_vmm *v, struct fake_client *c, const char *method,
		      const char *target, const char *body, size_t len)
{
	json_t *object = len ? json_loadb(body, len, 0, NULL) : NULL;
	const struct operation *o = NULL;
	const char *why = "not an operation of this API";
	unsigned int sets = v->sets;

	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (operations[i].kind == v->kind && !strcmp(operations[i].method, method) &&
		    !strcmp(operations[i].target, target))
			o = &operations[i];
	if (o)
		why = check_body(o, object);
	if (why) {
		v->bad++;
		snprintf(v->bad_text, sizeof(v->bad_text), "%s %s %.*s: %s", method, target,
			 (int)len, body, why);
	}
	if (v->hang)
		; /* as the API thread of a VMM that waits for a lock */
	else if (!o)
		respond(c, 404, NULL);
	else if (why)
		refuse(v, c, 400, why);
	else
		o->run(v, c, object);
	if (v->sets != sets && v->on_set)
		v->on_set(v);
	json_decref(object);
}
