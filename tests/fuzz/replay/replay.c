// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replays a corpus through a fuzz entry where libFuzzer is not at hand (gcc): each file, and
 * beginnings of it, since a reader that stops in mid-record is the commonest of mishaps.
 * Arguments: files and folders. What is passed sits in a block of just its size, so that ASan sees
 * a read beyond it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define INPUT_MAX (16u << 20)
#define PREFIXES_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static struct {
	char where[4096];
	unsigned long files;
	unsigned long runs;
} replay;

/* Also called from a signal handler: the words are ready before the run. */
static void say_where(void)
{
	ssize_t n = write(STDERR_FILENO, replay.where, strlen(replay.where));

	(void)n;
}

static void on_abort(int sig)
{
	say_where();
	signal(sig, SIG_DFL);
	raise(sig);
}

static int run_one(const char *path, const uint8_t *data, size_t size)
{
	_cleanup_free_ uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, size);
	snprintf(replay.where, sizeof(replay.where), "replay: died on the first %zu bytes of %s\n",
		 size, path);
	replay.runs++;
	LLVMFuzzerTestOneInput(copy, size);
	return 0;
}

static int replay_file(const char *path, size_t size)
{
	_cleanup_free_ uint8_t *data = malloc(size ? size : 1);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t step = size / PREFIXES_MAX + 1;
	int r = 0;

	if (!data)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	if (read(fd, data, size) != (ssize_t)size)
		return -EIO;
	replay.files++;
	for (size_t part = 0; part < size && !r; part += step)
		r = run_one(path, data, part);
	return r ? r : run_one(path, data, size);
}

static int replay_path(const char *path)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return st.st_size > INPUT_MAX ? -EFBIG : replay_file(path, (size_t)st.st_size);
	dir = opendir(path);
	if (!dir)
		return -errno;
	/* cppcheck-suppress readdirCalled */ /* the stream is this call's alone */
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *below = NULL;
		int r;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			return -ENOMEM;
		r = replay_path(below);
		if (r < 0)
			return r;
	}
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGABRT, on_abort);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(say_where);
	for (int i = 1; i < argc; i++) {
		int r = replay_path(argv[i]);

		if (r < 0) {
			fprintf(stderr, "replay: %s: %s\n", argv[i], strerror(-r));
			return 1;
		}
	}
	if (!replay.files) {
		fprintf(stderr, "replay: no input\n");
		return 1;
	}
	printf("%lu inputs, %lu runs\n", replay.files, replay.runs);
	return 0;
}
