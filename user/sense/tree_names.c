// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of containers. An engine may write its files a moment after the
 * group is there, so a look-up that found nothing is repeated a few times.
 */
#include <errno.h>
#include <string.h>

#include "lib/conf.h"
#include "sense/tree_internal.h"

#define RETRY_FIRST_MS 200
#define RETRIES 7 /* 0.2 s, then twice as long each: 25 s in all */

void names_rules(const struct tree *t, struct container *c)
{
	c->view.reclaim_off = false;
	c->view.protect = 0;
	if (t->config)
		conf_rules(t->config, c->view.name, c->view.image, c->view.path, &c->view.protect,
			   &c->view.reclaim_off);
}

static void show(const struct tree *t, struct container *c)
{
	c->view.name = c->identity.name;
	c->view.runtime = identity_runtime_name(c->identity.runtime);
	c->view.image = c->identity.image;
	c->view.pod = c->identity.pod;
	c->view.namespace = c->identity.namespace;
	names_rules(t, c);
}

/*
 * A group that matched no pattern may turn out to be crun's or containerd's
 * when their files appear. Of a group without any engine nothing is expected.
 */
static int resolve(struct tree *t, struct container *c, struct identity *ret)
{
	bool bare = c->key.kind == IDENTITY_NONE;
	int err;

	if (bare && identity_probe(t->host_root, c->path, &c->key)) {
		c->group->kind = IDENTITY_ENGINE;
		t->stale_roles = true;
		bare = false;
	}
	err = identity_resolve(t->cache, t->host_root, &c->key, ret);
	return bare && !err ? -ENOENT : err;
}

static int try_name(struct tree *t, struct container *c, uint64_t now_ms, bool *ret_changed)
{
	struct identity found;
	int err = resolve(t, c, &found);

	if (err == -ENOMEM)
		return err;
	*ret_changed = memcmp(&found, &c->identity, sizeof(found)) != 0;
	c->identity = found;
	c->view.named = !err || ++c->tries > RETRIES;
	c->next_try_ms = now_ms + ((uint64_t)RETRY_FIRST_MS << c->tries);
	show(t, c);
	return 0;
}

int names_start(struct tree *t, struct container *c, uint64_t now_ms)
{
	bool changed;

	identity_match(c->path, &c->key);
	return try_name(t, c, now_ms, &changed);
}

int names_retry(struct tree *t, uint64_t now_ms)
{
	int err, first_err = 0;

	for (size_t i = 0; i < t->nr_containers; i++) {
		struct container *c = t->containers[i];
		bool changed = false;

		if (c->view.named || now_ms < c->next_try_ms)
			continue;
		err = try_name(t, c, now_ms, &changed);
		if (!err && changed)
			err = roles_event(t, TREE_CONTAINER_NAMED, c, c->view.id);
		first_err = first_err ?: err;
	}
	return first_err;
}
