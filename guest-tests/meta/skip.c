/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A case that cannot run here: the host must show the reason and not count it
 * as a pass.
 */
#include "guest.h"

static void run_skip_case(struct run *run)
{
    run_skip(run, "meta.skip always skips");
}

GUEST_CASE(meta_skip,
           .name = "meta.skip",
           .claim = "a skip arrives as a skip, with its reason",
           .run = run_skip_case);
