// SPDX-License-Identifier: GPL-2.0-only
/* What a path alone says. */
#include "sense/identity.h"

#include <string.h>

#include "lib/cleanup.h"
#include "sense/identity_internal.h"

struct piece {
	const char *p;
	size_t len;
};

enum id_form {
	ID_HEX, /* 64 hex digits */
	ID_NAME, /* whatever there is */
	ID_UNIT_NAME, /* the same, in which systemd wrote some characters as \xNN */
};

/*
 * Leaf names that engines give. The first match counts. A suffix of "" fits
 * the cgroupfs driver of the engine, ".scope" the systemd driver.
 */
static const struct pattern {
	const char *prefix;
	const char *suffix;
	const char *parent; /* required, where the leaf alone is not distinctive */
	enum id_form form;
	enum identity_kind kind;
	enum identity_runtime runtime;
} patterns[] = {
	{ "libpod-conmon-", "", NULL, ID_NAME, IDENTITY_SKIP },
	{ "conmon", "", "libpod_parent", ID_NAME, IDENTITY_SKIP },
	{ "crio-conmon-", "", NULL, ID_NAME, IDENTITY_SKIP },
	{ "lxc.monitor", "", NULL, ID_NAME, IDENTITY_SKIP },
	/* podman run --cgroups=split, as units made by quadlet have it */
	{ "libpod-payload-", "", NULL, ID_HEX, IDENTITY_ENGINE, IDENTITY_PODMAN },
	{ "libpod-", ".scope", NULL, ID_HEX, IDENTITY_ENGINE, IDENTITY_PODMAN },
	{ "libpod-", "", NULL, ID_HEX, IDENTITY_ENGINE, IDENTITY_PODMAN },
	{ "docker-", ".scope", NULL, ID_HEX, IDENTITY_ENGINE, IDENTITY_DOCKER },
	{ "nerdctl-", ".scope", NULL, ID_HEX, IDENTITY_ENGINE, IDENTITY_CONTAINERD },
	{ "cri-containerd-", ".scope", NULL, ID_HEX, IDENTITY_ENGINE, IDENTITY_CRI_CONTAINERD },
	{ "crio-", ".scope", NULL, ID_HEX, IDENTITY_ENGINE, IDENTITY_CRIO },
	{ "crio-", "", NULL, ID_HEX, IDENTITY_ENGINE, IDENTITY_CRIO },
	{ "crun-", ".scope", NULL, ID_UNIT_NAME, IDENTITY_ENGINE, IDENTITY_CRUN },
	{ "runc-", ".scope", NULL, ID_UNIT_NAME, IDENTITY_ENGINE, IDENTITY_RUNC },
	{ "machine-qemu\\x2d", ".scope", "machine.slice", ID_UNIT_NAME, IDENTITY_ENGINE,
	  IDENTITY_LIBVIRT },
	{ "machine-", ".scope", "machine.slice", ID_UNIT_NAME, IDENTITY_ENGINE, IDENTITY_NSPAWN },
	{ "systemd-nspawn@", ".service", NULL, ID_UNIT_NAME, IDENTITY_ENGINE, IDENTITY_NSPAWN },
	{ "lxc.payload.", "", NULL, ID_NAME, IDENTITY_ENGINE, IDENTITY_LXC },
	{ "", "", "lxc.payload", ID_NAME, IDENTITY_ENGINE, IDENTITY_LXC },
	/* with podman's cgroupfs driver: a pod, with libpod-ID inside */
	{ "", "", "libpod_parent", ID_HEX, IDENTITY_NONE },
	{ "", "", "docker", ID_HEX, IDENTITY_ENGINE, IDENTITY_DOCKER },
	{ "", "", NULL, ID_HEX, IDENTITY_ENGINE, IDENTITY_ANY },
};

/* "SLICE:PREFIX:ID" is what the cgroupfs driver makes of a path meant for systemd. */
static const struct {
	const char *prefix;
	enum identity_runtime runtime;
} colon_runtimes[] = {
	{ "cri-containerd", IDENTITY_CRI_CONTAINERD },
	{ "crio", IDENTITY_CRIO },
	{ "docker", IDENTITY_DOCKER },
	{ "nerdctl", IDENTITY_CONTAINERD },
	{ "libpod", IDENTITY_PODMAN },
};

void identity_copy(char dst[IDENTITY_TEXT], const char *src, size_t len)
{
	size_t fit = len;

	while (fit >= IDENTITY_TEXT || (fit && fit < len && (src[fit] & 0xc0) == 0x80))
		fit--;
	memmove(dst, src, fit);
	dst[fit] = '\0';
}

void identity_copy_str(char dst[IDENTITY_TEXT], const char *src)
{
	identity_copy(dst, src, strlen(src));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool identity_is_engine_id(const char *s, size_t len)
{
	if (len != ENGINE_ID_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (hex_digit(s[i]) < 0)
			return false;
	return true;
}

static bool piece_is(struct piece c, const char *s)
{
	return c.len == strlen(s) && !memcmp(c.p, s, c.len);
}

static bool piece_starts(struct piece c, const char *s)
{
	size_t n = strlen(s);

	return c.len >= n && !memcmp(c.p, s, n);
}

static bool piece_ends(struct piece c, const char *s)
{
	size_t n = strlen(s);

	return c.len > n && !memcmp(c.p + c.len - n, s, n);
}

static struct piece first_component(const char *path)
{
	const char *p = path + strspn(path, "/");

	return (struct piece){ p, strcspn(p, "/") };
}

/* The component that ends at end. */
static struct piece component_before(const char *path, const char *end)
{
	const char *p;

	while (end > path && end[-1] == '/')
		end--;
	for (p = end; p > path && p[-1] != '/'; p--)
		;
	return (struct piece){ p, end - p };
}

/* systemd writes '-' and other characters inside a name as \x2d; no NUL comes of it. */
static void copy_unit_name(char dst[IDENTITY_TEXT], struct piece s)
{
	char out[IDENTITY_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < s.len && n < sizeof(out) - 1; i++) {
		int hi, lo;

		if (s.len - i >= 4 && s.p[i] == '\\' && s.p[i + 1] == 'x') {
			hi = hex_digit(s.p[i + 2]);
			lo = hex_digit(s.p[i + 3]);
			if (hi >= 0 && lo >= 0 && (hi || lo)) {
				out[n++] = hi << 4 | lo;
				i += 3;
				continue;
			}
		}
		out[n++] = s.p[i];
	}
	identity_copy(dst, out, n);
}

static bool pattern_fits(const struct pattern *pat, struct piece leaf, struct piece parent,
			 struct identity_key *key)
{
	size_t prefix = strlen(pat->prefix), suffix = strlen(pat->suffix);
	struct piece id;

	if (pat->parent && !piece_is(parent, pat->parent))
		return false;
	if (leaf.len <= prefix + suffix || !piece_starts(leaf, pat->prefix) ||
	    (suffix && !piece_ends(leaf, pat->suffix)))
		return pat->kind == IDENTITY_SKIP && piece_is(leaf, pat->prefix);
	id = (struct piece){ leaf.p + prefix, leaf.len - prefix - suffix };
	if (pat->form == ID_HEX && !identity_is_engine_id(id.p, id.len))
		return false;
	if (pat->form == ID_UNIT_NAME)
		copy_unit_name(key->id, id);
	else
		identity_copy(key->id, id.p, id.len);
	return true;
}

static bool match_colons(struct piece leaf, struct identity_key *key)
{
	const char *last = memrchr(leaf.p, ':', leaf.len), *first;
	struct piece id, prefix;

	if (!last)
		return false;
	id = (struct piece){ last + 1, leaf.p + leaf.len - last - 1 };
	first = memchr(leaf.p, ':', leaf.len);
	prefix = (struct piece){ first + 1, first < last ? (size_t)(last - first - 1) : 0 };
	if (!identity_is_engine_id(id.p, id.len))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(colon_runtimes); i++) {
		if (!piece_is(prefix, colon_runtimes[i].prefix))
			continue;
		key->kind = IDENTITY_ENGINE;
		key->runtime = colon_runtimes[i].runtime;
		identity_copy(key->id, id.p, id.len);
		return true;
	}
	return false;
}

static bool match_engine(const char *path, struct piece leaf, struct piece parent,
			 struct identity_key *key)
{
	if (match_colons(leaf, key))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		if (!pattern_fits(&patterns[i], leaf, parent, key))
			continue;
		key->kind = patterns[i].kind;
		key->runtime = patterns[i].runtime;
		if (key->runtime == IDENTITY_ANY && strstr(path, "/kubepods"))
			key->runtime = IDENTITY_CRI_CONTAINERD;
		/* /NS/ID of containerd; systemd's driver has no room for NS */
		if (key->runtime == IDENTITY_ANY)
			identity_copy(key->namespace, parent.p, parent.len);
		else if (key->runtime == IDENTITY_CONTAINERD)
			identity_copy_str(key->namespace, "default");
		return true;
	}
	return false;
}

static void match_unit(struct piece leaf, bool user, struct identity_key *key)
{
	static const char *const workloads[] = { ".service", ".scope" };
	static const char *const others[] = { ".mount", ".automount", ".socket", ".swap",
					      ".device" };
	char unit[IDENTITY_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		if (!piece_ends(leaf, workloads[i]))
			continue;
		copy_unit_name(unit, leaf);
		key->kind = user || identity_system_unit(unit) ? IDENTITY_SYSTEM : IDENTITY_UNIT;
		key->runtime = IDENTITY_SYSTEMD;
		leaf.len -= strlen(workloads[i]);
		copy_unit_name(key->id, leaf);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (piece_ends(leaf, others[i]))
			key->kind = IDENTITY_SYSTEM;
	/* OpenRC makes /openrc.NAME for each of its services. */
	if (piece_starts(leaf, "openrc.")) {
		copy_unit_name(unit, leaf);
		if (identity_system_unit(unit + strlen("openrc.")))
			key->kind = IDENTITY_SYSTEM;
	}
	if (user)
		key->kind = IDENTITY_SYSTEM;
}

void identity_match(const char *path, struct identity_key *ret)
{
	struct piece first = first_component(path);
	struct piece leaf = component_before(path, path + strlen(path));
	struct piece parent = component_before(path, leaf.p);
	struct identity_key key = { .kind = IDENTITY_NONE, .runtime = IDENTITY_CGROUP };

	if (piece_is(first, "init.scope")) {
		key.kind = IDENTITY_SYSTEM;
	} else if (!leaf.len) {
		key.kind = IDENTITY_SYSTEM; /* the root */
	} else if (!match_engine(path, leaf, parent, &key)) {
		identity_copy(key.id, leaf.p, leaf.len);
		/* A slice has units below it and no processes of its own. */
		if (!piece_ends(leaf, ".slice"))
			match_unit(leaf, piece_is(first, "user.slice"), &key);
		else if (piece_is(first, "user.slice"))
			key.kind = IDENTITY_SYSTEM;
	}
	*ret = key;
}
