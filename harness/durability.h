/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * durability.h: rounds of base, prepare, power cut, verify.
 */
#ifndef HARNESS_DURABILITY_H
#define HARNESS_DURABILITY_H

#include "result.h"
#include "session.h"

/*
 * Run all rounds over the cases (struct case_result, in the order in which
 * they must prepare). Returns FALSE only when no guest can be had any more.
 */
gboolean durability_run(struct session *session, const char *suite,
                        GPtrArray *cases, GError **error);

#endif
