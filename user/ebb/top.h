/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `ebb top`: what ebbd said (model), what a person wants to see of it (view), and the drawing of
 * both on a canvas, which asks nothing and remembers nothing. top_screen.c brings it to a terminal.
 */
#ifndef EBB_EBB_TOP_H
#define EBB_EBB_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ebb/canvas.h"
#include "ebb/cli.h"
#include "ebb/rows.h"

#define TOP_HISTORY 120 /* samples a container: four minutes at the usual two seconds */
#define TOP_FILTER_MAX 64
#define TOP_ID_MAX 24
#define TOP_DELAY_MS 2000

/* Sizes over time, the newest last. */
struct top_series {
	char id[TOP_ID_MAX]; /* "" for the machine */
	unsigned int nr;
	bool seen; /* in the last list */
	uint64_t bytes[TOP_HISTORY];
};

struct top_model {
	json_t *list; /* of the last answer; NULL: none so far */
	json_t *status;
	char error[CLI_ERROR_MAX]; /* why there is no newer one; "" when it is fresh */
	struct top_series machine;
	struct top_series *series; /* sorted by id */
	size_t nr_series;
};

struct top_view {
	const struct row_key *key;
	bool reverse;
	char filter[TOP_FILTER_MAX];
	bool typing; /* the filter */
	bool detail;
	bool help;
	char chosen[TOP_ID_MAX]; /* id of the container under the cursor; "": the first */
	size_t first; /* the row at the top of the table */
	unsigned int delay_ms;
	bool batch; /* every row, no cursor, no help */
};

/* --- top_model.c --- */

/* Takes both references. What is gone from the list loses its history. */
void top_model_feed(struct top_model *m, json_t *list, json_t *status);
void top_model_close(struct top_model *m);
uint64_t top_used(const json_t *memory); /* bytes in use, of the status's "memory" */
const struct top_series *top_series_find(const struct top_model *m, const char *id);

/* The rows as the view wants them; as rows_make(). */
struct row *top_rows(const struct top_model *m, const struct top_view *v, size_t *ret_n);

/* --- top_view.c: what a key does --- */

enum top_key {
	TOP_KEY_UP = 0x110000, /* beyond characters */
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
	TOP_KEY_ERASE,
};

/* What is left to do after a key. */
enum top_wish { TOP_WISH_NONE, TOP_WISH_QUIT, TOP_WISH_REFRESH };

/* page: rows on the screen. */
enum top_wish top_view_key(struct top_view *v, const struct top_model *m, int key,
			   unsigned int page);

/* Where the cursor is among rows, and the table scrolled so that it is in sight. */
size_t top_view_place(struct top_view *v, const struct row *rows, size_t n, unsigned int page);

/* --- top_draw.c, top_table.c, top_detail.c --- */

/* Rows of the table that fit on such a screen. */
unsigned int top_page(const struct top_view *v, unsigned int height);

/* Lines that a batch of n rows takes. */
unsigned int top_batch_height(size_t n);

/* Fills c, whose size is given; scrolls v so that the cursor is in sight. */
void top_draw(struct canvas *c, const struct top_model *m, struct top_view *v);

void top_draw_table(struct canvas *c, const struct top_model *m, const struct top_view *v,
		    const struct row *rows, size_t n, size_t chosen, unsigned int y,
		    unsigned int height);
void top_draw_detail(struct canvas *c, const struct top_model *m, const struct top_view *v,
		     const json_t *o, unsigned int y);
void top_draw_help(struct canvas *c, unsigned int y);

/* --- top_feed.c: asking ebbd without waiting for it --- */

struct top_feed;
typedef struct uv_loop_s uv_loop_t;

/* done: the model was fed, or its error is set. */
struct top_feed *top_feed_open(uv_loop_t *loop, const char *socket, struct top_model *m,
			       void (*done)(void *arg), void *arg);
/* Asks, unless it already does. */
void top_feed_ask(struct top_feed *f);
/* The memory goes with the loop. */
void top_feed_close(struct top_feed *f);

/* --- top_screen.c --- */

/* Until a person quits. Returns an EBB_EXIT_*, or -1: this terminal cannot show it. */
int top_screen(const struct cli *cli, struct top_view *v);

#endif /* EBB_EBB_TOP_H */
