/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outcome.h: from what happened to the guest to the verdict of a case.
 */
#ifndef HARNESS_OUTCOME_H
#define HARNESS_OUTCOME_H

#include "result.h"
#include "vm.h"

/* The guest was lost while the case ran. */
void outcome_lost(struct case_result *result, const GError *cause);
/*
 * Splats since the last look become notes, and fail the case, unless it has a
 * note "expect dmesg TEXT" for them.
 */
void outcome_splats(struct case_result *result, struct vm *vm);

#endif
