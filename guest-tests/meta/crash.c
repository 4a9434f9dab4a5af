/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A case that crashes takes nothing with it: the verdict is an error, the guest
 * goes on.
 */
#include <signal.h>

#include "guest.h"

static void run_crash(struct run *run)
{
    run_note(run, "about to crash");
    raise(SIGSEGV);
}

GUEST_CASE(meta_crash,
           .name = "meta.crash",
           .claim = "a crashing case is an error, the next one runs",
           .run = run_crash);
