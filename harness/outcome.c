/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outcome.c: from what happened to the guest to the verdict of a case.
 *
 * A panic is the guest's doing and no fault of the machinery; a timeout and a
 * dead QEMU are not known to be the guest's.
 */
#include "outcome.h"

#include <string.h>

#include "dmesg.h"
#include "failure.h"

#define SPLAT_LINES_MAX 60
#define EXPECT_PREFIX "expect dmesg "

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

/* The case has said that the kernel would complain like that. */
static bool is_expected(const struct case_result *result, const char *line)
{
    for (guint i = 0; i < result->notes->len; i++) {
        const char *note = result->notes->pdata[i];

        if (g_str_has_prefix(note, EXPECT_PREFIX) &&
            strstr(line, note + strlen(EXPECT_PREFIX))) {
            return true;
        }
    }
    return false;
}

/* Without what was expected; the lines behind it go with it. */
static GPtrArray *unexpected(const struct case_result *result,
                             const GPtrArray *splats)
{
    GPtrArray *kept = g_ptr_array_new();
    bool is_dropping = false;

    for (guint i = 0; i < splats->len; i++) {
        const char *line = splats->pdata[i];

        if (dmesg_classify(line) != DMESG_QUIET) {
            is_dropping = is_expected(result, line);
        }
        if (!is_dropping) {
            g_ptr_array_add(kept, splats->pdata[i]);
        }
    }
    return kept;
}

void outcome_splats(struct case_result *result, struct vm *vm)
{
    g_autoptr(GPtrArray) all = vm_take_splats(vm);
    g_autoptr(GPtrArray) splats = unexpected(result, all);

    for (guint i = 0; i < splats->len && i < SPLAT_LINES_MAX; i++) {
        case_result_note(result, "dmesg: %s", (char *)splats->pdata[i]);
    }
    if (splats->len) {
        case_result_set(result, VERDICT_FAIL, "kernel splat: %s",
                        (char *)splats->pdata[0]);
    }
}
