// SPDX-License-Identifier: GPL-2.0-only
/* What the daemon remembers of each container between two ticks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ebbd/daemon.h"
#include "lib/by_id.h"

/* The place of id, or where it would stand. */
static size_t track_place(const struct daemon *d, uint64_t id)
{
	return BY_ID_PLACE(d->tracks, d->nr_tracks, id);
}

struct track *track_find(struct daemon *d, uint64_t id)
{
	size_t i = track_place(d, id);

	return i < d->nr_tracks && d->tracks[i].id == id ? &d->tracks[i] : NULL;
}

int track_add(struct daemon *d, uint64_t id)
{
	size_t i = track_place(d, id);
	struct decision_log *log;

	if (i < d->nr_tracks && d->tracks[i].id == id)
		return 0;
	if (d->nr_tracks == d->max_tracks) {
		size_t max = d->max_tracks ? 2 * d->max_tracks : 64;
		struct track *grown = reallocarray(d->tracks, max, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		d->tracks = grown;
		d->max_tracks = max;
	}
	log = calloc(1, sizeof(*log));
	if (!log)
		return -ENOMEM;
	memmove(&d->tracks[i + 1], &d->tracks[i], (d->nr_tracks - i) * sizeof(d->tracks[0]));
	d->tracks[i] = (struct track){ .id = id, .log = log };
	d->nr_tracks++;
	return 0;
}

void track_drop(struct daemon *d, uint64_t id)
{
	size_t i = track_place(d, id);

	if (i == d->nr_tracks || d->tracks[i].id != id)
		return;
	free(d->tracks[i].log);
	d->nr_tracks--;
	memmove(&d->tracks[i], &d->tracks[i + 1], (d->nr_tracks - i) * sizeof(d->tracks[0]));
}

void tracks_free(struct daemon *d)
{
	for (size_t i = 0; i < d->nr_tracks; i++)
		free(d->tracks[i].log);
	free(d->tracks);
}
