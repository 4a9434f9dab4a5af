/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel complains while a case runs and the case notices nothing: the host
 * must find the line on the console and turn the pass into a failure. A stock
 * kernel has no way for a process to make it complain for real, so the line is
 * put into its log, from where it takes the same way.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

static void run_splat(struct run *run)
{
    /* Level 0 reaches the console whatever its log level is. */
    static const char line[] = "<0>BUG: put here by meta.splat\n";
    int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, line, sizeof(line) - 1) < 0) {
        run_error(run, "/dev/kmsg: %s", strerror(errno));
    }
    run_pass(run, "the case saw nothing wrong");
}

GUEST_CASE(meta_splat,
           .name = "meta.splat",
           .claim = "a kernel complaint overrules the pass of the case",
           .run = run_splat);
