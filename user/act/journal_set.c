// SPDX-License-Identifier: GPL-2.0-only
/* What is set: entered first, then done. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/journal_int.h"
#include "lib/cleanup.h"

static struct journal_slot *find_file(struct journal *j, const char *path)
{
	for (size_t i = j->nr; i-- > 0;)
		if (j->slots[i].e.kind == JOURNAL_FILE && !strcmp(j->slots[i].e.target, path))
			return &j->slots[i];
	return NULL;
}

/*
 * All entries of a path, once this run has its own value there: they are undone after it, not by
 * journal_recover(). That would take our value for the one that the former run had set, and put
 * back what was before that; or find that it is not, and drop the way back.
 */
static void adopt(struct journal *j, const char *path)
{
	for (size_t i = 0; i < j->nr; i++)
		if (j->slots[i].e.kind == JOURNAL_FILE && !strcmp(j->slots[i].e.target, path))
			j->slots[i].inherited = false;
}

static int set_file(struct journal *j, const char *path, const char *value, bool sync,
		    uint64_t *ret_seq)
{
	struct journal_entry e = { .kind = JOURNAL_FILE };
	struct journal_slot *slot;
	JOURNAL_LOCKED(j);
	int r;

	if (ret_seq)
		*ret_seq = 0;
	r = journal_text(e.target, sizeof(e.target), path);
	r = r ?: journal_text(e.set, sizeof(e.set), value);
	r = r ?: journal_entry_read(j, &e, e.old);
	if (r)
		return r;
	if (journal_same_value(e.old, value)) {
		slot = find_file(j, path);
		if (slot && journal_same_value(slot->e.set, value)) {
			adopt(j, path);
			if (ret_seq)
				*ret_seq = slot->e.seq;
		}
		return 0;
	}
	/*
	 * An earlier entry for the path stays beneath: newest first, the undoing
	 * passes through its value to the one before us.
	 */
	e.seq = j->last_seq + 1;
	r = sync ? journal_store_append(j, &e, 1) : journal_store_note(j, &e);
	if (r)
		return r;
	slot = journal_slot_add(j, &e);
	if (!slot)
		return -ENOMEM; /* entered, not set: found so at the next start */
	r = journal_entry_write(j, &e, value);
	if (r) {
		journal_forget_slot(j, slot);
		return r;
	}
	adopt(j, path);
	if (ret_seq)
		*ret_seq = e.seq;
	return 0;
}

int journal_set_file(struct journal *j, const char *path, const char *value, uint64_t *ret_seq)
{
	return set_file(j, path, value, true, ret_seq);
}

int journal_set_file_briefly(struct journal *j, const char *path, const char *value,
			     uint64_t *ret_seq)
{
	return set_file(j, path, value, false, ret_seq);
}

/* Which of the groups need an entry, appended to `entries`. */
static int plan_cgroups(struct journal *j, const char *file, struct journal_cgroup *groups,
			size_t nr, struct journal_entry *entries, size_t *ret_nr)
{
	uint64_t seq = j->last_seq;
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		struct journal_entry *e = &entries[n];
		int r;

		groups[i].seq = 0;
		*e = (struct journal_entry){ .kind = JOURNAL_CGROUP, .cgroup = groups[i].id };
		r = journal_text(e->target, sizeof(e->target), file);
		r = r ?: journal_text(e->set, sizeof(e->set), groups[i].value);
		r = r ?: journal_entry_read(j, e, e->old);
		if (journal_is_gone(r))
			continue;
		if (r)
			return r;
		if (journal_same_value(e->old, e->set))
			continue;
		e->seq = groups[i].seq = ++seq;
		n++;
	}
	*ret_nr = n;
	return 0;
}

static int set_entries(struct journal *j, const struct journal_entry *entries, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		int r = journal_entry_write(j, &entries[i], entries[i].set);

		if (r && !journal_is_gone(r))
			return r;
	}
	return 0;
}

int journal_set_cgroups(struct journal *j, const char *file, struct journal_cgroup *groups,
			size_t nr)
{
	_cleanup_free_ struct journal_entry *entries = NULL;
	JOURNAL_LOCKED(j);
	size_t n = 0, added = 0;
	int r;

	if (j->read_only)
		return -EROFS;
	if (nr > JOURNAL_MAX_ENTRIES - j->nr)
		return -E2BIG;
	entries = calloc(nr ?: 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	r = plan_cgroups(j, file, groups, nr, entries, &n);
	if (!r && n)
		r = journal_store_append(j, entries, n);
	if (r) {
		for (size_t i = 0; i < nr; i++)
			groups[i].seq = 0;
		return r;
	}
	for (; added < n; added++)
		if (!journal_slot_add(j, &entries[added]))
			break;
	r = added < n ? -ENOMEM : set_entries(j, entries, n);
	for (size_t i = added; r && i-- > 0;) {
		struct journal_slot *slot = journal_slot_find(j, entries[i].seq);

		if (slot)
			journal_undo_slot(j, slot, NULL);
	}
	return r;
}

/* One that may be undone by now. */
static void forget(struct journal *j, uint64_t seq)
{
	struct journal_slot *slot = journal_slot_find(j, seq);

	if (slot)
		journal_forget_slot(j, slot);
}

/*
 * The new entry stands above the old one until the deed is done: undone in that order, either is
 * right. The deed is done without the lock, for memory.max may evict for seconds within the write:
 * there is one at a time for a file, and nobody else touches these two but the undoing at the end.
 */
static int replace(struct journal *j, uint64_t *seq, struct journal_entry *e)
{
	uint64_t before = e->seq;
	int r;

	e->seq = j->last_seq + 1;
	r = journal_store_note(j, e);
	if (r)
		return r;
	if (!journal_slot_add(j, e)) {
		journal_store_remove(j, e->seq);
		return -ENOMEM;
	}
	pthread_mutex_unlock(&j->lock);
	r = journal_entry_write(j, e, e->set);
	pthread_mutex_lock(&j->lock);
	forget(j, r ? e->seq : before);
	if (!r)
		*seq = e->seq;
	return r;
}

int journal_update(struct journal *j, uint64_t *seq, const char *value,
		   char found[JOURNAL_VALUE_LEN])
{
	JOURNAL_LOCKED(j);
	struct journal_slot *slot = *seq ? journal_slot_find(j, *seq) : NULL;
	struct journal_entry e;
	int r;

	if (!slot)
		return -EINVAL;
	if (j->read_only)
		return -EROFS;
	e = slot->e;
	r = journal_text(e.set, sizeof(e.set), value);
	r = r ?: journal_entry_read(j, &e, found);
	if (!r && !journal_same_value(found, slot->e.set))
		r = -ECANCELED;
	else if (!r && !journal_same_value(slot->e.set, value))
		r = replace(j, seq, &e);
	if (journal_is_gone(r))
		r = -ESTALE;
	if (r == -ECANCELED || r == -ESTALE) {
		forget(j, *seq);
		*seq = 0;
	}
	return r;
}
