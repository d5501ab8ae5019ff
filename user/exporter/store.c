// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ebb/wire.h"
#include "exporter/ask.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define STACK_BYTES (256u << 10)
#define HISTORY_MS (HISTORY_STEP_S * 1000ull)

struct waiter {
	void (*wake)(void *arg);
	void *arg;
	struct waiter *next;
};

struct store {
	const struct dialer *dialer;
	char *path;
	pthread_t thread;
	pthread_mutex_t lock; /* all that follows */
	pthread_cond_t asked; /* CLOCK_MONOTONIC */
	bool stopping;
	bool under_way;
	struct waiter *waiters;
	struct sample *sample;
	char error[SAMPLE_ERROR_MAX];
	uint64_t asked_ms; /* CLOCK_MONOTONIC; 0: never */
	uint64_t requests, failures, request_us;
	struct history *history;
};

static uint64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t now_ms(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000;
}

/* What a person can do about it. */
static void explain(char *error, int r, const char *path)
{
	char raw[SAMPLE_ERROR_MAX];

	switch (-r) {
	case ENOENT:
	case ECONNREFUSED:
	case ENOTDIR:
		snprintf(raw, sizeof(raw), "ebbd is not running: nobody answers at %s", path);
		break;
	case EACCES:
	case EPERM:
		snprintf(raw, sizeof(raw),
			 "not permitted: %s is for root and group " EBB_GROUP
			 "; run ebb-exporter with that group",
			 path);
		break;
	case EPIPE:
		snprintf(raw, sizeof(raw), "the process that connects to ebbd is gone");
		break;
	case ETIMEDOUT:
		snprintf(raw, sizeof(raw), "ebbd does not answer at %s", path);
		break;
	default:
		snprintf(raw, sizeof(raw), "cannot reach ebbd at %s: %s", path, strerror(-r));
	}
	text_printable(error, SAMPLE_ERROR_MAX, raw);
}

static struct sample *ask(struct store *s, char *error)
{
	struct sample *sample = NULL;
	int fd = -1, r;

	r = dialer_dial(s->dialer, ASK_TIMEOUT_MS, &fd);
	if (r < 0) {
		explain(error, r, s->path);
		return NULL;
	}
	r = ask_sample(fd, &sample, error);
	return r < 0 ? NULL : sample;
}

static void unref(struct sample *sample)
{
	if (sample && --sample->refs == 0)
		sample_free(sample);
}

/* Without the lock. */
static void wake_all(struct waiter *w)
{
	while (w) {
		struct waiter *next = w->next;

		w->wake(w->arg);
		free(w);
		w = next;
	}
}

/* With the lock held, which is let go meanwhile. */
static void ask_once(struct store *s)
{
	char error[SAMPLE_ERROR_MAX] = "";
	struct sample *sample;
	struct waiter *w;
	uint64_t begun, took;

	s->under_way = true;
	pthread_mutex_unlock(&s->lock);
	begun = clock_us(CLOCK_MONOTONIC);
	sample = ask(s, error);
	took = clock_us(CLOCK_MONOTONIC) - begun;
	pthread_mutex_lock(&s->lock);

	s->under_way = false;
	s->requests++;
	s->request_us += took;
	s->failures += !sample;
	unref(s->sample);
	s->sample = sample;
	if (sample) {
		sample->refs = 1;
		sample->taken_ms = clock_us(CLOCK_BOOTTIME) / 1000;
	}
	strcpy(s->error, error);
	s->asked_ms = now_ms();
	history_add(s->history, sample, clock_us(CLOCK_BOOTTIME) / 1000);
	w = TAKE_PTR(s->waiters);
	pthread_mutex_unlock(&s->lock);
	wake_all(w);
	pthread_mutex_lock(&s->lock);
}

static void *run(void *arg)
{
	struct store *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		uint64_t due = s->asked_ms ? s->asked_ms + HISTORY_MS : 0;

		if (s->waiters || now_ms() >= due) {
			ask_once(s);
		} else {
			struct timespec until = { .tv_sec = (time_t)(due / 1000),
						  .tv_nsec = (long)(due % 1000) * 1000000 };

			pthread_cond_timedwait(&s->asked, &s->lock, &until);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static int start_thread(struct store *s)
{
	pthread_condattr_t cond;
	pthread_attr_t attr;
	int r;

	pthread_condattr_init(&cond);
	pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->asked, &cond);
	pthread_condattr_destroy(&cond);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	r = pthread_create(&s->thread, &attr, run, s);
	pthread_attr_destroy(&attr);
	return -r;
}

int store_open(struct store **ret, const struct dialer *dialer, const char *socket_path)
{
	struct store *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->dialer = dialer;
	s->path = strdup(socket_path);
	s->history = history_new();
	snprintf(s->error, sizeof(s->error), "ebbd was not asked yet");
	if (s->path && s->history)
		r = start_thread(s);
	if (r < 0) {
		history_free(s->history);
		free(s->path);
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void store_stop(struct store *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->asked);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	/* Nobody else joins them any more. */
	wake_all(TAKE_PTR(s->waiters));
}

void store_free(struct store *s)
{
	if (!s)
		return;
	unref(s->sample);
	history_free(s->history);
	pthread_cond_destroy(&s->asked);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

bool store_refresh(struct store *s, void (*wake)(void *arg), void *arg)
{
	struct waiter *w = malloc(sizeof(*w));
	bool fresh;

	pthread_mutex_lock(&s->lock);
	fresh = s->stopping ||
		(s->asked_ms && !s->under_way && now_ms() - s->asked_ms < STORE_FRESH_MS);
	if (!fresh && w) {
		*w = (struct waiter){ .wake = wake, .arg = arg, .next = s->waiters };
		s->waiters = TAKE_PTR(w);
		pthread_cond_signal(&s->asked);
	} else {
		/* Without memory what is there has to do. */
		fresh = true;
	}
	pthread_mutex_unlock(&s->lock);
	free(w);
	return fresh;
}

void store_get(struct store *s, struct store_view *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = (struct store_view){ .sample = s->sample,
				    .age_ms = s->asked_ms ? now_ms() - s->asked_ms : UINT64_MAX,
				    .requests = s->requests,
				    .failures = s->failures,
				    .request_us = s->request_us,
				    .history_bytes = history_bytes(s->history) };
	strcpy(ret->error, s->error);
	if (s->sample)
		s->sample->refs++;
	pthread_mutex_unlock(&s->lock);
}

void store_put(struct store *s, struct store_view *view)
{
	pthread_mutex_lock(&s->lock);
	unref(view->sample);
	view->sample = NULL;
	pthread_mutex_unlock(&s->lock);
}

void store_history(struct store *s, enum history_span span, const uint64_t *ids, size_t n,
		   struct buf *out)
{
	struct timespec wall;
	int64_t wall_ms;

	pthread_mutex_lock(&s->lock);
	clock_gettime(CLOCK_REALTIME, &wall);
	/* As of the last step, which is when the rings were written. */
	wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 -
		  (int64_t)(s->asked_ms ? now_ms() - s->asked_ms : 0);
	if (n)
		history_containers_json(s->history, span, wall_ms, ids, n, out);
	else
		history_machine_json(s->history, span, wall_ms, out);
	pthread_mutex_unlock(&s->lock);
}
