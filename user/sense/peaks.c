// SPDX-License-Identifier: GPL-2.0-only
#include "sense/peaks.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/text.h"

#define FILE_NAME "peaks.json"
#define FILE_MAX (512 * 1024)

static void peak_set_key(struct peak *k, const char *name, const char *image)
{
	text_printable(k->name, sizeof(k->name), name ? name : "");
	text_printable(k->image, sizeof(k->image), image ? image : "");
}

static struct peak *peak_find(const struct peaks *p, const char *name, const char *image)
{
	struct peak key;

	peak_set_key(&key, name, image);
	for (size_t i = 0; i < p->nr; i++)
		if (!strcmp(p->peaks[i].name, key.name) && !strcmp(p->peaks[i].image, key.image))
			return &p->peaks[i];
	return NULL;
}

uint64_t peaks_get(const struct peaks *p, const char *name, const char *image)
{
	const struct peak *k = peak_find(p, name, image);
	uint64_t most = 0;
	struct peak key;

	if (k || !image || !image[0])
		return k ? k->bytes : 0;
	peak_set_key(&key, name, image);
	for (size_t i = 0; i < p->nr; i++)
		if (!strcmp(p->peaks[i].image, key.image) && p->peaks[i].bytes > most)
			most = p->peaks[i].bytes;
	return most;
}

static struct peak *peak_room(struct peaks *p)
{
	struct peak *oldest = &p->peaks[0];

	if (p->nr < PEAKS_MAX)
		return &p->peaks[p->nr++];
	for (size_t i = 1; i < p->nr; i++)
		if (p->peaks[i].seen < oldest->seen)
			oldest = &p->peaks[i];
	return oldest;
}

void peaks_note(struct peaks *p, const char *name, const char *image, uint64_t bytes)
{
	struct peak *k = peak_find(p, name, image);

	if (!bytes || !p->peaks)
		return;
	if (!k) {
		k = peak_room(p);
		peak_set_key(k, name, image);
		k->bytes = bytes;
	}
	k->bytes = bytes > k->bytes ? bytes : k->bytes - (k->bytes - bytes) / 8;
	k->seen = ++p->notes;
	p->dirty = true;
}

static void load_one(struct peaks *p, json_t *o)
{
	const char *name, *image;
	json_int_t bytes;

	if (json_unpack(o, "{s:s,s:s,s:I}", "name", &name, "image", &image, "bytes", &bytes) == 0 &&
	    bytes > 0)
		peaks_note(p, name, image, (uint64_t)bytes);
}

int peaks_open(struct peaks *p, const char *folder)
{
	char path[512];
	_cleanup_close_ int fd = -1;
	struct stat st;
	json_t *all, *o;
	size_t i;

	*p = (struct peaks){ .peaks = calloc(PEAKS_MAX, sizeof(*p->peaks)) };
	if (!p->peaks)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/" FILE_NAME, folder);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return 0;
	all = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
	/* Oldest first, as they were written. */
	json_array_foreach (all, i, o)
		load_one(p, o);
	json_decref(all);
	p->dirty = false;
	return 0;
}

void peaks_close(struct peaks *p)
{
	free(p->peaks);
	*p = (struct peaks){ 0 };
}

static int by_seen(const void *a, const void *b)
{
	const struct peak *x = a, *y = b;

	return x->seen < y->seen ? -1 : x->seen > y->seen;
}

static json_t *to_json(struct peaks *p)
{
	json_t *all = json_array();

	if (p->nr)
		qsort(p->peaks, p->nr, sizeof(*p->peaks), by_seen);
	for (size_t i = 0; i < p->nr; i++) {
		json_t *o = json_pack("{s:s,s:s,s:I}", "name", p->peaks[i].name, "image",
				      p->peaks[i].image, "bytes", (json_int_t)p->peaks[i].bytes);

		if (json_array_append_new(all, o)) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

char *peaks_text(struct peaks *p)
{
	json_t *all = to_json(p);
	char *text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;

	json_decref(all);
	return text;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		left -= n;
	}
	return 0;
}

int peaks_write(const char *text, const char *folder, bool sync)
{
	char path[512], fresh[520];
	int fd, r;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, folder);
	/* One that is synced is the last one, and another may still be on its way. */
	snprintf(fresh, sizeof(fresh), "%s.%s", path, sync ? "last" : "new");
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (!r && sync && fsync(fd))
		r = -errno;
	close(fd);
	if (!r && rename(fresh, path))
		r = -errno;
	return r;
}

int peaks_save(struct peaks *p, const char *folder, bool sync)
{
	_cleanup_free_ char *text = peaks_text(p);
	int r = text ? peaks_write(text, folder, sync) : -ENOMEM;

	if (!r)
		p->dirty = false;
	return r;
}
