/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outcome.c: from what happened to the guest to the verdict of a case.
 *
 * A panic is the guest's doing and no fault of the machinery; a timeout and a
 * dead QEMU are not known to be the guest's.
 */
#include "outcome.h"

#include "failure.h"

#define SPLAT_LINES_MAX 60

void outcome_lost(struct case_result *result, const GError *cause)
{
    if (g_error_matches(cause, FAILURE, FAILURE_TIMEOUT)) {
        case_result_set(result, VERDICT_TIMEOUT, "%s", cause->message);
        result->is_infra = true;
        return;
    }
    case_result_set(result, VERDICT_ERROR, "%s", cause->message);
    result->is_infra |= !g_error_matches(cause, FAILURE, FAILURE_PANIC);
}

void outcome_splats(struct case_result *result, struct vm *vm)
{
    g_autoptr(GPtrArray) splats = vm_take_splats(vm);

    for (guint i = 0; i < splats->len && i < SPLAT_LINES_MAX; i++) {
        case_result_note(result, "dmesg: %s", (char *)splats->pdata[i]);
    }
    if (splats->len) {
        case_result_set(result, VERDICT_FAIL, "kernel splat: %s",
                        (char *)splats->pdata[0]);
    }
}
