/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks; see task.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "look.h"
#include "task.h"

#define SLEEP_LIMIT_MS 10000
#define FINISH_LIMIT_MS 10000
/* More than two ticks (250 Hz): whoever is runnable has run. */
#define LOOK_AGAIN_MS 20

struct task_result {
    atomic_bool is_done;
    ssize_t result;
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

static bool is_asleep_in(const struct look *look, const char *in)
{
    return look_is_asleep(look) && strstr(look->stack, in);
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

void task_must_wait(const struct task *task, const char *in)
{
    struct look before = look_at(task->pid);

    for (unsigned ms = 0; ms < SLEEP_LIMIT_MS; ms += LOOK_AGAIN_MS) {
        struct look after;

        pause_ms(LOOK_AGAIN_MS);
        after = look_at(task->pid);
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
    run_fail(task->run, "%s is not waiting in %s after %d ms: state %c, %.300s",
             task->name, in, SLEEP_LIMIT_MS, before.state, before.stack);
}

void task_must_finish_in(struct task *task, ssize_t wanted, unsigned limit_ms)
{
    for (unsigned ms = 0; !is_done(task); ms++) {
        if (ms >= limit_ms) {
            struct look look = look_at(task->pid);

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
