// SPDX-License-Identifier: GPL-2.0-only
#include "term.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool env_is(const char *name)
{
	const char *v = getenv(name);

	return v && *v;
}

static bool locale_is_utf8(void)
{
	const char *v = env_is("LC_ALL")     ? getenv("LC_ALL")
			: env_is("LC_CTYPE") ? getenv("LC_CTYPE")
					     : getenv("LANG");

	return v && (strcasestr(v, "utf-8") || strcasestr(v, "utf8"));
}

void term_probe(struct term *t, int fd)
{
	const char *name = getenv("TERM");

	*t = (struct term){ .fd = fd };
	/* The console of the kernel has 512 glyphs: braille and fine blocks are not among them. */
	t->utf8 = locale_is_utf8() && name && strcmp(name, "linux");
	if (env_is("NO_COLOR") || !name || !strcmp(name, "dumb") || !strncmp(name, "vt", 2))
		t->colors = 0;
	else if (strstr(name, "256color") || env_is("COLORTERM"))
		t->colors = 256;
	else
		t->colors = 16;
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

int term_open(struct term *t)
{
	static const char enter[] = "\033[?1049h\033[?25l\033[2J";

	t->open = true;
	return write_all(t->fd, enter, sizeof(enter) - 1);
}

void term_close(struct term *t)
{
	static const char leave[] = "\033[0m\033[?25h\033[?1049l";

	if (t->open)
		(void)write_all(t->fd, leave, sizeof(leave) - 1);
	t->open = false;
	free(t->cells);
	free(t->shown);
	t->cells = t->shown = NULL;
	t->width = t->height = 0;
}

int term_begin(struct term *t)
{
	struct winsize size = { 0 };
	int width = 80, height = 24;
	size_t n;

	if (!ioctl(t->fd, TIOCGWINSZ, &size) && size.ws_col && size.ws_row) {
		width = size.ws_col;
		height = size.ws_row;
	}
	n = (size_t)width * (size_t)height;
	if (width != t->width || height != t->height) {
		struct cell *cells = realloc(t->cells, n * sizeof(*cells));
		struct cell *shown = realloc(t->shown, n * sizeof(*shown));

		if (cells)
			t->cells = cells;
		if (shown)
			t->shown = shown;
		if (!cells || !shown)
			return -ENOMEM;
		t->width = width;
		t->height = height;
		memset(t->shown, 0xff,
		       n * sizeof(*shown)); /* nothing equals that: all is written */
		if (write_all(t->fd, "\033[0m\033[2J", 8) < 0)
			return -EIO;
	}
	for (size_t i = 0; i < n; i++)
		t->cells[i] = (struct cell){ ' ', INK_PLAIN };
	return 0;
}

void term_cell(struct term *t, int row, int col, enum ink ink, uint32_t c)
{
	if (row >= 0 && row < t->height && col >= 0 && col < t->width)
		t->cells[row * t->width + col] = (struct cell){ c, (uint32_t)ink };
}

/* One code point of valid UTF-8; all text shown is our own or was made ASCII by the model. */
static uint32_t decode(const char **text)
{
	const unsigned char *s = (const unsigned char *)*text;
	int more = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	uint32_t c = more ? s[0] & (0x3fu >> more) : s[0];
	int i;

	for (i = 1; i <= more && (s[i] & 0xc0) == 0x80; i++)
		c = c << 6 | (s[i] & 0x3fu);
	*text += i;
	return c;
}

int term_put(struct term *t, int row, int col, enum ink ink, const char *text)
{
	while (*text)
		term_cell(t, row, col++, ink, decode(&text));
	return col;
}

int term_printf(struct term *t, int row, int col, enum ink ink, const char *format, ...)
{
	char buf[512];
	va_list args;

	va_start(args, format);
	/* clang-tidy 14 does not follow va_start. */
	vsnprintf(buf, sizeof(buf), format, args); // NOLINT(clang-analyzer-valist.Uninitialized)
	va_end(args);
	return term_put(t, row, col, ink, buf);
}

int term_columns(const char *text)
{
	int n = 0;

	for (; *text; n++)
		decode(&text);
	return n;
}

static const char *ink_code(const struct term *t, enum ink ink)
{
	/* Middle tones, readable on a dark and on a light background. */
	static const char *const many[] = {
		[INK_PLAIN] = "0",          [INK_DIM] = "0;38;5;244", [INK_BOLD] = "0;1",
		[INK_MEMORY] = "0;38;5;32", [INK_HOT] = "0;38;5;172", [INK_COLD] = "0;38;5;74",
		[INK_SWAP] = "0;38;5;140",  [INK_GOOD] = "0;38;5;35", [INK_BAD] = "0;38;5;167",
	};
	static const char *const few[] = {
		[INK_PLAIN] = "0",     [INK_DIM] = "0;2",   [INK_BOLD] = "0;1",
		[INK_MEMORY] = "0;34", [INK_HOT] = "0;33",  [INK_COLD] = "0;36",
		[INK_SWAP] = "0;35",   [INK_GOOD] = "0;32", [INK_BAD] = "0;31",
	};

	if (!t->colors)
		return ink == INK_BOLD ? "0;1" : "0";
	return t->colors == 256 ? many[ink] : few[ink];
}

static size_t encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

static int flush_row(struct term *t, int row)
{
	const struct cell *cells = t->cells + row * t->width;
	size_t len, room = (size_t)t->width * 24 + 32;
	char *buf = malloc(room);
	uint32_t last = UINT32_MAX;
	int r;

	if (!buf)
		return -ENOMEM;
	len = (size_t)snprintf(buf, room, "\033[%d;1H", row + 1);
	for (int i = 0; i < t->width; i++) {
		if (cells[i].ink != last)
			len += (size_t)snprintf(buf + len, room - len, "\033[%sm",
						ink_code(t, (enum ink)cells[i].ink));
		last = cells[i].ink;
		len += encode(cells[i].c, buf + len);
	}
	r = write_all(t->fd, buf, len);
	free(buf);
	return r;
}

int term_flush(struct term *t)
{
	size_t row_size = (size_t)t->width * sizeof(struct cell);

	for (int row = 0; row < t->height; row++) {
		struct cell *now = t->cells + row * t->width, *shown = t->shown + row * t->width;
		int r;

		if (!memcmp(now, shown, row_size))
			continue;
		r = flush_row(t, row);
		if (r < 0)
			return r;
		memcpy(shown, now, row_size);
	}
	return 0;
}
