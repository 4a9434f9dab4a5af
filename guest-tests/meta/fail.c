/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A claim that does not hold: the host must say "not ok".
 */
#include "guest.h"

static void run_fail_case(struct run *run)
{
    run_note(run, "two and two were added");
    run_fail(run, "wanted 5, found %d", 2 + 2);
}

GUEST_CASE(meta_fail,
           .name = "meta.fail",
           .claim = "a failure arrives as a failure, with its reason",
           .run = run_fail_case);
