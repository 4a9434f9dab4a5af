/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probing through tracefs; see probe.h.
 *
 * Probe definitions are the kernel's, for all processes, and stay; whether
 * they fire is the instance's. The fast and the slow half of the setup are
 * apart, so that recording starts right before the operation.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"
#include "probe_text.h"

#define TRACING "/sys/kernel/tracing"
#define INSTANCE TRACING "/instances/lab"
#define BUFFER_KB "2048"        /* per processor */
#define TEXT_MAX (4u << 20)
#define EVENTS_MAX 2000
#define STRAGGLERS_MS 60        /* a worker or task work still at it */

/*
 * Where an operation can end, in which it waits, and what refuses to go on
 * without blocking (returns -EAGAIN), so that io_uring hands it to io-wq.
 * fs: only there can the function be missing (its module is not loaded).
 */
static const struct {
    const char *name;
    const char *definition;     /* without "lab/NAME" */
    const char *fs;
} probes[] = {
    { "iomap_dio_complete", "p iomap_dio_complete", NULL },
    { "blkdev_bio_end_io_async", "p blkdev_bio_end_io_async", NULL },
    { "blkdev_bio_end_io", "p blkdev_bio_end_io", NULL },
    { "io_complete_rw", "p io_complete_rw kiocb=$arg1 res=$arg2:s64", NULL },
    { "io_complete_rw_iopoll",
      "p io_complete_rw_iopoll kiocb=$arg1 res=$arg2:s64", NULL },
    { "io_req_rw_complete", "p io_req_rw_complete", NULL },
    { "aio_complete_rw", "p aio_complete_rw kiocb=$arg1 res=$arg2:s64",
      NULL },
    { "vfs_fsync_range", "p vfs_fsync_range", NULL },
    { "blkdev_issue_flush", "p blkdev_issue_flush", NULL },
    { "blk_io_schedule", "p blk_io_schedule", NULL },
    { "submit_bio_wait_returns", "r submit_bio_wait ret=$retval:s32", NULL },
    { "kiocb_modified_returns", "r kiocb_modified ret=$retval:s32", NULL },
    { "iomap_dio_rw_returns", "r iomap_dio_rw ret=$retval:s64", NULL },
    { "ext4_file_write_iter_returns",
      "r ext4_file_write_iter ret=$retval:s64", "ext4" },
    { "xfs_file_write_iter_returns", "r xfs_file_write_iter ret=$retval:s64",
      "xfs" },
};

static const char *const tracepoints[] = {
    "nvme/nvme_setup_cmd",
    "nvme/nvme_complete_rq",
    "io_uring/io_uring_queue_async_work",
    "workqueue/workqueue_queue_work",
    "workqueue/workqueue_execute_start",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 0 or -errno. */
static int put(const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
    int error = 0;

    if (fd < 0) {
        return -errno;
    }
    if (write(fd, text, strlen(text)) < 0) {
        error = -errno;
    }
    close(fd);
    return error;
}

static void must_put(struct run *run, const char *path, const char *text)
{
    int error = put(path, 0, text);

    if (error) {
        run_error(run, "%s: %s: %s", path, text, strerror(-error));
    }
}

static void define_probe(struct run *run, size_t i)
{
    const char *definition = probes[i].definition;
    char path[160];
    char text[160];
    int error;

    snprintf(path, sizeof(path), TRACING "/events/lab/%s", probes[i].name);
    if (access(path, F_OK) == 0) {
        return;
    }
    snprintf(text, sizeof(text), "%c:lab/%s%s\n", definition[0],
             probes[i].name, definition + 1);
    error = put(TRACING "/kprobe_events", O_APPEND, text);
    if (error) {
        run_error(run, "the kernel does not take the probe \"%s\": %s",
                  definition, strerror(-error));
    }
}

static void switch_all(struct run *run, const char *value)
{
    char path[160];

    must_put(run, INSTANCE "/events/lab/enable", value);
    for (size_t i = 0; i < COUNT(tracepoints); i++) {
        snprintf(path, sizeof(path), INSTANCE "/events/%s/enable",
                 tracepoints[i]);
        must_put(run, path, value);
    }
}

void probe_open(struct run *run, const struct target *target)
{
    if (access(TRACING "/kprobe_events", W_OK) < 0) {
        run_error(run, "this guest has no tracefs with kprobe_events "
                  "(CONFIG_KPROBE_EVENTS): %s", strerror(errno));
    }
    if (mkdir(INSTANCE, 0755) < 0 && errno != EEXIST) {
        run_error(run, INSTANCE ": %s", strerror(errno));
    }
    must_put(run, INSTANCE "/tracing_on", "0");
    for (size_t i = 0; i < COUNT(probes); i++) {
        if (!probes[i].fs ||
            (target->type->fs && strcmp(probes[i].fs, target->type->fs) == 0)) {
            define_probe(run, i);
        }
    }
    must_put(run, INSTANCE "/trace_clock", "mono");
    must_put(run, INSTANCE "/buffer_size_kb", BUFFER_KB);
    must_put(run, INSTANCE "/options/stacktrace", "1");
    switch_all(run, "1");
}

void probe_close(struct run *run)
{
    switch_all(run, "0");
}

void probe_start(struct run *run)
{
    int fd = open(INSTANCE "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

    if (fd < 0) {
        run_error(run, INSTANCE "/trace: %s", strerror(errno));
    }
    close(fd);
    must_put(run, INSTANCE "/tracing_on", "1");
}

static void read_all(struct run *run, const char *path, char *text,
                     size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t n;

    if (fd < 0) {
        run_error(run, "%s: %s", path, strerror(errno));
    }
    while ((n = read(fd, text + used, size - 1 - used)) > 0) {
        used += (size_t)n;
    }
    close(fd);
    text[used] = '\0';
    if (n < 0 || used == size - 1) {
        run_error(run, "%s: %s", path, n < 0 ? strerror(errno)
                                             : "longer than expected");
    }
}

/* A processor whose buffer was full, or that dropped events. */
static void check_lost(struct run *run)
{
    static const char *const counters[] = {
        "overrun: ", "commit overrun: ", "dropped events: "
    };
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    for (long cpu = 0; cpu < cpus; cpu++) {
        char path[160];
        char text[1024];

        snprintf(path, sizeof(path), INSTANCE "/per_cpu/cpu%ld/stats", cpu);
        read_all(run, path, text, sizeof(text));
        for (size_t i = 0; i < COUNT(counters); i++) {
            const char *at = strstr(text, counters[i]);
            unsigned long lost =
                at ? strtoul(at + strlen(counters[i]), NULL, 10) : 1;

            if (lost) {
                run_error(run, "trace events are lost: processor %ld, %s%lu",
                          cpu, counters[i], lost);
            }
        }
    }
}

/* A compiler may have inlined process_one_work into the threads. */
static bool is_in_worker(const struct probe_event *event)
{
    return probe_text_below(event, "process_one_work") ||
           probe_text_below(event, "worker_thread") ||
           probe_text_below(event, "rescuer_thread");
}

/* The queue of the work item that event's worker has started last. */
static bool find_workqueue(const struct probe_event *events, int index,
                           char *queue, size_t size)
{
    char work[40];
    char other[40];
    int i = index;

    while (--i >= 0 &&
           (events[i].pid != events[index].pid ||
            strcmp(events[i].name, "workqueue_execute_start") != 0)) {
    }
    if (i < 0 || sscanf(events[i].args, "work struct %39[^:]", work) != 1) {
        return false;
    }
    while (--i >= 0) {
        if (strcmp(events[i].name, "workqueue_queue_work") == 0 &&
            sscanf(events[i].args, "work struct=%39[^ ]", other) == 1 &&
            strcmp(work, other) == 0) {
            return probe_text_value(events[i].args, "workqueue", queue, size);
        }
    }
    return false;
}

/* Neither the bookkeeping of workers nor other drives' and admin commands. */
static bool is_wanted(const struct probe_event *event,
                      const struct target *target)
{
    char disk[40];

    if (strncmp(event->name, "workqueue_", 10) == 0) {
        return false;
    }
    if (strncmp(event->name, "nvme_", 5) == 0) {
        return probe_text_value(event->args, "disk", disk, sizeof(disk)) &&
               strcmp(disk, target->ns.name) == 0;
    }
    return true;
}

static void report(struct run *run, const struct probe_event *events,
                   int index, unsigned repeat)
{
    const struct probe_event *event = &events[index];
    char queue[96] = " workqueue=";
    size_t used = strlen(queue);

    if (event->is_cut) {
        run_error(run, "a trace event is too long: %s below %s", event->name,
                  event->stack);
    }
    if (!is_in_worker(event) ||
        !find_workqueue(events, index, queue + used, sizeof(queue) - used)) {
        queue[0] = '\0';
    }
    run_note(run, "event %u %" PRIu64 " %u %s %s-%d %s %s %s%s", repeat,
             event->time_ns, event->cpu, event->flags, event->comm,
             event->pid, event->name, *event->stack ? event->stack : "-",
             event->args, queue);
}

void probe_stop(struct run *run, const struct target *target,
                unsigned repeat, uint64_t begin_ns)
{
    struct probe_event *events = calloc(EVENTS_MAX, sizeof(*events));
    char *text = malloc(TEXT_MAX);
    int count;

    if (!events || !text) {
        run_error(run, "no memory for the trace");
    }
    usleep(STRAGGLERS_MS * 1000);
    must_put(run, INSTANCE "/tracing_on", "0");
    check_lost(run);
    read_all(run, INSTANCE "/trace", text, TEXT_MAX);
    count = probe_text_parse(text, events, EVENTS_MAX);
    if (count < 0) {
        run_error(run, "trace of repeat %u: %s", repeat, strerror(-count));
    }
    for (int i = 0; i < count; i++) {
        /* The trace's clock is cut to whole microseconds. */
        if (events[i].time_ns + 999 >= begin_ns &&
            is_wanted(&events[i], target)) {
            report(run, events, i, repeat);
        }
    }
    free(events);
    free(text);
}
