// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/files.h"

ssize_t read_file_at(int dirfd, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, buf + len, size - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += n;
		buf[len] = '\0';
		if (n == 0)
			return len;
		if (len == size - 1) {
			char more;

			do
				n = read(fd, &more, 1);
			while (n < 0 && errno == EINTR);
			if (n < 0)
				return -errno;
			return n ? -EFBIG : (ssize_t)len;
		}
	}
}

ssize_t read_line_at(int dirfd, const char *path, char *buf, size_t size)
{
	ssize_t n = read_file_at(dirfd, path, buf, size);

	while (n > 0 && strchr(" \t\n", buf[n - 1]))
		buf[--n] = '\0';
	return n;
}

int write_file_at(int dirfd, const char *path, const char *value)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* EINTR is the caller's: a second write would be a second act. */
	n = write(fd, value, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int parse_u64(const char *text, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	if (!strncmp(text, "max", 3) && (!text[3] || strchr(" \t\n", text[3]))) {
		*ret = UINT64_MAX;
		return 0;
	}
	for (; text[i] >= '0' && text[i] <= '9'; i++) {
		unsigned int digit = text[i] - '0';

		if (v > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	if (!i || (text[i] && !strchr(" \t\n", text[i])))
		return -EINVAL;
	*ret = v;
	return 0;
}

int read_u64_at(int dirfd, const char *path, uint64_t *ret)
{
	char buf[64];
	ssize_t n = read_file_at(dirfd, path, buf, sizeof(buf));

	return n < 0 ? (int)n : parse_u64(buf, ret);
}

bool find_key(const char *text, const char *key, uint64_t *ret)
{
	size_t len = strlen(key);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		if (*p == '\n')
			p++;
		if (!strncmp(p, key, len) && p[len] == ' ')
			return !parse_u64(p + len + 1, ret);
	}
	return false;
}
