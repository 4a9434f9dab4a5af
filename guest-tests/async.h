/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * async.h: several I/Os under way at a time from one process, through one
 * io_uring (issue.h waits for each).
 *
 * An I/O has a number of the caller's choice, which its completion brings. A
 * second completion of it is a never-event (never.h).
 */
#ifndef ASYNC_H
#define ASYNC_H

#include <stddef.h>
#include <sys/types.h>

#include "guest.h"

#define ASYNC_MAX 16            /* numbers 0 to 15 */

/* Each is submitted when the call returns, and seen by the kernel. */
void async_write(struct run *run, unsigned number, int fd, const void *buffer,
                 size_t length, off_t offset);
void async_read(struct run *run, unsigned number, int fd, void *buffer,
                size_t length, off_t offset);
void async_fsync(struct run *run, unsigned number, int fd);

/*
 * The next completion: its number, and in *result bytes or -errno. Fails the
 * step if there is none for 10 s.
 */
unsigned async_next(struct run *run, ssize_t *result);
/* The next completion must be this one, with that result. */
void async_must_finish(struct run *run, unsigned number, ssize_t wanted);
/* Nothing has completed that was not taken. */
void async_must_be_quiet(struct run *run);

#endif
