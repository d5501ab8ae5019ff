// SPDX-License-Identifier: GPL-2.0-only
/* The journal opened and closed, what is undone, and devices. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "act/journal_int.h"
#include "lib/cleanup.h"

static void report_add(struct journal_report *to, const struct journal_report *from)
{
	to->undone += from->undone;
	to->left_alone += from->left_alone;
	to->gone += from->gone;
	to->failed += from->failed;
	to->expired += from->expired;
	to->damaged += from->damaged;
}

int journal_open(struct journal **ret, const struct journal_opts *opts)
{
	struct journal *j = calloc(1, sizeof(*j));
	int r = 0;

	if (!j)
		return -ENOMEM;
	j->dir = j->lock_fd = j->fd = j->cgroup_root = -1;
	j->read_only = opts->read_only;
	pthread_mutex_init(&j->lock, NULL);
	j->root = strdup(opts->root ?: "");
	if (!j->root)
		r = -ENOMEM;
	if (!r && opts->cgroup_root >= 0) {
		j->cgroup_root = fcntl(opts->cgroup_root, F_DUPFD_CLOEXEC, 0);
		if (j->cgroup_root < 0)
			r = -errno;
	}
	r = r ?: journal_store_open(j, opts->state_dir);
	if (r) {
		journal_close(j);
		return r;
	}
	*ret = j;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	journal_store_close(j);
	if (j->cgroup_root >= 0)
		close(j->cgroup_root);
	pthread_mutex_destroy(&j->lock);
	free(j->slots);
	free(j->root);
	free(j);
}

void journal_loaded(struct journal *j, struct journal_report *report)
{
	*report = j->loaded;
}

int journal_text(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(to, from, len + 1);
	return 0;
}

/* --- undoing ------------------------------------------------------------------ */

void journal_forget_slot(struct journal *j, struct journal_slot *slot)
{
	journal_store_remove(j, slot->e.seq);
	journal_slot_remove(j, slot);
}

int journal_undo_slot(struct journal *j, struct journal_slot *slot, struct journal_report *report)
{
	struct journal_report sum = {};
	char now[JOURNAL_VALUE_LEN];
	int r;

	if (j->read_only)
		return -EROFS;
	r = journal_entry_read(j, &slot->e, now);
	if (!r && journal_same_value(now, slot->e.set)) {
		r = journal_entry_write(j, &slot->e, slot->e.old);
		sum.undone += !r;
	} else if (!r) {
		/* Still the old one: we died between the entry and the deed. */
		if (!journal_same_value(now, slot->e.old))
			sum.left_alone++;
	}
	if (journal_is_gone(r)) {
		sum.gone++;
		r = 0;
	}
	if (r)
		sum.failed++;
	else
		journal_forget_slot(j, slot);
	if (report)
		report_add(report, &sum);
	return r;
}

int journal_undo(struct journal *j, uint64_t seq, struct journal_report *report)
{
	JOURNAL_LOCKED(j);
	struct journal_slot *slot = seq ? journal_slot_find(j, seq) : NULL;

	return slot ? journal_undo_slot(j, slot, report) : 0;
}

static void undo_many(struct journal *j, enum journal_kind kind, bool inherited,
		      struct journal_report *report)
{
	for (size_t i = j->nr; i-- > 0;) {
		struct journal_slot *slot = &j->slots[i];

		if (slot->e.kind == JOURNAL_DEVICE || (kind && slot->e.kind != kind) ||
		    (inherited && !slot->inherited))
			continue;
		journal_undo_slot(j, slot, report);
	}
}

void journal_recover(struct journal *j, enum journal_kind kind, struct journal_report *report)
{
	JOURNAL_LOCKED(j);
	undo_many(j, kind, true, report);
}

void journal_undo_all(struct journal *j, struct journal_report *report)
{
	JOURNAL_LOCKED(j);
	undo_many(j, 0, false, report);
}

void journal_undo_kind(struct journal *j, enum journal_kind kind, struct journal_report *report)
{
	JOURNAL_LOCKED(j);
	undo_many(j, kind, false, report);
}

/* --- devices -------------------------------------------------------------------- */

int journal_add_device(struct journal *j, const char *target, const char *identity,
		       uint64_t *ret_seq)
{
	struct journal_entry e = { .kind = JOURNAL_DEVICE };
	JOURNAL_LOCKED(j);
	int r;

	r = journal_text(e.target, sizeof(e.target), target);
	r = r ?: journal_text(e.old, sizeof(e.old), identity);
	e.seq = j->last_seq + 1;
	r = r ?: journal_store_append(j, &e, 1);
	if (r)
		return r;
	if (!journal_slot_add(j, &e))
		return -ENOMEM;
	*ret_seq = e.seq;
	return 0;
}

int journal_next_device(struct journal *j, uint64_t after, struct journal_entry *ret)
{
	JOURNAL_LOCKED(j);

	for (size_t i = 0; i < j->nr; i++) {
		if (j->slots[i].e.kind == JOURNAL_DEVICE && j->slots[i].e.seq > after) {
			*ret = j->slots[i].e;
			return 0;
		}
	}
	return -ENOENT;
}

int journal_forget(struct journal *j, uint64_t seq)
{
	JOURNAL_LOCKED(j);
	struct journal_slot *slot = journal_slot_find(j, seq);

	if (!slot)
		return -ENOENT;
	journal_forget_slot(j, slot);
	return 0;
}
