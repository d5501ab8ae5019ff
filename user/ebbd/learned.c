// SPDX-License-Identifier: GPL-2.0-only
/* How large containers become: learned when they end, expected when they start. */
#include <stdlib.h>
#include <string.h>

#include "ebbd/daemon.h"
#include "lib/log.h"

/* A file of at most 512 lines: written this often at most, and when we end. */
#define SAVE_MS 60000

static void say_not_kept(int error)
{
	log_warn("what was learned of containers is not kept: %s", strerror(-error));
}

struct saving {
	struct daemon *d;
	char *text;
	int error;
};

static void saving_run(void *arg)
{
	struct saving *s = arg;

	s->error = peaks_write(s->text, s->d->opts.state_dir, false);
}

static void saving_done(void *arg, bool ran)
{
	struct saving *s = arg;

	if (ran && s->error) {
		s->d->peaks.dirty = true;
		say_not_kept(s->error);
	}
	s->d->peaks_saving = false;
	free(s->text);
	free(s);
}

/* On a thread and not synced: the loop has a lease to renew, and a balloon to open at once. */
static void save(struct daemon *d)
{
	struct saving *s;
	int r;

	d->peaks_saved_ms = now_ms();
	if (!d->peaks.dirty || d->peaks_saving || d->opts.dry_run)
		return;
	s = calloc(1, sizeof(*s));
	if (s)
		*s = (struct saving){ .d = d, .text = peaks_text(&d->peaks) };
	r = s && s->text ? act_defer(d->act, saving_run, saving_done, s) : -ENOMEM;
	if (r) {
		say_not_kept(r);
		if (s)
			free(s->text);
		free(s);
		return;
	}
	d->peaks.dirty = false;
	d->peaks_saving = true;
}

static void save_last(struct daemon *d)
{
	int r = 0;

	/* What is still on its way may be lost with its thread. */
	if ((d->peaks.dirty || d->peaks_saving) && !d->opts.dry_run)
		r = peaks_save(&d->peaks, d->opts.state_dir, true);
	if (r)
		say_not_kept(r);
}

void learned_open(struct daemon *d)
{
	d->peaks_saved_ms = now_ms();
	if (peaks_open(&d->peaks, d->opts.state_dir))
		log_warn("out of memory: how large containers become is not learned");
}

void learned_expect(struct daemon *d, const struct tree_container *c)
{
	struct track *t = track_find(d, c->id);

	if (t)
		t->expected = peaks_get(&d->peaks, c->name, c->image);
}

void learned_end(struct daemon *d, const struct tree_container *c)
{
	struct track *t = track_find(d, c->id);

	if (!t)
		return;
	peaks_note(&d->peaks, c->name, c->image, t->peak);
	t->peak = 0; /* it may be filled again: another life */
}

void learned_tick(struct daemon *d)
{
	for (size_t i = 0; i < d->snap.nr_containers; i++) {
		const struct ebb_snap_container *c = &d->snap.containers[i];
		struct track *t = track_find(d, c->id);

		/* What one that has ended leaves is no life of its own. */
		if (t && c->populated && t->peak < c->bytes + c->swap)
			t->peak = c->bytes + c->swap;
	}
	if (now_ms() - d->peaks_saved_ms >= SAVE_MS)
		save(d);
}

/* Those that live on when we end are learned as far as they came. */
void learned_close(struct daemon *d)
{
	for (size_t i = 0; d->tree && i < d->nr_tracks; i++) {
		const struct tree_container *c = tree_container_by_id(d->tree, d->tracks[i].id);

		if (c)
			learned_end(d, c);
	}
	if (d->peaks.peaks)
		save_last(d);
	peaks_close(&d->peaks);
}
