/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a power cut takes: the choice among unpromised writes.
 *
 * Pure functions of policy, seed and the name of a write, so that a cut can be
 * repeated, and predicted by whoever knows the names. Rules P4, P5 and P6 of
 * docs/loss-model.md.
 */
#ifndef LAB_POWERCUT_H
#define LAB_POWERCUT_H

#include <stdbool.h>
#include <stdint.h>

enum powercut_policy { POWERCUT_DROP_ALL, POWERCUT_KEEP_ALL, POWERCUT_RANDOM };

struct powercut {
    enum powercut_policy policy;
    uint64_t seed;
};

/* A write without a promise. */
struct powercut_write {
    uint32_t medium;            /* which medium: the namespace id */
    uint64_t id;                /* which write: the number of the command */
    uint32_t part;              /* which of its ranges; below 2^16 */
    uint32_t block_count;
    bool is_atomic;             /* survives whole or not at all (P5) */
    uint64_t first_stamp;       /* submitted */
    uint64_t last_stamp;        /* completed, or the cut */
    uint64_t visible_stamp;     /* between the two */
};

enum powercut_outcome { POWERCUT_DROPPED, POWERCUT_KEPT, POWERCUT_TORN };

enum powercut_outcome powercut_outcome(const struct powercut *cut,
                                       const struct powercut_write *write);

/* Does this block of the write, counted from its first, survive? */
bool powercut_keeps(const struct powercut *cut,
                    const struct powercut_write *write, uint32_t block);

/*
 * When the write takes effect among the survivors: a stamp within its life.
 * Of two that overlap, the greater stays on top (P6: writes that ran
 * concurrently may persist in either order, others only in theirs).
 */
uint64_t powercut_effect(const struct powercut *cut,
                         const struct powercut_write *write);

#endif
