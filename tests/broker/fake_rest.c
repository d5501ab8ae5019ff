// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firecracker and Cloud Hypervisor as far as a balloon goes. Paths, methods, bodies and statuses
 * are those of their published documents (vmm_api.def): a request that these do not have is refused
 * and counted, and so is an answer of our own that they do not have. What the documents leave open
 * is as the sources have it, Firecracker 1.14 to 1.17 and Cloud Hypervisor 54: the words of errors,
 * what is refused before the boot, 500 where Cloud Hypervisor has no balloon.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "fake_vmm.h"
#include "lib/cleanup.h"
#include "vmm_api.h"

#define MIB_SHIFT 20

struct request {
	struct fake_vmm *v;
	struct fake_client *c;
	const char *method, *target;
	const json_t *body;
};

struct handler {
	enum vmm_kind kind;
	const char *method;
	const char *target;
	void (*run)(const struct request *q);
};

static void count_bad(const struct request *q, const char *why)
{
	struct fake_vmm *v = q->v;

	v->bad++;
	snprintf(v->bad_text, sizeof(v->bad_text), "%s %s: %s", q->method, q->target, why);
}

/* Takes the reference to body. As both write it: no reason phrase, and kept alive. */
static void write_answer(const struct request *q, int status, json_t *body)
{
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	char head[256];
	int n = snprintf(
		head, sizeof(head), "HTTP/1.1 %d \r\nServer: %s\r\nConnection: keep-alive\r\n",
		status, q->v->kind == VMM_FIRECRACKER ? "Firecracker API" : "Cloud Hypervisor API");

	if (text)
		n += snprintf(head + n, sizeof(head) - (size_t)n,
			      "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			      strlen(text));
	n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
	stream_write(&q->c->stream, head, (size_t)n);
	if (text)
		stream_write(&q->c->stream, text, strlen(text));
	json_decref(body);
}

/* An answer that the document must have. Takes the reference to body. */
static void respond(const struct request *q, int status, json_t *body)
{
	char why[VMM_API_WHY_MAX];

	if (!vmm_api_answer(q->v->kind, q->method, q->target, status, body, why))
		count_bad(q, why);
	write_answer(q, status, body);
}

static json_t *error_body(enum vmm_kind kind, const char *text)
{
	/* Cloud Hypervisor's document has none; it sends the chain of messages. */
	return kind == VMM_FIRECRACKER ? json_pack("{s:s}", "fault_message", text)
				       : json_pack("[s,s]", "Error from API", text);
}

static void refuse(const struct request *q, int status, const char *text)
{
	respond(q, status, error_body(q->v->kind, text));
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

#define NOT_BOOTED "The requested operation is not supported before starting the microVM."
#define NO_DEVICE "Failed perform action on device: Device not found"

static void fc_machine(const struct request *q)
{
	respond(q, 200,
		json_pack("{s:i,s:I,s:b,s:b,s:s}", "vcpu_count", 2, "mem_size_mib",
			  (json_int_t)(q->v->ram >> MIB_SHIFT), "smt", 0, "track_dirty_pages", 0,
			  "huge_pages", "None"));
}

static void fc_balloon(const struct request *q)
{
	const struct fake_vmm *v = q->v;

	if (v->no_balloon)
		refuse(q, 400,
		       v->not_booted ? "Balloon config error: No balloon device found."
				     : "Internal VMM error: " NO_DEVICE);
	else
		respond(q, 200,
			json_pack("{s:I,s:b,s:i,s:b,s:b}", "amount_mib",
				  (json_int_t)(balloon_of(v, v->size) >> MIB_SHIFT),
				  "deflate_on_oom", 1, "stats_polling_interval_s",
				  v->no_stats ? 0 : 1, "free_page_hinting", 0,
				  "free_page_reporting", !v->no_reporting));
}

static void fc_statistics(const struct request *q)
{
	const struct fake_vmm *v = q->v;
	json_int_t target = (json_int_t)(balloon_of(v, v->size) >> MIB_SHIFT);
	json_int_t actual = (json_int_t)(balloon_of(v, v->actual) >> MIB_SHIFT);

	if (v->claim)
		actual = (json_int_t)(v->claim / 256);
	if (v->not_booted)
		refuse(q, 400, NOT_BOOTED);
	else if (v->no_balloon)
		refuse(q, 400, "Internal VMM error: " NO_DEVICE);
	else if (v->no_stats)
		refuse(q, 400,
		       "Internal VMM error: Balloon: Received stats query when stats are "
		       "disabled.");
	else
		respond(q, 200,
			json_pack("{s:I,s:I,s:I,s:I,s:I}", "target_pages", target * 256,
				  "actual_pages", actual * 256, "target_mib", target, "actual_mib",
				  actual, "free_memory", (json_int_t)v->actual / 2));
}

static void fc_update(const struct request *q)
{
	struct fake_vmm *v = q->v;
	json_int_t mib = json_integer_value(json_object_get(q->body, "amount_mib"));

	if (v->not_booted) {
		refuse(q, 400, NOT_BOOTED);
	} else if (v->no_balloon) {
		refuse(q, 400, "Balloon update error: " NO_DEVICE);
	} else if (mib > UINT32_MAX || (uint64_t)mib > v->ram >> MIB_SHIFT) {
		count_bad(q, "a balloon larger than the VM");
		refuse(q, 400, "Balloon update error: Balloon: Requested memory should be less");
	} else if (v->refuse) {
		refuse(q, 400, "Balloon update error: Balloon: refused by the test");
	} else {
		take(v, (uint64_t)mib << MIB_SHIFT);
		respond(q, 204, NULL);
	}
}

/* --- Cloud Hypervisor --------------------------------------------------------------- */

/* Where it comes in zones, size is 0. What was plugged in later counts as actual, too. */
static json_t *ch_memory(const struct fake_vmm *v)
{
	json_int_t half = (json_int_t)v->ram / 2;

	if (v->zones)
		return json_pack("{s:i,s:b,s:b,s:[{s:s,s:I},{s:s,s:I,s:I}]}", "size", 0, "prefault",
				 0, "hugepages", 0, "zones", "id", "a", "size", half, "id", "b",
				 "size", (json_int_t)v->ram - half, "hotplugged_size",
				 (json_int_t)v->plugged);
	return json_pack("{s:I,s:b,s:b,s:b,s:I}", "size", (json_int_t)v->ram, "prefault", 0,
			 "hugepages", 0, "thp", 1, "hotplugged_size", (json_int_t)v->plugged);
}

static void ch_info(const struct request *q)
{
	const struct fake_vmm *v = q->v;
	json_t *info;

	if (v->chunked) {
		static const char text[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
					   "2\r\n{}\r\n0\r\n\r\n";
		stream_write(&q->c->stream, text, sizeof(text) - 1);
		return;
	}
	if (v->not_booted) {
		refuse(q, 404, "VM is not created");
		return;
	}
	info = json_pack("{s:{s:o,s:{s:s}},s:s,s:I,s:{}}", "config", "memory", ch_memory(v),
			 "payload", "kernel", "/boot/vmlinuz", "state", "Running",
			 "memory_actual_size", (json_int_t)v->actual + (json_int_t)v->plugged,
			 "device_tree");
	if (!v->no_balloon)
		json_object_set_new(json_object_get(info, "config"), "balloon",
				    json_pack("{s:I,s:b,s:b}", "size",
					      (json_int_t)balloon_of(v, v->size), "deflate_on_oom",
					      1, "free_page_reporting", !v->no_reporting));
	respond(q, 200, info);
}

static void ch_resize(const struct request *q)
{
	struct fake_vmm *v = q->v;
	const json_t *balloon = json_object_get(q->body, "desired_balloon");

	if (v->not_booted) {
		refuse(q, 404, "VM is not created");
	} else if (v->no_balloon) {
		write_answer(q, 500, error_body(v->kind, "Missing virtio-balloon"));
	} else if (v->refuse) {
		refuse(q, 429, "refused by the test");
	} else if (!balloon || (uint64_t)json_integer_value(balloon) > v->ram) {
		/* It would take it, and the guest would be left with nothing. */
		count_bad(q, "no balloon, or one larger than the VM");
		write_answer(q, 500, NULL);
	} else {
		take(v, (uint64_t)json_integer_value(balloon));
		respond(q, 204, NULL);
	}
}

/* What the documents have beyond these (PUT /balloon) is for people. */
static const struct handler handlers[] = {
	{ VMM_FIRECRACKER, "GET", "/machine-config", fc_machine },
	{ VMM_FIRECRACKER, "GET", "/balloon", fc_balloon },
	{ VMM_FIRECRACKER, "GET", "/balloon/statistics", fc_statistics },
	{ VMM_FIRECRACKER, "PATCH", "/balloon", fc_update },
	{ VMM_CLOUD_HYPERVISOR, "GET", "/api/v1/vm.info", ch_info },
	{ VMM_CLOUD_HYPERVISOR, "PUT", "/api/v1/vm.resize", ch_resize },
};

static const struct handler *find_handler(const struct request *q)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (handlers[i].kind == q->v->kind && !strcmp(handlers[i].method, q->method) &&
		    !strcmp(handlers[i].target, q->target))
			return &handlers[i];
	return NULL;
}

void fake_rest_answer(struct fake_vmm *v, struct fake_client *c, const char *method,
		      const char *target, const char *body, size_t len)
{
	json_t *object = len ? json_loadb(body, len, 0, NULL) : NULL;
	struct request q = { v, c, method, target, object };
	const struct handler *h = find_handler(&q);
	char why[VMM_API_WHY_MAX];
	unsigned int sets = v->sets;
	bool good = vmm_api_request(v->kind, method, target, object, why);

	if (good && (!h || (len && !object))) {
		snprintf(why, sizeof(why), h ? "the body is no JSON" : "not for a broker");
		good = false;
	}
	if (!good)
		count_bad(&q, why);
	if (v->hang)
		; /* as the API thread of a VMM that waits for a lock */
	else if (!good)
		write_answer(&q, v->kind == VMM_FIRECRACKER || h ? 400 : 404,
			     error_body(v->kind, why));
	else
		h->run(&q);
	if (v->sets != sets && v->on_set)
		v->on_set(v);
	json_decref(object);
}
