/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recording one operation, and telling the host; see probe.h.
 *
 * Events are taken out of trace_pipe while they come. Emptying the buffer in
 * any other way waits for a grace period of RCU, 30 ms for each operation.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"
#include "probe_text.h"
#include "tracefs.h"

#define TEXT_MAX (4u << 20)
#define EVENTS_MAX 2000
#define STACKS_MAX 500
/* Two ticks at HZ=250: a worker or task work still at it has had its turn. */
#define SILENCE_MS 8
#define PATIENCE_MS 500

/* Of this process, which serves one case. */
static struct {
    int pipe_fd;
    char *text;
    size_t used;
    struct probe_event *events;
    char *stacks[STACKS_MAX];
    unsigned stack_count;
    unsigned long misses;       /* when recording started */
} record;

static void prepare(struct run *run)
{
    if (record.text) {
        return;
    }
    record.text = malloc(TEXT_MAX);
    record.events = calloc(EVENTS_MAX, sizeof(*record.events));
    if (!record.text || !record.events) {
        run_error(run, "no memory for the trace");
    }
    record.pipe_fd = open(PROBE_INSTANCE "/trace_pipe",
                          O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (record.pipe_fd < 0) {
        run_error(run, PROBE_INSTANCE "/trace_pipe: %s", strerror(errno));
    }
}

/* What has come since the last call; it ends with the text. */
static const char *take(struct run *run)
{
    const char *start = record.text + record.used;
    ssize_t n;

    while ((n = read(record.pipe_fd, record.text + record.used,
                     TEXT_MAX - 1 - record.used)) > 0) {
        record.used += (size_t)n;
    }
    if (n < 0 && errno != EAGAIN) {
        run_error(run, PROBE_INSTANCE "/trace_pipe: %s", strerror(errno));
    }
    if (record.used == TEXT_MAX - 1) {
        run_error(run, "more than %u bytes of trace", TEXT_MAX);
    }
    record.text[record.used] = '\0';
    return start;
}

/*
 * How often function probes were hit without being recorded, since boot: an
 * interrupt that comes while a probe is being handled finds no room for a
 * second one.
 */
static unsigned long count_misses(struct run *run)
{
    FILE *file = fopen(TRACEFS "/kprobe_profile", "re");
    unsigned long sum = 0;
    unsigned long one;

    if (!file) {
        run_error(run, TRACEFS "/kprobe_profile: %s", strerror(errno));
    }
    while (fscanf(file, "%*s %*u %lu", &one) == 1) {
        sum += one;
    }
    fclose(file);
    return sum;
}

void probe_start(struct run *run)
{
    prepare(run);
    record.misses = count_misses(run);
    record.used = 0;
    take(run);                  /* what came while it was being stopped */
    record.used = 0;
    tracefs_must_put(run, PROBE_INSTANCE "/tracing_on", "1");
}

/* Of an event, other than the bookkeeping of workers, which never rest. */
static bool is_event_line(const char *line, size_t length)
{
    return length && strncmp(line, " => ", 4) != 0 &&
           !memmem(line, length, "<stack trace>", 13) &&
           !memmem(line, length, ": workqueue_", 12);
}

static bool has_events(const char *text)
{
    const char *line = text;

    while (*line) {
        size_t length = strcspn(line, "\n");

        if (is_event_line(line, length)) {
            return true;
        }
        line += length + (line[length] == '\n');
    }
    return false;
}

static bool has_ended(const char *text)
{
    static const char *const ends[] = {
        ": iomap_dio_complete: ", ": iomap_dio_simple_end_io: ",
        ": blkdev_bio_end_io_async: ", ": blkdev_bio_end_io: ",
        ": submit_bio_wait_returns: ",
    };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (strstr(text, ends[i])) {
            return true;
        }
    }
    return false;
}

/* An operation without an end is the host's to judge. */
static void wait_for_stragglers(struct run *run)
{
    const char *fresh;

    take(run);
    for (unsigned ms = 0; ms < PATIENCE_MS; ms += SILENCE_MS) {
        usleep(SILENCE_MS * 1000);
        fresh = take(run);
        if (!has_events(fresh) && has_ended(record.text)) {
            return;
        }
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
        char text[1024] = "";
        int fd;

        snprintf(path, sizeof(path), PROBE_INSTANCE "/per_cpu/cpu%ld/stats",
                 cpu);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0) {
            run_error(run, "%s: %s", path, strerror(errno));
        }
        close(fd);
        for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
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

/* Events of two processors can come out of the pipe in the wrong order. */
static void sort_by_time(struct probe_event *events, int count)
{
    for (int i = 1; i < count; i++) {
        struct probe_event late = events[i];
        int to = i;

        while (to > 0 && events[to - 1].time_ns > late.time_ns) {
            to--;
        }
        if (to < i) {
            memmove(&events[to + 1], &events[to],
                    (size_t)(i - to) * sizeof(*events));
            events[to] = late;
        }
    }
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

/* The number of a call chain, which the host has been told. */
static unsigned stack_number(struct run *run, const char *stack)
{
    unsigned i;

    if (!*stack) {
        return 0;
    }
    for (i = 0; i < record.stack_count; i++) {
        if (strcmp(record.stacks[i], stack) == 0) {
            return i + 1;
        }
    }
    if (i == STACKS_MAX || !(record.stacks[i] = strdup(stack))) {
        run_error(run, "more than %d different call chains", STACKS_MAX);
    }
    run_note(run, "stack %u %s", ++record.stack_count, stack);
    return record.stack_count;
}

/* A function probe's first argument is its place, which the chain has. */
static const char *skip_place(const char *args)
{
    const char *end = *args == '(' ? strchr(args, ')') : NULL;

    return end ? end + 1 + strspn(end + 1, " ") : args;
}

/* A compiler may have inlined process_one_work into the threads. */
static bool is_in_worker(const struct probe_event *event)
{
    return probe_text_below(event, "process_one_work") ||
           probe_text_below(event, "worker_thread") ||
           probe_text_below(event, "rescuer_thread");
}

static void report(struct run *run, int index, unsigned repeat)
{
    const struct probe_event *event = &record.events[index];
    char queue[96] = " workqueue=";
    size_t used = strlen(queue);
    unsigned stack = stack_number(run, event->stack);

    if (event->is_cut) {
        run_error(run, "a trace event is too long: %s below %s", event->name,
                  event->stack);
    }
    if (!is_in_worker(event) ||
        !find_workqueue(record.events, index, queue + used,
                        sizeof(queue) - used)) {
        queue[0] = '\0';
    }
    run_note(run, "event %u %" PRIu64 " %u %s %s-%d %s %u %s%s", repeat,
             event->time_ns, event->cpu, event->flags, event->comm,
             event->pid, event->name, stack, skip_place(event->args), queue);
}

bool probe_stop(struct run *run, const struct target *target,
                unsigned repeat, uint64_t begin_ns)
{
    unsigned long misses;
    int count;

    wait_for_stragglers(run);
    tracefs_must_put(run, PROBE_INSTANCE "/tracing_on", "0");
    take(run);
    check_lost(run);
    misses = count_misses(run) - record.misses;
    if (misses) {
        run_note(run, "missed %u %lu", repeat, misses);
    }
    count = probe_text_parse(record.text, record.events, EVENTS_MAX);
    if (count < 0) {
        run_error(run, "trace of repeat %u: %s", repeat, strerror(-count));
    }
    sort_by_time(record.events, count);
    for (int i = 0; i < count; i++) {
        /* The trace's clock is cut to whole microseconds. */
        if (record.events[i].time_ns + 999 >= begin_ns &&
            is_wanted(&record.events[i], target)) {
            report(run, i, repeat);
        }
    }
    return misses == 0;
}
