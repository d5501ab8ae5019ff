// SPDX-License-Identifier: GPL-2.0-only
/* What a key does to what is shown. */
#include <stdlib.h>
#include <string.h>

#include "ebb/top.h"
#include "lib/cleanup.h"

size_t top_view_place(struct top_view *v, const struct row *rows, size_t n, unsigned int page)
{
	size_t at = 0;

	/* It follows its container when the order changes, and stays at the top when that goes. */
	for (size_t i = 0; i < n; i++)
		if (v->chosen[0] && !strcmp(get_text(rows[i].object, "id"), v->chosen))
			at = i;
	if (page && at >= v->first + page)
		v->first = at - page + 1;
	if (at < v->first)
		v->first = at;
	if (v->first + page > n)
		v->first = n > page ? n - page : 0;
	return at;
}

static void move(struct top_view *v, const struct top_model *m, int key, unsigned int page)
{
	size_t n = 0, at, step = page ? page : 1;
	_cleanup_free_ struct row *rows = top_rows(m, v, &n);

	if (!rows || !n)
		return;
	at = top_view_place(v, rows, n, page);
	switch (key) {
	case TOP_KEY_UP:
		at -= at ? 1 : 0;
		break;
	case TOP_KEY_DOWN:
		at++;
		break;
	case TOP_KEY_PAGE_UP:
		at -= at < step ? at : step;
		break;
	case TOP_KEY_PAGE_DOWN:
		at += step;
		break;
	case TOP_KEY_HOME:
		at = 0;
		break;
	case TOP_KEY_END:
		at = n - 1;
		break;
	}
	at = at < n ? at : n - 1;
	/* At the top it is the place that is meant, not who has it now. */
	snprintf(v->chosen, sizeof(v->chosen), "%s", at ? get_text(rows[at].object, "id") : "");
	top_view_place(v, rows, n, page);
}

static void type(struct top_view *v, int key)
{
	size_t len = strlen(v->filter);

	switch (key) {
	case TOP_KEY_ESCAPE:
		v->filter[0] = '\0';
		v->typing = false;
		break;
	case TOP_KEY_ENTER:
		v->typing = false;
		break;
	case TOP_KEY_ERASE:
		if (len)
			v->filter[len - 1] = '\0';
		else
			v->typing = false;
		break;
	default:
		if (key >= 0x20 && key < 0x7f && len + 1 < sizeof(v->filter)) {
			v->filter[len] = (char)key;
			v->filter[len + 1] = '\0';
		}
	}
}

static void next_key(struct top_view *v, size_t step)
{
	v->key = &row_keys[((size_t)(v->key - row_keys) + step) % nr_row_keys];
	v->first = 0;
}

static void escape(struct top_view *v)
{
	if (v->help)
		v->help = false;
	else if (v->detail)
		v->detail = false;
	else
		v->filter[0] = '\0';
}

enum top_wish top_view_key(struct top_view *v, const struct top_model *m, int key,
			   unsigned int page)
{
	if (v->typing) {
		type(v, key);
		return TOP_WISH_NONE;
	}
	switch (key) {
	case 'q':
	case 3: /* Ctrl-C where the terminal does not make a signal of it */
		return TOP_WISH_QUIT;
	case ' ':
		return TOP_WISH_REFRESH;
	case 's':
	case '>':
		next_key(v, 1);
		break;
	case 'S':
	case '<':
		next_key(v, nr_row_keys - 1);
		break;
	case 'r':
		v->reverse = !v->reverse;
		v->first = 0;
		break;
	case '/':
		v->typing = true;
		break;
	case 'h':
	case '?':
		v->help = !v->help;
		break;
	case 'd':
	case TOP_KEY_ENTER:
		v->detail = !v->detail;
		break;
	case TOP_KEY_ESCAPE:
		escape(v);
		break;
	case 'k':
		move(v, m, TOP_KEY_UP, page);
		break;
	case 'j':
		move(v, m, TOP_KEY_DOWN, page);
		break;
	default:
		if (key >= TOP_KEY_UP && key <= TOP_KEY_END)
			move(v, m, key, page);
	}
	return TOP_WISH_NONE;
}
