/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mistake.h: how cases make the watch for never-events see one.
 *
 * No stock kernel does what must not be, so another function, which is legally
 * called there, is watched as if it were the one that must not: probe, trigger,
 * histogram, look and judge are those of every run.
 */
#ifndef META_MISTAKE_H
#define META_MISTAKE_H

#include "guest.h"
#include "issue.h"

/* From here on, function is watched as if it were watched. */
void mistake_make(struct run *run, const char *watched, const char *function);

/* The bare device, for direct I/O. */
int mistake_open_raw(struct run *run);
/* The first block of it. */
void mistake_read(struct run *run, const struct issuer *issuer, int fd);

#endif
