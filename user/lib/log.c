// SPDX-License-Identifier: GPL-2.0-only
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/text.h"

#define LINE_MAX_BYTES 2048

static bool verbose_;
static bool prefixed;

/* The variable outlives a redirection of stderr, so it names the file that it is about. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(2, &st) == 0 &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_init(bool verbose)
{
	verbose_ = verbose;
	prefixed = stderr_is_journal();
}

bool log_is_verbose(void)
{
	return verbose_;
}

static void __attribute__((format(printf, 2, 0))) emit(int level, const char *format, va_list ap)
{
	static const char *const words[] = {
		[3] = "error: ", [4] = "warning: ", [6] = "", [7] = "debug: "
	};
	char raw[LINE_MAX_BYTES], line[LINE_MAX_BYTES], whole[LINE_MAX_BYTES + 64];
	int saved = errno, n;

	vsnprintf(raw, sizeof(raw), format, ap);
	text_printable(line, sizeof(line), raw);
	if (prefixed)
		n = snprintf(whole, sizeof(whole), "<%d>%s\n", level, line);
	else
		n = snprintf(whole, sizeof(whole), "%.32s: %s%s\n", program_invocation_short_name,
			     words[level], line);
	/*
	 * One call, one write: workers may log too. Not dprintf(3): glibc's asks lseek(2) first,
	 * and in the exporter's sandbox, which has it not, nothing would be said.
	 */
	if (write(2, whole, (size_t)n) < 0) {
		/* Where would that be said? */
	}
	errno = saved;
}

void log_debug(const char *format, ...)
{
	va_list ap;

	if (!verbose_)
		return;
	va_start(ap, format);
	emit(7, format, ap);
	va_end(ap);
}

void log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit(6, format, ap);
	va_end(ap);
}

void log_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit(4, format, ap);
	va_end(ap);
}

void log_err(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	emit(3, format, ap);
	va_end(ap);
}
