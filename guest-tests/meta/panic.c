/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel dies while a case runs: no verdict will come, the console has a
 * panic. Never a pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

static void run_panic(struct run *run)
{
    int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "c", 1) < 0) {
        run_error(run, "/proc/sysrq-trigger: %s", strerror(errno));
    }
    run_fail(run, "sysrq c returned and the kernel lives");
}

GUEST_CASE(meta_panic,
           .name = "meta.panic",
           .claim = "a kernel that panics is an error of the case",
           .run = run_panic);
