// SPDX-License-Identifier: GPL-2.0-only
/* What the engines' own documents say of a container. */
#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sense/identity_internal.h"

int identity_parse(const char *text, size_t len, json_t **ret)
{
	json_error_t error;
	json_t *doc = json_loadb(text, len, 0, &error);

	if (!doc)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
	*ret = doc;
	return 0;
}

/* A member that is a text with something in it, else NULL. */
static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s && *s ? s : NULL;
}

static bool take(char dst[IDENTITY_TEXT], const char *s)
{
	if (s)
		identity_copy_str(dst, s);
	return s != NULL;
}

static bool take_first(char dst[IDENTITY_TEXT], const json_t *object, const char *const keys[],
		       size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (take(dst, text_of(object, keys[i])))
			return true;
	return false;
}

/*
 * Labels (docker through cri-dockerd) and annotations (containerd, CRI-O) of
 * Kubernetes, and what nerdctl notes. A sandbox has no container name.
 */
static bool take_kubernetes(const json_t *labels, struct identity *ret)
{
	static const char *const names[] = { "io.kubernetes.cri.container-name",
					     "io.kubernetes.container.name", "nerdctl/name" };
	static const char *const pods[] = { "io.kubernetes.cri.sandbox-name",
					    "io.kubernetes.pod.name" };
	static const char *const namespaces[] = { "io.kubernetes.cri.sandbox-namespace",
						  "io.kubernetes.pod.namespace" };
	static const char *const images[] = { "io.kubernetes.cri.image-name",
					      "io.kubernetes.cri-o.ImageName",
					      "nerdctl/image-name" };
	static const char *const types[] = { "io.kubernetes.cri.container-type",
					     "io.kubernetes.cri-o.ContainerType" };
	char type[IDENTITY_TEXT] = "";
	bool found;

	found = take_first(ret->pod, labels, pods, ARRAY_SIZE(pods));
	found |= take_first(ret->namespace, labels, namespaces, ARRAY_SIZE(namespaces));
	found |= take_first(ret->image, labels, images, ARRAY_SIZE(images));
	if (take_first(ret->name, labels, names, ARRAY_SIZE(names)))
		return true;
	if (take_first(type, labels, types, ARRAY_SIZE(types)) && !strcmp(type, "sandbox")) {
		identity_copy_str(ret->name, "sandbox");
		found = true;
	}
	return found;
}

/* podman and CRI-O: the metadata of an entry is a document in a text. */
static int take_metadata(const char *text, struct identity *ret)
{
	json_auto_t *meta = NULL;
	const char *name;
	int err = identity_parse(text, strlen(text), &meta);

	if (err)
		return err == -ENOMEM ? err : 0;
	take(ret->image, text_of(meta, "image-name"));
	if (!text_of(meta, "pod-name"))
		return 0;
	take(ret->pod, text_of(meta, "pod-name"));
	take(ret->namespace, text_of(meta, "namespace"));
	name = json_is_true(json_object_get(meta, "pod")) ? "sandbox"
							  : text_of(meta, "metadata-name");
	take(ret->name, name);
	return 0;
}

int identity_from_containers(const json_t *doc, const char *id, struct identity *ret)
{
	size_t n = json_array_size(doc);

	for (size_t i = 0; i < n; i++) {
		const json_t *entry = json_array_get(doc, i);
		const char *entry_id = text_of(entry, "id"), *meta, *name;

		if (!entry_id || strcmp(entry_id, id))
			continue;
		name = json_string_value(json_array_get(json_object_get(entry, "names"), 0));
		if (name && *name)
			identity_copy_str(ret->name, name);
		meta = text_of(entry, "metadata");
		return meta ? take_metadata(meta, ret) : 0;
	}
	return -ENOENT;
}

int identity_from_docker(const json_t *doc, struct identity *ret)
{
	const json_t *config = json_object_get(doc, "Config");
	const char *name = text_of(doc, "Name");

	if (!name)
		return -ENOENT;
	while (*name == '/')
		name++;
	if (*name)
		identity_copy_str(ret->name, name);
	take(ret->image, text_of(config, "Image"));
	take_kubernetes(json_object_get(config, "Labels"), ret);
	return 0;
}

int identity_from_oci(const json_t *doc, struct identity *ret)
{
	return take_kubernetes(json_object_get(doc, "annotations"), ret) ? 0 : -ENOENT;
}

static bool same_cgroup(const char *state, const char *path)
{
	static const char mount[] = "/sys/fs/cgroup";
	size_t n = strlen(mount);

	if (!strncmp(state, mount, n) && state[n] == '/')
		state += n;
	return !strcmp(state, path);
}

bool identity_state_is_of(const json_t *doc, const char *path)
{
	const char *crun = text_of(doc, "cgroup-path");
	const char *runc = text_of(json_object_get(doc, "cgroup_paths"), "");

	return (crun && same_cgroup(crun, path)) || (runc && same_cgroup(runc, path));
}

int identity_from_containers_json(const char *text, size_t len, const char *id,
				  struct identity *ret)
{
	json_auto_t *doc = NULL;
	int err = identity_parse(text, len, &doc);

	return err ? err : identity_from_containers(doc, id, ret);
}

int identity_from_docker_json(const char *text, size_t len, struct identity *ret)
{
	json_auto_t *doc = NULL;
	int err = identity_parse(text, len, &doc);

	return err ? err : identity_from_docker(doc, ret);
}

int identity_from_oci_json(const char *text, size_t len, struct identity *ret)
{
	json_auto_t *doc = NULL;
	int err = identity_parse(text, len, &doc);

	return err ? err : identity_from_oci(doc, ret);
}
