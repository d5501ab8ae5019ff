// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/page.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

/* The assembler reads the files, from the top of the sources. The Makefile knows that they matter.
 */
#define FILE_OF_PAGE(symbol, file)                                                                 \
	__asm__(".section .rodata\n"                                                               \
		".global page_" #symbol "\n"                                                       \
		".global page_" #symbol "_end\n"                                                   \
		"page_" #symbol ":\n"                                                              \
		".incbin \"user/exporter/page/" file "\"\n"                                        \
		"page_" #symbol "_end:\n"                                                          \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char page_##symbol[], page_##symbol##_end[]

FILE_OF_PAGE(index, "index.html");
FILE_OF_PAGE(css, "ebb.css");
FILE_OF_PAGE(main, "main.js");
FILE_OF_PAGE(words, "words.js");
FILE_OF_PAGE(table, "table.js");
FILE_OF_PAGE(curves, "curves.js");
FILE_OF_PAGE(detail, "detail.js");
FILE_OF_PAGE(icon, "icon.svg");
FILE_OF_PAGE(uplot, "vendor/uPlot.iife.min.js");
FILE_OF_PAGE(uplot_css, "vendor/uPlot.min.css");
FILE_OF_PAGE(uplot_license, "vendor/LICENSE");

#define HTML "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE "text/css; charset=utf-8"
#define ENTRY(url, type, symbol)                                                                   \
	{                                                                                          \
		url, type, page_##symbol, page_##symbol##_end                                      \
	}

const struct page_file page_files[] = {
	ENTRY("/", HTML, index),
	ENTRY("/ebb.css", STYLE, css),
	ENTRY("/main.js", SCRIPT, main),
	ENTRY("/words.js", SCRIPT, words),
	ENTRY("/table.js", SCRIPT, table),
	ENTRY("/curves.js", SCRIPT, curves),
	ENTRY("/detail.js", SCRIPT, detail),
	ENTRY("/icon.svg", "image/svg+xml", icon),
	ENTRY("/vendor/uPlot.iife.min.js", SCRIPT, uplot),
	ENTRY("/vendor/uPlot.min.css", STYLE, uplot_css),
	ENTRY("/vendor/LICENSE", "text/plain; charset=utf-8", uplot_license),
};
const size_t page_nr_files = ARRAY_SIZE(page_files);

const struct page_file *page_find(const char *path)
{
	for (size_t i = 0; i < page_nr_files; i++)
		if (!strcmp(page_files[i].path, path))
			return &page_files[i];
	return NULL;
}

char *page_etag(const struct page_file *file, char buf[24])
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a: it has to tell versions apart, not more */

	for (const char *p = file->data; p < file->data_end; p++)
		hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
	snprintf(buf, 24, "\"%016llx\"", (unsigned long long)hash);
	return buf;
}
