/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The structs of a recording as tables: what the policy is given, what it remembers, what it
 * decides. All their members are in them (tests/unit/test_record.c looks).
 */
#ifndef EBB_REPORT_RECORD_SHAPES_H
#define EBB_REPORT_RECORD_SHAPES_H

#include "report/fields.h"

extern const struct shape shape_snapshot; /* struct ebb_snapshot */
extern const struct shape shape_plan; /* struct ebb_plan; not the max_* */
extern const struct shape shape_state; /* struct policy_state; not max */
extern const struct shape shape_config; /* struct ebb_config; not the rules, whose effect is in the
					    snapshot, and not what is ebb-exporter's */

#endif /* EBB_REPORT_RECORD_SHAPES_H */
