/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching a task; see watch.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch.h"

#define LIMIT_MS 10000
#define POLL_MS 2
/* More than two ticks (250 Hz): whoever is runnable has run. */
#define LOOK_AGAIN_MS 10
#define LOOKS_ALIKE 3

struct look {
    bool is_asleep;
    uint64_t sleeps;            /* voluntary context switches */
    uint64_t drive_works_on;    /* I/O commands that are not parked */
    char stack[WATCH_STACK_BYTES];
};

static bool read_proc(const struct task *task, const char *file, char *text,
                      size_t size)
{
    char path[64];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)task->pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    n = read(fd, text, size - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n >= 0;
}

/* "[<0>] xfs_ilock+0x9b/0x120" a line becomes "xfs_ilock<…"; not the entry. */
static void name_functions(char *names, size_t size, char *stack)
{
    size_t used = 0;
    char *rest = NULL;

    *names = '\0';
    for (char *line = strtok_r(stack, "\n", &rest); line && used < size;
         line = strtok_r(NULL, "\n", &rest)) {
        char *name = strchr(line, ' ') ? strchr(line, ' ') + 1 : line;

        if (strncmp(name, "__x64_sys_", 10) == 0 ||
            strncmp(name, "do_syscall_64", 13) == 0) {
            break;
        }
        used += (size_t)snprintf(names + used, size - used, "%s%.*s",
                                 used ? "<" : "",
                                 (int)strcspn(name, "+"), name);
    }
}

static uint64_t drive_works_on(const struct watch *watch)
{
    struct lab_stat stat;
    int error = drive_stat(watch->drive, &stat);

    if (error) {
        run_error(watch->run, "STAT on %s: %s", watch->drive->node,
                  strerror(-error));
    }
    return stat.commands_submitted - stat.commands_completed -
           stat.commands_held;
}

static struct look look_at(const struct watch *watch, const struct task *task)
{
    struct look look = { .drive_works_on = drive_works_on(watch) };
    char text[4096];
    const char *word;

    /* The name in parentheses may have any character in it. */
    if (read_proc(task, "stat", text, sizeof(text)) &&
        (word = strrchr(text, ')')) && word[1]) {
        look.is_asleep = word[2] == 'D' || word[2] == 'S';
    }
    if (read_proc(task, "status", text, sizeof(text)) &&
        (word = strstr(text, "\nvoluntary_ctxt_switches:"))) {
        look.sleeps = strtoull(strchr(word, ':') + 1, NULL, 10);
    }
    if (read_proc(task, "stack", text, sizeof(text))) {
        name_functions(look.stack, sizeof(look.stack), text);
    }
    return look;
}

static bool are_alike(const struct look *a, const struct look *b)
{
    return a->is_asleep && b->is_asleep && a->sleeps == b->sleeps &&
           a->drive_works_on == 0 && b->drive_works_on == 0 &&
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

        if (pause_for(task)) {
            watch->waits = false;
            return;
        }
        now = look_at(watch, task);
        alike = are_alike(&before, &now) ? alike + 1 : 1;
        if (alike == LOOKS_ALIKE) {
            watch->waits = true;
            strcpy(watch->stack, now.stack);
            return;
        }
        before = now;
    }
    run_fail(watch->run, "%s neither finishes nor waits for %d ms: last in %s, "
             "the drive works on %" PRIu64, task->name, LIMIT_MS, before.stack,
             before.drive_works_on);
}
