/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A case that exceeds its time limit: PID 1 kills it and goes on.
 */
#include <unistd.h>

#include "guest.h"

static void run_timeout(struct run *run)
{
    run_note(run, "sleeping longer than allowed");
    for (;;) {
        pause();
    }
}

GUEST_CASE(meta_timeout,
           .name = "meta.timeout",
           .claim = "a case over its time limit is an error, the next one runs",
           .time_limit_s = 2,
           .run = run_timeout);
