/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * task.h: another task that does one operation, and whether it waits.
 *
 * A task is a process of the same step: files are shared, memory is not.
 *
 * "It waits" is seen, not guessed from time passing: the task sleeps in the
 * kernel (/proc/PID/stat: D or S), the named function is on its stack
 * (/proc/PID/stack), and it has not run between two looks (its voluntary
 * context switches, /proc/PID/status). "It finishes" has a generous limit.
 */
#ifndef TASK_H
#define TASK_H

#include <stdbool.h>
#include <sys/types.h>

#include "guest.h"

/* Bytes or 0, or -errno. */
typedef ssize_t task_body(void *opaque);

struct task_result;

struct task {
    struct run *run;
    const char *name;           /* as in "ftruncate" */
    pid_t pid;
    struct task_result *result;
};

struct task task_start(struct run *run, const char *name, task_body *body,
                       void *opaque);

/*
 * Fails the step if the task finishes, or does not come to sleep in a function
 * whose name contains in, such as "inode_dio_wait".
 */
void task_must_wait(const struct task *task, const char *in);
/* Fails the step if it does not within 10 s, or another number comes out. */
void task_must_finish(struct task *task, ssize_t wanted);

/* For what the limit must be another one. */
void task_must_finish_in(struct task *task, ssize_t wanted, unsigned limit_ms);

/* This process, and what it starts, on one processor: one queue. */
void task_stay_on(struct run *run, unsigned processor);

#endif
