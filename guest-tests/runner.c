/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One step of a case in a child process.
 *
 * The child's words come through a pipe, a line each: "note TEXT", or a
 * verdict and its text, after which it ends. PID 1 passes notes on at once and
 * the first verdict at the end. A child that dies by a signal, exits by
 * itself, returns from a step that needs a verdict, or exceeds its time limit
 * has the verdict error.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold.h"
#include "never.h"
#include "runner.h"

/* How a child says that its step returned without a verdict. */
#define EXIT_RETURNED 77
#define KILL_GRACE_MS 2000

static const struct {
    const char *verb;
    bool needs_verdict;
} steps[] = {
    [RUNNER_RUN] = { "run", true },
    [RUNNER_BASE] = { "base", false },
    [RUNNER_PREPARE] = { "prepare", false },
    [RUNNER_VERIFY] = { "verify", true },
};

struct child {
    struct proto *proto;
    const char *name;
    pid_t pid;
    int pid_fd;
    int report_fd;
    size_t used;
    char words[2 * PROTO_TEXT_MAX];
    const char *verdict;        /* NULL until there is one */
    char text[PROTO_TEXT_MAX];
};

static void (*step_function(const struct guest_case *c,
                            enum runner_step step))(struct run *)
{
    switch (step) {
    case RUNNER_RUN:
        return c->run;
    case RUNNER_BASE:
        return c->base;
    case RUNNER_PREPARE:
        return c->prepare;
    case RUNNER_VERIFY:
        break;
    }
    return c->verify;
}

static void send_result(struct proto *proto, const char *name,
                        const char *verdict, const char *text)
{
    proto_send(proto, "result %s %s %s%s", name, verdict,
               guest_has_no_drive() ? "[lab.nodrive: no marks] " : "", text);
    proto_drain(proto);
}

static const char *const verdicts[] = { "pass", "fail", "skip", "error" };

static void take_verdict(struct child *child, const char *word,
                         const char *text)
{
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (!child->verdict && strcmp(word, verdicts[i]) == 0) {
            child->verdict = verdicts[i];
            snprintf(child->text, sizeof(child->text), "%.*s",
                     PROTO_TEXT_MAX - 1, text);
        }
    }
}

static void take_line(struct child *child, char *line)
{
    size_t kind_length = strcspn(line, " ");
    const char *text = line + kind_length + (line[kind_length] == ' ');

    line[kind_length] = '\0';
    if (strcmp(line, "note") == 0) {
        proto_send(child->proto, "note %s %s", child->name, text);
        return;
    }
    take_verdict(child, line, text);
}

/* False when the child has closed its end. */
static bool take_words(struct child *child)
{
    char *newline;
    ssize_t n = read(child->report_fd, child->words + child->used,
                     sizeof(child->words) - child->used);

    if (n <= 0) {
        return n < 0 && errno == EINTR;
    }
    child->used += (size_t)n;
    while ((newline = memchr(child->words, '\n', child->used))) {
        size_t length = (size_t)(newline - child->words) + 1;

        *newline = '\0';
        take_line(child, child->words);
        child->used -= length;
        memmove(child->words, newline + 1, child->used);
    }
    return true;
}

static bool start(struct child *child, void (*function)(struct run *run),
                  struct run *run)
{
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        return false;
    }
    child->pid = fork();
    if (child->pid == 0) {
        setpgid(0, 0);
        close(child->proto->fd);
        run->report_fd = pipe_fds[1];
        run_begin(run);
        function(run);
        run_end();
        _exit(EXIT_RETURNED);
    }
    close(pipe_fds[1]);
    child->report_fd = pipe_fds[0];
    if (child->pid < 0) {
        return false;
    }
    setpgid(child->pid, child->pid);
    child->pid_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    return child->pid_fd >= 0;
}

/* What the child wrote before it died; others may hold the pipe open. */
static void take_last_words(struct child *child, struct pollfd *report)
{
    while (poll(report, 1, 0) > 0 && take_words(child)) {
    }
}

/* Passes words on until the child is dead; false: it is not, after limit. */
static bool wait_for(struct child *child, uint64_t limit_ms)
{
    uint64_t start_ns = guest_clock_ns();
    struct pollfd fds[2] = {
        { .fd = child->report_fd, .events = POLLIN },
        { .fd = child->pid_fd, .events = POLLIN },
    };

    for (;;) {
        uint64_t passed_ms = (guest_clock_ns() - start_ns) / 1000000;

        if (passed_ms >= limit_ms) {
            return false;
        }
        if (poll(fds, 2, limit_ms - passed_ms > 1000
                 ? 1000 : (int)(limit_ms - passed_ms)) < 0) {
            continue;
        }
        if (fds[0].revents && !take_words(child)) {
            fds[0].fd = -1;
        }
        if (fds[1].revents) {
            /* poll() looked for words first: they can be newer than that. */
            take_last_words(child, &fds[0]);
            return true;
        }
    }
}

/* Where in the kernel a process that does not die is. */
static void append_wchan(struct child *child)
{
    char path[64];
    char where[64] = "";
    size_t used = strlen(child->text);
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/wchan", (int)child->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, where, sizeof(where) - 1);

        where[n > 0 ? n : 0] = '\0';
        close(fd);
    }
    snprintf(child->text + used, sizeof(child->text) - used,
             " and cannot be killed, in %s", *where ? where : "?");
}

static void kill_late_child(struct child *child, unsigned limit_s)
{
    child->verdict = "error";
    snprintf(child->text, sizeof(child->text), "exceeds its limit of %u s",
             limit_s);
    kill(-child->pid, SIGKILL);
    /* It may wait for a command that it has parked itself. */
    hold_sweep();
    if (!wait_for(child, KILL_GRACE_MS)) {
        append_wchan(child);
    }
}

/* The verdict of a child that gave none, from how it ended. */
static void judge_end(struct child *child, int status, bool needs_verdict)
{
    bool has_returned = WIFEXITED(status) &&
                        WEXITSTATUS(status) == EXIT_RETURNED;

    if (child->verdict || (has_returned && !needs_verdict)) {
        return;
    }
    child->verdict = "error";
    hold_sweep();
    if (WIFSIGNALED(status)) {
        snprintf(child->text, sizeof(child->text), "killed by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (has_returned) {
        snprintf(child->text, sizeof(child->text),
                 "returned without a verdict");
    } else {
        snprintf(child->text, sizeof(child->text),
                 "exited with status %d without a verdict",
                 WEXITSTATUS(status));
    }
}

static void supervise(struct child *child, unsigned limit_s,
                      bool needs_verdict)
{
    uint64_t limit_ms = limit_s == TIME_LIMIT_NONE ? UINT64_MAX
                                                   : limit_s * UINT64_C(1000);
    int status;

    if (!wait_for(child, limit_ms)) {
        kill_late_child(child, limit_s);
    }
    if (waitpid(child->pid, &status, WNOHANG) == child->pid) {
        judge_end(child, status, needs_verdict);
    }
    kill(-child->pid, SIGKILL); /* whatever it has left behind */
    close(child->pid_fd);
}

static void tell_never(void *opaque, const char *text)
{
    struct child *child = opaque;

    proto_send(child->proto, "note %s %s", child->name, text);
}

void runner_serve(struct proto *proto, enum runner_step step,
                  const struct guest_case *guest_case,
                  const char *parameters, uint64_t mark_id)
{
    void (*function)(struct run *) = step_function(guest_case, step);
    struct child child = { .proto = proto, .name = guest_case->name };
    struct run run = {
        .guest_case = guest_case,
        .parameters = parameters,
        .mark_id = mark_id,
    };
    char text[128];

    if (step == RUNNER_RUN) {
        proto_send(proto, "begin %s", guest_case->name);
        proto_drain(proto);
    }
    if (!function) {
        snprintf(text, sizeof(text), "has no step \"%s\": %s",
                 steps[step].verb, guest_case->run
                 ? "use run" : "use base, prepare, cut, verify");
        send_result(proto, guest_case->name, "error", text);
        return;
    }
    if (!start(&child, function, &run)) {
        snprintf(text, sizeof(text), "no process: %s", strerror(errno));
        send_result(proto, guest_case->name, "error", text);
        return;
    }
    supervise(&child, guest_case->time_limit_s ? guest_case->time_limit_s
                                               : TIME_LIMIT_DEFAULT_S,
              steps[step].needs_verdict);
    close(child.report_fd);
    never_look(child.pid, tell_never, &child);
    if (child.verdict) {
        send_result(proto, guest_case->name, child.verdict, child.text);
        return;
    }
    proto_send(proto, "ready");
    proto_drain(proto);
}
