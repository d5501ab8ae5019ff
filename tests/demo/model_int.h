/* SPDX-License-Identifier: GPL-2.0-only */
/* What model.c offers lines.c: adding to the model. */
#ifndef DEMO_MODEL_INT_H
#define DEMO_MODEL_INT_H

#include "model.h"

/* Room for one more element of size bytes: the array, grown by half as need be, or NULL. */
void *grown(void *array, size_t n, size_t *cap, size_t size);

#define GROW(array, n, cap)                                                                        \
	({                                                                                         \
		void *more_ = grown(array, n, &(cap), sizeof(*(array)));                           \
		if (more_)                                                                         \
			(array) = more_;                                                           \
		more_ != NULL;                                                                     \
	})

/* Returns 0, -EINVAL where t is before the last point, or -ENOMEM. */
int series_add(struct series *s, double t, double v);

/* What a container calls itself ends on a terminal: printable ASCII, cut to size. */
void copy_clean(char *to, size_t size, const char *from);

/* Each returns what is there under that name, or a new one; NULL: no memory. */
struct box *add_box(struct model *m, const char *name);
struct lat *add_lat(struct model *m, const char *name);
int add_mark(struct model *m, double t, enum mark_kind kind, const char *name, const char *text);

#endif /* DEMO_MODEL_INT_H */
