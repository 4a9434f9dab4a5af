/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simplest case: it passes. If this one does not, nothing else counts.
 */
#include "guest.h"

static void run_pass_case(struct run *run)
{
    run_pass(run, "as it should");
}

GUEST_CASE(meta_pass,
           .name = "meta.pass",
           .claim = "a pass arrives as a pass",
           .run = run_pass_case);
