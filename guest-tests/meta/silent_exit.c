/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A case that returns without a verdict: forgetting one must not count as a
 * pass.
 */
#include "guest.h"

static void run_silent_exit(struct run *run)
{
    (void)run;
}

GUEST_CASE(meta_silent_exit,
           .name = "meta.silent-exit",
           .claim = "a case without a verdict is an error",
           .run = run_silent_exit);
