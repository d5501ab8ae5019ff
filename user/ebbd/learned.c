// SPDX-License-Identifier: GPL-2.0-only
/* How large containers become: learned when they end, expected when they start. */
#include <string.h>

#include "ebbd/daemon.h"
#include "lib/log.h"

/* A file of at most 512 lines: written this often at most, and when we end. */
#define SAVE_MS 60000

/* Not synced while the loop runs: it has a lease to renew, and a balloon to open at once. */
static void save(struct daemon *d)
{
	int r = d->peaks.dirty && !d->opts.dry_run
			? peaks_save(&d->peaks, d->opts.state_dir, d->stopping)
			: 0;

	d->peaks_saved_ms = now_ms();
	if (r)
		log_warn("what was learned of containers is not kept: %s", strerror(-r));
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

		if (t && t->peak < c->bytes + c->swap)
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
		save(d);
	peaks_close(&d->peaks);
}
