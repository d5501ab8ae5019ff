// SPDX-License-Identifier: GPL-2.0-only
/* debugfs lru_gen and lru_gen_full, and the pressure files: paths in them are chosen by containers.
 */
#include <assert.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sense/census.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_node(void *arg, const char *path, const struct ebb_census *lru)
{
	size_t *calls = arg;

	assert(strlen(path) < PATH_MAX && !strchr(path, '\n'));
	assert(lru->flags == EBB_CENSUS_LRU_GEN && lru->node < 1024);
	(*calls)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own size, so that a step beyond the end is seen. */
	char *text = malloc(size + 1), *exact = malloc(size ? size : 1);
	__u64 some = 1, full = 2;
	size_t calls = 0;

	if (!text || !exact)
		abort();
	memcpy(text, data, size);
	memcpy(exact, data, size);
	text[size] = '\0';
	assert(!parse_lru_gen(exact, size, 4096, on_node, &calls));
	assert(calls <= size / 8);
	parse_pressure(text, &some, &full);
	free(text);
	free(exact);
	return 0;
}
