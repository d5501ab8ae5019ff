// SPDX-License-Identifier: GPL-2.0-only
/* `ebb top` on a terminal, by way of ncurses. */
#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <uv.h>

#include "ebb/top.h"
#include "ebb/wire.h"
#include "lib/cleanup.h"

#define CTRL_L 12

struct screen {
	struct top_model model;
	struct top_view *view;
	struct canvas canvas;
	struct top_feed *feed;
	uv_loop_t loop;
	uv_timer_t timer;
	uv_poll_t keys;
	uv_signal_t signals[4];
	bool color;
	int code; /* to exit with */
};

static attr_t look(const struct screen *s, uint32_t style, short *ret_pair)
{
	static const struct {
		attr_t attr;
		short pair; /* a foreground, 0: the terminal's */
	} looks[CANVAS_NR_STYLES] = {
		[CANVAS_HEAD] = { A_BOLD, 0 },
		[CANVAS_DIM] = { A_DIM, 0 },
		[CANVAS_GOOD] = { 0, COLOR_GREEN },
		[CANVAS_WARN] = { 0, COLOR_YELLOW },
		[CANVAS_BAD] = { A_BOLD, COLOR_RED },
		[CANVAS_HOT] = { 0, COLOR_YELLOW },
		[CANVAS_COLD] = { 0, COLOR_BLUE },
		[CANVAS_PACKED] = { 0, COLOR_CYAN },
		[CANVAS_CHOSEN] = { A_REVERSE, 0 },
		[CANVAS_BAR] = { A_REVERSE, COLOR_GREEN },
		[CANVAS_SORTED] = { A_REVERSE | A_BOLD, COLOR_CYAN },
	};

	*ret_pair = s->color ? looks[style].pair : 0;
	return looks[style].attr;
}

static void draw(struct screen *s)
{
	if (canvas_resize(&s->canvas, (unsigned int)COLS, (unsigned int)LINES))
		return;
	top_draw(&s->canvas, &s->model, s->view);
	erase();
	for (unsigned int y = 0; y < s->canvas.height; y++) {
		for (unsigned int x = 0; x < s->canvas.width; x++) {
			const struct canvas_cell *cell = &s->canvas.cells[y * s->canvas.width + x];
			wchar_t text[2] = { cell->c ? (wchar_t)cell->c : L' ', 0 };
			cchar_t c;
			short pair;
			attr_t attr = look(s, cell->style, &pair);

			setcchar(&c, text, attr, pair, NULL);
			mvadd_wch((int)y, (int)x, &c);
		}
	}
	refresh();
}

static int translate(int key)
{
	switch (key) {
	case KEY_UP:
		return TOP_KEY_UP;
	case KEY_DOWN:
		return TOP_KEY_DOWN;
	case KEY_PPAGE:
		return TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TOP_KEY_HOME;
	case KEY_END:
		return TOP_KEY_END;
	case KEY_ENTER:
	case '\n':
	case '\r':
		return TOP_KEY_ENTER;
	case KEY_BACKSPACE:
	case 0x7f:
	case '\b':
		return TOP_KEY_ERASE;
	case 0x1b:
		return TOP_KEY_ESCAPE;
	/* As in htop. */
	case KEY_F(1):
		return 'h';
	case KEY_F(4):
		return '/';
	case KEY_F(6):
		return 's';
	case KEY_F(10):
		return 'q';
	default:
		return key < 0x80 ? key : 0;
	}
}

static void on_key(uv_poll_t *poll, int status, int events)
{
	struct screen *s = poll->data;
	int key, n = 0;

	/* The terminal is gone. */
	if (status < 0 || !isatty(STDIN_FILENO)) {
		uv_stop(&s->loop);
		return;
	}
	while ((key = getch()) != ERR) {
		n++;
		if (key == CTRL_L)
			clearok(curscr, TRUE);
		switch (top_view_key(s->view, &s->model, translate(key),
				     top_page(s->view, (unsigned int)LINES))) {
		case TOP_WISH_QUIT:
			uv_stop(&s->loop);
			return;
		case TOP_WISH_REFRESH:
			top_feed_ask(s->feed);
			break;
		case TOP_WISH_NONE:
			break;
		}
	}
	if (n)
		draw(s);
	else if (events & UV_DISCONNECT)
		uv_stop(&s->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct screen *s = handle->data;
	struct winsize size;

	if (number != SIGWINCH) {
		s->code = number == SIGINT ? EBB_EXIT_OK : 128 + number;
		uv_stop(&s->loop);
		return;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	/* The terminal may have moved what was there. */
	clearok(curscr, TRUE);
	draw(s);
}

static void on_timer(uv_timer_t *timer)
{
	struct screen *s = timer->data;

	top_feed_ask(s->feed);
}

static void on_fed(void *arg)
{
	draw(arg);
}

static void open_handles(struct screen *s)
{
	static const int numbers[] = { SIGWINCH, SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uv_signal_init(&s->loop, &s->signals[i]);
		s->signals[i].data = s;
		uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
	uv_poll_init(&s->loop, &s->keys, STDIN_FILENO);
	s->keys.data = s;
	uv_poll_start(&s->keys, UV_READABLE | UV_DISCONNECT, on_key);
	uv_timer_init(&s->loop, &s->timer);
	s->timer.data = s;
	uv_timer_start(&s->timer, on_timer, 0, s->view->delay_ms);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void prepare(struct screen *s, const char *term, bool color)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	s->color = color && has_colors();
	if (s->color) {
		start_color();
		use_default_colors();
		for (short i = 1; i < 8; i++)
			init_pair(i, i, -1);
	}
	/* The console of the kernel has 512 glyphs: fine blocks are not among them. */
	s->canvas.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8") && strcmp(term, "linux") != 0;
}

int top_screen(const struct cli *cli, struct top_view *v)
{
	const char *term = getenv("TERM");
	struct screen s = { .view = v };
	SCREEN *terminal;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || !strcmp(term, "dumb"))
		return -1;
	setlocale(LC_CTYPE, "");
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return -1;
	/* Text cannot be placed. */
	if (!tigetstr("cup") || uv_loop_init(&s.loop)) {
		endwin();
		delscreen(terminal);
		return -1;
	}
	prepare(&s, term, cli->color);
	s.feed = top_feed_open(&s.loop, cli->socket, &s.model, on_fed, &s);
	if (s.feed) {
		open_handles(&s);
		draw(&s);
		uv_run(&s.loop, UV_RUN_DEFAULT);
	}
	endwin();
	delscreen(terminal);
	top_feed_close(s.feed);
	uv_walk(&s.loop, close_handle, NULL);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	uv_loop_close(&s.loop);
	top_model_close(&s.model);
	canvas_free(&s.canvas);
	return s.code;
}
