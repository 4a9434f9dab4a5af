/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting the other processors, once the kernel has come up on one.
 *
 * Under TCG the host boots with maxcpus=1 (harness/vm_argv.c says why).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "processors.h"

#define CPU_FORMAT "/sys/devices/system/cpu/cpu%u"
#define ONLINE_FORMAT CPU_FORMAT "/online"

/* 0, also for one that is on already; or -errno. */
static int start(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int error = 0;

    if (fd < 0) {
        return -errno;
    }
    if (write(fd, "1", 1) < 0) {
        error = -errno;
    }
    close(fd);
    return error;
}

/* Processor 0 is on, and on most kernels has no switch. */
int processors_start(char *path, size_t size)
{
    for (unsigned cpu = 1;; cpu++) {
        int error;

        snprintf(path, size, CPU_FORMAT, cpu);
        if (access(path, F_OK) < 0) {
            return 0;
        }
        snprintf(path, size, ONLINE_FORMAT, cpu);
        error = start(path);
        if (error) {
            return error;
        }
    }
}
