/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * STATE_DIR/journal: every value that is set outside of ourselves, written and
 * synced before it is set. It is undone newest first on exit and, after a
 * crash, at the next start. A value that somebody else changed meanwhile (it
 * is not what we set) is left alone. Entries of an earlier boot are dropped:
 * the kernel's state went with it.
 *
 * A journal is safe to use from several threads.
 */
#ifndef EBB_ACT_JOURNAL_H
#define EBB_ACT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_PATH_LEN 256
#define JOURNAL_VALUE_LEN 128
#define JOURNAL_MAX_ENTRIES 4096
#define JOURNAL_MAX_BYTES (4u << 20)

struct journal;

enum journal_kind {
	JOURNAL_FILE = 1, /* target: path beneath /sys or /proc/sys */
	JOURNAL_CGROUP, /* cgroup: id; target: a file in its directory */
	JOURNAL_DEVICE, /* target: a device that we made, old: its identity. Its owner undoes it */
};

struct journal_entry {
	uint64_t seq; /* rises */
	enum journal_kind kind;
	uint64_t cgroup;
	char target[JOURNAL_PATH_LEN];
	char old[JOURNAL_VALUE_LEN]; /* what was there */
	char set[JOURNAL_VALUE_LEN]; /* what we put there */
};

struct journal_report {
	unsigned int undone;
	unsigned int left_alone; /* somebody else changed it meanwhile */
	unsigned int gone; /* the file, or the cgroup, is no more */
	unsigned int failed; /* kept in the journal, tried at the next start */
	unsigned int expired; /* of an earlier boot */
	unsigned int damaged; /* lines that could not be read */
};

struct journal_opts {
	const char *state_dir; /* created 0700 if missing, its last component only */
	const char *root; /* what /proc and /sys stand under; NULL: "" */
	int cgroup_root; /* fd of the cgroup2 mount's root, dup'ed; -1: no cgroup entries */
	bool read_only; /* a dry run: nothing is written; setting answers -EROFS */
};

/*
 * Loads what is there. -EBUSY: another process holds it. Nothing is undone
 * yet; a file that is no journal is put aside as journal.bad.
 */
int journal_open(struct journal **ret, const struct journal_opts *opts);
void journal_close(struct journal *j); /* undoes nothing */

/*
 * Reads the present value, writes the entry, syncs, sets. Where that value is
 * there already, nothing is set and nothing entered, unless an earlier run
 * entered it: then it is adopted, with the old value of then. ret_seq may be
 * NULL and gets 0 where nothing was entered.
 */
int journal_set_file(struct journal *j, const char *path, const char *value, uint64_t *ret_seq);

/*
 * The same for what is undone in a moment: not synced, since the kernel's settings do not outlive
 * a crash of the machine, and one of this process leaves the entry where it is.
 */
int journal_set_file_briefly(struct journal *j, const char *path, const char *value,
			     uint64_t *ret_seq);

/*
 * The same for one file in many cgroups, with a single sync: all or nothing
 * (what was set is undone when one fails, and its errno returned). A cgroup
 * that is gone is skipped. They are opened by id (open_by_handle_at, needs
 * CAP_DAC_READ_SEARCH), so that a reused path is never hit.
 */
struct journal_cgroup {
	uint64_t id;
	char value[24];
	uint64_t seq; /* out: for journal_undo; 0: nothing was entered */
};
int journal_set_cgroups(struct journal *j, const char *file, struct journal_cgroup *groups,
			size_t nr);

/*
 * Gives what entry *seq (of journal_set_cgroups) stands for another value; the one from before us
 * is kept, and the entry replaced, so that a value that changes often leaves one entry. Not
 * synced: a crash of the machine takes the kernel's settings with it. *seq is the new entry's, or
 * 0 where none is left: -ESTALE: the cgroup is gone; -ECANCELED: somebody else changed the value
 * meanwhile; it is left as it is, in found. Other errors leave the entry and the value as they
 * were. One at a time for an entry; other threads go on while the kernel takes the value.
 */
int journal_update(struct journal *j, uint64_t *seq, const char *value,
		   char found[JOURNAL_VALUE_LEN]);

/* Enters a device that the caller is about to make. It is undone by its owner alone. */
int journal_add_device(struct journal *j, const char *target, const char *identity,
		       uint64_t *ret_seq);
/* The first device entered with a seq greater than `after`; -ENOENT: none. */
int journal_next_device(struct journal *j, uint64_t after, struct journal_entry *ret);

/* Takes an entry out, without touching what it stands for. */
int journal_forget(struct journal *j, uint64_t seq);

/* Undo one (seq 0: nothing to do); report may be NULL, else is added to. */
int journal_undo(struct journal *j, uint64_t seq, struct journal_report *report);

/*
 * Undo, newest first, what a former run entered and this one has not adopted
 * (recover), or everything of these kinds (undo_all). Devices are untouched.
 */
void journal_recover(struct journal *j, enum journal_kind kind, struct journal_report *report);
void journal_undo_all(struct journal *j, struct journal_report *report);
void journal_undo_kind(struct journal *j, enum journal_kind kind, struct journal_report *report);

/* What journal_open found. */
void journal_loaded(struct journal *j, struct journal_report *report);

/* --- the text, apart so that it can be fuzzed --- */

#define JOURNAL_LINE_LEN 2048 /* no line is longer */
/* One line without its newline. -EINVAL: not an entry. */
int journal_parse_line(const char *line, size_t len, struct journal_entry *ret, bool *ret_removed);
/* With newline. Length, or -EINVAL for what could not be read back. */
int journal_format_line(char buf[JOURNAL_LINE_LEN], const struct journal_entry *e, bool removed);
int journal_parse_header(const char *line, size_t len, char *ret_boot_id, size_t size);
/* Whether two values mean the same to the kernel: "7" and "0x0007", "[lz4] zstd" and "lz4". */
bool journal_same_value(const char *a, const char *b);

#endif /* EBB_ACT_JOURNAL_H */
