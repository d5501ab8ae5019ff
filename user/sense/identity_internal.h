/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of identity; nobody else includes it. */
#ifndef EBB_SENSE_IDENTITY_INTERNAL_H
#define EBB_SENSE_IDENTITY_INTERNAL_H

#include <jansson.h>

#include "sense/identity.h"

#define ENGINE_ID_LEN 64 /* hex digits */
#define SHORT_ID_LEN 12

/* The first len bytes of src, or as much as fits of it, ending in a whole character. */
void identity_copy(char dst[IDENTITY_TEXT], const char *src, size_t len);
void identity_copy_str(char dst[IDENTITY_TEXT], const char *src);
bool identity_is_engine_id(const char *s, size_t len);

/* 0 and a new reference; -EBADMSG: no JSON; -ENOMEM. */
int identity_parse(const char *text, size_t len, json_t **ret);

/* -ENOENT: the document does not speak of it; outputs that it does not name stay. */
int identity_from_containers(const json_t *doc, const char *id, struct identity *ret);
int identity_from_docker(const json_t *doc, struct identity *ret);
int identity_from_oci(const json_t *doc, struct identity *ret);

/* Does the state that crun or runc keeps name this cgroup path? */
bool identity_state_is_of(const json_t *doc, const char *path);

#endif /* EBB_SENSE_IDENTITY_INTERNAL_H */
