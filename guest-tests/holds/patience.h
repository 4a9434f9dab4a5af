/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience.h: how long the driver waits for a command (queue/io_timeout, 30 s),
 * for one namespace and until the step ends.
 */
#ifndef PATIENCE_H
#define PATIENCE_H

#include "drive.h"
#include "guest.h"

/* For commands submitted from now on; the kernel rounds up to seconds. */
void patience_set(struct run *run, const struct drive_ns *ns, unsigned ms);

#endif
