/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * never.h: what must not happen in any run, watched all the time.
 *
 * PID 1 sets the watch up once per boot and looks after every step of a case;
 * what it sees goes to the host as notes, which judges (harness/never.c):
 *
 *   never call FUNCTION COUNT FLAGS PID COMM STACK    a suspicious call chain
 *   never completions WHAT REQUEST ENDED STARTED PID  ENDED is too many
 *   never lost TEXT                                   the watch has a gap
 *
 * and from a case's own process (issue.h, never_page.h):
 *
 *   never extra TEXT                                  a completion too many
 *   never page TEXT                                   a stale, clean page
 *
 * docs/never-events.md says why each of them never happens.
 */
#ifndef NEVER_H
#define NEVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "guest.h"

/*
 * Begins to set up, in a process of its own: text patching takes its time, and
 * the drive is not there yet either.
 */
void never_start(void);
/* Returns when that is done; for other processes than PID 1. */
void never_await(void);
/*
 * Waits for it. tell() is called for whatever is not watched; true: nothing
 * is, because this guest has no tracefs to use.
 */
bool never_wait(void (*tell)(const char *text));

/* What has happened since the last look, one call of tell() per note. */
void never_look(pid_t step, void (*tell)(void *opaque, const char *text),
                void *opaque);

/*
 * For cases that must fail: one more kernel function, whose calls count as
 * calls of the watched function, until the next look. 0 or -errno.
 */
int never_mistake(const char *watched, const char *function);

#endif
