/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EBB_LIB_STALE_H
#define EBB_LIB_STALE_H

/*
 * Takes away the socket that a killed process left at path, so that another can listen there. 0:
 * nothing is in the way now. -EADDRINUSE: somebody answers; -EEXIST: no socket; -ENAMETOOLONG.
 */
int remove_stale_socket(const char *path);

#endif /* EBB_LIB_STALE_H */
