/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose cgroup is this, and what does its engine call it?
 *
 * identity_match() is pure: a path to the runtime and the id in it.
 * identity_resolve() reads the engine's own files for name, image, pod. All
 * of it is text from others: bounded here, escaped where it is shown.
 */
#ifndef EBB_SENSE_IDENTITY_H
#define EBB_SENSE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENTITY_TEXT 256 /* bytes, the NUL included */
#define IDENTITY_FILE_MAX (1u << 20) /* larger files of an engine are not read */

enum identity_kind {
	IDENTITY_NONE, /* nothing to tell from the path: the bare rules of tree.h */
	IDENTITY_ENGINE, /* a container engine made it */
	IDENTITY_UNIT, /* a systemd service or scope */
	IDENTITY_SYSTEM, /* the system's own, and all below it that no engine made */
	IDENTITY_SKIP, /* an engine's helper (conmon, monitor) */
};

enum identity_runtime {
	IDENTITY_CGROUP,
	IDENTITY_PODMAN,
	IDENTITY_DOCKER,
	IDENTITY_CONTAINERD,
	IDENTITY_CRI_CONTAINERD,
	IDENTITY_CRIO,
	IDENTITY_NSPAWN,
	IDENTITY_LIBVIRT,
	IDENTITY_CRUN,
	IDENTITY_RUNC,
	IDENTITY_LXC,
	IDENTITY_SYSTEMD,
	IDENTITY_ANY, /* 64 hex digits and nothing else: some engine's */
};

/* What the last component of a path says. */
struct identity_key {
	enum identity_kind kind;
	enum identity_runtime runtime;
	char id[IDENTITY_TEXT]; /* the engine's id, or the name where that is all there is */
	char namespace[IDENTITY_TEXT]; /* containerd's, else "" */
};

struct identity {
	enum identity_runtime runtime;
	char name[IDENTITY_TEXT];
	char image[IDENTITY_TEXT];
	char pod[IDENTITY_TEXT];
	char namespace[IDENTITY_TEXT]; /* of the pod */
};

const char *identity_runtime_name(enum identity_runtime runtime);

/*
 * Looks at the last component of path ("/a/b"), with regard to those before
 * it; IDENTITY_SYSTEM also for what is below init.scope or user.slice.
 */
void identity_match(const char *path, struct identity_key *ret);

/* unit: "ssh.service". Part of the operating system rather than a workload? */
bool identity_system_unit(const char *unit);

/*
 * A path that matches no pattern may still be of containerd (/NS/ID), crun or
 * runc (/…/ID): their runtime folders tell. True: *key is now theirs.
 */
bool identity_probe(const char *host_root, const char *path, struct identity_key *key);

/* Keeps the last engine file parsed, since a hundred containers may share one. */
struct identity_cache;
int identity_cache_new(struct identity_cache **ret);
void identity_cache_drop(struct identity_cache *cache); /* what is held, not the cache */
void identity_cache_free(struct identity_cache *cache);

/*
 * 0; -ENOENT: the engine's files say nothing about it (yet); -EAGAIN: they are
 * being written; -ENOMEM. *ret always holds something to show: without files
 * the id, shortened to 12 digits where it is 64 hex digits.
 */
int identity_resolve(struct identity_cache *cache, const char *host_root,
		     const struct identity_key *key, struct identity *ret);

/*
 * src to dst as text that no terminal, log or label can mistake for anything
 * else: valid UTF-8 of printable characters stays, every other byte becomes
 * \xNN, a backslash \\. Ends in a NUL, and never in half a character. Returns
 * the length. n: room in dst, at least 1.
 */
size_t name_printable(char *dst, size_t n, const char *src);

/* For parsers and their tests: a document of each engine, to what it says of id. */
int identity_from_containers_json(const char *text, size_t len, const char *id,
				  struct identity *ret);
int identity_from_docker_json(const char *text, size_t len, struct identity *ret);
int identity_from_oci_json(const char *text, size_t len, struct identity *ret);

#endif /* EBB_SENSE_IDENTITY_H */
