// SPDX-License-Identifier: GPL-2.0-only
/* Engines' documents, cgroup paths and names: all of it text from others. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sense/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void check_text(const char text[IDENTITY_TEXT])
{
	assert(memchr(text, '\0', IDENTITY_TEXT));
}

static void check(int r, const struct identity *id)
{
	assert(r == 0 || r == -ENOENT || r == -EBADMSG || r == -ENOMEM);
	check_text(id->name);
	check_text(id->image);
	check_text(id->pod);
	check_text(id->namespace);
}

static void check_printable(const char *text)
{
	size_t room = 4 * strlen(text) + 1, n;
	char *shown = malloc(room), small[8];

	if (!shown)
		abort();
	n = name_printable(shown, room, text);
	assert(n == strlen(shown));
	for (size_t i = 0; i < n; i++)
		assert((unsigned char)shown[i] >= 0x20 && shown[i] != 0x7f);
	assert(n >= strlen(text)); /* nothing is dropped where there is room */
	n = name_printable(small, sizeof(small), text);
	assert(n < sizeof(small) && !memcmp(small, shown, n));
	free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct identity id = { .name = "kept" };
	struct identity_key key;
	char *path = malloc(size + 1);

	if (!path)
		abort();
	memcpy(path, data, size);
	path[size] = '\0';

	check(identity_from_containers_json(text, size, ID, &id), &id);
	check(identity_from_docker_json(text, size, &id), &id);
	check(identity_from_oci_json(text, size, &id), &id);

	identity_match(path, &key);
	check_text(key.id);
	check_text(key.namespace);
	assert(key.kind != IDENTITY_ENGINE || *key.id);
	check_printable(path);
	check_printable(id.name);
	identity_system_unit(path);
	free(path);
	return 0;
}
