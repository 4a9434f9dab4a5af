/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flushes.h: did the right Flush and FUA reach the drive? The judge of one
 * flush case, from the trace alone.
 */
#ifndef HARNESS_FLUSHES_H
#define HARNESS_FLUSHES_H

#include "expect.h"
#include "promise.h"
#include "result.h"

/* GROUP.TARGET.OP.ISSUER, taken apart; free with flushes_name_clear(). */
struct flushes_name {
    char *group, *target, *op, *issuer;
};

/* false: not the name of a flush or context case. */
bool flushes_name_parse(const char *text, struct flushes_name *name);
void flushes_name_clear(struct flushes_name *name);
/* The namespace that a target lives in; 0: no such target. */
guint32 flushes_nsid(const char *target);

struct flushes_judge {
    const struct trace *trace;
    const GArray *promises;     /* promise_simulate(trace) */
    const struct expect *expect;
    const char *kernel_release;
    bool skips_unread;          /* a kernel without any row: skip, no error */
};

/*
 * Judge the commands of result->name and put verdict, commands and counts into
 * result. A context case is judged by the rows of the flush case that sends the
 * same.
 */
void flushes_judge(const struct flushes_judge *judge,
                   struct case_result *result);

#endif
