/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that never answers: the case has no time limit in the guest, so the
 * host must have one.
 */
#include <unistd.h>

#include "guest.h"

static void run_hang(struct run *run)
{
    run_note(run, "not coming back");
    for (;;) {
        pause();
    }
}

GUEST_CASE(meta_hang,
           .name = "meta.hang",
           .claim = "a guest that says nothing is an error after a while",
           .time_limit_s = TIME_LIMIT_NONE,
           .run = run_hang);
