/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the published OpenAPI documents of Firecracker and Cloud Hypervisor say of the operations
 * that a balloon needs (vmm_api.def, which tests/broker/openapi writes out of them): the stand-in
 * in fake_rest.c takes and answers nothing else.
 */
#ifndef TESTS_BROKER_VMM_API_H
#define TESTS_BROKER_VMM_API_H

#include <jansson.h>
#include <stdbool.h>

#include "broker/config.h"

#define VMM_API_WHY_MAX 128

bool vmm_api_has(enum vmm_kind kind, const char *method, const char *path);

/* Is it a request of the document? body is NULL where there is none. False: why says what is not.
 */
bool vmm_api_request(enum vmm_kind kind, const char *method, const char *path, const json_t *body,
		     char why[static VMM_API_WHY_MAX]);

/* Is it an answer of the document to that operation? */
bool vmm_api_answer(enum vmm_kind kind, const char *method, const char *path, int status,
		    const json_t *body, char why[static VMM_API_WHY_MAX]);

#endif /* TESTS_BROKER_VMM_API_H */
