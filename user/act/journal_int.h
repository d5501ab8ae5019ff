/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between journal.c (what is undone), journal_set.c (what is set), journal_entry.c (the files that
 * it is about) and journal_store.c (what is on disk).
 */
#ifndef EBB_ACT_JOURNAL_INT_H
#define EBB_ACT_JOURNAL_INT_H

#include <pthread.h>

#include "act/journal.h"

struct journal_slot {
	struct journal_entry e;
	bool inherited; /* of a former run, and not adopted */
};

struct journal {
	pthread_mutex_t lock; /* all below; held during the writes to the kernel too (but for
				 journal_update()), so that the order of the entries is the order
				 of the deeds */
	char *root;
	int cgroup_root;
	bool read_only;
	struct journal_report loaded;

	struct journal_slot *slots; /* in the order of seq */
	size_t nr, room;
	uint64_t last_seq;

	int dir;
	int lock_fd;
	int fd;
	char boot_id[40];
	uint64_t bytes; /* of the file */
};

static inline void journal_unlockp(struct journal **j)
{
	if (*j)
		pthread_mutex_unlock(&(*j)->lock);
}

#define JOURNAL_LOCKED(j)                                                                          \
	__attribute__((cleanup(journal_unlockp))) struct journal *locked_ = (j);                   \
	pthread_mutex_lock(&locked_->lock)

/* All with the lock held, and nothing in memory changed when they fail. */
int journal_store_open(struct journal *j, const char *state_dir);
void journal_store_close(struct journal *j);
int journal_store_append(struct journal *j, const struct journal_entry *entries, size_t nr);
/* One entry, not synced: it replaces one that is on disk. */
int journal_store_note(struct journal *j, const struct journal_entry *e);
/* Never fails for good: an entry that stays is found not to stand, and left alone. */
void journal_store_remove(struct journal *j, uint64_t seq);

struct journal_slot *journal_slot_add(struct journal *j, const struct journal_entry *e);
void journal_slot_remove(struct journal *j, struct journal_slot *slot);
struct journal_slot *journal_slot_find(struct journal *j, uint64_t seq);

/* The value that is there now, and another in its place; of a choice, the word that is chosen. */
int journal_entry_read(const struct journal *j, const struct journal_entry *e,
		       char ret[JOURNAL_VALUE_LEN]);
int journal_entry_write(const struct journal *j, const struct journal_entry *e, const char *value);
bool journal_is_gone(int error); /* of the two above: the file, or its cgroup, is no more */

/* An entry is taken out; or undone and taken out. With the lock held. */
void journal_forget_slot(struct journal *j, struct journal_slot *slot);
int journal_undo_slot(struct journal *j, struct journal_slot *slot, struct journal_report *report);
int journal_text(char *to, size_t size, const char *from); /* -ENAMETOOLONG */

#endif /* EBB_ACT_JOURNAL_INT_H */
