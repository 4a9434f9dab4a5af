/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracefs.h: writing to the kernel's tracing files.
 */
#ifndef TRACEFS_H
#define TRACEFS_H

#include "guest.h"

#define TRACEFS "/sys/kernel/tracing"

/* flags: of open(), besides O_WRONLY. 0 or -errno. */
int tracefs_put(const char *path, int flags, const char *text);
/* Or the step ends with an error. "" empties the file. */
void tracefs_must_put(struct run *run, const char *path, const char *text);

#endif
