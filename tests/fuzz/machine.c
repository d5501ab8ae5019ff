// SPDX-License-Identifier: GPL-2.0-only
/* The machine's text files: /proc/meminfo, vmstat, swaps, buddyinfo, mm_stat. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sense/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct machine_swap swaps[4];
	struct machine_meminfo mem = { .total = 1 };
	struct machine_vmstat vm;
	struct machine_zram zram;
	uint64_t last = UINT64_MAX;
	size_t n;
	int r;

	r = machine_parse_meminfo(text, size, &mem);
	assert(r == 0 ? mem.total > 0 : r == -EBADMSG && mem.total == 1);
	r = machine_parse_vmstat(text, size, &vm);
	assert(r == 0 || r == -EBADMSG);
	r = machine_parse_mm_stat(text, size, &zram);
	assert(r == 0 || r == -EBADMSG);
	n = machine_parse_swaps(text, size, swaps, 4);
	assert(n <= 4);
	for (size_t i = 0; i < n; i++) {
		assert(memchr(swaps[i].name, '\0', sizeof(swaps[i].name)));
		assert(swaps[i].zram >= -1);
	}
	for (unsigned int order = 0; order < 33; order++) {
		uint64_t bytes = machine_parse_buddyinfo(text, size, order, 4096);

		assert(bytes <= last); /* larger blocks are some of the free memory */
		last = bytes;
	}
	machine_parse_feature(text, size, size / 2);
	return 0;
}
