/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls in places where they must not be, by functions that may be there.
 */
#include <unistd.h>

#include "guest.h"
#include "mistake.h"

static void run_hardirq(struct run *run)
{
    mistake_make(run, "vfs_fsync_range", "nvme_irq");
    mistake_read(run, &issuer_sync, mistake_open_raw(run));
    run_pass(run, "the case saw nothing wrong");
}

static void run_softirq(struct run *run)
{
    mistake_make(run, "blkdev_issue_flush", "run_timer_softirq");
    usleep(200000);
    run_pass(run, "the case saw nothing wrong");
}

static void run_polled(struct run *run)
{
    mistake_make(run, "vfs_fsync_range_in_task", "blkdev_bio_end_io_async");
    mistake_read(run, &issuer_iopoll, mistake_open_raw(run));
    run_pass(run, "the case saw nothing wrong");
}

/* The last close of a file is task work of the one who closes it. */
static void run_task_work(struct run *run)
{
    int fds[2];

    mistake_make(run, "iomap_dio_complete", "pipe_release");
    if (pipe(fds) == 0) {
        close(fds[0]);
        close(fds[1]);
    }
    run_pass(run, "the case saw nothing wrong");
}

GUEST_CASE(never_hardirq,
           .name = "meta.raw.never-hardirq",
           .claim = "a sync in an interrupt fails the case",
           .run = run_hardirq);
GUEST_CASE(never_softirq,
           .name = "meta.raw.never-softirq",
           .claim = "a flush in a soft interrupt fails the case",
           .run = run_softirq);
GUEST_CASE(never_polled,
           .name = "meta.raw.never-polled",
           .claim = "a sync below a poll fails the case",
           .run = run_polled);
GUEST_CASE(never_task_work,
           .name = "meta.raw.never-task-work",
           .claim = "a direct write that ends in task work fails the case",
           .run = run_task_work);
