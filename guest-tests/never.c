/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watch for never-events; see never.h.
 *
 * Function probes and tracepoints whose triggers count in histograms, in the
 * kernel: by call chain and flags, or by request. So nothing depends on the
 * size of a trace buffer, a heavy workload costs no more memory than a light
 * one, and nothing is lost unless the histogram says so ("Dropped"). The
 * histograms are never emptied, as an event between reading and emptying would
 * be lost; a look tells what has grown since the last one.
 *
 * Reading a call chain costs the kernel a search per frame, so what is legal is
 * kept out of the histograms where a number says so: syncs in interrupts are
 * apart from those in tasks, of which none is below a poll before there is a
 * ring that polls.
 *
 * A call chain is a suspect if it has one of the words of its watch, or if it
 * was in an interrupt by the flags: a wide net, as the host judges what is in
 * it. All probes are at function entries or returns, so flags are those of the
 * caller, and not of a breakpoint, unless the kernel cannot do better.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "never.h"
#include "never_text.h"

#define TRACING "/sys/kernel/tracing"
#define GROUP "never"
#define RCU_EXPEDITED "/sys/kernel/rcu_expedited"
/* An event of cases that must fail: as the one without it. */
#define MISTAKE "_mistaken"
/* There is such an event. */
#define MISTAKE_MADE "/never-mistake"

#define BY_STACK "hist:keys=stacktrace,common_flags:" \
    "ts=common_timestamp.usecs:size=256:onmax($ts).save(common_pid)"
#define BY_REQUEST "hist:keys=req:size=512"

#define ENTRIES_MAX 512
#define TEXT_MAX (1u << 20)
/* The rest of one look is more of the same. */
#define NOTES_MAX 8

/* enum trace_flag_type (include/linux/trace_events.h, 6.1 to 7.2). */
#define FLAG_HARDIRQ 0x08
#define FLAG_SOFTIRQ 0x10
#define FLAG_NMI 0x40


/* Calls that are wrong in some places. */
static const struct call_watch {
    const char *name;           /* of the event */
    const char *function;
    char type;                  /* of the probe */
    bool needs_polling;
    const char *arguments;
    const char *filter;
    const char *words[5];       /* parts of names of functions */
} call_watches[] = {
    {
        .name = "vfs_fsync_range", .function = "vfs_fsync_range",
        .type = 'p', .filter = " if common_flags & 24",
        .words = { "irq", "interrupt", "sysvec" },
    },
    {
        .name = "vfs_fsync_range_in_task", .function = "vfs_fsync_range",
        .type = 'p', .filter = " if !(common_flags & 24)",
        .needs_polling = true,
        .words = { "poll" },
    },
    {
        .name = "blkdev_issue_flush", .function = "blkdev_issue_flush",
        .type = 'p', .filter = " if common_flags & 24",
        .words = { "irq", "interrupt", "sysvec" },
    },
    {
        .name = "blkdev_issue_flush_in_task", .function = "blkdev_issue_flush",
        .type = 'p', .filter = " if !(common_flags & 24)",
        .needs_polling = true,
        .words = { "poll" },
    },
    {
        /*
         * Its result decides, so it is watched where it returns. Most of its
         * calls are in interrupts and workers, where there is no task work;
         * most others return into a file system's module, as iomap_dio_rw()
         * ends with it: there the issuer itself has waited.
         */
        .name = "iomap_dio_complete", .function = "iomap_dio_complete",
        .type = 'r', .arguments = " ret=$retval:s64",
        .filter = " if ret >= 0 && !(common_flags & 24) && "
                  "__probe_ret_ip < 0xffffffffc0000000 && "
                  "!(comm ~ \"kworker/*\")",
        .words = { "task_work", "local_work", "tw_list", "tw_run" },
    },
};

/* A ring with IORING_SETUP_IOPOLL: from then on tasks poll. */
#define POLLING_RING "io_uring/io_uring_create"
#define BY_FLAGS "hist:keys=flags:size=128"
#define IF_POLLING " if flags & 1"

/*
 * Requests, and how often they may complete: as often as they were started.
 * Requests are told apart by address, which is used again, so both are sums.
 * A tracepoint of a request's start has another name in each series.
 */
static const struct request_watch {
    const char *what;
    const char *ended;
    const char *ended_argument; /* a function; NULL: a tracepoint */
    const char *started[3];
    const char *started_argument;
} request_watches[] = {
    {
        .what = "CQE",
        .ended = "io_uring/io_uring_complete",
        .started = { "io_uring/io_uring_submit_req",
                     "io_uring/io_uring_submit_sqe",
                     "io_uring/io_uring_req_failed" },
    },
    {
        .what = "io_event",
        .ended = GROUP "/aio_complete_rw", .ended_argument = " req=$arg1:u64",
        .started = { GROUP "/aio_prep_rw" },
        .started_argument = " req=$arg1:u64",
    },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup_fd = -1;
static pid_t setup_pid;

/* --- setting up ---------------------------------------------------------- */

/* 0 or -errno. */
static int put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
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

static int define(char type, const char *name, const char *function,
                  const char *arguments)
{
    char text[320];

    /* One return probe per task that sleeps in the function. */
    snprintf(text, sizeof(text), "%c%s:" GROUP "/%s %s%s\n", type,
             type == 'r' ? "512" : "", name, function,
             arguments ? arguments : "");
    return put(TRACING "/kprobe_events", text);
}

static int trigger(const char *event, const char *histogram,
                   const char *filter)
{
    char path[256];
    char text[512];

    snprintf(path, sizeof(path), TRACING "/events/%s/trigger", event);
    snprintf(text, sizeof(text), "%s%s\n", histogram, filter ? filter : "");
    return put(path, text);
}

static int watch_call(const struct call_watch *watch, const char *name,
                      const char *function)
{
    char event[128];
    int error = define(watch->type, name, function, watch->arguments);

    if (error) {
        return error;
    }
    snprintf(event, sizeof(event), GROUP "/%s", name);
    return trigger(event, BY_STACK, watch->filter);
}

/* A function is defined first; argument NULL: a tracepoint. */
static int watch_request_event(const char *event, const char *argument)
{
    const char *name = strchr(event, '/') + 1;
    int error = argument ? define('p', name, name, argument) : 0;

    return error ? error : trigger(event, BY_REQUEST, " if req != 0");
}

static int watch_request(const struct request_watch *watch)
{
    int best = -ENOENT;

    for (size_t i = 0; i < COUNT(watch->started) && watch->started[i]; i++) {
        int error = watch_request_event(watch->started[i],
                                        watch->started_argument);

        if (error != -ENOENT) {
            best = error;
        }
        if (best && best != -ENOENT) {
            return best;
        }
    }
    /* Without its start every end would be one too many. */
    return best ? best : watch_request_event(watch->ended,
                                             watch->ended_argument);
}

static void say(int fd, const char *what, int error)
{
    char line[160];

    snprintf(line, sizeof(line), "%s: %s\n", what, strerror(-error));
    (void)!write(fd, line, strlen(line));
}

static void set_up(int fd)
{
    uint64_t start_ns = guest_clock_ns();
    char line[80];

    for (size_t i = 0; i < COUNT(call_watches); i++) {
        const struct call_watch *watch = &call_watches[i];
        int error = watch_call(watch, watch->name, watch->function);

        if (error) {
            say(fd, watch->name, error);
        }
    }
    /* Without it all call chains are looked at, all the time. */
    trigger(POLLING_RING, BY_FLAGS, IF_POLLING);
    for (size_t i = 0; i < COUNT(request_watches); i++) {
        int error = watch_request(&request_watches[i]);

        if (error) {
            char what[80];

            snprintf(what, sizeof(what), "completions per request (%s)",
                     request_watches[i].what);
            say(fd, what, error);
        }
    }
    snprintf(line, sizeof(line), "watching for never-events after %u ms",
             (unsigned)((guest_clock_ns() - start_ns) / 1000000));
    guest_log(line);
}

void never_start(void)
{
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        return;
    }
    setup_pid = fork();
    if (setup_pid == 0) {
        close(pipe_fds[0]);
        /* Waiting for grace periods would be most of it. */
        put(RCU_EXPEDITED, "1");
        set_up(pipe_fds[1]);
        put(RCU_EXPEDITED, "0");
        _exit(0);
    }
    close(pipe_fds[1]);
    setup_fd = pipe_fds[0];
}

void never_await(void)
{
    struct pollfd poll_fd = { .fd = setup_fd };

    while (setup_fd >= 0 && poll(&poll_fd, 1, -1) < 0 && errno == EINTR) {
    }
}

static bool is_traceable(char *why, size_t size)
{
    int fd = open(TRACING "/kprobe_events", O_WRONLY | O_CLOEXEC);

    if (fd < 0) {
        snprintf(why, size, TRACING "/kprobe_events: %s", strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

bool never_wait(void (*tell)(const char *text))
{
    char text[1024];
    size_t used = 0;
    ssize_t n;

    while (setup_fd >= 0 && used < sizeof(text) - 1 &&
           (n = read(setup_fd, text + used, sizeof(text) - 1 - used)) > 0) {
        used += (size_t)n;
    }
    text[used] = '\0';
    if (setup_fd >= 0) {
        close(setup_fd);
        waitpid(setup_pid, NULL, 0);
    }
    if (!is_traceable(text, sizeof(text))) {
        tell(text);
        return true;
    }
    if (setup_fd < 0 || setup_pid < 0) {
        tell("no process to set the watch up");
    }
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        tell(line);
    }
    return false;
}

/* --- looking -------------------------------------------------------------- */

struct look {
    pid_t step;
    bool has_mistakes;
    void (*tell)(void *opaque, const char *text);
    void *opaque;
    unsigned notes;
};

/* What was told already, so that only what is new is told. */
struct told {
    char *key;
    uint64_t count;
};

static struct told *told;
static size_t told_count;

/* What count is more than the last time; and that is the last time now. */
static uint64_t growth(const char *key, uint64_t count)
{
    uint64_t before;

    for (size_t i = 0; i < told_count; i++) {
        if (strcmp(told[i].key, key) == 0) {
            before = told[i].count;
            told[i].count = count;
            return count > before ? count - before : 0;
        }
    }
    if (count == 0) {
        return 0;
    }
    told = realloc(told, (told_count + 1) * sizeof(*told));
    if (!told) {
        abort();                /* PID 1 without memory: nothing is left */
    }
    told[told_count++] = (struct told){ strdup(key), count };
    return count;
}

static void note(struct look *look, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct look *look, const char *format, ...)
{
    char text[900];
    va_list arguments;

    if (look->notes++ >= NOTES_MAX) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    look->tell(look->opaque, text);
}

static void note_lost(struct look *look, const char *event, const char *why,
                      uint64_t count)
{
    char key[128];

    snprintf(key, sizeof(key), "lost %s %s", event, why);
    count = growth(key, count);
    if (count) {
        note(look, "never lost %s: %s (%" PRIu64 ")", event, why, count);
    }
}

/* -ENOENT: there is no such event. entries are to be freed. */
static int read_hist(const char *event, struct never_hist *hist)
{
    static char text[TEXT_MAX];
    char path[160];
    size_t used = 0;
    ssize_t n;
    int fd;

    *hist = (struct never_hist){ .max = ENTRIES_MAX };
    snprintf(path, sizeof(path), TRACING "/events/%s/hist", event);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0) {
        used += (size_t)n;
    }
    if (n < 0 || used == sizeof(text) - 1) {
        n = n < 0 ? -errno : -EFBIG;
        close(fd);
        return (int)n;
    }
    close(fd);
    text[used] = '\0';
    return never_text_parse(text, hist);
}

/* False: there is nothing to look at. */
static bool get_hist(struct look *look, const char *event,
                     struct never_hist *hist)
{
    int error = read_hist(event, hist);

    if (error && error != -ENOENT) {
        note_lost(look, event, strerror(-error), 1);
    }
    if (error) {
        free(hist->entries);
        hist->entries = NULL;
        return false;
    }
    note_lost(look, event, "more call chains or requests than there is "
              "room for", hist->dropped);
    return true;
}

static bool is_suspect(const struct call_watch *watch,
                       const struct never_entry *entry)
{
    if (!(entry->flags & FLAG_NMI) &&
        (entry->flags & (FLAG_HARDIRQ | FLAG_SOFTIRQ))) {
        return true;
    }
    for (size_t i = 0; i < COUNT(watch->words) && watch->words[i]; i++) {
        if (strstr(entry->stack, watch->words[i])) {
            return true;
        }
    }
    return false;
}

/* The task's name, or what is known instead. */
static void name_task(const struct look *look, pid_t pid, char *name,
                      size_t size)
{
    char path[48];
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, name, size - 1);
        close(fd);
    }
    if (n <= 0 && pid == 0) {
        snprintf(name, size, "idle");
        return;
    }
    if (n <= 0) {
        snprintf(name, size, "%s", pid == look->step ? "case" : "gone");
        return;
    }
    name[n] = '\0';
    name[strcspn(name, "\n")] = '\0';
    for (char *c = name; *c; c++) {
        *c = *c == ' ' ? '_' : *c;
    }
}

static void look_at_call(struct look *look, const struct call_watch *watch,
                         const char *suffix)
{
    char event[96];
    struct never_hist hist;

    snprintf(event, sizeof(event), GROUP "/%s%s", watch->name, suffix);
    if (!get_hist(look, event, &hist)) {
        return;
    }
    for (int i = 0; i < hist.count; i++) {
        const struct never_entry *entry = &hist.entries[i];
        char key[sizeof(entry->stack) + 128];
        char comm[24];
        uint64_t count;

        if (!is_suspect(watch, entry)) {
            continue;
        }
        snprintf(key, sizeof(key), "%s %x %s", event, entry->flags,
                 entry->stack);
        count = growth(key, entry->hits);
        if (count) {
            name_task(look, entry->pid, comm, sizeof(comm));
            note(look, "never call %s %" PRIu64 " 0x%x %d %s %s",
                 watch->function, count, entry->flags, entry->pid, comm,
                 entry->stack);
        }
    }
    free(hist.entries);
}

static uint64_t hits_of(const struct never_hist *hist, uint64_t request)
{
    for (int i = 0; i < hist->count; i++) {
        if (hist->entries[i].request == request) {
            return hist->entries[i].hits;
        }
    }
    return 0;
}

/* Whether one more has since the last look. */
static bool has_ended(const struct request_watch *watch,
                      const struct never_hist *ended)
{
    static uint64_t before[COUNT(request_watches)];
    uint64_t *last = &before[watch - request_watches];
    uint64_t hits = 0;

    for (int i = 0; i < ended->count; i++) {
        hits += ended->entries[i].hits;
    }
    if (hits == *last) {
        return false;
    }
    *last = hits;
    return true;
}

static void look_at_requests(struct look *look,
                             const struct request_watch *watch)
{
    struct never_hist ended = { 0 };
    struct never_hist mistaken = { 0 };
    struct never_hist started[COUNT(watch->started)] = { 0 };
    char event[96];

    /* Ends first: whatever has ended by then has been started. */
    if (!get_hist(look, watch->ended, &ended)) {
        return;
    }
    if (!has_ended(watch, &ended)) {
        free(ended.entries);
        return;
    }
    snprintf(event, sizeof(event), GROUP "/%s" MISTAKE,
             strchr(watch->ended, '/') + 1);
    if (!look->has_mistakes || !get_hist(look, event, &mistaken)) {
        mistaken = (struct never_hist){ 0 };
    }
    for (size_t i = 0; i < COUNT(watch->started) && watch->started[i]; i++) {
        if (!get_hist(look, watch->started[i], &started[i])) {
            started[i] = (struct never_hist){ 0 };
        }
    }
    for (int i = 0; i < ended.count; i++) {
        const struct never_entry *entry = &ended.entries[i];
        uint64_t ends = entry->hits + hits_of(&mistaken, entry->request);
        uint64_t starts = 0;
        char key[96];

        for (size_t s = 0; s < COUNT(started); s++) {
            starts += hits_of(&started[s], entry->request);
        }
        snprintf(key, sizeof(key), "%s %" PRIx64, watch->what,
                 entry->request);
        if (ends > starts && growth(key, ends - starts)) {
            note(look, "never completions %s %" PRIx64 " %" PRIu64 " %"
                 PRIu64 " %d", watch->what, entry->request, ends, starts,
                 (int)look->step);
        }
    }
    free(ended.entries);
    free(mistaken.entries);
    for (size_t s = 0; s < COUNT(started); s++) {
        free(started[s].entries);
    }
}

/* Once there has been a polling ring it may live on in some process. */
static bool is_polling(struct look *look)
{
    static bool has_polled;
    struct never_hist hist;

    if (!has_polled) {
        has_polled = !get_hist(look, POLLING_RING, &hist) || hist.count ||
                     !hist.is_there;
        free(hist.entries);
    }
    return has_polled;
}

/*
 * Probes that an interrupt hit while another one was at work on the same
 * processor did not count. For iomap_dio_complete that is no gap: where
 * interrupts come there is no task work.
 */
static void look_at_missed(struct look *look)
{
    FILE *profile = fopen(TRACING "/kprobe_profile", "re");
    char name[96];
    unsigned long long hits;
    unsigned long long missed;

    while (profile && fscanf(profile, " %95s %llu %llu", name, &hits,
                             &missed) == 3) {
        for (size_t i = 0; i < COUNT(call_watches); i++) {
            if (call_watches[i].type == 'p' && missed &&
                strcmp(call_watches[i].name, name) == 0) {
                note_lost(look, name, "probe missed", missed);
            }
        }
    }
    if (profile) {
        fclose(profile);
    }
}

static void forget_mistake(const char *name, const char *histogram,
                           const char *filter)
{
    char event[128];
    char text[256];

    snprintf(event, sizeof(event), GROUP "/%s" MISTAKE, name);
    snprintf(text, sizeof(text), "!%s", histogram);
    trigger(event, text, filter);
    snprintf(text, sizeof(text), "-:%s\n", event);
    put(TRACING "/kprobe_events", text);
}

static void forget_mistakes(void)
{
    for (size_t i = 0; i < COUNT(call_watches); i++) {
        forget_mistake(call_watches[i].name, BY_STACK,
                       call_watches[i].filter);
    }
    for (size_t i = 0; i < COUNT(request_watches); i++) {
        forget_mistake(strchr(request_watches[i].ended, '/') + 1, BY_REQUEST,
                       " if req != 0");
    }
    unlink(MISTAKE_MADE);
}

void never_look(pid_t step, void (*tell)(void *opaque, const char *text),
                void *opaque)
{
    struct look look = { .step = step, .tell = tell, .opaque = opaque };

    bool has_polled = is_polling(&look);

    look.has_mistakes = access(MISTAKE_MADE, F_OK) == 0;
    for (size_t i = 0; i < COUNT(call_watches); i++) {
        if (has_polled || !call_watches[i].needs_polling) {
            look_at_call(&look, &call_watches[i], "");
        }
        if (look.has_mistakes) {
            look_at_call(&look, &call_watches[i], MISTAKE);
        }
    }
    for (size_t i = 0; i < COUNT(request_watches); i++) {
        look_at_requests(&look, &request_watches[i]);
    }
    look_at_missed(&look);
    if (look.has_mistakes) {
        forget_mistakes();
    }
}

int never_mistake(const char *watched, const char *function)
{
    char name[96];
    char event[128];
    int error;

    close(open(MISTAKE_MADE, O_CREAT | O_CLOEXEC, 0600));
    snprintf(name, sizeof(name), "%s" MISTAKE, watched);
    for (size_t i = 0; i < COUNT(call_watches); i++) {
        if (strcmp(call_watches[i].name, watched) == 0) {
            return watch_call(&call_watches[i], name, function);
        }
    }
    error = define('p', name, function, " req=$arg1:u64");
    snprintf(event, sizeof(event), GROUP "/%s", name);
    return error ? error : trigger(event, BY_REQUEST, " if req != 0");
}
