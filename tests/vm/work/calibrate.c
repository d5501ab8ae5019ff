// SPDX-License-Identifier: GPL-2.0-only
/*
 * calibrate - CPU time, in microseconds, of a fixed piece of work of the kind that a daemon does:
 * text files of the kernel read and parsed, a sort, memory copied. Run on two machines, it says how
 * much slower one is; emulated x86 of a few GHz is ten to thirty times slower than the real one.
 */
#include "work.h"

#include <fcntl.h>
#include <sys/resource.h>

#define ROUNDS 400

static int compare(const void *a, const void *b)
{
	const unsigned long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static size_t read_numbers(const char *path, unsigned long *out, size_t max)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	size_t n = 0;

	if (fd >= 0)
		close(fd);
	if (len < 0)
		return 0;
	text[len] = '\0';
	for (char *p = text; *p && n < max;) {
		char *end;
		unsigned long v = strtoul(p, &end, 10);

		if (end != p)
			out[n++] = v;
		p = end != p ? end : p + 1;
	}
	return n;
}

int main(void)
{
	static unsigned long numbers[4096], copy[4096];
	struct rusage ru;
	unsigned long sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		size_t n = read_numbers("/proc/meminfo", numbers, 2048);

		n += read_numbers("/proc/self/stat", numbers + n, 2048);
		memcpy(copy, numbers, sizeof(copy));
		qsort(copy, n, sizeof(copy[0]), compare);
		sum += copy[n / 2];
	}
	getrusage(RUSAGE_SELF, &ru);
	printf("%ld\n", (long)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
				ru.ru_utime.tv_usec + ru.ru_stime.tv_usec + (sum == 1));
	return 0;
}
