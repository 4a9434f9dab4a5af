/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmsg.h: what the kernel must say in its log.
 */
#ifndef KMSG_H
#define KMSG_H

#include "guest.h"

struct kmsg {
    struct run *run;
    int fd;
};

/* Whatever is said from now on. */
struct kmsg kmsg_open(struct run *run);
/* Looks on from where the last look ended; 10 s without it fail the step. */
void kmsg_must_say(const struct kmsg *kmsg, const char *text);
/* Nothing with that text from where the last look ended. */
void kmsg_must_not_say(const struct kmsg *kmsg, const char *text);

/* The same of a line that the host would take for a splat (harness/dmesg.c). */
void kmsg_must_complain(const struct kmsg *kmsg, const char *text);

#endif
