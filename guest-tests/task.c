/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks; see task.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "task.h"

#define SLEEP_LIMIT_MS 10000
#define FINISH_LIMIT_MS 10000
/* More than two ticks (250 Hz): whoever is runnable has run. */
#define LOOK_AGAIN_MS 20

struct task_result {
    atomic_bool is_done;
    ssize_t result;
};

struct look {
    char state;
    uint64_t sleeps;            /* voluntary context switches */
    char stack[4096];
};

static void pause_ms(unsigned ms)
{
    usleep(ms * 1000);
}

struct task task_start(struct run *run, const char *name, task_body *body,
                       void *opaque)
{
    struct task task = { .run = run, .name = name };

    task.result = mmap(NULL, sizeof(*task.result), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (task.result == MAP_FAILED || (task.pid = fork()) < 0) {
        run_error(run, "no task for %s: %s", name, strerror(errno));
    }
    if (task.pid == 0) {
        task.result->result = body(opaque);
        atomic_store(&task.result->is_done, true);
        _exit(0);
    }
    return task;
}

static size_t read_proc(const struct task *task, const char *file, char *text,
                        size_t size)
{
    char path[64];
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)task->pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, text, size - 1);
        close(fd);
    }
    if (n < 0) {
        run_error(task->run, "%s: %s", path, strerror(errno));
    }
    text[n] = '\0';
    return (size_t)n;
}

/* The name in parentheses may have any character in it. */
static struct look look_at(const struct task *task)
{
    struct look look;
    char text[4096];
    const char *word;

    read_proc(task, "stat", text, sizeof(text));
    word = strrchr(text, ')');
    look.state = word && word[1] ? word[2] : '?';
    read_proc(task, "status", text, sizeof(text));
    word = strstr(text, "\nvoluntary_ctxt_switches:");
    look.sleeps = word ? strtoull(strchr(word, ':') + 1, NULL, 10) : 0;
    read_proc(task, "stack", look.stack, sizeof(look.stack));
    return look;
}

static bool is_asleep_in(const struct look *look, const char *in)
{
    return (look->state == 'D' || look->state == 'S') &&
           strstr(look->stack, in);
}

/* A died task is no finished one. */
static bool is_done(const struct task *task)
{
    int status;

    if (atomic_load(&task->result->is_done)) {
        return true;
    }
    if (waitpid(task->pid, &status, WNOHANG | WNOWAIT) == task->pid &&
        !atomic_load(&task->result->is_done)) {
        run_error(task->run, "%s: its task died", task->name);
    }
    return false;
}

/* The functions of a stack, innermost first, in one line. */
static void tell_stack(char *stack)
{
    char *to = stack;

    for (char *line = strtok(stack, "\n"); line; line = strtok(NULL, "\n")) {
        char *name = strchr(line, ' ') ? strchr(line, ' ') + 1 : line;
        size_t length = strcspn(name, "+");

        memmove(to, name, length);
        to += length;
        *to++ = '<';
    }
    *(to > stack ? to - 1 : to) = '\0';
}

void task_must_wait(const struct task *task, const char *in)
{
    struct look before = look_at(task);

    for (unsigned ms = 0; ms < SLEEP_LIMIT_MS; ms += LOOK_AGAIN_MS) {
        struct look after;

        pause_ms(LOOK_AGAIN_MS);
        after = look_at(task);
        if (is_done(task)) {
            run_fail(task->run, "%s did not wait: it returned %zd",
                     task->name, task->result->result);
        }
        if (is_asleep_in(&before, in) && is_asleep_in(&after, in) &&
            before.sleeps == after.sleeps) {
            return;
        }
        before = after;
    }
    tell_stack(before.stack);
    run_fail(task->run, "%s is not waiting in %s after %d ms: state %c, %.300s",
             task->name, in, SLEEP_LIMIT_MS, before.state, before.stack);
}

void task_must_finish_in(struct task *task, ssize_t wanted, unsigned limit_ms)
{
    for (unsigned ms = 0; !is_done(task); ms++) {
        if (ms >= limit_ms) {
            struct look look = look_at(task);

            tell_stack(look.stack);
            run_fail(task->run, "%s has not returned after %u ms: state %c, "
                     "%.300s", task->name, limit_ms, look.state, look.stack);
        }
        pause_ms(1);
    }
    waitpid(task->pid, NULL, 0);
    if (task->result->result != wanted) {
        run_fail(task->run, "%s returned %zd (%s), wanted %zd", task->name,
                 task->result->result, task->result->result < 0
                 ? strerror((int)-task->result->result) : "no error", wanted);
    }
    munmap(task->result, sizeof(*task->result));
    task->result = NULL;
}

void task_must_finish(struct task *task, ssize_t wanted)
{
    task_must_finish_in(task, wanted, FINISH_LIMIT_MS);
}

void task_stay_on(struct run *run, unsigned processor)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0) {
        run_error(run, "processor %u: %s", processor, strerror(errno));
    }
}
