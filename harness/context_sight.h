/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_sight.h: what one repeat of a context case shows.
 *
 *   never      a sync, or a completion that would do more than post a result,
 *              where it may not be (no row can allow it)
 *   missed     a function probe was hit and not recorded: not judged further
 *   untied     its marks contradict each other: the guest's clock jumped
 *              (a clocksource that the kernel gave up, say); no evidence
 *   join       every command for the operation's blocks is known to driver and
 *              drive, and their clocks agree (context_join.c)
 *   raced      the drive answered before the submitter let go, so the issuing
 *              task completed it without having slept: legal, and no evidence
 *   words      ISSUED COMPLETED SYNCED, the first with the reason if it is a
 *              punt (context_punt.c)
 */
#ifndef HARNESS_CONTEXT_SIGHT_H
#define HARNESS_CONTEXT_SIGHT_H

#include "context_event.h"
#include "context_join.h"
#include "result.h"
#include "trace.h"

struct context_sight {
    const struct context_repeat *repeat;
    const struct context_event *end;
    struct context_join join;
    bool is_raced;
    char *words;                /* NULL: it cannot be said */
};

/* What is wrong whatever the row says goes into result. */
struct context_sight context_sight_new(const struct context_repeat *repeat,
                                       const struct trace *trace,
                                       struct case_result *result);
void context_sight_clear(struct context_sight *sight);

/* Whether its words count. */
bool context_sight_is_judged(const struct context_sight *sight);

#endif
