// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the engines keep what they know of a container. A file is opened
 * without following a link at its end, must be a regular one, and is small;
 * ids become part of its path only when they are a single plain component.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "sense/identity_internal.h"

#define CACHE_FILES 4 /* of podman: stable and volatile, in /var/lib and /run */

struct cached {
	char path[256];
	struct stat st;
	json_t *doc; /* NULL: free */
};

struct identity_cache {
	struct cached files[CACHE_FILES];
	unsigned int next; /* to be replaced */
};

static const char *const podman_stores[] = {
	"/var/lib/containers/storage/overlay-containers",
	"/run/containers/storage/overlay-containers",
	"/var/lib/containers/storage/vfs-containers",
	"/var/lib/containers/storage/btrfs-containers",
};

static const char *const docker_roots[] = {
	"/var/lib/docker/containers",
	"/var/snap/docker/common/var-lib-docker/containers",
};

#define TASKS "io.containerd.runtime.v2.task"

static const char *const containerd_roots[] = {
	"/run/containerd/" TASKS,
	"/run/k3s/containerd/" TASKS,
	"/var/snap/microk8s/common/run/containerd/" TASKS,
};

int identity_cache_new(struct identity_cache **ret)
{
	struct identity_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	*ret = cache;
	return 0;
}

void identity_cache_drop(struct identity_cache *cache)
{
	for (size_t i = 0; i < CACHE_FILES; i++) {
		json_decref(cache->files[i].doc);
		cache->files[i].doc = NULL;
	}
}

void identity_cache_free(struct identity_cache *cache)
{
	if (!cache)
		return;
	identity_cache_drop(cache);
	free(cache);
}

static bool plain_component(const char *s)
{
	return *s && !strchr(s, '/') && strcmp(s, ".") && strcmp(s, "..");
}

__attribute__((format(printf, 3, 4))) static int path_format(char dst[PATH_MAX],
							     const char *host_root,
							     const char *format, ...)
{
	int n = snprintf(dst, PATH_MAX, "%s", host_root ? host_root : "");
	va_list args;
	int m;

	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	va_start(args, format);
	m = vsnprintf(dst + n, PATH_MAX - n, format, args);
	va_end(args);
	return m < 0 || m >= PATH_MAX - n ? -ENAMETOOLONG : 0;
}

/* O_NONBLOCK: a FIFO in place of a file must not stop us. */
static int open_file(const char *path, struct stat *ret)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	if (st.st_size > IDENTITY_FILE_MAX)
		return -EFBIG;
	*ret = st;
	return TAKE_FD(fd);
}

static int parse_file(int fd, size_t size, json_t **ret)
{
	_cleanup_free_ char *text = malloc(size + 1);
	size_t have = 0;
	int err;

	if (!text)
		return -ENOMEM;
	while (have < size) {
		ssize_t n = read(fd, text + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		have += n;
	}
	err = identity_parse(text, have, ret);
	return err == -EBADMSG ? -EAGAIN : err; /* half written, or nobody's JSON */
}

/* A new reference to the document in a file. */
static int load(const char *path, json_t **ret)
{
	struct stat st = { 0 };
	_cleanup_close_ int fd = open_file(path, &st);

	return fd < 0 ? fd : parse_file(fd, st.st_size, ret);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A borrowed reference, the cache's. */
static int load_cached(struct identity_cache *cache, const char *path, const json_t **ret)
{
	struct stat st = { 0 };
	_cleanup_close_ int fd = open_file(path, &st);
	struct cached *slot = NULL;
	json_t *doc = NULL;
	int err;

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < CACHE_FILES; i++)
		if (cache->files[i].doc && !strcmp(cache->files[i].path, path))
			slot = &cache->files[i];
	if (slot && same_file(&slot->st, &st)) {
		*ret = slot->doc;
		return 0;
	}
	if (strlen(path) >= sizeof(slot->path))
		return -ENAMETOOLONG;
	err = parse_file(fd, st.st_size, &doc);
	if (err)
		return err;
	if (!slot)
		slot = &cache->files[cache->next++ % CACHE_FILES];
	json_decref(slot->doc);
	strcpy(slot->path, path);
	slot->st = st;
	slot->doc = doc;
	*ret = doc;
	return 0;
}

/* Of several places: what is worth another try counts more than what is not there. */
static int worse(int a, int b)
{
	if (a == -ENOMEM || b == -ENOMEM)
		return -ENOMEM;
	return a == -EAGAIN || b == -EAGAIN ? -EAGAIN : -ENOENT;
}

static int from_podman(struct identity_cache *cache, const char *host_root, const char *id,
		       struct identity *ret)
{
	static const char *const files[] = { "containers.json", "volatile-containers.json" };
	int result = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(podman_stores) * ARRAY_SIZE(files); i++) {
		char path[PATH_MAX];
		const json_t *doc;
		int err = path_format(path, host_root, "%s/%s", podman_stores[i / 2], files[i % 2]);

		if (!err)
			err = load_cached(cache, path, &doc);
		if (!err)
			err = identity_from_containers(doc, id, ret);
		if (!err)
			return 0;
		result = worse(result, err);
	}
	return result;
}

typedef int (*document_fn)(const json_t *doc, struct identity *ret);

static int from_document(const char *path, document_fn fn, struct identity *ret)
{
	json_t *doc = NULL;
	int err = load(path, &doc);

	if (err)
		return err;
	err = fn(doc, ret);
	json_decref(doc);
	return err;
}

static int from_docker(const char *host_root, const char *id, struct identity *ret)
{
	int result = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(docker_roots); i++) {
		char path[PATH_MAX];
		int err = path_format(path, host_root, "%s/%s/config.v2.json", docker_roots[i], id);

		if (!err)
			err = from_document(path, identity_from_docker, ret);
		if (!err)
			return 0;
		result = worse(result, err);
	}
	return result;
}

/* A bundle that names nothing is an answer too: ctr and nerdctl ids are names. */
static int from_containerd(const char *host_root, const char *namespace, const char *id,
			   struct identity *ret)
{
	int result = -ENOENT;

	if (!plain_component(namespace))
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(containerd_roots); i++) {
		char path[PATH_MAX];
		json_t *doc = NULL;
		int err = path_format(path, host_root, "%s/%s/%s/config.json", containerd_roots[i],
				      namespace, id);

		if (!err)
			err = load(path, &doc);
		if (!err) {
			identity_from_oci(doc, ret);
			json_decref(doc);
			return 0;
		}
		result = worse(result, err);
	}
	return result;
}

static int from_crio(struct identity_cache *cache, const char *host_root, const char *id,
		     struct identity *ret)
{
	for (size_t i = 0; i < 2; i++) {
		char path[PATH_MAX];

		if (!path_format(path, host_root, "%s/%s/userdata/config.json", podman_stores[i],
				 id) &&
		    !from_document(path, identity_from_oci, ret))
			return 0;
	}
	return from_podman(cache, host_root, id, ret);
}

/* 64 hex digits without more: whose folder knows them? */
static int from_any(struct identity_cache *cache, const char *host_root,
		    const struct identity_key *key, struct identity *ret)
{
	int docker = from_docker(host_root, key->id, ret), other;

	if (!docker) {
		ret->runtime = IDENTITY_DOCKER;
		return 0;
	}
	other = from_containerd(host_root, key->namespace, key->id, ret);
	if (!other) {
		ret->runtime = IDENTITY_CONTAINERD;
		return 0;
	}
	docker = worse(docker, other);
	other = from_podman(cache, host_root, key->id, ret);
	if (!other) {
		ret->runtime = IDENTITY_PODMAN;
		return 0;
	}
	return worse(docker, other);
}

int identity_resolve(struct identity_cache *cache, const char *host_root,
		     const struct identity_key *key, struct identity *ret)
{
	*ret = (struct identity){ .runtime = key->runtime };
	identity_copy(ret->name, key->id,
		      identity_is_engine_id(key->id, strlen(key->id)) ? SHORT_ID_LEN
								      : strlen(key->id));
	if (!plain_component(key->id))
		return 0;
	switch (key->runtime) {
	case IDENTITY_PODMAN:
		return from_podman(cache, host_root, key->id, ret);
	case IDENTITY_DOCKER:
		return from_docker(host_root, key->id, ret);
	case IDENTITY_CONTAINERD:
		return from_containerd(host_root, key->namespace, key->id, ret);
	case IDENTITY_CRI_CONTAINERD:
		return from_containerd(host_root, "k8s.io", key->id, ret);
	case IDENTITY_CRIO:
		return from_crio(cache, host_root, key->id, ret);
	case IDENTITY_ANY:
		return from_any(cache, host_root, key, ret);
	default:
		return 0; /* the id is the name */
	}
}

static bool probe_containerd(const char *host_root, const char *namespace, const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(containerd_roots); i++) {
		char path[PATH_MAX];
		struct stat st;

		if (!path_format(path, host_root, "%s/%s/%s", containerd_roots[i], namespace, id) &&
		    !lstat(path, &st) && S_ISDIR(st.st_mode))
			return true;
	}
	return false;
}

static bool probe_state(const char *host_root, const char *runtime, const char *id,
			const char *file, const char *path)
{
	char full[PATH_MAX];
	json_t *doc = NULL;
	bool is;

	if (path_format(full, host_root, "/run/%s/%s/%s", runtime, id, file) || load(full, &doc))
		return false;
	is = identity_state_is_of(doc, path);
	json_decref(doc);
	return is;
}

bool identity_probe(const char *host_root, const char *path, struct identity_key *key)
{
	char namespace[IDENTITY_TEXT] = "";
	const char *slash = *path == '/' ? strchr(path + 1, '/') : NULL;

	if (!plain_component(key->id))
		return false;
	if (slash && !strchr(slash + 1, '/')) {
		identity_copy(namespace, path + 1, slash - path - 1);
		if (plain_component(namespace) && probe_containerd(host_root, namespace, key->id)) {
			key->runtime = IDENTITY_CONTAINERD;
			identity_copy_str(key->namespace, namespace);
			key->kind = IDENTITY_ENGINE;
			return true;
		}
	}
	if (probe_state(host_root, "crun", key->id, "status", path))
		key->runtime = IDENTITY_CRUN;
	else if (probe_state(host_root, "runc", key->id, "state.json", path))
		key->runtime = IDENTITY_RUNC;
	else
		return false;
	key->kind = IDENTITY_ENGINE;
	return true;
}
