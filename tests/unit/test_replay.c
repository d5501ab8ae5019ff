// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings: one of a run replays to the same plans, and what is not the same is found. Runs are
 * of sim.h (one container whose memory ages) and of a machine that does whatever comes to its mind.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "lib/conf.h"
#include "report/record.h"
#include "report/replay.h"
#include "sim.h"

#define MIB (UINT64_C(1) << 20)

/* --- a recording in memory ----------------------------------------------------------- */

static struct {
	struct record *record;
	char *text;
	size_t len;
	bool deaf; /* takes nothing */
	bool busy; /* is not ready */
} tape;

static void name_of(void *arg, uint64_t id, struct record_name *ret)
{
	static char name[32];

	snprintf(name, sizeof(name), "box-%u\x1b", (unsigned int)id);
	*ret = (struct record_name){ .name = name, .image = "img", .path = "/box" };
}

static int put(void *arg, char *data, size_t len, bool last)
{
	char *more;

	if (tape.deaf && !last) {
		free(data);
		return -ENOBUFS;
	}
	more = realloc(tape.text, tape.len + len + 1);
	assert_non_null(more);
	memcpy(more + tape.len, data, len);
	free(data);
	tape.text = more;
	tape.len += len;
	more[tape.len] = '\0';
	return 0;
}

static bool ready(void *arg)
{
	return !tape.busy && !tape.deaf;
}

static void tape_start(const struct ebb_config *config, const struct policy_state *state)
{
	static const struct record_about about = { .version = "0.0.1",
						   .kernel = "6.12",
						   .started = 1700000000 };
	static const struct record_sink sink = { .name_of = name_of, .put = put, .ready = ready };

	free(tape.text);
	memset(&tape, 0, sizeof(tape));
	assert_int_equal(record_open(&tape.record, &about, &sink), 0);
	assert_int_equal(record_begin(tape.record, config, state), 0);
}

static void tape_end(const struct policy_state *state)
{
	record_end(tape.record, "count", state);
	record_close(TAKE_PTR(tape.record));
}

static int free_tape(void **state)
{
	record_close(TAKE_PTR(tape.record));
	free(TAKE_PTR(tape.text));
	return 0;
}

/* --- replaying it -------------------------------------------------------------------- */

static int replay_text(struct replay **ret, const char *text, size_t len,
		       const struct ebb_config *other)
{
	const char *end = text + len, *stop;
	int r = 0;

	assert_int_equal(replay_open(ret, other, "other.conf"), 0);
	for (; !r && (stop = memchr(text, '\n', (size_t)(end - text))); text = stop + 1)
		r = replay_line(*ret, text, (size_t)(stop - text));
	return r ?: replay_finish(*ret, text < end);
}

static json_t *replayed(const struct ebb_config *other)
{
	struct replay *r;
	json_t *json;
	int err = replay_text(&r, tape.text, tape.len, other);

	if (err)
		fail_msg("%s (%d)", replay_error(r), err);
	json = replay_json(r);
	assert_non_null(json);
	assert_int_equal(replay_same(r), json_is_true(json_object_get(json, "same")));
	replay_close(r);
	return json;
}

static void fails(const char *text, size_t len, int code, const char *why)
{
	struct replay *r;
	int err = replay_text(&r, text, len, NULL);

	if (err != code || !strstr(replay_error(r), why))
		fail_msg("%d '%s', expected %d '%s'", err, replay_error(r), code, why);
	replay_close(r);
}

static json_int_t figure(json_t *json, const char *a, const char *b)
{
	json_t *part = json_object_get(json, a);

	assert_true(json_is_integer(json_object_get(part, b)));
	return json_integer_value(json_object_get(part, b));
}

static const char *word(json_t *json, const char *a, const char *b)
{
	const char *text = json_string_value(
		json_object_get(json_object_get(json_object_get(json, a), "first"), b));

	assert_non_null(text);
	return text;
}

/* --- runs ---------------------------------------------------------------------------- */

static void record_step(const struct sim *s)
{
	record_turn(tape.record, &s->config, &s->snap, &s->plan, &s->state);
}

/* 200 MiB, 150 of them cold. */
static void record_sim(struct sim *s, uint64_t ms)
{
	sim_open(s, 10000);
	sim_add(s, 50, true, false);
	sim_add(s, 150, false, false);
	tape_start(&s->config, &s->state);
	s->decided = record_step;
	assert_int_equal(sim_run(s, ms), 0);
	tape_end(&s->state);
}

static void test_a_run_replays(void **state)
{
	static struct sim s;
	json_t *json;

	record_sim(&s, 120000);
	assert_true(s.asked >= 140 * MIB);
	json = replayed(NULL);
	assert_true(json_is_true(json_object_get(json, "same")));
	assert_true(figure(json, "recording", "turns") > 20);
	assert_int_equal(figure(json, "plans", "compared"), figure(json, "recording", "turns"));
	assert_int_equal(figure(json, "plans", "differ"), 0);
	assert_int_equal(figure(json, "states", "compared"), 1);
	assert_int_equal(json_array_size(json_object_get(json, "containers")), 1);
	json_decref(json);
}

/* A machine that follows no rules, from a seed: sizes jump, things come, go and fail. */
struct chaos {
	uint64_t seed;
	struct ebb_config config;
	struct ebb_snapshot snap;
	struct ebb_snap_container c[8];
	struct ebb_orphans orphans[2];
	struct ebb_holder holders[3];
	struct ebb_other others[2];
	struct policy_container slots[8];
	struct policy_state state;
	struct ebb_plan_item items[32];
	struct ebb_verdict verdicts[8];
	struct ebb_plan plan;
	uint64_t items_seen;
};

static uint64_t rnd(struct chaos *m, uint64_t below)
{
	m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (m->seed >> 24) % below;
}

static void move_container(struct chaos *m, struct ebb_snap_container *c)
{
	uint64_t left = c->bytes = rnd(m, 4) ? c->bytes : rnd(m, 600) * MIB;

	c->populated = rnd(m, 20) > 0;
	c->paused = !rnd(m, 40);
	c->busy = !rnd(m, 6);
	c->can_age = rnd(m, 30) > 0;
	c->ages_known = c->can_age;
	c->anon = c->bytes / 2;
	c->file = c->bytes / 2;
	c->swap = rnd(m, 100) * MIB;
	c->holder = 500 + rnd(m, 3);
	c->refault_anon += rnd(m, 3) ? 0 : rnd(m, 4) * MIB;
	c->steal += rnd(m, 8) * MIB;
	c->faults += rnd(m, 1000);
	c->psi_mem_some_us += rnd(m, 10) ? 0 : rnd(m, 100000);
	if (!rnd(m, 3))
		c->aged_ms = m->snap.now_ms - rnd(m, 200);
	c->nr_ages = c->ages_known ? 4 : 0;
	for (unsigned int i = 0; i < c->nr_ages; i++) {
		c->age[i].idle_ms = (3 - i) * (5000 + rnd(m, 20000));
		c->age[i].anon = i == 3 ? left / 2 : rnd(m, 1 + left / 2);
		c->age[i].file = rnd(m, 1 + left / 4);
	}
	if (!rnd(m, 3))
		c->last = (struct ebb_outcome){ .seq = c->last.seq + 1,
						.ended_ms = m->snap.now_ms,
						.asked = rnd(m, 64) * MIB,
						.got = rnd(m, 64) * MIB,
						.error = rnd(m, 10) ? 0 : -EIO,
						.aged = rnd(m, 2) };
}

static void move_machine(struct chaos *m)
{
	struct ebb_snap_machine *x = &m->snap.machine;

	x->ram = x->mem_total = 4096 * MIB;
	x->mem_free = rnd(m, 3000) * MIB;
	x->mem_available = x->mem_free;
	x->free_reportable = rnd(m, 1 + x->mem_free);
	x->swap_total = 2048 * MIB;
	x->swap_free = rnd(m, 2048) * MIB;
	x->compressed_original = rnd(m, 500) * MIB;
	x->compressed = rnd(m, 300) * MIB;
	x->reporting = rnd(m, 10) > 0;
	x->reclaim_swappiness = true;
	x->compact_busy = !rnd(m, 8);
	x->compact_cpu_us += rnd(m, 30000);
	x->compact_ended_ms = m->snap.now_ms - rnd(m, 5000);
	x->alloc_stalls += !rnd(m, 20);
	x->ballooned = rnd(m, 900) * MIB;
	m->snap.low_memory = !rnd(m, 30);
	m->snap.paused = !rnd(m, 50);
	m->snap.host = (struct ebb_snap_host){ .talking = rnd(m, 5) > 0,
					       .min = 256 * MIB,
					       .max = 4096 * MIB,
					       .applied = rnd(m, 4096) * MIB,
					       .actual = rnd(m, 4096) * MIB,
					       .resident = rnd(m, 4096) * MIB,
					       .level = (enum ebb_host_level)rnd(m, 3) };
}

static void chaos_open(struct chaos *m, uint64_t seed)
{
	memset(m, 0, sizeof(*m));
	m->seed = seed;
	m->config = (struct ebb_config){ .cold_after_ms = 10000, .stall_budget_ppm = 1000 };
	m->snap.now_ms = 5000000;
	m->snap.nr_containers = 2;
	m->c[0] = (struct ebb_snap_container){ .id = 100, .born_ms = m->snap.now_ms };
	m->c[1] = (struct ebb_snap_container){ .id = 104, .born_ms = m->snap.now_ms };
	m->snap.containers = m->c;
	m->snap.orphans = m->orphans;
	m->snap.holders = m->holders;
	m->snap.others = m->others;
	m->state.slots = m->slots;
	m->state.max = 8;
	m->plan = (struct ebb_plan){
		.items = m->items, .max_items = 32, .verdicts = m->verdicts, .max_verdicts = 8
	};
}

static void chaos_turn(struct chaos *m)
{
	m->snap.now_ms += 100 + rnd(m, 3000);
	if (!rnd(m, 8) && m->snap.nr_containers < 8) {
		m->c[m->snap.nr_containers] = (struct ebb_snap_container){
			.id = m->snap.nr_containers ? m->c[m->snap.nr_containers - 1].id + 7 : 100,
			.born_ms = m->snap.now_ms,
		};
		m->snap.nr_containers++;
	} else if (!rnd(m, 20) && m->snap.nr_containers) {
		m->snap.nr_containers--;
		memmove(m->c, m->c + 1, m->snap.nr_containers * sizeof(m->c[0]));
	}
	if (!rnd(m, 40))
		m->config.cap = rnd(m, 2) * (1024 + rnd(m, 2000)) * MIB;
	move_machine(m);
	for (size_t i = 0; i < m->snap.nr_containers; i++)
		move_container(m, &m->c[i]);
	m->snap.nr_orphans = rnd(m, 3);
	for (size_t i = 0; i < m->snap.nr_orphans; i++)
		m->orphans[i] = (struct ebb_orphans){ 300 + i, rnd(m, 64) * MIB, !rnd(m, 4) };
	m->snap.nr_holders = 3;
	for (size_t i = 0; i < 3; i++)
		m->holders[i] =
			(struct ebb_holder){ .id = 500 + i,
					     .bytes = rnd(m, 900) * MIB,
					     .limit = UINT64_MAX,
					     .set = rnd(m, 2) ? UINT64_MAX : rnd(m, 1000) * MIB,
					     .swap_set = UINT64_MAX };
	m->snap.nr_others = rnd(m, 3);
	for (size_t i = 0; i < m->snap.nr_others; i++)
		m->others[i] = (struct ebb_other){ 700 + i, rnd(m, 200) * MIB, false };
	assert_int_equal(policy_step(&m->snap, &m->config, &m->state, &m->plan), 0);
	m->items_seen += m->plan.nr_items;
}

static void chaos_record(struct chaos *m, unsigned int turns)
{
	for (unsigned int i = 0; i < turns; i++) {
		chaos_turn(m);
		record_turn(tape.record, &m->config, &m->snap, &m->plan, &m->state);
	}
}

static void test_any_run_replays(void **state)
{
	static struct chaos m;

	for (uint64_t seed = 1; seed <= 12; seed++) {
		json_t *json;

		chaos_open(&m, seed);
		for (unsigned int i = 0; i < seed * 10; i++) /* it begins amid a run */
			chaos_turn(&m);
		tape_start(&m.config, &m.state);
		chaos_record(&m, 200);
		assert_true(m.items_seen > 100);
		assert_int_equal(record_turns(tape.record), 200);
		tape_end(&m.state);
		json = replayed(NULL);
		assert_true(json_is_true(json_object_get(json, "same")));
		assert_int_equal(figure(json, "plans", "compared"), 200);
		assert_int_equal(figure(json, "states", "compared"), 4);
		json_decref(json);
	}
}

/* --- what is not the same ------------------------------------------------------------ */

/* The first figure after the place where each of the texts was found, one after the other. */
static char *find_figure(const char *first, const char *second)
{
	char *at = strstr(tape.text, first);

	at = at ? strstr(at, second) : NULL;
	if (!at) {
		fail_msg("no %s after %s", second, first);
		return tape.text;
	}
	at += strlen(second);
	return at + strcspn(at, "0123456789");
}

/* The number of the turn in whose line this is. */
static uint64_t turn_of(const char *at)
{
	while (strncmp(at, "{\"turn\":", 8) != 0)
		at--;
	return strtoull(at + 8, NULL, 10);
}

static void other_digit(char *at)
{
	*at = *at == '1' ? '2' : '1';
}

static void record_chaos(struct chaos *m, uint64_t seed, unsigned int turns)
{
	chaos_open(m, seed);
	tape_start(&m->config, &m->state);
	chaos_record(m, turns);
	tape_end(&m->state);
}

static void test_a_changed_plan_is_found(void **state)
{
	static struct chaos m;
	uint64_t turn;
	json_t *json;
	char *at;

	record_chaos(&m, 3, 100);
	at = find_figure("{\"turn\":40,", "\"next_ms\":");
	turn = turn_of(at);
	other_digit(at);
	json = replayed(NULL);
	assert_true(json_is_false(json_object_get(json, "same")));
	/* In later turns it is told again: one that differs. */
	assert_int_equal(figure(json, "plans", "differ"), 1);
	assert_int_equal(figure(json_object_get(json, "plans"), "first", "turn"), turn);
	assert_string_equal(word(json, "plans", "member"), "next_ms");
	assert_int_equal(figure(json, "states", "differ"), 0);
	json_decref(json);
}

static void test_a_changed_input_is_found(void **state)
{
	static struct chaos m;
	json_t *json;

	record_chaos(&m, 3, 100);
	other_digit(find_figure("{\"turn\":40,", "\"mem_free\":"));
	json = replayed(NULL);
	assert_true(json_is_false(json_object_get(json, "same")));
	assert_true(figure(json, "plans", "differ") > 0);
	json_decref(json);
}

/* Where the plans happen to be the same, what they came from is not. */
static void test_a_changed_state_is_found(void **state)
{
	static struct chaos m;
	json_t *json;

	record_chaos(&m, 3, 100);
	other_digit(find_figure("{\"check\":", "\"freed\":"));
	json = replayed(NULL);
	assert_true(json_is_false(json_object_get(json, "same")));
	assert_int_equal(figure(json, "plans", "differ"), 0);
	assert_int_equal(figure(json, "states", "differ"), 1);
	assert_string_equal(word(json, "states", "member"), "freed");
	json_decref(json);
}

/* --- what did not get through -------------------------------------------------------- */

static void test_a_slow_reader(void **state)
{
	static struct chaos m;
	json_t *json;

	chaos_open(&m, 5);
	tape_start(&m.config, &m.state);
	chaos_record(&m, 10);
	tape.deaf = true;
	chaos_record(&m, 7);
	tape.deaf = false;
	tape.busy = true;
	m.config.stall_budget_ppm = 2000; /* told in what is missing */
	chaos_record(&m, 4);
	tape.busy = false;
	chaos_record(&m, 1); /* after this one it goes on */
	assert_int_equal(record_missed(tape.record), 12);
	chaos_record(&m, 20);
	tape.deaf = true;
	chaos_record(&m, 3);
	tape_end(&m.state);
	json = replayed(NULL);
	assert_true(json_is_true(json_object_get(json, "same")));
	assert_int_equal(figure(json, "recording", "turns"), 30);
	assert_int_equal(figure(json, "recording", "missed"), 15);
	json_decref(json);
}

/* A state that somebody else has changed. */
static void test_a_state_from_outside(void **state)
{
	static struct chaos m;
	json_t *json;

	for (int told = 0; told < 2; told++) {
		chaos_open(&m, 9);
		tape_start(&m.config, &m.state);
		chaos_record(&m, 30);
		m.state.footprint.want = 123 * MIB;
		if (told)
			record_state(tape.record, &m.state);
		chaos_record(&m, 30);
		tape_end(&m.state);
		json = replayed(NULL);
		assert_int_equal(json_is_true(json_object_get(json, "same")), told);
		json_decref(json);
	}
}

/* --- what is no recording ------------------------------------------------------------ */

static void test_cut_off_anywhere(void **state)
{
	static struct chaos m;

	record_chaos(&m, 2, 12);
	for (size_t len = 0; len < tape.len; len += 1 + len / 40) {
		struct replay *r;

		assert_int_equal(replay_text(&r, tape.text, len, NULL), -EINVAL);
		assert_non_null(strstr(replay_error(r), len ? "cut off" : "is empty"));
		assert_true(replay_same(r));
		replay_close(r);
	}
	/* Of a whole line, all of it. */
	fails(tape.text, (size_t)(strstr(tape.text, "{\"end\":") - tape.text), -EINVAL,
	      "cut off before its end, after turn 12");
}

/* The tape, with `from` replaced by `to`, where it stands first. */
static void fails_with(const char *from, const char *to, const char *why)
{
	const char *at = strstr(tape.text, from);
	_cleanup_free_ char *text = NULL;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - tape.text), tape.text, to,
			     at + strlen(from)) > 0);
	fails(text, strlen(text), -EINVAL, why);
}

static void test_what_is_no_recording(void **state)
{
	static struct chaos m;

	record_chaos(&m, 2, 12);
	fails("\x7f"
	      "ELF\n",
	      5, -EINVAL, "line 1: this is no recording of ebb");
	fails("{}\n", 3, -EINVAL, "line 1: this is no recording of ebb");
	fails_with("{\"ebb_recording\":1,", "{\"ebb_recording\":2,",
		   "a recording of another form (2, by ebb 0.0.1), and this version reads 1");
	fails_with("\"members\":{", "\"limbs\":{", "does not say which members there are");
	fails_with("{\"config\":", "{\"comfort\":", "line 2: this is no line of a recording");
	fails_with("{\"state\":", "{\"check\":", "none to begin with");
	fails_with("{\"turn\":3,", "{\"turn\":4,", "turn 4 after turn 2");
	fails_with("\"plan\":{", "\"plain\":{", "plan is no object");
	fails_with("\"plan\":{", "\"more\":1,\"plan\":{", "with other members than it has");
	fails_with("\"mem_free\":", "\"mem_freed\":", "machine has no member 'mem_freed'");
	fails_with("\"reason\":\"", "\"reason\":\"un", "this version knows no 'un");
	fails_with("{\"name\":{\"id\":100,", "{\"name\":{\"id\":101,",
		   "container 100 was not named before");
	fails_with("{\"end\":\"count\",\"turns\":12,", "{\"end\":\"count\",\"turns\":13,",
		   "it ends with 13 turns, 0 missing, but there are 12, 0 missing");
	fails_with("{\"turn\":1,", "{\"gap\":0}\n{\"turn\":1,", "a gap that is no number of turns");
	fails_with("{\"turn\":1,", "{\"gap\":1}\n{\"turn\":2,", "before the state");
	fails_with("{\"turn\":2,", "{\"turn\":2,\"turn\":2,", "duplicate");
}

static void test_time_does_not_run_backwards(void **state)
{
	static struct chaos m;

	chaos_open(&m, 1);
	tape_start(&m.config, &m.state);
	chaos_record(&m, 2);
	m.snap.now_ms -= 4000;
	record_turn(tape.record, &m.config, &m.snap, &m.plan, &m.state);
	tape_end(&m.state);
	fails(tape.text, tape.len, -EINVAL, "time runs backwards");
}

/* --- of another version -------------------------------------------------------------- */

static void replace(const char *from, const char *to)
{
	char *at = strstr(tape.text, from), *text;
	int n;

	assert_non_null(at);
	n = asprintf(&text, "%.*s%s%s", (int)(at - tape.text), tape.text, to, at + strlen(from));
	assert_true(n > 0);
	free(tape.text);
	tape.text = text;
	tape.len = (size_t)n;
}

static void test_members_come_and_go(void **state)
{
	static struct chaos m;
	json_t *json, *names;

	record_chaos(&m, 2, 12);
	replace("\"mem_total\",", "\"mem_total\",\"moons\",");
	replace("\"compact_fails\",", "");
	/* Of the state, where it is never 0: it is not compared, then. */
	for (char *at; (at = strstr(tape.text, "\"level_ms\""));)
		memcpy(at, "\"level_xx\"", 10);
	replace("\"machine\":{\"mem_total\":", "\"machine\":{\"moons\":7,\"mem_total\":");
	json = replayed(NULL);
	assert_true(json_is_true(json_object_get(json, "same")));
	names = json_object_get(json_object_get(json, "recording"), "unknown");
	assert_int_equal(json_array_size(names), 2);
	assert_string_equal(json_string_value(json_array_get(names, 0)), "machine.moons");
	assert_string_equal(json_string_value(json_array_get(names, 1)), "slot.level_xx");
	names = json_object_get(json_object_get(json, "recording"), "lacking");
	assert_int_equal(json_array_size(names), 2);
	assert_string_equal(json_string_value(json_array_get(names, 0)), "machine.compact_fails");
	assert_string_equal(json_string_value(json_array_get(names, 1)), "slot.level_ms");
	json_decref(json);
}

/* --- another configuration ----------------------------------------------------------- */

static json_t *side(json_t *json, const char *which)
{
	json_t *c = json_array_get(json_object_get(json, "containers"), 0);

	return json_object_get(c, which);
}

static json_int_t of_side(json_t *json, const char *which, const char *key)
{
	return json_integer_value(json_object_get(side(json, which), key));
}

static void test_another_configuration(void **state)
{
	static struct ebb_config other;
	static struct sim s;
	json_t *json;

	record_sim(&s, 120000);
	other = s.config;
	json = replayed(&other);
	assert_int_equal(figure(json_object_get(json, "other"), "plans", "differ"), 0);
	assert_int_equal(of_side(json, "other", "asked"), of_side(json, "recorded", "asked"));
	assert_true(json_equal(side(json, "recorded"), side(json, "other")));
	json_decref(json);

	/* Twice the patience: less was cold at any time, and for less of it. */
	other.cold_after_ms = 40000;
	json = replayed(&other);
	assert_true(json_is_true(json_object_get(json, "same")));
	assert_true(figure(json_object_get(json, "other"), "plans", "differ") > 0);
	assert_true(of_side(json, "other", "asked") < of_side(json, "recorded", "asked"));
	json_decref(json);
}

static void test_rules_of_another_configuration(void **state)
{
	static struct ebb_config other;
	static struct sim s;
	json_t *json, *time, *c;

	record_sim(&s, 60000);
	other = s.config;
	other.nr_rules = 1;
	other.rules[0] = (struct ebb_rule){ .glob = "box-4*", .has_reclaim = true };
	json = replayed(&other);
	assert_int_equal(of_side(json, "other", "asked"), 0);
	time = json_object_get(side(json, "other"), "time");
	assert_int_equal(json_array_size(time), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(time, 0), "state")),
			    "off");
	c = json_array_get(json_object_get(json, "containers"), 0);
	assert_true(json_integer_value(json_object_get(c, "ms")) > 30000);
	assert_int_equal(json_integer_value(json_object_get(c, "differ_ms")),
			 json_integer_value(json_object_get(c, "ms")));
	json_decref(json);
}

static void test_a_configuration_for_another_machine(void **state)
{
	static struct ebb_config other = { .cap = UINT64_C(1) << 50, .cap_line = 7 };
	static struct chaos m;
	struct replay *r;

	record_chaos(&m, 2, 12);
	assert_int_equal(replay_text(&r, tape.text, tape.len, &other), -ERANGE);
	assert_non_null(strstr(replay_error(r), "other.conf:7: "));
	assert_non_null(strstr(replay_error(r), "(the recorded machine)"));
	replay_close(r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, free_tape)
	const struct CMUnitTest tests[] = {
		TEST(test_a_run_replays),
		TEST(test_any_run_replays),
		TEST(test_a_changed_plan_is_found),
		TEST(test_a_changed_input_is_found),
		TEST(test_a_changed_state_is_found),
		TEST(test_a_slow_reader),
		TEST(test_a_state_from_outside),
		TEST(test_cut_off_anywhere),
		TEST(test_what_is_no_recording),
		TEST(test_time_does_not_run_backwards),
		TEST(test_members_come_and_go),
		TEST(test_another_configuration),
		TEST(test_rules_of_another_configuration),
		TEST(test_a_configuration_for_another_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
