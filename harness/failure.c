/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failure.c: the error domain of the harness; see failure.h.
 */
#include "failure.h"

G_DEFINE_QUARK(nvmelab-failure, failure)

int failure_exit(const GError *error)
{
    if (g_error_matches(error, FAILURE, FAILURE_USAGE) ||
        error->domain == G_OPTION_ERROR) {
        return EXIT_USAGE;
    }
    if (g_error_matches(error, FAILURE, FAILURE_PANIC)) {
        return EXIT_FAIL;
    }
    return EXIT_INFRA;
}

int failure_report(const GError *error)
{
    g_printerr("nvmelab: %s\n", error->message);
    return failure_exit(error);
}
