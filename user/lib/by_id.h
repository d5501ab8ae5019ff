/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays in the order of an id, which is the first member of each element. */
#ifndef EBB_LIB_BY_ID_H
#define EBB_LIB_BY_ID_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first of the nr elements, of size bytes each, whose id is not below `id`: its place, or nr.
 */
static inline size_t by_id_place(const void *array, size_t nr, size_t size, uint64_t id)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		uint64_t at;

		memcpy(&at, (const char *)array + mid * size, sizeof(at));
		if (at < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

#define BY_ID_PLACE(array, nr, id) by_id_place(array, nr, sizeof((array)[0]), id)

#endif /* EBB_LIB_BY_ID_H */
