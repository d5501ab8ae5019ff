// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define CREDENTIALS_MAX 512

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* The q of the parameters up to the next comma, in thousandths; what is wrong is 0. */
static unsigned int quality(const char *params, size_t len)
{
	const char *end = params + len, *p = params;

	while ((p = memchr(p, ';', (size_t)(end - p)))) {
		unsigned int q = 0, scale = 1000;

		p++;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (end - p < 3 || (*p != 'q' && *p != 'Q') || p[1] != '=')
			continue;
		for (p += 2; p < end && scale; p++) {
			if (*p == '.')
				continue;
			if (*p < '0' || *p > '9')
				break;
			q += (unsigned int)(*p - '0') * scale;
			scale /= 10;
		}
		return q > 1000 ? 1000 : q;
	}
	return 1000;
}

/* A version that we do not speak is not asked for. */
static bool has_version(const char *params, size_t len, const char *const versions[])
{
	static const char key[] = "version=";
	const char *at = memmem(params, len, key, sizeof(key) - 1);
	size_t left;

	if (!at)
		return true;
	at += sizeof(key) - 1;
	left = len - (size_t)(at - params);
	for (; *versions; versions++) {
		size_t n = strlen(*versions);

		if (left >= n && !memcmp(at, *versions, n) && (left == n || strchr("; \t", at[n])))
			return true;
	}
	return false;
}

static bool is_type(const char *range, size_t len, const char *type)
{
	size_t n = strlen(type);

	return len >= n && !strncasecmp(range, type, n) &&
	       (len == n || range[n] == ';' || range[n] == ' ' || range[n] == '\t');
}

enum metrics_format request_format(const char *accept)
{
	static const char *const open_versions[] = { "1.0.0", "0.0.1", NULL };
	static const char *const text_versions[] = { "0.0.4", NULL };
	unsigned int open = 0, text = 0;
	const char *p = accept ? accept : "";

	while (*p) {
		size_t len = strcspn(p, ",");
		const char *range = skip_blanks(p);
		unsigned int q;

		len -= (size_t)(range - p) < len ? (size_t)(range - p) : len;
		q = quality(range, len);
		if (is_type(range, len, "application/openmetrics-text")) {
			if (has_version(range, len, open_versions) && q > open)
				open = q;
		} else if (is_type(range, len, "text/plain")) {
			if (has_version(range, len, text_versions) && q > text)
				text = q;
		}
		p = range + len;
		p += *p == ',';
	}
	return open && open >= text ? METRICS_OPEN : METRICS_TEXT;
}

bool request_host_is_address(const char *host)
{
	char name[INET6_ADDRSTRLEN + 1];
	struct in6_addr address;
	const char *start = host ? host : "", *end;
	size_t len;

	if (*start == '[') {
		start++;
		end = strchr(start, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
	} else {
		end = start + strcspn(start, ":");
	}
	len = (size_t)(end - start);
	if (!len || len >= sizeof(name))
		return false;
	memcpy(name, start, len);
	name[len] = '\0';
	return !strcasecmp(name, "localhost") || inet_pton(AF_INET, name, &address) == 1 ||
	       inet_pton(AF_INET6, name, &address) == 1;
}

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The length, or -EINVAL; a NUL in it is wrong too. */
static int base64_decode(const char *text, char *dst, size_t size)
{
	unsigned int bits = 0, have = 0;
	size_t n = 0;

	for (; *text && *text != '='; text++) {
		int digit = base64_digit(*text);

		if (digit < 0)
			return -EINVAL;
		bits = bits << 6 | (unsigned int)digit;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == size - 1)
			return -EINVAL;
		dst[n] = (char)(bits >> have);
		if (!dst[n++])
			return -EINVAL;
		bits &= (1u << have) - 1;
	}
	if (strspn(text, "=") != strlen(text))
		return -EINVAL;
	dst[n] = '\0';
	return (int)n;
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned char differ = a_len != b_len;

	for (size_t i = 0; i < b_len; i++)
		differ |= (unsigned char)(b[i] ^ (i < a_len ? a[i] : 0));
	return !differ;
}

bool request_authorized(const char *authorization, const char *users)
{
	char given[CREDENTIALS_MAX];
	bool found = false;
	int len;

	if (!authorization || strncasecmp(authorization, "Basic ", 6) != 0)
		return false;
	len = base64_decode(skip_blanks(authorization + 6), given, sizeof(given));
	if (len <= 0 || !strchr(given, ':'))
		return false;
	while (*users) {
		size_t n = strcspn(users, "\r\n");

		if (memchr(users, ':', n) && *users != '#')
			found |= same(users, n, given, (size_t)len);
		users += n;
		users += strspn(users, "\r\n");
	}
	explicit_bzero(given, sizeof(given));
	return found;
}

int request_ids(const char *text, uint64_t *ret, size_t max)
{
	size_t n = 0;

	while (text && *text) {
		uint64_t id = 0;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		for (; *text >= '0' && *text <= '9'; text++)
			if (__builtin_mul_overflow(id, 10, &id) ||
			    __builtin_add_overflow(id, (uint64_t)(*text - '0'), &id))
				return -EINVAL;
		if (n == max)
			return -E2BIG;
		ret[n++] = id;
		if (*text == ',' && text[1])
			text++;
		else if (*text)
			return -EINVAL;
	}
	return (int)n;
}
