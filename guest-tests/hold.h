/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold.h: commands that the drive parks, so that a race comes out one way.
 *
 *      struct hold write = hold_arm(run, &ns->drive, "the write",
 *                                   hold_write(ns, LAB_HOLD_CQE, at, length));
 *      …submit it…
 *      hold_wait(&write, 1);
 *      …do the other thing…
 *      hold_release(&write);
 *
 * The stages are those of hw/abi/vendor.h, docs/holds.md has the rules. What
 * the drive refuses ends the step with an error. A hold that is still there
 * when the step ends was forgotten: it is told to the host, which fails the
 * case, and everything is released.
 */
#ifndef HOLD_H
#define HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "drive.h"
#include "guest.h"

struct hold {
    struct run *run;
    struct drive drive;
    uint32_t rule;
    const char *name;           /* as in "the first Flush" */
};

/*
 * What to park: the first command that matches, unless .count or .skip of the
 * result are changed. A write without FUA has no stage durable on a drive with
 * a volatile cache (docs/holds.md, H3).
 */
struct lab_hold hold_write(const struct drive_ns *ns, enum lab_hold_stage stage,
                           off_t address, size_t length);
struct lab_hold hold_read(const struct drive_ns *ns, enum lab_hold_stage stage,
                          off_t address, size_t length);
struct lab_hold hold_flush(const struct drive_ns *ns,
                           enum lab_hold_stage stage);

/* name outlives the step. */
struct hold hold_arm(struct run *run, const struct drive *drive,
                     const char *name, struct lab_hold what);

/* Until that many are parked; 10 s without them end the step with an error. */
void hold_wait(const struct hold *hold, unsigned count);
/* Those parked now, in the order of parking: how many, at most room. */
size_t hold_held(const struct hold *hold, struct lab_held *held, size_t room);
/* The only one that is parked, which must be there. */
struct lab_held hold_only(const struct hold *hold);

/* The rule ends and its commands go on. */
void hold_release(struct hold *hold);
/* One command goes on, the rule stays. */
void hold_release_oldest(const struct hold *hold);
void hold_release_newest(const struct hold *hold);
/* Stage irq: the rule ends and its interrupts are never sent. */
void hold_lose_irq(struct hold *hold);
/* Nothing is parked any more: an abort or a reset has ended it. */
void hold_must_be_empty(const struct hold *hold);

/* The step is to end with it: a power cut follows. */
void hold_leave_to_cut(const struct hold *hold);

/*
 * For PID 1, when a step has crashed or will not die: everything goes on.
 * Waits a second at most.
 */
void hold_sweep(void);

#endif
