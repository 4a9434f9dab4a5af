/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is probed; see probe.h. Recording and telling is in probe_record.c.
 *
 * Probe definitions are the kernel's, for all processes, and stay, and so do
 * they stay armed in our instance; whether they are recorded is tracing_on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"
#include "tracefs.h"

#define BUFFER_KB "2048"        /* per processor */

enum need {
    NEEDED,
    WANTED,                     /* the story is poorer without it, no more */
    WHERE_IT_IS,                /* kernels that lack it end elsewhere */
};

/*
 * Where an operation can end, in which it waits, and what refuses to go on
 * without blocking (returns -EAGAIN), so that io_uring hands it to io-wq.
 */
struct probe {
    const char *name;
    const char *definition;     /* without "lab/NAME" */
    const char *fs;             /* only with its module; NULL: always */
    enum need need;
};

static const struct probe probes[] = {
    { "iomap_dio_complete", "p iomap_dio_complete", NULL, NEEDED },
    { "iomap_dio_simple_end_io", "p iomap_dio_simple_end_io", NULL,
      WHERE_IT_IS },                    /* reads since 7.3 */
    { "blkdev_bio_end_io_async", "p blkdev_bio_end_io_async", NULL, NEEDED },
    { "blkdev_bio_end_io", "p blkdev_bio_end_io", NULL, NEEDED },
    { "vfs_fsync_range", "p vfs_fsync_range", NULL, NEEDED },
    { "blkdev_issue_flush", "p blkdev_issue_flush", NULL, NEEDED },
    { "blk_io_schedule", "p blk_io_schedule", NULL, NEEDED },
    { "submit_bio_wait_returns", "r submit_bio_wait ret=$retval:s32", NULL,
      NEEDED },
    { "kiocb_modified_returns", "r kiocb_modified ret=$retval:s32", NULL,
      NEEDED },
    { "iomap_dio_rw_returns", "r iomap_dio_rw ret=$retval:s64", NULL, NEEDED },
    { "ext4_file_write_iter_returns",
      "r ext4_file_write_iter ret=$retval:s64", "ext4", NEEDED },
    { "xfs_file_write_iter_returns", "r xfs_file_write_iter ret=$retval:s64",
      "xfs", NEEDED },
    { "io_complete_rw", "p io_complete_rw kiocb=$arg1 res=$arg2:s64", NULL,
      WANTED },
    { "io_complete_rw_iopoll",
      "p io_complete_rw_iopoll kiocb=$arg1 res=$arg2:s64", NULL, WANTED },
    { "io_req_rw_complete", "p io_req_rw_complete", NULL, WANTED },
    { "aio_complete_rw", "p aio_complete_rw kiocb=$arg1 res=$arg2:s64", NULL,
      WANTED },
};

static const char *const tracepoints[] = {
    "nvme/nvme_setup_cmd",
    "nvme/nvme_complete_rq",
    "io_uring/io_uring_queue_async_work",
    "workqueue/workqueue_queue_work",
    "workqueue/workqueue_execute_start",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void define_probe(struct run *run, const struct probe *probe)
{
    char path[160];
    char text[160];
    int error;

    snprintf(path, sizeof(path), TRACEFS "/events/lab/%s", probe->name);
    if (access(path, F_OK) == 0) {
        return;
    }
    snprintf(text, sizeof(text), "%c:lab/%s%s\n", probe->definition[0],
             probe->name, probe->definition + 1);
    error = tracefs_put(TRACEFS "/kprobe_events", O_APPEND, text);
    if (error && probe->need == NEEDED) {
        run_error(run, "the kernel does not take the probe \"%s\": %s",
                  probe->definition, strerror(-error));
    }
    if (error && probe->need == WANTED) {
        run_note(run, "no probe \"%s\" on this kernel: %s", probe->definition,
                 strerror(-error));
    }
}

static void arm_all(struct run *run)
{
    char path[160];

    tracefs_must_put(run, PROBE_INSTANCE "/events/lab/enable", "1");
    for (size_t i = 0; i < COUNT(tracepoints); i++) {
        snprintf(path, sizeof(path), PROBE_INSTANCE "/events/%s/enable",
                 tracepoints[i]);
        tracefs_must_put(run, path, "1");
    }
}

static void make_instance(struct run *run)
{
    if (mkdir(PROBE_INSTANCE, 0755) < 0) {
        if (errno != EEXIST) {
            run_error(run, PROBE_INSTANCE ": %s", strerror(errno));
        }
        return;
    }
    tracefs_must_put(run, PROBE_INSTANCE "/trace_clock", "mono");
    tracefs_must_put(run, PROBE_INSTANCE "/buffer_size_kb", BUFFER_KB);
    tracefs_must_put(run, PROBE_INSTANCE "/options/stacktrace", "1");
}

void probe_open(struct run *run, const struct target *target)
{
    if (access(TRACEFS "/kprobe_events", W_OK) < 0) {
        run_error(run, "this guest has no tracefs with kprobe_events "
                  "(CONFIG_KPROBE_EVENTS): %s", strerror(errno));
    }
    make_instance(run);
    tracefs_must_put(run, PROBE_INSTANCE "/tracing_on", "0");
    for (size_t i = 0; i < COUNT(probes); i++) {
        const char *fs = probes[i].fs;

        if (!fs || (target->type->fs && strcmp(fs, target->type->fs) == 0)) {
            define_probe(run, &probes[i]);
        }
    }
    arm_all(run);
    /* What an earlier case has left, and its counters of lost events. */
    tracefs_must_put(run, PROBE_INSTANCE "/trace", "");
}
