/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suite.h: one kernel on one drive: boot, run, judge.
 */
#ifndef HARNESS_SUITE_H
#define HARNESS_SUITE_H

#include "expect.h"
#include "result.h"
#include "session.h"

/* The rows of the two groups that are judged by rows. */
struct suite_expect {
    struct expect *flush;
    struct expect *context;
    struct expect *exclusion;
};

/*
 * Never NULL: what went wrong stands in the result. A selection that fits no
 * case is the user's error and comes back in *error.
 */
struct suite_result *suite_run(const struct machine *machine,
                               const struct plan *plan,
                               const struct suite_expect *expect,
                               const char *directory, GError **error);
/* Boot and ask for the names of all cases. */
GPtrArray *suite_list(const struct machine *machine, const struct plan *plan,
                      const char *directory, GError **error);

#endif
