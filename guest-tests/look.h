/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * look.h: where a process is in the kernel, and whether it has run since
 * somebody looked last.
 */
#ifndef LOOK_H
#define LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LOOK_STACK_BYTES 512

struct look {
    char state;                 /* as in /proc/PID/stat; '?': cannot be read */
    uint64_t sleeps;            /* voluntary context switches */
    char stack[LOOK_STACK_BYTES]; /* "inner<outer<…" up to the system call */
};

struct look look_at(pid_t pid);
bool look_is_asleep(const struct look *look);

#endif
