// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cap, held in the guest: memory in use never goes above it, whether or not there is a host
 * that would take the rest away.
 *
 *	room = cap - what the kernel never shows - reserve - what is in use outside of the holders
 *
 * is dealt out to the groups that hold containers, as limits that stand before anybody asks
 * (cap_limits.c): what grows in a millisecond meets the kernel's own limit, not our next look. The
 * outside is nobody's to limit: the kernel, the system's services, and the compressed swap, which
 * grows by what a limit pushes out. So it is looked at often while there is little left, and the
 * reserve has room for how fast it grew.
 *
 * When the holders have more than the room, or it is nearly so, the coldest of all containers goes
 * first, younger than cold_after if need be. Only then are limits set below what a group has.
 */
#include "policy/internal.h"

#define RESERVE_PART 20
#define RESERVE_MIN (16 * MIB)
#define RATE_PART 8 /* the reserve for growth is CAP / this at most */
#define RATE_HALF_MS 10000u
#define REACT_MS 500u /* a look and the decision; a limit that is set comes on top, measured */
#define REACT_MAX_MS 4000u
#define KERNEL_IMAGE (48 * MIB)
#define LOOK_MS 200u
#define CALM_MS 1000u
#define EARLY_PART 16 /* early reclaim keeps CAP / this of the room free */
#define GRACE_MS 1000u /* for early reclaim, before a limit goes below the usage */
#define KILL_MS 4000u /* of more in use than may be: somebody has to go */
#define BATCH (32 * MIB)
#define DEADLINE_MS 2000u
#define GATHER_MS 3000u
#define GATHER_BYTES (16 * MIB) /* what compaction takes for a reason to look */

struct cap {
	uint64_t usable; /* bytes, like all of these */
	uint64_t used;
	uint64_t held; /* by the holders that are ours to limit */
	uint64_t outside;
	uint64_t reserve;
	uint64_t room;
};

static bool in_force(const struct step *s)
{
	return s->config->cap && s->config->cap < s->snap->machine.ram;
}

/*
 * Of the VM's size. Where no host says it: 64 bytes for each page, and the kernel's image (78 MiB
 * measured with 2 GiB, 6.12).
 */
static uint64_t hidden(const struct step *s)
{
	uint64_t learned = s->state->footprint.hidden;

	return s->snap->host.talking && learned ? learned
						: s->snap->machine.ram / 64 + KERNEL_IMAGE;
}

static void learn_rate(struct step *s, struct policy_cap *p, const struct cap *c)
{
	uint64_t now = s->snap->now_ms, ms = now - p->seen_ms, rate;

	while (p->rate && now - p->rate_ms >= RATE_HALF_MS) {
		p->rate /= 2;
		p->rate_ms += RATE_HALF_MS;
	}
	if (!p->known || ms < 50)
		return;
	/* What left the holders for the pool took their room with it, and is no growth. */
	rate = min_u64(sub_u64(c->outside, p->outside),
		       sub_u64(c->outside + c->held, p->outside + p->held)) *
	       1000 / ms;
	if (rate >= p->rate) {
		p->rate = rate;
		p->rate_ms = now;
	}
}

static void measure(struct step *s, struct policy_cap *p, struct cap *c)
{
	const struct ebb_snapshot *snap = s->snap;
	uint64_t cap = s->config->cap, react;

	react = min_u64(REACT_MS + snap->machine.limit_ms, REACT_MAX_MS);
	*c = (struct cap){ .usable = sub_u64(cap, hidden(s)), .used = in_use(&snap->machine) };
	for (size_t i = 0; i < snap->nr_holders; i++)
		if (!snap->holders[i].left_alone)
			c->held += snap->holders[i].bytes;
	c->outside = sub_u64(c->used, c->held);
	learn_rate(s, p, c);
	c->reserve = max_u64(cap / RESERVE_PART, RESERVE_MIN) +
		     min_u64(p->rate / 1000 * react, cap / RATE_PART);
	c->room = sub_u64(c->usable, c->reserve + c->outside);
}

/* --- early reclaim ------------------------------------------------------------------ */

static bool has_item(const struct step *s, uint64_t id)
{
	for (size_t i = 0; i < s->plan->nr_items; i++)
		if (s->plan->items[i].id == id && s->plan->items[i].action != EBB_ACT_LIMIT &&
		    s->plan->items[i].action != EBB_ACT_SWAP_LIMIT)
			return true;
	return false;
}

/*
 * Of one container, idle for idle_ms at least, and within what a rule protects. What is mapped is
 * code, for the most part: younger than cold_after it would be faulted back in from the disk.
 */
static uint64_t idle_of(const struct step *s, const struct ebb_snap_container *c, uint64_t idle_ms,
			struct ebb_age *ret)
{
	uint64_t room = sub_u64(c->bytes, c->protect), file;

	*ret = (struct ebb_age){ .idle_ms = idle_ms };
	if (!c->populated || c->busy || c->paused || c->reclaim_off || has_item(s, c->id))
		return 0;
	for (unsigned int i = 0; i < c->nr_ages; i++) {
		if (c->age[i].idle_ms < idle_ms)
			continue;
		ret->anon += c->age[i].anon;
		ret->file += c->age[i].file;
	}
	ret->anon = min_u64(min_u64(ret->anon, c->anon + c->shmem), room);
	ret->anon = min_u64(ret->anon, cap_anon_room(s, c));
	file = sub_u64(c->file, c->shmem + (idle_ms < s->cold_ms ? c->file_mapped : 0));
	ret->file = min_u64(min_u64(ret->file, file), room - ret->anon);
	return ret->anon + ret->file;
}

static uint64_t idle_total(const struct step *s, uint64_t idle_ms)
{
	uint64_t sum = 0;
	struct ebb_age age;

	for (size_t i = 0; i < s->snap->nr_containers; i++)
		sum += idle_of(s, &s->snap->containers[i], idle_ms, &age);
	return sum;
}

/* The longest idleness of which there is enough, by halves; least_ms where there never is. */
static uint64_t choose_idle(const struct step *s, uint64_t want, uint64_t least_ms)
{
	uint64_t idle_ms = s->cold_ms;

	while (idle_ms / 2 > least_ms && idle_total(s, idle_ms) < want)
		idle_ms /= 2;
	return idle_total(s, idle_ms) < want ? least_ms : idle_ms;
}

/* want bytes of what has been idle longest, of each container its part. */
static void reclaim_early(struct step *s, uint64_t want, uint64_t least_ms)
{
	uint64_t idle_ms = choose_idle(s, want, least_ms), total = idle_total(s, idle_ms);
	uint32_t share = total > want ? want * POLICY_PPM / total : POLICY_PPM;

	for (size_t i = 0; i < s->snap->nr_containers; i++) {
		const struct ebb_snap_container *c = &s->snap->containers[i];
		struct ebb_plan_item *item;
		struct ebb_age age;

		if (share_u64(idle_of(s, c, idle_ms, &age), share) < TAKE_MIN)
			continue;
		item = plan_add(s, c->id, EBB_ACT_RECLAIM, EBB_REASON_CAP);
		item->anon = share_u64(age.anon, share);
		item->file = share_u64(age.file, share);
		item->idle_ms = idle_ms;
		item->batch = BATCH;
		item->deadline_ms = DEADLINE_MS;
		s->taking = true;
	}
}

static void early(struct step *s, const struct cap *c)
{
	uint64_t slack = sub_u64(c->room, c->held), keep = s->config->cap / EARLY_PART;
	bool squeezed = c->held > c->room;
	uint64_t want;

	if (s->snap->paused || slack >= keep)
		return;
	want = sub_u64(c->held, c->room) + keep - slack;
	cap_others(s, want);
	/* Idle for a pass at least: that much was looked at. */
	reclaim_early(s, want, squeezed ? 1 : s->cold_ms / 4);
}

/* --- one step ------------------------------------------------------------------------ */

/*
 * What limits made the kernel evict is free in pieces that the host does not get. Together with
 * what is in use they would exceed the cap there: a reason to gather them.
 */
static void gather(struct step *s, struct policy_cap *p, const struct cap *c)
{
	const struct ebb_snap_machine *m = &s->snap->machine;
	uint64_t scattered = sub_u64(m->mem_free, m->free_reportable);

	if (!m->reporting || !means_on(s, EBB_MEANS_REPORTING) ||
	    c->used + scattered <= c->usable || s->snap->now_ms < p->gathered_ms + GATHER_MS)
		return;
	p->gathered_ms = s->snap->now_ms;
	s->state->freed += GATHER_BYTES;
	s->gather = true;
}

/* Often while little is left and something moves. */
static void wake(struct step *s, const struct policy_cap *p, const struct cap *c)
{
	uint64_t slack = sub_u64(c->room, c->held);
	bool moves = !p->known || sub_u64(c->held, p->held) > MIB ||
		     sub_u64(c->outside, p->outside) > MIB || c->held > c->room;

	plan_wake(s, s->snap->now_ms + (moves && slack < c->usable / 2 ? LOOK_MS : CALM_MS));
}

/*
 * What has no swap is killed by a limit below what it has: not for the sake of the reserve, and not
 * before the others had time to give, while there is some.
 */
static bool kill_at(const struct step *s, struct policy_cap *p, const struct cap *c)
{
	if (c->used <= c->usable)
		p->over_ms = 0;
	else if (!p->over_ms)
		p->over_ms = s->snap->now_ms;
	return c->used > c->usable + hidden(s) / 2 ||
	       (p->over_ms && s->snap->now_ms - p->over_ms >= KILL_MS);
}

void cap_step(struct step *s)
{
	struct policy_cap *p = &s->state->cap;
	uint64_t now = s->snap->now_ms;
	bool below;
	struct cap c;

	s->plan->cap = (struct ebb_room){ 0 };
	if (!in_force(s)) {
		*p = (struct policy_cap){ 0 };
		cap_release(s);
		cap_swap_release(s);
		return;
	}
	cap_swap(s);
	measure(s, p, &c);
	s->plan->cap = (struct ebb_room){
		.used = c.used, .held = c.held, .room = c.room, .reserve = c.reserve
	};
	if (c.held <= c.room)
		p->short_ms = 0;
	else if (!p->short_ms)
		p->short_ms = now;
	below = p->short_ms && (now - p->short_ms >= GRACE_MS || s->snap->paused ||
				c.used > c.usable - c.reserve / 3);
	early(s, &c);
	cap_limits(s, c.room, below, kill_at(s, p, &c));
	gather(s, p, &c);
	wake(s, p, &c);
	p->known = true;
	p->seen_ms = now;
	p->outside = c.outside;
	p->held = c.held;
}

static const struct ebb_holder *find_holder(const struct ebb_snapshot *snap, uint64_t id)
{
	for (size_t i = 0; i < snap->nr_holders; i++)
		if (snap->holders[i].id == id)
			return &snap->holders[i];
	return NULL;
}

static bool is_taken_from(const struct step *s, uint64_t id)
{
	for (size_t i = 0; i < s->plan->nr_items; i++)
		if (s->plan->items[i].id == id && s->plan->items[i].action == EBB_ACT_RECLAIM &&
		    s->plan->items[i].reason == EBB_REASON_CAP)
			return true;
	return false;
}

/* For a person: what it waits for is not its own doing. */
void cap_verdicts(struct step *s)
{
	for (size_t i = 0; i < s->plan->nr_verdicts; i++) {
		const struct ebb_snap_container *c = &s->snap->containers[i];
		const struct ebb_holder *h = find_holder(s->snap, c->holder);
		struct ebb_verdict *v = &s->plan->verdicts[i];

		if (v->state == EBB_STATE_PAUSED || v->state == EBB_STATE_OFF ||
		    v->state == EBB_STATE_EMPTY)
			continue;
		if (is_taken_from(s, c->id)) {
			v->state = EBB_STATE_RECLAIMING;
			v->reason = EBB_REASON_CAP;
		} else if (h && h->set < h->limit && h->bytes + h->set / 32 >= h->set) {
			v->state = EBB_STATE_HELD;
			v->reason = EBB_REASON_CAP;
		}
	}
}
