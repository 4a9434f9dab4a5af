/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls in places where they must not be. No stock kernel makes them, so
 * another function, which is legally called there, is watched as if it were
 * the one that must not: probe, trigger, histogram, look and judge are those
 * of every run.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "issue.h"
#include "never.h"
#include "target.h"

static void mistake(struct run *run, const char *watched,
                    const char *function)
{
    int error = never_mistake(watched, function);

    if (error) {
        run_error(run, "%s watched as %s: %s", function, watched,
                  strerror(-error));
    }
}

static void read_a_block(struct run *run, const struct issuer *issuer)
{
    struct target target = target_get(run, TARGET_FRESH_OR_MOUNTED);
    int fd = target_open(run, &target, "", O_RDWR | O_DIRECT);
    int error = issuer->start();
    ssize_t n;

    if (error) {
        run_error(run, "%s: %s", issuer->name, strerror(-error));
    }
    n = issuer->read(fd, target_buffer(run, TARGET_BLOCK_BYTES),
                     TARGET_BLOCK_BYTES, 0);
    if (n != TARGET_BLOCK_BYTES) {
        run_error(run, "read through %s: %zd", issuer->name, n);
    }
}

static void run_hardirq(struct run *run)
{
    mistake(run, "vfs_fsync_range", "nvme_irq");
    read_a_block(run, &issuer_sync);
    run_pass(run, "the case saw nothing wrong");
}

static void run_softirq(struct run *run)
{
    mistake(run, "blkdev_issue_flush", "run_timer_softirq");
    usleep(200000);
    run_pass(run, "the case saw nothing wrong");
}

static void run_polled(struct run *run)
{
    mistake(run, "vfs_fsync_range_in_task", "blkdev_bio_end_io_async");
    read_a_block(run, &issuer_iopoll);
    run_pass(run, "the case saw nothing wrong");
}

/* The last close of a file is task work of the one who closes it. */
static void run_task_work(struct run *run)
{
    int fds[2];

    mistake(run, "iomap_dio_complete", "pipe_release");
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
