/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching a task; see watch.h.
 */
#include <string.h>
#include <sys/param.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch.h"

#define LIMIT_MS 10000
#define POLL_MS 2
/* More than two ticks (250 Hz): whoever is runnable has run. */
#define LOOK_AGAIN_MS 10
#define LOOKS_ALIKE 3

/*
 * I/O commands taken, not answered and not parked, plus those since power-on
 * that a reset or a cut took: a number that stands still.
 */
static int64_t drive_outstanding(const struct watch *watch)
{
    struct lab_stat stat;
    int error = drive_stat(watch->drive, &stat);

    if (error) {
        run_error(watch->run, "STAT on %s: %s", watch->drive->node,
                  strerror(-error));
    }
    return (int64_t)(stat.commands_submitted - stat.commands_completed -
                     stat.commands_held);
}

struct watch watch_begin(struct run *run, const struct drive *drive)
{
    struct watch watch = { .run = run, .drive = drive };

    watch.outstanding_least = drive_outstanding(&watch);
    return watch;
}

static bool is_drive_idle(struct watch *watch)
{
    int64_t outstanding = drive_outstanding(watch);

    watch->outstanding_least = MIN(watch->outstanding_least, outstanding);
    return outstanding == watch->outstanding_least;
}

static bool are_alike(const struct look *a, const struct look *b)
{
    return look_is_asleep(a) && look_is_asleep(b) && a->sleeps == b->sleeps &&
           strcmp(a->stack, b->stack) == 0;
}

/* Left to be collected by task_must_finish(). */
static bool has_exited(const struct task *task)
{
    siginfo_t info = { 0 };

    return waitid(P_PID, (id_t)task->pid, &info,
                  WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == task->pid;
}

/* True: it has exited meanwhile. */
static bool pause_for(const struct task *task)
{
    for (unsigned ms = 0; ms < LOOK_AGAIN_MS; ms += POLL_MS) {
        if (has_exited(task)) {
            return true;
        }
        usleep(POLL_MS * 1000);
    }
    return has_exited(task);
}

void watch_task(struct watch *watch, const struct task *task)
{
    struct look before = { 0 };
    unsigned alike = 0;

    for (unsigned ms = 0; ms < LIMIT_MS; ms += LOOK_AGAIN_MS) {
        struct look now;
        bool is_idle;

        if (pause_for(task)) {
            watch->waits = false;
            return;
        }
        is_idle = is_drive_idle(watch);
        now = look_at(task->pid);
        alike = is_idle && are_alike(&before, &now) ? alike + 1 : is_idle;
        if (alike == LOOKS_ALIKE) {
            watch->waits = true;
            strcpy(watch->stack, now.stack);
            return;
        }
        before = now;
    }
    run_fail(watch->run, "%s neither finishes nor waits for %d ms: last in "
             "%.300s", task->name, LIMIT_MS, before.stack);
}
