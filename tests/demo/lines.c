// SPDX-License-Identifier: GPL-2.0-only
/* The lines that come out of the VM, as JSON, into the model. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "model_int.h"
#include "words.h"

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* --- event, host ----------------------------------------------------------- */

static int take_begin(struct model *m, double ms, const json_t *data)
{
	m->begun = true;
	m->begin_ms = ms;
	m->now = 0;
	if (number(data, "seconds") > 0)
		m->seconds = number(data, "seconds");
	m->cold_after = number(data, "cold_after");
	m->without = json_is_true(json_object_get(data, "without"));
	copy_clean(m->kernel, sizeof(m->kernel), string(data, "kernel"));
	copy_clean(m->ebb, sizeof(m->ebb), string(data, "ebb"));
	return 0;
}

static int take_event(struct model *m, double ms, const json_t *data)
{
	const char *what = string(data, "event"), *name = string(data, "name");
	double t = (ms - m->begin_ms) / 1e3;
	struct box *b = NULL;
	enum mark_kind kind;

	if (!strcmp(what, "begin"))
		return take_begin(m, ms, data);
	if (!m->begun)
		return -EINVAL;
	if (!strcmp(what, "start"))
		kind = MARK_START;
	else if (!strcmp(what, "ready"))
		kind = MARK_READY;
	else if (!strcmp(what, "exit"))
		kind = MARK_EXIT;
	else if (!strcmp(what, "note"))
		kind = MARK_NOTE;
	else if (!strcmp(what, "end"))
		kind = MARK_END;
	else
		return -EINVAL;
	if (kind <= MARK_EXIT && (!*name || !(b = add_box(m, name))))
		return *name ? -ENOMEM : -EINVAL;
	if (kind == MARK_START)
		copy_clean(b->role, sizeof(b->role), string(data, "role"));
	if (kind == MARK_START || kind == MARK_EXIT)
		b->running = kind == MARK_START;
	if (kind == MARK_END) {
		m->ended = true;
		m->end_t = t;
	}
	m->now = fmax(m->now, t);
	return add_mark(m, t, kind, name, string(data, "text"));
}

static int take_host(struct model *m, const json_t *data)
{
	copy_clean(m->accel, sizeof(m->accel), string(data, "accel"));
	m->ram = number(data, "ram");
	return 0;
}

/* --- list, status, cgroups -------------------------------------------------- */

static void count_id(struct box *b, const json_t *item)
{
	const char *id = string(item, "id");
	struct box_id *slot = NULL;

	for (size_t i = 0; i < b->nr_ids; i++)
		if (!strcmp(b->ids[i].id, id))
			slot = &b->ids[i];
	if (!slot) {
		if (b->nr_ids == IDS_MAX)
			return;
		slot = &b->ids[b->nr_ids++];
		*slot = (struct box_id){ 0 };
		copy_clean(slot->id, sizeof(slot->id), id);
	}
	/* An emptied group may lose its files before its row: never count backwards. */
	slot->taken = fmax(slot->taken, number(item, "reclaimed_total"));
	slot->refaulted = fmax(slot->refaulted, number(item, "refaulted_total"));
}

static int take_container(struct model *m, double t, const json_t *item)
{
	struct box *b;
	int r = 0;

	if (!*string(item, "name"))
		return -EINVAL;
	b = model_box(m, string(item, "name"));
	if (!b) {
		count_id(&m->other, item);
		return 0;
	}
	/* The group of the last run may linger beside that of this one: the live one counts. */
	count_id(b, item);
	if (b->listed && b->seen_t == t && number(item, "bytes") < b->bytes)
		return 0;
	b->listed = true;
	b->seen_t = t;
	b->bytes = number(item, "bytes");
	b->anon = number(item, "anon");
	b->file = number(item, "file");
	b->cold = fmin(number(item, "cold"), b->bytes);
	b->swap = number(item, "swap");
	copy_clean(b->state, sizeof(b->state), string(item, "state"));
	copy_clean(b->reason, sizeof(b->reason), reason_words(string(item, "reason")));
	if (isnan(b->first_taken_t) && box_taken(b) > 0) {
		b->first_taken_t = t;
		r = add_mark(m, t, MARK_TAKEN, b->name, "the first cold memory is taken");
	}
	return r;
}

static int take_list(struct model *m, double t, const json_t *data)
{
	int r = 0;

	if (!json_is_array(data))
		return -EINVAL;
	for (size_t i = 0; i < m->nr_boxes; i++)
		m->boxes[i].listed = false;
	for (size_t i = 0; i < json_array_size(data) && r != -ENOMEM; i++)
		r = take_container(m, t, json_array_get(data, i));
	for (size_t i = 0; i < m->nr_boxes && r == 0; i++) {
		struct box *b = &m->boxes[i];

		if (!b->listed)
			b->bytes = b->anon = b->file = b->cold = b->swap = 0;
		if ((r = series_add(&b->bytes_s, t, b->bytes)) == 0 &&
		    (r = series_add(&b->cold_s, t, b->cold)) == 0 &&
		    (r = series_add(&b->swap_s, t, b->swap)) == 0 &&
		    (r = series_add(&b->taken_s, t, box_taken(b))) == 0)
			r = series_add(&b->refaulted_s, t, box_refaulted(b));
	}
	return r;
}

/* The guest's own look at the cgroup files, for a run without ebbd. */
static int take_cgroups(struct model *m, double t, const json_t *data)
{
	int r = 0;

	if (!json_is_array(data))
		return -EINVAL;
	for (size_t i = 0; i < m->nr_boxes; i++)
		m->boxes[i].bytes = m->boxes[i].swap = 0;
	for (size_t i = 0; i < json_array_size(data); i++) {
		const json_t *item = json_array_get(data, i);
		struct box *b = *string(item, "name") ? add_box(m, string(item, "name")) : NULL;

		if (!b)
			return *string(item, "name") ? -ENOMEM : -EINVAL;
		b->bytes = number(item, "bytes");
		b->swap = number(item, "swap");
	}
	for (size_t i = 0; i < m->nr_boxes && r == 0; i++) {
		r = series_add(&m->boxes[i].bytes_s, t, m->boxes[i].bytes);
		if (r == 0)
			r = series_add(&m->boxes[i].swap_s, t, m->boxes[i].swap);
	}
	return r;
}

/* Only with a broker that answers. */
static int take_size(struct model *m, double t, const json_t *balloon)
{
	double target = number(balloon, "target"), actual = number(balloon, "actual");
	int r;

	if (target <= 0 || actual <= 0)
		return 0;
	copy_clean(m->size_reason, sizeof(m->size_reason), string(balloon, "reason_text"));
	r = series_add(&m->target, t, target);
	return r ? r : series_add(&m->actual, t, actual);
}

static int take_status(struct model *m, double t, const json_t *data)
{
	const json_t *memory = json_object_get(data, "memory");
	const json_t *overhead = json_object_get(data, "overhead");

	if (!json_is_object(memory))
		return -EINVAL;
	m->compressed = number(memory, "compressed");
	m->compressed_original = number(memory, "compressed_original");
	m->ebbd_cpu = number(overhead, "cpu_us") / 1e6;
	m->ebbd_memory = number(overhead, "rss");
	return take_size(m, t, json_object_get(data, "balloon"));
}

/* --- broker ----------------------------------------------------------------- */

static bool squeezed(const json_t *vm)
{
	return !strcmp(string(vm, "clamp"), "host");
}

static int take_second(struct model *m, double t, const json_t *vm, double resident)
{
	struct second *s = &m->second;
	double size = number(vm, "actual"), want = number(json_object_get(vm, "lease"), "want");
	int r;

	copy_clean(s->state, sizeof(s->state), string(vm, "state"));
	s->squeezed = squeezed(vm);
	/* Before it runs there is nothing to show. */
	if (size <= 0 || resident <= 0)
		return 0;
	r = series_add(&s->resident, t, resident);
	if (r == 0)
		r = series_add(&s->size, t, size);
	return r ? r : series_add(&s->want, t, want > 0 ? want : size);
}

static int take_broker(struct model *m, double t, const json_t *data)
{
	const json_t *status = json_object_get(data, "status"), *vms, *vm;
	size_t i;
	int r = 0;

	vms = json_object_get(status, "vms");
	if (!json_is_array(vms))
		return -EINVAL;
	m->budget = number(json_object_get(status, "host"), "budget");
	copy_clean(m->pressure, sizeof(m->pressure),
		   string(json_object_get(status, "host"), "pressure"));
	json_array_foreach (vms, i, vm) {
		if (!strcmp(string(vm, "name"), "second") && r == 0)
			r = take_second(m, t, vm, number(data, "second_kib") * 1024);
		else
			m->squeezed = squeezed(vm);
	}
	return r;
}

/* --- latency ---------------------------------------------------------------- */

static int take_latency(struct model *m, double t, const json_t *data)
{
	const json_t *slots = json_object_get(data, "hist");
	struct latency_second *sec;
	struct hist h = { 0 };
	struct lat *l;

	if (!*string(data, "name") || !json_is_array(slots))
		return -EINVAL;
	l = add_lat(m, string(data, "name"));
	if (!l || !GROW(l->sec, l->n, l->cap))
		return -ENOMEM;
	sec = &l->sec[l->n];
	*sec = (struct latency_second){ .t = t, .first = l->nr_slots };
	for (size_t i = 0; i < json_array_size(slots); i++) {
		const json_t *pair = json_array_get(slots, i);
		json_int_t slot = json_integer_value(json_array_get(pair, 0));
		json_int_t count = json_integer_value(json_array_get(pair, 1));

		if (slot < 0 || slot >= HIST_SLOTS || count <= 0 || count > UINT32_MAX)
			return -EINVAL;
		if (!GROW(l->slots, l->nr_slots, l->cap_slots))
			return -ENOMEM;
		l->slots[l->nr_slots].slot = (uint16_t)slot;
		l->slots[l->nr_slots++].count = (uint32_t)count;
		hist_add(&h, (unsigned int)slot, (uint32_t)count);
	}
	sec->nr = l->nr_slots - sec->first;
	sec->n = h.total;
	sec->p50 = hist_quantile(&h, 0.5);
	sec->p99 = hist_quantile(&h, 0.99);
	l->n++;
	return 0;
}

/* --- lines ------------------------------------------------------------------ */

static int take(struct model *m, const char *name, double ms, const json_t *data)
{
	double t = (ms - m->begin_ms) / 1e3;

	if (!strcmp(name, "event"))
		return take_event(m, ms, data);
	if (!strcmp(name, "host"))
		return take_host(m, data);
	if (!m->begun || (m->ended && t > m->end_t))
		return 0;
	m->now = fmax(m->now, t);
	if (!strcmp(name, "list"))
		return take_list(m, t, data);
	if (!strcmp(name, "cgroups"))
		return take_cgroups(m, t, data);
	if (!strcmp(name, "status"))
		return take_status(m, t, data);
	if (!strcmp(name, "broker"))
		return take_broker(m, t, data);
	if (!strcmp(name, "latency"))
		return take_latency(m, t, data);
	return -EINVAL;
}

int model_line(struct model *m, const char *name, const char *line, size_t len)
{
	json_t *root = json_loadb(line, len, 0, NULL);
	const json_t *data = json_object_get(root, "data");
	int r = -EINVAL;

	if (data && json_is_number(json_object_get(root, "ms")))
		r = take(m, name, number(root, "ms"), data);
	json_decref(root);
	if (r == -EINVAL)
		m->bad_lines++;
	return r;
}
