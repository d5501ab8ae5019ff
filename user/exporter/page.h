/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of the page, built into the program. */
#ifndef EBB_EXPORTER_PAGE_H
#define EBB_EXPORTER_PAGE_H

#include <stddef.h>

struct page_file {
	const char *path; /* of the URL */
	const char *type; /* Content-Type */
	const char *data;
	const char *data_end;
};

extern const struct page_file page_files[];
extern const size_t page_nr_files;

/* NULL: none of that path. */
const struct page_file *page_find(const char *path);

/* A strong ETag, quotes included: 16 hexadecimal digits. Returns buf. */
char *page_etag(const struct page_file *file, char buf[24]);

#endif /* EBB_EXPORTER_PAGE_H */
