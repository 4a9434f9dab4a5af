/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.h: where was an I/O issued, where did it complete, where did the
 * sync behind it run? The judge of one context case.
 *
 * The guest's notes (docs/guest-protocol.md: op, event, range) are the
 * evidence; context.c names what they show in a closed vocabulary. A context
 * is written as three words, "ISSUED COMPLETED SYNCED", the last one "-" when
 * nothing was synced.
 */
#ifndef HARNESS_CONTEXT_H
#define HARNESS_CONTEXT_H

#include "expect.h"
#include "result.h"
#include "trace.h"

/* Columns of the expectation rows that context cases have. */
bool context_pattern_check(const char *pattern);

struct context_judge {
    const struct trace *trace;
    const struct expect *expect;
    const char *kernel_release;
    bool skips_unread;          /* a kernel without any row: skip, no error */
};

/* Judge result->name from result->notes, which become the story of one. */
void context_judge(const struct context_judge *judge,
                   struct case_result *result);

#endif
