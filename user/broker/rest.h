/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the VMMs that speak HTTP: requests and how answers are
 * read. Pure. Here sizes are of the balloon, as these VMMs have it.
 */
#ifndef EBB_BROKER_REST_H
#define EBB_BROKER_REST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/rest_http.h"

struct rest_vm {
	uint64_t ram; /* bytes */
	uint64_t balloon; /* bytes that it holds */
	bool no_stats; /* Firecracker: statistics were not switched on before boot */
	bool ask_config; /* Firecracker: they were refused; the configuration says why */
};

struct rest_ops {
	const char *name;
	struct backend_caps caps;
	const char *info; /* GET: the RAM */
	/* 0; -EPROTO what came is not of this API; -ENODEV no balloon. */
	int (*read_info)(const json_t *body, struct rest_vm *vm);
	const char *(*actual)(const struct rest_vm *vm); /* GET: the balloon */
	int (*read_actual)(const json_t *body, struct rest_vm *vm);
	/* That GET was refused: -ENODEV no balloon, -EAGAIN actual() has something else to ask now,
	 * -EIO neither. */
	int (*refused_actual)(int status, struct rest_vm *vm);
	const char *set_method;
	const char *set_target;
	int (*format_set)(char *buf, size_t size, uint64_t balloon);
	/* Why a status of 400 or more came. */
	void (*read_error)(int status, const json_t *body, char *why, size_t size);
	const char *no_balloon; /* what to do about it */
};

extern const struct rest_ops rest_firecracker;
extern const struct rest_ops rest_cloud_hypervisor;

#endif /* EBB_BROKER_REST_H */
