/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.h: does a task finish, or does it wait, while a command is parked?
 *
 * task.h asserts one of them; here the answer is the measurement. Neither is
 * guessed from time passing: a task has finished when it has exited, and waits
 * when it sleeps at one place, has not run between three looks, and the drive
 * has nothing in hand but what is parked.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

#include "drive.h"
#include "look.h"
#include "task.h"

struct watch {
    struct run *run;
    const struct drive *drive;
    int64_t outstanding_least;  /* seen so far: the drive is idle then */
    bool waits;
    char stack[LOOK_STACK_BYTES]; /* of struct look, if it waits */
};

/* With what is to be parked parked, before the task starts. */
struct watch watch_begin(struct run *run, const struct drive *drive);
/* An answer within 10 s, or the step fails. */
void watch_task(struct watch *watch, const struct task *task);

#endif
