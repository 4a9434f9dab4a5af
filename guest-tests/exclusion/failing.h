/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failing.h: a parked write fails, as an I/O error of its caller.
 *
 * The drive ends an aborted command with Command Abort Requested, without Do
 * Not Retry (docs/holds.md, H8); what turns it into an error instead of a
 * second attempt is the driver's limit of retries.
 */
#ifndef FAILING_H
#define FAILING_H

#include "drive.h"
#include "guest.h"

/* Until the step ends. */
void failing_no_retries(struct run *run);
void failing_abort(struct run *run, const struct drive *drive,
                   const struct lab_held *held);

#endif
